"""Evidence at intake: the run's files into the store, and the manifest's hash into the audit chain."""

from __future__ import annotations

from collections.abc import Iterable
from contextlib import suppress
from datetime import datetime

import sqlalchemy as sa
from sqlalchemy.orm import Session

from takedowns.evidence import manifest
from takedowns.evidence.manifest import Manifest, ManifestError
from takedowns.evidence.store import Store, place
from takedowns.ledger import audit
from takedowns.ledger.tables import AuditEntry

ACTOR = "system:evidence"
KEEP = "evidence.keep"
EXPIRE = "evidence.expire"


def keep(session: Session, store: Store, made: Manifest, *, now: datetime) -> Manifest:
    """Vouch for what :func:`manifest.make` put into the store. A run that was kept before is left as it is.

    In the transaction of the intake: what cannot be kept is not taken in either.
    """
    run_id = made.run_id
    if store.manifest(run_id).exists() and vouched(session, run_id):
        return manifest.load(store, run_id)
    place(store.manifest(run_id), made.canonical)
    payload = {
        "manifest_sha256": made.sha256,
        "files": len(made.files),
        "bytes": sum(kept.size for kept in made.files),
    }
    audit.record(session, at=now, actor=ACTOR, action=KEEP, subject=_subject(run_id), payload=payload)
    return made


def vouched(session: Session, run_id: str) -> str | None:
    """The hash that the run's manifest must have, from the audit chain; None for a run that was not kept."""
    entry = session.scalars(
        sa.select(AuditEntry)
        .where(AuditEntry.action == KEEP, AuditEntry.subject == _subject(run_id))
        .order_by(AuditEntry.seq.desc())
        .limit(1)
    ).first()
    return entry.payload["manifest_sha256"] if entry else None


def check(session: Session, store: Store, run_ids: Iterable[str]) -> None:
    """Raises ManifestError for a run whose manifest is not the one that was kept, or cannot be read."""
    kept = all_vouched(session)
    for run_id in run_ids:
        with suppress(LookupError):
            if manifest.load(store, run_id).sha256 != kept.get(run_id):
                raise ManifestError(
                    f"{store.manifest(run_id)} is not the manifest that the audit chain names"
                )


def all_vouched(session: Session) -> dict[str, str]:
    """Run → the hash that its manifest must have."""
    entries = session.scalars(sa.select(AuditEntry).where(AuditEntry.action == KEEP).order_by(AuditEntry.seq))
    return {entry.subject.removeprefix(_subject("")): entry.payload["manifest_sha256"] for entry in entries}


def _subject(run_id: str) -> str:
    return f"crawl_run:{run_id}"


def expired(session: Session) -> set[str]:
    """The runs whose evidence was given up by retention, as the audit chain says."""
    subjects = session.scalars(sa.select(AuditEntry.subject).where(AuditEntry.action == EXPIRE))
    return {subject.removeprefix(_subject("")) for subject in subjects}
