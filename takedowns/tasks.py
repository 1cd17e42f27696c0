"""Review tasks: who has which one before them.

A lease is a row with an owner, an end and a version. Every act names the version of the task that the person
had before them, so that a page that has gone stale does nothing; the row is locked meanwhile. What changes a
task for others is recorded in the audit chain in the same transaction.
"""

from __future__ import annotations

from datetime import datetime, timedelta

import sqlalchemy as sa
from sqlalchemy.orm import Session

from takedowns.content import storable
from takedowns.ledger import audit
from takedowns.ledger.tables import ReviewTask, User
from takedowns.roles import REVIEWERS, SENIORS, require
from takedowns.settings import Settings
from takedowns.states import TASK, InvalidTransitionError, TaskEvent, TaskState, step


class ReviewError(ValueError):
    """``code`` names the reason for programs, the text for people."""

    code = "review"


class UnknownTaskError(ReviewError):
    code = "unknown_task"


class TaskStateError(ReviewError):
    code = "task_state"


class StaleTaskError(ReviewError):
    code = "stale_task"


class NotYourTaskError(ReviewError):
    code = "not_your_task"


class TooManyHeldError(ReviewError):
    code = "too_many_held"


def next_task(
    session: Session, user: User, *, now: datetime, settings: Settings, queue: str | None = None
) -> ReviewTask | None:
    """Lease the task that ``user`` should look at now: one already theirs, else the most urgent that is free.

    A task that they skipped last comes only when nothing else waits. None: nothing waits in ``queue`` (in any
    queue, when that is None).
    """
    require(user, REVIEWERS)
    wanted = [] if queue is None else [ReviewTask.queue == queue]
    mine = sa.select(ReviewTask).where(
        ReviewTask.state == TaskState.LEASED, ReviewTask.owner_id == user.id, *wanted
    )
    skipped = sa.case((ReviewTask.skipped_by_id == user.id, 1), else_=0)
    waiting = sa.select(ReviewTask).where(_is_free(now), *wanted).order_by(skipped)
    for candidates in (mine, waiting):
        # Another's locked row is passed over: they are about to lease it.
        first = candidates.order_by(ReviewTask.priority.desc(), ReviewTask.id).limit(1)
        task = session.scalars(
            first.with_for_update(skip_locked=True), execution_options={"populate_existing": True}
        ).first()
        if task is not None:
            return leased(session, task, user, now, settings)
    return None


def lease(session: Session, task_id: int, user: User, *, now: datetime, settings: Settings) -> ReviewTask:
    """Take one particular task, as when it is opened from a list.

    Raises NotYourTaskError while another holds it, TooManyHeldError beyond ``settings.review.held_at_most``.
    """
    require(user, REVIEWERS)
    task = locked(session, task_id)
    if task.owner_id == user.id and task.state is TaskState.LEASED:
        return leased(session, task, user, now, settings)
    if _is_held(task, now):
        raise NotYourTaskError(
            f"task {task.id} is before another reviewer until {task.lease_until:%H:%M} UTC"
        )
    held = _held_by(session, user, now)
    if held >= settings.review.held_at_most:
        raise TooManyHeldError(f"you already hold {held} tasks: decide, skip or hold one of them first")
    return leased(session, task, user, now, settings)


def renew(session: Session, task_id: int, user: User, *, now: datetime, settings: Settings) -> datetime:
    """Lengthen a lease by activity; returns its new end. The task's version stays: it is the same lease."""
    until = _lease_end(now, settings)
    renewed = session.scalars(
        sa.update(ReviewTask)
        .where(ReviewTask.id == task_id, ReviewTask.owner_id == user.id, ReviewTask.state == TaskState.LEASED)
        .values(lease_until=until)
        .returning(ReviewTask.id)
    ).first()
    if renewed is None:
        raise NotYourTaskError(f"task {task_id} is no longer before you")
    return until


def skip(session: Session, task_id: int, user: User, version: int, *, now: datetime) -> ReviewTask:
    """Give a task back undecided."""
    task = _held_task(session, task_id, user, version)
    move(task, TaskEvent.RELEASE)
    free(task)
    task.skipped_by_id = user.id
    return recorded(session, task, user, "task.skip", now)


def hold(session: Session, task_id: int, user: User, version: int, *, now: datetime) -> ReviewTask:
    """Keep a task beyond the lease, under the reviewer's name, until they decide or release it."""
    task = _held_task(session, task_id, user, version)
    move(task, TaskEvent.HOLD)
    task.lease_until = None
    return recorded(session, task, user, "task.hold", now)


def release(session: Session, task_id: int, user: User, version: int, *, now: datetime) -> ReviewTask:
    """Put a held task back into its queue: its owner may, and a supervisor."""
    task = current(session, task_id, version)
    if task.owner_id != user.id:
        require(user, SENIORS)
    move(task, TaskEvent.RELEASE)
    free(task)
    return recorded(session, task, user, "task.release", now)


def escalate(
    session: Session, task_id: int, user: User, version: int, *, note: str = "", now: datetime
) -> ReviewTask:
    """Hand a task to the supervisors, who decide it without a lease."""
    task = _held_task(session, task_id, user, version)
    move(task, TaskEvent.ESCALATE)
    free(task)
    return recorded(session, task, user, "task.escalate", now, note=storable(note))


def current(session: Session, task_id: int, version: int) -> ReviewTask:
    """The task, locked; raises StaleTaskError when it changed since the caller saw ``version``."""
    task = locked(session, task_id)
    if task.version != version:
        raise StaleTaskError(f"task {task.id} changed since you opened it; it is {task.state.value} now")
    return task


def locked(session: Session, task_id: int) -> ReviewTask:
    """The task as it is now; nobody else can change it until the transaction ends."""
    task = session.get(ReviewTask, task_id, with_for_update=True, populate_existing=True)
    if task is None:
        raise UnknownTaskError(f"there is no task {task_id}")
    return task


def leased(session: Session, task: ReviewTask, user: User, now: datetime, settings: Settings) -> ReviewTask:
    """Put a locked task before ``user``, or lengthen the lease they have."""
    if task.state is TaskState.LEASED and task.owner_id == user.id:
        renew(session, task.id, user, now=now, settings=settings)
        return task
    move(task, TaskEvent.LEASE)
    task.owner_id = user.id
    task.lease_until = _lease_end(now, settings)
    session.flush()
    return task


def move(task: ReviewTask, event: TaskEvent) -> None:
    """Raises TaskStateError where the transition table has no such step."""
    try:
        task.state = step(TASK, task.state, event)
    except InvalidTransitionError as error:
        raise TaskStateError(f"task {task.id}: {error}") from error


def free(task: ReviewTask) -> None:
    """Nobody has it any more."""
    task.owner_id = None
    task.lease_until = None


def recorded(
    session: Session, task: ReviewTask, user: User, action: str, now: datetime, **payload: object
) -> ReviewTask:
    """Write the task's changes with their entry in the audit chain."""
    session.flush()
    audit.record(
        session, at=now, actor=user.login, action=action, subject=f"review_task:{task.id}", payload=payload
    )
    return task


def _held_task(session: Session, task_id: int, user: User, version: int) -> ReviewTask:
    require(user, REVIEWERS)
    task = current(session, task_id, version)
    if task.owner_id != user.id:
        raise NotYourTaskError(f"task {task.id} is not before you")
    return task


def _lease_end(now: datetime, settings: Settings) -> datetime:
    return now + timedelta(minutes=settings.review.lease_minutes)


def _is_free(now: datetime) -> sa.ColumnElement[bool]:
    expired = sa.and_(ReviewTask.state == TaskState.LEASED, ReviewTask.lease_until <= now)
    return sa.or_(ReviewTask.state == TaskState.QUEUED, expired)


def _is_held(task: ReviewTask, now: datetime) -> bool:
    return task.state is TaskState.LEASED and task.lease_until is not None and task.lease_until > now


def _held_by(session: Session, user: User, now: datetime) -> int:
    held = sa.select(sa.func.count()).where(
        ReviewTask.owner_id == user.id, ReviewTask.state == TaskState.LEASED, ReviewTask.lease_until > now
    )
    return session.scalars(held).one()
