"""Counts, and how the last crawls ended."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, time
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Session

from crawlers.listing import Presence
from takedowns.desk.pages import ZONE, shanghai
from takedowns.desk.reads.common import WAITING, held_now, stands
from takedowns.ledger.tables import (
    CrawlRun,
    Decision,
    Dispatch,
    Flag,
    Lead,
    Listing,
    Notice,
    ReviewTask,
    Sighting,
    User,
)
from takedowns.ledger.vocabulary import DispatchState, RunState, VerificationOutcome
from takedowns.states import LeadState, NoticeState


def tally(session: Session, user: User, *, now: datetime) -> dict[str, int]:
    """How far the work is: waiting, held by ``user``, and decided by them today."""
    return _counted(
        session,
        waiting=_count(ReviewTask.id, ReviewTask.state.in_(WAITING)),
        held=_count(ReviewTask.id, held_now(user, now)),
        decided_by_me=_decided_since(day_start(now)).where(Decision.reviewer_id == user.id),
    )


def today(session: Session, user: User, *, now: datetime) -> dict[str, int]:
    """The counts of the start page; days begin at midnight in Shanghai."""
    start = day_start(now)
    unsent = (NoticeState.APPROVED, NoticeState.SEND_FAILED)
    blocked = Sighting.state == Presence.BLOCKED
    return tally(session, user, now=now) | _counted(
        session,
        listings=_count(Listing.id, Listing.first_seen_at >= start),
        flagged=_count(Flag.id, Flag.created_at >= start),
        decided=_decided_since(start),
        ready=_count(Lead.id, Lead.state == LeadState.READY),
        drafts=_count(Notice.id, Notice.state == NoticeState.DRAFT),
        unsent=_count(Notice.id, Notice.state.in_(unsent)),
        given_up=_count(Dispatch.id, Dispatch.state == DispatchState.FAILED),
        sent=_count(Lead.id, Lead.sent_at >= start),
        removed=_count(Lead.id, Lead.outcome == VerificationOutcome.REMOVED_VERIFIED),
        false_claims=_count(Lead.id, Lead.outcome == VerificationOutcome.FALSE_CLAIM),
        relisted=_count(Lead.id, Lead.outcome == VerificationOutcome.RELISTED),
        blocked=_count(Sighting.id, Sighting.observed_at >= start, blocked),
    )


def last_runs(session: Session, at_most: int = 8) -> Sequence[CrawlRun]:
    return session.scalars(sa.select(CrawlRun).order_by(CrawlRun.started_at.desc()).limit(at_most)).all()


def last_failure(session: Session) -> CrawlRun | None:
    """The newest sweep, if it was no success: then an empty queue proves nothing."""
    newest = session.scalars(
        sa.select(CrawlRun)
        .where(CrawlRun.kind == "sweep", CrawlRun.state != RunState.RUNNING)
        .order_by(CrawlRun.started_at.desc())
        .limit(1)
    ).first()
    return newest if newest and newest.state is not RunState.OK else None


def _counted(session: Session, **counts: sa.Select[int]) -> dict[str, int]:
    """All counts in one round trip."""
    columns = (count.scalar_subquery().label(name) for name, count in counts.items())
    return dict(session.execute(sa.select(*columns)).one()._mapping)


def _count(column: Any, *which: sa.ColumnElement[bool]) -> sa.Select[int]:
    return sa.select(sa.func.count(column)).where(*which)


def _decided_since(start: datetime) -> sa.Select[int]:
    return _count(Decision.id, Decision.decided_at >= start, stands())


def day_start(now: datetime) -> datetime:
    """When today began in Shanghai."""
    return datetime.combine(shanghai(now).date(), time(), ZONE)
