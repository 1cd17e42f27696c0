"""The tracker: each lead with what the platform claims beside what we saw; and one lead's whole story."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, HTTPException, Query
from fastapi.responses import Response

from takedowns.desk.reads.tracker import TrackerFilter, lead_numbered, tracker_page
from takedowns.desk.story import story
from takedowns.desk.visit import Chosen, Here
from takedowns.ledger.vocabulary import VerificationOutcome
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
    with visit.desk.ledger.read() as session:
        found = lead_numbered(session, number)
        if found is None:
            raise HTTPException(404)
        return visit.page("lead.html", lead=found, events=story(session, found))
