from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from takedowns.ledger.vocabulary import Cleaned, Measure
from takedowns.replies import columns
from takedowns.replies.columns import CellError


@pytest.mark.parametrize(
    ("text", "measures"),
    [
        ("已删除", [Measure.DELETED]),
        ("商品已下架", [Measure.DELETED]),
        ("已经下架了", [Measure.DELETED]),
        ("Removed", [Measure.DELETED]),
        ("屏蔽", [Measure.BLOCKED]),
        ("断开链接", [Measure.LINK_CUT]),
        ("关闭店铺", [Measure.SHOP_CLOSED]),
        ("封禁账号", [Measure.ACCOUNT_CLOSED]),
        ("关闭小程序", [Measure.MINI_PROGRAM_CLOSED]),
        ("未处置", [Measure.NONE]),
        ("不予处置", [Measure.REFUSED]),
        ("有异议", [Measure.DISPUTED]),
        ("下架商品和封号", [Measure.DELETED, Measure.ACCOUNT_CLOSED]),
        (" 下架 ；下架 ", [Measure.DELETED]),
        ("account_closed", [Measure.ACCOUNT_CLOSED]),
    ],
)
def test_the_words_of_platforms(text, measures):
    assert columns.measures(text) == measures


def test_every_measure_reads_its_own_name_and_no_word_has_two_meanings():
    for measure, words in columns.WORDS.items():
        assert columns.measures(measure.value) == [measure]
        for word in words:
            assert columns.measures(word) == [measure]


@given(
    st.sampled_from(["未", "没有", "无法", "拒绝", "尚未", "暂不", "不"]),
    st.sampled_from(columns.WORDS[Measure.DELETED]),
)
def test_a_denied_measure_is_never_read_as_done(denial, word):
    with pytest.raises(ValueError, match="no known measure"):
        columns.measures(denial + word)


@pytest.mark.parametrize(
    "text",
    [
        "2026-10-11 09:30",
        "2026/10/11 9:30:00",
        "2026年10月11日 9时30分",
        "2026年10月11日9:30",
        "2026.10.11 09:30",
        "２０２６-１０-１１ ０９：３０",
        "2026-10-11T09:30:00+08:00",
        "2026-10-11T01:30:00Z",
    ],
)
def test_times_as_platforms_write_them(text):
    assert columns.claimed_time(text) == datetime(2026, 10, 11, 1, 30, tzinfo=UTC)


def test_a_date_alone_is_its_beginning_in_shanghai():
    assert columns.claimed_time("2026年10月11日") == datetime(2026, 10, 10, 16, tzinfo=UTC)
    assert columns.claimed_time(" ") is None


@given(st.text())
def test_any_text_is_a_time_or_a_value_error(text):
    try:
        found = columns.claimed_time(text)
    except ValueError:
        return
    assert found is None or found.tzinfo is not None


@given(st.text())
def test_any_text_is_measures_or_a_value_error(text):
    try:
        found = columns.measures(text)
    except ValueError:
        return
    assert found


@pytest.mark.parametrize(
    ("text", "number"),
    [("12", 12), ("1,014,100", 1_014_100), ("１２ 条", 12), ("3家", 3), ("0", 0), ("12.0", 12)],
)
def test_numbers_as_platforms_write_them(text: str, number: int) -> None:
    assert columns.quantity("information", text) == number


def test_a_time_may_be_as_far_ahead_as_clocks_differ_and_no_further() -> None:
    now = datetime(2026, 10, 12, tzinfo=UTC)
    for ahead, known in ((columns.CLOCK_SKEW, True), (columns.CLOCK_SKEW + timedelta(minutes=1), False)):
        text = (now + ahead).isoformat()
        if known:
            assert columns.time_in(text, now) == now + ahead
        else:
            with pytest.raises(CellError, match="future"):
                columns.time_in(text, now)


@given(st.dictionaries(st.sampled_from([*columns.FIELD_OF, "别的"]), st.text(), max_size=6))
def test_any_cells_are_a_reply_or_an_error_of_one_column(fields: dict[str, str]) -> None:
    cells, wrong = columns.cells_of(fields), ""
    try:
        columns.refuse_formulas(cells)
        reply = columns.read(cells, now=datetime(2026, 10, 12, tzinfo=UTC))
    except CellError as error:
        wrong = error.field
    if wrong:
        assert wrong in columns.COLUMNS
        return
    assert reply.measures or reply.quantities
    assert all(isinstance(kind, Cleaned) and number >= 0 for kind, number in reply.quantities.items())
