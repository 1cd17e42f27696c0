from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from takedowns.reports.period import Period, PeriodError

MONTHS = st.builds(Period, st.integers(2001 * 12, 2098 * 12), st.just(1))
QUARTERS = st.builds(Period, st.integers(2001 * 4, 2098 * 4).map(lambda n: n * 3), st.just(3))
YEARS = st.builds(Period, st.integers(2001, 2098).map(lambda n: n * 12), st.just(12))
PERIODS = st.one_of(MONTHS, QUARTERS, YEARS)


def test_a_month_begins_at_midnight_in_china() -> None:
    october = Period.parse("2026-10")
    assert october.start == datetime(2026, 9, 30, 16, tzinfo=UTC)
    assert october.end == datetime(2026, 10, 31, 16, tzinfo=UTC)


def test_the_first_moment_is_inside_and_the_end_is_not() -> None:
    october = Period.parse("2026-10")
    assert october.start in october
    assert october.end not in october
    assert None not in october


def test_neighbours_of_a_month_over_new_year() -> None:
    january = Period.parse("2026-01")
    assert str(january.previous) == "2025-12"
    assert str(january.year_before) == "2025-01"


def test_periods_have_names_in_both_languages() -> None:
    names = {text: (Period.parse(text).zh, Period.parse(text).en) for text in ("2026-10", "2026-Q3", "2026")}
    assert names == {
        "2026-10": ("2026年10月", "October 2026"),
        "2026-Q3": ("2026年第3季度", "quarter 3 of 2026"),
        "2026": ("2026年", "2026"),
    }


@given(PERIODS)
def test_a_period_is_read_back_from_its_name(period: Period) -> None:
    assert Period.parse(str(period)) == period


@given(PERIODS)
def test_a_period_begins_when_the_previous_one_ends(period: Period) -> None:
    assert period.previous.end == period.start
    assert period.year_before.start < period.start


@given(MONTHS, st.timedeltas(timedelta(0), timedelta(days=27)))
def test_a_moment_lies_in_the_month_that_contains_it(month: Period, after: timedelta) -> None:
    assert Period.containing(month.start + after) == month


@pytest.mark.parametrize(
    "text",
    ["", "2026-13", "2026-00", "2026-1", "26-10", "2026-Q5", "1026-10", "2026-10 ", "２０２６-10", "next"],
)
def test_anything_else_is_refused_in_one_sentence(text: str) -> None:
    with pytest.raises(PeriodError, match="is no period: write a month"):
        Period.parse(text)
