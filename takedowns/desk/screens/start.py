"""The start page: today in numbers, and how the last crawls ended."""

from __future__ import annotations

from fastapi import APIRouter
from fastapi.responses import Response

from takedowns.desk.reads.counts import last_runs, today
from takedowns.desk.visit import Here

router = APIRouter()


@router.get("/", name="start")
def start(visit: Here) -> Response:
    with visit.desk.ledger.read() as session:
        counts = today(session, visit.user, now=visit.now)
        runs = last_runs(session)
    return visit.page("start.html", counts=counts, runs=runs)
