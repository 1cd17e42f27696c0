"""The tracker: each lead with what the platform claims beside what we saw; and one lead's whole story."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, HTTPException, Query
from fastapi.responses import Response

from takedowns import seller_record
from takedowns.desk.reads.tracker import TrackerFilter, lead_numbered, tracker_page
from takedowns.desk.refusals import Refusal
from takedowns.desk.story import story
from takedowns.desk.visit import Chosen, Here, Visit
from takedowns.ledger.vocabulary import Measure, VerificationOutcome
from takedowns.replies.columns import Reply
from takedowns.states import LeadState

router = APIRouter()


@router.get("/leads", name="tracker")
def tracker(
    visit: Here,
    state: Chosen[LeadState] = None,
    outcome: Chosen[VerificationOutcome] = None,
    platform: str = "",
    page: Annotated[int, Query(ge=1, le=100_000)] = 1,
) -> Response:
    wanted = TrackerFilter(state, outcome, platform or None, page)
    with visit.desk.ledger.read() as session:
        found = tracker_page(session, wanted)
    return visit.page(
        "tracker.html",
        wanted=wanted,
        found=found,
        states=list(LeadState),
        outcomes=list(VerificationOutcome),
        platforms=sorted(visit.desk.platforms),
    )


@router.get("/leads/{number}", name="lead")
def lead(visit: Here, number: str) -> Response:
    return show_lead(visit, number)


def show_lead(
    visit: Visit, number: str, refusal: Refusal | None = None, typed: Reply | None = None
) -> Response:
    """``typed`` is an answer that was refused, and stays in the form."""
    with visit.desk.ledger.read() as session:
        found = lead_numbered(session, number)
        if found is None:
            raise HTTPException(404)
        seller = found.listing.seller
        record = seller_record.record(session, seller, now=visit.desk.clock()) if seller else None
        return visit.page(
            "lead.html",
            status=409 if refusal else 200,
            lead=found,
            record=record,
            events=story(session, found),
            measures=list(Measure),
            refusal=refusal,
            typed=typed,
        )
