"""What a person sets for their own browser: language, keyboard shortcuts; and ending all their sessions."""

from __future__ import annotations

from typing import Annotated, Literal

from fastapi import APIRouter, Form
from fastapi.responses import RedirectResponse, Response

from takedowns.desk.visit import KEYS_COOKIE, LANGUAGE_COOKIE, Here, local

router = APIRouter()
A_YEAR = 365 * 24 * 3600


@router.get("/settings", name="settings")
def settings(visit: Here) -> Response:
    return visit.page("settings.html")


@router.post("/preferences", name="set_preferences")
def set_preferences(
    visit: Here,
    back: Annotated[str, Form()] = "/",
    language: Annotated[Literal["zh", "en"] | None, Form()] = None,
    keys: Annotated[Literal["on", "off"] | None, Form()] = None,
) -> Response:
    """Keeps what is given, and goes back to the page it was set on."""
    response = RedirectResponse(local(back), 303)
    https = visit.request.url.scheme == "https"
    for cookie, value in ((LANGUAGE_COOKIE, language), (KEYS_COOKIE, keys)):
        if value:
            response.set_cookie(cookie, value, max_age=A_YEAR, httponly=True, samesite="lax", secure=https)
    return response
