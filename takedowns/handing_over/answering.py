"""What became of a case file that another office handed to us, packed for that office."""

from __future__ import annotations

import sqlalchemy as sa
from sqlalchemy.orm import Session

from takedowns.content import storable
from takedowns.context import Context
from takedowns.handing_over import facts, package
from takedowns.handing_over.casefile import ANSWER, FACTS_AT_MOST, Answer, LeadAnswer, OwnLead
from takedowns.handing_over.handovers import (
    NOTE_AT_MOST,
    HandoverError,
    HandoverStateError,
    current,
    move,
    record,
)
from takedowns.ledger.tables import Decision, Handover, HandoverLead, Lead, Tip, User
from takedowns.ledger.vocabulary import Finding
from takedowns.states import HandoverEvent


def answer(
    context: Context, session: Session, number: str, user: User, result: str, *, version: int | None = None
) -> tuple[Handover, bytes]:
    """Close an incoming case file with a result; returns the package for its sender, which is kept, too.

    Raises HandoverError, roles.NotAllowedError.
    """
    now = context.clock()
    handover = current(session, number, user, version)
    result = storable(result.strip())[:NOTE_AT_MOST]
    if not handover.incoming or handover.their_number is None:
        raise HandoverStateError(f"{number} is ours: the other office answers it")
    if not result:
        raise HandoverError("say what came of it")
    move(handover, HandoverEvent.ANSWER)
    answers = tuple(_of_lead(session, lead) for lead in handover.leads)
    told = Answer(
        number=handover.number,
        answers=handover.their_number,
        package_sha256=handover.package_sha256,
        office=facts.office(context.settings.office),
        answered_at=now,
        result=result,
        leads=answers,
    )
    data = package.write("answer", handover.number, {ANSWER: package.written(told)})
    handover.result, handover.result_sha256, handover.closed_at = result, context.evidence.put(data), now
    for lead, one in zip(handover.leads, answers, strict=True):
        lead.answer = one.model_dump(mode="json")
    payload = {"result": result, "sha256": handover.result_sha256}
    record(session, handover, user.login, "handover.answer", now, **payload)
    return handover, data


def _of_lead(session: Session, lead: HandoverLead) -> LeadAnswer:
    """As it stands now: its tip, the newest decision on the listing, and our leads on it."""
    tip = session.get(Tip, lead.tip_id) if lead.tip_id else None
    return LeadAnswer(
        number=lead.number,
        tip=tip.number if tip else None,
        tip_state=tip.state if tip else None,
        decision=_newest_decision(session, tip.listing_id) if tip else None,
        leads=tuple(_own_leads(session, tip.listing_id)) if tip else (),
    )


def _newest_decision(session: Session, listing_id: int | None) -> Finding | None:
    made = sa.select(Decision.finding).where(Decision.listing_id == listing_id)
    return session.scalars(made.order_by(Decision.id.desc()).limit(1)).first()


def _own_leads(session: Session, listing_id: int | None) -> list[OwnLead]:
    found = sa.select(Lead).where(Lead.listing_id == listing_id).order_by(Lead.id.desc()).limit(FACTS_AT_MOST)
    return [
        OwnLead(number=lead.number, state=lead.state, outcome=lead.outcome) for lead in session.scalars(found)
    ]
