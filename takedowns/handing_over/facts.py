"""The facts of our leads as a case file tells them: no name of staff, no note, no score."""

from __future__ import annotations

from takedowns.handing_over.casefile import (
    FACTS_AT_MOST,
    CaseLead,
    Claimed,
    Decided,
    Found,
    Office,
    Seen,
    Shop,
)
from takedowns.ledger.tables import Decision, Lead, Seller
from takedowns.settings import Office as OurOffice

TEXT, LINE, ADDRESS = 20_000, 500, 2000  # characters, as the shapes allow


def office(ours: OurOffice) -> Office:
    return Office(
        code=ours.code,
        name_zh=ours.name_zh[:LINE],
        name_en=ours.name_en[:LINE],
        contact=ours.contact[:LINE],
    )


def of_lead(lead: Lead, evidence: str | None) -> CaseLead:
    """``evidence`` names its pack in the package. Of looks, claims and findings the newest are told."""
    listing, snapshot = lead.listing, lead.decision.snapshot
    return CaseLead(
        number=lead.number,
        state=lead.state,
        platform=listing.platform[:LINE],
        item_id=listing.item_id,
        url=listing.url[:ADDRESS],
        title=snapshot.title[:TEXT],
        description=snapshot.description[:TEXT],
        price=snapshot.price_raw[:LINE] if snapshot.price_raw else None,
        seller=_shop(listing.seller) if listing.seller else None,
        decision=_decided(lead.decision),
        sightings=tuple(
            Seen(state=one.state, reason=one.reason[:LINE], observed_at=one.observed_at)
            for one in listing.sightings[-FACTS_AT_MOST:]
        ),
        claims=tuple(
            Claimed(
                measure=one.measure,
                claimed_at=one.claimed_at,
                received_at=one.received_at,
                text=one.text[:TEXT],
            )
            for one in lead.responses[-FACTS_AT_MOST:]
        ),
        findings=tuple(
            Found(outcome=one.outcome, observed_at=one.observed_at)
            for one in lead.verifications[-FACTS_AT_MOST:]
        ),
        evidence=evidence,
    )


def _shop(seller: Seller) -> Shop:
    url = seller.url[:ADDRESS] if seller.url else None
    return Shop(kind=seller.kind, id=seller.external_id[:LINE], name=seller.name[:TEXT], url=url)


def _decided(decision: Decision) -> Decided:
    return Decided(finding=decision.finding, category=decision.category, decided_at=decision.decided_at)
