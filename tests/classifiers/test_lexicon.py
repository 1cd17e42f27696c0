from __future__ import annotations

import re
import time
from pathlib import Path

import pytest

from classifiers import lexicon as lexicons
from classifiers import lexicon_check, signals
from classifiers.images import QR_CODE
from classifiers.lexicon import Lexicon
from classifiers.normalize import normalize
from classifiers.yamlfile import ConfigError

ENTRY = '{{id: {id}, concept: {concept}, term: "{term}", weight_hint: strong{more}}}'


def write(folder: Path, *entries: str) -> Path:
    (folder / "concepts.yml").write_text((lexicons.DIRECTORY / "concepts.yml").read_text("utf-8"), "utf-8")
    (folder / "some.yml").write_text("entries:\n" + "".join(f"  - {e}\n" for e in entries), "utf-8")
    return folder


def entry(id: str, term: str, more: str = "", concept: str = "product.ecig") -> str:
    return ENTRY.format(id=id, term=term, more=f", {more}" if more else "", concept=concept)


def found(lexicon: Lexicon, text: str) -> list[str]:
    return [hit.entry.term for hit in lexicon.find(normalize(text))]


def test_the_shipped_lexicon_has_no_problem() -> None:
    assert lexicon_check.check() == []


def test_every_reason_that_can_be_given_is_named_in_both_languages(lexicon: Lexicon) -> None:
    emitted = {entry.concept for entry in lexicon.entries} | signals.CONCEPTS | {"read_as", QR_CODE}
    named = lexicons.concepts()
    assert emitted == set(named)
    for concept in named.values():
        assert re.search("[一-龥]", concept.name.zh)
        assert re.search("[一-龥]", concept.sentence.zh)
        assert not re.search("[一-龥]", concept.name.en)


def test_nothing_shown_to_people_calls_a_number_forged() -> None:
    text = (lexicons.DIRECTORY / "concepts.yml").read_text("utf-8").lower()
    assert not re.search("forge|fake|伪造|假证", text)


def test_the_longer_of_two_nested_words_wins(lexicon: Lexicon) -> None:
    assert found(lexicon, "学校电子烟探测器") == ["电子烟探测器"]


def test_latin_words_match_as_whole_words_only(lexicon: Lexicon) -> None:
    assert found(lexicon, "cotton bed sheets") == []
    assert found(lexicon, "heets") == ["terea"]
    assert found(lexicon, "two vapes") == ["vape"]
    assert "hqd" not in found(lexicon, "hqdx 12")


def test_a_disguised_spelling_is_read_as_its_term(lexicon: Lexicon) -> None:
    (hit,) = lexicon.find(normalize("烟蛋"))
    assert (hit.word, hit.via, hit.disguised, hit.faint) == ("烟弹", "listed", True, False)


def test_a_term_is_found_through_every_trick_that_the_normaliser_undoes(lexicon: Lexicon) -> None:
    for written in ("电\u200b子烟", "電子菸", "电*子*烟", "电子火因", "电 子 烟"):
        (hit,) = lexicon.find(normalize(written))
        assert (hit.word, hit.via, hit.disguised) == ("电子烟", "plain", False)


def test_a_given_spelling_wins_over_a_respelled_one_at_the_same_place() -> None:
    given = lexicons.Entry(id="a", concept="product.pod", term="雾化弹", weight_hint="strong")
    own = lexicons.Entry(id="b", concept="ordinary.goods", term="雾化蛋", weight_hint="strong")
    listed = given.model_copy(update={"disguised": ("雾化蛋",)})
    for entries in ([given, own], [listed]):
        (hit,) = Lexicon(entries).find(normalize("雾化蛋"))
        assert (hit.entry, hit.via) == (entries[-1], "plain" if entries[-1] is own else "listed")


def test_a_respelled_word_that_another_word_reaches_into_is_no_hit() -> None:
    device = lexicons.Entry(id="a", concept="product.ecig", term="电子烟", weight_hint="strong")
    bacteria = lexicons.Entry(id="b", concept="ordinary.goods", term="厌氧菌", weight_hint="weak")
    assert found(Lexicon([device]), "电子厌氧菌") == ["电子烟"]
    assert found(Lexicon([device, bacteria]), "电子厌氧菌") == ["厌氧菌"]


def test_a_word_of_two_characters_is_heard_only_if_its_entry_says_so_and_faintly(tmp_path: Path) -> None:
    assert found(lexicons.load(write(tmp_path, entry("a", "烟弹"))), "烟旦 yan dan 弹烟 yd") == []
    heard = lexicons.load(write(tmp_path, entry("a", "烟弹", "sounds: true")))
    hits = heard.find(normalize("烟旦 yan dan 弹烟 yd"))
    assert [(hit.via, hit.faint) for hit in hits] == [
        ("sound", True),
        ("pinyin", True),
        ("reordered", True),
        ("initials", True),
    ]
    assert found(heard, "言单") == []


def test_an_entry_can_forbid_respellings_and_an_example_can_show_it(tmp_path: Path) -> None:
    write(tmp_path, entry("a", "鼻烟粉", 'no_match: ["鼻炎粉"]'))
    assert lexicon_check.check(tmp_path) == ["a: found in its example '鼻炎粉'"]
    write(tmp_path, entry("a", "鼻烟粉", 'sounds: false, no_match: ["鼻炎粉"]'))
    assert lexicon_check.check(tmp_path) == []


def test_an_empty_directory_is_an_error_with_a_name(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="no entries"):
        lexicons.load(tmp_path)
    assert lexicon_check.check(tmp_path) == [
        f"{tmp_path}:1:1: (lexicon): no entries: there is no lexicon file here"
    ]


def test_a_file_without_entries_is_an_error(tmp_path: Path) -> None:
    (tmp_path / "some.yml").write_text("entries: []\n")
    with pytest.raises(ConfigError, match=r"some\.yml:1:10: entries: .* at least 1 item"):
        lexicons.load(tmp_path)


def test_the_faults_of_all_files_come_at_once(tmp_path: Path) -> None:
    (tmp_path / "a.yml").write_text("entrys: []\n")
    (tmp_path / "b.yml").write_text("entries: [\n")
    assert len(lexicon_check.check(tmp_path)) == 3


def test_an_example_that_fails_is_a_problem(tmp_path: Path) -> None:
    write(tmp_path, entry("a", "烟弹", 'match: ["子弹"], no_match: ["卖烟弹"]'))
    assert lexicon_check.check(tmp_path) == [
        "a: not found in its example '子弹'",
        "a: found in its example '卖烟弹'",
    ]


def test_doubles_and_unknown_concepts_are_problems(tmp_path: Path) -> None:
    write(tmp_path, entry("a", "烟弹"), entry("a", "煙彈", concept="product.none"), entry("b", "\u200b"))
    assert lexicon_check.check(tmp_path) == [
        "a: this id is used twice",
        "b: '\\u200b' is nothing once hidden characters are removed",
        "a: concept product.none is not in concepts.yml",
    ]


def test_the_version_follows_the_content(tmp_path: Path) -> None:
    first = lexicons.load(write(tmp_path, entry("a", "烟弹"))).version
    assert lexicons.load(tmp_path).version == first
    assert lexicons.load(write(tmp_path, entry("a", "烟油"))).version != first


HOSTILE = ("电子烟", "点紫咽", "烟子电", "dian zi yan ", "dianziyan ", "电zi烟", "电子研究", "dz烟 ")


@pytest.mark.parametrize("repeated", HOSTILE)
def test_text_of_any_length_takes_no_more_than_linear_time(lexicon: Lexicon, repeated: str) -> None:
    text = normalize(repeated * (400_000 // len(repeated)))
    start = time.process_time()
    lexicon.find(text)
    assert time.process_time() - start < 4  # a tenth of that on a quiet machine


def test_every_occurrence_of_a_given_word_is_found(lexicon: Lexicon) -> None:
    assert len(lexicon.find(normalize("电子烟" * 20_000))) == 20_000
