"""Everything that the ledger recorded in a period, as one zip: every table row by row, without a cap.

``tables/<name>.jsonl``  the rows as they stand, one JSON object a line
``leads.csv``            a line for each lead of the period, for people with a spreadsheet
``manifest.json``        rows and SHA-256 of each file

Never in it: passwords, sessions, and the counters of numbers.
"""

from __future__ import annotations

import csv
import hashlib
import io
import json
import zipfile
from collections.abc import Iterator, Mapping
from datetime import datetime
from pathlib import Path
from types import MappingProxyType
from typing import IO, Any

import sqlalchemy as sa
from sqlalchemy.orm import Session, selectinload

from takedowns.ledger.tables import Decision, Lead, Listing
from takedowns.ledger.vocabulary import Base
from takedowns.reports.csvfile import safe
from takedowns.reports.period import Period

SECRET = frozenset({"user_session", "number_series"})
SECRET_COLUMNS = frozenset({"password_hash"})
# The columns that say when a row was written; the first that a table has counts.
WRITTEN = (
    "recorded_at",
    "created_at",
    "decided_at",
    "drawn_at",
    "first_seen_at",
    "started_at",
    "at",
    "observed_at",
    "fetched_at",
)
# Rows without a time of their own belong to another's.
PARENT: Mapping[str, tuple[str, str]] = MappingProxyType(
    {
        "licence_claim": ("verdict_id", "verdict"),
        "notice_lead": ("notice_id", "notice"),
        "dispatch_file": ("dispatch_id", "dispatch"),
        "handover_lead": ("handover_id", "handover"),
        "cleaned_item": ("report_id", "cleaning_report"),
    }
)
WHOLE = frozenset(
    {"seller", "app_user"}
)  # no time: given whole, so that every id of the period can be resolved
BATCH = 2000
LEAD_COLUMNS = (
    *(
        "number",
        "platform",
        "item_id",
        "url",
        "seller",
        "title",
        "category",
        "state",
        "created_at",
        "sent_at",
    ),
    *("claimed", "claimed_at", "found", "found_at", "closed_at", "previous"),
)


def write(session: Session, path: Path, period: Period | None) -> dict[str, int]:
    """Write the zip (of all times if ``period`` is None); return the number of rows by file.

    It is complete or not there: what a broken-off export left is a file named ``….part``.
    """
    unfinished = path.with_name(f"{path.name}.part")
    with zipfile.ZipFile(unfinished, "w", zipfile.ZIP_DEFLATED) as archive:
        told = {f"tables/{table.name}.jsonl": _rows(session, archive, table, period) for table in _tables()}
        told["leads.csv"] = _leads(session, archive, period)
        manifest = {"period": str(period) if period else None, "files": told}
        archive.writestr("manifest.json", json.dumps(manifest, ensure_ascii=False, indent=1))
    unfinished.replace(path)
    return {name: int(file["rows"]) for name, file in told.items()}


def _tables() -> Iterator[sa.Table]:
    return (table for table in Base.metadata.sorted_tables if table.name not in SECRET)


def _rows(
    session: Session, archive: zipfile.ZipFile, table: sa.Table, period: Period | None
) -> dict[str, int | str]:
    columns = [column for column in table.columns if column.name not in SECRET_COLUMNS]
    chosen = sa.select(*columns).order_by(*table.primary_key.columns)
    if period and table.name not in WHOLE:
        chosen = _within(chosen, table, period)
    with archive.open(f"tables/{table.name}.jsonl", "w") as raw:
        file = _Counted(raw)
        for row in session.execute(chosen.execution_options(yield_per=BATCH)).mappings():
            file.line(json.dumps(dict(row), ensure_ascii=False, default=_plain) + "\n")
        return file.told


def _within(chosen: sa.Select[Any], table: sa.Table, period: Period) -> sa.Select[Any]:
    if table.name in PARENT:
        column, name = PARENT[table.name]
        parent = Base.metadata.tables[name]
        key = next(iter(parent.primary_key.columns))
        return _within(chosen.join(parent, table.columns[column] == key), parent, period)
    written = next(table.columns[name] for name in WRITTEN if name in table.columns)
    return chosen.where(written >= period.start, written < period.end)


def _leads(session: Session, archive: zipfile.ZipFile, period: Period | None) -> dict[str, int | str]:
    chosen = (
        sa.select(Lead)
        .order_by(Lead.number)
        .options(
            selectinload(Lead.listing).selectinload(Listing.seller),
            selectinload(Lead.decision).selectinload(Decision.snapshot),
            selectinload(Lead.responses),
            selectinload(Lead.verifications),
        )
    )
    if period:
        chosen = chosen.where(Lead.created_at >= period.start, Lead.created_at < period.end)
    with archive.open("leads.csv", "w") as raw:
        file = _Counted(raw)
        file.heading("\ufeff" + _csv(LEAD_COLUMNS))  # Excel reads GB18030 without the mark
        for lead in session.scalars(chosen.execution_options(yield_per=BATCH)):
            file.line(_csv(_lead(lead)))
        return file.told


def _lead(lead: Lead) -> Iterator[Any]:
    listing, claim, found = lead.listing, lead.responses[-1:], lead.verifications[-1:]
    yield from (lead.number, listing.platform, listing.item_id, listing.url)
    yield from (listing.seller.name if listing.seller else "", lead.decision.snapshot.title)
    yield from (lead.decision.category, lead.state, lead.created_at, lead.sent_at)
    yield from (claim[0].measure, claim[0].claimed_at) if claim else ("", "")
    yield from (found[0].outcome, found[0].observed_at) if found else ("", "")
    yield from (lead.closed_at, lead.previous_lead_id)


def _csv(cells: Any) -> str:
    out = io.StringIO(newline="")
    csv.writer(out).writerow([safe("" if cell is None else str(_plain(cell))) for cell in cells])
    return out.getvalue()


def _plain(value: Any) -> Any:
    return value.isoformat() if isinstance(value, datetime) else str(value)


class _Counted:
    """A file that knows how many rows it holds, and its hash."""

    def __init__(self, file: IO[bytes]) -> None:
        self._file, self._hash, self._rows = file, hashlib.sha256(), 0

    def heading(self, text: str) -> None:
        data = text.encode("utf-8", "surrogatepass")
        self._file.write(data)
        self._hash.update(data)

    def line(self, text: str) -> None:
        self.heading(text)
        self._rows += 1

    @property
    def told(self) -> dict[str, int | str]:
        return {"rows": self._rows, "sha256": self._hash.hexdigest()}
