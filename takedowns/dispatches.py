"""The rows of the outbox: what is to leave the house, when, and how often that was tried.

Nothing here knows what is in it. An attempt takes two transactions with the delivery between them: the first
writes down that it is under way (``attempted_at``), the second how it ended. A process killed between them
leaves ``attempted_at`` standing: nobody knows whether the receiver has it, so it can be neither changed nor
cancelled, only sent again, with the same key.
"""

from __future__ import annotations

import secrets
from datetime import datetime, timedelta

import sqlalchemy as sa
from sqlalchemy.orm import Session

from takedowns import configuration, deadlines
from takedowns.channels.parcel import SendError
from takedowns.ledger.tables import Dispatch, Notice
from takedowns.ledger.vocabulary import DispatchKind, DispatchState
from takedowns.settings import Settings

# An attempt that takes longer died: each channel gives a receiver up after minutes.
ATTEMPT_AT_MOST = timedelta(minutes=15)
WAITS = tuple(timedelta(minutes=m) for m in (1, 5, 30, 120, 360, 720, 1440))
"""After each temporary failure; then it is given up."""


class DispatchError(ValueError):
    """``code`` names the reason for programs, the text for people."""

    code = "dispatch"


class OnItsWayError(DispatchError):
    code = "being_sent"


class HeldError(DispatchError):
    code = "held"


def put(
    session: Session, notice: Notice, kind: DispatchKind, *, recipient: str, subject: str, body: str,
    now: datetime, settings: Settings
) -> Dispatch:  # fmt: skip
    """Into the outbox, in the caller's transaction; it leaves after the hold, in office hours."""
    dispatch = Dispatch(
        kind=kind,
        notice_id=notice.id,
        channel=notice.channel,
        recipient=recipient,
        subject=subject,
        body=body,
        idempotency_key=_key(session, notice, settings),
        state=DispatchState.WAITING,
        created_at=now,
        not_before=_leaves(notice.channel, now, settings),
    )
    session.add(dispatch)
    session.flush()
    return dispatch


def _leaves(channel: str, now: datetime, settings: Settings) -> datetime:
    if channel == "manual":
        return now  # the person who hands it over chooses the hour
    return opening(now + timedelta(minutes=settings.notices.hold_minutes), settings)


def opening(moment: datetime, settings: Settings) -> datetime:
    """``moment``, or when the office hours next begin. Raises classifiers.yamlfile.ConfigError."""
    hours = settings.notices.office_hours
    if hours is None:
        return moment
    calendar = deadlines.load(configuration.folder() / "holidays.yml")
    return deadlines.office_open(moment, hours.opens, hours.closes, calendar)


def of_notice(session: Session, notice: Notice) -> Dispatch | None:
    """The one that carries the notice itself, locked: the newest, if it was not taken back."""
    newest = session.scalars(
        sa.select(Dispatch)
        .where(Dispatch.notice_id == notice.id, Dispatch.kind == DispatchKind.NOTICE)
        .order_by(Dispatch.id.desc())
        .limit(1)
        .with_for_update(),
        execution_options={"populate_existing": True},
    ).first()
    return None if newest is None or newest.state is DispatchState.CANCELLED else newest


def locked(session: Session, dispatch_id: int) -> Dispatch:
    return session.get_one(Dispatch, dispatch_id, with_for_update=True, populate_existing=True)


def is_loose(dispatch: Dispatch) -> bool:
    """Whether the receiver surely has nothing of it, so that it may still be changed or taken back."""
    unsent = dispatch.state in (DispatchState.WAITING, DispatchState.FAILED)
    return unsent and dispatch.attempted_at is None and not dispatch.may_have_arrived


def cancel(dispatch: Dispatch) -> None:
    """Take it back. Raises OnItsWayError once the receiver may have it."""
    if not is_loose(dispatch):
        raise OnItsWayError("it is on its way, or with the receiver already: it can only be sent again")
    dispatch.state = DispatchState.CANCELLED


def retry(dispatch: Dispatch, *, now: datetime, settings: Settings) -> None:
    """Let one that was given up wait again, from the first attempt."""
    if dispatch.state is not DispatchState.FAILED:
        raise DispatchError(f"it was not given up: it is {dispatch.state.value}")
    dispatch.state = DispatchState.WAITING
    dispatch.attempts = 0
    dispatch.not_before = opening(now, settings)


def check_due(dispatch: Dispatch, *, now: datetime, settings: Settings) -> None:
    """Raises HeldError before its time, OnItsWayError during an attempt."""
    due = max(dispatch.not_before, opening(now, settings))
    if due > now:
        raise HeldError(f"it leaves from {due.astimezone(deadlines.SHANGHAI):%Y-%m-%d %H:%M} on, in Shanghai")
    if dispatch.attempted_at is not None and now - dispatch.attempted_at < ATTEMPT_AT_MOST:
        raise OnItsWayError(f"it is being sent since {dispatch.attempted_at:%H:%M} UTC")


def begin(dispatch: Dispatch, *, now: datetime) -> None:
    """An attempt is under way; one that was, died."""
    dispatch.may_have_arrived |= dispatch.attempted_at is not None
    dispatch.attempted_at = now
    dispatch.attempts += 1


def succeed(dispatch: Dispatch, receipt: str, *, sent_at: datetime) -> None:
    dispatch.state = DispatchState.SENT
    dispatch.sent_at = sent_at
    dispatch.receipt = receipt
    dispatch.attempted_at = None
    dispatch.failure = None


def fail(dispatch: Dispatch, error: SendError, *, now: datetime, settings: Settings) -> None:
    """Wait for the next attempt, or give it up: then a person has to look."""
    dispatch.failure = str(error)
    dispatch.attempted_at = None
    dispatch.may_have_arrived |= error.may_have_arrived
    if error.temporary and dispatch.attempts <= len(WAITS):
        dispatch.not_before = opening(now + WAITS[dispatch.attempts - 1], settings)
    else:
        dispatch.state = DispatchState.FAILED


def _key(session: Session, notice: Notice, settings: Settings) -> str:
    """A Message-ID for mail; elsewhere a name that can also be a folder's."""
    if notice.channel == "smtp":
        domain = settings.mail.sender.rpartition("@")[2]
        return f"<{notice.number}.{secrets.token_hex(8)}@{domain}>"
    earlier = (
        session.scalar(sa.select(sa.func.count(Dispatch.id)).where(Dispatch.notice_id == notice.id)) or 0
    )
    return f"{notice.number}-{earlier + 1}"
