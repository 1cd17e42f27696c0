"""What platforms say they cleaned beside our leads' listings, from information to accounts.

Claims like all others, and counted apart: nothing here is added to removals that we verified.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.orm import Session, aliased

from takedowns.ledger import audit
from takedowns.ledger.tables import CleanedItem, CleaningReport, Lead
from takedowns.ledger.vocabulary import Cleaned
from takedowns.replies.claims import Received
from takedowns.replies.columns import Reply
from takedowns.reports import Period

IDENTIFIER_AT_MOST = 500
# Turns one JSON parameter into rows within the database.
_ELEMENTS = {"sqlite": sa.func.json_each, "postgresql": sa.func.json_array_elements}
_INSERT: Mapping[str, Any] = {"sqlite": sqlite.insert, "postgresql": postgresql.insert}


@dataclass(frozen=True)
class Total:
    """Of one platform and kind: ``items`` are things named one by one, each once; ``told`` are numbers."""

    platform: str
    cleaned: Cleaned
    items: int
    told: int

    @property
    def quantity(self) -> int:
        return self.items + self.told


def report(
    session: Session, platform: str, lead: Lead | None, reply: Reply, received: Received
) -> list[CleaningReport]:
    """Add the reply's quantities; return what is new. What was told before adds nothing."""
    new = []
    for cleaned, quantity in reply.quantities.items():
        row = _row(platform, lead, cleaned, reply.claimed_at, received)
        row.quantity = quantity
        if not _is_known(session, row):
            session.add(row)
            _record(session, row, received, cleaned=cleaned, quantity=quantity)
            new.append(row)
    return new


def _is_known(session: Session, row: CleaningReport) -> bool:
    of_kind = sa.select(CleaningReport).where(CleaningReport.cleaned == row.cleaned)
    if session.scalars(of_kind.where(CleaningReport.source == row.source)).first():
        return True
    told = of_kind.where(CleaningReport.platform == row.platform, ~CleaningReport.listed)
    if row.lead_id is None:
        same = told.where(
            CleaningReport.lead_id.is_(None),
            CleaningReport.quantity == row.quantity,
            CleaningReport.claimed_at == row.claimed_at,  # never true of a report without time
        )
        return session.scalars(same).first() is not None
    newest = told.where(CleaningReport.lead_id == row.lead_id).order_by(
        CleaningReport.received_at.desc(), CleaningReport.id.desc()
    )
    last = session.scalars(newest.limit(1)).first()
    return last is not None and last.quantity == row.quantity


class Lists:
    """The lists of single things in one file: one report for each platform, lead, kind and day."""

    def __init__(self, session: Session, received: Received) -> None:
        """``received.source`` names the file; what an earlier reading of the same one left is taken up."""
        self.session = session
        self.received = received
        earlier = CleaningReport.source.startswith(f"{received.source}:list:", autoescape=True)
        found = session.scalars(sa.select(CleaningReport).where(earlier))
        self._lists = {(row.source, row.cleaned): _List(row) for row in found}

    def add(
        self, platform: str, lead: Lead | None, cleaned: Cleaned, thing: str, claimed_at: datetime | None
    ) -> None:
        """Kept in memory until :meth:`flush`."""
        parts = [platform, lead.number if lead else "", claimed_at.isoformat() if claimed_at else ""]
        source = ":".join((self.received.source, "list", *filter(None, parts)))
        if (source, cleaned) not in self._lists:
            row = _row(platform, lead, cleaned, claimed_at, replace(self.received, source=source))
            row.listed = True
            self.session.add(row)
            self._lists[source, cleaned] = _List(row)
        self._lists[source, cleaned].waiting.append(thing)

    def flush(self) -> int:
        """Write what waits; return how many things were not known before."""
        self.session.flush()
        waiting = [(entry.report.id, thing) for entry in self._lists.values() for thing in entry.waiting]
        for entry in self._lists.values():
            entry.length, entry.waiting = entry.length + len(entry.waiting), []
        return _insert(self.session, waiting) if waiting else 0

    def close(self, told: Iterable[CleaningReport]) -> None:
        """Write how long each list was. Quantities ``told`` beside a list of the same things do not count."""
        read = [entry for entry in self._lists.values() if entry.length]
        for entry in read:
            entry.report.quantity = max(entry.report.quantity, entry.length)
        covered = {(entry.report.platform, entry.report.cleaned) for entry in read}
        for row in told:
            row.listed = (row.platform, row.cleaned) in covered
        if read:
            named = sum(entry.length for entry in read)
            _record(self.session, read[0].report, self.received, lists=len(read), named=named)


@dataclass
class _List:
    report: CleaningReport
    waiting: list[str] = field(default_factory=list)
    length: int = 0


def _row(
    platform: str, lead: Lead | None, cleaned: Cleaned, claimed_at: datetime | None, received: Received
) -> CleaningReport:
    return CleaningReport(
        platform=platform,
        lead_id=lead.id if lead else None,
        cleaned=cleaned,
        quantity=0,
        listed=False,
        claimed_at=claimed_at,
        received_at=received.received_at,
        recorded_at=received.recorded_at,
        source=received.source,
    )


def _insert(session: Session, waiting: list[tuple[int, str]]) -> int:
    """One statement: row by row, a million things take many times as long."""
    dialect = session.get_bind().dialect.name
    things = _ELEMENTS[dialect](sa.literal(waiting, sa.JSON)).table_valued(sa.column("value", sa.JSON))
    report_id, identifier = things.c.value[0].as_integer(), things.c.value[1].as_string()
    rows = sa.select(report_id, CleaningReport.platform, CleaningReport.cleaned, identifier).join(
        CleaningReport, CleaningReport.id == report_id
    )
    names = ["report_id", "platform", "cleaned", "identifier"]
    # without a condition SQLite takes ON CONFLICT for the join's ON
    statement = _INSERT[dialect](CleanedItem).from_select(names, rows.where(sa.true()))
    done: Any = session.execute(
        statement.on_conflict_do_nothing(), execution_options={"preserve_rowcount": True}
    )
    return int(done.rowcount)


def totals(session: Session, period: Period | None = None) -> list[Total]:
    """What was cleaned by platform and kind, as the platforms tell it: in ``period``, or ever.

    It belongs to the time when it was done, if the platform said so, else to that when it was told. Of a
    lead the newest number counts, and none where the things were listed.
    """
    when = sa.func.coalesce(CleaningReport.claimed_at, CleaningReport.received_at)
    within = [when >= period.start, when < period.end] if period else []
    items = _items(session, within)
    told = _told(session, within)
    return [
        Total(platform, cleaned, items.get((platform, cleaned), 0), told.get((platform, cleaned), 0))
        for platform, cleaned in sorted(items.keys() | told.keys())
    ]


def _items(session: Session, within: list[sa.ColumnElement[bool]]) -> dict[tuple[str, Cleaned], int]:
    per_report = (
        sa.select(CleanedItem.report_id, sa.func.count().label("items"))
        .group_by(CleanedItem.report_id)
        .subquery()
    )
    return _summed(session, per_report.c["items"], within, per_report)


def _told(session: Session, within: list[sa.ColumnElement[bool]]) -> dict[tuple[str, Cleaned], int]:
    newest_first = sa.func.row_number().over(
        partition_by=(CleaningReport.lead_id, CleaningReport.cleaned),
        order_by=(CleaningReport.received_at.desc(), CleaningReport.id.desc()),
    )
    ranked = (
        sa.select(CleaningReport.id.label("report_id"), newest_first.label("rank"))
        .where(~CleaningReport.listed)
        .subquery()
    )
    other = aliased(CleaningReport)
    listed = sa.exists().where(
        other.lead_id == CleaningReport.lead_id, other.cleaned == CleaningReport.cleaned, other.listed
    )
    counts = sa.or_(CleaningReport.lead_id.is_(None), sa.and_(ranked.c.rank == 1, ~listed))
    return _summed(session, CleaningReport.quantity, [*within, counts], ranked)


def _summed(
    session: Session,
    number: sa.ColumnElement[int] | Any,
    where: list[sa.ColumnElement[bool]],
    beside: sa.Subquery,
) -> dict[tuple[str, Cleaned], int]:
    rows = session.execute(
        sa.select(CleaningReport.platform, CleaningReport.cleaned, sa.func.sum(number))
        .join(beside, beside.c.report_id == CleaningReport.id)
        .where(*where)
        .group_by(CleaningReport.platform, CleaningReport.cleaned)
    )
    return {(platform, cleaned): int(total) for platform, cleaned, total in rows}


def _record(session: Session, row: CleaningReport, received: Received, **payload: object) -> None:
    session.flush()
    audit.record(
        session,
        at=received.recorded_at,
        actor=received.actor,
        action="cleaning.report",
        subject=f"cleaning_report:{row.id}",
        payload={"source": received.source, **payload},
    )
