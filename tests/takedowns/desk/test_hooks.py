from __future__ import annotations

import json
from typing import Any

import pytest
import sqlalchemy as sa
from fastapi import FastAPI
from starlette.testclient import TestClient

from crawlers.platforms import Platform
from takedowns.channels.webhook import signed
from takedowns.desk.app import BODY_AT_MOST
from takedowns.ledger.engine import Ledger
from takedowns.ledger.tables import Lead, PlatformResponse, User
from takedowns.ledger.vocabulary import Role
from takedowns.states import LeadState

SECRET = "a secret that is long enough"
ADDRESS = "/hooks/responses/sample"


@pytest.fixture
def platforms(platform: Platform, monkeypatch: pytest.MonkeyPatch) -> dict[str, Platform]:
    monkeypatch.setenv("SAMPLE_ANSWERS", SECRET)
    signing = platform.lead.model_copy(update={"answers_secret": "SAMPLE_ANSWERS"})
    mute = platform.model_copy(update={"name": "mute"})
    return {"sample": platform.model_copy(update={"lead": signing}), "mute": mute}


@pytest.fixture
def lead(sqlite_ledger: Ledger, people: dict[Role, User], suspicious: Any, make: Any) -> Lead:
    with sqlite_ledger.write() as session:
        decision = make.decision(session, suspicious(session), people[Role.ANALYST])
        return make.lead(session, decision, state=LeadState.SENT, sent_at=make.now)


@pytest.fixture
def machine(app: FastAPI) -> TestClient:
    """Calls without session, cookie and origin, as a platform's server does."""
    return TestClient(app, follow_redirects=False)


def call(
    machine: TestClient, body: bytes, seconds: float, address: str = ADDRESS, secret: str = SECRET
) -> Any:
    headers = {**signed(secret, body, int(seconds)), "Content-Type": "application/json"}
    return machine.post(address, content=body, headers=headers)


def test_a_signed_call_is_taken_in_without_any_session(
    machine: TestClient, sqlite_ledger: Ledger, lead: Lead, make: Any
) -> None:
    body = json.dumps({"key": "k", "replies": [{"lead_number": lead.number, "measure": "deleted"}]}).encode()
    for _ in range(2):
        answer = call(machine, body, make.now.timestamp())
        assert (answer.status_code, answer.json()["accepted"]) == (200, 1)
    with sqlite_ledger.read() as session:
        assert session.scalar(sa.select(sa.func.count()).select_from(PlatformResponse)) == 1


def test_refusals_are_json_and_name_their_reason(machine: TestClient, lead: Lead, make: Any) -> None:
    now, body = make.now.timestamp(), b'{"key": "k", "replies": [{}]}'
    refusals = {
        401: call(machine, body, now, secret="another"),
        400: call(machine, b"{}", now),
        404: call(machine, body, now, "/hooks/responses/nobody"),
        413: call(machine, b"x" * (BODY_AT_MOST + 1), now),
    }
    assert {status: answer.status_code for status, answer in refusals.items()} == {n: n for n in refusals}
    assert "does not fit" in refusals[401].json()["error"]


def test_a_platform_that_answers_not_here_looks_like_one_that_is_not_there(
    machine: TestClient, lead: Lead, make: Any
) -> None:
    answers = [
        call(machine, b"{}", make.now.timestamp(), f"/hooks/responses/{name}") for name in ("mute", "none")
    ]
    assert {(answer.status_code, answer.text) for answer in answers} == {
        (404, '{"error":"no platform of this name answers here"}')
    }


def test_without_its_secret_the_hook_says_come_again(
    machine: TestClient, lead: Lead, make: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("SAMPLE_ANSWERS")
    answer = call(machine, b"{}", make.now.timestamp())
    assert (answer.status_code, SECRET in answer.text) == (503, False)


def test_other_addresses_stay_closed_to_calls_from_elsewhere(machine: TestClient, lead: Lead) -> None:
    assert machine.post("/sign-in", data={"login": "a", "password": "b"}).status_code == 403
    assert machine.post("/hooks/../sign-in", data={"login": "a", "password": "b"}).status_code == 403
