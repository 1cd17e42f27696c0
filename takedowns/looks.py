"""What was seen and said, as the judge takes it: looks at listings and sellers, and claims about leads."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Any, TypeVar

import sqlalchemy as sa
from sqlalchemy.orm import Session

from crawlers.listing import Presence
from crawlers.presence import is_altered
from crawlers.rundir import RunKind
from takedowns.judging import Claim, Look
from takedowns.ledger.tables import (
    CrawlRun,
    Decision,
    Lead,
    Listing,
    ListingSnapshot,
    PlatformResponse,
    SellerSighting,
    Sighting,
)
from takedowns.ledger.vocabulary import RunState
from takedowns.states import LeadState

T = TypeVar("T")

FOREVER = datetime.max.replace(tzinfo=UTC)


@dataclass(frozen=True)
class _Finding:
    """What a lead says that its listing shows, and from when to when looks were compared with it."""

    lead_id: int
    title: str
    since: datetime
    until: datetime


def at_leads(session: Session, leads: Sequence[Lead]) -> Mapping[int, tuple[Look, ...]]:
    """Lead id → the looks at its listing, as they speak of that lead.

    A look is compared with the words of the listing's newest lead, see
    :func:`takedowns.removals.due_for_recheck`. For an earlier lead about other words, up means that it shows
    something else, and altered says nothing.
    """
    listings = {lead.listing_id for lead in leads}
    looks, findings = at_listings(session, listings), _findings(session, listings)
    return {
        lead.id: tuple(_as_told_of(lead.id, looks[lead.listing_id], findings[lead.listing_id]))
        for lead in leads
    }


def at_listings(
    session: Session, listing_ids: Iterable[int], *, known_at: datetime | None = None
) -> defaultdict[int, list[Look]]:
    """Listing id → looks at it, of those written down until ``known_at``."""
    return _looks(session, Sighting, Sighting.listing_id, listing_ids, known_at)


def at_sellers(
    session: Session, seller_ids: Iterable[int], *, known_at: datetime | None = None
) -> defaultdict[int, list[Look]]:
    """Seller id → looks at its own page, of those written down until ``known_at``."""
    return _looks(session, SellerSighting, SellerSighting.seller_id, seller_ids, known_at)


def unread_since(session: Session, listing_ids: Iterable[int]) -> Mapping[int, datetime]:
    """Listing id → when the first recheck of its platform began that is not taken in yet, if there is one.

    What it saw may speak against what later looks seem to prove.
    """
    rows = session.execute(
        sa.select(Listing.id, sa.func.min(CrawlRun.started_at))
        .join(CrawlRun, CrawlRun.platform == Listing.platform)
        .where(
            Listing.id.in_(listing_ids),
            CrawlRun.state == RunState.RUNNING,
            CrawlRun.kind == RunKind.RECHECK,
        )
        .group_by(Listing.id)
    )
    return {listing: began for listing, began in rows if began is not None}


def claims(session: Session, lead_ids: Iterable[int]) -> defaultdict[int, list[Claim]]:
    """Lead id → what its platform answered."""
    answer = PlatformResponse
    rows = session.execute(
        sa.select(answer.lead_id, answer.id, answer.measure, answer.claimed_at, answer.received_at).where(
            answer.lead_id.in_(lead_ids)
        )
    )
    return _grouped(
        (lead, Claim(row, measure, claimed, received)) for lead, row, measure, claimed, received in rows
    )


def _looks(
    session: Session, table: Any, owner: Any, ids: Iterable[int], known_at: datetime | None
) -> defaultdict[int, list[Look]]:
    query = (
        sa.select(owner, table.id, table.state, table.observed_at, table.vantage, CrawlRun.trusted)
        .join(CrawlRun, CrawlRun.run_id == table.run_id)
        .where(owner.in_(ids))
    )
    if known_at is not None:
        query = query.where(table.recorded_at <= known_at)
    return _grouped((whose, Look(*columns)) for whose, *columns in session.execute(query))


def _findings(session: Session, listing_ids: Iterable[int]) -> defaultdict[int, list[_Finding]]:
    """Listing id → its leads, oldest first."""
    rows = session.execute(
        sa.select(
            Lead.listing_id, Lead.id, ListingSnapshot.title, Lead.created_at, Lead.state, Lead.closed_at
        )
        .join(Decision, Lead.decision_id == Decision.id)
        .join(ListingSnapshot, Decision.snapshot_id == ListingSnapshot.id)
        .where(Lead.listing_id.in_(listing_ids))
        .order_by(Lead.id)
    )
    return _grouped(
        (
            listing,
            _Finding(lead, title, since, closed_at or FOREVER if state is LeadState.WITHDRAWN else FOREVER),
        )
        for listing, lead, title, since, state, closed_at in rows
    )


def _as_told_of(lead_id: int, looks: Iterable[Look], findings: Sequence[_Finding]) -> Iterator[Look]:
    mine = next(finding.title for finding in findings if finding.lead_id == lead_id)
    others = {finding.lead_id for finding in findings if is_altered(mine, finding.title)}
    for look in looks:
        compared = [f.lead_id for f in findings if f.since <= look.observed_at < f.until] if others else []
        if not compared or compared[-1] not in others:
            yield look
        elif look.state is Presence.UP:
            yield replace(look, state=Presence.ALTERED)
        elif look.state is not Presence.ALTERED:
            yield look


def _grouped(pairs: Iterable[tuple[int, T]]) -> defaultdict[int, list[T]]:
    groups: defaultdict[int, list[T]] = defaultdict(list)
    for key, value in pairs:
        groups[key].append(value)
    return groups
