"""The ways in which a listing can answer, as real platforms do it."""

from __future__ import annotations

from enum import StrEnum


class Mode(StrEnum):
    UP = "up"
    HTTP_404 = "http_404"
    HTTP_410 = "http_410"
    SOFT_404 = "soft_404"
    """Status 200 with a notice instead of the goods."""
    REDIRECT_HOME = "redirect_home"
    SOLD_OUT = "sold_out"
    ALTERED = "altered"
    """Same id, but title, description and picture are of something innocent."""
    LOGIN_WALL = "login_wall"
    CAPTCHA_200 = "captcha_200"
    CAPTCHA_404 = "captcha_404"
    RATE_LIMITED = "rate_limited"
    UNAVAILABLE = "unavailable"
    CUT = "cut"
    """The connection closes in the middle of the body."""
    ENDLESS = "endless"
    """The body never ends."""


SHOWN = frozenset({Mode.UP, Mode.SOLD_OUT, Mode.ALTERED})
GONE = frozenset({Mode.HTTP_404, Mode.HTTP_410, Mode.SOFT_404, Mode.REDIRECT_HOME})
UNREACHABLE = frozenset(Mode) - SHOWN - GONE
"""Whether the listing is still there cannot be told from outside."""
