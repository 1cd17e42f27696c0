"""The truth of the simulated market against the ledger: every difference, as a sentence."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from datetime import datetime, timedelta

import sqlalchemy as sa
from sqlalchemy.orm import Session

from bench.simulation.cases import Case
from bench.simulation.market import OPENING, RARELY, Simulation
from bench.simulation.pages import DAY, TRUTH, Conduct, Shown
from takedowns import control, removals, reports
from takedowns.judging import REMOVED
from takedowns.ledger import audit, tables
from takedowns.ledger.vocabulary import RelistingKind, VerificationOutcome
from takedowns.states import LeadState

YEAR = "2026"
LATE_BY = 3 * DAY  # after a planned look that was blocked or failed, or whose run failed


def differences(simulation: Simulation) -> list[str]:
    """Empty when the ledger says what is so."""
    with simulation.ledger.read() as session:
        return [
            *simulation.wrong,
            *_outcomes(session, simulation),
            *_lies(session, simulation),
            *_returns(session, simulation),
            *_twins(session, simulation),
            *_figures(session, simulation),
            *_controls(session, simulation),
            *audit.verify(session),
        ]


def _outcomes(session: Session, simulation: Simulation) -> Iterator[str]:
    for case in simulation.cases.values():
        for number, lead_id in enumerate(case.lead_ids):
            lead = session.get_one(tables.Lead, lead_id)
            wanted = _final(case, simulation, lead, again=number > 0)
            if lead.outcome is not wanted:
                yield f"{lead.number} {case.conduct}: found {lead.outcome}, but it is {wanted}"
            over = wanted in REMOVED | {
                VerificationOutcome.RELISTED,
                VerificationOutcome.GONE_BEFORE,
            }
            if lead.state is not LeadState.WITHDRAWN and over is not (lead.state is LeadState.CLOSED):
                yield f"{lead.number} {case.conduct}: {lead.outcome}, but {lead.state}"


def _final(
    case: Case, simulation: Simulation, lead: tables.Lead, *, again: bool
) -> VerificationOutcome | None:
    if again:
        return VerificationOutcome.REMOVED_VERIFIED
    if case.conduct is Conduct.GONE_BEFORE and lead.sent_at is not None:
        return VerificationOutcome.REMOVED_UNCLAIMED  # the look before the dispatch could not tell
    if case.conduct is Conduct.NIGHT and lead.sent_at is None:
        return VerificationOutcome.GONE_BEFORE  # which rests on a single look, and is credited to nobody
    if case.conduct is Conduct.WITHDRAWN:
        return lead.outcome  # whatever was found before
    if case.conduct is Conduct.WALL_LATER and not _told(simulation, case):
        return VerificationOutcome.UNVERIFIABLE
    return TRUTH[case.conduct].outcome


def _told(simulation: Simulation, case: Case) -> bool:
    return any(
        look.tells and case.sent_at and look.at > case.sent_at for look in simulation.seen[case.item_id]
    )


def _lies(session: Session, simulation: Simulation) -> Iterator[str]:
    named = set(
        session.scalars(
            sa.select(tables.Verification.lead_id).where(
                tables.Verification.outcome == VerificationOutcome.FALSE_CLAIM
            )
        )
    )
    for case in simulation.cases.values():
        lies, told = TRUTH[case.conduct].lies, bool(named & set(case.lead_ids))
        if lies is not told:
            yield f"{case.item_id} {case.conduct}: {'a lie unnamed' if lies else 'called a liar'}"


def _returns(session: Session, simulation: Simulation) -> Iterator[str]:
    """Found when the first look that could tell was taken in; and looked for at the times planned."""
    for case in simulation.cases.values():
        if TRUTH[case.conduct].back is not RelistingKind.SAME_URL:
            continue
        back = next(at for at, shown in case.page.changes if shown is Shown.UP)
        found = session.scalars(
            sa.select(tables.Relisting).where(
                tables.Relisting.lead_id == case.lead_ids[0],
                tables.Relisting.kind == RelistingKind.SAME_URL,
            )
        ).one_or_none()
        first = next((x for x in simulation.seen[case.item_id] if x.tells and x.at >= back), None)
        if found is None or first is None:
            yield f"{case.item_id} {case.conduct}: back since {back}, never found"
            continue
        known = [x.known_at for x in simulation.seen[case.item_id] if x.tells and x.at >= back]
        settled = next(at for at in simulation.settled if at >= min(known))
        if found.recorded_at > settled:
            yield f"{case.item_id}: seen back by {settled}, told at {found.recorded_at}"
        if first.at > _next_check(session, case, back) + LATE_BY + RARELY * DAY:
            yield f"{case.item_id}: back since {back}, looked at only on {first.at}"


def _next_check(session: Session, case: Case, back: datetime) -> datetime:
    closed = session.scalars(
        sa.select(tables.Verification.recorded_at)
        .where(
            tables.Verification.lead_id == case.lead_ids[0],
            tables.Verification.outcome.in_(REMOVED),
        )
        .order_by(tables.Verification.id)
    ).first()
    checks = [closed + timedelta(days=days) for days in removals.STAY_DOWN] if closed else [back]
    return min((check for check in checks if check >= back), default=back)


def _twins(session: Session, simulation: Simulation) -> Iterator[str]:
    rows = session.execute(
        sa.select(tables.Listing.item_id, tables.Relisting.lead_id)
        .join(tables.Relisting, tables.Relisting.listing_id == tables.Listing.id)
        .where(tables.Relisting.kind == RelistingKind.SAME_TEXT)
    )
    linked: dict[str, int] = {item: lead for item, lead in rows}  # noqa: C416  (rows are no pairs to mypy)
    for case in simulation.cases.values():
        wanted = case.lead_ids[0] if case.conduct is Conduct.NEW_ID else None
        if linked.pop(case.twin_id, None) != wanted:
            yield f"{case.item_id} {case.conduct}: its new id is not linked to its lead"
    yield from (f"{item} is linked, and is nobody's twin" for item in linked)


def _figures(session: Session, simulation: Simulation) -> Iterator[str]:
    report = reports.compute(session, reports.Period.parse(YEAR), as_of=simulation.end)
    truth = _counted(session, simulation)
    for name, wanted in truth.items():
        if report.total[name].value != wanted:
            yield f"{name}: the report says {report.total[name].value}, the truth is {wanted}"
    months = [
        reports.compute(session, reports.Period.parse(f"{YEAR}-{month:02}"), as_of=simulation.end)
        for month in range(1, 13)
    ]
    for name in ("leads_sent", "removed_verified", "false_claim", "reappeared"):
        by_month = sum(int(month.total[name].value or 0) for month in months)
        if by_month != truth[name]:
            yield f"{name}: {by_month} in all months together, {truth[name]} in the year"


def _counted(session: Session, simulation: Simulation) -> Counter[str]:
    """The report's figures, counted over the truth."""
    truth: Counter[str] = Counter()
    for case in simulation.cases.values():
        for number, lead_id in enumerate(case.lead_ids):
            lead = session.get_one(tables.Lead, lead_id)
            final = _final(case, simulation, lead, again=number > 0)
            withdrawn = case.conduct is Conduct.WITHDRAWN
            removed = final in REMOVED | {VerificationOutcome.RELISTED} and not withdrawn
            truth["leads_sent"] += lead.sent_at is not None
            truth["withdrawn"] += withdrawn
            truth["removed_verified"] += removed
            truth["removed_unclaimed"] += final is VerificationOutcome.REMOVED_UNCLAIMED and not withdrawn
            for outcome in ("false_claim", "altered", "gone_before", "unverifiable"):
                truth[outcome] += final == outcome and not withdrawn
            truth["reappeared"] += number == 0 and _back_in_time(case, simulation)
    return truth


def _back_in_time(case: Case, simulation: Simulation) -> bool:
    """Within thirty days of the first look that found it gone."""
    if case.conduct is Conduct.NEW_ID:
        return True
    if TRUTH[case.conduct].back is not RelistingKind.SAME_URL:
        return False
    gone, back = (at for at, _ in case.page.changes[:2])
    told = [look.at for look in simulation.seen[case.item_id] if look.tells]
    return min(at for at in told if at >= back) - min(at for at in told if at >= gone) <= 30 * DAY


def _controls(session: Session, simulation: Simulation) -> Iterator[str]:
    """Nobody of the group left it, so the truth is what its pages did by the horizon, as looks could tell."""
    members = [
        member
        for member in control.members(session, drawn_from=OPENING, drawn_until=simulation.end)
        if session.get_one(tables.Listing, member.listing_id).item_id in simulation.bystanders
    ]
    for horizon in control.spontaneous(members, simulation.settings.removal, as_of=simulation.end):
        gone = sum(_first_gone(session, simulation, m, horizon.days) for m in members)
        if (horizon.n, horizon.gone) != (len(members), gone):
            yield f"control group, {horizon.days} days: {horizon.gone} of {horizon.n}, but {gone}"


def _first_gone(session: Session, simulation: Simulation, member: control.Member, days: int) -> bool:
    item = session.get_one(tables.Listing, member.listing_id).item_id
    gone = [
        look.at
        for look in simulation.seen[item]
        if look.tells and look.shown is Shown.GONE and look.at > member.drawn_at
    ]
    return len(gone) > 1 and gone[0] <= member.drawn_at + timedelta(days=days)
