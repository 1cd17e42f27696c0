from __future__ import annotations

import textwrap
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from classifiers.yamlfile import ConfigError
from takedowns import deadlines

SHIPPED = deadlines.load(Path("config/holidays.yml"))
days = st.dates(date(2025, 12, 1), date(2027, 3, 1))


@pytest.mark.parametrize(
    ("day", "working"),
    [
        ("2026-01-01", False),  # 元旦
        ("2026-01-04", True),  # a Sunday worked for it
        ("2026-02-23", False),  # last day of the Spring Festival, a Monday
        ("2026-02-28", True),  # a Saturday worked for it
        ("2026-10-07", False),
        ("2026-10-10", True),  # a Saturday worked for the National Day
        ("2026-10-11", False),  # an ordinary Sunday
        ("2026-10-12", True),
        ("2027-01-01", True),  # a Friday of a year whose holidays are not announced
    ],
)
def test_working_days_of_2026(day, working):
    assert SHIPPED.is_working_day(date.fromisoformat(day)) is working


def test_every_year_names_its_source_and_how_many_days_off_it_has():
    off = [
        first
        for holiday in SHIPPED.years[2026].holidays
        for first in (
            holiday.first + timedelta(days=n) for n in range((holiday.last - holiday.first).days + 1)
        )
    ]
    assert len(off) == len(set(off)) == 3 + 9 + 3 + 5 + 3 + 3 + 7
    assert SHIPPED.years[2026].source


def test_only_announced_years_are_known():
    assert SHIPPED.is_announced(date(2026, 12, 31))
    assert not SHIPPED.is_announced(date(2027, 1, 1))


def test_a_deadline_jumps_over_the_national_day():
    sent = datetime(2026, 9, 30, 2, tzinfo=UTC)
    assert deadlines.due(sent, 3, SHIPPED) == datetime(2026, 10, 10, 16, tzinfo=UTC)  # end of 10 October


def test_the_day_of_sending_is_that_of_shanghai():
    late = datetime(2026, 10, 12, 16, 30, tzinfo=UTC)  # the 13th in Shanghai
    assert deadlines.due(late, 1, SHIPPED) == datetime(2026, 10, 14, 16, tzinfo=UTC)


@given(days, st.integers(1, 15))
def test_the_nth_working_day_is_one_and_n_of_them_lie_behind(day, count):
    end = SHIPPED.after(day, count)
    passed = [day + timedelta(days=n) for n in range(1, (end - day).days + 1)]
    assert SHIPPED.is_working_day(end)
    assert sum(map(SHIPPED.is_working_day, passed)) == count


@pytest.mark.parametrize(
    ("holiday", "complaint"),
    [
        ("{name: 春节, first: 2026-02-23, last: 2026-02-15}", "is no holiday"),
        ("{name: 春节, first: 2026-02-15, last: 2027-02-23}", "is no holiday"),
        ("{name: 元旦, first: 2026-01-01, last: 2026-01-03, make_up: [2026-01-05]}", "worked anyway"),
        ("{name: 元旦, first: 2026-13-01, last: 2026-01-03}", "month"),
    ],
)
def test_a_mistyped_holiday_is_named_with_its_line(tmp_path, holiday, complaint):
    path = tmp_path / "holidays.yml"
    path.write_text(
        textwrap.dedent(
            f"""\
            years:
              2026:
                source: the announcement
                holidays:
                  - {holiday}
            """
        ),
        encoding="utf-8",
    )
    with pytest.raises(ConfigError, match=rf"holidays.yml:\d+:\d+: .*{complaint}"):
        deadlines.load(path)


def test_a_changed_file_is_read_again(tmp_path):
    path = tmp_path / "holidays.yml"
    path.write_bytes(Path("config/holidays.yml").read_bytes())
    assert not deadlines.load(path).is_announced(date(2027, 1, 4))
    path.write_text(path.read_text(encoding="utf-8").replace("  2026:", "  2027:"), encoding="utf-8")
    assert deadlines.load(path).is_announced(date(2027, 1, 4))


def test_a_missing_file_is_named(tmp_path):
    with pytest.raises(ConfigError, match="cannot be read"):
        deadlines.load(tmp_path / "holidays.yml")
