"""The desk as one ASGI application, put together from its screens."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import datetime
from pathlib import Path

from fastapi import Depends, FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import Response
from fastapi.staticfiles import StaticFiles
from starlette.exceptions import HTTPException

from classifiers import lexicon
from crawlers.platforms import Platform
from takedowns import configuration
from takedowns.desk import pages
from takedowns.desk.screens import (
    handovers,
    hooks,
    item,
    networks,
    outbox,
    preferences,
    queue,
    reports,
    signin,
    start,
    tips,
    tracker,
    tray,
)
from takedowns.desk.security import BodyLimit, SameOriginOnly, SecurityHeaders
from takedowns.desk.visit import Desk, SignedOutError, anonymous, recognised, to_sign_in, visit
from takedowns.ledger.engine import Ledger
from takedowns.settings import Settings

STATIC = Path(__file__).with_name("static")
SCREENS = (
    *(signin, preferences, start, queue, item, outbox, tracker, networks, tray),
    *(tips, handovers, reports, hooks),
)
BODY_AT_MOST = 1_000_000  # bytes; the longest form is a note and 200 leads


def create_app(
    ledger: Ledger,
    settings: Settings,
    platforms: Mapping[str, Platform],
    *,
    clock: Callable[[], datetime],
) -> FastAPI:
    """The desk over ``ledger``; ``clock`` gives aware UTC times (a simulated one in the demo).

    Raises ConfigError when the lexicon's concepts.yml is not valid.
    """
    # The schema and its pages would stand outside the table of roles.
    app = FastAPI(dependencies=[Depends(visit)], openapi_url=None)
    app.state.desk = Desk(
        ledger=ledger,
        settings=settings,
        platforms=platforms,
        clock=clock,
        concepts=lexicon.concepts(configuration.folder() / "lexicon"),
        pages=pages.environments(settings, platforms),
    )
    for screen in SCREENS:
        app.include_router(screen.router)
    app.mount("/static", StaticFiles(directory=STATIC), name="static")
    app.add_exception_handler(SignedOutError, _signed_out)
    app.add_exception_handler(RequestValidationError, _unreadable)
    app.add_exception_handler(HTTPException, _refused)
    app.add_middleware(SameOriginOnly)
    app.add_middleware(BodyLimit, at_most=BODY_AT_MOST)
    app.add_middleware(SecurityHeaders)  # added last, so it is outermost: refusals carry the headers too
    return app


def _signed_out(request: Request, _error: Exception) -> Response:
    return to_sign_in(anonymous(request))


def _unreadable(request: Request, _error: Exception) -> Response:
    return recognised(request).page("error.html", status=400, code="unreadable_request")


def _refused(request: Request, error: Exception) -> Response:
    status = error.status_code if isinstance(error, HTTPException) else 500
    return recognised(request).page("error.html", status=status, code=f"http_{status}")
