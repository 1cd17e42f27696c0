"""Words of the shipped lexicon, respelled by an evader who knows nothing of how they are looked for."""

from __future__ import annotations

import random
import re
from collections import defaultdict
from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pypinyin import lazy_pinyin

from classifiers import respelling
from classifiers.lexicon import Hit, Lexicon
from classifiers.normalize import normalize

# The 3,755 common characters: level 1 of GB 2312.
COMMON = [
    bytes([row, cell]).decode("gb2312", "ignore") for row in range(0xB0, 0xD8) for cell in range(0xA1, 0xFF)
]
ALIKE: dict[str, list[str]] = defaultdict(list)
for char in filter(None, COMMON):
    ALIKE[lazy_pinyin(char)[0]].append(char)


def hits(lexicon: Lexicon, text: str) -> list[Hit]:
    return lexicon.find(normalize(text))


def firm(lexicon: Lexicon, text: str) -> list[tuple[str, str, str]]:
    """Word, way and place of what is respelled and needs no second reason."""
    norm = normalize(text)
    return [
        (hit.word, hit.via, norm.text[hit.start : hit.end])
        for hit in lexicon.find(norm)
        if hit.via not in {"plain", "listed"} and not hit.faint
    ]


def chinese(word: str) -> list[int]:
    return [i for i, char in enumerate(word) if re.match("[一-鿿]", char)]


def same_sound(word: str, chance: random.Random) -> str:
    i = chance.choice(chinese(word))
    other = [char for char in ALIKE[lazy_pinyin(word[i])[0]] if char != word[i]]
    return word[:i] + chance.choice(other or [word[i]]) + word[i + 1 :]


def one_in_pinyin(word: str, chance: random.Random) -> str:
    i = chance.choice(chinese(word))
    return word[:i] + lazy_pinyin(word[i])[0] + word[i + 1 :]


def two_swapped(word: str, chance: random.Random) -> str:
    i = chance.randrange(len(word) - 1)
    return word[:i] + word[i + 1] + word[i] + word[i + 2 :]


TRICKS: dict[str, Callable[[str, random.Random], str]] = {
    "one character by another of the same sound": same_sound,
    "two characters": lambda word, chance: same_sound(same_sound(word, chance), chance),
    "one character in pinyin": one_in_pinyin,
    "joined pinyin": lambda word, _: "".join(lazy_pinyin(word)),
    "Pinyin In Capitals": lambda word, _: "".join(map(str.title, lazy_pinyin(word))),
    "spaced pinyin": lambda word, _: " ".join(lazy_pinyin(word)),
    "backwards": lambda word, _: word[::-1],
    "two neighbours swapped": two_swapped,
}


@pytest.mark.parametrize("trick", TRICKS)
def test_strong_words_are_found_again_whatever_an_evader_does_to_them(lexicon: Lexicon, trick: str) -> None:
    chance = random.Random(20_26)
    themes = ("product.", "brand.", "cover.", "device.kit", "use.")
    words = [
        (normalize(text).text, entry.concept)
        for entry in lexicon.entries
        for text in (entry.term, *entry.variants)
        if entry.weight_hint == "strong" and entry.concept.startswith(themes) and len(chinese(text)) >= 3
        if entry.sounds is not False
    ]
    tried = [(word, TRICKS[trick](word, chance), concept) for word, concept in words]
    missed = [
        written
        for word, written, concept in tried
        if not any(
            hit.entry.concept == concept and not hit.faint for hit in hits(lexicon, f"新款 {written} 包邮")
        )
    ]
    assert len(words) > 200
    assert len(missed) <= 0.03 * len(tried), missed


@pytest.mark.parametrize(
    ("written", "word", "via"),
    [
        ("新款电子堰", "电子烟", "sound"),
        ("惦子厌 正品", "电子烟", "sound"),
        ("五化棒", "雾化棒", "sound"),
        ("尼古钉", "尼古丁", "sound"),
        ("Wu Hua Dan 三颗", "雾化弹", "pinyin"),
        ("wù huà dàn", "雾化弹", "pinyin"),
        ("xinkuanwuhuadan", "雾化弹", "pinyin"),
        ("电zi咽", "电子烟", "pinyin"),
        ("wu hua 棒", "雾化棒", "pinyin"),
        ("烟子电", "电子烟", "reordered"),
        ("子电烟", "电子烟", "reordered"),
        ("化雾棒", "雾化棒", "reordered"),
    ],
)
def test_a_respelled_word_is_read_as_what_it_stands_for(
    lexicon: Lexicon, written: str, word: str, via: str
) -> None:
    assert [(found, how) for found, how, _ in firm(lexicon, written)] == [(word, via)]


def test_the_place_of_a_respelled_word_is_exact(lexicon: Lexicon) -> None:
    for text in ("新款 Wu​ Hua 帮 现货", "冰 wu-hua棒!", "可用wu hua bang呢", "买 雾hua 棒 吧"):
        norm = normalize(text)
        (hit,) = [hit for hit in lexicon.find(norm) if hit.word == "雾化棒"]
        start, end = norm.original_span(hit.start, hit.end)
        assert text[start:end].strip() == text[start:end]
        assert text[start].lower() in "w雾"
        assert text[end - 1] in "帮棒g"


@pytest.mark.parametrize(
    "ordinary",
    [
        "研究 鸡蛋 点子 严重 雾化玻璃",
        "电子研究所 电子眼 电子邮件 电子验钞机 电子盐水浓度计",
        "电子版说明书 杯子颜色 一个好点子 严格筛选",
        "物化生网课 无花果干 五花肉",
        "口味也很好 口味野山椒",
        "七星岩门票",
        "可以洗的拖鞋 洗一下就好",
        "滋养精华滋润",
        "棒雾化 油雾化 奶茶杯 半杯奶茶",
        "plug and play, why not, skin care, suns out",
    ],
)
def test_ordinary_text_is_not_set_on_fire(lexicon: Lexicon, ordinary: str) -> None:
    assert firm(lexicon, ordinary) == []


def test_initials_are_a_faint_sign_and_stand_alone(lexicon: Lexicon) -> None:
    (hit,) = [hit for hit in hits(lexicon, "新款 whb 包邮") if hit.via == "initials"]
    assert (hit.word, hit.faint) == ("雾化棒", True)
    for model_number in ("WHB-200", "X-whb", "whb20", "awhb", "whbs20"):
        assert [hit for hit in hits(lexicon, model_number) if hit.via == "initials"] == []


def test_every_word_of_a_text_that_is_turned_round_is_read(lexicon: Lexicon) -> None:
    title = "西瓜味 雾化棒 懂的来"
    forwards = {hit.word for hit in hits(lexicon, title)}
    backwards = hits(lexicon, title[::-1])
    assert {hit.word for hit in backwards} == forwards
    assert {hit.via for hit in backwards} == {"reordered"}
    assert hits(lexicon, "味瓜西冰") != hits(lexicon, "冰西瓜味")


def test_a_latin_word_is_read_backwards(lexicon: Lexicon) -> None:
    assert firm(lexicon, "epav 现货") == [("vape", "reordered", "epav")]


def test_an_end_is_moved_only_where_that_tears_a_word() -> None:
    assert "化棒雾" in set(respelling.reorderings("雾化棒", {"雾化"}))
    assert "棒雾化" not in set(respelling.reorderings("雾化棒", {"雾化"}))
    assert "杯奶茶" not in set(respelling.reorderings("奶茶杯", set()))


def test_an_everyday_word_explains_only_what_it_covers_or_reaches_out_of() -> None:
    assert respelling.is_everyday("电子研究", 0, 3, [2])
    assert respelling.is_everyday("电子眼", 0, 3, [2])
    assert not respelling.is_everyday("点子烟", 0, 3, [0])
    assert not respelling.is_everyday("电子厌", 0, 3, [2])


@given(
    st.lists(st.sampled_from(["电", "子", "烟", "咽", "dian", "zi", "yan", " ", "-", "x", "雾", "hua", "棒"]))
)
def test_a_sounding_lies_within_the_text_and_begins_and_ends_with_its_word(parts: list[str]) -> None:
    text = "".join(parts)
    for found in respelling.Ear(["电子烟", "雾化棒"]).find(text):
        written = text[found.start : found.end]
        assert written == written.strip(" -")
        assert all(found.start <= place < found.end for place in found.changed)
        assert re.fullmatch("(电|dian).*(烟|咽|yan)|(雾|wu).*(棒|bang)", written)


@given(st.text())
def test_no_text_makes_the_search_fail(lexicon: Lexicon, text: str) -> None:
    norm = normalize(text)
    for hit in lexicon.find(norm):
        assert 0 <= hit.start < hit.end <= len(norm.text)
