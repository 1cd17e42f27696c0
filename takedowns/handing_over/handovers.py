"""The rows of case files: who may take which step, each with its entry in the audit chain."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

import sqlalchemy as sa
from sqlalchemy.orm import Session

from takedowns.content import storable
from takedowns.handing_over.casefile import Answer, Receipt
from takedowns.ledger import audit
from takedowns.ledger.tables import Handover, User
from takedowns.roles import SENIORS, require
from takedowns.states import HANDOVER, HandoverEvent, HandoverState, InvalidTransitionError, step

KINDS = ("bureau", "police")
NOTE_AT_MOST = 2000


class HandoverError(ValueError):
    """``code`` names the reason for programs, the text for people."""

    code = "handover"


class UnknownHandoverError(HandoverError):
    code = "unknown_handover"


class HandoverStateError(HandoverError):
    code = "handover_state"


class TwoPersonError(HandoverError):
    code = "two_person"


class ReceiptError(HandoverError):
    """The receipt or answer is of something else than what we handed over."""

    code = "receipt"


def numbered(session: Session, number: str, *, lock: bool = False) -> Handover:
    """Raises UnknownHandoverError."""
    wanted = sa.select(Handover).where(Handover.number == number)
    wanted = wanted.with_for_update() if lock else wanted
    found = session.scalars(wanted, execution_options={"populate_existing": lock}).one_or_none()
    if found is None:
        raise UnknownHandoverError(f"no case file has the number {number[:60]!r}")
    return found


def open_ones(session: Session) -> Sequence[Handover]:
    """Those that are not closed, by what is due first."""
    found = sa.select(Handover).where(Handover.state != HandoverState.CLOSED)
    return session.scalars(found.order_by(Handover.due_at, Handover.id)).all()


def closed_ones(session: Session, at_most: int = 50) -> Sequence[Handover]:
    """Those closed last."""
    found = sa.select(Handover).where(Handover.state == HandoverState.CLOSED)
    return session.scalars(found.order_by(Handover.closed_at.desc(), Handover.id.desc()).limit(at_most)).all()


def is_overdue(handover: Handover, now: datetime) -> bool:
    return handover.state is not HandoverState.CLOSED and handover.due_at <= now


def current(session: Session, number: str, user: User, version: int | None = None) -> Handover:
    """The case file, locked, for a supervisor.

    Raises HandoverStateError when it changed since ``version``.
    """
    require(user, SENIORS)
    handover = numbered(session, number, lock=True)
    if version not in (None, handover.version):
        raise HandoverStateError(f"{number} changed since you opened it: it is {handover.state.value}")
    return handover


def mark_sent(
    session: Session, handover: Handover, actor: str, *, sent_at: datetime, now: datetime, how: str
) -> None:
    """It left the house. ``handover`` is locked."""
    _outgoing(handover)
    move(handover, HandoverEvent.SEND)
    handover.sent_at = sent_at
    record(session, handover, actor, "handover.send", now, how=how, sent_at=sent_at.isoformat())


def record_by_hand(
    session: Session, number: str, user: User, receipt: str, *, at: datetime, now: datetime,
    version: int | None = None,
) -> Handover:  # fmt: skip
    """A person handed it over, or put it on its way, and says to whom or how."""
    handover = current(session, number, user, version)
    if not receipt.strip():
        raise HandoverError("name the receipt: a number, or who took it")
    packed = handover.created_at.replace(second=0, microsecond=0)  # people's times have no seconds
    if not packed <= at <= now:
        raise HandoverError("the time of handing over lies between the packing and now")
    mark_sent(
        session, handover, user.login, sent_at=at, now=now, how=storable(receipt.strip())[:NOTE_AT_MOST]
    )
    return handover


def confirm(session: Session, receipt: Receipt, user: User, *, now: datetime) -> Handover:
    """Take in the other office's receipt; the same one again changes nothing. Raises ReceiptError."""
    handover = current(session, receipt.number, user)
    _outgoing(handover)
    if not receipt.is_sealed_by(handover.package_sha256):
        raise ReceiptError(f"this is no receipt of the package of {handover.number}, or it was changed")
    told = f"{receipt.their_number} {receipt.office.name_zh} ({receipt.leads} leads)"
    if handover.receipt == told:
        return handover
    move(handover, HandoverEvent.CONFIRM)
    handover.receipt, handover.receipt_at = told, receipt.received_at
    record(session, handover, user.login, "handover.receipt", now, receipt=told)
    return handover


def learn(session: Session, answer: Answer, sha256: str, user: User, *, now: datetime) -> Handover:
    """Take in what came of it; ``sha256`` is of the answer's package, which is kept. Raises ReceiptError."""
    handover = current(session, answer.answers, user)
    _outgoing(handover)
    if answer.package_sha256 != handover.package_sha256:
        raise ReceiptError(f"this answers another package than that of {handover.number}")
    answers = {one.number: one for one in answer.leads}
    if answers.keys() != {one.number for one in handover.leads} or len(answers) < len(answer.leads):
        raise ReceiptError(f"the answer does not name each lead of {handover.number} once")
    if handover.result_sha256 == sha256:
        return handover
    move(handover, HandoverEvent.LEARN)
    handover.result, handover.result_sha256 = answer.result, sha256
    for lead in handover.leads:
        lead.answer = answers[lead.number].model_dump(mode="json")
    payload = {"result": answer.result, "their_number": answer.number, "sha256": sha256}
    record(session, handover, user.login, "handover.result", now, **payload)
    return handover


def close(
    session: Session, number: str, user: User, note: str, *, now: datetime, version: int | None = None
) -> Handover:
    """Nothing more is to come of it; ``note`` says why. Raises HandoverError without one."""
    handover = current(session, number, user, version)
    note = storable(note.strip())[:NOTE_AT_MOST]
    if not note and handover.result is None:
        raise HandoverError("there is no result: say in a note why it is closed")
    move(handover, HandoverEvent.CLOSE)
    handover.closed_at = now
    handover.result = handover.result or note
    record(session, handover, user.login, "handover.close", now, note=note)
    return handover


def move(handover: Handover, event: HandoverEvent) -> None:
    try:
        handover.state = step(HANDOVER, handover.state, event)
    except InvalidTransitionError as error:
        raise HandoverStateError(f"{handover.number}: {error}") from error


def _outgoing(handover: Handover) -> None:
    if handover.incoming:
        raise HandoverStateError(
            f"{handover.number} came from {handover.counterpart}: it is not ours to send"
        )


def record(
    session: Session, handover: Handover, actor: str, action: str, now: datetime, **payload: object
) -> None:
    """Write the changes with their entry in the audit chain."""
    session.flush()
    subject = f"handover:{handover.id}"
    audit.record(session, at=now, actor=actor, action=action, subject=subject, payload=payload)
