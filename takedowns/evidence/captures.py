"""What is to be photographed: listings that were flagged, or whose state changed, since their last capture.

A capture that showed no page, for a wall or an error, does not count as one, and is tried again as long as
its cause is young.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Session

from crawlers.listing import Presence
from crawlers.rundir import RunKind
from takedowns.evidence import pictures
from takedowns.evidence.store import Store
from takedowns.ledger.tables import CrawlRun, Flag, Listing, Sighting, WorkItem
from takedowns.ledger.vocabulary import WorkState
from takedowns.listings import current_snapshot

YOUNG = timedelta(days=14)
CONCLUSIVE = (Presence.UP, Presence.GONE, Presence.ALTERED)
AT_MOST = 300  # captures in a run: at the floor of three seconds, a quarter of an hour


@dataclass(frozen=True)
class Cause:
    """Why a listing is to be photographed: ``flag:<id>`` or ``sighting:<id>``."""

    listing_id: int
    name: str
    at: datetime


def due(session: Session, store: Store, platform: str, *, now: datetime) -> dict[str, dict[str, Any]]:
    """Item id → detail of the work item, the newest cause first."""
    causes = [*_flags(session, platform, now), *_changes(session, platform, now)]
    newest = newest_uncaptured(causes, _last_captures(session, platform))
    ordered = sorted(newest.values(), key=lambda cause: cause.at, reverse=True)[:AT_MOST]
    wanted = sa.select(Listing).where(Listing.id.in_([cause.listing_id for cause in ordered]))
    listings = {row.id: row for row in session.scalars(wanted)}
    return {
        listings[cause.listing_id].item_id: _detail(session, store, listings[cause.listing_id], cause)
        for cause in ordered
    }


def newest_uncaptured(causes: Iterable[Cause], captured: dict[int, datetime]) -> dict[int, Cause]:
    """Listing → its newest cause, where no capture was made after it."""
    found: dict[int, Cause] = {}
    for cause in sorted(causes, key=lambda cause: cause.at):
        if cause.listing_id not in captured or captured[cause.listing_id] < cause.at:
            found[cause.listing_id] = cause
    return found


def captured_in(session: Session, platform: str, item_id: str) -> list[str]:
    """The runs that photographed a listing, oldest first."""
    done = sa.select(WorkItem.run_id).where(*_captures(platform), WorkItem.subject == item_id)
    return [run_id for run_id in session.scalars(done.order_by(WorkItem.id)) if run_id]


def _detail(session: Session, store: Store, listing: Listing, cause: Cause) -> dict[str, Any]:
    snapshot = current_snapshot(listing)
    return {
        "url": listing.url,
        "title": snapshot.title if snapshot else None,
        "cause": cause.name,
        "pictures": pictures.wanted(session, store, snapshot.images) if snapshot else [],
    }


def _flags(session: Session, platform: str, now: datetime) -> Iterator[Cause]:
    rows = session.execute(
        sa.select(Flag.listing_id, Flag.id, Flag.created_at)
        .join(Listing, Listing.id == Flag.listing_id)
        .where(Listing.platform == platform, Flag.created_at > now - YOUNG)
    )
    return (Cause(listing_id, f"flag:{flag}", at) for listing_id, flag, at in rows)


def _changes(session: Session, platform: str, now: datetime) -> Iterator[Cause]:
    """Sightings that differ from the one before, among those that could tell, of runs that can be trusted."""
    listing = sa.select(Listing.id).where(Listing.platform == platform)
    telling = (Sighting.listing_id.in_(listing), Sighting.state.in_(CONCLUSIVE), CrawlRun.trusted)
    young = sa.select(Sighting.listing_id).where(Sighting.observed_at > now - YOUNG)
    rows = session.execute(
        sa.select(Sighting.listing_id, Sighting.id, Sighting.state, Sighting.observed_at)
        .join(CrawlRun)
        .where(*telling, Sighting.listing_id.in_(young))
        .order_by(Sighting.observed_at, Sighting.id)
    )
    before: defaultdict[int, Presence] = defaultdict(lambda: Presence.UP)  # it was up when it was found
    for listing_id, sighting, state, at in rows:
        if state is not before[listing_id] and at > now - YOUNG:
            yield Cause(listing_id, f"sighting:{sighting}", at)
        before[listing_id] = state


def _last_captures(session: Session, platform: str) -> dict[int, datetime]:
    # A run that was killed has no end, but what it had photographed by then is done.
    at = sa.func.coalesce(CrawlRun.finished_at, CrawlRun.started_at)
    rows = session.execute(
        sa.select(Listing.id, sa.func.max(at).label("at"))
        .join(WorkItem, sa.and_(WorkItem.subject == Listing.item_id, WorkItem.platform == Listing.platform))
        .join(CrawlRun, CrawlRun.run_id == WorkItem.run_id)
        .where(*_captures(platform))
        .group_by(Listing.id)
    )
    return {row.id: row.at for row in rows}


def _captures(platform: str) -> tuple[sa.ColumnElement[bool], ...]:
    return (
        WorkItem.platform == platform,
        WorkItem.kind == RunKind.CAPTURE,
        WorkItem.state == WorkState.DONE,
    )
