"""Parcels handed over by a person: through a platform's own form, by post or in person."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy.orm import Session

from takedowns import dispatches, notices
from takedowns.content import storable
from takedowns.ledger import audit
from takedowns.ledger.tables import Dispatch, Notice, User
from takedowns.ledger.vocabulary import DispatchKind, DispatchState


def record(
    session: Session,
    notice_id: int,
    user: User,
    version: int,
    *,
    handed_over_at: datetime,
    receipt: str,
    now: datetime,
) -> Notice:
    """Record that ``user`` handed over what waits of a notice, itself or a reminder, with the receipt given.

    Raises notices.NoticeStateError when nothing of it waits, notices.NoticeError for a time outside
    approval … now, or without a receipt.
    """
    notice = notices.current(session, notice_id, version)
    if notice.channel != "manual":
        raise notices.NoticeError(f"notice {notice.number} goes by {notice.channel}, not by hand")
    if not receipt.strip():
        raise notices.NoticeError("name the receipt: a number, a form's answer, or who took it")
    waiting = next((one for one in notice.dispatches if one.state is DispatchState.WAITING), None)
    if waiting is None:
        raise notices.NoticeStateError(f"nothing of notice {notice.number} waits: it is {notice.state.value}")
    if not waiting.not_before <= handed_over_at <= now:
        raise notices.NoticeError("the time of handing over lies between the approval and now")
    _handed_over(session, notice, waiting, user, storable(receipt.strip()), handed_over_at, now)
    return notice


def _handed_over(
    session: Session, notice: Notice, waiting: Dispatch, user: User, receipt: str, at: datetime, now: datetime
) -> None:
    dispatches.succeed(waiting, receipt, sent_at=at)
    if waiting.kind is DispatchKind.NOTICE:
        notices.mark_sent(session, notice, user.login, sent_at=at, now=now, receipt=receipt)
        return
    payload = {"receipt": receipt, "sent_at": at.isoformat()}
    audit.record(
        session,
        at=now,
        actor=user.login,
        action="dispatch.send",
        subject=f"dispatch:{waiting.id}",
        payload=payload,
    )
