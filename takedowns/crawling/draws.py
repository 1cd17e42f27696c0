"""What the random arm drew, into the ledger: each position with its probabilities and what was seen there."""

from __future__ import annotations

from datetime import datetime

import sqlalchemy as sa
from sqlalchemy.orm import Session

from crawlers import listing as seen
from crawlers import rundir
from takedowns import listings
from takedowns.content import content_of, digest, storable
from takedowns.ledger.tables import ListingDraw, ListingSnapshot


def store(session: Session, run: rundir.Run, platform: str, *, now: datetime) -> None:
    """After the run's listings were stored: a draw names the listing and the content that its page showed."""
    shown = {listing.item_id: listing for listing in run.listings}
    for look in run.draws:
        row = listings.find(session, platform, look.item_id)
        read = shown.get(look.item_id)
        session.add(
            ListingDraw(
                run_id=run.path.name,
                stratum=look.stratum,
                query=storable(look.query),
                position=look.position,
                item_id=storable(look.item_id),
                listing_id=row.id if row else None,
                snapshot_id=_snapshot(session, row.id, read) if row and read else None,
                probability=look.probability,
                multiplicity=look.multiplicity,
                listing_probability=look.listing_probability,
                state=look.state,
                reason=look.reason,
                observed_at=look.observed_at,
                recorded_at=now,
                evidence=listings.evidence_place(run.path.name, look.evidence),
            )
        )


def _snapshot(session: Session, listing_id: int, read: seen.Listing) -> int | None:
    content = digest(content_of(read))
    return session.scalar(sa.select(ListingSnapshot.id).filter_by(listing_id=listing_id, sha256=content))
