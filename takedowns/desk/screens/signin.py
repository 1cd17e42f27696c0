"""Sign in and out."""

from __future__ import annotations

from datetime import timedelta
from typing import Annotated

from fastapi import APIRouter, Form
from fastapi.responses import RedirectResponse, Response

from takedowns import users
from takedowns.desk.visit import SESSION_COOKIE, Here, Visit, local
from takedowns.ledger.tables import User

router = APIRouter()


@router.get("/sign-in", name="sign_in")
def sign_in(visit: Here, next: str = "/") -> Response:  # noqa: A002  (the name in the address)
    return visit.page("sign_in.html", next=local(next), login="", problem=None)


@router.post("/sign-in", name="sign_in_submit")
def sign_in_submit(
    visit: Here,
    login: Annotated[str, Form(max_length=200)],
    password: Annotated[str, Form()],
    next: Annotated[str, Form()] = "/",  # noqa: A002
) -> Response:
    desk, address = visit.desk, visit.request.client.host if visit.request.client else "?"
    if not desk.attempts.allowed(address, login, visit.now):
        return _again(visit, login, next, "too_many_attempts", 429)
    with desk.ledger.read() as session:
        user = users.authenticate(session, login, password)
    if user is None:
        desk.attempts.failed(address, login, visit.now)
        return _again(visit, login, next, "wrong_login", 401)
    desk.attempts.succeeded(address, login)
    return _welcome(visit, user, next)


@router.post("/sign-out", name="sign_out")
def sign_out(visit: Here) -> Response:
    with visit.desk.ledger.write() as session:
        users.revoke_session(session, visit.request.cookies[SESSION_COOKIE], now=visit.now)
    return _goodbye()


@router.post("/sign-out-everywhere", name="sign_out_everywhere")
def sign_out_everywhere(visit: Here) -> Response:
    with visit.desk.ledger.write() as session:
        users.revoke_all(session, visit.user, now=visit.now)
    return _goodbye()


def _again(visit: Visit, login: str, back: str, problem: str, status: int) -> Response:
    return visit.page("sign_in.html", status=status, next=local(back), login=login, problem=problem)


def _welcome(visit: Visit, user: User, back: str) -> Response:
    lasts = timedelta(hours=visit.desk.settings.desk.session_hours)
    with visit.desk.ledger.write() as session:
        token = users.issue_session(session, user, now=visit.now, lasts=lasts)
    response = RedirectResponse(local(back), 303)
    https = visit.request.url.scheme == "https"
    response.set_cookie(SESSION_COOKIE, token, httponly=True, samesite="lax", secure=https)
    return response


def _goodbye() -> Response:
    response = RedirectResponse("/sign-in", 303)
    response.delete_cookie(SESSION_COOKIE, httponly=True, samesite="lax")
    return response
