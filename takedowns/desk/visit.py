"""One request to the desk: who asks, in which language, at what time, and how its page is rendered."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Annotated, Any, TypeVar
from urllib.parse import quote, urlsplit

from fastapi import Depends, HTTPException, Request
from fastapi.responses import HTMLResponse, RedirectResponse, Response
from jinja2 import Environment
from pydantic import BeforeValidator

from classifiers.lexicon import Concept
from crawlers.platforms import Platform
from takedowns import configuration, users
from takedowns.context import Context
from takedowns.desk.access import PUBLIC, may_use
from takedowns.desk.i18n import DEFAULT, LANGUAGES
from takedowns.desk.security import Attempts
from takedowns.ledger.engine import Ledger
from takedowns.ledger.tables import User
from takedowns.settings import Settings

SESSION_COOKIE = "session"
LANGUAGE_COOKIE = "language"
KEYS_COOKIE = "keys"


@dataclass(frozen=True)
class Desk:
    """What all requests share."""

    ledger: Ledger
    settings: Settings
    platforms: Mapping[str, Platform]
    clock: Callable[[], datetime]
    concepts: Mapping[str, Concept]
    pages: Mapping[str, Environment]
    attempts: Attempts = field(default_factory=Attempts)

    @property
    def context(self) -> Context:
        """For the units of work that the scheduler does, too."""
        return Context(configuration.folder(), self.settings, dict(self.platforms), self.ledger, self.clock)

    @property
    def idle(self) -> timedelta:
        return timedelta(minutes=self.settings.desk.idle_minutes)


class SignedOutError(Exception):
    """The route needs a person and there is none."""


@dataclass(frozen=True)
class Visit:
    desk: Desk
    request: Request
    lang: str
    now: datetime
    visitor: User | None = None

    @property
    def user(self) -> User:
        if self.visitor is None:
            raise SignedOutError
        return self.visitor

    @property
    def by_htmx(self) -> bool:
        return "hx-request" in self.request.headers

    @property
    def address(self) -> str:
        """Path and query, for coming back here: after a form, of the page that it stood on."""
        here = str(self.request.url)
        page = here if self.request.method == "GET" else self.request.headers.get("referer", "/")
        parts = urlsplit(page)
        return f"{parts.path}?{parts.query}" if parts.query else parts.path

    def page(self, template: str, *, status: int = 200, **context: Any) -> HTMLResponse:
        body = self.desk.pages[self.lang].get_template(template).render(visit=self, **context)
        # Stored JSON can hold half a surrogate pair, which no answer can carry.
        return HTMLResponse(body.encode(errors="replace"), status)

    def may(self, route: str) -> bool:
        return self.visitor is not None and may_use(self.visitor.role, route)

    @property
    def keys_on(self) -> bool:
        return self.request.cookies.get(KEYS_COOKIE) != "off"

    def go(self, path: str) -> Response:
        """To another page, after a form was sent."""
        if self.by_htmx:
            return Response(headers={"HX-Redirect": path})
        return RedirectResponse(path, 303)


def anonymous(request: Request) -> Visit:
    desk: Desk = request.app.state.desk
    lang = request.cookies.get(LANGUAGE_COOKIE, DEFAULT)
    return Visit(desk, request, lang if lang in LANGUAGES else DEFAULT, desk.clock())


def recognised(request: Request) -> Visit:
    """With the person, if one is signed in; nothing is said about what they may do."""
    stranger = anonymous(request)
    return replace(stranger, visitor=_signed_in(stranger))


def visit(request: Request) -> Visit:
    """Find the person and check the route's roles; as the app's own dependency it runs before every route."""
    found = recognised(request)
    route = request.scope["route"].name
    if route not in PUBLIC and not may_use(found.user.role, route):
        raise HTTPException(403)
    return found


Here = Annotated[Visit, Depends(visit)]
T = TypeVar("T")
# A choice in an address, where an empty value (a form's "all") means none.
Chosen = Annotated[T | None, BeforeValidator(lambda value: value or None)]


def to_sign_in(stranger: Visit) -> Response:
    """Where somebody without a session goes; a page comes back after it, a form does not."""
    back = f"?next={quote(stranger.address)}" if stranger.request.method == "GET" else ""
    return stranger.go(f"/sign-in{back}")


def local(path: str) -> str:
    """``path`` if it stays on this desk, else the start page: no redirect to wherever a link says."""
    safe = path.startswith("/") and not path.startswith(("//", "/\\")) and path.isprintable()
    return path if safe else "/"


def _signed_in(stranger: Visit) -> User | None:
    token = stranger.request.cookies.get(SESSION_COOKIE)
    if not token:
        return None
    desk, now = stranger.desk, stranger.now
    with desk.ledger.read() as session:
        found = users.find_session(session, token, now=now, idle=desk.idle)
    if found is None:
        return None
    if users.needs_touch(found, now=now):
        with desk.ledger.write() as session:
            users.touch_session(session, found, now=now)
    return found.user
