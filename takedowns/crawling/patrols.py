"""The adaptive plan of a day, from what the ledger holds of the targeted arm's searches and their finds."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from datetime import datetime, timedelta

import sqlalchemy as sa
from sqlalchemy.orm import Session, aliased

from crawlers.permission import ZONE, day_start, hours_of
from crawlers.platforms import Platform
from crawlers.rundir import Arm, RunKind
from takedowns.crawling.adaptive import Choice, Find, Search, Visit, plan
from takedowns.ledger.tables import Decision, Listing, ListingSnapshot, WorkItem
from takedowns.ledger.vocabulary import Finding, WorkState

MEMORY = timedelta(days=28)  # four of each day of the week; older habits of sellers are stale


def planned(
    session: Session, platforms: Iterable[Platform], *, now: datetime, visits: int, terms: int
) -> tuple[Visit, ...]:
    """The visits of the day of ``now``: they rest on the days before it, so they stay the same all day."""
    choices = {platform.name: Choice(hours_of(platform), platform.terms) for platform in platforms}
    until = day_start(now)
    searches = _searches(session, choices, until)
    return plan(choices, searches, _finds(session, choices, until), visits=visits, terms=terms)


def _searches(session: Session, platforms: Iterable[str], until: datetime) -> list[Search]:
    rows = session.execute(
        sa.select(WorkItem.platform, WorkItem.finished_at, WorkItem.subject).where(
            WorkItem.arm == Arm.TARGETED,
            WorkItem.kind == RunKind.SWEEP,
            WorkItem.state == WorkState.DONE,
            WorkItem.platform.in_(platforms),
            WorkItem.finished_at >= until - MEMORY,
            WorkItem.finished_at < until,
        )
    )
    return [Search(platform, _hour(moment), term) for platform, moment, term in rows if moment]


def _finds(session: Session, platforms: Iterable[str], until: datetime) -> list[Find]:
    later = aliased(Decision)
    violating = (
        sa.select(Listing.id, Listing.seller_id)
        .join(Decision, Decision.listing_id == Listing.id)
        .where(
            Decision.finding == Finding.VIOLATION,
            Decision.decided_at < until,
            ~sa.exists().where(later.overrides_id == Decision.id, later.decided_at < until),
        )
        .distinct()
        .subquery()
    )
    records: Counter[int] = Counter(
        seller for seller in session.scalars(sa.select(violating.c.seller_id)) if seller is not None
    )
    found = session.scalars(
        sa.select(Listing)
        .join(violating, violating.c.id == Listing.id)
        .where(
            Listing.road == "sweep",  # what the random arm brought is none of ours
            Listing.platform.in_(platforms),
            Listing.first_seen_at >= until - MEMORY,
            Listing.first_seen_at < until,
        )
        .order_by(Listing.id)
    ).all()
    terms = _terms(session, [listing.id for listing in found])
    return [
        Find(
            Search(listing.platform, _hour(listing.first_seen_at), terms.get(listing.id, "")),
            record=max(0, records[listing.seller_id] - 1) if listing.seller_id else 0,
        )
        for listing in found
    ]


def _terms(session: Session, listings: list[int]) -> Mapping[int, str]:
    """Listing → the term that found it first."""
    rows = session.execute(
        sa.select(ListingSnapshot.listing_id, ListingSnapshot.sources)
        .where(ListingSnapshot.listing_id.in_(listings))
        .order_by(ListingSnapshot.id.desc())
    )
    return {listing: str(sources["found_by"]) for listing, sources in rows if "found_by" in sources}


def _hour(moment: datetime) -> int:
    return moment.astimezone(ZONE).hour
