"""Leads by platform, and a notice's way out: drafted, approved by a second person, sent."""

from __future__ import annotations

import logging
from datetime import datetime
from typing import Annotated, Literal
from urllib.parse import quote

from fastapi import APIRouter, BackgroundTasks, Form, HTTPException
from fastapi.responses import Response
from sqlalchemy.orm import joinedload, selectinload

from takedowns import dispatches, leads, notices
from takedowns import outbox as emptying
from takedowns.channels import manual
from takedowns.context import Context
from takedowns.desk.pages import ZONE
from takedowns.desk.reads.tracker import open_notices, sent_notices
from takedowns.desk.refusals import REFUSALS, Refusal
from takedowns.desk.visit import Here, Visit
from takedowns.ledger.tables import Decision, Dispatch, DispatchFile, Lead, Notice
from takedowns.ledger.vocabulary import DispatchState

router = APIRouter()
log = logging.getLogger(__name__)


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
def notice(visit: Here, notice_id: int, sending: bool = False) -> Response:
    return _notice(visit, notice_id, sending=sending)


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
def send_notice(visit: Here, notice_id: int, later: BackgroundTasks) -> Response:
    """It is sent after the answer: looking at its listings once more takes minutes on some platforms."""
    context = visit.desk.context
    try:
        with visit.desk.ledger.write() as session:
            emptying.release(session, context, notice_id, visit.user)
    except REFUSALS as refusal:
        return _notice(visit, notice_id, refusal)
    later.add_task(_send, context, notice_id)
    return visit.go(f"/notices/{notice_id}?sending=1")


def _send(context: Context, notice_id: int) -> None:
    try:
        emptying.send(context, notice_id)
    except (notices.NoticeError, dispatches.DispatchError) as refusal:
        log.info("notice %s was not sent from the desk: %s", notice_id, refusal)  # the scheduler was quicker


@router.post("/notices/{notice_id}/recall", name="recall_notice")
def recall_notice(visit: Here, notice_id: int, version: Annotated[int, Form()]) -> Response:
    """The notice itself while it waits, afterwards its reminders."""
    try:
        with visit.desk.ledger.write() as session:
            notice = notices.current(session, notice_id, version)
            if notice.sent_at is None:
                notices.recall(session, notice_id, visit.user, version, now=visit.now)
            else:
                emptying.stop(session, notice, visit.user, reason="", now=visit.now)
    except REFUSALS as refusal:
        return _notice(visit, notice_id, refusal)
    return visit.go(f"/notices/{notice_id}")


@router.post("/notices/{notice_id}/leads/{lead_id}/withdrawal", name="withdraw_lead")
def withdraw_lead(
    visit: Here, notice_id: int, lead_id: int, reason: Annotated[str, Form(min_length=1, max_length=500)]
) -> Response:
    try:
        with visit.desk.ledger.write() as session:
            leads.withdraw(session, lead_id, visit.user, reason=reason, now=visit.now)
    except REFUSALS as refusal:
        return _notice(visit, notice_id, refusal)
    return visit.go(f"/notices/{notice_id}")


@router.post("/notices/{notice_id}/acknowledgement", name="acknowledge_notice")
def acknowledge_notice(
    visit: Here,
    notice_id: int,
    version: Annotated[int, Form()],
    receipt: Annotated[str, Form(max_length=500)],
    signed_at: Annotated[datetime, Form()],
) -> Response:
    """``signed_at`` is what a person reads off a paper, in Shanghai."""
    try:
        with visit.desk.ledger.write() as session:
            notices.acknowledge(
                session,
                notice_id,
                visit.user,
                version,
                receipt=receipt,
                at=signed_at.replace(tzinfo=ZONE),
                now=visit.now,
            )
    except REFUSALS as refusal:
        return _notice(visit, notice_id, refusal)
    return visit.go(f"/notices/{notice_id}")


@router.get("/notices/{notice_id}/files/{dispatch_id}/{name}", name="notice_file")
def notice_file(visit: Here, notice_id: int, dispatch_id: int, name: str) -> Response:
    """A file that goes with a notice, always as a download: what is in it was written by sellers."""
    with visit.desk.ledger.read() as session:
        dispatch = session.get(Dispatch, dispatch_id)
        found = session.get(DispatchFile, (dispatch_id, name))
    if dispatch is None or dispatch.notice_id != notice_id or found is None:
        raise HTTPException(404)
    headers = {"Content-Disposition": f"attachment; filename*=UTF-8''{quote(name)}"}
    return Response(
        visit.desk.context.evidence.read(found.sha256), media_type=found.media_type, headers=headers
    )


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


def _notice(
    visit: Visit, notice_id: int, refusal: Refusal | None = None, *, sending: bool = False
) -> Response:
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
                selectinload(Notice.dispatches).selectinload(Dispatch.files),
            ],
        )
    if found is None:
        raise HTTPException(404)
    unsent = [d for d in found.dispatches if d.state in (DispatchState.WAITING, DispatchState.FAILED)]
    return visit.page(
        "notice.html",
        status=409 if refusal else 200,
        notice=found,
        unsent=unsent,
        loose=all(dispatches.is_loose(one) for one in unsent),
        refusal=refusal,
        sending=sending,
    )
