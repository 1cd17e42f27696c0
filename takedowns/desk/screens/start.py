"""The start page: today in numbers, what waits for a person, and how the last crawls ended."""

from __future__ import annotations

from fastapi import APIRouter, HTTPException
from fastapi.responses import Response

from takedowns.crawling import errands
from takedowns.desk.reads.counts import last_runs, today
from takedowns.desk.visit import Here

router = APIRouter()


@router.get("/", name="start")
def start(visit: Here) -> Response:
    with visit.desk.ledger.read() as session:
        counts = today(session, visit.user, now=visit.now)
        runs = last_runs(session)
        waiting = errands.open_errands(session)
    return visit.page("start.html", counts=counts, runs=runs, errands=waiting)


@router.post("/errands/{errand_id}/end", name="finish_errand")
def finish_errand(visit: Here, errand_id: int) -> Response:
    try:
        with visit.desk.ledger.write() as session:
            errands.finish(session, errand_id, visit.user, now=visit.now)
    except errands.UnknownErrandError:
        raise HTTPException(404) from None
    return visit.go("/")
