"""Everything that the item page shows, read in one go."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from urllib.parse import urlsplit

import sqlalchemy as sa
from sqlalchemy.orm import Session, joinedload

from takedowns.desk.marks import Marked
from takedowns.desk.reads import counts, queue, tracker
from takedowns.desk.reads.common import stands
from takedowns.desk.reasons import NOTHING, TITLE_AT_MOST, Explanation, explain
from takedowns.desk.visit import Visit
from takedowns.ledger.tables import (
    Decision,
    Lead,
    Listing,
    ListingSnapshot,
    Relisting,
    ReviewTask,
    Sighting,
    Verdict,
)
from takedowns.ledger.vocabulary import Finding

HISTORY_AT_MOST = 20
ATTRIBUTES_AT_MOST = 100
NAME_AT_MOST = 200


@dataclass(frozen=True)
class SellerRecord:
    """What else is known of the seller."""

    listings: int
    violations: int
    leads: int


@dataclass(frozen=True)
class Attribute:
    name: str
    value: Marked


@dataclass(frozen=True)
class ItemView:
    task: ReviewTask
    listing: Listing
    snapshot: ListingSnapshot
    verdict: Verdict | None
    explanation: Explanation
    title: Marked
    description: Marked
    attributes: tuple[Attribute, ...]
    attributes_left_out: int
    price: Marked | None
    shop: Marked | None
    link: str | None
    snapshots: int
    sighting: Sighting | None
    earlier: Sequence[Decision]
    relisted_from: Sequence[Relisting]
    seller: SellerRecord | None
    recent: Sequence[Decision]
    counts: dict[str, int]
    held: Sequence[ReviewTask]
    mine: bool


def load(session: Session, task_id: int, visit: Visit) -> ItemView:
    task = session.get_one(
        ReviewTask,
        task_id,
        options=[
            joinedload(ReviewTask.listing).joinedload(Listing.seller),
            joinedload(ReviewTask.snapshot),
            joinedload(ReviewTask.owner),
        ],
    )
    listing, snapshot = task.listing, task.snapshot
    verdict = queue.newest_verdicts(session, [snapshot.id]).get(snapshot.id)
    why = explain(verdict.payload, visit.desk.concepts, visit.lang) if verdict else NOTHING
    held = queue.held_by(session, visit.user, now=visit.now)
    return ItemView(
        task=task,
        listing=listing,
        snapshot=snapshot,
        verdict=verdict,
        explanation=why,
        title=why.field("title", snapshot.title, TITLE_AT_MOST),
        description=why.field("description", snapshot.description),
        attributes=_attributes(snapshot, why),
        attributes_left_out=max(0, len(snapshot.attributes) - ATTRIBUTES_AT_MOST),
        price=why.field("price", snapshot.price_raw, NAME_AT_MOST) if snapshot.price_raw else None,
        shop=why.field("shop", listing.seller.name, NAME_AT_MOST) if listing.seller else None,
        link=listing.url if urlsplit(listing.url).scheme in ("http", "https") else None,
        snapshots=_count(session, ListingSnapshot.listing_id == listing.id),
        sighting=tracker.last_sightings(session, [listing.id]).get(listing.id),
        earlier=_earlier(session, listing),
        relisted_from=_relisted_from(session, listing),
        seller=_record(session, listing.seller_id) if listing.seller_id else None,
        recent=queue.recent_decisions(session, visit.user),
        counts=counts.tally(session, visit.user, now=visit.now),
        held=held,
        mine=any(other.id == task.id for other in held),
    )


def _attributes(snapshot: ListingSnapshot, why: Explanation) -> tuple[Attribute, ...]:
    first = list(snapshot.attributes.items())[:ATTRIBUTES_AT_MOST]
    return tuple(Attribute(name, why.field(f"attributes.{name}", str(value))) for name, value in first)


def _earlier(session: Session, listing: Listing) -> Sequence[Decision]:
    return session.scalars(
        sa.select(Decision)
        .where(Decision.listing_id == listing.id)
        .options(joinedload(Decision.reviewer))
        .order_by(Decision.id.desc())
        .limit(HISTORY_AT_MOST)
    ).all()


def _relisted_from(session: Session, listing: Listing) -> Sequence[Relisting]:
    return session.scalars(
        sa.select(Relisting)
        .where(Relisting.listing_id == listing.id)
        .options(joinedload(Relisting.lead))
        .order_by(Relisting.id)
        .limit(HISTORY_AT_MOST)
    ).all()


def _record(session: Session, seller_id: int) -> SellerRecord:
    of_seller = Listing.seller_id == seller_id
    decided = sa.select(sa.func.count(sa.distinct(Decision.listing_id))).join(Decision.listing)
    leads = sa.select(sa.func.count(Lead.id)).join(Lead.listing)
    return SellerRecord(
        listings=_count(session, of_seller),
        violations=session.scalar(decided.where(of_seller, stands(), Decision.finding == Finding.VIOLATION))
        or 0,
        leads=session.scalar(leads.where(of_seller)) or 0,
    )


def _count(session: Session, which: sa.ColumnElement[bool]) -> int:
    return session.scalar(sa.select(sa.func.count()).where(which)) or 0
