"""People and their sign-ins: argon2 passwords, and sessions that can be ended from our side.

Functions take an open session and an explicit time; nothing here reads a clock.
"""

from __future__ import annotations

import hashlib
import secrets
from datetime import datetime, timedelta
from functools import cache

import sqlalchemy as sa
from pwdlib import PasswordHash
from sqlalchemy.orm import Session, joinedload

from takedowns.ledger import audit
from takedowns.ledger.tables import User, UserSession
from takedowns.ledger.vocabulary import Role

PASSWORD_AT_LEAST = 10
PASSWORD_AT_MOST = 1000  # hashing a longer one would only cost us time
TOUCH_EVERY = timedelta(minutes=1)


class UserError(ValueError):
    """``code`` names the reason for programs, the text for people."""

    code = "user"


class LoginTakenError(UserError):
    code = "login_taken"

    def __init__(self, login: str) -> None:
        super().__init__(f"the login {login!r} is taken")


class UnusablePasswordError(UserError):
    code = "unusable_password"

    def __init__(self) -> None:
        super().__init__(f"a password has {PASSWORD_AT_LEAST} to {PASSWORD_AT_MOST} characters")


class UnknownLoginError(UserError):
    code = "unknown_login"

    def __init__(self, login: str) -> None:
        super().__init__(f"nobody has the login {login!r}")


def create(
    session: Session,
    login: str,
    display_name: str,
    role: Role,
    password: str,
    *,
    now: datetime,
    is_demo: bool = False,
) -> User:
    """Add a person; raises LoginTakenError or UnusablePasswordError."""
    if _by_login(session, login):
        raise LoginTakenError(login)
    user = User(
        login=login,
        display_name=display_name,
        role=role,
        password_hash=_hashed(password),
        is_demo=is_demo,
        created_at=now,
    )
    session.add(user)
    session.flush()
    _recorded(session, user, "user.created", now, {"login": login, "role": role, "is_demo": is_demo})
    return user


def change_password(session: Session, login: str, password: str, *, now: datetime) -> User:
    """Set a new password and end every session of that person."""
    user = _known(session, login)
    user.password_hash = _hashed(password)
    revoke_all(session, user, now=now)
    _recorded(session, user, "user.password_changed", now, {})
    return user


def deactivate(session: Session, login: str, *, now: datetime) -> User:
    """Close the account and end its sessions; what the person did stays under their name."""
    user = _known(session, login)
    user.active = False
    revoke_all(session, user, now=now)
    _recorded(session, user, "user.deactivated", now, {})
    return user


def authenticate(session: Session, login: str, password: str) -> User | None:
    """The active user with this login and password, else None; an unknown login takes as long to refuse."""
    user = _by_login(session, login)
    stored = user.password_hash if user and user.active else None
    fits = len(password) <= PASSWORD_AT_MOST and _hasher().verify(password, stored or _decoy())
    return user if fits and stored else None


def issue_session(session: Session, user: User, *, now: datetime, lasts: timedelta) -> str:
    """Sign ``user`` in; returns the token (256 random bits), of which only the hash is kept."""
    token = secrets.token_urlsafe(32)
    session.add(
        UserSession(
            token_hash=_token_hash(token),
            user_id=user.id,
            created_at=now,
            last_used_at=now,
            expires_at=now + lasts,
        )
    )
    _recorded(session, user, "session.opened", now, {})
    return token


def find_session(session: Session, token: str, *, now: datetime, idle: timedelta) -> UserSession | None:
    """The live session of ``token`` with its user: not revoked, expired or idle, its user active."""
    found = session.get(UserSession, _token_hash(token), options=[joinedload(UserSession.user)])
    if found is None or found.revoked_at or not found.user.active:
        return None
    return found if now < min(found.expires_at, found.last_used_at + idle) else None


def needs_touch(found: UserSession, *, now: datetime) -> bool:
    """Whether its last use is to be written down again: not at each request, or every reader would write."""
    return now - found.last_used_at >= TOUCH_EVERY


def touch_session(session: Session, found: UserSession, *, now: datetime) -> None:
    session.execute(
        sa.update(UserSession).where(UserSession.token_hash == found.token_hash).values(last_used_at=now)
    )


def revoke_session(session: Session, token: str, *, now: datetime) -> None:
    """End one session; ending an unknown one is no error."""
    _revoke(session, UserSession.token_hash == _token_hash(token), now)


def revoke_all(session: Session, user: User, *, now: datetime) -> None:
    _revoke(session, UserSession.user_id == user.id, now)


def _revoke(session: Session, which: sa.ColumnElement[bool], now: datetime) -> None:
    live = UserSession.revoked_at.is_(None)
    session.execute(sa.update(UserSession).where(which, live).values(revoked_at=now))


def _by_login(session: Session, login: str) -> User | None:
    return session.scalars(sa.select(User).where(User.login == login)).one_or_none()


def _known(session: Session, login: str) -> User:
    user = _by_login(session, login)
    if user is None:
        raise UnknownLoginError(login)
    return user


def _recorded(session: Session, user: User, action: str, now: datetime, payload: dict[str, object]) -> None:
    actor = user.login if action == "session.opened" else "system:users"
    audit.record(session, at=now, actor=actor, action=action, subject=f"app_user:{user.id}", payload=payload)


def _hashed(password: str) -> str:
    if not PASSWORD_AT_LEAST <= len(password) <= PASSWORD_AT_MOST:
        raise UnusablePasswordError
    return _hasher().hash(password)


@cache
def _hasher() -> PasswordHash:
    return PasswordHash.recommended()


@cache
def _decoy() -> str:
    return _hasher().hash(secrets.token_urlsafe(32))


def _token_hash(token: str) -> str:
    return hashlib.sha256(token.encode()).hexdigest()
