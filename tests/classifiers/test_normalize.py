from __future__ import annotations

import time
import unicodedata
from html.entities import html5

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from classifiers.normalize import EVASION_KINDS, Normalized, normalize, normalize_many
from classifiers.normalize_tables import (
    COMPONENTS,
    EMOJI,
    HONEST_NEIGHBOURS,
    LOOKALIKES,
    RADICALS,
    SHAPE_ALIKE,
    SHAPE_WORDS,
    TRADE_WORDS,
    VARIANTS,
)

TRICKY = "火因弓单氵由电子烟申孑畑雾化匕 *·.a-bvp4@0d🚬\u200b\u0301素防①ａ㎎Ωǆ\u202e\ud800\n"
MARKUP = (
    "&amp;",
    "&#30005;",
    "&#x5b50;",
    "&nbsp;",
    "&lt;",
    "&am",
    "p;",
    "<b>",
    "<br/>",
    "<",
    ">",
    "&#",
    ";",
    "&#109;",
)
HOSTILE = st.one_of(
    st.text(st.one_of(st.characters(exclude_categories=()), st.sampled_from(TRICKY))),
    st.lists(st.sampled_from((*TRICKY, *MARKUP, "烟烟", "v4pe", "vaaape", "e-c1g"))).map("".join),
)


@pytest.mark.parametrize(
    ("written", "canonical", "kind"),
    [
        ("电*子*烟", "电子烟", "symbols_inserted"),
        ("电 子 烟", "电子烟", "symbols_inserted"),
        ("电★子★烟", "电子烟", "symbols_inserted"),
        ("电🔥子🔥烟", "电子烟", "symbols_inserted"),
        ("电丨子丶烟", "电子烟", "symbols_inserted"),
        ("电\n子\n烟", "电子烟", "symbols_inserted"),
        ("新款\n电\r\n子\r\n烟\n包邮", "新款\n电子烟\n包邮", "symbols_inserted"),
        ("悦·刻", "悦刻", "symbols_inserted"),
        ("植物#饮料", "植物饮料", "symbols_inserted"),
        ("p-o-d", "pod", "symbols_inserted"),
        ("va.pe", "vape", "symbols_inserted"),
        ("电子火因", "电子烟", "split_char"),
        ("火 因 弓 单", "烟弹", "split_char"),
        ("尸匕古丁", "尼古丁", "split_char"),
        ("饣欠料", "饮料", "split_char"),
        ("⽕因", "烟", "split_char"),  # a Kangxi radical
        ("⺡由", "油", "split_char"),
        ("电\u200b子\u200c烟", "电子烟", "zero_width"),
        ("电\xad子烟", "电子烟", "zero_width"),
        ("电\u3164子烟", "电子烟", "zero_width"),  # a Hangul letter that shows nothing
        ("电\U000e0041子烟", "电子烟", "zero_width"),  # a tag character
        ("电\ufe00子\U000e0100烟", "电子烟", "zero_width"),  # variation selectors
        ("电\ue000子烟", "电子烟", "zero_width"),  # for private use
        ("电\u202e子烟", "电子烟", "bidi"),
        ("电\x07子烟", "电子烟", "control"),
        ("电\u0336子\u0336烟", "电子烟", "combining"),
        ("ｖａｐｅ", "vape", "fullwidth"),
        ("ⓥⓐⓟⓔ", "vape", "homoglyph"),
        ("🅥🅐🅟🅔", "vape", "homoglyph"),
        ("𝙫𝙖𝙥𝙚", "vape", "homoglyph"),
        ("vаpe", "vape", "homoglyph"),  # Cyrillic а
        ("vαpe", "vape", "homoglyph"),  # Greek α
        ("νape", "vape", "homoglyph"),  # Greek ν
        ("VAΡE", "vape", "homoglyph"),  # Greek Ρ
        ("vᴀᴘᴇ", "vape", "homoglyph"),
        ("Ꮩape", "vape", "homoglyph"),  # Cherokee
        ("pօd", "pod", "homoglyph"),  # Armenian
        ("ꓦape", "vape", "homoglyph"),  # Lisu
        ("vᗩᑭE", "vape", "homoglyph"),  # Canadian syllabics
        ("電子煙菸彈", "电子烟烟弹", "traditional"),
        ("烟弾", "烟弹", "traditional"),  # as in Japanese
        ("小🚬", "小烟", "emoji_smoke"),
        ("冰🍉", "冰西瓜", "emoji_fruit"),
        ("加🛰", "加卫星", "emoji_contact"),
        ("v4pe", "vape", "leetspeak"),
        ("v@pe", "vape", "leetspeak"),
        ("p0d", "pod", "leetspeak"),
        ("e-c1g", "ecig", "leetspeak"),
        ("v-4-p-e", "vape", "leetspeak"),
        ("新v4pe!", "新vape!", "leetspeak"),
        ("p0d-kit", "pod-kit", "leetspeak"),
        ("vaaaape", "vape", "repeated"),
        ("烟烟烟弹弹", "烟弹弹", "repeated"),
        ("电子子烟", "电子烟", "repeated"),
        ("电孑烟", "电子烟", "shape_alike"),
        ("申于畑", "电子烟", "shape_alike"),
        ("雾化嚣", "雾化器", "shape_alike"),
        ("畑掸", "烟弹", "shape_alike"),
        ("电&#23376;烟", "电子烟", "html"),
        ("电<b>子</b>烟", "电子烟", "html"),
        ("电&amp;amp;#8203;子烟", "电子烟", "html"),
        ("&a&#109;p;lt;b&gt;电&#x5b50;烟", "电子烟", "html"),
        ("电*&#x706b;因", "电烟", "split_char"),
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
        "下雨务必带伞",
        "type-c 3-5个月",
        "2.5ml×30",
        "全棉 四件套",
        "0.8ω 3.9μm",
        "iphone15 4g a4 mp3 b2b h2o 403m pod5 5mok co2",
        "e-cig e-liquid",
        "宝宝谢谢爸爸妈妈爷爷奶奶奶粉",
        "棒棒棒糖 天天天蓝 哈哈哈 三三三",
        "充电电子烟台灯",
        "孑孓 甩干机 申请用于烟台",
        "a<b & c>d <3 at&t; &foo; r&d",
        "大\n小",
        "猫\nab\n狗",
    ],
)
def test_honest_text_stays_as_it_is(honest: str) -> None:
    norm = normalize(honest)
    assert norm.text == honest
    assert norm.evasions == []


@pytest.mark.parametrize(
    ("written", "canonical"),
    [
        ("鱼跃&nbsp;雾化器&amp;面罩", "鱼跃 雾化器&面罩"),
        ("<p class='a'>一盒</p><br/>两盒", "\n一盒\n\n两盒"),
        ("3️⃣盒 1⃣ ❿ ⓫ ⓿ ➀ ٣", "3盒 1 10 11 0 1 3"),
        ("🆗🆕", "oknew"),
        ("đen ßtück", "den ßtuck"),
        ("芸豆缶", "芸豆缶"),  # ordinary here, short for other characters in Japan
    ],
)
def test_what_it_reads_without_seeing_a_trick(written: str, canonical: str) -> None:
    norm = normalize(written)
    assert norm.text == canonical
    assert not {evasion.kind for evasion in norm.evasions} - {"html"}


@pytest.mark.parametrize(
    "harmless",
    [
        "\ufeff标题", "标题\u200b", "👨\u200d👩\u200d👧 亲子", "❤️", "Русский чай", "α-硫辛酸", "café",
        "thuốc lá điện tử", "ℹ️客服", "1️⃣", "🏴\U000e0067\U000e0062",
    ],
)  # fmt: skip
def test_stray_marks_and_foreign_words_are_no_trick(harmless: str) -> None:
    assert not {e.kind for e in normalize(harmless).evasions} & {"zero_width", "homoglyph", "combining"}


@pytest.mark.parametrize(
    ("written", "word", "part"),
    [
        ("新款 電\u200b*子 火因 送礼", "电子烟", "電\u200b*子 火因"),
        ("新款电&#23376;<b>烟</b>弹", "电子烟", "电&#23376;<b>烟"),
        ("正品V4.P-E套装", "vape", "V4.P-E"),
        ("送烟烟烟弹一盒", "烟弹", "烟烟烟弹"),
    ],
)
def test_the_span_of_a_word_is_what_the_seller_wrote(written: str, word: str, part: str) -> None:
    norm = normalize(written)
    at = norm.text.index(word)
    start, end = norm.original_span(at, at + len(word))
    assert written[start:end] == part


@given(HOSTILE)
@example("电 火因")
@example("子 火*因B")
@example("烟烟*烟烟 弹")
@example("申*申子烟")
@example("&n-b-s-p;")
@example("e c!g")
@example("&amp;" * 20 + "lt;b>")
def test_normalising_twice_changes_nothing_more(written: str) -> None:
    once = normalize(written).text
    twice = normalize(once)
    assert twice.text == once


@given(HOSTILE)
def test_every_character_has_its_origin(written: str) -> None:
    norm = normalize(written)
    assert len(norm.text) == len(norm.starts) == len(norm.ends)
    assert all(0 <= start < end <= len(written) for start, end in zip(norm.starts, norm.ends, strict=True))
    assert list(norm.starts) == sorted(norm.starts)
    assert list(norm.ends) == sorted(norm.ends)


@given(HOSTILE)
def test_every_trick_lies_in_the_text(written: str) -> None:
    for evasion in normalize(written).evasions:
        assert evasion.kind in EVASION_KINDS
        assert 0 <= evasion.start < evasion.end <= len(written)


@given(st.text(st.characters(min_codepoint=0x20, max_codepoint=0xFFFF, exclude_categories=("Cs",))))
def test_nothing_invisible_is_left(written: str) -> None:
    assert not {unicodedata.category(char) for char in normalize(written).text} & {"Cf", "Mn", "Me", "Cs"}


UNITS = [
    "电*", "火因", " ", "a-", "\u0301", "\u200b", "电 ", "*", "ﷺ", "&amp;", "&", "<b>", "<a =", "<!--", "烟",
    "烟烟烟/", "v4pe ", "v4", "a1", "1", "电\n", "電", "申", "雾化化", "&a&#109;p;", "烟/烟烟烟/", "vaaape ",
    "十",
]  # fmt: skip


@pytest.mark.parametrize("unit", UNITS)
def test_time_grows_with_the_length_and_no_faster(unit: str) -> None:
    def seconds(length: int) -> float:
        text = unit * (length // len(unit))
        start = time.process_time()  # not the clock on the wall: other work may share this machine
        normalize(text)
        return time.process_time() - start

    short = min(seconds(5_000) for _ in range(3))
    long = min(seconds(50_000) for _ in range(3))
    assert long < 50 * short + 0.05  # ten times the text; a quadratic step would take a hundred times as long


@pytest.mark.parametrize(
    ("written", "shown"),
    [
        ("<b =一次性电子烟>", "一次性电子烟"),
        ("<b =&#30005;&#23376;&#28895;>", "电子烟"),
        ("<!--悦刻通配烟弹-->", "悦刻通配烟弹"),
        ("<a x=disposable vape 5000 puffs>", "disposable vape 5000 puffs"),
        ("<!-- disposable vape -->", "disposable vape"),
        ('<img src="a.jpg" alt="雾化弹">', "雾化弹"),
    ],
)
def test_words_for_people_inside_a_tag_are_read(written: str, shown: str) -> None:
    assert shown in normalize(written).text


def test_a_tag_for_machines_is_dropped_whatever_its_attributes() -> None:
    tags = '<p style="text-align: center; font-size: 12px"><img src="a.jpg?x=1&amp;y=2" width=100 alt="" />'
    assert normalize(f"{tags}<font color=red size=3>电<!-- ad -->子烟").text == "\n电子烟"


def test_no_left_half_of_a_split_character_is_a_right_half() -> None:
    left, right = {pair[0] for pair in COMPONENTS}, {pair[1] for pair in COMPONENTS}
    guards = {char for sides in HONEST_NEIGHBOURS.values() for side in sides for char in side}
    assert not left & right
    assert not set(COMPONENTS.values()) & (left | right | guards)


def test_what_the_tables_lead_to_is_canonical() -> None:
    words = [*EMOJI.values(), *COMPONENTS.values(), *SHAPE_WORDS, *TRADE_WORDS, *SHAPE_ALIKE]
    assert [word for word in words if normalize(word).text != word] == []
    pairs = [(chr(old), chr(new)) for table in (RADICALS, VARIANTS) for old, new in table.items()]
    assert [(old, new) for old, new in pairs if not normalize(old).text == normalize(new).text == new] == []


def test_every_lookalike_letter_is_read_as_its_latin_one() -> None:
    read = {letter: {normalize(char).text for char in alike} for letter, alike in LOOKALIKES.items()}
    assert read == {letter: {letter} for letter in LOOKALIKES}


def test_a_look_alike_character_is_no_canonical_one_of_the_words_it_hides() -> None:
    assert not {char for alike in SHAPE_ALIKE.values() for char in alike} & set("".join(SHAPE_WORDS))


def test_no_word_of_the_trade_is_the_name_of_a_character() -> None:
    assert not {f"{word};" for word in TRADE_WORDS} & {name.lower() for name in html5}


@given(st.lists(HOSTILE, max_size=5))
def test_texts_normalized_together_come_out_as_each_alone(texts: list[str]) -> None:
    together = normalize_many(texts)
    assert [as_lists(norm) for norm in together] == [as_lists(normalize(text)) for text in texts]


def as_lists(norm: Normalized) -> tuple[object, ...]:
    return norm.text, list(norm.starts), list(norm.ends), norm.evasions
