"""Removed listings that came back: at their old address, or as another listing of the same seller."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime

import sqlalchemy as sa
from sqlalchemy.orm import Session, aliased

from classifiers.normalize import normalize
from crawlers.listing import Presence
from takedowns import leads
from takedowns.judging import REMOVED
from takedowns.ledger.tables import (
    CrawlRun,
    Decision,
    Lead,
    Listing,
    ListingSnapshot,
    Relisting,
    ReviewTask,
    Sighting,
)
from takedowns.ledger.vocabulary import RelistingKind, VerificationOutcome
from takedowns.listings import current_snapshot
from takedowns.states import TaskState

ACTOR = "system:relistings"
NEAR = 0.9  # similarity from which two texts are one offer: in a short title, a word or two may differ
SHINGLE = 3
# Outcomes of leads whose listing was found removed at some time after they were sent.
ONCE_REMOVED = REMOVED | {VerificationOutcome.RELISTED}


def find_relistings(session: Session, *, now: datetime) -> list[Relisting]:
    """Link removed leads to where they came back, and put those listings before a reviewer again.

    ``same_url``: the page was seen up again. ``same_text``: the seller put the same offer, word for word or
    nearly, under another item id after the old one was last seen. Only what was not linked yet is returned.
    """
    found = [*_same_url(session, now), *_same_text(session, now)]
    for relisting in found:
        session.add(relisting)
        session.flush()
        lead = session.get_one(Lead, relisting.lead_id)
        _review_again(session, relisting, now)
        leads.record(
            session, lead, ACTOR, "lead.relisted", now, listing=relisting.listing_id, kind=relisting.kind
        )
    return found


def similarity(one: str, other: str) -> float:
    """1.0 for texts equal after normalising, else the Sørensen-Dice index of their three-letter runs."""
    one, other = ("".join(normalize(text).text.split()) for text in (one, other))
    if one == other:
        return 1.0
    runs, others = _shingles(one), _shingles(other)
    return 2 * len(runs & others) / (len(runs) + len(others) or 1)


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
            seen = next((seen for seen in _seen_up(session, lead) if seen > newest.observed_at), None)
        if seen is not None:
            yield _relisting(lead, lead.listing_id, RelistingKind.SAME_URL, 1.0, seen, now)


def _same_text(session: Session, now: datetime) -> Iterator[Relisting]:
    """Each new listing is linked to one lead: the likest, of several the newest."""
    best: dict[int, tuple[float, Lead, Listing]] = {}
    for lead, listing in _candidates(session):
        snapshot = current_snapshot(listing)
        if snapshot is None:
            continue
        likeness = similarity(_text(lead.decision.snapshot), _text(snapshot))
        likely = likeness >= max(NEAR, best[listing.id][0] if listing.id in best else 0.0)
        if likely and listing.first_seen_at > _last_seen_up(session, lead):
            best[listing.id] = likeness, lead, listing
    for likeness, lead, listing in best.values():
        yield _relisting(lead, listing.id, RelistingKind.SAME_TEXT, likeness, listing.first_seen_at, now)


def _candidates(session: Session) -> Iterable[tuple[Lead, Listing]]:
    old, new = aliased(Listing), aliased(Listing)
    linked = sa.select(Relisting.listing_id).where(Relisting.kind == RelistingKind.SAME_TEXT)
    pairs = session.execute(
        sa.select(Lead, new)
        .join(old, Lead.listing_id == old.id)
        .join(new, sa.and_(new.seller_id == old.seller_id, new.id != old.id))
        .where(
            Lead.outcome.in_(ONCE_REMOVED),
            new.first_seen_at > Lead.sent_at,
            new.id.not_in(linked),
        )
        .order_by(Lead.id, new.id)
    )
    return ((lead, listing) for lead, listing in pairs)


def _last_seen_up(session: Session, lead: Lead) -> datetime:
    """When the lead's page was last known to be there before it was removed; never before the dispatch."""
    removed_at = next(v.observed_at for v in lead.verifications if v.outcome in ONCE_REMOVED)
    before = [seen for seen in _seen_up(session, lead) if seen < removed_at]
    return max(filter(None, (*before, lead.sent_at)))


def _seen_up(session: Session, lead: Lead) -> Sequence[datetime]:
    """The times of the trusted looks that found the lead's page up, in order."""
    return session.scalars(
        sa.select(Sighting.observed_at)
        .join(CrawlRun)
        .where(Sighting.listing_id == lead.listing_id, Sighting.state == Presence.UP, CrawlRun.trusted)
        .order_by(Sighting.observed_at)
    ).all()


def _relisting(
    lead: Lead, listing_id: int, kind: RelistingKind, likeness: float, seen: datetime, now: datetime
) -> Relisting:
    return Relisting(
        lead_id=lead.id,
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


def _text(snapshot: ListingSnapshot) -> str:
    return f"{snapshot.title}\n{snapshot.description}"


def _shingles(text: str) -> set[str]:
    return {text[i : i + SHINGLE] for i in range(len(text) - SHINGLE + 1)}
