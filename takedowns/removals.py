"""From looks and claims in the ledger to our findings about leads, and what is to be looked at again."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import datetime, timedelta
from typing import TypeVar

import sqlalchemy as sa
from sqlalchemy.orm import Session, selectinload

from crawlers.rundir import Target
from takedowns import configuration, deadlines, leads
from takedowns.judging import CONCLUSIVE, REMOVED, Claim, Judgement, LeadFacts, Look, judge
from takedowns.ledger.tables import CrawlRun, Lead, Listing, PlatformResponse, Sighting, Verification
from takedowns.ledger.vocabulary import VerificationOutcome
from takedowns.listings import current_snapshot
from takedowns.relistings import find_relistings
from takedowns.settings import Settings
from takedowns.states import LEAD, LeadEvent, LeadState, step

__all__ = [
    "Claim",
    "Judgement",
    "LeadFacts",
    "Look",
    "due_for_recheck",
    "find_relistings",
    "judge",
    "settle",
    "settle_all",
    "target",
]

ACTOR = "system:removals"
BATCH = 500  # leads whose looks are read at once
# After closing, looked at once more each; the first because gone_before rests on a single look.
STAY_DOWN = tuple(timedelta(days=days) for days in (1, 7, 30, 90))

T = TypeVar("T")


def settle(session: Session, lead: Lead, *, now: datetime, settings: Settings) -> Verification | None:
    """Judge one sent lead; the new verification when the finding changed, else None."""
    ((_, facts),) = _facts(session, [lead], now, settings)
    return _written(session, lead, judge(facts, settings.removal), now)


def settle_all(session: Session, *, now: datetime, settings: Settings) -> Counter[VerificationOutcome]:
    """Judge every lead that was sent and neither withdrawn nor relisted; count the changed findings."""
    sent = session.scalars(
        sa.select(Lead)
        .where(
            Lead.sent_at.is_not(None),
            Lead.state != LeadState.WITHDRAWN,
            Lead.outcome.is_distinct_from(VerificationOutcome.RELISTED),
        )
        .order_by(Lead.id)
        .with_for_update()
    ).all()
    changed: Counter[VerificationOutcome] = Counter()
    for start in range(0, len(sent), BATCH):
        for lead, facts in _facts(session, sent[start : start + BATCH], now, settings):
            if verification := _written(session, lead, judge(facts, settings.removal), now):
                changed[verification.outcome] += 1
    return changed


def due_for_recheck(session: Session, *, platform: str, now: datetime) -> list[Target]:
    """What to look at now: every lead that is not closed, and closed ones 1, 7, 30 and 90 days afterwards.

    Leads that wait to be sent are among them, so that those gone by themselves are noticed.
    """
    last_look = (
        sa.select(sa.func.max(Sighting.observed_at))
        .join(CrawlRun)
        .where(Sighting.listing_id == Lead.listing_id, CrawlRun.trusted, Sighting.state.in_(CONCLUSIVE))
        .scalar_subquery()
    )
    followed = (
        sa.select(Lead, last_look)
        .join(Lead.listing)
        .where(
            Listing.platform == platform,
            Lead.state != LeadState.WITHDRAWN,
            Lead.outcome.is_distinct_from(VerificationOutcome.RELISTED),
        )
        .order_by(Lead.id)
        .options(selectinload(Lead.listing).selectinload(Listing.snapshots))
    )
    due = (lead for lead, looked_at in session.execute(followed) if _is_due(lead, looked_at, now))
    return list({lead.listing_id: target(lead) for lead in due}.values())


def target(lead: Lead) -> Target:
    """The lead's listing as the crawler needs it, with the title that was seen last."""
    snapshot = current_snapshot(lead.listing)
    return Target(
        item_id=lead.listing.item_id, url=lead.listing.url, title=snapshot.title if snapshot else None
    )


def _facts(
    session: Session, batch: Sequence[Lead], now: datetime, settings: Settings
) -> Iterator[tuple[Lead, LeadFacts]]:
    calendar = deadlines.load(configuration.folder() / "holidays.yml")
    looks = _looks(session, {lead.listing_id for lead in batch})
    claims = _claims(session, {lead.id for lead in batch})
    for lead in batch:
        if lead.sent_at is None:
            raise ValueError(f"lead {lead.number} was not sent, so there is nothing to judge")
        yield (
            lead,
            LeadFacts(
                sent_at=lead.sent_at,
                answer_due=deadlines.due(lead.sent_at, settings.notices.answer_working_days, calendar),
                as_of=now,
                looks=tuple(looks[lead.listing_id]),
                claims=tuple(claims[lead.id]),
            ),
        )


def _looks(session: Session, listing_ids: Iterable[int]) -> Mapping[int, list[Look]]:
    rows = session.execute(
        sa.select(Sighting, CrawlRun.trusted).join(CrawlRun).where(Sighting.listing_id.in_(listing_ids))
    )
    return _grouped(
        (s.listing_id, Look(s.id, s.state, s.observed_at, s.vantage, trusted)) for s, trusted in rows
    )


def _claims(session: Session, lead_ids: Iterable[int]) -> Mapping[int, list[Claim]]:
    rows = session.scalars(sa.select(PlatformResponse).where(PlatformResponse.lead_id.in_(lead_ids)))
    return _grouped(
        (row.lead_id, Claim(row.id, row.measure, row.claimed_at, row.received_at)) for row in rows
    )


def _grouped(pairs: Iterable[tuple[int, T]]) -> Mapping[int, list[T]]:
    groups: defaultdict[int, list[T]] = defaultdict(list)
    for key, value in pairs:
        groups[key].append(value)
    return groups


def _written(session: Session, lead: Lead, judgement: Judgement | None, now: datetime) -> Verification | None:
    if judgement is None or judgement.outcome is lead.outcome:
        return None
    basis = {"sightings": list(judgement.looks), "claims": list(judgement.claims)}
    verification = Verification(
        lead_id=lead.id,
        outcome=judgement.outcome,
        observed_at=judgement.observed_at,
        recorded_at=now,
        basis=basis,
    )
    session.add(verification)
    lead.outcome = judgement.outcome
    over = judgement.outcome in REMOVED or judgement.outcome is VerificationOutcome.RELISTED
    if over and lead.state is not LeadState.CLOSED:
        lead.state = step(LEAD, lead.state, LeadEvent.CLOSE)
        lead.closed_at = now
    leads.record(session, lead, ACTOR, "lead.verify", now, outcome=judgement.outcome, **basis)
    return verification


def _is_due(lead: Lead, looked_at: datetime | None, now: datetime) -> bool:
    if lead.state is not LeadState.CLOSED or lead.closed_at is None:
        return True
    checks = [lead.closed_at + after for after in STAY_DOWN if lead.closed_at + after <= now]
    return bool(checks) and (looked_at is None or looked_at < checks[-1])
