"""Case files between offices: packed, sent, confirmed, answered. Packages come in by the command line."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Annotated, Literal

import sqlalchemy as sa
from fastapi import APIRouter, BackgroundTasks, Form, HTTPException
from fastapi.responses import Response
from sqlalchemy.orm import Session

from takedowns.context import Context
from takedowns.desk.pages import ZONE
from takedowns.desk.refusals import REFUSALS, Refusal
from takedowns.desk.visit import Here, Visit
from takedowns.dispatches import DispatchError
from takedowns.handing_over import answering, handovers, package, packing, receiving, sending
from takedowns.handing_over.casefile import RECEIPT
from takedowns.handing_over.handovers import KINDS, UnknownHandoverError
from takedowns.handing_over.packing import Order
from takedowns.ledger.tables import Dispatch, Handover, Tip

router = APIRouter()
log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Typed:
    """What the form for packing holds."""

    leads: str = ""
    to: str = ""
    kind: str = "bureau"
    reason: str = ""


@router.get("/handovers", name="handovers")
def show_handovers(visit: Here) -> Response:
    return _handovers(visit)


@router.post("/handovers", name="pack_handover")
def pack_handover(
    visit: Here,
    leads: Annotated[str, Form(max_length=20_000)],
    to: Annotated[str, Form(max_length=400)],
    reason: Annotated[str, Form(max_length=4000)],
    kind: Annotated[Literal["bureau", "police"], Form()],
    language: Annotated[Literal["zh", "en"], Form()],
) -> Response:
    numbers = leads.replace(",", " ").replace("，", " ").replace("、", " ").split()
    order = Order(to=to, kind=kind, reason=reason, leads=numbers, lang=language)
    try:
        handover = packing.pack(visit.desk.context, order, visit.user)
    except REFUSALS as refusal:
        return _handovers(visit, refusal, Typed(leads, to, kind, reason))
    return visit.go(f"/handovers/{handover.number}")


@router.get("/handovers/{number}", name="handover")
def show_handover(visit: Here, number: str) -> Response:
    return _handover(visit, number)


@router.get("/handovers/{number}/files/{name}", name="handover_file")
def handover_file(visit: Here, number: str, name: str) -> Response:
    """Always as a download: what is in it was written by sellers, or by another office."""
    with visit.desk.ledger.read() as session:
        handover = _found(session, number)
        files = _files(visit, handover)
    if name not in files:
        raise HTTPException(404)
    shown, media_type, data = files[name]
    headers = {"Content-Disposition": f'attachment; filename="{shown}"'}
    return Response(data, media_type=media_type, headers=headers)


@router.post("/handovers/{number}/dispatch", name="send_handover")
def send_handover(
    visit: Here,
    number: str,
    later: BackgroundTasks,
    version: Annotated[int, Form()],
    recipient: Annotated[str, Form(max_length=200)],
) -> Response:
    context = visit.desk.context
    try:
        with visit.desk.ledger.write() as session:
            dispatch = sending.put(context, session, number, visit.user, "smtp", recipient, version=version)
    except REFUSALS as refusal:
        return _handover(visit, number, refusal)
    later.add_task(_deliver, context, dispatch.id)
    return visit.go(f"/handovers/{number}")


@router.post("/handovers/{number}/sent", name="handover_sent")
def handover_sent(
    visit: Here,
    number: str,
    version: Annotated[int, Form()],
    receipt: Annotated[str, Form(max_length=500)],
    sent_at: Annotated[datetime, Form()],
) -> Response:
    """``sent_at`` is what a person reads off a clock in Shanghai."""
    at = sent_at.replace(tzinfo=ZONE)
    try:
        with visit.desk.ledger.write() as session:
            handovers.record_by_hand(
                session, number, visit.user, receipt, at=at, now=visit.now, version=version
            )
    except REFUSALS as refusal:
        return _handover(visit, number, refusal)
    return visit.go(f"/handovers/{number}")


@router.post("/handovers/{number}/receipt", name="take_receipt")
def take_receipt(visit: Here, number: str, receipt: Annotated[str, Form(max_length=20_000)]) -> Response:
    try:
        told = receiving.take_receipt(visit.desk.context, receipt.encode("utf-8", "replace"), visit.user)
    except REFUSALS as refusal:
        return _handover(visit, number, refusal)
    return visit.go(f"/handovers/{told.number}")  # the one that the receipt is of


@router.post("/handovers/{number}/answer", name="answer_handover")
def answer_handover(
    visit: Here, number: str, version: Annotated[int, Form()], result: Annotated[str, Form(max_length=4000)]
) -> Response:
    try:
        with visit.desk.ledger.write() as session:
            answering.answer(visit.desk.context, session, number, visit.user, result, version=version)
    except REFUSALS as refusal:
        return _handover(visit, number, refusal)
    return visit.go(f"/handovers/{number}")


@router.post("/handovers/{number}/closing", name="close_handover")
def close_handover(
    visit: Here,
    number: str,
    version: Annotated[int, Form()],
    note: Annotated[str, Form(max_length=4000)] = "",
) -> Response:
    try:
        with visit.desk.ledger.write() as session:
            handovers.close(session, number, visit.user, note, now=visit.now, version=version)
    except REFUSALS as refusal:
        return _handover(visit, number, refusal)
    return visit.go(f"/handovers/{number}")


def _deliver(context: Context, dispatch_id: int) -> None:
    try:
        sending.deliver(context, dispatch_id)
    except DispatchError as refusal:
        log.info("dispatch %s was not sent from the desk: %s", dispatch_id, refusal)


def _found(session: Session, number: str) -> Handover:
    try:
        handover = handovers.numbered(session, number)
    except UnknownHandoverError as error:
        raise HTTPException(404) from error
    session.refresh(handover, ["leads"])  # read by the page, when the session is closed
    return handover


def _files(visit: Visit, handover: Handover) -> Mapping[str, tuple[str, str, bytes]]:
    """Name in the address → name of the file, media type, bytes."""
    context = visit.desk.context
    files = {
        "package": (
            f"{handover.number}.zip",
            package.MEDIA_TYPE,
            context.evidence.read(handover.package_sha256),
        )
    }
    if handover.incoming:
        written = package.written(receiving.receipt_of(context, handover))
        files["receipt"] = (f"{handover.number}.{RECEIPT}", "application/json", written)
    if handover.result_sha256:
        data = context.evidence.read(handover.result_sha256)
        files["result"] = (f"{handover.number}.answer.zip", package.MEDIA_TYPE, data)
    return files


def _handovers(visit: Visit, refusal: Refusal | None = None, typed: Typed | None = None) -> Response:
    with visit.desk.ledger.read() as session:
        return visit.page(
            "handovers.html",
            status=409 if refusal else 200,
            open=handovers.open_ones(session),
            closed=handovers.closed_ones(session),
            kinds=KINDS,
            typed=typed or Typed(),
            refusal=refusal,
        )


def _handover(visit: Visit, number: str, refusal: Refusal | None = None) -> Response:
    if isinstance(refusal, UnknownHandoverError):
        raise HTTPException(404)
    with visit.desk.ledger.read() as session:
        handover = _found(session, number)
        of_leads = {lead.number: session.get_one(Tip, lead.tip_id) for lead in handover.leads if lead.tip_id}
        dispatches = session.scalars(sa.select(Dispatch).filter_by(handover_id=handover.id)).all()
    return visit.page(
        "handover.html",
        status=409 if refusal else 200,
        handover=handover,
        tips=of_leads,
        dispatches=dispatches,
        refusal=refusal,
    )
