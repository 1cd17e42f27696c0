"""The tray of answers that fit no lead, and the form for an answer that came by telephone or letter."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Annotated

from fastapi import APIRouter, Form
from fastapi.responses import Response

from takedowns.desk.pages import ZONE
from takedowns.desk.refusals import REFUSALS, Refusal
from takedowns.desk.screens.tracker import show_lead
from takedowns.desk.visit import Chosen, Here, Visit
from takedowns.ledger.tables import StrayResponse
from takedowns.ledger.vocabulary import Measure
from takedowns.replies import claims, columns, tray
from takedowns.replies.columns import Reply

router = APIRouter()
SHOWN = 200  # nobody handles more by hand in a day
_PLACES = frozenset({"whole", "file", "rest", "unread"})  # where no single row is meant
_COUNTED = frozenset(columns.QUANTITIES) | frozenset(columns.LISTS)


@dataclass(frozen=True)
class Typed:
    """What the form of one answer holds."""

    stray_id: int
    lead: str
    measure: Measure | None
    note: str


@router.get("/tray", name="tray")
def show_tray(visit: Here) -> Response:
    return _tray(visit)


@router.post("/tray/{stray_id}/match", name="match_stray")
def match_stray(
    visit: Here,
    stray_id: int,
    version: Annotated[int, Form()],
    lead: Annotated[str, Form(max_length=40)],
    measure: Annotated[Chosen[Measure], Form()] = None,
    note: Annotated[str, Form(max_length=2000)] = "",
) -> Response:
    answer = tray.Answer((measure,) if measure else (), note)
    try:
        with visit.desk.ledger.write() as session:
            tray.match(session, stray_id, lead, visit.user, answer, now=visit.now, version=version)
    except REFUSALS as refusal:
        return _tray(visit, refusal, Typed(stray_id, lead, measure, note))
    return visit.go("/tray")


@router.post("/tray/{stray_id}/dismissal", name="dismiss_stray")
def dismiss_stray(
    visit: Here,
    stray_id: int,
    version: Annotated[int, Form()],
    note: Annotated[str, Form(max_length=2000)] = "",
) -> Response:
    try:
        with visit.desk.ledger.write() as session:
            tray.dismiss(session, stray_id, visit.user, note, now=visit.now, version=version)
    except REFUSALS as refusal:
        return _tray(visit, refusal)
    return visit.go("/tray")


@router.post("/leads/{number}/responses", name="enter_response")
def enter_response(
    visit: Here,
    number: str,
    measure: Annotated[list[Measure], Form()] = [],  # noqa: B006  (FastAPI copies it for each request)
    claimed_at: Annotated[Chosen[datetime], Form()] = None,
    text: Annotated[str, Form(max_length=2000)] = "",
) -> Response:
    """``claimed_at`` is what a person reads off a clock in Shanghai."""
    reply = Reply(tuple(measure), claimed_at and claimed_at.replace(tzinfo=ZONE), text, {})
    try:
        with visit.desk.ledger.write() as session:
            claims.enter(session, number, reply, visit.user, now=visit.now)
    except REFUSALS as refusal:
        return show_lead(visit, number, refusal, reply)
    return visit.go(f"/leads/{number}")


def _tray(visit: Visit, refusal: Refusal | None = None, typed: Typed | None = None) -> Response:
    with visit.desk.ledger.read() as session:
        found = tray.waiting(session, SHOWN + 1)
    return visit.page(
        "tray.html",
        status=409 if refusal else 200,
        strays=found[:SHOWN],
        more=len(found) > SHOWN,
        measures=list(Measure),
        why=why,
        refusal=refusal,
        typed=typed,
    )


def why(stray: StrayResponse) -> str:
    """A code for people's words; the sentence itself, with what exactly was wrong, is English."""
    place = stray.source.rpartition(":")[2]
    if place in _PLACES:
        return place
    field = stray.reason.partition(":")[0]
    return "number" if field in _COUNTED else field if field in columns.COLUMNS else "row"
