"""Review: what people hold to be so of the listings before them, and how they take it back.

The doors to the queue (:mod:`takedowns.tasks`) stand here too, so that one import serves a review screen.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from types import MappingProxyType

import sqlalchemy as sa
from sqlalchemy.orm import Session

from classifiers.verdict import Label
from takedowns import leads, tasks
from takedowns.content import storable
from takedowns.ledger.tables import Decision, Lead, ReviewTask, User, Verdict
from takedowns.ledger.vocabulary import Finding
from takedowns.roles import REVIEWERS, SENIORS, require
from takedowns.settings import Settings
from takedowns.states import LeadState, TaskEvent, TaskState
from takedowns.tasks import (
    NotYourTaskError,
    ReviewError,
    StaleTaskError,
    TaskStateError,
    TooManyHeldError,
    UnknownTaskError,
    escalate,
    hold,
    lease,
    next_task,
    release,
    renew,
    skip,
)

__all__ = [
    "REASONS",
    "InvalidDecisionError",
    "NotYourTaskError",
    "ReviewError",
    "StaleTaskError",
    "TaskStateError",
    "TooLateToUndoError",
    "TooManyHeldError",
    "UnknownTaskError",
    "decide",
    "escalate",
    "hold",
    "lease",
    "next_task",
    "release",
    "renew",
    "skip",
    "undo",
]

# Why a flagged listing is no violation.
REASONS: Mapping[str, str] = MappingProxyType(
    {
        "lawful_medical_device": "a medical device that is what it says",
        "lawful_drink": "a drink or food that is what it says",
        "lawful_other_goods": "other goods that may be sold online",
        "not_for_sale": "nothing is offered for sale",
        "duplicate": "the same listing is already a lead",
        "wrong_text": "the text was read wrongly or is not this listing's",
    }
)


class InvalidDecisionError(ReviewError):
    """``field`` is the part of the decision that is wrong: category or reason."""

    code = "invalid_decision"

    def __init__(self, field: str, sentence: str) -> None:
        super().__init__(sentence)
        self.field = field


class TooLateToUndoError(ReviewError):
    code = "too_late_to_undo"


def decide(
    session: Session,
    task_id: int,
    user: User,
    version: int,
    finding: Finding,
    *,
    category: Label | None = None,
    reason: str | None = None,
    note: str = "",
    now: datetime,
    settings: Settings,
) -> Decision:
    """Record a finding; a violation makes a lead, ready to be sent, in the same transaction.

    An expired lease that nobody else took still counts: the version proves it. Raises InvalidDecisionError
    for a violation without a category, a not_violation without one of ``REASONS``, or either where it has no
    place; StaleTaskError, NotYourTaskError, roles.NotAllowedError.
    """
    require(user, REVIEWERS)
    _check(finding, category, reason)
    task = _decidable(session, task_id, user, version)
    earlier = _newest_decision(session, task.id)
    decision = Decision(
        task_id=task.id,
        listing_id=task.listing_id,
        snapshot_id=task.snapshot_id,
        verdict_id=_newest_verdict(session, task.snapshot_id),
        reviewer_id=user.id,
        finding=finding,
        category=category,
        reason=reason,
        note=storable(note),
        decided_at=now,
        overrides_id=earlier.id if earlier else None,
    )
    session.add(decision)
    tasks.move(task, TaskEvent.DECIDE)
    tasks.free(task)
    session.flush()
    lead = None
    if finding is Finding.VIOLATION:
        lead = leads.create(session, decision, office_code=settings.office.code, now=now)
    tasks.recorded(session, task, user, "task.decide", now, **_shown(decision), lead=lead and lead.number)
    return decision


def undo(session: Session, decision_id: int, user: User, *, now: datetime, settings: Settings) -> ReviewTask:
    """Take a decision back until its lead was sent, and put the task before ``user`` again.

    The decision stays; one of ``undetermined`` overrides it, and its lead is withdrawn. A reviewer may undo
    their own, a supervisor anyone's. Raises TooLateToUndoError, also when it was overridden already.
    """
    decision = session.get(Decision, decision_id)
    if decision is None:
        raise UnknownTaskError(f"there is no decision {decision_id}")
    require(user, REVIEWERS if decision.reviewer_id == user.id else SENIORS)
    task = tasks.locked(session, decision.task_id)
    newest = _newest_decision(session, task.id)
    if newest is None or newest.id != decision.id or task.state is not TaskState.DECIDED:
        raise TooLateToUndoError(f"decision {decision.id} was overridden or undone already")
    _withdraw_lead(session, decision, user, now)
    session.add(
        Decision(
            task_id=task.id,
            listing_id=task.listing_id,
            snapshot_id=task.snapshot_id,
            reviewer_id=user.id,
            finding=Finding.UNDETERMINED,
            decided_at=now,
            overrides_id=decision.id,
        )
    )
    tasks.recorded(session, task, user, "task.undo", now, decision=decision.id)
    return _reopened(session, task, user, now, settings)


def _reopened(
    session: Session, task: ReviewTask, user: User, now: datetime, settings: Settings
) -> ReviewTask:
    waiting = session.scalars(
        sa.select(ReviewTask).where(
            ReviewTask.listing_id == task.listing_id, ReviewTask.state != TaskState.DECIDED
        )
    ).first()
    if waiting is not None:
        return (
            waiting  # the listing changed meanwhile and waits with its new content: one open task a listing
        )
    tasks.move(task, TaskEvent.REOPEN)
    return tasks.leased(session, task, user, now, settings)


def _withdraw_lead(session: Session, decision: Decision, user: User, now: datetime) -> None:
    lead = session.scalars(sa.select(Lead).where(Lead.decision_id == decision.id)).first()
    if lead is None or lead.state is LeadState.WITHDRAWN:
        return
    if lead.sent_at is not None:
        raise TooLateToUndoError(f"lead {lead.number} was sent already: withdraw the lead instead")
    leads.withdraw(session, lead.id, user, reason="decision undone", now=now)


def _check(finding: Finding, category: Label | None, reason: str | None) -> None:
    if finding is Finding.VIOLATION and category in (None, Label.BENIGN):
        raise InvalidDecisionError("category", "a violation needs its category")
    if finding is not Finding.VIOLATION and category is not None:
        raise InvalidDecisionError("category", f"{finding.value!r} has no category")
    if finding is Finding.NOT_VIOLATION and reason is None:
        raise InvalidDecisionError("reason", "a listing is found lawful for a reason: name it")
    if finding is Finding.VIOLATION and reason is not None:
        raise InvalidDecisionError("reason", "a violation has a category, no reason")
    if reason is not None and reason not in REASONS:
        raise InvalidDecisionError("reason", f"{reason!r} is none of {', '.join(REASONS)}")


def _decidable(session: Session, task_id: int, user: User, version: int) -> ReviewTask:
    task = tasks.current(session, task_id, version)
    if task.state is TaskState.ESCALATED:
        require(user, SENIORS)
    elif task.owner_id != user.id:
        raise NotYourTaskError(f"task {task.id} is not before you: open it first")
    return task


def _newest_decision(session: Session, task_id: int) -> Decision | None:
    made = sa.select(Decision).where(Decision.task_id == task_id).order_by(Decision.id.desc())
    return session.scalars(made.limit(1)).first()


def _newest_verdict(session: Session, snapshot_id: int) -> int | None:
    return session.scalar(sa.select(sa.func.max(Verdict.id)).where(Verdict.snapshot_id == snapshot_id))


def _shown(decision: Decision) -> dict[str, object]:
    return {
        "decision": decision.id,
        "finding": decision.finding,
        "category": decision.category,
        "reason": decision.reason,
        "note": decision.note,
    }
