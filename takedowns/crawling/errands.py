"""Tasks about a platform that only a person can do: raised by runs, one of a kind at a time."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

import sqlalchemy as sa
from sqlalchemy.orm import Session

from takedowns.content import storable
from takedowns.ledger import audit
from takedowns.ledger.tables import PersonTask, User
from takedowns.ledger.vocabulary import Errand

ACTOR = "system:intake"


class UnknownErrandError(LookupError):
    """No task of this number is open."""


def raise_errand(
    session: Session, platform: str, kind: Errand, run_id: str, message: str, *, now: datetime
) -> PersonTask | None:
    """A new task, or None while one of that kind is open for the platform. The run's row must be there."""
    open_one = sa.select(PersonTask.id).where(
        PersonTask.platform == platform, PersonTask.kind == kind, PersonTask.done_at.is_(None)
    )
    if session.scalars(open_one).first() is not None:
        return None
    task = PersonTask(platform=platform, kind=kind, run_id=run_id, message=storable(message), created_at=now)
    session.add(task)
    session.flush()
    payload = {"platform": platform, "kind": kind.value, "run": run_id}
    audit.record(
        session, at=now, actor=ACTOR, action="errand.raise", subject=f"person_task:{task.id}", payload=payload
    )
    return task


def finish(session: Session, task_id: int, user: User, *, now: datetime) -> PersonTask:
    """Record that ``user`` has seen to it. Raises UnknownErrandError unless it is open."""
    found = session.scalars(
        sa.select(PersonTask).where(PersonTask.id == task_id, PersonTask.done_at.is_(None)).with_for_update()
    ).one_or_none()
    if found is None:
        raise UnknownErrandError(f"no task {task_id} is open")
    found.done_at, found.done_by_id = now, user.id
    audit.record(
        session,
        at=now,
        actor=user.login,
        action="errand.finish",
        subject=f"person_task:{task_id}",
        payload={"platform": found.platform, "kind": found.kind.value},
    )
    return found


def open_errands(session: Session) -> Sequence[PersonTask]:
    """Those nobody has done yet, oldest first."""
    undone = sa.select(PersonTask).where(PersonTask.done_at.is_(None)).order_by(PersonTask.id)
    return session.scalars(undone).all()
