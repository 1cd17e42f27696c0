"""What must hold after any number of kills."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Session

from takedowns.ledger import audit
from takedowns.ledger.tables import AuditEntry, Decision, Dispatch, Lead, NoticeLead, PlatformResponse
from takedowns.ledger.vocabulary import DispatchState, VerificationOutcome


@dataclass(frozen=True)
class Findings:
    """``wrong`` has a sentence for each thing that is not as it must be."""

    leads: int
    mails: int
    distinct_mails: int
    audit_entries: int
    wrong: tuple[str, ...]


def findings(session: Session, mails: Sequence[Mapping[str, Any]], listings: int) -> Findings:
    return Findings(
        leads=session.scalar(sa.select(sa.func.count(Lead.id))) or 0,
        mails=len(mails),
        distinct_mails=len({mail["id"] for mail in mails}),
        audit_entries=session.scalar(sa.select(sa.func.count(AuditEntry.seq))) or 0,
        wrong=(*_in_the_ledger(session, listings), *_at_the_receiver(session, mails), *audit.verify(session)),
    )


def _in_the_ledger(session: Session, listings: int) -> Iterator[str]:
    for table, name in ((Decision, "decision"), (Lead, "lead")):
        of = Counter(session.scalars(sa.select(table.listing_id)))
        if len(of) != listings or set(of.values()) != {1}:
            yield f"not one {name} for each of {listings} listings: {len(of)}, {sum(of.values())}"
    if set(Counter(session.scalars(sa.select(NoticeLead.lead_id))).values()) != {1}:
        yield "a lead is in no notice, or in several"
    if set(Counter(session.scalars(sa.select(PlatformResponse.lead_id))).values()) != {1}:
        yield "a lead has no answer, or the same twice"
    outcomes = Counter(session.scalars(sa.select(Lead.outcome)))
    if set(outcomes) != {VerificationOutcome.REMOVED_VERIFIED}:
        yield f"not every lead is removed_verified: {outcomes}"


def _at_the_receiver(session: Session, mails: Sequence[Mapping[str, Any]]) -> Iterator[str]:
    by_id: dict[str, list[Mapping[str, Any]]] = {}
    for mail in mails:
        by_id.setdefault(mail["id"], []).append(mail)
    for key, same in by_id.items():
        if any(mail != same[0] for mail in same):
            yield f"two mails with the id {key} differ"
    dispatches = session.scalars(sa.select(Dispatch)).all()
    if unsent := [one.id for one in dispatches if one.state is not DispatchState.SENT]:
        yield f"dispatches {unsent} were not sent"
    if {one.idempotency_key for one in dispatches} != by_id.keys():
        yield "what was sent and what was received are not the same"
    for number in session.scalars(sa.select(Lead.number)):
        received = sum(f"{number} |" in same[0]["text"] for same in by_id.values())
        if received != 1:
            yield f"lead {number} was received {received} times"
