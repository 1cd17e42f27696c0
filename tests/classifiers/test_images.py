"""Pictures in verdicts: when they are read, what they add, and what becomes of those that cannot be read."""

from __future__ import annotations

import base64
import dataclasses
import gc
import json
import os
import resource
import signal
import sys
from pathlib import Path

import pytest

from classifiers.classifier import Classifier, classify_lines
from classifiers.images import MOST_IMAGES, Images
from classifiers.verdict import ImageText, Label, ListingText, Unread, Verdict
from tests.classifiers.pictures import drawn, saved, with_qr

HARMLESS = "装饰摆件"
UNDER_COVER = drawn("电子烟 8000口", "西瓜冰味 一次性")
POSTER = saved(UNDER_COVER)
FURNITURE = saved(drawn("北欧风客厅", "树脂工艺品"))
# Settled by its own words; its picture must not be looked at.
SETTLED = "悦刻五代电子烟 一次性 8000口 西瓜味"


@pytest.fixture
def seeing(classifier: Classifier, reader: Images) -> Classifier:
    return dataclasses.replace(classifier, image_reader=reader)


def inline(data: bytes) -> str:
    return "data:image/png;base64," + base64.b64encode(data).decode()


def one(classifier: Classifier, title: str, *images: str) -> Verdict:
    (verdict,) = classifier.classify_many([ListingText(id="1", title=title, images=images)])
    return verdict


def count_readings(reader: Images, monkeypatch: pytest.MonkeyPatch) -> list[bytes]:
    asked: list[bytes] = []
    really = reader._ask
    monkeypatch.setattr(reader, "_ask", lambda data: (asked.append(data), really(data))[1])
    return asked


def test_a_harmless_title_over_a_telling_picture_is_flagged(seeing: Classifier, tmp_path: Path) -> None:
    path = tmp_path / "main.png"
    path.write_bytes(POSTER)
    assert not one(seeing, HARMLESS).flagged
    verdict = one(seeing, HARMLESS, str(path))
    assert verdict.flagged
    assert verdict.label is Label.ECIG_OVERT
    assert {"product.ecig", "measure.puffs"} <= {signal.concept for signal in verdict.signals}


def test_every_mark_in_a_picture_is_what_was_read_there(seeing: Classifier) -> None:
    verdict = one(seeing, HARMLESS, inline(FURNITURE), inline(POSTER))
    marks = [signal for signal in verdict.signals if signal.field.startswith("images.")]
    assert {mark.field for mark in marks} >= {"images.1"}
    for mark in marks:
        text = verdict.images[int(mark.field.removeprefix("images."))].text
        assert mark.text == text[mark.start : mark.end] != ""


def test_a_harmless_picture_leaves_a_harmless_listing_alone(seeing: Classifier) -> None:
    verdict = one(seeing, HARMLESS, inline(FURNITURE))
    assert "北欧风客厅" in verdict.images[0].text
    assert not verdict.flagged


def test_harmless_words_in_a_picture_acquit_nobody(seeing: Classifier) -> None:
    seeing.image_reader.band, band = 1000.0, seeing.image_reader.band
    try:
        on_words, with_picture = one(seeing, SETTLED), one(seeing, SETTLED, inline(FURNITURE))
    finally:
        seeing.image_reader.band = band
    assert with_picture.images
    assert with_picture.score >= on_words.score


@pytest.mark.parametrize("title", [SETTLED, "新鲜红富士苹果 山东烟台产地直发 5斤装 包邮"])
def test_a_listing_whose_words_settle_it_is_not_looked_at(seeing: Classifier, title: str) -> None:
    verdict = one(seeing, title, "no such file")
    assert verdict.images == ()
    assert "images" not in verdict.model_dump()


def verdict_of(score: float, threshold: float) -> Verdict:
    return Verdict(
        id="1",
        label=Label.BENIGN,
        score=score,
        flagged=score >= threshold,
        scores={},
        signals=(),
        claims=(),
        lexicon_version="1",
        model_version="1",
    )


@pytest.mark.parametrize(
    ("title", "score", "wanted"),
    [
        ("a title of many characters", 0.5, True),
        ("a title of many characters", 0.9, True),
        ("a title of many characters", 0.001, False),
        ("a title of many characters", 0.9999, False),
        ("a title of many characters", 0.0, False),
        ("a title of many characters", 1.0, False),
        ("七个字的短标题", 0.001, True),
        ("有八个字的标题哦", 0.001, False),
        ("", 0.001, True),
        (" \u3000 " * 20, 0.001, True),
        ("电子烟", 0.9999, False),
    ],
)
def test_pictures_are_wanted_where_words_leave_the_verdict_open(
    title: str, score: float, wanted: bool
) -> None:
    listing = ListingText(id="1", title=title, images=("a.png",))
    assert Images().wanted(listing, verdict_of(score, 0.7), 0.7) is wanted
    assert not Images().wanted(ListingText(id="1", title=title), verdict_of(score, 0.7), 0.7)


def test_a_qr_code_is_a_contact(seeing: Classifier) -> None:
    picture = saved(with_qr(drawn("扫码看货"), "https://u.example/A1b2"))
    verdict = one(seeing, HARMLESS, inline(picture))
    (contact,) = (signal for signal in verdict.signals if signal.concept == "contact.qr_code")
    assert (contact.kind, contact.text) == ("contact", "https://u.example/A1b2")
    assert verdict.images[0].text[contact.start : contact.end] == contact.text


def test_a_picture_on_many_listings_is_read_once(seeing: Classifier, monkeypatch: pytest.MonkeyPatch) -> None:
    picture = saved(drawn("此图只读一次"))
    asked = count_readings(seeing.image_reader, monkeypatch)
    listings = [ListingText(id=str(n), title=HARMLESS, images=(inline(picture),) * 2) for n in range(30)]
    verdicts = list(seeing.classify_many(listings))
    assert {image.text for verdict in verdicts for image in verdict.images} == {"此图只读一次"}
    assert asked == [picture]


def test_each_unreadable_picture_is_named_and_the_others_are_read(reader: Images) -> None:
    answers = reader.read([inline(b"x"), "https://shop.example/1.jpg", "nowhere", inline(POSTER)])
    assert [answer.unread for answer in answers] == [
        Unread.NO_PICTURE,
        Unread.NOT_FETCHED,
        Unread.NO_FILE,
        None,
    ]
    assert "电子烟" in answers[3].text


def test_only_the_first_pictures_of_a_listing_are_read(reader: Images) -> None:
    answers = reader.read([inline(POSTER)] * 10_000)
    assert len(answers) == MOST_IMAGES + 1
    assert answers[-1] == ImageText(unread=Unread.TOO_MANY)


def test_a_picture_that_takes_too_long_is_given_up_and_the_next_one_read() -> None:
    impatient = Images(seconds=0.01)
    answers = impatient.read([inline(POSTER)])
    assert answers == (ImageText(unread=Unread.TIMEOUT),)
    assert impatient.read([inline(POSTER)]) == answers  # it costs its time once
    impatient.seconds = 60
    assert "北欧风客厅" in impatient.read([inline(FURNITURE)])[0].text


def test_a_crash_of_the_reader_is_named_and_the_next_picture_read() -> None:
    reader = Images()
    reader.read([inline(saved(drawn()))])
    os.kill(reader._process.process.pid, signal.SIGSEGV)
    assert reader.read([inline(POSTER)]) == (ImageText(unread=Unread.CRASHED),)
    assert "北欧风客厅" in reader.read([inline(FURNITURE)])[0].text


def test_a_reader_that_does_not_start_is_named_and_blamed_on_no_picture(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    reader = Images()
    with monkeypatch.context() as broken:
        broken.setattr(sys, "executable", "/bin/false")
        assert reader.read([inline(POSTER)]) == (ImageText(unread=Unread.READER_FAILED),)
    assert "电子烟" in reader.read([inline(POSTER)])[0].text


def test_the_reading_process_can_open_nothing_and_ends_with_its_owner() -> None:
    reader = Images()
    reader.read([inline(FURNITURE)])
    process = reader._process.process
    assert resource.prlimit(process.pid, resource.RLIMIT_NOFILE) == (0, 0)
    del reader
    gc.collect()
    assert process.returncode == -signal.SIGKILL


def test_without_the_extra_every_wanted_picture_is_named_as_unread(
    seeing: Classifier, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "rapidocr", None)
    verdict = one(seeing, HARMLESS, inline(POSTER))
    assert verdict.images == (ImageText(unread=Unread.NOT_INSTALLED),)
    assert not verdict.flagged


def test_json_lines_carry_what_was_read(seeing: Classifier) -> None:
    line = json.dumps({"id": "1", "title": HARMLESS, "images": [inline(POSTER), "nowhere"]})
    ((out, good),) = classify_lines([line], seeing)
    assert good
    first, second = json.loads(out)["images"]
    assert "电子烟" in first["text"]
    assert (first["unread"], second) == (None, {"text": "", "qr": [], "unread": "no_file"})
