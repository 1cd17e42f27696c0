from __future__ import annotations

from classifiers.literals import DIGIT, Prefilter


def test_a_literal_is_found_whatever_the_figure_and_the_blanks() -> None:
    pieces = Prefilter({"pieces": f"[{DIGIT}两][颗粒]装"})
    assert pieces.possible(["盒装", "7颗装", "三 粒 装", "颗装"]) == [set(), {"pieces"}, {"pieces"}, set()]


def test_nothing_is_found_in_the_text_before_the_one_where_it_begins() -> None:
    assert Prefilter({"a": "电子", "b": "子烟"}).possible(["电", "", "子烟"])[2] == {"b"}


def test_one_literal_may_belong_to_several_and_half_pairs_are_no_trouble() -> None:
    assert Prefilter({"a": "烟 弹", "b": "烟"}).possible(["\ud800烟\U0001f6ac"]) == [{"a", "b"}]


def test_nought_is_not_any_figure() -> None:
    assert Prefilter({"thousands": "000"}).possible(["111", "8000"]) == [set(), {"thousands"}]
