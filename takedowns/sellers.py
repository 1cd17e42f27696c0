"""Shops, accounts and mini-programs that were closed: what platforms claim, and what their own pages show.

A seller counts as closed only by the rule of removals over looks at its own page, whatever became of its
listings and whatever is claimed.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

import sqlalchemy as sa
from sqlalchemy.orm import Session

from crawlers import listing as seen
from crawlers.listing import SellerKind
from crawlers.platforms import Platform
from crawlers.rundir import Target
from takedowns import looks, seller_record
from takedowns.judging import REMOVED, Claim, Judgement, LeadFacts, Look, judge, proof_of_removal, tells
from takedowns.ledger.tables import Lead, Listing, PlatformResponse, Seller, SellerSighting
from takedowns.ledger.vocabulary import Measure, VerificationOutcome
from takedowns.listings import evidence_place
from takedowns.reports.period import Period
from takedowns.settings import Removal
from takedowns.states import LeadState

CLOSING: Mapping[SellerKind, Measure] = {
    SellerKind.MERCHANT: Measure.SHOP_CLOSED,
    SellerKind.ACCOUNT: Measure.ACCOUNT_CLOSED,
    SellerKind.MINI_PROGRAM: Measure.MINI_PROGRAM_CLOSED,
}
STAY_CLOSED = tuple(timedelta(days=days) for days in (1, 7, 30, 90))


@dataclass(frozen=True)
class SellerFacts:
    """Of a seller with leads: the first dispatch, claims that it was closed, looks at its page."""

    seller_id: int
    kind: SellerKind
    external_id: str
    url: str | None
    sent_at: datetime
    claims: tuple[Claim, ...]
    looks: tuple[Look, ...]

    def judged(self, rule: Removal, *, as_of: datetime) -> Judgement | None:
        """By the rule for leads; there is no deadline by which a platform has to close a seller."""
        return judge(LeadFacts(self.sent_at, looks.FOREVER, as_of, self.looks, self.claims), rule)

    def closed_at(self, rule: Removal, *, as_of: datetime) -> datetime | None:
        """When its page was first seen gone, if that is proved; also of one that is back."""
        proof = proof_of_removal(self.looks, rule, since=self.sent_at, until=as_of)
        return proof[0].observed_at if proof else None


@dataclass(frozen=True)
class Handled:
    """Ids of the sellers of one kind. They overlap: most that are claimed closed are also found closed.

    ``claimed``: first claimed closed in the period. ``verified``: first seen gone in it, as proved.
    ``false``: claimed closed and found up since, settled in it. ``unverifiable``: of those claimed, the ones
    whose page could not be seen since, or which have none that we can look at.
    """

    claimed: tuple[int, ...]
    verified: tuple[int, ...]
    false: tuple[int, ...]
    unverifiable: tuple[int, ...]


def sellers_handled(
    session: Session, period: Period, *, as_of: datetime, rule: Removal, platform: str | None = None
) -> dict[SellerKind, Handled]:
    """Of each kind, by what was written down until ``as_of``."""
    found = facts(session, platform=platform, known_at=as_of)
    return {
        kind: handled([one for one in found if one.kind is kind], period, as_of=as_of, rule=rule)
        for kind in SellerKind
    }


def handled(found: Iterable[SellerFacts], period: Period, *, as_of: datetime, rule: Removal) -> Handled:
    """Pure: which of the sellers count as what."""
    claimed, verified, false, unverifiable = [], [], [], []
    for one in found:
        told = one.judged(rule, as_of=as_of)
        closed_at = one.closed_at(rule, as_of=as_of)
        claimed_at = min((claim.received_at for claim in one.claims), default=None)
        if closed_at in period:
            verified.append(one.seller_id)
        if told and told.outcome is VerificationOutcome.FALSE_CLAIM and told.observed_at in period:
            false.append(one.seller_id)
        if claimed_at is not None and claimed_at in period:
            claimed.append(one.seller_id)
            if closed_at is None and not _seen_since(one, claimed_at, as_of):
                unverifiable.append(one.seller_id)
    return Handled(tuple(claimed), tuple(verified), tuple(false), tuple(unverifiable))


def facts(
    session: Session, *, platform: str | None = None, known_at: datetime | None = None
) -> list[SellerFacts]:
    """Of every seller with a lead that was sent and not withdrawn, by id."""
    query = (
        sa.select(Seller, sa.func.min(Lead.sent_at))
        .join(Listing, Listing.seller_id == Seller.id)
        .join(Lead, Lead.listing_id == Listing.id)
        .where(Lead.sent_at.is_not(None), Lead.state != LeadState.WITHDRAWN)
        .group_by(Seller.id)
        .order_by(Seller.id)
    )
    if platform is not None:
        query = query.where(Listing.platform == platform)
    sellers = session.execute(query).all()
    seen_of = looks.at_sellers(session, [seller.id for seller, _ in sellers], known_at=known_at)
    claims = _claims(session, known_at)
    return [
        SellerFacts(
            seller_id=seller.id,
            kind=seller.kind,
            external_id=seller.external_id,
            url=seller.url,
            sent_at=sent_at,
            claims=tuple(claims.get(seller.id, ())),
            looks=tuple(seen_of[seller.id]),
        )
        for seller, sent_at in sellers
        if sent_at is not None and (known_at is None or sent_at <= known_at)
    ]


def due(session: Session, platform: Platform, *, rule: Removal, now: datetime) -> list[Target]:
    """The sellers' pages to look at now: none where the profile does not say where they are.

    One that is claimed closed is looked at each time until that is settled, one found closed 1, 7, 30 and 90
    days afterwards, any other as often as its record calls for.
    """
    if platform.sellers is None:
        return []
    found = [one for one in facts(session, platform=platform.lists) if _has_page(one, platform)]
    ids = [one.seller_id for one in found]
    tiers = {
        record.seller.id: record.rating.tier
        for record in seller_record.records(session, now=now, seller_ids=ids)
    }
    view = platform.of_sellers()
    wanted = [one for one in found if _is_due(one, tiers[one.seller_id], rule, now)]
    return list(
        {
            one.external_id: Target(item_id=one.external_id, url=view.canonical_url(one.external_id))
            for one in wanted
        }.values()
    )


def store_sightings(
    session: Session, sightings: Sequence[seen.Sighting], run_id: str, now: datetime
) -> list[str]:
    """Of a run over sellers' pages; one sentence for each that could not be stored, saying why."""
    problems = []
    for sighting in sightings:
        sellers = session.scalars(
            sa.select(Seller.id).filter_by(platform=sighting.platform, external_id=sighting.item_id)
        ).all()
        what = f"{sighting.platform} seller {sighting.item_id} was seen {sighting.state.value}, but"
        known = sa.select(SellerSighting.id).where(
            SellerSighting.run_id == run_id, SellerSighting.seller_id.in_(sellers)
        )
        if not sellers:
            problems.append(f"{what} no such seller is known")
        elif session.scalars(known).first():
            problems.append(f"{what} the run {run_id} had looked at it before")
        else:
            session.add_all(_sighting(sighting, seller_id, run_id, now) for seller_id in sellers)
    session.flush()
    return problems


def _sighting(sighting: seen.Sighting, seller_id: int, run_id: str, now: datetime) -> SellerSighting:
    return SellerSighting(
        seller_id=seller_id,
        run_id=run_id,
        state=sighting.state,
        reason=sighting.reason,
        vantage=sighting.vantage,
        observed_at=sighting.observed_at,
        recorded_at=now,
        evidence=evidence_place(run_id, sighting.evidence),
    )


def _claims(session: Session, known_at: datetime | None) -> dict[int, list[Claim]]:
    """Seller id → claims that it was closed; a claim of another kind than the seller's says nothing of it."""
    answer = PlatformResponse
    query = (
        sa.select(Seller.id, Seller.kind, answer.id, answer.measure, answer.claimed_at, answer.received_at)
        .join(Listing, Listing.seller_id == Seller.id)
        .join(Lead, Lead.listing_id == Listing.id)
        .join(answer, answer.lead_id == Lead.id)
        .where(answer.measure.in_(CLOSING.values()), Lead.state != LeadState.WITHDRAWN)
    )
    if known_at is not None:
        query = query.where(answer.recorded_at <= known_at)
    found: dict[int, list[Claim]] = {}
    for seller, kind, row, measure, claimed_at, received_at in session.execute(query):
        if CLOSING[kind] is measure:
            found.setdefault(seller, []).append(Claim(row, measure, claimed_at, received_at))
    return found


def _seen_since(one: SellerFacts, moment: datetime, as_of: datetime) -> bool:
    return any(tells(look) and moment < look.observed_at <= as_of for look in one.looks)


def _has_page(one: SellerFacts, platform: Platform) -> bool:
    """Whether its address may be visited: one of the platform's own, that names this very seller."""
    return bool(
        one.url
        and platform.sellers
        and platform.owns_host(one.url)
        and platform.sellers.url.item_id(one.url) == one.external_id
    )


def _is_due(one: SellerFacts, tier: seller_record.Tier, rule: Removal, now: datetime) -> bool:
    looked_at = max((look.observed_at for look in one.looks if tells(look)), default=None)
    if looked_at is None:
        return True
    told = one.judged(rule, as_of=now)
    closed_at = one.closed_at(rule, as_of=now)
    if told and told.outcome in REMOVED and closed_at is not None:
        checks = [closed_at + after for after in STAY_CLOSED if closed_at + after <= now]
        return bool(checks) and looked_at < checks[-1]
    unsettled = told is None or told.outcome is VerificationOutcome.UNVERIFIABLE
    last = max((look for look in one.looks if tells(look)), key=lambda look: look.observed_at)
    if (one.claims and unsettled) or last.state is seen.Presence.GONE:
        return True
    return now - looked_at >= timedelta(days=seller_record.LOOK_EVERY[tier])
