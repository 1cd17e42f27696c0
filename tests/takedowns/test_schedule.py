"""Planned jobs fire once a slot, whoever else is planning, and tell what became of them."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
import sqlalchemy as sa
from apscheduler.events import EVENT_JOB_MISSED, JobExecutionEvent
from apscheduler.schedulers.background import BackgroundScheduler
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from classifiers import yamlfile
from takedowns import configuration, schedule
from takedowns.context import Context
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
    assert {job.platform for job in shipped.jobs if job.platform} <= set(known)


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


def test_what_fell_due_while_no_scheduler_ran_is_planned_at_once(
    context: Context, timer: BackgroundScheduler
) -> None:
    last_week = latest_slot(trigger(SETTLE, SHANGHAI), NOON - timedelta(days=7))
    assert last_week is not None
    assert schedule.claim(context, "settle", last_week)
    schedule.add_jobs(timer, context, Schedule(zone=SHANGHAI, jobs=(SETTLE,)))
    assert {job.id for job in timer.get_jobs()} == {"settle", "settle (overdue)"}


def test_a_new_job_waits_for_its_first_time(context: Context, timer: BackgroundScheduler) -> None:
    schedule.add_jobs(timer, context, Schedule(zone=SHANGHAI, jobs=(SETTLE,)))
    assert [job.id for job in timer.get_jobs()] == ["settle"]


def test_a_missed_slot_gets_a_row_of_its_own(context: Context) -> None:
    slot = datetime(2026, 10, 13, 21, 0, tzinfo=UTC)
    schedule.note_missed(context)(JobExecutionEvent(EVENT_JOB_MISSED, "settle", "default", slot))
    [row] = firings(context)
    assert (row.slot, row.state) == (slot, RunState.MISSED)
