"""Deadlines in Chinese working days: weekends, and the State Council's holidays and make-up days as data."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, date, datetime, time, timedelta
from functools import lru_cache
from pathlib import Path
from typing import Annotated, Self
from zoneinfo import ZoneInfo

from pydantic import BaseModel, ConfigDict, Field, model_validator

from classifiers import yamlfile

SHANGHAI = ZoneInfo("Asia/Shanghai")
SATURDAY = 5
LONGEST = timedelta(days=31)  # of one holiday; the Spring Festival has had nine days


class Model(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class Holiday(Model):
    """``first`` to ``last`` are free, both included; the ``make_up`` days, on weekends, are worked."""

    name: Annotated[str, Field(min_length=1)]
    first: date
    last: date
    make_up: tuple[date, ...] = ()

    @model_validator(mode="after")
    def _is_in_order(self) -> Self:
        if not timedelta(0) <= self.last - self.first < LONGEST:
            raise ValueError(f"{self.name}: {self.first} to {self.last} is no holiday")
        if weekdays := [str(day) for day in self.make_up if day.weekday() < SATURDAY]:
            raise ValueError(f"{self.name}: {', '.join(weekdays)} is worked anyway")
        return self


class Year(Model):
    source: Annotated[str, Field(min_length=1)]
    holidays: Annotated[tuple[Holiday, ...], Field(min_length=1)]


class Calendar(Model):
    """``years`` holds the announced ones; in every other year only weekends are known to be free."""

    years: Mapping[int, Year]

    def is_announced(self, day: date) -> bool:
        return day.year in self.years

    def is_working_day(self, day: date) -> bool:
        # A year's announcement may reach into the last days of the year before.
        holidays = [holiday for year in self.years.values() for holiday in year.holidays]
        if any(day in holiday.make_up for holiday in holidays):
            return True
        return day.weekday() < SATURDAY and not any(h.first <= day <= h.last for h in holidays)

    def after(self, day: date, working_days: int) -> date:
        """The ``working_days``-th working day after ``day``, which itself does not count."""
        while working_days > 0:
            day += timedelta(days=1)
            working_days -= self.is_working_day(day)
        return day


def load(path: Path) -> Calendar:
    """Read ``holidays.yml``, once per change of the file; raises classifiers.yamlfile.ConfigError."""
    try:
        changed = path.stat().st_mtime_ns
    except OSError:
        changed = 0  # the reading below names the fault
    return _load(path, changed)


@lru_cache(maxsize=4)
def _load(path: Path, changed: int) -> Calendar:  # noqa: ARG001  (part of the cache's key)
    return yamlfile.load(path, Calendar)


def office_open(moment: datetime, opens: time, closes: time, calendar: Calendar) -> datetime:
    """``moment`` if it lies in the office hours of a working day, else when they next begin; in UTC."""
    local = moment.astimezone(SHANGHAI)
    day = local.date()
    if not calendar.is_working_day(day) or local.time() >= closes:
        day = calendar.after(day, 1)
    begins = datetime.combine(day, opens, SHANGHAI)
    return max(local, begins).astimezone(UTC)


def due(sent_at: datetime, working_days: int, calendar: Calendar) -> datetime:
    """The end, in Shanghai, of the ``working_days``-th working day after the day of ``sent_at``; in UTC."""
    last = calendar.after(sent_at.astimezone(SHANGHAI).date(), working_days)
    return datetime.combine(last + timedelta(days=1), time(), SHANGHAI).astimezone(UTC)
