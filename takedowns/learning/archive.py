"""The archive as a stream: what every listing says now, and the newest verdict on it, page by page."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, cast

import sqlalchemy as sa
from sqlalchemy.orm import Session, aliased

from classifiers.verdict import Label, ListingText
from takedowns import intake
from takedowns.ledger.engine import Ledger
from takedowns.ledger.tables import Listing, ListingSnapshot, Seller, Verdict

PAGE = 256  # listings; enough for the classifier's speed, little enough to hold a few pages in memory
_CONTENT = ("id", "title", "description", "attributes", "price", "price_raw", "lang", "images")


@dataclass(frozen=True, slots=True)
class Standing:
    """What a verdict comes to."""

    label: Label
    score: float
    flagged: bool


@dataclass(frozen=True, slots=True)
class Archived:
    """A listing's current content, and the newest verdict on it, if there is one."""

    listing_id: int
    snapshot_id: int
    item_id: str
    seller_id: int | None
    text: ListingText
    verdict_id: int | None
    standing: Standing | None


def size(session: Session) -> int:
    """Listings whose content is known."""
    return session.scalar(sa.select(sa.func.count(ListingSnapshot.listing_id.distinct()))) or 0


def pages(
    ledger: Ledger, *which: sa.ColumnElement[bool], newest_first: bool = False
) -> Iterator[list[Archived]]:
    """Every listing once, in order of its id; ``which`` are conditions on its newest verdict and the like.

    Each page is a read of its own that starts behind the last one: none is held open for long, and none gets
    slower with the number of listings before it.
    """
    last: int | None = None
    while True:
        with ledger.read() as session:
            page = [_archived(row) for row in session.execute(_page(last, newest_first, which))]
        if not page:
            return
        last = page[-1].listing_id
        yield page


def judged_otherwise(model_version: str, lexicon_version: str) -> sa.ColumnElement[bool]:
    """Of listings whose newest verdict is none of these versions."""
    return sa.or_(
        Verdict.id.is_(None),
        Verdict.model_version != model_version,
        Verdict.lexicon_version != lexicon_version,
    )


def newest_verdict_ids(session: Session, snapshots: list[int]) -> dict[int, int]:
    """Snapshot → its newest verdict; a snapshot without one is left out."""
    rows = session.execute(
        sa.select(Verdict.snapshot_id, sa.func.max(Verdict.id))
        .where(Verdict.snapshot_id.in_(snapshots))
        .group_by(Verdict.snapshot_id)
    )
    return dict(iter(rows))


def _page(last: int | None, newest_first: bool, which: tuple[sa.ColumnElement[bool], ...]) -> sa.Select[Any]:
    """Plain columns: an object for each row would cost as much as a first look of the classifier."""
    behind = [] if last is None else [Listing.id < last if newest_first else Listing.id > last]
    return (
        sa.select(
            Listing.id.label("listing_id"),
            Listing.item_id,
            Listing.platform,
            Listing.seller_id,
            Seller.name.label("shop"),
            *(getattr(ListingSnapshot, name) for name in _CONTENT),
            Verdict.id.label("verdict_id"),
            Verdict.label.label("verdict_label"),
            Verdict.score,
            Verdict.flagged,
        )
        .select_from(Listing)
        .join(ListingSnapshot, ListingSnapshot.id == current_snapshot_id())
        .outerjoin(Seller, Seller.id == Listing.seller_id)
        .outerjoin(Verdict, Verdict.id == newest_verdict_id())
        .where(*behind, *which)
        .order_by(Listing.id.desc() if newest_first else Listing.id)
        .limit(PAGE)
    )


def current_snapshot_id() -> sa.ScalarSelect[int]:
    """Of the ``Listing`` of the query around it."""
    snapshot = aliased(ListingSnapshot)
    return (
        sa.select(snapshot.id)
        .where(snapshot.listing_id == Listing.id)
        .order_by(snapshot.observed_at.desc(), snapshot.id.desc())
        .limit(1)
        .correlate(Listing)
        .scalar_subquery()
    )


def newest_verdict_id() -> sa.ScalarSelect[int]:
    """Of the ``ListingSnapshot`` of the query around it."""
    verdict = aliased(Verdict)
    return (
        sa.select(sa.func.max(verdict.id))
        .where(verdict.snapshot_id == ListingSnapshot.id)
        .correlate(ListingSnapshot)
        .scalar_subquery()
    )


def _archived(row: sa.Row[Any]) -> Archived:
    known = row.verdict_id is not None
    return Archived(
        listing_id=row.listing_id,
        snapshot_id=row.id,
        item_id=row.item_id,
        seller_id=row.seller_id,
        text=intake.listing_text(cast(intake.Content, row), platform=row.platform, shop=row.shop),
        verdict_id=row.verdict_id,
        standing=Standing(row.verdict_label, row.score, row.flagged) if known else None,
    )
