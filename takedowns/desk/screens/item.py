"""One item under review: shown, decided, skipped, undone. A decision's answer already holds the next item."""

from __future__ import annotations

from typing import Annotated, Literal

from fastapi import APIRouter, Form, HTTPException
from fastapi.responses import RedirectResponse, Response
from sqlalchemy.orm import Session

from classifiers.verdict import Label
from takedowns import review
from takedowns.desk.itemview import ItemView, load
from takedowns.desk.reads import queue
from takedowns.desk.refusals import REFUSALS, Refusal
from takedowns.desk.visit import Here, Visit
from takedowns.ledger.tables import ReviewTask
from takedowns.ledger.vocabulary import Finding
from takedowns.states import TaskState

router = APIRouter()
CATEGORIES = tuple(label for label in Label if label is not Label.BENIGN)
ALL_DONE = "/queue"


@router.get("/item/next", name="deal")
def deal(visit: Here) -> Response:
    """The next item in order of risk, held for this person."""
    try:
        with visit.desk.ledger.write() as session:
            task = _next(session, visit)
    except REFUSALS:
        return visit.go("/queue?tab=mine")
    return visit.go(f"/item/{task}" if task else ALL_DONE)


@router.get("/item/{task_id}", name="item")
def item(visit: Here, task_id: int) -> Response:
    return _show(visit, task_id)


@router.get("/item/{task_id}/{step}", name="neighbour")
def neighbour(visit: Here, task_id: int, step: Literal["next", "previous"]) -> Response:
    with visit.desk.ledger.read() as session:
        task = _found(session, task_id)
        other = queue.neighbour(session, task, visit.user, forward=step == "next", now=visit.now)
    return visit.go(f"/item/{other}" if other else ALL_DONE)


@router.post("/item/{task_id}/decision", name="decide")
def decide(
    visit: Here,
    task_id: int,
    version: Annotated[int, Form()],
    finding: Annotated[Literal["violation"] | None, Form()] = None,
    category: Annotated[Label | None, Form()] = None,
    reason: Annotated[str | None, Form()] = None,
    note: Annotated[str, Form(max_length=10_000)] = "",
) -> Response:
    """The confirm button sends ``finding``, each button of a reason its ``reason``."""
    found = Finding.NOT_VIOLATION if finding is None else Finding.VIOLATION
    try:
        with visit.desk.ledger.write() as session:
            review.decide(
                session,
                task_id,
                visit.user,
                version,
                found,
                category=category if found is Finding.VIOLATION else None,
                reason=reason,
                note=note,
                now=visit.now,
                settings=visit.desk.settings,
            )
    except REFUSALS as refusal:
        return _show(visit, task_id, refusal=refusal, note=note, category=category)
    return _deal_after(visit, "decided")


@router.post("/item/{task_id}/skip", name="skip")
def skip(visit: Here, task_id: int, version: Annotated[int, Form()]) -> Response:
    try:
        with visit.desk.ledger.write() as session:
            review.skip(session, task_id, visit.user, version, now=visit.now)
    except REFUSALS as refusal:
        return _show(visit, task_id, refusal=refusal)
    return _deal_after(visit, "skipped")


@router.post("/decisions/{decision_id}/undo", name="undo")
def undo(visit: Here, decision_id: int, here: Annotated[int | None, Form()] = None) -> Response:
    """Back to the item that was decided; ``here`` is the item on screen, shown again if that is refused."""
    try:
        with visit.desk.ledger.write() as session:
            task = review.undo(
                session, decision_id, visit.user, now=visit.now, settings=visit.desk.settings
            ).id
    except REFUSALS as refusal:
        if here is None:
            raise HTTPException(409) from refusal
        return _show(visit, here, refusal=refusal)
    return _answer(visit, task, said="undone")


def _deal_after(visit: Visit, said: str) -> Response:
    try:
        with visit.desk.ledger.write() as session:
            task = _next(session, visit)
    except REFUSALS:
        return visit.go("/queue?tab=mine")
    return _answer(visit, task, said) if task else visit.go(ALL_DONE)


def _next(session: Session, visit: Visit) -> int | None:
    task = review.next_task(session, visit.user, now=visit.now, settings=visit.desk.settings)
    return task.id if task else None


def _answer(visit: Visit, task_id: int, said: str) -> Response:
    """The item itself in one round trip; a browser without the script is sent to its page."""
    if not visit.by_htmx:
        return RedirectResponse(f"/item/{task_id}", 303)
    response = _show(visit, task_id, said=said)
    response.headers["HX-Push-Url"] = f"/item/{task_id}"
    return response


def _show(
    visit: Visit,
    task_id: int,
    *,
    refusal: Refusal | None = None,
    said: str | None = None,
    note: str = "",
    category: Label | None = None,
) -> Response:
    taken = _take(visit, task_id) if visit.may("decide") else None
    with visit.desk.ledger.read() as session:
        _found(session, task_id)
        view = load(session, task_id, visit)
    return visit.page(
        "_item.html" if visit.by_htmx else "item.html",
        status=409 if refusal else 200,
        view=view,
        refusal=refusal,
        not_taken=taken,
        said=said,
        note=note,
        category=category or _suggested(view),
        categories=CATEGORIES,
        reasons=review.REASONS,
    )


def _take(visit: Visit, task_id: int) -> Refusal | None:
    """Hold the item for this person if it is free; why not, otherwise."""
    with visit.desk.ledger.read() as session:
        task = _found(session, task_id)
        if task.state not in (TaskState.QUEUED, TaskState.LEASED):
            return None
    try:
        with visit.desk.ledger.write() as session:
            review.lease(session, task_id, visit.user, now=visit.now, settings=visit.desk.settings)
    except REFUSALS as refusal:
        return refusal
    return None


def _found(session: Session, task_id: int) -> ReviewTask:
    task = session.get(ReviewTask, task_id)
    if task is None:
        raise HTTPException(404)
    return task


def _suggested(view: ItemView) -> Label | None:
    """The classifier's kind is ticked beforehand; where it saw none, the person has to choose."""
    label = view.verdict.label if view.verdict else None
    return label if label in CATEGORIES else None
