"""The tray: answers that fit no lead, or whose sender may not give them, until a person has handled each."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

import sqlalchemy as sa
from sqlalchemy.orm import Session

from takedowns.content import storable
from takedowns.ledger import audit
from takedowns.ledger.tables import StrayResponse, User
from takedowns.ledger.vocabulary import Measure, TrayState
from takedowns.replies import claims, cleaning, columns
from takedowns.replies.claims import Received, ReplyError
from takedowns.replies.columns import CellError, Reply
from takedowns.roles import REVIEWERS, require

CELLS_AT_MOST = 40
CELL_AT_MOST = 2000


class UnknownStrayError(ReplyError):
    code = "unknown_stray"


class StrayStateError(ReplyError):
    code = "stray_state"


@dataclass(frozen=True)
class Answer:
    """What the person who matches a stray read in it; without measures, its own cells are read."""

    measures: tuple[Measure, ...] = ()
    note: str = ""


def put(
    session: Session,
    received: Received,
    cells: Mapping[str, str],
    reason: str,
    platform: str | None = None,
) -> bool:
    """Whether the stray is new: one of the same source lies there, or lay there, already."""
    known = sa.select(StrayResponse.id).where(StrayResponse.source == received.source)
    if session.scalars(known).first() is not None:
        return False
    shown = list(cells.items())[:CELLS_AT_MOST]
    stray = StrayResponse(
        source=received.source,
        platform=platform,
        cells={storable(name)[:100]: storable(cell)[:CELL_AT_MOST] for name, cell in shown},
        reason=storable(reason),
        received_at=received.received_at,
        recorded_at=received.recorded_at,
        state=TrayState.OPEN,
    )
    session.add(stray)
    session.flush()
    _record(session, stray, received.actor, "tray.put", received.recorded_at, reason=stray.reason)
    return True


def waiting(session: Session, at_most: int = 200) -> Sequence[StrayResponse]:
    """Those that wait for a person, oldest first; a flood of strangers' mails comes after all others."""
    found = sa.select(StrayResponse).where(StrayResponse.state == TrayState.OPEN)
    of_strangers = StrayResponse.platform.is_(None) & StrayResponse.source.like("mail#%:whole")
    last = sa.case((of_strangers, 1), else_=0)
    return session.scalars(found.order_by(last, StrayResponse.id).limit(at_most)).all()


def match(
    session: Session,
    stray_id: int,
    number: str,
    user: User,
    answer: Answer | None = None,
    *,
    now: datetime,
    version: int | None = None,
) -> int:
    """Say that the stray is an answer to lead ``number``; return how many claims are new.

    Raises ReplyError where the lead takes no answer, or where nothing says which measure was taken.
    """
    stray = _taken(session, stray_id, user, version)
    lead = claims.answerable(session, number)
    answer = answer or Answer()
    reply = _reply(stray, answer, now)
    received = Received(stray.source, stray.received_at, now, user.login)
    new = claims.store(session, lead, reply, received)
    cleaning.report(session, lead.listing.platform, lead, reply, received)
    stray.lead_id = lead.id
    _handled(session, stray, TrayState.MATCHED, user, answer.note, now)
    return new


def dismiss(
    session: Session, stray_id: int, user: User, note: str, *, now: datetime, version: int | None = None
) -> None:
    """Say that nothing has to come of the stray, and why. Raises ReplyError without a reason."""
    if not note.strip():
        raise ReplyError("say in a note why nothing has to come of it")
    _handled(session, _taken(session, stray_id, user, version), TrayState.DISMISSED, user, note, now)


def _taken(session: Session, stray_id: int, user: User, version: int | None) -> StrayResponse:
    require(user, REVIEWERS)
    stray = session.get(StrayResponse, stray_id, with_for_update=True, populate_existing=True)
    if stray is None:
        raise UnknownStrayError(f"nothing in the tray has the number {stray_id}")
    if stray.state is not TrayState.OPEN or version not in (None, stray.version):
        raise StrayStateError(f"{stray_id} was handled already: {stray.state.value}")
    return stray


def _reply(stray: StrayResponse, answer: Answer, now: datetime) -> Reply:
    """The stray's own words; where the person says what they mean, of the cells only what can be read."""
    cells = columns.cells_of(stray.cells)
    try:
        read = columns.read(cells, now=now)
    except CellError as error:
        if not answer.measures:
            raise ReplyError(f"name the measure: {error.field} {error}") from error
        return Reply(answer.measures, None, cells.get("text", "")[: columns.TEXT_AT_MOST], {})
    return Reply(answer.measures or read.measures, read.claimed_at, read.text, read.quantities)


def _handled(
    session: Session, stray: StrayResponse, state: TrayState, user: User, note: str, now: datetime
) -> None:
    stray.state, stray.note = state, storable(note.strip())
    stray.handled_by_id, stray.handled_at = user.id, now
    payload = {"lead": stray.lead_id, "note": stray.note}
    _record(session, stray, user.login, f"tray.{state.value}", now, **payload)


def _record(
    session: Session, stray: StrayResponse, actor: str, action: str, now: datetime, **payload: object
) -> None:
    session.flush()
    audit.record(
        session, at=now, actor=actor, action=action, subject=f"stray_response:{stray.id}", payload=payload
    )
