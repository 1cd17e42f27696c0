"""Reporting periods: a month, quarter or year of the Chinese calendar day, held as two moments in UTC."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import UTC, date, datetime, time
from functools import cache
from typing import Self
from zoneinfo import ZoneInfo

from babel.dates import get_month_names

# Times are stored in UTC and shown, and months are cut, in the zone of the bureaus.
ZONE = ZoneInfo("Asia/Shanghai")
_LABEL = re.compile(r"(?P<year>20[0-9]{2})(-(?P<month>0[1-9]|1[0-2])|-Q(?P<quarter>[1-4]))?")


class PeriodError(ValueError):
    """The text names no reporting period."""

    code = "bad_period"


@dataclass(frozen=True, slots=True, order=True)
class Period:
    """``first_month`` counts months since year 0; ``months`` is 1, 3 or 12.

    >>> Period.parse("2026-10").start
    datetime.datetime(2026, 9, 30, 16, 0, tzinfo=datetime.timezone.utc)
    """

    first_month: int
    months: int

    @classmethod
    def parse(cls, text: str) -> Self:
        """Read ``2026-10``, ``2026-Q3`` or ``2026``; raises :class:`PeriodError` for anything else."""
        found = _LABEL.fullmatch(text)
        if not found:
            raise PeriodError(
                f"{text!r} is no period: write a month 2026-10, a quarter 2026-Q3 or a year 2026"
            )
        year = int(found["year"]) * 12
        if found["month"]:
            return cls(year + int(found["month"]) - 1, 1)
        if found["quarter"]:
            return cls(year + (int(found["quarter"]) - 1) * 3, 3)
        return cls(year, 12)

    @classmethod
    def containing(cls, moment: datetime) -> Self:
        """The month that ``moment`` (aware) falls in."""
        local = moment.astimezone(ZONE)
        return cls(local.year * 12 + local.month - 1, 1)

    @property
    def start(self) -> datetime:
        return _midnight(self.first_month)

    @property
    def end(self) -> datetime:
        """The first moment after the period."""
        return _midnight(self.first_month + self.months)

    @property
    def previous(self) -> Self:
        return type(self)(self.first_month - self.months, self.months)

    @property
    def year_before(self) -> Self:
        return type(self)(self.first_month - 12, self.months)

    def __contains__(self, moment: datetime | None) -> bool:
        """Whether an aware ``moment`` falls in the period; one that never came does not."""
        return moment is not None and self.start <= moment < self.end

    def __str__(self) -> str:
        year, month = divmod(self.first_month, 12)
        return {1: f"{year}-{month + 1:02}", 3: f"{year}-Q{month // 3 + 1}", 12: f"{year}"}[self.months]

    @property
    def zh(self) -> str:
        year, month = divmod(self.first_month, 12)
        quarter = f"{year}年第{month // 3 + 1}季度"
        return {1: f"{year}年{month + 1}月", 3: quarter, 12: f"{year}年"}[self.months]

    @property
    def en(self) -> str:
        year, month = divmod(self.first_month, 12)
        quarter = f"quarter {month // 3 + 1} of {year}"
        name = get_month_names(locale="en")[month + 1]
        return {1: f"{name} {year}", 3: quarter, 12: f"{year}"}[self.months]


@cache  # asked for every lead
def _midnight(month: int) -> datetime:
    first = date(month // 12, month % 12 + 1, 1)
    return datetime.combine(first, time(), ZONE).astimezone(UTC)
