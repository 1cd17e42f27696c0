"""The worker of the outbox: what is due leaves the house once, as its receiver sees it.

Before a notice's first attempt its listings are looked at again, and those gone already drop out. From the
first attempt on nothing in it changes.
"""

from __future__ import annotations

import logging
from contextlib import suppress
from datetime import datetime

import sqlalchemy as sa
from sqlalchemy.orm import Session

from crawlers.lead_channel import LeadChannel
from takedowns import dispatches, enclosures, jobs, notices, removals
from takedowns.channels import folder, sftp, smtp, webhook
from takedowns.channels.parcel import Parcel, SendError
from takedowns.channels.secret import secret
from takedowns.content import storable
from takedowns.context import Context
from takedowns.crawling.admission import NotNowError
from takedowns.enclosures import Enclosure
from takedowns.ledger import audit
from takedowns.ledger.tables import Dispatch, DispatchFile, Notice, User
from takedowns.ledger.vocabulary import DispatchKind, DispatchState
from takedowns.reminders import unanswered
from takedowns.roles import REVIEWERS, require
from takedowns.states import NoticeState

ACTOR = "system:outbox"
# A reminder of these is still about something.
UNANSWERED = (NoticeState.SENT, NoticeState.ACKNOWLEDGED)

log = logging.getLogger(__name__)


def send_due(context: Context) -> list[Dispatch]:
    """Make the files of what waits, and deliver what is due, one by one; returns those that were tried.

    Whatever goes wrong with one keeps no other from leaving.
    """
    now = context.clock()
    is_open = dispatches.opening(now, context.settings) <= now
    tried = []
    for dispatch in _waiting(context):
        try:
            if is_open and dispatch.not_before <= now:
                tried.append(_attempted(context, dispatch.id))
            else:
                seal(context, dispatch.id)
        except dispatches.OnItsWayError:
            continue  # another worker has it
        except Exception:
            log.exception("dispatch %s of notice %s", dispatch.id, dispatch.notice_id)
    return [dispatch for dispatch in tried if dispatch]


def send(context: Context, notice_id: int) -> Notice:
    """Deliver what waits of a notice: itself or a reminder. Returns it as it is then.

    Raises notices.NoticeStateError when nothing waits, dispatches.HeldError before its time, OnItsWayError
    during another attempt.
    """
    with context.ledger.read() as session:
        notice = session.get(Notice, notice_id)
        if notice is None:
            raise notices.UnknownNoticeError(f"there is no notice {notice_id}")
        waiting = [one.id for one in notice.dispatches if one.state is DispatchState.WAITING]
        check_sendable(notice)
    for dispatch_id in waiting:
        _attempted(context, dispatch_id)
    with context.ledger.read() as session:
        return session.get_one(Notice, notice_id)


def check_sendable(notice: Notice) -> None:
    """Raises notices.NoticeStateError unless something of it waits to be sent by us."""
    if notice.channel == "manual":
        raise notices.NoticeStateError(f"notice {notice.number} goes by hand: record when and to whom")
    if not any(one.state is DispatchState.WAITING for one in notice.dispatches):
        raise notices.NoticeStateError(f"nothing of notice {notice.number} waits: it is {notice.state.value}")


def release(session: Session, context: Context, notice_id: int, user: User) -> None:
    """Let what was given up of a notice wait again, and check that something of it may leave now.

    Raises as :func:`send` does.
    """
    require(user, REVIEWERS)
    now, settings = context.clock(), context.settings
    notice = notices.locked(session, notice_id)
    if notice.state is NoticeState.SEND_FAILED:
        notices.retry(session, notice, user, now=now, settings=settings)
    for dispatch in notice.dispatches:
        if dispatch.state is DispatchState.FAILED:
            dispatches.retry(dispatch, now=now, settings=settings)
            _recorded(session, dispatch, user.login, "dispatch.retry", now)
    check_sendable(notice)
    for dispatch in notice.dispatches:
        if dispatch.state is DispatchState.WAITING:
            dispatches.check_due(dispatch, now=now, settings=settings)


def stop(session: Session, notice: Notice, user: User, *, reason: str, now: datetime) -> list[Dispatch]:
    """Take the reminders of a locked notice back that wait; their rungs count as climbed.

    Raises dispatches.OnItsWayError for one that may have left.
    """
    require(user, REVIEWERS)
    waiting = [one for one in notice.dispatches if one.state in (DispatchState.WAITING, DispatchState.FAILED)]
    for dispatch in waiting:
        dispatches.cancel(dispatch)
        _recorded(session, dispatch, user.login, "dispatch.cancel", now, reason=storable(reason))
    return waiting


def seal(context: Context, dispatch_id: int) -> None:
    """Make the files of a notice, unless they are there; slow, so no transaction is open meanwhile.

    Raises letters.LetterError or classifiers.yamlfile.ConfigError; OSError when the store cannot be written.
    """
    with context.ledger.read() as session:
        dispatch = session.get_one(Dispatch, dispatch_id)
        if dispatch.kind is not DispatchKind.NOTICE or dispatch.files:
            return
        notice = session.get_one(Notice, dispatch.notice_id)
        made = enclosures.of_notice(session, context.evidence, notice, settings=context.settings)
    rows = [(file, context.evidence.put(file.data)) for file in made]
    with context.ledger.write() as session:
        if notices.locked(session, notice.id).version != notice.version:
            return  # a lead was taken out meanwhile: the next attempt makes them anew
        _close(session, dispatches.locked(session, dispatch_id), rows, context.clock())


def _close(session: Session, dispatch: Dispatch, rows: list[tuple[Enclosure, str]], now: datetime) -> None:
    if dispatch.files or dispatch.state is not DispatchState.WAITING:
        return
    dispatch.files = [
        DispatchFile(name=file.name, sha256=sha256, media_type=file.media_type, size=len(file.data))
        for file, sha256 in rows
    ]
    _recorded(session, dispatch, ACTOR, "dispatch.seal", now, files={f.name: sha256 for f, sha256 in rows})


def _waiting(context: Context) -> list[Dispatch]:
    mine = (
        Dispatch.state == DispatchState.WAITING,
        Dispatch.notice_id.is_not(None),
        Dispatch.channel != "manual",
    )
    with context.ledger.read() as session:
        rows = sa.select(Dispatch).where(*mine).order_by(Dispatch.not_before, Dispatch.id)
        return list(session.scalars(rows))


def _attempted(context: Context, dispatch_id: int) -> Dispatch | None:
    """None when it need not leave any more."""
    _look_again(context, dispatch_id)
    with context.ledger.write() as session:
        dispatch = _begun(session, dispatch_id, context)
    if dispatch.state is DispatchState.CANCELLED:
        return None
    try:
        receipt = _handed_to_channel(context, dispatch, _parcel(context, dispatch_id))
    except SendError as error:
        return _failed(context, dispatch, error)
    except Exception as error:  # a defect: somebody has to hear of it, and the next attempt may meet it again
        told = f"{type(error).__name__}: {error}"
        _failed(context, dispatch, SendError(told, temporary=True, may_have_arrived=True))
        raise
    return _succeeded(context, dispatch_id, receipt)


def _look_again(context: Context, dispatch_id: int) -> None:
    """Look at a notice's listings, if its leads can still drop out."""
    with context.ledger.read() as session:
        dispatch = session.get_one(Dispatch, dispatch_id)
        notice = session.get_one(Notice, dispatch.notice_id)
        due = dispatch.not_before <= context.clock()
        if dispatch.kind is not DispatchKind.NOTICE or not dispatches.is_loose(dispatch) or not due:
            return
        targets = [removals.target(lead) for lead in notice.leads]
    platform = context.platforms.get(notice.platform)
    if platform and platform.road != "import":
        with suppress(NotNowError):  # a notice does not wait for a look: what is gone already is found later
            jobs.recheck(context, platform.name, targets)


def _begun(session: Session, dispatch_id: int, context: Context) -> Dispatch:
    """Under way, or cancelled when there is nothing left to say."""
    now = context.clock()
    notice = notices.locked(session, session.get_one(Dispatch, dispatch_id).notice_id or 0)
    dispatch = dispatches.locked(session, dispatch_id)
    if dispatch.state is not DispatchState.WAITING:
        raise dispatches.OnItsWayError(f"it was {dispatch.state.value} meanwhile")
    dispatches.check_due(dispatch, now=now, settings=context.settings)
    if dispatch.kind is DispatchKind.NOTICE:
        notices.drop_gone(session, notice, now=now)
    elif notice.state not in UNANSWERED and dispatches.is_loose(dispatch):
        dispatches.cancel(dispatch)
        _recorded(session, dispatch, ACTOR, "dispatch.cancel", now, notice=notice.state)
    if dispatch.state is DispatchState.WAITING:
        dispatches.begin(dispatch, now=now)
        _recorded(session, dispatch, ACTOR, "dispatch.attempt", now, key=dispatch.idempotency_key)
    return dispatch


def _parcel(context: Context, dispatch_id: int) -> Parcel:
    try:
        seal(context, dispatch_id)
        with context.ledger.read() as session:
            dispatch = session.get_one(Dispatch, dispatch_id)
            notice = session.get_one(Notice, dispatch.notice_id)
            return _packed(context, dispatch, notice)
    except (ValueError, OSError) as error:
        mendable = isinstance(error, OSError)  # a full disk; not a template or evidence that was changed
        raise SendError(f"its files cannot be made or read: {error}", temporary=mendable) from error


def _packed(context: Context, dispatch: Dispatch, notice: Notice) -> Parcel:
    itself = dispatch.kind is DispatchKind.NOTICE
    earlier = (
        one.idempotency_key for one in notice.dispatches if one.kind is DispatchKind.NOTICE and one.sent_at
    )
    return Parcel(
        key=dispatch.idempotency_key,
        kind=dispatch.kind,
        number=notice.number,
        recipient=dispatch.recipient,
        subject=dispatch.subject,
        body=dispatch.body,
        files=tuple(
            Enclosure(file.name, file.media_type, context.evidence.read(file.sha256))
            for file in dispatch.files
        ),
        leads=tuple(
            {"number": lead.number, "item_id": lead.listing.item_id, "url": lead.listing.url}
            for lead in (notice.leads if itself else unanswered(notice))
        ),
        at=context.clock(),
        follows=None if itself else next(earlier, None),
    )


def _handed_to_channel(context: Context, dispatch: Dispatch, parcel: Parcel) -> str:
    """Returns the receipt. Raises SendError."""
    settings = context.settings.channels
    if dispatch.channel == "smtp":
        return smtp.deliver(parcel, context.settings.mail)
    if dispatch.channel == "folder":
        return folder.deliver(parcel)
    agreed = _agreed(context, dispatch)
    named = secret(agreed.secret, settings.secrets) if agreed.secret else None
    if dispatch.channel == "webhook":
        return webhook.deliver(parcel, named or "", timeout_s=settings.timeout_s)
    return sftp.deliver(
        parcel, agreed.host_key or "", key=settings.ssh_key, password=named, timeout_s=settings.timeout_s
    )


def _agreed(context: Context, dispatch: Dispatch) -> LeadChannel:
    """What the profile says of keys and secrets now, for the channel that was chosen then."""
    with context.ledger.read() as session:
        name = session.get_one(Notice, dispatch.notice_id).platform
    profile = context.platforms.get(name)
    if profile is None or profile.lead.channel != dispatch.channel:
        raise SendError(f"the profile of {name} says nothing of {dispatch.channel} any more", temporary=False)
    return profile.lead


def _succeeded(context: Context, dispatch_id: int, receipt: str) -> Dispatch:
    now = context.clock()
    with context.ledger.write() as session:
        notice = notices.locked(session, session.get_one(Dispatch, dispatch_id).notice_id or 0)
        dispatch = dispatches.locked(session, dispatch_id)
        if dispatch.state is DispatchState.SENT:
            return dispatch  # by an attempt that was taken for dead
        dispatches.succeed(dispatch, receipt, sent_at=now)
        if dispatch.kind is DispatchKind.NOTICE:
            notices.mark_sent(session, notice, ACTOR, sent_at=now, now=now, receipt=receipt)
        else:
            _recorded(session, dispatch, ACTOR, "dispatch.send", now, receipt=receipt)
    return dispatch


def _failed(context: Context, attempt: Dispatch, error: SendError) -> Dispatch:
    now = context.clock()
    with context.ledger.write() as session:
        notice = notices.locked(session, attempt.notice_id or 0)
        dispatch = dispatches.locked(session, attempt.id)
        if dispatch.attempted_at != attempt.attempted_at:
            return dispatch  # this attempt was taken for dead, and another one went on
        dispatches.fail(dispatch, error, now=now, settings=context.settings)
        state, reason = dispatch.state, str(error)
        _recorded(session, dispatch, ACTOR, "dispatch.fail", now, reason=reason, state=state)
        if state is DispatchState.FAILED and dispatch.kind is DispatchKind.NOTICE:
            notices.mark_failed(session, notice, reason, now=now)
    return dispatch


def _recorded(
    session: Session, dispatch: Dispatch, actor: str, action: str, now: datetime, **payload: object
) -> None:
    session.flush()
    audit.record(
        session, at=now, actor=actor, action=action, subject=f"dispatch:{dispatch.id}", payload=payload
    )
