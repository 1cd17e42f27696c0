"""``config/schedule.yml`` on APScheduler: jobs live in memory, and a unique row forbids double firing.

The scheduler holds no state worth losing. Which firings happened is in the ledger (``job_firing``), so two
schedulers on one ledger, or a restart in the middle, cannot do a slot twice.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Sequence
from datetime import datetime, timedelta
from typing import Annotated, Any, Literal
from zoneinfo import ZoneInfo

import sqlalchemy as sa
from apscheduler.events import EVENT_JOB_MAX_INSTANCES, EVENT_JOB_MISSED, JobExecutionEvent
from apscheduler.schedulers.base import BaseScheduler
from apscheduler.triggers.cron import CronTrigger
from pydantic import Field, model_validator
from sqlalchemy.exc import IntegrityError

from crawlers import sampling
from crawlers.permission import ZONE, hours_of
from crawlers.rundir import Outcome
from takedowns import configuration, jobs
from takedowns.context import Context
from takedowns.crawling import patrols
from takedowns.crawling.adaptive import Visit
from takedowns.crawling.admission import NotNowError
from takedowns.ledger.tables import JobFiring
from takedowns.ledger.vocabulary import RunState
from takedowns.reports import Period
from takedowns.settings import NonEmpty, Section

log = logging.getLogger(__name__)

SEVERITY = (Outcome.OK, Outcome.PARTIAL, Outcome.BLOCKED, Outcome.FAILED)
LOOK_BACK = (
    timedelta(hours=1),
    timedelta(days=1),
    timedelta(days=8),
    timedelta(days=40),
    timedelta(days=400),
)


class At(Section):
    """Cron fields. Days of the week are names: numbers would mean another day here than in crontab."""

    minute: int = Field(ge=0, le=59)
    hour: int | None = Field(default=None, ge=0, le=23, description="None: every hour")
    day: int | None = Field(default=None, ge=1, le=28, description="None: every day")
    day_of_week: (
        Annotated[str, Field(pattern="^(mon|tue|wed|thu|fri|sat|sun)(,(mon|tue|wed|thu|fri|sat|sun))*$")]
        | None
    ) = None


class Job(Section):
    name: NonEmpty
    work: Literal["sweep", "recheck", "sample", "capture", "patrol", "resume", "settle", "report"]
    platform: str | None = None
    at: At
    platforms: tuple[str, ...] = Field(default=(), description="of a patrol")
    visits: int | None = Field(default=None, ge=1, le=24, description="of a patrol, in a day, at most")
    terms: int = Field(default=6, ge=1, description="of a patrol's visit, at most")

    @model_validator(mode="after")
    def _platform_where_needed(self) -> Job:
        if (self.platform is None) == (self.work in ("sweep", "recheck", "sample", "capture")):
            raise ValueError("sweep, recheck, sample and capture need a platform; the others have none")
        if (self.work == "patrol") != bool(self.platforms and self.visits):
            raise ValueError("a patrol, and nothing else, needs platforms and visits")
        if self.work in ("sample", "patrol") and (self.at.hour is not None or self.at.day is not None):
            raise ValueError("sample and patrol find their own hours: give the minute only")
        return self


class Schedule(Section):
    zone: str
    jobs: tuple[Job, ...]

    @model_validator(mode="after")
    def _names_differ(self) -> Schedule:
        names = [job.name for job in self.jobs]
        if twice := {name for name in names if names.count(name) > 1}:
            raise ValueError(f"two jobs have the same name: {', '.join(sorted(twice))}")
        return self


def trigger(job: Job, zone: str) -> CronTrigger:
    return CronTrigger(timezone=ZoneInfo(zone), second=0, **job.at.model_dump(exclude_none=True))


def latest_slot(cron: CronTrigger, now: datetime) -> datetime | None:
    """The newest planned time that is not after ``now``; None when there was none for over a year."""
    for span in LOOK_BACK:
        slot = cron.get_next_fire_time(None, now - span)
        found: datetime | None = None
        while slot is not None and slot <= now:
            found, slot = slot, cron.get_next_fire_time(slot, slot + timedelta(seconds=1))
        if found:
            return found
    return None


def claim(context: Context, job: str, slot: datetime) -> bool:
    """True for exactly one caller of a job's slot, whoever else asks."""
    try:
        with context.ledger.write() as session:
            session.add(JobFiring(job=job, slot=slot, state=RunState.RUNNING, started_at=context.clock()))
    except IntegrityError:
        return False
    return True


def fire(context: Context, job: Job, zone: str) -> None:
    """Do the newest due slot of ``job`` unless somebody has it already; the outcome goes into its row."""
    slot = latest_slot(trigger(job, zone), context.clock())
    if slot is None or not is_its_hour(context, job, slot) or not claim(context, job.name, slot):
        return
    try:
        state, message = _work(context, job, slot)
    except NotNowError as error:  # planned and not done: it counts as missed, with its reason
        state, message = RunState.MISSED, str(error)
    except Exception as error:  # the scheduler must outlive any job; the row tells what happened
        log.exception("job %s failed", job.name)
        state, message = RunState.FAILED, f"{type(error).__name__}: {error}"
    with context.ledger.write() as session:
        session.execute(
            sa.update(JobFiring)
            .where(JobFiring.job == job.name, JobFiring.slot == slot)
            .values(state=state, message=message, finished_at=context.clock())
        )


def _work(context: Context, job: Job, slot: datetime) -> tuple[RunState, str | None]:
    if job.work == "settle":
        changed = jobs.settle(context)
        return RunState.OK, ", ".join(f"{outcome.value} {n}" for outcome, n in changed.items()) or None
    if job.work == "report":
        return RunState.OK, ", ".join(jobs.report(context, str(Period.containing(slot).previous)))
    if job.work == "resume":
        return _told(jobs.resume(context))
    if job.work == "patrol":
        return _patrol(
            context, [visit for visit in visits_of(context, job, slot) if visit.hour == _hour(slot)]
        )
    if job.work == "sample":
        return _told([jobs.sample(context, job.platform or "", slot)])
    crawls: dict[str, Callable[[Context, str], jobs.CrawlResult | None]] = {
        "sweep": jobs.sweep,
        "recheck": jobs.recheck,
        "capture": jobs.capture,
    }
    result = crawls[job.work](context, job.platform or "")
    return _told([result] if result else [])


def _patrol(context: Context, visits: Sequence[Visit]) -> tuple[RunState, str | None]:
    """Every visit, whatever platform refuses; one that was refused makes the slot a missed one."""
    results, refused = [], []
    for visit in visits:
        try:
            results.append(jobs.sweep(context, visit.platform, visit.terms))
        except NotNowError as error:
            refused.append(str(error))
    return (RunState.MISSED, "; ".join(refused)) if refused else _told(results)


def _told(results: Sequence[jobs.CrawlResult]) -> tuple[RunState, str | None]:
    """The worst of several crawls."""
    if not results:
        return RunState.OK, "nothing was due"
    worst = max(results, key=lambda result: SEVERITY.index(result.outcome))
    return RunState(worst.outcome), worst.first_problem


def is_its_hour(context: Context, job: Job, slot: datetime) -> bool:
    """Whether there is anything to do at ``slot``; samples and patrols come in some hours of the day only."""
    if job.work == "sample":  # without a panel there is no hour, and the job has to say so
        return hour_of_sample(context, job.platform or "", slot) in (None, _hour(slot))
    if job.work == "patrol":
        return any(visit.hour == _hour(slot) for visit in visits_of(context, job, slot))
    return True


def hour_of_sample(context: Context, platform: str, day: datetime) -> int | None:
    """The hour that chance has given the random arm on the day of ``day``; None without a panel."""
    if platform not in context.panels or platform not in context.platforms:
        return None
    hours = hours_of(context.platforms[platform])
    return sampling.hour_for(context.panels[platform], day.astimezone(ZONE).date(), hours)


def visits_of(context: Context, job: Job, day: datetime) -> tuple[Visit, ...]:
    """The visits of a patrol on the day of ``day``."""
    platforms = [configuration.platform_named(context.platforms, name) for name in job.platforms]
    with context.ledger.read() as session:
        return patrols.planned(session, platforms, now=day, visits=job.visits or 0, terms=job.terms)


def _hour(slot: datetime) -> int:
    return slot.astimezone(ZONE).hour


def add_jobs(scheduler: BaseScheduler, context: Context, schedule: Schedule) -> None:
    """Plan every job, and do at once what fell due while no scheduler ran."""
    scheduler.configure(
        timezone=ZoneInfo(schedule.zone),
        # One at a time: the classifier serves one thread, and a bureau's machine has few cores.
        executors={"default": {"type": "threadpool", "max_workers": 1}},
        # The defaults drop a job that starts a second late, and run once for every missed slot.
        job_defaults={"misfire_grace_time": None, "coalesce": True, "max_instances": 1},
    )
    for job in schedule.jobs:
        cron = trigger(job, schedule.zone)
        scheduler.add_job(fire, cron, args=(context, job, schedule.zone), id=job.name)
        if _overdue(context, job, cron):
            scheduler.add_job(fire, args=(context, job, schedule.zone), id=f"{job.name} (overdue)")
    scheduler.add_listener(note_missed(context), EVENT_JOB_MISSED | EVENT_JOB_MAX_INSTANCES)


def _overdue(context: Context, job: Job, cron: CronTrigger) -> bool:
    """A job that has fired before, but not at its newest slot. A new job waits for its first time."""
    slot = latest_slot(cron, context.clock())
    with context.ledger.read() as session:
        last = session.scalar(sa.select(sa.func.max(JobFiring.slot)).where(JobFiring.job == job.name))
    return last is not None and slot is not None and last < slot


def note_missed(context: Context) -> Callable[[JobExecutionEvent], None]:
    """A listener that writes a row for each slot the scheduler let go."""

    def note(event: Any) -> None:
        times = getattr(event, "scheduled_run_times", None) or [event.scheduled_run_time]
        for slot in times:
            if claim(context, event.job_id, slot):
                with context.ledger.write() as session:
                    session.execute(
                        sa.update(JobFiring)
                        .where(JobFiring.job == event.job_id, JobFiring.slot == slot)
                        .values(state=RunState.MISSED, finished_at=context.clock())
                    )

    return note
