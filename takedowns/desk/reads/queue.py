"""The review queue: its pages, an item's neighbours, and what one person has in hand."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Session, aliased, joinedload

from classifiers.verdict import Label
from takedowns.desk.reads.common import ROWS, WAITING, Page, held_now, stands, title_only
from takedowns.learning.active_learning import Candidate, boundary, most_telling_first
from takedowns.ledger.tables import (
    Decision,
    Listing,
    ListingSnapshot,
    ReviewTask,
    User,
    Verdict,
)
from takedowns.states import TaskState


class Tab(StrEnum):
    WAITING = "waiting"
    MINE = "mine"
    DECIDED = "decided"


class Sort(StrEnum):
    RISK = "risk"
    AGE = "age"
    LEARNING = "learning"


@dataclass(frozen=True)
class QueueFilter:
    """The queue screen's address as a value."""

    tab: Tab = Tab.WAITING
    platform: str | None = None
    label: Label | None = None
    sort: Sort = Sort.RISK
    page: int = 1

    @property
    def narrow(self) -> bool:
        return bool(self.platform or self.label)


@dataclass(frozen=True)
class QueueRow:
    task: ReviewTask
    verdict: Verdict | None
    decision: Decision | None


def queue_page(session: Session, wanted: QueueFilter, user: User, *, now: datetime) -> Page[QueueRow]:
    query = _in_queue(wanted, user, now)
    total = session.scalar(sa.select(sa.func.count()).select_from(query.subquery())) or 0
    ids = _ids(session, query, wanted)
    tasks = sorted(_tasks(session, ids), key=lambda task: ids.index(task.id))
    verdicts = newest_verdicts(session, [task.snapshot_id for task in tasks])
    decisions = _newest_decisions(session, [task.id for task in tasks])
    rows = [QueueRow(task, verdicts.get(task.snapshot_id), decisions.get(task.id)) for task in tasks]
    return Page(rows, total, wanted.page)


def _ids(session: Session, query: sa.Select[ReviewTask], wanted: QueueFilter) -> Sequence[int]:
    """The tasks of the page, in its order."""
    first = (wanted.page - 1) * ROWS
    if wanted.sort is Sort.LEARNING and wanted.tab is not Tab.DECIDED:
        return _most_telling_first(session, query)[first : first + ROWS]
    # Sorted by their ids alone: a database carries along whatever else it is asked for.
    ordered = _in_order(query, wanted).with_only_columns(ReviewTask.id)
    return session.scalars(ordered.limit(ROWS).offset(first)).all()


def _most_telling_first(session: Session, query: sa.Select[ReviewTask]) -> list[int]:
    newest = aliased(Verdict)
    of_snapshot = sa.select(sa.func.max(newest.id)).where(newest.snapshot_id == ReviewTask.snapshot_id)
    rows = session.execute(
        query.join(ReviewTask.snapshot)
        .join(ReviewTask.listing)
        .outerjoin(Verdict, Verdict.id == of_snapshot.correlate(ReviewTask).scalar_subquery())
        .with_only_columns(
            ReviewTask.id, Verdict.score, Verdict.flagged, Listing.seller_id, ListingSnapshot.title
        )
    ).all()
    threshold = boundary((row.score, row.flagged) for row in rows if row.score is not None)
    return most_telling_first(
        # what was never judged is as doubtful as can be
        (
            Candidate(task, threshold if score is None else score, seller, title)
            for task, score, _, seller, title in rows
        ),
        threshold,
    )


def _tasks(session: Session, ids: Sequence[int]) -> Sequence[ReviewTask]:
    return session.scalars(
        sa.select(ReviewTask)
        .where(ReviewTask.id.in_(ids))
        .options(
            joinedload(ReviewTask.listing).joinedload(Listing.seller),
            joinedload(ReviewTask.snapshot).options(*title_only()),
            joinedload(ReviewTask.owner),
        )
    ).all()


def neighbour(session: Session, task: ReviewTask, user: User, *, forward: bool, now: datetime) -> int | None:
    """The waiting task after (or before) this one in order of risk that nobody else holds."""
    ours = sa.tuple_(-ReviewTask.priority, ReviewTask.id)
    here = sa.tuple_(sa.literal(-task.priority), sa.literal(task.id))
    order: tuple[Any, Any] = (ReviewTask.priority.desc(), ReviewTask.id)
    if not forward:
        order = (ReviewTask.priority.asc(), ReviewTask.id.desc())
    return session.scalar(
        sa.select(ReviewTask.id)
        .where(ReviewTask.state.in_(WAITING), _not_held_by_others(user, now))
        .where(ours > here if forward else ours < here)
        .order_by(*order)
        .limit(1)
    )


def held_by(session: Session, user: User, *, now: datetime) -> Sequence[ReviewTask]:
    return session.scalars(
        sa.select(ReviewTask)
        .where(held_now(user, now))
        .options(joinedload(ReviewTask.snapshot).options(*title_only()))
        .order_by(ReviewTask.lease_until)
    ).all()


def recent_decisions(session: Session, user: User, at_most: int = 10) -> Sequence[Decision]:
    """This person's newest decisions that stand."""
    return session.scalars(
        sa.select(Decision)
        .where(Decision.reviewer_id == user.id, stands())
        .options(joinedload(Decision.snapshot).options(*title_only()))
        .order_by(Decision.id.desc())
        .limit(at_most)
    ).all()


def newest_verdicts(session: Session, snapshots: Iterable[int]) -> dict[int, Verdict]:
    rows = session.scalars(
        sa.select(Verdict).where(Verdict.snapshot_id.in_(list(snapshots))).order_by(Verdict.id)
    )
    return {verdict.snapshot_id: verdict for verdict in rows}


def platforms_waiting(session: Session) -> dict[str, int]:
    rows = session.execute(
        sa.select(Listing.platform, sa.func.count())
        .join(ReviewTask, ReviewTask.listing_id == Listing.id)
        .where(ReviewTask.state.in_(WAITING))
        .group_by(Listing.platform)
        .order_by(Listing.platform)
    )
    return dict(iter(rows))


def _in_queue(wanted: QueueFilter, user: User, now: datetime) -> sa.Select[ReviewTask]:
    query = sa.select(ReviewTask)
    if wanted.tab is Tab.WAITING:
        query = query.where(ReviewTask.state.in_(WAITING))
    elif wanted.tab is Tab.MINE:
        query = query.where(held_now(user, now))
    else:
        query = query.where(ReviewTask.state == TaskState.DECIDED)
    if wanted.platform:
        query = query.where(ReviewTask.listing.has(Listing.platform == wanted.platform))
    if wanted.label:
        query = query.where(_newest_label() == wanted.label)
    return query


def _newest_label() -> sa.ScalarSelect[Label]:
    return (
        sa.select(Verdict.label)
        .where(Verdict.snapshot_id == ReviewTask.snapshot_id)
        .order_by(Verdict.id.desc())
        .limit(1)
        .scalar_subquery()
    )


def _in_order(query: sa.Select[ReviewTask], wanted: QueueFilter) -> sa.Select[ReviewTask]:
    if wanted.tab is Tab.DECIDED:
        return query.order_by(ReviewTask.id.desc())
    if wanted.sort is Sort.AGE:
        return query.order_by(ReviewTask.created_at, ReviewTask.id)
    return query.order_by(ReviewTask.priority.desc(), ReviewTask.id)


def _not_held_by_others(user: User, now: datetime) -> sa.ColumnElement[bool]:
    return sa.or_(
        ReviewTask.state == TaskState.QUEUED, ReviewTask.owner_id == user.id, ReviewTask.lease_until <= now
    )


def _newest_decisions(session: Session, tasks: Iterable[int]) -> dict[int, Decision]:
    rows = session.scalars(
        sa.select(Decision)
        .where(Decision.task_id.in_(list(tasks)))
        .options(joinedload(Decision.reviewer))
        .order_by(Decision.id)
    )
    return {decision.task_id: decision for decision in rows}
