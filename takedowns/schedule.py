"""``config/schedule.yml`` on APScheduler: jobs live in memory, and a unique row forbids double firing.

The scheduler holds no state worth losing. Which firings happened is in the ledger (``job_firing``), so two
schedulers on one ledger, or a restart in the middle, cannot do a slot twice. A slot that no scheduler came
to, because none ran or it was at another job, gets its row when the job fires next.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable, Iterator, Sequence
from datetime import datetime, timedelta
from functools import partial
from typing import Annotated, Any, Literal
from zoneinfo import ZoneInfo

import sqlalchemy as sa
from apscheduler.schedulers.base import BaseScheduler
from apscheduler.triggers.cron import CronTrigger
from apscheduler.triggers.interval import IntervalTrigger
from pydantic import Field, model_validator
from sqlalchemy.exc import IntegrityError

from crawlers import sampling
from crawlers.permission import ZONE, hours_of
from crawlers.rundir import Outcome
from takedowns import configuration, jobs, outbox, reminders
from takedowns.context import Context
from takedowns.crawling import patrols
from takedowns.crawling.adaptive import Visit
from takedowns.crawling.admission import NotNowError
from takedowns.handing_over import sending
from takedowns.ledger.tables import JobFiring
from takedowns.ledger.vocabulary import RunState
from takedowns.replies import mailbox
from takedowns.reports import Period
from takedowns.settings import NonEmpty, Section

log = logging.getLogger(__name__)

SEVERITY = (Outcome.OK, Outcome.PARTIAL, Outcome.BLOCKED, Outcome.FAILED)
# How far back slots are said to be missed: the month of a report. A machine that was off for a year would
# otherwise write thousands of rows a job, which nobody reads.
PASSED_WITHIN = timedelta(days=31)
PASSED = "no scheduler came to it: none was running, or it was at other jobs"
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
    work: Literal[
        "sweep", "recheck", "sample", "capture", "patrol", "resume", "settle", "networks", "inbox", "report"
    ]
    platform: str | None = Field(default=None, description="of a capture, None: every one with pages")
    at: At
    platforms: tuple[str, ...] = Field(default=(), description="of a patrol")
    visits: int | None = Field(default=None, ge=1, le=24, description="of a patrol, in a day, at most")
    terms: int = Field(default=6, ge=1, description="of a patrol's visit, at most")

    @model_validator(mode="after")
    def _platform_where_needed(self) -> Job:
        if self.work != "capture" and (self.platform is None) == (
            self.work in ("sweep", "recheck", "sample")
        ):
            raise ValueError(
                "sweep, recheck and sample need a platform, capture may have one, others have none"
            )
        if (self.work == "patrol") != bool(self.platforms and self.visits):
            raise ValueError("a patrol, and nothing else, needs platforms and visits")
        if self.work in ("sample", "patrol") and (self.at.hour is not None or self.at.day is not None):
            raise ValueError("sample and patrol find their own hours: give the minute only")
        return self


class Outbox(Section):
    every_minutes: int = Field(ge=1, le=60)


class Schedule(Section):
    zone: str
    jobs: tuple[Job, ...]
    outbox: Outbox = Outbox(every_minutes=1)

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


def claim(context: Context, job: Job, slot: datetime, **ended: Any) -> bool:
    """True for exactly one caller of a job's slot, whoever else asks; ``ended``: columns, if it is over."""
    row = {"state": RunState.RUNNING, "started_at": context.clock(), **ended}
    try:
        with context.ledger.write() as session:
            session.add(JobFiring(job=job.name, work=job.work, slot=slot, **row))
    except IntegrityError:
        return False
    return True


def fire(context: Context, job: Job, zone: str) -> None:
    """Do the newest due slot of ``job`` unless somebody has it already; the outcome goes into its row."""
    slot = latest_slot(trigger(job, zone), context.clock())
    if slot is None or not is_its_hour(context, job, slot) or not claim(context, job, slot):
        return
    try:
        _note_passed(context, job, zone, slot)
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


def _note_passed(context: Context, job: Job, zone: str, slot: datetime) -> None:
    """A row for each slot with work between the last one that has a row and ``slot``."""
    earlier = sa.select(sa.func.max(JobFiring.slot)).where(JobFiring.job == job.name, JobFiring.slot < slot)
    with context.ledger.read() as session:
        last = session.scalar(earlier)
    if last is None:  # the job is new
        return
    now = context.clock()
    for passed in _slots(trigger(job, zone), max(last, slot - PASSED_WITHIN), slot):
        if is_its_hour(context, job, passed):
            claim(context, job, passed, state=RunState.MISSED, message=PASSED, finished_at=now)


def _slots(cron: CronTrigger, after: datetime, before: datetime) -> Iterator[datetime]:
    """The planned times between the two, without them."""
    second = timedelta(seconds=1)
    slot = cron.get_next_fire_time(None, after + second)
    while slot is not None and slot < before:
        yield slot
        slot = cron.get_next_fire_time(slot, slot + second)


def _work(context: Context, job: Job, slot: datetime) -> tuple[RunState, str | None]:
    if job.work == "settle":
        changed = jobs.settle(context)
        return RunState.OK, ", ".join(f"{outcome.value} {n}" for outcome, n in changed.items()) or None
    if job.work == "networks":
        refreshed = jobs.networks(context)
        return RunState.OK, f"{refreshed.networks} networks, {refreshed.new} new links"
    if job.work == "inbox":
        return RunState.OK, str(mailbox.poll(context))
    if job.work == "report":
        return RunState.OK, ", ".join(jobs.report(context, str(Period.containing(slot).previous)))
    if job.work == "resume":
        return _told(jobs.resume(context))
    if job.work == "patrol":
        visits = [visit for visit in visits_of(context, job, slot) if visit.hour == _hour(slot)]
        return _each(partial(jobs.sweep, context, visit.platform, visit.terms) for visit in visits)
    if job.work == "sample":
        return _told([jobs.sample(context, job.platform or "", slot)])
    if job.work == "capture":
        names = [job.platform] if job.platform else jobs.with_pages(context)
        return _each(partial(jobs.capture, context, name) for name in names)
    if job.work == "recheck":
        return _each(
            partial(look, context, job.platform or "") for look in (jobs.recheck, jobs.recheck_sellers)
        )
    return _told([jobs.sweep(context, job.platform or "")])


def _each(crawls: Iterable[Callable[[], jobs.CrawlResult | None]]) -> tuple[RunState, str | None]:
    """Every one, whatever platform refuses; one that was refused makes the slot a missed one."""
    results, refused = [], []
    for crawl in crawls:
        try:
            results.append(crawl())
        except NotNowError as error:
            refused.append(str(error))
    if refused:
        return RunState.MISSED, "; ".join(refused)
    return _told([result for result in results if result])


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
    if job.work == "inbox":
        return context.settings.inbox is not None
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
    often = IntervalTrigger(minutes=schedule.outbox.every_minutes)
    scheduler.add_job(empty_outbox, often, args=(context,), id="outbox")


def empty_outbox(context: Context) -> None:
    """Send what is due, after the reminders that are. It has no slots: each sending is a row of its own."""
    try:
        reminders.climb(context)
        outbox.send_due(context)
        sending.send_due(context)
    except Exception:  # the scheduler must outlive any job
        log.exception("the outbox could not be emptied")


def _overdue(context: Context, job: Job, cron: CronTrigger) -> bool:
    """A job that has fired before, but not at its newest slot. A new job waits for its first time."""
    slot = latest_slot(cron, context.clock())
    with context.ledger.read() as session:
        last = session.scalar(sa.select(sa.func.max(JobFiring.slot)).where(JobFiring.job == job.name))
    return last is not None and slot is not None and last < slot
