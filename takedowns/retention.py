"""Forgetting what came to nothing: listings that nobody and nothing suspected, once their days are over.

Kept for ever here: whatever was flagged, reviewed, tipped or drawn by the random arm, for findings and
figures rest on it.
"""

from __future__ import annotations

from collections import Counter
from datetime import datetime, timedelta

import sqlalchemy as sa
from sqlalchemy.orm import Session

from takedowns.ledger import audit
from takedowns.ledger.engine import Ledger
from takedowns.ledger.tables import (
    ContactHash,
    Decision,
    Flag,
    LicenceClaim,
    Listing,
    ListingDraw,
    ListingPicture,
    ListingSnapshot,
    Relisting,
    ReviewTask,
    Seller,
    SellerLink,
    SellerSighting,
    Sighting,
    Tip,
    Verdict,
)

ACTOR = "system:retention"
BATCH = 1000  # listings in a transaction: the desk must not wait for long


def forget(ledger: Ledger, *, non_hit_days: int, now: datetime) -> Counter[str]:
    """Delete non-hits not seen for ``non_hit_days``; the number of rows deleted by table."""
    deleted: Counter[str] = Counter()
    while True:
        with ledger.write() as session:
            listings = due(session, non_hit_days=non_hit_days, now=now)
            if not listings:
                return deleted
            gone = _delete(session, listings)
            audit.record(
                session,
                at=now,
                actor=ACTOR,
                action="retention.forget",
                subject="listing",
                payload={"non_hit_days": non_hit_days, **gone},
            )
            deleted.update(gone)


def due(session: Session, *, non_hit_days: int, now: datetime) -> list[int]:
    """The ids of up to BATCH listings to be forgotten, in order."""
    before = now - timedelta(days=non_hit_days)
    snapshots = sa.select(ListingSnapshot.listing_id).where(ListingSnapshot.observed_at >= before)
    sightings = sa.select(Sighting.listing_id).where(Sighting.observed_at >= before)
    seen = sa.union_all(snapshots, sightings).subquery()
    bound = [
        sa.exists().where(column == Listing.id)
        for column in (
            *(Flag.listing_id, ReviewTask.listing_id, Decision.listing_id, Relisting.listing_id),
            *(Tip.listing_id, ListingDraw.listing_id, seen.c.listing_id),
        )
    ]
    return list(
        session.scalars(
            sa.select(Listing.id)
            .where(Listing.first_seen_at < before, ~sa.or_(*bound))
            .order_by(Listing.id)
            .limit(BATCH)
        )
    )


def _delete(session: Session, listings: list[int]) -> dict[str, int]:
    """Children first."""
    snapshots = sa.select(ListingSnapshot.id).where(ListingSnapshot.listing_id.in_(listings))
    verdicts = sa.select(Verdict.id).where(Verdict.snapshot_id.in_(snapshots))
    of_these = sa.select(Listing.seller_id).where(Listing.id.in_(listings), Listing.seller_id.is_not(None))
    sellers = list(session.scalars(of_these.distinct()))
    steps: dict[str, sa.Delete] = {
        "licence_claim": sa.delete(LicenceClaim).where(LicenceClaim.verdict_id.in_(verdicts)),
        "verdict": sa.delete(Verdict).where(Verdict.snapshot_id.in_(snapshots)),
        **{
            table.__tablename__: sa.delete(table).where(table.listing_id.in_(listings))
            for table in (Sighting, ListingSnapshot, ContactHash, ListingPicture)
        },
        "listing": sa.delete(Listing).where(Listing.id.in_(listings)),
        "seller": sa.delete(Seller).where(Seller.id.in_(sellers), ~sa.or_(*_holding_a_seller())),
    }
    connection = session.connection()
    return {name: connection.execute(step).rowcount for name, step in steps.items()}


def _holding_a_seller() -> list[sa.ColumnElement[bool]]:
    columns = (Listing.seller_id, SellerLink.seller_id, SellerLink.other_id, SellerSighting.seller_id)
    return [sa.exists().where(column == Seller.id) for column in columns]
