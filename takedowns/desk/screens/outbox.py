"""Leads by platform, and a notice's way out: drafted, approved by a second person, sent."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Literal

from fastapi import APIRouter, Form, HTTPException
from fastapi.responses import Response
from sqlalchemy.orm import joinedload, selectinload

from takedowns import leads, notices
from takedowns.channels import manual
from takedowns.desk.pages import ZONE
from takedowns.desk.reads.tracker import open_notices, sent_notices
from takedowns.desk.refusals import REFUSALS, Refusal
from takedowns.desk.visit import Here, Visit
from takedowns.ledger.tables import Decision, Lead, Notice

router = APIRouter()


@router.get("/leads/outbox", name="outbox")
def outbox(visit: Here) -> Response:
    return _outbox(visit)


@router.post("/notices", name="draft_notice")
def draft_notice(
    visit: Here,
    platform: Annotated[str, Form()],
    language: Annotated[Literal["zh", "en"], Form()],
    lead: Annotated[list[int], Form()] = [],  # noqa: B006  (FastAPI copies it for each request)
) -> Response:
    desk = visit.desk
    if platform not in desk.platforms:
        raise HTTPException(404)
    try:
        with desk.ledger.write() as session:
            chosen = [row for row in leads.ready(session).get(platform, []) if row.id in lead]
            notice = notices.draft(
                session,
                desk.platforms[platform],
                chosen,
                visit.user,
                lang=language,
                now=visit.now,
                settings=desk.settings,
            )
            number = notice.id
    except REFUSALS as refusal:
        return _outbox(visit, refusal)
    return visit.go(f"/notices/{number}")


@router.get("/notices/{notice_id}", name="notice")
def notice(visit: Here, notice_id: int) -> Response:
    return _notice(visit, notice_id)


@router.post("/notices/{notice_id}/approval", name="approve_notice")
def approve_notice(visit: Here, notice_id: int, version: Annotated[int, Form()]) -> Response:
    try:
        with visit.desk.ledger.write() as session:
            notices.approve(
                session, notice_id, visit.user, version, now=visit.now, settings=visit.desk.settings
            )
    except REFUSALS as refusal:
        return _notice(visit, notice_id, refusal)
    return visit.go(f"/notices/{notice_id}")


@router.post("/notices/{notice_id}/cancellation", name="cancel_notice")
def cancel_notice(visit: Here, notice_id: int, version: Annotated[int, Form()]) -> Response:
    try:
        with visit.desk.ledger.write() as session:
            notices.cancel(session, notice_id, visit.user, version, now=visit.now)
    except REFUSALS as refusal:
        return _notice(visit, notice_id, refusal)
    return visit.go("/leads/outbox")


@router.post("/notices/{notice_id}/dispatch", name="send_notice")
def send_notice(visit: Here, notice_id: int) -> Response:
    try:
        notices.send(visit.desk.ledger, notice_id, now=visit.now, settings=visit.desk.settings)
    except REFUSALS as refusal:
        return _notice(visit, notice_id, refusal)
    return visit.go(f"/notices/{notice_id}")


@router.post("/notices/{notice_id}/handover", name="record_handover")
def record_handover(
    visit: Here,
    notice_id: int,
    version: Annotated[int, Form()],
    receipt: Annotated[str, Form(max_length=500)],
    handed_over_at: Annotated[datetime, Form()],
) -> Response:
    """``handed_over_at`` is what a person reads off a clock in Shanghai."""
    try:
        with visit.desk.ledger.write() as session:
            manual.record(
                session,
                notice_id,
                visit.user,
                version,
                handed_over_at=handed_over_at.replace(tzinfo=ZONE),
                receipt=receipt,
                now=visit.now,
            )
    except REFUSALS as refusal:
        return _notice(visit, notice_id, refusal)
    return visit.go(f"/notices/{notice_id}")


def _outbox(visit: Visit, refusal: Refusal | None = None) -> Response:
    with visit.desk.ledger.read() as session:
        ready = leads.ready(session)
        waiting, sent = open_notices(session), sent_notices(session)
        return visit.page(
            "outbox.html",
            status=409 if refusal else 200,
            ready=ready,
            waiting=waiting,
            sent=sent,
            refusal=refusal,
        )


def _notice(visit: Visit, notice_id: int, refusal: Refusal | None = None) -> Response:
    of_lead = selectinload(Notice.leads).joinedload(Lead.decision)
    with visit.desk.ledger.read() as session:
        found = session.get(
            Notice,
            notice_id,
            options=[
                joinedload(Notice.author),
                joinedload(Notice.approver),
                of_lead.joinedload(Decision.snapshot),
                of_lead.joinedload(Decision.reviewer),
            ],
        )
    if found is None:
        raise HTTPException(404)
    return visit.page("notice.html", status=409 if refusal else 200, notice=found, refusal=refusal)
