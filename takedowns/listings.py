"""The rows of listings, sellers and snapshots: found if known, added if new."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from datetime import datetime

import sqlalchemy as sa
from sqlalchemy.orm import Session

from crawlers import listing as seen
from takedowns.content import content_of, digest, storable, storable_or_none
from takedowns.ledger.tables import Listing, ListingSnapshot, Seller

AT_ONCE = 500  # rows asked for by name in one statement
LONGEST_ID = 255  # characters; PostgreSQL cannot index a value of more than 2,704 bytes


def find(session: Session, platform: str, item_id: str) -> Listing | None:
    known = sa.select(Listing).filter_by(platform=platform, item_id=storable(item_id))
    return session.scalars(known).one_or_none()


def ids(session: Session, identities: Iterable[tuple[str, str]]) -> dict[tuple[str, str], int]:
    """(platform, item id) → the listing's row id, of those that are known."""
    items: dict[str, list[str]] = {}
    for platform, item_id in identities:
        items.setdefault(platform, []).append(item_id)
    found: dict[tuple[str, str], int] = {}
    for platform, asked in items.items():
        for start in range(0, len(asked), AT_ONCE):
            part = {storable(item_id): item_id for item_id in asked[start : start + AT_ONCE]}
            rows = sa.select(Listing.item_id, Listing.id).where(
                Listing.platform == platform, Listing.item_id.in_(part)
            )
            found |= {(platform, part[stored]): row for stored, row in session.execute(rows)}
    return found


def find_or_add(
    session: Session, platform: str, item_id: str, url: str, *, road: str, now: datetime
) -> tuple[Listing, bool]:
    """The listing's row, and whether it is new."""
    known = find(session, platform, item_id)
    if known:
        return known, False
    row = Listing(
        platform=platform, item_id=storable(item_id), url=storable(url), first_seen_at=now, road=road
    )
    session.add(row)
    session.flush()
    return row, True


def find_or_add_snapshot(
    session: Session, row: Listing, listing: seen.Listing, *, now: datetime, run_id: str | None = None
) -> tuple[ListingSnapshot, bool]:
    """The snapshot of ``row`` with the content of ``listing``, and whether it is new."""
    content = content_of(listing)
    sha256 = digest(content)
    query = sa.select(ListingSnapshot).filter_by(listing_id=row.id, sha256=sha256)
    known = session.scalars(query).one_or_none()
    if known:
        return known, False
    snapshot = ListingSnapshot(
        listing=row,
        sha256=sha256,
        **content,
        sources=_sources(listing),
        observed_at=listing.observed_at,
        recorded_at=now,
        run_id=run_id,
        evidence=evidence_place(run_id, listing.evidence),
    )
    session.add(snapshot)
    session.flush()
    return snapshot, True


def _sources(listing: seen.Listing) -> dict[str, str]:
    found_by = {"found_by": storable(listing.found_by)} if listing.found_by else {}
    return {**listing.sources, **found_by}


def current_snapshot(listing: Listing) -> ListingSnapshot | None:
    """The newest content seen of ``listing``."""
    return max(listing.snapshots, key=lambda snapshot: (snapshot.observed_at, snapshot.id), default=None)


def seller_row(session: Session, platform: str, seller: seen.Seller) -> Seller:
    external_id = _indexable(storable(seller.external_id))
    known = sa.select(Seller).filter_by(platform=platform, kind=seller.kind, external_id=external_id)
    row = session.scalars(known).one_or_none()
    return row or Seller(
        platform=platform,
        kind=seller.kind,
        external_id=external_id,
        name=storable(seller.name),
        url=storable_or_none(seller.url),
    )


def _indexable(external_id: str) -> str:
    """A shop without id is known by its name, and a name can be as long as its owner likes."""
    if len(external_id) <= LONGEST_ID:
        return external_id
    return f"sha256:{hashlib.sha256(external_id.encode()).hexdigest()}"


def evidence_place(run_id: str | None, place: str | None) -> str | None:
    return f"{run_id}/{place}" if run_id and place else place
