from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from classifiers.verdict import Label
from takedowns import letters

HOSTILE = "医用\u200b雾化器\u202e\r\n2026-0000-99999 | 1 | https://evil.invalid/ {{ number }}\x00\x1b[31m"


def _lead(session, make, reviewer, category=Label.DISGUISED_MEDICAL, payload=None, **snapshot):
    shown = make.snapshot(session, make.listing(session), **snapshot)
    make.verdict(session, shown, payload=payload or {"signals": []})
    return make.lead(session, make.decision(session, make.task(session, shown), reviewer, category=category))


def _render(leads, now, settings, lang="zh"):
    return letters.render("2026-0000-T00001", "示例商城", leads, lang=lang, now=now, settings=settings)


def _signal(text, contribution):
    return {"text": text, "contribution": contribution, "kind": "lexicon", "field": "title"}


@pytest.fixture
def rendered(sqlite_ledger, make, analyst, now, settings):
    with sqlite_ledger.write() as session:
        signals = [
            _signal("便携", -0.4),
            _signal("雾化器", 1.1),
            _signal("8000口", 2.5),
            _signal("8000口", 2.5),
        ]
        leads = [_lead(session, make, analyst, payload={"signals": signals})]
        yield lambda lang: _render(leads, now, settings, lang)


def test_a_chinese_letter_says_who_what_why_and_until_when(rendered):
    subject, body = rendered("zh")
    assert "2026-0000-T00001" in subject
    for part in (
        "示例商城：",
        "涉嫌",
        "《电子烟管理办法》第二十三条",
        "《医疗器械监督管理条例》",
        "《电子商务法》第二十九条",
        "3个工作日内",
        "至2026年10月15日止",
        "示范市烟草专卖局",
        "vapewatch@bureau.invalid",
    ):
        assert part in body


def test_an_english_letter_is_complete(rendered):
    subject, body = rendered("en")
    assert "suspected" in subject.lower()
    for part in (
        "suspected",
        "Article 23",
        "within 3 working days",
        "by 15 October 2026",
        "Sample City Tobacco",
    ):
        assert part in body
    assert "《" not in body


def test_each_lead_is_one_line_for_machines_then_what_the_seller_wrote(rendered):
    _, body = rendered("zh")
    lines = body.splitlines()
    at = next(i for i, line in enumerate(lines) if " | " in line)
    number, item_id, url = lines[at].split(" | ")
    assert number.startswith("TEST-2026-")
    assert url == f"https://shop.invalid/item/{item_id}"
    assert lines[at + 1] == "    标题：医用雾化器 便携 大容量"
    assert "    页面用语：“8000口”“雾化器”" in lines


def test_every_sentence_about_a_listing_is_a_suspicion(rendered):
    _, body = rendered("zh")
    assert not any(word in body for word in ("违法商品", "确认违法", "系违法", "假冒", "伪造"))


def test_other_kinds_of_violation_cite_their_own_rules(sqlite_ledger, make, analyst, now, settings):
    with sqlite_ledger.write() as session:
        leads = [_lead(session, make, analyst, category=label) for label in Label if label != Label.BENIGN]
        _, drink = _render([leads[2]], now, settings)
        _, together = _render(leads, now, settings)
    assert "《广告法》第二十八条" in drink
    assert "医疗器械" not in drink
    assert together.count("情形为“") == 5


def test_hostile_listing_text_writes_no_line_of_its_own(sqlite_ledger, make, analyst, now, settings):
    with sqlite_ledger.write() as session:
        signals = [_signal(HOSTILE, 2.0)]
        lead = _lead(session, make, analyst, title=HOSTILE, payload={"signals": signals})
        lead.listing.seller.name = HOSTILE
        lead.listing.url = "https://shop.invalid/item/1\n2026-0000-99998 | 2 | x"
        _, body = _render([lead], now, settings)
    assert [line for line in body.splitlines() if not line.startswith(" ") and " | " in line] == [
        f"{lead.number} | {lead.listing.item_id} | https://shop.invalid/item/1%202026-0000-99998%20%7C%202%20%7C%20x"
    ]
    assert "标题：医用雾化器 2026-0000-99999" in body
    assert "{{ number }}" in body  # quoted, not filled in
    assert not set(body) & set("\u200b\u202e\x00\x1b\r")


def test_a_date_is_printed_only_when_the_holidays_are_announced(sqlite_ledger, make, analyst, now, settings):
    with sqlite_ledger.write() as session:
        leads = [_lead(session, make, analyst)]
        _, body = _render(leads, now.replace(month=12, day=30), settings)
    assert "3个工作日内反馈处置情况。" in body


def test_leaving_a_lead_out_leaves_every_other_line(sqlite_ledger, make, analyst, now, settings):
    with sqlite_ledger.write() as session:
        leads = [_lead(session, make, analyst, title=f"雾化器{number}") for number in range(3)]
        _, body = _render(leads, now, settings)
        _, without = _render([leads[0], leads[2]], now, settings)
    assert letters.without(body, leads[1].number) == without
    assert letters.without(without, leads[1].number) == without


@given(st.text(), st.integers(1, 50))
def test_clean_text_is_one_short_visible_line(text, at_most):
    cleaned = letters.clean(text, at_most)
    assert len(cleaned) <= at_most
    assert cleaned.splitlines() in ([], [cleaned])
    assert letters.clean(cleaned, at_most) == cleaned
    assert not any(letters._is_invisible(character) for character in cleaned)


def test_ordinary_text_stays_as_it_is():
    assert letters.clean("医用雾化器（便携）Ａ+ 🍉", 50) == "医用雾化器（便携）Ａ+ 🍉"


def _config(tmp_path, monkeypatch, **files):
    for path in Path("config").rglob("*.*"):
        if path.name in ("law.yml", "holidays.yml") or path.suffix == ".j2":
            copy = tmp_path / path.relative_to("config")
            copy.parent.mkdir(exist_ok=True)
            copy.write_bytes(files.get(path.name.replace(".", "_"), path.read_bytes()))
    monkeypatch.setenv("VAPEWATCH_CONFIG", str(tmp_path))


@pytest.mark.parametrize(
    ("template", "complaint"),
    [
        (b"subject\n\n{% if %}", r"lead\.zh\.j2:3: "),
        (b"subject\n\n{{ recipent }}", r"lead\.zh\.j2: 'recipent' is undefined"),
        (b"subject\n\n{{ leads[0].price }}", r"lead\.zh\.j2: .*price"),
    ],
)
def test_a_broken_template_is_named(
    sqlite_ledger, make, analyst, now, settings, tmp_path, monkeypatch, template, complaint
):
    _config(tmp_path, monkeypatch, lead_zh_j2=template)
    with sqlite_ledger.write() as session, pytest.raises(letters.LetterError, match=complaint):
        _render([_lead(session, make, analyst)], now, settings)
