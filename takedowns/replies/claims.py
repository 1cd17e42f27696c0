"""What a platform says it did, written down: as a claim beside our findings, never as a finding."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime

import sqlalchemy as sa
from sqlalchemy.orm import Session

from takedowns.content import storable
from takedowns.ledger import audit
from takedowns.ledger.tables import Lead, PlatformResponse, User
from takedowns.ledger.vocabulary import Measure
from takedowns.replies.columns import CLOCK_SKEW, TEXT_AT_MOST, Reply
from takedowns.roles import REVIEWERS, require
from takedowns.states import LEAD, NOTICE, LeadEvent, LeadState, NoticeEvent, step

ACTOR = "system:responses"


class ReplyError(ValueError):
    """An answer that a person wants to enter, and cannot; ``code`` is for programs, the text for people."""

    code = "reply"


@dataclass(frozen=True)
class Received:
    """Where an answer stood, when it reached us, and who wrote it down."""

    source: str
    received_at: datetime
    recorded_at: datetime
    actor: str = ACTOR


def enter(session: Session, number: str, reply: Reply, user: User, *, now: datetime) -> int:
    """What a platform answered by telephone or letter, as ``user`` enters it. Raises ReplyError."""
    require(user, REVIEWERS)
    if not reply.measures:
        raise ReplyError("say what the platform did")
    if reply.claimed_at and reply.claimed_at > now + CLOCK_SKEW:
        raise ReplyError("what was done cannot lie in the future")
    reply = replace(reply, text=storable(reply.text.strip())[:TEXT_AT_MOST])
    received = Received(f"desk:{user.login}:{now.isoformat()}", now, now, user.login)
    return store(session, answerable(session, number), reply, received)


def answerable(session: Session, number: str) -> Lead:
    """The lead of this number, if an answer to it can be: raises ReplyError otherwise."""
    found = sa.select(Lead).where(Lead.number == number.strip()).with_for_update()
    lead = session.scalars(found).one_or_none()
    if lead is None:
        raise ReplyError(f"no lead has the number {number[:40]!r}")
    if lead.sent_at is None or lead.state is LeadState.WITHDRAWN:
        raise ReplyError(f"lead {lead.number} was never sent, or was withdrawn")
    return lead


def store(session: Session, lead: Lead, reply: Reply, received: Received) -> int:
    """Add the reply's measures as claims of ``lead``; return how many are new.

    An answer that repeats the one before it adds nothing. One that contradicts it is added, and both stay.
    """
    claims = session.scalars(
        sa.select(PlatformResponse).where(PlatformResponse.lead_id == lead.id).order_by(PlatformResponse.id)
    ).all()
    new = [m for m in reply.measures if not _is_known(claims, m, reply.claimed_at, received)]
    for measure in new:
        _add(session, lead, measure, reply, received)
    if new:
        lead.state = step(LEAD, lead.state, LeadEvent.RESPOND)
        session.flush()
        _answer_notices(session, lead)
    return len(new)


def _is_known(
    claims: Sequence[PlatformResponse], measure: Measure, claimed_at: datetime | None, received: Received
) -> bool:
    same = [claim for claim in claims if claim.measure is measure]
    if claimed_at is not None:
        return any(claim.claimed_at == claimed_at for claim in same)
    if any(claim.source == received.source for claim in same):
        return True
    # Without a time, the same words may be said again after others: only the latest answer is repeated.
    before = [claim.received_at for claim in claims if claim.received_at <= received.received_at]
    return any(claim.received_at == max(before) for claim in same if before)


def _add(session: Session, lead: Lead, measure: Measure, reply: Reply, received: Received) -> None:
    session.add(
        PlatformResponse(
            lead_id=lead.id,
            measure=measure,
            claimed_at=reply.claimed_at,
            received_at=received.received_at,
            recorded_at=received.recorded_at,
            text=reply.text,
            source=received.source,
        )
    )
    payload = {"measure": measure, "claimed_at": str(reply.claimed_at or ""), "source": received.source}
    audit.record(
        session,
        at=received.recorded_at,
        actor=received.actor,
        action="lead.respond",
        subject=f"lead:{lead.id}",
        payload=payload,
    )


def _answer_notices(session: Session, lead: Lead) -> None:
    """A notice is answered when every lead in it is."""
    for notice in lead.notices:
        open_leads = [other for other in notice.leads if other.state is not LeadState.WITHDRAWN]
        answered = sa.select(sa.func.count(PlatformResponse.lead_id.distinct())).where(
            PlatformResponse.lead_id.in_([other.id for other in open_leads])
        )
        if notice.sent_at is not None and session.scalars(answered).one() == len(open_leads):
            notice.state = step(NOTICE, notice.state, NoticeEvent.ANSWER)
