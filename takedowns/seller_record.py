"""What a seller's history says of it: a credit tier with its reasons (信用分级).

The tier steers how often a seller and its removed listings are looked at. It never enters a verdict, a
finding or a figure.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from statistics import median

import sqlalchemy as sa
from sqlalchemy.orm import Session, aliased

from takedowns import relistings
from takedowns.judging import REMOVED
from takedowns.ledger.tables import Decision, Lead, Listing, Relisting, Seller, Verification
from takedowns.ledger.vocabulary import Finding, VerificationOutcome

SLOW_HOURS = 7 * 24
SEVERAL, MANY = 2, 5  # listings found violating
OFTEN = 3  # returns
QUIET, LONG_QUIET = timedelta(days=180), timedelta(days=365)  # without a new finding


class Tier(StrEnum):
    """From nothing on record to a standing offender."""

    A = "A"
    B = "B"
    C = "C"
    D = "D"


CLOSELY = frozenset({Tier.C, Tier.D})
LOOK_EVERY = {Tier.A: 30, Tier.B: 14, Tier.C: 7, Tier.D: 3}  # days between looks at a seller's own page
FROM_POINTS = ((6, Tier.D), (3, Tier.C), (1, Tier.B))

# Reason → points. A reason holds once, however often it was given.
POINTS: Mapping[str, int] = {
    "one_finding": 1,
    "several_findings": 2,
    "many_findings": 3,
    "came_back": 2,
    "came_back_often": 4,
    "slow_removal": 1,
    "still_up": 1,
    "false_claims": 1,
    "quiet_half_year": -1,
    "quiet_year": -3,
}
NO_FINDINGS = "no_findings"


@dataclass(frozen=True)
class History:
    """``findings``: listings found violating, by decisions that stand. ``hours``: from dispatch to removal.

    ``still_up``: leads up after the deadline or after a claim; ``false_claims``: leads that were ever claimed
    removed and were not.
    """

    findings: int = 0
    last_finding_at: datetime | None = None
    hours: tuple[float, ...] = ()
    still_up: int = 0
    relistings: int = 0
    false_claims: int = 0


@dataclass(frozen=True)
class Reason:
    """``code`` is one of :data:`POINTS` or ``no_findings``; ``count`` is what it rests on."""

    code: str
    count: int


@dataclass(frozen=True)
class Rating:
    tier: Tier
    reasons: tuple[Reason, ...]


@dataclass(frozen=True)
class Record:
    seller: Seller
    history: History
    rating: Rating


def rate(history: History, *, now: datetime) -> Rating:
    """The tier and its reasons, the heaviest first. Who was never found violating is A, come what may."""
    if history.findings == 0:
        return Rating(Tier.A, (Reason(NO_FINDINGS, 0),))
    reasons = sorted(_reasons(history, now), key=lambda reason: -abs(POINTS[reason.code]))
    points = sum(POINTS[reason.code] for reason in reasons)
    tier = next((tier for at_least, tier in FROM_POINTS if points >= at_least), Tier.A)
    return Rating(tier, tuple(reasons))


def records(
    session: Session, *, now: datetime, platform: str | None = None, seller_ids: Iterable[int] | None = None
) -> list[Record]:
    """Of the sellers with a listing found violating (or of ``seller_ids``), by platform and id."""
    query = sa.select(Seller).order_by(Seller.platform, Seller.id)
    if platform is not None:
        query = query.where(Seller.platform == platform)
    if seller_ids is not None:
        query = query.where(Seller.id.in_(list(seller_ids)))
    else:
        query = query.where(Seller.id.in_(sa.select(_violating().subquery().c.seller_id)))
    sellers = session.scalars(query).all()
    histories = _histories(session, [seller.id for seller in sellers])
    return [
        Record(seller, history, rate(history, now=now))
        for seller in sellers
        for history in (histories[seller.id],)
    ]


def record(session: Session, seller: Seller, *, now: datetime) -> Record:
    """That of one seller, whose history may be empty."""
    (found,) = records(session, now=now, seller_ids=[seller.id])
    return found


def watched_closely(session: Session, platform: str, *, now: datetime) -> frozenset[int]:
    """The ids of sellers whose tier asks for more looks."""
    found = records(session, now=now, platform=platform)
    return frozenset(one.seller.id for one in found if one.rating.tier in CLOSELY)


def _reasons(history: History, now: datetime) -> Iterator[Reason]:
    several = "several_findings" if history.findings < MANY else "many_findings"
    yield Reason(several if history.findings >= SEVERAL else "one_finding", history.findings)
    if history.relistings:
        often = history.relistings >= OFTEN
        yield Reason("came_back_often" if often else "came_back", history.relistings)
    if history.hours and median(history.hours) > SLOW_HOURS:
        yield Reason("slow_removal", len(history.hours))
    if history.still_up:
        yield Reason("still_up", history.still_up)
    if history.false_claims:
        yield Reason("false_claims", history.false_claims)
    quiet = now - history.last_finding_at if history.last_finding_at else timedelta(0)
    if quiet >= QUIET:
        yield Reason("quiet_year" if quiet >= LONG_QUIET else "quiet_half_year", quiet.days)


def _histories(session: Session, sellers: Sequence[int]) -> dict[int, History]:
    violating = _violating().where(Listing.seller_id.in_(sellers)).subquery()
    findings = {
        seller: (count, last)
        for seller, count, last in session.execute(
            sa.select(
                violating.c.seller_id,
                sa.func.count(violating.c.listing_id.distinct()),
                sa.func.max(violating.c.decided_at),
            ).group_by(violating.c.seller_id)
        )
    }
    hours, still_up = _removals(session, sellers)
    returned = sa.select(Listing.seller_id, Relisting.id).join(Relisting.lead)
    came_back = _counted(session, returned.where(relistings.is_of_its_seller()), sellers)
    lied = sa.select(Listing.seller_id, Lead.id).select_from(Lead).join(Verification).distinct()
    lied = lied.where(Verification.outcome == VerificationOutcome.FALSE_CLAIM)
    false_claims = _counted(session, lied, sellers)
    return {
        seller: History(
            *findings.get(seller, (0, None)),
            hours=tuple(hours.get(seller, ())),
            still_up=still_up[seller],
            relistings=came_back[seller],
            false_claims=false_claims[seller],
        )
        for seller in sellers
    }


def _violating() -> sa.Select[int | None, int, datetime]:
    """Seller, listing and time of each finding of a violation that stands."""
    later = aliased(Decision)
    return (
        sa.select(Listing.seller_id, Listing.id.label("listing_id"), Decision.decided_at)
        .join(Decision, Decision.listing_id == Listing.id)
        .where(
            Listing.seller_id.is_not(None),
            Decision.finding == Finding.VIOLATION,
            ~sa.exists().where(later.overrides_id == Decision.id),
        )
    )


def _removals(session: Session, sellers: Sequence[int]) -> tuple[dict[int, list[float]], Counter[int]]:
    """Seller → hours from dispatch to each removal; seller → leads that are still up."""
    removed = (
        sa.select(Verification.lead_id, sa.func.min(Verification.observed_at).label("at"))
        .where(Verification.outcome.in_(REMOVED))
        .group_by(Verification.lead_id)
        .subquery()
    )
    rows = session.execute(
        sa.select(Listing.seller_id, Lead.outcome, Lead.sent_at, removed.c.at)
        .select_from(Lead)
        .join(Lead.listing)
        .outerjoin(removed, removed.c.lead_id == Lead.id)
        .where(Listing.seller_id.in_(sellers), Lead.sent_at.is_not(None))
    )
    hours: dict[int, list[float]] = {}
    still_up: Counter[int] = Counter()
    for seller, outcome, sent_at, gone_at in rows:
        if outcome in (VerificationOutcome.NOT_REMOVED, VerificationOutcome.FALSE_CLAIM):
            still_up[seller] += 1
        elif gone_at is not None and sent_at is not None:
            hours.setdefault(seller, []).append((gone_at - sent_at) / timedelta(hours=1))
    return hours, still_up


def _counted(session: Session, rows: sa.Select[int | None, int], sellers: Sequence[int]) -> Counter[int]:
    found = session.execute(rows.join(Lead.listing).where(Listing.seller_id.in_(sellers)))
    return Counter(seller for seller, _ in found if seller is not None)
