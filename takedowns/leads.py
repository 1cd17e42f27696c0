"""Leads (线索): one listing and one confirmed finding each; how they are sent stands in notices."""

from __future__ import annotations

from datetime import datetime

import sqlalchemy as sa
from sqlalchemy.orm import Session, selectinload

from takedowns import dispatches, letters
from takedowns.content import storable
from takedowns.ledger import audit
from takedowns.ledger.tables import Decision, Lead, Listing, Notice, NoticeLead, Relisting, User
from takedowns.numbers import next_lead_number
from takedowns.roles import REVIEWERS, SENIORS, require
from takedowns.states import (
    LEAD,
    NOTICE,
    InvalidTransitionError,
    LeadEvent,
    LeadState,
    NoticeEvent,
    NoticeState,
    step,
)

# A notice in one of these may still go out, so its leads belong to it.
OPEN = (NoticeState.DRAFT, NoticeState.APPROVED, NoticeState.SEND_FAILED)


class LeadError(ValueError):
    """``code`` names the reason for programs, the text for people."""

    code = "lead"


class UnknownLeadError(LeadError):
    code = "unknown_lead"


class LeadStateError(LeadError):
    code = "lead_state"


def create(session: Session, decision: Decision, *, office_code: str, now: datetime) -> Lead:
    """The lead of a violation, ready to be sent; a relisting's is linked to the earlier lead."""
    lead = Lead(
        number=next_lead_number(session, office_code, now=now),
        listing_id=decision.listing_id,
        decision_id=decision.id,
        state=LeadState.READY,
        created_at=now,
        previous_lead_id=session.scalar(
            sa.select(sa.func.max(Relisting.lead_id)).where(Relisting.listing_id == decision.listing_id)
        ),
    )
    session.add(lead)
    session.flush()
    return lead


def ready(session: Session) -> dict[str, list[Lead]]:
    """Leads that are in no open notice yet, by platform name, oldest number first."""
    taken = sa.select(NoticeLead.lead_id).join(Notice).where(Notice.state.in_(OPEN))
    waiting = (
        sa.select(Lead)
        .join(Lead.listing)
        .where(Lead.state == LeadState.READY, Lead.id.not_in(taken))
        .order_by(Listing.platform, Lead.number)
        .options(
            selectinload(Lead.listing).selectinload(Listing.seller),
            selectinload(Lead.decision).selectinload(Decision.snapshot),
        )
    )
    found: dict[str, list[Lead]] = {}
    for lead in session.scalars(waiting):
        found.setdefault(lead.listing.platform, []).append(lead)
    return found


def withdraw(session: Session, lead_id: int, user: User, *, reason: str, now: datetime) -> Lead:
    """Take a lead back: before sending by anyone who decides, after it by a supervisor.

    It leaves the notice that has not gone out yet; raises dispatches.OnItsWayError once that may have left.
    """
    detach(session, lead_id, user.login, now=now)
    lead = session.get(Lead, lead_id, with_for_update=True, populate_existing=True)
    if lead is None:
        raise UnknownLeadError(f"there is no lead {lead_id}")
    require(user, SENIORS if lead.sent_at else REVIEWERS)
    try:
        lead.state = step(LEAD, lead.state, LeadEvent.WITHDRAW)
    except InvalidTransitionError as error:
        raise LeadStateError(f"lead {lead.number}: {error}") from error
    lead.closed_at = now
    record(session, lead, user.login, "lead.withdraw", now, reason=storable(reason))
    return lead


def detach(session: Session, lead_id: int, actor: str, *, now: datetime) -> None:
    """Take a lead out of its open notice, if it is in one: out of the text too, without changing the rest.

    A notice left without leads is cancelled.
    """
    notice = session.scalars(
        sa.select(Notice).join(NoticeLead).where(NoticeLead.lead_id == lead_id, Notice.state.in_(OPEN))
    ).first()
    if notice is None:
        return
    session.refresh(notice, with_for_update=True)  # the notice first, then its leads, as in sending
    if notice.state in OPEN:
        _take_out(session, notice, lead_id, actor, now)


def _take_out(session: Session, notice: Notice, lead_id: int, actor: str, now: datetime) -> None:
    dispatch = dispatches.of_notice(session, notice)
    if dispatch and not dispatches.is_loose(dispatch):
        raise dispatches.OnItsWayError(f"notice {notice.number} is on its way; try again when that is over")
    lead = next(lead for lead in notice.leads if lead.id == lead_id)
    notice.leads.remove(lead)
    notice.body = letters.without(notice.body, lead.number)
    if dispatch:
        dispatch.body = notice.body
        dispatch.files.clear()  # they are made anew before it leaves
    if not notice.leads:
        notice.state = step(NOTICE, notice.state, NoticeEvent.CANCEL)
        if dispatch:
            dispatches.cancel(dispatch)
    session.flush()
    audit.record(
        session,
        at=now,
        actor=actor,
        action="notice.drop_lead",
        subject=f"notice:{notice.id}",
        payload={"lead": lead.number, "state": notice.state},
    )


def record(session: Session, lead: Lead, actor: str, action: str, now: datetime, **payload: object) -> None:
    """Write the lead's changes with their entry in the audit chain."""
    session.flush()
    audit.record(session, at=now, actor=actor, action=action, subject=f"lead:{lead.id}", payload=payload)
