"""Removed listings that came back: at their old address, or as another listing with their text or picture."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime
from functools import cache, partial

import sqlalchemy as sa
from sqlalchemy.orm import Session, aliased

from crawlers.listing import Presence
from takedowns import comebacks, leads
from takedowns.comebacks import Comeback, Offer, Removed
from takedowns.judging import REMOVED
from takedowns.learning import archive
from takedowns.ledger.tables import (
    CrawlRun,
    Decision,
    Lead,
    Listing,
    ListingPicture,
    ListingSnapshot,
    Picture,
    Relisting,
    ReviewTask,
    Sighting,
    Verification,
)
from takedowns.ledger.vocabulary import RelistingKind, VerificationOutcome
from takedowns.listings import current_snapshot
from takedowns.states import TaskState

ACTOR = "system:relistings"
CHUNK = 5_000  # rows that are in memory at once
# Outcomes of leads whose listing was found removed at some time after they were sent.
ONCE_REMOVED = REMOVED | {VerificationOutcome.RELISTED}


def find_relistings(session: Session, *, now: datetime) -> list[Relisting]:
    """Link removed leads to where they came back, and put those listings before a reviewer again.

    ``same_url``: the page was seen up again. ``same_text``: the same offer, word for word or nearly, stands
    under another item id that was first seen after the old one was seen last, at whichever seller.
    ``same_image``: so does one of its pictures, at the same seller, whose own lead comes before another's.
    Only what was not linked yet is returned.
    """
    return record(session, search(session, now=now), now=now)


def search(session: Session, *, now: datetime) -> list[Relisting]:
    """What :func:`record` has to write. It only reads, which takes seconds where listings are many."""
    found = list(_same_url(session, now))
    if removed := _removed(session):
        up_until = cache(partial(_last_seen_up, session))
        offers = _offers(session, min(lead.sent_at for lead in removed))
        texts = comebacks.likeliest(comebacks.by_text(removed, offers), up_until)
        images = comebacks.likeliest(_by_picture(session, removed), up_until)
        own = {listing_id for listing_id, one in texts.items() if one.is_of_its_seller}
        kept = [one for listing_id, one in texts.items() if listing_id in own or listing_id not in images]
        found += [_comeback(one, RelistingKind.SAME_TEXT, now) for one in kept]
        unlinked = (one for listing_id, one in images.items() if listing_id not in own)
        found += [_comeback(one, RelistingKind.SAME_IMAGE, now) for one in unlinked]
    return found


def is_of_its_seller() -> sa.ColumnElement[bool]:
    """Of the ``Relisting`` of the query around it: at the old address, or by the seller of the old listing.

    Only that is a removal undone; another seller with the same text is a new listing, and maybe a network.
    """
    lead, old, new = aliased(Lead), aliased(Listing), aliased(Listing)
    one_seller = sa.exists().where(
        lead.id == Relisting.lead_id,
        old.id == lead.listing_id,
        new.id == Relisting.listing_id,
        new.seller_id == old.seller_id,
    )
    return sa.or_(Relisting.kind == RelistingKind.SAME_URL, one_seller)


def record(session: Session, found: Iterable[Relisting], *, now: datetime) -> list[Relisting]:
    """Write those that nobody has written meanwhile, and return them."""
    new = [relisting for relisting in found if not _is_known(session, relisting)]
    for relisting in new:
        session.add(relisting)
        session.flush()
        lead = session.get_one(Lead, relisting.lead_id)
        _review_again(session, relisting, now)
        leads.record(
            session, lead, ACTOR, "lead.relisted", now, listing=relisting.listing_id, kind=relisting.kind
        )
    return new


def _is_known(session: Session, relisting: Relisting) -> bool:
    key = {"lead_id": relisting.lead_id, "listing_id": relisting.listing_id, "kind": relisting.kind}
    return session.scalars(sa.select(Relisting.id).filter_by(**key)).first() is not None


def _same_url(session: Session, now: datetime) -> Iterator[Relisting]:
    linked = sa.select(Relisting.lead_id).where(Relisting.kind == RelistingKind.SAME_URL)
    back = {VerificationOutcome.RELISTED, VerificationOutcome.GONE_BEFORE}
    for lead in session.scalars(
        sa.select(Lead).where(Lead.outcome.in_(back), Lead.id.not_in(linked)).order_by(Lead.id)
    ):
        newest = lead.verifications[-1]
        if newest.outcome is VerificationOutcome.RELISTED:
            seen: datetime | None = newest.observed_at
        else:
            looks = _seen_up(session, lead.listing_id)
            seen = next((seen for seen in looks if seen > newest.observed_at), None)
        if seen is not None:
            yield _relisting(lead.id, lead.listing_id, RelistingKind.SAME_URL, 1.0, seen, now)


def _removed(session: Session) -> list[Removed]:
    rows = session.execute(
        sa.select(
            Lead.id,
            Listing.id,
            Listing.seller_id,
            Lead.sent_at,
            ListingSnapshot.title,
            ListingSnapshot.description,
        )
        .join(Lead.listing)
        .join(Decision, Decision.id == Lead.decision_id)
        .join(ListingSnapshot, ListingSnapshot.id == Decision.snapshot_id)
        .where(Lead.outcome.in_(ONCE_REMOVED), Lead.sent_at.is_not(None))
        .order_by(Lead.id)
    )
    return [
        Removed(lead_id, listing_id, seller_id, sent_at, f"{title}\n{description}")
        for lead_id, listing_id, seller_id, sent_at, title, description in rows
        if sent_at is not None
    ]


def _offers(session: Session, since: datetime) -> Iterator[Offer]:
    """What listings say now that were first seen after ``since`` and are no known comeback."""
    rows = session.execute(
        sa.select(
            Listing.id,
            Listing.seller_id,
            Listing.first_seen_at,
            ListingSnapshot.title,
            ListingSnapshot.description,
        )
        .join(ListingSnapshot, ListingSnapshot.id == archive.current_snapshot_id())
        .where(*_new_since(since))
        .order_by(Listing.id)
        .execution_options(yield_per=CHUNK)
    )
    return (Offer(*row[:3], f"{row.title}\n{row.description}") for row in rows)


def _by_picture(session: Session, removed: Sequence[Removed]) -> Iterator[Comeback]:
    since = min(lead.sent_at for lead in removed)
    leads_of = defaultdict(list)
    for lead in removed:
        leads_of[lead.listing_id].append(lead)
    listings = sa.select(Lead.listing_id).where(Lead.outcome.in_(ONCE_REMOVED))
    pictures = _pictures(session, Listing.id.in_(listings))
    shown = ((lead, picture) for one, picture in pictures for lead in leads_of[one.listing_id])
    # Pictures are fetched after the words: those of a copy of another's text are looked at all the same.
    return comebacks.by_picture(shown, _pictures(session, *_new_since(since, is_of_its_seller())))


def _pictures(session: Session, *which: sa.ColumnElement[bool]) -> Iterator[tuple[Offer, int]]:
    rows = session.execute(
        sa.select(Listing.id, Listing.seller_id, Listing.first_seen_at, Picture.perceptual_hash)
        .join(ListingPicture, ListingPicture.listing_id == Listing.id)
        .join(Picture, Picture.sha256 == ListingPicture.sha256)
        .where(Picture.perceptual_hash.is_not(None), *which)
        .order_by(Listing.id, Picture.perceptual_hash)
        .execution_options(yield_per=CHUNK)
    )
    return ((Offer(*row[:3], ""), int(row.perceptual_hash, 16)) for row in rows)


def _new_since(since: datetime, *but: sa.ColumnElement[bool]) -> tuple[sa.ColumnElement[bool], ...]:
    """Listings first seen after ``since`` that are no known comeback, of those that ``but`` describes."""
    kinds = (RelistingKind.SAME_TEXT, RelistingKind.SAME_IMAGE)
    linked = sa.exists().where(Relisting.listing_id == Listing.id, Relisting.kind.in_(kinds), *but)
    return Listing.first_seen_at > since, ~linked


def _last_seen_up(session: Session, removed: Removed) -> datetime:
    """When the lead's page was last known to be there before it was removed; never before the dispatch."""
    removed_at = session.execute(
        sa.select(Verification.observed_at)
        .where(Verification.lead_id == removed.lead_id, Verification.outcome.in_(ONCE_REMOVED))
        .order_by(Verification.id)
        .limit(1)
    ).scalar_one()
    before = [seen for seen in _seen_up(session, removed.listing_id) if seen < removed_at]
    return max(*before, removed.sent_at) if before else removed.sent_at


def _seen_up(session: Session, listing_id: int) -> Sequence[datetime]:
    """The times of the trusted looks that found the listing's page up, in order."""
    return session.scalars(
        sa.select(Sighting.observed_at)
        .join(CrawlRun)
        .where(Sighting.listing_id == listing_id, Sighting.state == Presence.UP, CrawlRun.trusted)
        .order_by(Sighting.observed_at)
    ).all()


def _comeback(found: Comeback, kind: RelistingKind, now: datetime) -> Relisting:
    offer = found.offer
    return _relisting(found.lead.lead_id, offer.listing_id, kind, found.likeness, offer.first_seen_at, now)


def _relisting(
    lead_id: int, listing_id: int, kind: RelistingKind, likeness: float, seen: datetime, now: datetime
) -> Relisting:
    return Relisting(
        lead_id=lead_id,
        listing_id=listing_id,
        kind=kind,
        similarity=likeness,
        observed_at=seen,
        recorded_at=now,
    )


def _review_again(session: Session, relisting: Relisting, now: datetime) -> None:
    """Queue the listing, unless it waits already or was judged since it came back."""
    listing = session.get_one(Listing, relisting.listing_id)
    snapshot = current_snapshot(listing)
    waiting = sa.select(ReviewTask.id).where(
        ReviewTask.listing_id == listing.id, ReviewTask.state != TaskState.DECIDED
    )
    judged = sa.select(Decision.id).where(
        Decision.listing_id == listing.id, Decision.decided_at > relisting.observed_at
    )
    if snapshot is None or session.scalars(waiting.union_all(judged)).first() is not None:
        return
    session.add(
        ReviewTask(
            listing_id=listing.id,
            snapshot_id=snapshot.id,
            queue="relisted",
            priority=1.0,
            state=TaskState.QUEUED,
            created_at=now,
        )
    )
