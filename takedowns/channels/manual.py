"""Notices handed over by a person: through a platform's own form, by post or in person."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy.orm import Session

from takedowns import notices
from takedowns.content import storable
from takedowns.ledger.tables import Notice, User


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
    """Record that ``user`` handed an approved notice over, with the receipt they were given.

    Raises notices.NoticeStateError unless it is approved, notices.NoticeError for a time outside
    approval … now, or without a receipt.
    """
    notice = notices.current(session, notice_id, version)
    if notice.channel != "manual":
        raise notices.NoticeError(f"notice {notice.number} goes by {notice.channel}, not by hand")
    if not receipt.strip():
        raise notices.NoticeError("name the receipt: a number, a form's answer, or who took it")
    if notice.approved_at and not notice.approved_at <= handed_over_at <= now:
        raise notices.NoticeError("the time of handing over lies between the approval and now")
    notices.mark_sent(
        session, notice, user.login, sent_at=handed_over_at, now=now, receipt=storable(receipt.strip())
    )
    return notice
