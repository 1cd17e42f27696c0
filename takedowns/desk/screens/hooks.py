"""What machines call: a platform's replies as signed JSON. No session and no page."""

from __future__ import annotations

import logging
from http import HTTPStatus
from typing import Annotated

from fastapi import APIRouter, Depends, Request
from fastapi.responses import JSONResponse, Response

from takedowns.channels.parcel import SendError
from takedowns.channels.secret import secret
from takedowns.desk.visit import Here
from takedowns.replies import hook
from takedowns.replies.hook import HookError
from takedowns.replies.matching import Directory

router = APIRouter()
log = logging.getLogger(__name__)


async def raw_body(request: Request) -> bytes:
    """As sent, since that is what is signed; its length is bounded before any route is reached."""
    return await request.body()


@router.post("/hooks/responses/{platform}", name="take_responses")
def take_responses(
    visit: Here, request: Request, platform: str, body: Annotated[bytes, Depends(raw_body)]
) -> Response:
    desk = visit.desk
    profile = desk.platforms.get(platform)
    if profile is None or profile.lead.answers_secret is None:
        return _refused(HTTPStatus.NOT_FOUND, "no platform of this name answers here")
    try:
        key = secret(profile.lead.answers_secret, desk.settings.channels.secrets)
        call = hook.check(key, body, request.headers, now=visit.now)
        with desk.ledger.write() as session:
            numbers = hook.take(session, profile, call, body, Directory(desk.platforms), now=visit.now)
    except SendError:
        log.exception("the hook of %s has no secret", platform)
        return _refused(HTTPStatus.SERVICE_UNAVAILABLE, "not set up yet: try again later")
    except HookError as error:
        return _refused(error.status, str(error))
    return JSONResponse(numbers)


def _refused(status: HTTPStatus, message: str) -> Response:
    return JSONResponse({"error": message}, status)
