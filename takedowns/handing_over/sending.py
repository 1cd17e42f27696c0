"""A packed case file leaves the house: by mail, into a folder that the other office reads, or as a file.

What goes by mail or folder is in the outbox's table, written in the transaction that decides it, and
delivered afterwards with the same key at every attempt.
"""

from __future__ import annotations

import logging
from pathlib import Path
from typing import Literal

import sqlalchemy as sa
from sqlalchemy.orm import Session

from takedowns import dispatches
from takedowns.channels import folder, smtp
from takedowns.channels.parcel import Parcel, SendError
from takedowns.content import storable
from takedowns.context import Context
from takedowns.enclosures import Enclosure
from takedowns.handing_over import package
from takedowns.handing_over.handovers import HandoverError, HandoverStateError, current, mark_sent, record
from takedowns.ledger.tables import Dispatch, DispatchFile, Handover, User
from takedowns.ledger.vocabulary import DispatchKind, DispatchState
from takedowns.settings import Settings
from takedowns.states import HandoverState

ACTOR = "system:outbox"
Channel = Literal["smtp", "folder"]
log = logging.getLogger(__name__)


def put(
    context: Context, session: Session, number: str, user: User, channel: Channel, recipient: str,
    *, version: int | None = None,
) -> Dispatch:  # fmt: skip
    """Into the outbox; :func:`deliver` does the rest. Raises HandoverError, dispatches.OnItsWayError."""
    now = context.clock()
    handover = current(session, number, user, version)
    if handover.incoming or handover.state is not HandoverState.PACKED:
        raise HandoverStateError(f"{number} is not waiting to be sent: it is {handover.state.value}")
    if not recipient.strip():
        raise HandoverError("name the mail address or folder that it goes to")
    _take_back_earlier(session, handover)
    subject, body = _words(context, handover)
    dispatch = Dispatch(
        kind=DispatchKind.HANDOVER,
        handover_id=handover.id,
        channel=channel,
        recipient=recipient.strip(),
        subject=subject,
        body=body,
        idempotency_key=_key(session, handover, channel, context.settings),
        state=DispatchState.WAITING,
        created_at=now,
        not_before=dispatches.opening(now, context.settings),
        files=[_file(context, handover)],
    )
    session.add(dispatch)
    session.flush()
    record(session, handover, user.login, "handover.dispatch", now, channel=channel, recipient=recipient)
    return dispatch


def save(
    context: Context, session: Session, number: str, user: User, path: Path, *, how: str = ""
) -> Handover:
    """Write the package to ``path``: it counts as sent, ``how`` says by whom or on what it leaves."""
    handover = current(session, number, user)
    now = context.clock()
    mark_sent(session, handover, user.login, sent_at=now, now=now, how=storable(how) or f"file {path.name}")
    path.write_bytes(context.evidence.read(handover.package_sha256))
    return handover


def deliver(context: Context, dispatch_id: int) -> Dispatch:
    """One attempt. Raises dispatches.HeldError before its time, OnItsWayError during another attempt."""
    with context.ledger.write() as session:
        dispatch = dispatches.locked(session, dispatch_id)
        if dispatch.state is not DispatchState.WAITING:
            return dispatch
        dispatches.check_due(dispatch, now=context.clock(), settings=context.settings)
        dispatches.begin(dispatch, now=context.clock())
    try:
        receipt = _handed_over(context, dispatch)
    except SendError as error:
        return _ended(context, dispatch, error)
    return _ended(context, dispatch, receipt)


def send_due(context: Context) -> list[Dispatch]:
    """Deliver every case file that is due; what goes wrong with one keeps no other from leaving."""
    with context.ledger.read() as session:
        mine = (Dispatch.kind == DispatchKind.HANDOVER, Dispatch.state == DispatchState.WAITING)
        waiting = session.scalars(sa.select(Dispatch.id).where(*mine).order_by(Dispatch.id)).all()
    tried = []
    for dispatch_id in waiting:
        try:
            tried.append(deliver(context, dispatch_id))
        except (dispatches.HeldError, dispatches.OnItsWayError):
            continue  # not yet, or by another worker
        except Exception:
            log.exception("dispatch %s of a case file", dispatch_id)
    return tried


def _handed_over(context: Context, dispatch: Dispatch) -> str:
    """Returns the receipt. Raises SendError."""
    parcel = _parcel(context, dispatch)
    if dispatch.channel == "smtp":
        return smtp.deliver(parcel, context.settings.mail)
    return folder.deliver(parcel)


def _parcel(context: Context, dispatch: Dispatch) -> Parcel:
    with context.ledger.read() as session:
        handover = session.get_one(Handover, dispatch.handover_id)
        files = session.scalars(sa.select(DispatchFile).filter_by(dispatch_id=dispatch.id)).all()
    try:
        enclosed = tuple(
            Enclosure(file.name, file.media_type, context.evidence.read(file.sha256)) for file in files
        )
    except (OSError, ValueError) as error:
        raise SendError(
            f"the package cannot be read: {error}", temporary=isinstance(error, OSError)
        ) from error
    return Parcel(
        key=dispatch.idempotency_key,
        kind=dispatch.kind,
        number=handover.number,
        recipient=dispatch.recipient,
        subject=dispatch.subject,
        body=dispatch.body,
        files=enclosed,
        leads=(),  # they stand in the package
        at=context.clock(),
    )


def _ended(context: Context, attempt: Dispatch, how: str | SendError) -> Dispatch:
    """Write down how the attempt ended: with a receipt, or an error."""
    now = context.clock()
    with context.ledger.write() as session:
        handover = session.get_one(Handover, attempt.handover_id, with_for_update=True)
        dispatch = dispatches.locked(session, attempt.id)
        if dispatch.attempted_at != attempt.attempted_at or dispatch.state is not DispatchState.WAITING:
            return dispatch  # this attempt was taken for dead, and another one went on
        if isinstance(how, SendError):
            dispatches.fail(dispatch, how, now=now, settings=context.settings)
            record(session, handover, ACTOR, "handover.fail", now, reason=str(how), state=dispatch.state)
        else:
            dispatches.succeed(dispatch, how, sent_at=now)
            if handover.state is HandoverState.PACKED:  # somebody may have carried it there meanwhile
                mark_sent(session, handover, ACTOR, sent_at=now, now=now, how=how)
    return dispatch


def _take_back_earlier(session: Session, handover: Handover) -> None:
    """What was given up goes another way now; raises dispatches.OnItsWayError for what may have arrived."""
    for earlier in session.scalars(sa.select(Dispatch).filter_by(handover_id=handover.id).with_for_update()):
        if earlier.state in (DispatchState.WAITING, DispatchState.FAILED):
            dispatches.cancel(earlier)


def _words(context: Context, handover: Handover) -> tuple[str, str]:
    """Subject and text, as they stand in the package."""
    data = context.evidence.read(handover.package_sha256)
    text = package.read(data, at_most=len(data)).files[f"{handover.number}.txt"].decode()
    subject, _, body = text.partition("\n\n")
    return subject, body


def _key(session: Session, handover: Handover, channel: Channel, settings: Settings) -> str:
    """A Message-ID for mail; elsewhere a name that can also be a folder's."""
    counted = sa.select(sa.func.count(Dispatch.id)).where(Dispatch.handover_id == handover.id)
    serial = (session.scalar(counted) or 0) + 1
    if channel == "smtp":
        domain = settings.mail.sender.rpartition("@")[2]
        return f"<{handover.number}.{serial}.{handover.package_sha256[:16]}@{domain}>"
    return f"{handover.number}-{serial}"


def _file(context: Context, handover: Handover) -> DispatchFile:
    size = context.evidence.path(handover.package_sha256).stat().st_size
    name = f"{handover.number}.zip"
    return DispatchFile(name=name, sha256=handover.package_sha256, media_type=package.MEDIA_TYPE, size=size)
