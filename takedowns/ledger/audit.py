"""The audit chain: each entry holds the hash of the one before, so that a changed or removed entry shows."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Session

from takedowns.ledger.tables import AuditEntry

GENESIS = "0" * 64


def record(
    session: Session, *, at: datetime, actor: str, action: str, subject: str, payload: dict[str, Any]
) -> AuditEntry:
    """Append an entry in the caller's transaction.

    ``actor`` is a login or ``system:<part>``, ``subject`` is ``<table>:<id>``. Two writers cannot both follow
    the same entry: the unique ``previous_hash`` makes the later commit fail.
    """
    if session.get_bind().dialect.name == "postgresql":
        # Waits for its turn rather than failing; SQLite has one writer anyway.
        session.execute(sa.text("LOCK TABLE audit_entry IN SHARE ROW EXCLUSIVE MODE"))
    last = session.scalars(sa.select(AuditEntry).order_by(AuditEntry.seq.desc()).limit(1)).first()
    entry = AuditEntry(
        seq=last.seq + 1 if last else 1,
        at=at,
        actor=actor,
        action=action,
        subject=subject,
        payload=payload,
        previous_hash=last.hash if last else GENESIS,
    )
    entry.hash = _digest(entry)
    session.add(entry)
    session.flush()
    return entry


def verify(session: Session) -> Iterator[str]:
    """Yield one sentence for each break in the chain; nothing when it is whole."""
    previous, expected = GENESIS, 1
    for entry in session.scalars(sa.select(AuditEntry).order_by(AuditEntry.seq)):
        if entry.seq != expected:
            yield f"entry {expected} is missing: the next one found is {entry.seq}"
        if entry.previous_hash != previous:
            yield f"entry {entry.seq} does not follow the entry before it"
        if entry.hash != _digest(entry):
            yield f"entry {entry.seq} was changed after it was written"
        previous, expected = entry.hash, entry.seq + 1


def _digest(entry: AuditEntry) -> str:
    content = {
        "seq": entry.seq,
        "at": entry.at.astimezone(UTC).isoformat(),  # as it is read back
        "actor": entry.actor,
        "action": entry.action,
        "subject": entry.subject,
        "payload": entry.payload,
        "previous_hash": entry.previous_hash,
    }
    canonical = json.dumps(content, ensure_ascii=False, sort_keys=True, separators=(",", ":"))
    return hashlib.sha256(canonical.encode()).hexdigest()
