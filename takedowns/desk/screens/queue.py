"""The review queue as a dense list."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Query
from fastapi.responses import Response

from classifiers.verdict import Label
from takedowns.desk.reads import counts as counting
from takedowns.desk.reads import queue as reading
from takedowns.desk.reads.queue import QueueFilter, QueueRow, Sort, Tab
from takedowns.desk.reasons import top_names
from takedowns.desk.visit import Chosen, Here, Visit

router = APIRouter()
REASONS_PER_ROW = 2


@router.get("/queue", name="queue")
def queue(
    visit: Here,
    tab: Tab = Tab.WAITING,
    platform: str = "",
    label: Chosen[Label] = None,
    sort: Sort = Sort.RISK,
    page: Annotated[int, Query(ge=1, le=100_000)] = 1,
) -> Response:
    wanted = QueueFilter(tab, platform or None, label, sort, page)
    with visit.desk.ledger.read() as session:
        found = reading.queue_page(session, wanted, visit.user, now=visit.now)
        counts = counting.tally(session, visit.user, now=visit.now)
        platforms = reading.platforms_waiting(session)
        failure = counting.last_failure(session) if not found.rows else None
    reasons = {row.task.id: _reasons(visit, row) for row in found.rows}
    return visit.page(
        "queue.html",
        wanted=wanted,
        found=found,
        counts=counts,
        platforms=platforms,
        failure=failure,
        reasons=reasons,
        labels=[label for label in Label if label is not Label.BENIGN],
    )


def _reasons(visit: Visit, row: QueueRow) -> list[str]:
    if row.verdict is None:
        return []
    return top_names(row.verdict.payload, visit.desk.concepts, visit.lang, REASONS_PER_ROW)
