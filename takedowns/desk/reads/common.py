"""What several screens need: a page of rows, and conditions on tasks and decisions."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Generic, TypeVar

import sqlalchemy as sa
from sqlalchemy.orm import aliased, defer
from sqlalchemy.orm.strategy_options import _AbstractLoad

from takedowns.ledger.tables import (
    Decision,
    ListingSnapshot,
    ReviewTask,
    User,
)
from takedowns.ledger.vocabulary import Finding
from takedowns.states import TaskState

Row = TypeVar("Row")
ROWS = 50
WAITING = (TaskState.QUEUED, TaskState.LEASED)


@dataclass(frozen=True)
class Page(Generic[Row]):
    rows: Sequence[Row]
    total: int
    number: int

    @property
    def last(self) -> int:
        return max(1, -(-self.total // ROWS))


def title_only() -> tuple[_AbstractLoad, ...]:
    """Descriptions can be long, and no list shows them."""
    return (
        defer(ListingSnapshot.description),
        defer(ListingSnapshot.attributes),
        defer(ListingSnapshot.images),
    )


def stands() -> sa.ColumnElement[bool]:
    """Neither overridden nor itself the trace of an undo."""
    later = aliased(Decision)
    overridden = sa.exists().where(later.overrides_id == Decision.id)
    return sa.and_(Decision.finding != Finding.UNDETERMINED, ~overridden)


def held_now(user: User, now: datetime) -> sa.ColumnElement[bool]:
    leased = ReviewTask.state == TaskState.LEASED
    return sa.and_(leased, ReviewTask.owner_id == user.id, ReviewTask.lease_until > now)
