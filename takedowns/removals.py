"""From looks and claims in the ledger to our findings about leads, and what is to be looked at again."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import datetime, timedelta

import sqlalchemy as sa
from sqlalchemy.orm import Session, aliased

from crawlers.rundir import Target
from takedowns import configuration, control, deadlines, leads, looks, seller_record
from takedowns.judging import CONCLUSIVE, REMOVED, Claim, Judgement, LeadFacts, Look, judge
from takedowns.ledger.tables import (
    CrawlRun,
    Decision,
    Lead,
    Listing,
    ListingSnapshot,
    PlatformResponse,
    Sighting,
    Verification,
)
from takedowns.ledger.vocabulary import VerificationOutcome
from takedowns.settings import Settings
from takedowns.states import LEAD, LeadEvent, LeadState, step

__all__ = [
    "Claim",
    "Judgement",
    "LeadFacts",
    "Look",
    "due_for_recheck",
    "judge",
    "settle",
    "settle_all",
    "target",
]

ACTOR = "system:removals"
BATCH = 500  # leads whose looks are read at once
# Days after closing, looked at once more each; the first because gone_before rests on a single look.
STAY_DOWN = (1, 7, 30, 90)
STAY_DOWN_CLOSELY = (1, 3, 7, 14, 30, 60, 90)  # where the seller's record calls for it


def settle(session: Session, lead: Lead, *, now: datetime, settings: Settings) -> Verification | None:
    """Judge one sent lead; the new verification when the finding changed, else None.

    One that was withdrawn or came back stays as it is. Raises ValueError for one that was not sent.
    """
    if lead.sent_at is None:
        raise ValueError(f"lead {lead.number} was not sent, so there is nothing to judge")
    if lead.state is LeadState.WITHDRAWN or lead.outcome is VerificationOutcome.RELISTED:
        return None
    ((_, facts),) = _facts(session, [lead], now, settings)
    newest = _newest(session, [lead])
    return _written(session, lead, newest.get(lead.id), judge(facts, settings.removal), facts)


def settle_all(session: Session, *, now: datetime, settings: Settings) -> Counter[VerificationOutcome]:
    """Judge the leads that were sent and neither withdrawn nor relisted; count the changed findings.

    Those of which nothing was seen or said since they were last judged are left out: of the same facts the
    same would be found.
    """
    sent = session.scalars(
        sa.select(Lead)
        .where(
            Lead.sent_at.is_not(None),
            Lead.state != LeadState.WITHDRAWN,
            Lead.outcome.is_distinct_from(VerificationOutcome.RELISTED),
            _has_news(),
        )
        .order_by(Lead.id)
        .with_for_update()
    ).all()
    changed: Counter[VerificationOutcome] = Counter()
    for start in range(0, len(sent), BATCH):
        batch = sent[start : start + BATCH]
        newest = _newest(session, batch)
        known = list(_facts(session, batch, now, settings))
        for lead, facts in known:
            found = judge(facts, settings.removal)
            if verification := _written(session, lead, newest.get(lead.id), found, facts):
                changed[verification.outcome] += 1
        _judged(session, known)
    return changed


def due_for_recheck(session: Session, *, platform: str, now: datetime) -> list[Target]:
    """What to look at now: every lead that is not closed, and closed ones 1, 7, 30 and 90 days afterwards.

    Leads that wait to be sent are among them, so that those gone by themselves are noticed, and so is the
    control group. A seller's record brings looks at its closed leads more often. What a look shows is
    compared with the words that the newest lead is about.
    """
    last_look = (
        sa.select(sa.func.max(Sighting.observed_at))
        .join(CrawlRun)
        .where(Sighting.listing_id == Lead.listing_id, CrawlRun.trusted, Sighting.state.in_(CONCLUSIVE))
        .scalar_subquery()
    )
    followed = session.execute(
        sa.select(Lead.state, Lead.closed_at, last_look, Listing.seller_id)
        .add_columns(Listing.id, Listing.item_id, Listing.url, ListingSnapshot.title)
        .join(Lead.listing)
        .join(Lead.decision)
        .join(Decision.snapshot)
        .where(
            Listing.platform == platform,
            Lead.state != LeadState.WITHDRAWN,
            Lead.outcome.is_distinct_from(VerificationOutcome.RELISTED),
        )
        .order_by(Lead.id)
    ).all()
    closely = seller_record.watched_closely(session, platform, now=now)
    found = control.targets(session, platform, now=now)
    for state, closed_at, looked_at, seller_id, listing_id, item_id, url, title in followed:
        days = STAY_DOWN_CLOSELY if seller_id in closely else STAY_DOWN
        if state is not LeadState.CLOSED or closed_at is None or _is_due(closed_at, looked_at, days, now):
            found[listing_id] = Target(item_id=item_id, url=url, title=title)
    return list(found.values())


def target(lead: Lead) -> Target:
    """The lead's listing as the crawler needs it, with the title that the lead is about."""
    return Target(item_id=lead.listing.item_id, url=lead.listing.url, title=lead.decision.snapshot.title)


def _has_news() -> sa.ColumnElement[bool]:
    """A clock ahead of ours counts when ours has come to that time."""
    other = aliased(Lead)
    seen = sa.exists().where(
        Sighting.listing_id == Lead.listing_id,
        sa.or_(Sighting.recorded_at >= Lead.judged_at, Sighting.observed_at >= Lead.judged_at),
    )
    said = sa.exists().where(
        PlatformResponse.lead_id == Lead.id,
        sa.or_(
            PlatformResponse.recorded_at >= Lead.judged_at, PlatformResponse.received_at >= Lead.judged_at
        ),
    )
    compared_anew = sa.exists().where(
        other.listing_id == Lead.listing_id,
        sa.or_(other.created_at >= Lead.judged_at, other.closed_at >= Lead.judged_at),
        other.id != Lead.id,
    )
    return sa.or_(Lead.judged_at.is_(None), seen, said, compared_anew)


def _judged(session: Session, facts: Iterable[tuple[Lead, LeadFacts]]) -> None:
    """No change of the lead as people see it, so its version stays."""
    until = {lead.id: None if known.unread_since else known.as_of for lead, known in facts}
    for moment in set(until.values()):
        ids = [lead_id for lead_id, at in until.items() if at == moment]
        session.execute(
            sa.update(Lead).where(Lead.id.in_(ids)).values(judged_at=moment),
            execution_options={"synchronize_session": False},
        )


def _facts(
    session: Session, batch: Sequence[Lead], now: datetime, settings: Settings
) -> Iterator[tuple[Lead, LeadFacts]]:
    calendar = deadlines.load(configuration.folder() / "holidays.yml")
    seen = looks.at_leads(session, batch)
    claims = looks.claims(session, {lead.id for lead in batch})
    unread = looks.unread_since(session, {lead.listing_id for lead in batch})
    for lead, sent_at in ((lead, lead.sent_at) for lead in batch if lead.sent_at):
        yield (
            lead,
            LeadFacts(
                sent_at=sent_at,
                answer_due=deadlines.due(sent_at, settings.notices.answer_working_days, calendar),
                as_of=now,
                looks=seen[lead.id],
                claims=tuple(claims[lead.id]),
                unread_since=unread.get(lead.listing_id),
            ),
        )


def _newest(session: Session, batch: Sequence[Lead]) -> Mapping[int, Verification]:
    """Lead id → its newest verification, if it has any."""
    newest = (
        sa.select(sa.func.max(Verification.id))
        .where(Verification.lead_id.in_([lead.id for lead in batch]))
        .group_by(Verification.lead_id)
    )
    rows = session.scalars(sa.select(Verification).where(Verification.id.in_(newest)))
    return {row.lead_id: row for row in rows}


def _written(
    session: Session, lead: Lead, before: Verification | None, found: Judgement | None, facts: LeadFacts
) -> Verification | None:
    """Write the finding down if it changed, and one that no longer holds as fallen.

    Looks may come in late, from a run whose parent died: then what was found before them can fall.
    """
    if found is None:
        return _fallen(session, lead, before, facts)
    if before and (before.outcome, before.observed_at) == (found.outcome, found.observed_at):
        return None
    verification = _added(session, lead, found, facts.as_of)
    lead.outcome = found.outcome
    _open_or_close(lead, facts)
    leads.record(
        session, lead, ACTOR, "lead.verify", facts.as_of, outcome=found.outcome, **verification.basis
    )
    return verification


def _fallen(
    session: Session, lead: Lead, before: Verification | None, facts: LeadFacts
) -> Verification | None:
    """Nothing can be said any more, and the ledger says so: ``unverifiable`` until something can."""
    fell, told = lead.outcome, [at for look in facts.looks if (at := look.observed_at) <= facts.as_of]
    if before is None or fell is None or not told:
        return None
    lead.outcome, written = None, None
    if fell is not VerificationOutcome.UNVERIFIABLE:
        nothing = Judgement(VerificationOutcome.UNVERIFIABLE, max(told), ())
        written = _added(session, lead, nothing, facts.as_of)
    _open_or_close(lead, facts)
    leads.record(session, lead, ACTOR, "lead.verify", facts.as_of, outcome=None, fell=fell)
    return written


def _added(session: Session, lead: Lead, found: Judgement, now: datetime) -> Verification:
    verification = Verification(
        lead_id=lead.id,
        outcome=found.outcome,
        observed_at=found.observed_at,
        recorded_at=now,
        basis={"sightings": list(found.looks), "claims": list(found.claims)},
    )
    session.add(verification)
    return verification


def _open_or_close(lead: Lead, facts: LeadFacts) -> None:
    over = lead.outcome in REMOVED or lead.outcome is VerificationOutcome.RELISTED
    if over and lead.state is not LeadState.CLOSED:
        lead.state = step(LEAD, lead.state, LeadEvent.CLOSE)
        lead.closed_at = facts.as_of
    elif not over and lead.state is LeadState.CLOSED:
        lead.state = step(LEAD, lead.state, LeadEvent.REOPEN)
        lead.closed_at = None
        if facts.claims:
            lead.state = step(LEAD, lead.state, LeadEvent.RESPOND)


def _is_due(closed_at: datetime, looked_at: datetime | None, days: Sequence[int], now: datetime) -> bool:
    checks = [check for day in days if (check := closed_at + timedelta(days=day)) <= now]
    return bool(checks) and (looked_at is None or looked_at < checks[-1])
