"""Everything that the item page shows, read in one go."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from urllib.parse import urlsplit

import sqlalchemy as sa
from sqlalchemy.orm import Session, joinedload

from classifiers import claims
from takedowns import borrowed
from takedowns.borrowed import Elsewhere
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
    elsewhere: Mapping[int, Elsewhere]
    title: Marked
    description: Marked
    attributes: tuple[Attribute, ...]
    attributes_left_out: int
    pictures: tuple[Marked, ...]
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
        elsewhere=_elsewhere(session, snapshot, why),
        title=why.field("title", snapshot.title, TITLE_AT_MOST),
        description=why.field("description", snapshot.description),
        attributes=_attributes(snapshot, why),
        attributes_left_out=max(0, len(snapshot.attributes) - ATTRIBUTES_AT_MOST),
        pictures=_pictures(verdict, why),
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


def _elsewhere(session: Session, snapshot: ListingSnapshot, why: Explanation) -> dict[int, Elsewhere]:
    """By the line that a licence number has in the explanation: the other shops that show it, if any do."""
    found: dict[int, Elsewhere] = {}
    for check in why.checks:
        if number := claims.number(check.claim.kind, check.claim.text):
            there = borrowed.of_listing(session, snapshot, check.claim.kind, number)
            found |= {check.number: there} if there else {}
    return found


def _attributes(snapshot: ListingSnapshot, why: Explanation) -> tuple[Attribute, ...]:
    first = list(snapshot.attributes.items())[:ATTRIBUTES_AT_MOST]
    texts = ((name, str(value) or name) for name, value in first)
    return tuple(Attribute(name, why.field(f"attributes.{name}", text)) for name, text in texts)


def _pictures(verdict: Verdict | None, why: Explanation) -> tuple[Marked, ...]:
    """What was read in the listing's pictures; a verdict that needed none has no such key."""
    images = verdict.payload.get("images", []) if verdict else []
    return tuple(why.field(f"images.{n}", image["text"]) for n, image in enumerate(images) if image["text"])


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
