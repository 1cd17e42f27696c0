"""May a platform be crawled now, and how much? From its profile and what earlier runs met. Pure.

What stands here is a floor: a profile may ask for fewer requests, a narrower window and longer silences, and
has no way to ask for the contrary. Only this very machine is exempt from the silences.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, time, timedelta
from zoneinfo import ZoneInfo

from crawlers.platforms import Platform
from crawlers.politeness import budget_of, is_ours

ZONE = ZoneInfo("Asia/Shanghai")  # of days and windows
SILENCE_AFTER_REFUSAL = timedelta(hours=1)  # after a 403 or 429, however the run ended
SILENCE_AFTER_BLOCK = timedelta(
    hours=6
)  # after a run that ended blocked; doubled for each such run before it
LONGEST_SILENCE = timedelta(days=7)  # of our own accord; by then a person has looked
LONGEST_RETRY_AFTER = timedelta(days=30)  # a host that asks for years is a person's business


@dataclass(frozen=True)
class PastRun:
    """An earlier run of the platform, or one still going (``ended_at`` None; ``requests`` what it may make).

    ``refusals``: answers 403 and 429. ``silent_until``: what Retry-After asked for.
    """

    started_at: datetime
    ended_at: datetime | None
    requests: int
    refusals: int = 0
    blocked: bool = False
    silent_until: datetime | None = None


@dataclass(frozen=True)
class Permission:
    """``refusal`` None: go, for at most so many ``requests`` and not beyond ``until``.

    Else it is a code (``busy``, ``cool_off``, ``outside_window``, ``budget_spent``), and ``until`` is when to
    ask again, where that is known.
    """

    requests: int
    until: datetime | None = None
    refusal: str | None = None


def permission(
    platform: Platform, past: Sequence[PastRun], now: datetime, *, set_aside: int = 0
) -> Permission:
    """Whether a run may start ``now``. ``set_aside``: requests of the day that are kept for another arm."""
    if any(run.ended_at is None for run in past):  # two at a time would halve the delay between requests
        return Permission(0, None, "busy")
    silent = silent_until(platform, past)
    if silent is not None and silent > now:
        return Permission(0, silent, "cool_off")
    opens, closes = _window(platform, now)
    if opens > now:
        return Permission(0, opens, "outside_window")
    today = day_start(now)
    spent = sum(run.requests for run in past if run.started_at >= today)
    left = budget_of(platform) - set_aside - spent
    if left <= 0:
        return Permission(0, today + timedelta(days=1), "budget_spent")
    return Permission(left, closes)


def silent_until(platform: Platform, past: Iterable[PastRun]) -> datetime | None:
    """When the silence ends that earlier runs call for; None without any."""
    ended = sorted((run for run in past if run.ended_at is not None), key=lambda run: run.started_at)
    ends = [end for place, run in enumerate(ended) for end in _silences(platform, run, ended[:place])]
    return max(ends, default=None)


def hours_of(platform: Platform) -> list[int]:
    """The hours of the day (0 to 23, in Shanghai) in which a run may start on the hour or later in it."""
    day = datetime(2026, 1, 1, tzinfo=ZONE)  # any: windows are the same every day
    starts = ((hour, day + timedelta(hours=hour, minutes=59)) for hour in range(24))
    return [hour for hour, moment in starts if _window(platform, moment)[0] <= moment]


def day_start(now: datetime) -> datetime:
    return datetime.combine(now.astimezone(ZONE).date(), time(), ZONE)


def _silences(platform: Platform, run: PastRun, before: Sequence[PastRun]) -> list[datetime]:
    if run.ended_at is None or is_ours(platform):
        return []
    ends = []
    if run.silent_until is not None:
        ends.append(min(run.silent_until, run.ended_at + LONGEST_RETRY_AFTER))
    if run.refusals:
        ends.append(run.ended_at + SILENCE_AFTER_REFUSAL)
    if run.blocked:
        wish = timedelta(hours=platform.politeness.cool_off_hours)
        ends.append(run.ended_at + max(wish, _after_block(_blocked_in_a_row(before))))
    return ends


def _after_block(blocked_before: int) -> timedelta:
    return min(LONGEST_SILENCE, SILENCE_AFTER_BLOCK * (1 << min(blocked_before, 10)))


def _blocked_in_a_row(before: Sequence[PastRun]) -> int:
    return next((number for number, run in enumerate(reversed(before)) if not run.blocked), len(before))


def _window(platform: Platform, now: datetime) -> tuple[datetime, datetime | None]:
    """When the window that is open or comes next opens and closes; the first is not after ``now`` if open."""
    if platform.politeness.window is None:
        return now, None
    first, last = (time.fromisoformat(part) for part in platform.politeness.window.split("-"))
    today = now.astimezone(ZONE).date()
    for day in (today - timedelta(days=1), today, today + timedelta(days=1)):
        opens = datetime.combine(day, first, ZONE)
        closes = datetime.combine(day + timedelta(days=last <= first), last, ZONE)
        if closes > now:
            return opens, closes
    raise AssertionError("tomorrow's window closes after now")
