"""What every answer carries, which requests no route gets to see, and slowing guessers down."""

from __future__ import annotations

from collections import deque
from datetime import datetime, timedelta
from threading import Lock
from urllib.parse import urlsplit

from starlette.datastructures import Headers, MutableHeaders
from starlette.responses import PlainTextResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send

CONTENT_SECURITY_POLICY = "; ".join(
    [
        "default-src 'none'",
        "script-src 'self'",
        "style-src 'self'",
        "img-src 'self' data:",  # the style sheet's own icons are data addresses
        "connect-src 'self'",
        "form-action 'self'",
        "base-uri 'none'",
        "frame-ancestors 'none'",
    ]
)
HEADERS = {
    "Content-Security-Policy": CONTENT_SECURITY_POLICY,
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "same-origin",  # no-referrer would also hide the Origin of our own forms
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
}
HOOKS = (
    "/hooks/"  # called by machines, which have no origin: each call is signed, and a session opens nothing
)
SAFE_METHODS = frozenset({"GET", "HEAD", "OPTIONS"})


class SecurityHeaders:
    """Adds the headers above; pages are never stored, static files are checked for changes each time."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            return await self.app(scope, receive, send)
        kept = "no-cache" if scope["path"].startswith("/static/") else "no-store"

        async def send_with_headers(message: Message) -> None:
            if message["type"] == "http.response.start":
                MutableHeaders(scope=message).update({**HEADERS, "Cache-Control": kept})
            await send(message)

        return await self.app(scope, receive, send_with_headers)


class SameOriginOnly:
    """Refuses a change that another site asked for: by Sec-Fetch-Site, or by Origin where that is missing."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or scope["path"].startswith(HOOKS):
            return await self.app(scope, receive, send)
        if not _from_here(scope["method"], Headers(scope=scope)):
            refusal = PlainTextResponse("This request came from another site.\n", status_code=403)
            return await refusal(scope, receive, send)
        return await self.app(scope, receive, send)


def _from_here(method: str, headers: Headers) -> bool:
    if method in SAFE_METHODS:
        return True
    if site := headers.get("sec-fetch-site"):
        return site == "same-origin"
    # Browsers leave Sec-Fetch-Site out on plain http to another machine, but never the Origin.
    return urlsplit(headers.get("origin", "")).netloc == headers.get("host", "?")


class BodyLimit:
    """Refuses a body that no form of the desk could have: told by its length, or cut off when it lies."""

    def __init__(self, app: ASGIApp, at_most: int) -> None:
        self.app = app
        self.at_most = at_most

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http" and self._too_long(Headers(scope=scope)):
            refusal = PlainTextResponse("This request is too large.\n", status_code=413)
            return await refusal(scope, receive, send)
        return await self.app(scope, receive, send)

    def _too_long(self, headers: Headers) -> bool:
        if "transfer-encoding" in headers:
            return True
        length = headers.get("content-length", "0")
        return not length.isdecimal() or int(length) > self.at_most


class Attempts:
    """Failed sign-ins of the last quarter of an hour, in memory: per address and login, and per address.

    Counting a login over all addresses would let anybody lock its owner out.
    """

    WINDOW = timedelta(minutes=15)
    PER_LOGIN = 5
    PER_ADDRESS = 30

    def __init__(self) -> None:
        self._failures: dict[str, deque[tuple[datetime, str]]] = {}
        self._turn = Lock()  # sign-ins run in several threads

    def allowed(self, address: str, login: str, now: datetime) -> bool:
        with self._turn:
            recent = self._failures.get(address, deque())
            while recent and recent[0][0] <= now - self.WINDOW:
                recent.popleft()
            if not recent:
                self._failures.pop(address, None)
            tried = sum(1 for _, name in recent if name == login)
            return len(recent) < self.PER_ADDRESS and tried < self.PER_LOGIN

    def failed(self, address: str, login: str, now: datetime) -> None:
        with self._turn:
            self._failures.setdefault(address, deque()).append((now, login))

    def succeeded(self, address: str, login: str) -> None:
        with self._turn:
            others = [failure for failure in self._failures.pop(address, ()) if failure[1] != login]
            if others:
                self._failures[address] = deque(others)
