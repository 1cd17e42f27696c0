"""Giving evidence up when its time is over: never what a flag, a decision or a measurement rests on.

First it is said in the audit chain, then it is done: what was said and not done, for want of time or power,
is done the next time.
"""

from __future__ import annotations

import shutil
from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta
from pathlib import Path

import sqlalchemy as sa
from sqlalchemy.orm import Session

from crawlers.rundir import RunKind
from takedowns.evidence import keeping, manifest
from takedowns.evidence.store import Store
from takedowns.ledger import audit
from takedowns.ledger.tables import (
    CrawlRun,
    Decision,
    Flag,
    ListingDraw,
    ListingSnapshot,
    ReviewTask,
    Sighting,
    WorkItem,
)
from takedowns.ledger.vocabulary import WorkState

WORK_DAYS = 90  # of memory of what was done: patrols look 28 days back, nothing looks further


def due(session: Session, *, keep_days: int, now: datetime) -> list[str]:
    """Kept runs that ended more than ``keep_days`` ago and that nothing of consequence rests on."""
    old = sa.select(CrawlRun.run_id).where(CrawlRun.recorded_at < now - timedelta(days=keep_days))
    kept = keeping.all_vouched(session).keys() - keeping.expired(session)
    return sorted((set(session.scalars(old)) & kept) - _bound(session))


def forget_work(session: Session, *, now: datetime) -> None:
    """Delete work that ended more than :data:`WORK_DAYS` ago, but captures: they tell what a run shows."""
    session.execute(
        sa.delete(WorkItem).where(
            WorkItem.state.in_((WorkState.DONE, WorkState.GIVEN_UP)),
            WorkItem.finished_at < now - timedelta(days=WORK_DAYS),
            WorkItem.kind != RunKind.CAPTURE,
        )
    )


def give_up(session: Session, run_ids: Iterable[str], *, keep_days: int, now: datetime) -> None:
    """Say in the audit chain that those runs' evidence is given up."""
    for run_id in run_ids:
        audit.record(
            session,
            at=now,
            actor=keeping.ACTOR,
            action=keeping.EXPIRE,
            subject=f"crawl_run:{run_id}",
            payload={"keep_days": keep_days},
        )


def remove(session: Session, store: Store, runs: Path) -> Sequence[str]:
    """Delete what was given up and is still there, but for bytes that another run shares; return the runs.

    Raises ManifestError when a manifest cannot be read: who cannot tell what is shared must delete nothing.
    """
    given_up = keeping.expired(session)
    there = {run_id: manifest.load(store, run_id) for run_id in store.runs()}
    leaving = sorted(there.keys() & given_up)
    shared = {file.sha256 for run_id in there.keys() - given_up for file in there[run_id].files}
    for run_id in leaving:
        for file in there[run_id].files:
            if file.sha256 not in shared:
                store.path(file.sha256).unlink(missing_ok=True)
        shutil.rmtree(runs / run_id, ignore_errors=True)  # its files are the store's
        store.manifest(run_id).unlink()
    return leaving


def _bound(session: Session) -> set[str]:
    """Runs that show a listing that was flagged or reviewed, that drew the random arm's, or photographed."""
    listings = sa.union(
        sa.select(Flag.listing_id), sa.select(ReviewTask.listing_id), sa.select(Decision.listing_id)
    )
    queries = (
        sa.select(ListingSnapshot.evidence).where(ListingSnapshot.listing_id.in_(listings)),
        sa.select(Sighting.evidence).where(Sighting.listing_id.in_(listings)),
        sa.select(ListingDraw.run_id),
        sa.select(WorkItem.run_id).where(WorkItem.kind == RunKind.CAPTURE),
    )
    places = (place for query in queries for place in session.scalars(query))
    return {place.partition("/")[0] for place in places if place}
