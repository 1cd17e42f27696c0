from __future__ import annotations

from datetime import datetime, timedelta

import pytest
import sqlalchemy as sa

from takedowns import users
from takedowns.ledger import audit
from takedowns.ledger.engine import Ledger
from takedowns.ledger.tables import AuditEntry, User, UserSession
from takedowns.ledger.vocabulary import Role

PASSWORD = "correct horse battery"
IDLE = timedelta(hours=1)
LASTS = timedelta(hours=12)


@pytest.fixture
def wang(sqlite_ledger: Ledger, now: datetime) -> User:
    with sqlite_ledger.write() as session:
        return users.create(session, "wang", "王芳", Role.ANALYST, PASSWORD, now=now)


def issued(ledger: Ledger, user: User, now: datetime) -> str:
    with ledger.write() as session:
        return users.issue_session(session, user, now=now, lasts=LASTS)


def found(ledger: Ledger, token: str, now: datetime) -> UserSession | None:
    with ledger.read() as session:
        return users.find_session(session, token, now=now, idle=IDLE)


def test_only_the_right_password_signs_in(sqlite_ledger: Ledger, wang: User) -> None:
    with sqlite_ledger.read() as session:
        right = users.authenticate(session, "wang", PASSWORD)
        assert right is not None
        assert right.id == wang.id
        assert users.authenticate(session, "wang", PASSWORD + "!") is None
        assert users.authenticate(session, "nobody", PASSWORD) is None
        assert users.authenticate(session, "wang", "x" * 1_000_000) is None


def test_a_password_is_kept_as_argon2_only(wang: User) -> None:
    assert wang.password_hash is not None
    assert wang.password_hash.startswith("$argon2id$")


def test_a_login_is_given_out_once(sqlite_ledger: Ledger, wang: User, now: datetime) -> None:
    with pytest.raises(users.LoginTakenError, match="'wang' is taken"), sqlite_ledger.write() as session:
        users.create(session, "wang", "Another", Role.ADMIN, PASSWORD, now=now)


@pytest.mark.parametrize("password", ["", "nine char", "x" * 1001])
def test_a_password_has_a_length(sqlite_ledger: Ledger, now: datetime, password: str) -> None:
    with pytest.raises(users.UnusablePasswordError), sqlite_ledger.write() as session:
        users.create(session, "li", "李", Role.ANALYST, password, now=now)


def test_the_ledger_keeps_no_token(sqlite_ledger: Ledger, wang: User, now: datetime) -> None:
    token = issued(sqlite_ledger, wang, now)
    with sqlite_ledger.read() as session:
        kept = session.scalars(sa.select(UserSession)).one()
        payloads = session.scalars(sa.select(AuditEntry.payload)).all()
    assert token not in kept.token_hash
    assert token not in str(payloads)
    assert len(token) >= 43  # 256 bits


def test_a_session_ends_when_idle_and_at_the_latest_when_its_time_is_over(
    sqlite_ledger: Ledger, wang: User, now: datetime
) -> None:
    token = issued(sqlite_ledger, wang, now)
    assert found(sqlite_ledger, token, now + timedelta(minutes=59)) is not None
    assert found(sqlite_ledger, token, now + IDLE) is None
    for hours in range(12):
        at = now + timedelta(hours=hours, minutes=30)
        with sqlite_ledger.write() as session:
            users.touch_session(session, session.scalars(sa.select(UserSession)).one(), now=at)
    assert found(sqlite_ledger, token, now + LASTS - timedelta(seconds=1)) is not None
    assert found(sqlite_ledger, token, now + LASTS) is None


def test_a_session_is_touched_once_a_minute_at_most(sqlite_ledger: Ledger, wang: User, now: datetime) -> None:
    live = found(sqlite_ledger, issued(sqlite_ledger, wang, now), now)
    assert live is not None
    assert not users.needs_touch(live, now=now + timedelta(seconds=59))
    assert users.needs_touch(live, now=now + timedelta(seconds=60))


def test_a_revoked_session_is_gone_and_the_others_stay(
    sqlite_ledger: Ledger, wang: User, now: datetime
) -> None:
    here, there = issued(sqlite_ledger, wang, now), issued(sqlite_ledger, wang, now)
    with sqlite_ledger.write() as session:
        users.revoke_session(session, here, now=now)
        users.revoke_session(session, "no such token", now=now)
    assert found(sqlite_ledger, here, now) is None
    assert found(sqlite_ledger, there, now) is not None


def test_a_new_password_ends_every_session(sqlite_ledger: Ledger, wang: User, now: datetime) -> None:
    token = issued(sqlite_ledger, wang, now)
    with sqlite_ledger.write() as session:
        users.change_password(session, "wang", "another long one", now=now)
    assert found(sqlite_ledger, token, now) is None
    with sqlite_ledger.read() as session:
        assert users.authenticate(session, "wang", PASSWORD) is None
        assert users.authenticate(session, "wang", "another long one") is not None


def test_a_closed_account_neither_signs_in_nor_stays_in(
    sqlite_ledger: Ledger, wang: User, now: datetime
) -> None:
    token = issued(sqlite_ledger, wang, now)
    with sqlite_ledger.write() as session:
        users.deactivate(session, "wang", now=now)
    assert found(sqlite_ledger, token, now) is None
    with sqlite_ledger.read() as session:
        assert users.authenticate(session, "wang", PASSWORD) is None


def test_an_unknown_login_cannot_be_changed(sqlite_ledger: Ledger, now: datetime) -> None:
    with pytest.raises(users.UnknownLoginError, match="'nobody'"), sqlite_ledger.write() as session:
        users.deactivate(session, "nobody", now=now)


def test_each_act_stands_in_the_audit_chain(sqlite_ledger: Ledger, wang: User, now: datetime) -> None:
    issued(sqlite_ledger, wang, now)
    with sqlite_ledger.write() as session:
        users.change_password(session, "wang", "another long one", now=now)
        users.deactivate(session, "wang", now=now)
    with sqlite_ledger.read() as session:
        actions = session.scalars(sa.select(AuditEntry.action).order_by(AuditEntry.seq)).all()
        assert list(audit.verify(session)) == []
    assert actions == ["user.created", "session.opened", "user.password_changed", "user.deactivated"]
