"""Why a request brought no answer: an exception → a reason code. It says nothing about a listing."""

from __future__ import annotations

import re

from playwright.async_api import Error as BrowserError
from playwright.async_api import TimeoutError as BrowserTimeout
from scrapy.exceptions import (
    CannotResolveHostError,
    DownloadCancelledError,
    DownloadConnectionRefusedError,
    DownloadFailedError,
    DownloadTimeoutError,
    IgnoreRequest,
    ResponseDataLossError,
    UnsupportedURLSchemeError,
)
from twisted.internet.error import ConnectError, ConnectionClosed

REASONS: tuple[tuple[type[Exception], str], ...] = (
    (CannotResolveHostError, "dns"),
    (DownloadTimeoutError, "timeout"),
    (BrowserTimeout, "timeout"),
    (DownloadConnectionRefusedError, "connection_refused"),
    (DownloadCancelledError, "too_large"),  # Scrapy cancels only what is larger than DOWNLOAD_MAXSIZE
    (ResponseDataLossError, "connection_cut"),
    (DownloadFailedError, "connection_cut"),
    (ConnectionClosed, "connection_cut"),
    (ConnectError, "connection_refused"),
    (UnsupportedURLSchemeError, "off_platform"),
    (OSError, "connection_cut"),
)
BROWSER_REASONS = (
    ("ERR_NAME_NOT_RESOLVED", "dns"),
    ("ERR_TIMED_OUT|ERR_CONNECTION_TIMED_OUT", "timeout"),
    ("ERR_CONNECTION_REFUSED|ERR_ADDRESS_UNREACHABLE", "connection_refused"),
    ("ERR_TOO_MANY_REDIRECTS", "redirect_loop"),
    ("ERR_BLOCKED_BY_CLIENT|ERR_FAILED", "off_platform"),
    ("ERR_CONNECTION|ERR_EMPTY_RESPONSE|ERR_INCOMPLETE|ERR_CONTENT_LENGTH|ERR_INVALID", "connection_cut"),
)
UNREACHABLE = frozenset({"dns", "timeout", "connection_refused", "connection_cut"})


class Refused(IgnoreRequest):
    """We did not make the request, or do not want what came of it.

    ``reason`` is robots_disallowed, off_platform …; ``led_to``: where a page in the browser led.
    """

    def __init__(self, reason: str, led_to: str | None = None) -> None:
        super().__init__(reason)
        self.reason = reason
        self.led_to = led_to


def reason_of(failure: BaseException) -> str:
    """A reason code for every exception; ``unexplained`` for one that this table does not know."""
    if isinstance(failure, Refused):
        return failure.reason
    if isinstance(failure, IgnoreRequest):
        return "redirect_loop" if "redirections" in str(failure) else "too_large"
    for kind, reason in REASONS:
        if isinstance(failure, kind):
            return reason
    if isinstance(failure, BrowserError):
        named = (reason for signs, reason in BROWSER_REASONS if re.search(signs, failure.message))
        return next(named, "browser_failed")
    return "unexplained"
