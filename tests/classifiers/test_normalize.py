from __future__ import annotations

import time
import unicodedata

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from classifiers.normalize import EVASION_KINDS, normalize
from classifiers.normalize_tables import COMPONENTS, EMOJI

TRICKY = "火因弓单氵由电子 烟*·.a-bv🚬\u200b\u0301素防①ａ㎎Ωǆ\u202e\ud800\n"
HOSTILE = st.text(st.one_of(st.characters(exclude_categories=()), st.sampled_from(TRICKY)))


@pytest.mark.parametrize(
    ("written", "canonical", "kind"),
    [
        ("电*子*烟", "电子烟", "symbols_inserted"),
        ("电 子 烟", "电子烟", "symbols_inserted"),
        ("悦·刻", "悦刻", "symbols_inserted"),
        ("植物#饮料", "植物饮料", "symbols_inserted"),
        ("p-o-d", "pod", "symbols_inserted"),
        ("电子火因", "电子烟", "split_char"),
        ("火 因 弓 单", "烟弹", "split_char"),
        ("电\u200b子\u200c烟", "电子烟", "zero_width"),
        ("电\u202e子烟", "电子烟", "bidi"),
        ("电\x07子烟", "电子烟", "control"),
        ("电\u0336子\u0336烟", "电子烟", "combining"),
        ("ｖａｐｅ", "vape", "fullwidth"),
        ("ⓥⓐⓟⓔ", "vape", "homoglyph"),
        ("𝙫𝙖𝙥𝙚", "vape", "homoglyph"),
        ("vаpe", "vape", "homoglyph"),  # Cyrillic а
        ("vαpe", "vape", "homoglyph"),  # Greek α
        ("電子煙菸彈", "电子烟烟弹", "traditional"),
        ("小🚬", "小烟", "emoji_smoke"),
        ("冰🍉", "冰西瓜", "emoji_fruit"),
        ("加🛰", "加卫星", "emoji_contact"),
    ],
)
def test_a_trick_is_undone_and_named(written: str, canonical: str, kind: str) -> None:
    norm = normalize(written)
    assert norm.text == canonical
    assert kind in {evasion.kind for evasion in norm.evasions}


@pytest.mark.parametrize(
    "honest",
    [
        "鱼跃 雾化器 家用",
        "防火因素",
        "起火因为短路",
        "type-c 3-5个月",
        "2.5ml×30",
        "全棉 四件套",
        "0.8ω 3.9μm",
    ],
)
def test_honest_text_stays_as_it_is(honest: str) -> None:
    norm = normalize(honest)
    assert norm.text == honest
    assert norm.evasions == []


@pytest.mark.parametrize(
    "harmless",
    ["\ufeff标题", "标题\u200b", "👨\u200d👩\u200d👧 亲子", "❤️", "Русский чай", "α-硫辛酸", "café"],
)
def test_stray_marks_and_foreign_words_are_no_trick(harmless: str) -> None:
    assert not {e.kind for e in normalize(harmless).evasions} & {"zero_width", "homoglyph", "combining"}


def test_the_span_of_a_word_is_what_the_seller_wrote() -> None:
    written = "新款 電\u200b*子 火因 送礼"
    norm = normalize(written)
    at = norm.text.index("电子烟")
    start, end = norm.original_span(at, at + 3)
    assert written[start:end] == "電\u200b*子 火因"


@given(HOSTILE)
@example("电 火因")
@example("子 火*因B")
def test_normalising_twice_changes_nothing_more(written: str) -> None:
    once = normalize(written).text
    assert normalize(once).text == once


@given(HOSTILE)
def test_every_character_has_its_origin(written: str) -> None:
    norm = normalize(written)
    assert len(norm.text) == len(norm.starts) == len(norm.ends)
    assert all(0 <= start < end <= len(written) for start, end in zip(norm.starts, norm.ends, strict=True))
    assert norm.starts == sorted(norm.starts)
    assert norm.ends == sorted(norm.ends)


@given(HOSTILE)
def test_every_trick_lies_in_the_text(written: str) -> None:
    for evasion in normalize(written).evasions:
        assert evasion.kind in EVASION_KINDS
        assert 0 <= evasion.start < evasion.end <= len(written)


@given(st.text(st.characters(min_codepoint=0x20, max_codepoint=0xFFFF, exclude_categories=("Cs",))))
def test_nothing_invisible_is_left(written: str) -> None:
    assert not {unicodedata.category(char) for char in normalize(written).text} & {"Cf", "Mn", "Me", "Cs"}


@pytest.mark.parametrize("unit", ["电*", "火因", " ", "a-", "\u0301", "\u200b", "电 ", "*", "ﷺ"])
def test_time_grows_with_the_length_and_no_faster(unit: str) -> None:
    def seconds(length: int) -> float:
        text = unit * (length // len(unit))
        start = time.process_time()  # not the clock on the wall: other work may share this machine
        normalize(text)
        return time.process_time() - start

    short = min(seconds(5_000) for _ in range(3))
    long = min(seconds(50_000) for _ in range(3))
    assert long < 50 * short + 0.05  # ten times the text; a quadratic step would take a hundred times as long


def test_no_left_half_of_a_split_character_is_a_right_half_so_that_one_pass_is_enough() -> None:
    left, right = {pair[0] for pair in COMPONENTS}, {pair[1] for pair in COMPONENTS}
    assert not left & right
    assert not set(COMPONENTS.values()) & (left | right)


def test_words_for_emoji_are_canonical() -> None:
    assert all(normalize(word).text == word for word in EMOJI.values())
