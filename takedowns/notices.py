"""Notices (通知): leads of one platform, drafted, approved by a second person, sent once, and never lost.

An approval puts the notice into the outbox (:mod:`takedowns.dispatches`), from which :mod:`takedowns.outbox`
delivers it. Until its first attempt it can be taken back.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

import sqlalchemy as sa
from sqlalchemy.orm import Session

from crawlers.listing import Presence
from crawlers.platforms import Platform
from takedowns import dispatches, letters
from takedowns import leads as leads_
from takedowns.content import storable
from takedowns.ledger import audit
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
from takedowns.ledger.vocabulary import DispatchKind, VerificationOutcome
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
        leads=locked,
    )
    session.add(notice)
    _recorded(session, notice, author.login, "notice.draft", now, leads=[lead.number for lead in locked])
    return notice


def approve(
    session: Session, notice_id: int, approver: User, version: int, *, now: datetime, settings: Settings
) -> Notice:
    """Release a draft: it is in the outbox in the same transaction.

    Raises TwoPersonError for its author and the reviewers of its leads.
    """
    require(approver, SENIORS)
    notice = current(session, notice_id, version)
    involved = {notice.author_id, *(lead.decision.reviewer_id for lead in notice.leads)}
    if settings.notices.two_person and approver.id in involved:
        raise TwoPersonError(f"notice {notice.number} needs a second person: you wrote it or found its leads")
    _move(notice, NoticeEvent.APPROVE)
    notice.approver_id = approver.id
    notice.approved_at = now
    dispatch = dispatches.put(
        session,
        notice,
        DispatchKind.NOTICE,
        recipient=notice.recipient,
        subject=notice.subject,
        body=notice.body,
        now=now,
        settings=settings,
    )
    payload = {"key": dispatch.idempotency_key, "not_before": dispatch.not_before.isoformat()}
    _recorded(session, notice, approver.login, "notice.approve", now, **payload)
    return notice


def recall(
    session: Session, notice_id: int, user: User, version: int, *, reason: str = "", now: datetime
) -> Notice:
    """Take an approved notice back from the outbox: it is a draft again, to be approved anew.

    Anyone who reviews may: to stop is safe. Raises dispatches.OnItsWayError once it may have left.
    """
    require(user, REVIEWERS)
    notice = current(session, notice_id, version)
    _move(notice, NoticeEvent.RECALL)
    _take_back(session, notice)
    notice.approver_id = notice.approved_at = None
    _recorded(session, notice, user.login, "notice.recall", now, reason=storable(reason))
    return notice


def cancel(
    session: Session, notice_id: int, user: User, version: int, *, reason: str = "", now: datetime
) -> Notice:
    """Give a notice up before it went; its leads are ready again. Its author may, and a supervisor.

    Raises dispatches.OnItsWayError once it may have left.
    """
    notice = current(session, notice_id, version)
    require(user, REVIEWERS if notice.author_id == user.id else SENIORS)
    _move(notice, NoticeEvent.CANCEL)
    _take_back(session, notice)
    _recorded(session, notice, user.login, "notice.cancel", now, reason=storable(reason))
    return notice


def drop_gone(session: Session, notice: Notice, *, now: datetime) -> list[Lead]:
    """Close the leads whose last look found them gone, and take them out of ``notice``: nobody is credited.

    A notice left without leads is cancelled. One that went, or may have gone, stays as it is: what is gone
    after dispatch is for removals to judge. Returns the closed leads.
    """
    session.refresh(notice, with_for_update=True)
    dispatch = dispatches.of_notice(session, notice)
    if notice.state not in leads_.OPEN or (dispatch and not dispatches.is_loose(dispatch)):
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


def mark_sent(
    session: Session, notice: Notice, actor: str, *, sent_at: datetime, now: datetime, **payload: object
) -> None:
    """The notice and its leads are with the platform."""
    _move(notice, NoticeEvent.SEND)
    notice.sent_at = sent_at
    for lead in notice.leads:
        lead.state = step(LEAD, lead.state, LeadEvent.SEND)
        lead.sent_at = sent_at
    numbers = [lead.number for lead in notice.leads]
    _recorded(
        session, notice, actor, "notice.send", now, leads=numbers, sent_at=sent_at.isoformat(), **payload
    )


def mark_failed(session: Session, notice: Notice, reason: str, *, now: datetime) -> None:
    """Sending was given up: a person has to look."""
    _move(notice, NoticeEvent.FAIL)
    _recorded(session, notice, ACTOR, "notice.fail", now, reason=reason)


def retry(session: Session, notice: Notice, user: User, *, now: datetime, settings: Settings) -> None:
    """Let a locked notice whose sending was given up wait in the outbox again."""
    require(user, REVIEWERS)
    _move(notice, NoticeEvent.RETRY)
    if dispatch := dispatches.of_notice(session, notice):
        dispatches.retry(dispatch, now=now, settings=settings)
    _recorded(session, notice, user.login, "notice.retry", now)


def acknowledge(
    session: Session, notice_id: int, user: User, version: int, *, receipt: str, at: datetime, now: datetime
) -> Notice:
    """Record that the platform signed for the notice (签收) at ``at``: it has it, and need not have acted.

    Raises NoticeError without a receipt or for a time outside dispatch … now.
    """
    require(user, REVIEWERS)
    notice = current(session, notice_id, version)
    _move(notice, NoticeEvent.ACKNOWLEDGE)
    if not receipt.strip():
        raise NoticeError("name the receipt: a number, a form's answer, or who signed")
    if notice.sent_at is None or not notice.sent_at <= at <= now:
        raise NoticeError("the time of the signature lies between the dispatch and now")
    notice.acknowledged_at = at
    for lead in notice.leads:
        if lead.state is LeadState.SENT:
            lead.state = step(LEAD, lead.state, LeadEvent.ACKNOWLEDGE)
    payload = {"receipt": storable(receipt.strip()), "at": at.isoformat()}
    _recorded(session, notice, user.login, "notice.acknowledge", now, **payload)
    return notice


def lapse(session: Session, notice: Notice, *, now: datetime) -> None:
    """Nobody answered a locked notice. Its leads stay as they are: silence closes none."""
    _move(notice, NoticeEvent.LAPSE)
    _recorded(session, notice, ACTOR, "notice.lapse", now)


def locked(session: Session, notice_id: int) -> Notice:
    """Raises UnknownNoticeError."""
    notice = session.get(Notice, notice_id, with_for_update=True, populate_existing=True)
    if notice is None:
        raise UnknownNoticeError(f"there is no notice {notice_id}")
    return notice


def current(session: Session, notice_id: int, version: int) -> Notice:
    """The notice, locked; raises StaleNoticeError when it changed since the caller saw ``version``."""
    notice = locked(session, notice_id)
    if notice.version != version:
        raise StaleNoticeError(
            f"notice {notice.number} changed since you opened it: it is {notice.state.value}"
        )
    return notice


def _take_back(session: Session, notice: Notice) -> None:
    if dispatch := dispatches.of_notice(session, notice):
        dispatches.cancel(dispatch)


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


def _move(notice: Notice, event: NoticeEvent) -> None:
    try:
        notice.state = step(NOTICE, notice.state, event)
    except InvalidTransitionError as error:
        raise NoticeStateError(f"notice {notice.number}: {error}") from error


def _recorded(
    session: Session, notice: Notice, actor: str, action: str, now: datetime, **payload: object
) -> None:
    session.flush()
    audit.record(session, at=now, actor=actor, action=action, subject=f"notice:{notice.id}", payload=payload)
