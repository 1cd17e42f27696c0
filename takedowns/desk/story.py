"""A lead's story: what was seen, decided, sent, claimed and found, in the order of the events' own times."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime

import sqlalchemy as sa
from sqlalchemy.orm import Session

from takedowns.ledger.tables import Lead, Relisting, Sighting


@dataclass(frozen=True)
class Event:
    """``kind`` says which words ``code`` belongs to; ``detail`` is shown as written."""

    at: datetime
    what: str
    kind: str | None = None
    code: str = ""
    detail: str = ""


def story(session: Session, lead: Lead) -> list[Event]:
    # A finding carries the time of the look that it rests on, and is told after it.
    looks = _looks(session, lead)
    events = [*_ours(lead), *_theirs(lead), *looks, *_findings(lead), *_relistings(session, lead)]
    return sorted(events, key=lambda event: event.at)


def _ours(lead: Lead) -> Iterator[Event]:
    decision = lead.decision
    yield Event(lead.listing.first_seen_at, "first_seen", "road", lead.listing.road)
    yield Event(
        decision.decided_at, "decided", "label", decision.category or "", decision.reviewer.display_name
    )
    for notice in lead.notices:
        yield Event(notice.created_at, "drafted", detail=f"{notice.number} · {notice.author.display_name}")
        if notice.approved_at and notice.approver:
            yield Event(notice.approved_at, "approved", detail=notice.approver.display_name)
    if lead.sent_at:
        yield Event(lead.sent_at, "sent", detail=", ".join(n.recipient for n in lead.notices if n.sent_at))


def _findings(lead: Lead) -> Iterator[Event]:
    for verification in lead.verifications:
        yield Event(verification.observed_at, "verified", "outcome", verification.outcome)
    if lead.closed_at:
        yield Event(lead.closed_at, "closed", "lead_state", lead.state)


def _theirs(lead: Lead) -> Iterator[Event]:
    for response in lead.responses:
        yield Event(response.received_at, "claimed", "measure", response.measure, response.text)


def _looks(session: Session, lead: Lead) -> Iterator[Event]:
    looks = sa.select(Sighting).where(Sighting.listing_id == lead.listing_id)
    for look in session.scalars(looks):
        yield Event(look.observed_at, "looked", "presence", look.state, f"{look.reason} · {look.vantage}")


def _relistings(session: Session, lead: Lead) -> Iterator[Event]:
    for relisting in session.scalars(sa.select(Relisting).where(Relisting.lead_id == lead.id)):
        yield Event(relisting.observed_at, "relisted", "relisting", relisting.kind, relisting.listing.url)
