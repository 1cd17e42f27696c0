"""Notices (通知): leads of one platform, drafted, approved by a second person, sent once, and never lost.

Sending takes two transactions with the mail between them. The first writes down that an attempt is under way
(``attempted_at``), the second how it ended. A process killed between them leaves ``attempted_at`` standing:
nobody knows whether the mail went, so the notice can be neither changed nor cancelled, only sent again, with
the same Message-ID.
"""

from __future__ import annotations

import secrets
from collections.abc import Sequence
from datetime import datetime, timedelta

import sqlalchemy as sa
from sqlalchemy.orm import Session

from crawlers.listing import Presence
from crawlers.platforms import Platform
from takedowns import leads as leads_
from takedowns import letters
from takedowns.channels import smtp
from takedowns.content import storable
from takedowns.ledger import audit
from takedowns.ledger.engine import Ledger
from takedowns.ledger.tables import (
    CrawlRun,
    Lead,
    ListingSnapshot,
    Notice,
    NoticeLead,
    Sighting,
    User,
    Verification,
)
from takedowns.ledger.vocabulary import VerificationOutcome
from takedowns.numbers import next_notice_number
from takedowns.roles import REVIEWERS, SENIORS, require
from takedowns.settings import Settings
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

ACTOR = "system:notices"
# An attempt that takes longer died: a mail server is given up after minutes.
ATTEMPT_AT_MOST = timedelta(minutes=15)


class NoticeError(ValueError):
    """``code`` names the reason for programs, the text for people."""

    code = "notice"


class UnknownNoticeError(NoticeError):
    code = "unknown_notice"


class StaleNoticeError(NoticeError):
    code = "stale_notice"


class NoticeStateError(NoticeError):
    code = "notice_state"


class LeadNotReadyError(NoticeError):
    code = "lead_not_ready"


class TooManyLeadsError(NoticeError):
    code = "too_many_leads"


class TwoPersonError(NoticeError):
    code = "two_person"


class BeingSentError(NoticeError):
    code = "being_sent"


def draft(
    session: Session,
    platform: Platform,
    leads: Sequence[Lead],
    author: User,
    *,
    lang: str = "zh",
    now: datetime,
    settings: Settings,
) -> Notice:
    """Write the notice that carries ``leads`` to ``platform``.

    Raises LeadNotReadyError for a lead of another platform, one that is not ready, or one that is in an open
    notice already; TooManyLeadsError; letters.LetterError.
    """
    require(author, REVIEWERS)
    if not 0 < len(leads) <= settings.notices.leads_at_most:
        raise TooManyLeadsError(
            f"a notice carries 1 to {settings.notices.leads_at_most} leads, not {len(leads)}"
        )
    locked = _ready(session, platform, sorted({lead.id for lead in leads}))
    number = next_notice_number(session, settings.office.code, now=now)
    addressee = platform.title if lang == "zh" else platform.title_en
    subject, body = letters.render(number, addressee, locked, lang=lang, now=now, settings=settings)
    notice = Notice(
        number=number,
        platform=platform.name,
        channel=platform.lead.channel,
        recipient=platform.lead.recipient,
        state=NoticeState.DRAFT,
        lang=lang,
        subject=subject,
        body=body,
        author_id=author.id,
        created_at=now,
        message_id=_message_id(number, settings.mail.sender),
        leads=locked,
    )
    session.add(notice)
    _recorded(session, notice, author.login, "notice.draft", now, leads=[lead.number for lead in locked])
    return notice


def approve(
    session: Session, notice_id: int, approver: User, version: int, *, now: datetime, settings: Settings
) -> Notice:
    """Release a draft for sending. Raises TwoPersonError for its author and the reviewers of its leads."""
    require(approver, SENIORS)
    notice = current(session, notice_id, version)
    involved = {notice.author_id, *(lead.decision.reviewer_id for lead in notice.leads)}
    if settings.notices.two_person and approver.id in involved:
        raise TwoPersonError(f"notice {notice.number} needs a second person: you wrote it or found its leads")
    _move(notice, NoticeEvent.APPROVE)
    notice.approver_id = approver.id
    notice.approved_at = now
    _recorded(session, notice, approver.login, "notice.approve", now)
    return notice


def cancel(
    session: Session, notice_id: int, user: User, version: int, *, reason: str = "", now: datetime
) -> Notice:
    """Give a notice up before it went; its leads are ready again. Its author may, and a supervisor."""
    notice = current(session, notice_id, version)
    require(user, REVIEWERS if notice.author_id == user.id else SENIORS)
    if notice.attempted_at is not None:
        raise BeingSentError(f"notice {notice.number} may be with the platform already: send it again first")
    _move(notice, NoticeEvent.CANCEL)
    _recorded(session, notice, user.login, "notice.cancel", now, reason=storable(reason))
    return notice


def drop_gone(session: Session, notice: Notice, *, now: datetime) -> list[Lead]:
    """Close the leads whose last look found them gone, and take them out of ``notice``: nobody is credited.

    A notice left without leads is cancelled. One that went, or may have gone, stays as it is: what is gone
    after dispatch is for removals to judge. Returns the closed leads.
    """
    session.refresh(notice, with_for_update=True)
    if notice.state not in leads_.OPEN or notice.attempted_at is not None:
        return []
    gone = {lead: look for lead in list(notice.leads) if (look := _last_look_if_gone(session, lead))}
    for lead, look in gone.items():
        leads_.detach(session, lead.id, ACTOR, now=now)
        lead.state = step(LEAD, lead.state, LeadEvent.CLOSE)
        lead.closed_at = now
        lead.outcome = VerificationOutcome.GONE_BEFORE
        session.add(
            Verification(
                lead_id=lead.id,
                outcome=lead.outcome,
                observed_at=look.observed_at,
                recorded_at=now,
                basis={"sightings": [look.id], "claims": []},
            )
        )
        leads_.record(session, lead, ACTOR, "lead.gone_before", now, sighting=look.id)
    return list(gone)


def send(ledger: Ledger, notice_id: int, *, now: datetime, settings: Settings) -> Notice:
    """Send an approved notice by mail; returns it as sent, or as send_failed with the reason in ``failure``.

    Leads whose listing is gone already drop out first; when none is left the notice comes back cancelled.
    Raises NoticeStateError when it is not to be sent (any more), BeingSentError while another attempt is
    under way. A failed one may be sent again.
    """
    with ledger.write() as session:
        notice = _begun(session, notice_id, now)
    if notice.state is NoticeState.CANCELLED:
        return notice
    try:
        smtp.deliver(smtp.compose(notice, settings.mail.sender, now=now), settings.mail)
    except smtp.SendError as error:
        with ledger.write() as session:
            return _failed(session, notice, str(error), now)
    with ledger.write() as session:
        sent = _locked(session, notice_id)
        if sent.state is not NoticeState.SENT:
            mark_sent(session, sent, ACTOR, sent_at=now, now=now)
        return sent


def mark_sent(
    session: Session, notice: Notice, actor: str, *, sent_at: datetime, now: datetime, **payload: object
) -> None:
    """The notice and its leads are with the platform."""
    _move(notice, NoticeEvent.SEND)
    notice.sent_at = sent_at
    notice.attempted_at = None
    notice.failure = None
    for lead in notice.leads:
        lead.state = step(LEAD, lead.state, LeadEvent.SEND)
        lead.sent_at = sent_at
    numbers = [lead.number for lead in notice.leads]
    _recorded(
        session, notice, actor, "notice.send", now, leads=numbers, sent_at=sent_at.isoformat(), **payload
    )


def current(session: Session, notice_id: int, version: int) -> Notice:
    """The notice, locked; raises StaleNoticeError when it changed since the caller saw ``version``."""
    notice = _locked(session, notice_id)
    if notice.version != version:
        raise StaleNoticeError(
            f"notice {notice.number} changed since you opened it: it is {notice.state.value}"
        )
    return notice


def _begun(session: Session, notice_id: int, now: datetime) -> Notice:
    notice = _locked(session, notice_id)
    if notice.channel != "smtp":
        raise NoticeStateError(f"notice {notice.number} goes by hand: record when and to whom")
    _check_move(notice, NoticeEvent.SEND)
    if notice.attempted_at is not None and now - notice.attempted_at < ATTEMPT_AT_MOST:
        raise BeingSentError(f"notice {notice.number} is being sent since {notice.attempted_at:%H:%M} UTC")
    drop_gone(session, notice, now=now)
    if notice.state is NoticeState.CANCELLED:
        return notice
    notice.attempted_at = now
    _recorded(session, notice, ACTOR, "notice.attempt", now, message_id=notice.message_id)
    _load_for_mail(notice)
    return notice


def _failed(session: Session, attempt: Notice, reason: str, now: datetime) -> Notice:
    notice = _locked(session, attempt.id)
    if notice.version != attempt.version:
        return notice  # this attempt was taken for dead, and another one went on
    _move(notice, NoticeEvent.FAIL)
    notice.failure = reason
    notice.attempted_at = None
    _recorded(session, notice, ACTOR, "notice.fail", now, reason=reason)
    return notice


def _load_for_mail(notice: Notice) -> None:
    """Read what the mail shows while the session is open."""
    for lead in notice.leads:
        _ = lead.listing.seller, lead.decision.snapshot


def _ready(session: Session, platform: Platform, ids: Sequence[int]) -> list[Lead]:
    """The leads, locked, so that of two drafts at the same time the second one sees the first."""
    found = session.scalars(
        sa.select(Lead).where(Lead.id.in_(ids)).order_by(Lead.id).with_for_update(),
        execution_options={"populate_existing": True},
    ).all()
    for lead in found:
        if lead.state is not LeadState.READY:
            raise LeadNotReadyError(f"lead {lead.number} is {lead.state.value}, not ready to be sent")
        if lead.listing.platform != platform.name:
            raise LeadNotReadyError(
                f"lead {lead.number} is about {lead.listing.platform}, not {platform.name}"
            )
    taken = (
        sa.select(Lead.number)
        .join(NoticeLead)
        .join(Notice)
        .where(Lead.id.in_(ids), Notice.state.in_(leads_.OPEN))
    )
    if number := session.scalars(taken).first():
        raise LeadNotReadyError(f"lead {number} is in another notice that has not gone out yet")
    return sorted(found, key=lambda lead: lead.number)


def _last_look_if_gone(session: Session, lead: Lead) -> Sighting | None:
    """The last look that could tell, if it found the listing gone and nothing was seen of it since."""
    looks = (
        sa.select(Sighting)
        .join(CrawlRun)
        .where(
            Sighting.listing_id == lead.listing_id,
            Sighting.state.in_([Presence.UP, Presence.GONE, Presence.ALTERED]),
            CrawlRun.trusted,
        )
        .order_by(Sighting.observed_at.desc(), Sighting.id.desc())
    )
    last = session.scalars(looks.limit(1)).first()
    shown = session.scalar(
        sa.select(sa.func.max(ListingSnapshot.observed_at)).where(
            ListingSnapshot.listing_id == lead.listing_id
        )
    )
    if last is None or last.state is not Presence.GONE or (shown and shown > last.observed_at):
        return None
    return last


def _locked(session: Session, notice_id: int) -> Notice:
    notice = session.get(Notice, notice_id, with_for_update=True, populate_existing=True)
    if notice is None:
        raise UnknownNoticeError(f"there is no notice {notice_id}")
    return notice


def _check_move(notice: Notice, event: NoticeEvent) -> NoticeState:
    try:
        return step(NOTICE, notice.state, event)
    except InvalidTransitionError as error:
        raise NoticeStateError(f"notice {notice.number}: {error}") from error


def _move(notice: Notice, event: NoticeEvent) -> None:
    notice.state = _check_move(notice, event)


def _message_id(number: str, sender: str) -> str:
    return f"<{number}.{secrets.token_hex(8)}@{sender.rpartition('@')[2]}>"


def _recorded(
    session: Session, notice: Notice, actor: str, action: str, now: datetime, **payload: object
) -> None:
    session.flush()
    audit.record(session, at=now, actor=actor, action=action, subject=f"notice:{notice.id}", payload=payload)
