from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from classifiers import syllables


def spelled(run: str) -> list[str]:
    return [run[start:end] for _, start, end in syllables.read(run)]


@pytest.mark.parametrize(
    ("one", "other"), [("烟", "咽"), ("子", "紫"), ("子", "纸"), ("尼", "里"), ("丁", "盯"), ("湖", "福")]
)
def test_what_sounds_alike_has_one_symbol(one: str, other: str) -> None:
    assert syllables.symbols(one) == syllables.symbols(other)


@pytest.mark.parametrize(("one", "other"), [("烟", "羊"), ("棒", "版"), ("弹", "蹚"), ("电", "天")])
def test_what_sounds_otherwise_has_not(one: str, other: str) -> None:
    assert syllables.symbols(one) != syllables.symbols(other)


def test_a_typed_syllable_has_the_symbol_of_its_characters() -> None:
    assert "".join(symbol for symbol, _, _ in syllables.read("dianziyan")) == syllables.symbols("电子烟")
    assert syllables.read("lv")[0][0] == syllables.symbols("绿")


def test_joined_pinyin_is_read_in_the_one_way_that_spelling_rules_allow() -> None:
    assert spelled("yangan") == ["yan", "gan"]
    assert spelled("xian") == ["xian"]
    assert spelled("nengliangbang") == ["neng", "liang", "bang"]
    assert spelled("zhuoeryue") == ["zhuo", "er", "yue"]


def test_a_run_that_is_no_pinyin_throughout_is_none_at_all() -> None:
    assert spelled("vape") == spelled("dianziyans") == spelled("mp") == []
    assert spelled("yan" * 20) == []


def test_a_term_is_read_as_a_whole_and_each_character_alone() -> None:
    line = syllables.term_symbols("银行")[1]
    assert line == {syllables.read("hang")[0][0], syllables.read("xing")[0][0]}


def test_readings_are_one_for_each_character_whatever_the_term_holds() -> None:
    assert syllables.readings("维c⭐棒 3") == ["wei", "c", "⭐", "bang", " ", "3"]


@given(st.text())
def test_any_text_has_one_symbol_for_each_character(text: str) -> None:
    assert len(syllables.symbols(text)) == len(text)


@given(st.text("abcdefghijklmnopqrstuvwxyz", max_size=60))
def test_what_is_read_covers_the_run(run: str) -> None:
    assert "".join(spelled(run)) in {run, ""}
