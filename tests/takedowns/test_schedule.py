"""Planned jobs fire once a slot, whoever else is planning, and tell what became of them."""

from __future__ import annotations

import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest
import sqlalchemy as sa
from apscheduler.schedulers.background import BackgroundScheduler
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from classifiers import yamlfile
from crawlers.permission import Permission
from takedowns import configuration, schedule
from takedowns.context import Context
from takedowns.crawling.adaptive import Visit
from takedowns.crawling.admission import NotNowError
from takedowns.ledger.engine import Ledger
from takedowns.ledger.tables import JobFiring
from takedowns.ledger.vocabulary import RunState
from takedowns.schedule import At, Job, Schedule, fire, latest_slot, trigger

SHANGHAI = "Asia/Shanghai"
NOON = datetime(2026, 10, 14, 4, 0, tzinfo=UTC)
SETTLE = Job(name="settle", work="settle", at=At(hour=5, minute=0))


@pytest.fixture
def context(ledger: Ledger, tmp_path: Path) -> Context:
    settings = configuration.settings(configuration.SHIPPED).model_copy(update={"var": tmp_path})
    return Context(configuration.SHIPPED, settings, {}, ledger, lambda: NOON)


@pytest.fixture
def timer() -> BackgroundScheduler:
    return BackgroundScheduler()


def firings(context: Context) -> list[JobFiring]:
    with context.ledger.read() as session:
        return list(session.scalars(sa.select(JobFiring).order_by(JobFiring.slot)))


def test_the_shipped_schedule_is_valid_and_names_known_platforms() -> None:
    shipped = yamlfile.load(configuration.SHIPPED / "schedule.yml", Schedule)
    known = configuration.platforms(configuration.SHIPPED)
    named = {name for job in shipped.jobs for name in (job.platform, *job.platforms) if name}
    assert named <= set(known)
    assert {job.platform for job in shipped.jobs if job.work == "sample"} <= set(
        configuration.panels(configuration.SHIPPED)
    )


def test_networks_are_found_anew_by_a_job(context: Context) -> None:
    fire(context, Job(name="networks", work="networks", at=At(hour=5, minute=20)), SHANGHAI)
    (row,) = firings(context)
    assert (row.state, row.message) == (RunState.OK, "0 networks, 0 new links")


def test_a_day_of_the_week_must_be_a_name() -> None:
    with pytest.raises(ValidationError, match="day_of_week"):
        At(hour=1, minute=0, day_of_week="0")


def test_two_jobs_of_one_name_are_refused() -> None:
    with pytest.raises(ValidationError, match="same name: settle"):
        Schedule(zone=SHANGHAI, jobs=(SETTLE, SETTLE))


@given(st.datetimes(datetime(2025, 1, 1), datetime(2027, 12, 31), timezones=st.just(UTC)))  # noqa: DTZ001
def test_the_latest_slot_is_never_in_the_future_and_never_older_than_its_period(now: datetime) -> None:
    slot = latest_slot(trigger(SETTLE, SHANGHAI), now)
    assert slot is not None
    assert timedelta(0) <= now - slot < timedelta(days=1)
    assert (slot.astimezone(ZoneInfo(SHANGHAI)).hour, slot.minute) == (5, 0)


def test_a_firing_leaves_a_row_that_tells_how_it_ended(context: Context) -> None:
    fire(context, SETTLE, SHANGHAI)
    [row] = firings(context)
    assert (row.job, row.state, row.finished_at) == ("settle", RunState.OK, NOON)


def test_a_slot_is_done_once_although_many_ask_at_the_same_time(
    context: Context, monkeypatch: pytest.MonkeyPatch
) -> None:
    done: list[str] = []
    together = threading.Barrier(8)

    def work(_context: Context, job: Job, _slot: datetime) -> tuple[RunState, None]:
        done.append(job.name)
        return RunState.OK, None

    def ask() -> None:
        together.wait()
        fire(context, SETTLE, SHANGHAI)

    monkeypatch.setattr(schedule, "_work", work)
    with ThreadPoolExecutor(8) as pool:
        for answer in [pool.submit(ask) for _ in range(8)]:
            answer.result()
    assert done == ["settle"]


def test_a_job_that_fails_says_why_in_its_row_and_harms_nobody_else(
    context: Context, monkeypatch: pytest.MonkeyPatch
) -> None:
    def work(_context: Context, _job: Job, _slot: datetime) -> tuple[RunState, None]:
        raise OSError("the disk is full")

    monkeypatch.setattr(schedule, "_work", work)
    fire(context, SETTLE, SHANGHAI)
    [row] = firings(context)
    assert (row.state, row.message) == (RunState.FAILED, "OSError: the disk is full")


def test_a_platform_that_may_not_be_crawled_now_makes_the_slot_a_missed_one(
    context: Context, monkeypatch: pytest.MonkeyPatch
) -> None:
    def work(_context: Context, _job: Job, _slot: datetime) -> tuple[RunState, None]:
        raise NotNowError("corner", Permission(0, NOON, "cool_off"))

    monkeypatch.setattr(schedule, "_work", work)
    fire(context, SETTLE, SHANGHAI)
    [row] = firings(context)
    assert row.state is RunState.MISSED
    assert row.message is not None
    assert "it refused us lately" in row.message


def test_a_platform_that_refuses_keeps_no_other_from_its_visit(
    context: Context, monkeypatch: pytest.MonkeyPatch
) -> None:
    swept: list[str] = []

    def sweep(_context: Context, platform: str, _terms: object) -> None:
        if platform == "sample":
            raise NotNowError(platform, Permission(0, NOON, "cool_off"))
        swept.append(platform)

    known = configuration.platforms(configuration.SHIPPED)
    context.platforms |= {name: known[name] for name in ("sample", "oscar")}
    visits = tuple(Visit(name, 12, ("x",), "") for name in ("sample", "oscar"))
    monkeypatch.setattr(schedule, "visits_of", lambda *_: visits)
    monkeypatch.setattr(schedule.jobs, "sweep", sweep)
    patrol = Job(name="p", work="patrol", platforms=("sample", "oscar"), visits=2, at=At(minute=0))
    fire(context, patrol, SHANGHAI)
    [row] = firings(context)
    assert swept == ["oscar"]
    assert (row.state, "sample is not crawled now" in (row.message or "")) == (RunState.MISSED, True)


@pytest.fixture
def hourly(context: Context, monkeypatch: pytest.MonkeyPatch) -> Callable[[Job], list[datetime]]:
    """Fires a job at every hour of three days and tells when it had work."""
    context.platforms["sample"] = configuration.platforms(configuration.SHIPPED)["sample"]

    def fired(job: Job) -> list[datetime]:
        done: list[datetime] = []
        monkeypatch.setattr(schedule, "_work", lambda _c, _j, slot: (done.append(slot), (RunState.OK, ""))[1])
        for hour in range(72):
            monkeypatch.setattr(context, "clock", lambda hour=hour: NOON + timedelta(hours=hour))
            fire(context, job, SHANGHAI)
        return done

    return fired


def test_the_random_arm_comes_once_a_day_in_an_hour_that_chance_chose(
    context: Context, hourly: Callable[[Job], list[datetime]]
) -> None:
    done = hourly(Job(name="sample", work="sample", platform="sample", at=At(minute=10)))
    days = [slot.astimezone(ZoneInfo(SHANGHAI)).date() for slot in done]
    assert len(days) == len(set(days)) >= 2
    assert len(firings(context)) == len(done), "an hour without work leaves no row"


def test_a_sample_without_a_panel_is_a_failure_with_a_name_and_no_silence(context: Context) -> None:
    context.platforms["oscar"] = configuration.platforms(configuration.SHIPPED)["oscar"]
    fire(context, Job(name="sample", work="sample", platform="oscar", at=At(minute=10)), SHANGHAI)
    [row] = firings(context)
    assert row.state is RunState.FAILED
    assert "oscar has no query panel" in (row.message or "")


def test_what_was_found_moves_the_patrols_and_never_the_random_arm(
    context: Context, hourly: Callable[[Job], list[datetime]], make: Any
) -> None:
    sample = Job(name="sample", work="sample", platform="sample", at=At(minute=10))
    patrol = Job(name="patrol", work="patrol", platforms=("sample",), visits=2, at=At(minute=40))
    before = [schedule.hour_of_sample(context, "sample", NOON + timedelta(days=day)) for day in range(30)]
    patrols_before = {slot.astimezone(ZoneInfo(SHANGHAI)).hour for slot in hourly(patrol)}
    with context.ledger.write() as session:
        analyst = make.user(session)
        for number in range(40):
            moment = NOON - timedelta(days=3 + number % 20, hours=-9)  # 21:00 in Shanghai
            listing = make.listing(session, first_seen_at=moment)
            task = make.task(session, make.snapshot(session, listing, sources={"found_by": "雾化"}))
            make.decision(session, task, analyst, decided_at=moment)
    after = [schedule.hour_of_sample(context, "sample", NOON + timedelta(days=day)) for day in range(30)]
    hours = {visit.hour for visit in schedule.visits_of(context, patrol, NOON)}
    assert before == after
    assert hours == {21, 0}
    assert hours != patrols_before
    assert hourly(sample)


@pytest.mark.parametrize(
    ("fields", "complaint"),
    [
        ({"work": "patrol", "platforms": ("a",)}, "needs platforms and visits"),
        ({"work": "settle", "platforms": ("a",), "visits": 1}, "needs platforms and visits"),
        ({"work": "sample"}, "need a platform"),
        ({"work": "settle", "platform": "a"}, "others have none"),
        ({"work": "sample", "platform": "a", "at": At(hour=1, minute=0)}, "give the minute only"),
        ({"work": "patrol", "platform": "a", "platforms": ("a",), "visits": 1}, "others have none"),
    ],
)
def test_a_job_says_what_it_needs(fields: dict[str, Any], complaint: str) -> None:
    with pytest.raises(ValidationError, match=complaint):
        Job(**{"name": "x", "at": At(minute=0), **fields})


def test_what_fell_due_while_no_scheduler_ran_is_planned_at_once(
    context: Context, timer: BackgroundScheduler
) -> None:
    last_week = latest_slot(trigger(SETTLE, SHANGHAI), NOON - timedelta(days=7))
    assert last_week is not None
    assert schedule.claim(context, SETTLE, last_week)
    schedule.add_jobs(timer, context, Schedule(zone=SHANGHAI, jobs=(SETTLE,)))
    assert {job.id for job in timer.get_jobs()} == {"settle", "settle (overdue)", "outbox"}


def test_a_new_job_waits_for_its_first_time(context: Context, timer: BackgroundScheduler) -> None:
    schedule.add_jobs(timer, context, Schedule(zone=SHANGHAI, jobs=(SETTLE,)))
    assert {job.id for job in timer.get_jobs()} == {"settle", "outbox"}


@pytest.fixture
def at(context: Context, monkeypatch: pytest.MonkeyPatch) -> Callable[..., None]:
    """Fires a job, whose work is done at once, that many hours after noon; the clock stands still."""
    monkeypatch.setattr(schedule, "_work", lambda *_: (RunState.OK, None))

    def fired(job: Job, hours: float) -> None:
        monkeypatch.setattr(context, "clock", lambda: NOON + timedelta(hours=hours))
        fire(context, job, SHANGHAI)

    return fired


RESUME = Job(name="resume", work="resume", at=At(minute=50))


def test_every_slot_that_was_passed_over_gets_a_row_that_says_so(
    context: Context, at: Callable[..., None]
) -> None:
    at(RESUME, 1)
    at(RESUME, 6)
    rows = firings(context)
    first = NOON + timedelta(minutes=50)
    assert [row.slot for row in rows] == [first + timedelta(hours=hour) for hour in range(6)]
    assert [row.state for row in rows] == [RunState.OK, *[RunState.MISSED] * 4, RunState.OK]
    assert {(row.message, row.finished_at) for row in rows[1:5]} == {
        (schedule.PASSED, NOON + timedelta(hours=6))
    }
    assert {row.work for row in rows} == {"resume"}
    at(RESUME, 6)
    assert len(firings(context)) == 6


def test_a_new_job_has_passed_nothing_over(context: Context, at: Callable[..., None]) -> None:
    at(RESUME, 1)
    assert [row.state for row in firings(context)] == [RunState.OK]


def test_slots_of_more_than_a_month_ago_are_let_go(context: Context, at: Callable[..., None]) -> None:
    at(SETTLE, 0)
    at(SETTLE, 24 * 400)
    missed = [row for row in firings(context) if row.state is RunState.MISSED]
    assert len(missed) == 30
    assert missed[0].slot > NOON + timedelta(hours=24 * 368)


def test_hours_in_which_a_sample_had_no_work_are_not_missed(
    context: Context, at: Callable[..., None]
) -> None:
    context.platforms["sample"] = configuration.platforms(configuration.SHIPPED)["sample"]
    job = Job(name="sample", work="sample", platform="sample", at=At(minute=10))
    for hour in (*range(48), *range(120, 168)):  # three days in between without a scheduler
        at(job, hour)
    rows = firings(context)
    days = [row.slot.astimezone(ZoneInfo(SHANGHAI)).toordinal() for row in rows]
    assert days == list(range(days[0], days[-1] + 1)), "one slot a day, those of the gap included"
    missed = [row.slot for row in rows if row.state is RunState.MISSED]
    assert 2 <= len(missed) <= 4
    assert all(NOON + timedelta(hours=47) < slot < NOON + timedelta(hours=121) for slot in missed)


def test_a_capture_without_a_platform_looks_at_every_one_with_pages(
    context: Context, monkeypatch: pytest.MonkeyPatch
) -> None:
    context.platforms |= configuration.platforms(configuration.SHIPPED)
    seen: list[str] = []

    def capture(_context: Context, platform: str) -> None:
        seen.append(platform)
        if platform == "oscar":
            raise NotNowError(platform, Permission(0, NOON, "cool_off"))

    monkeypatch.setattr(schedule.jobs, "capture", capture)
    fire(context, Job(name="capture", work="capture", at=At(minute=20)), SHANGHAI)
    with_pages = {name for name, profile in context.platforms.items() if profile.road == "page"}
    assert set(seen) == with_pages > {"oscar", "sample", "sample-js"}
    [row] = firings(context)
    assert (row.state, "oscar is not crawled now" in (row.message or "")) == (RunState.MISSED, True)


def test_the_shipped_schedule_photographs_every_platform_with_pages() -> None:
    shipped = yamlfile.load(configuration.SHIPPED / "schedule.yml", Schedule)
    assert [job.platform for job in shipped.jobs if job.work == "capture"] == [None]
