"""The whole matrix: every route of the app against every role, and against nobody."""

from __future__ import annotations

import itertools
import re
from collections.abc import Callable, Iterator

import pytest
from fastapi import FastAPI
from fastapi.routing import APIRoute
from starlette.routing import Mount
from starlette.testclient import TestClient

from takedowns.desk.access import PUBLIC, ROLES, may_use
from takedowns.desk.app import SCREENS
from takedowns.ledger.vocabulary import Role

FILLED = {
    "task_id": "999",
    "decision_id": "999",
    "notice_id": "999",
    "network_id": "999",
    "lead_id": "999",
    "dispatch_id": "999",
    "name": "x",
    "errand_id": "999",
    "stray_id": "999",
    "tip_id": "999",
    "platform": "none",
    "number": "NONE",
    "step": "next",
    "path": "x",
}


def routes(app: FastAPI) -> Iterator[tuple[str, str, str]]:
    """Name, method and a possible address of each screen's routes; beside them only files are served."""
    assert len(app.routes) == len(SCREENS) + 1
    assert [route.path for route in app.routes if isinstance(route, Mount)] == ["/static"]
    for route in itertools.chain.from_iterable(screen.router.routes for screen in SCREENS):
        assert isinstance(route, APIRoute)
        for method in route.methods:
            # ids that no row has, so that no route does anything
            yield route.name, method, re.sub(r"\{(\w+)[^}]*\}", lambda part: FILLED[part[1]], route.path)


def test_every_route_has_its_roles_and_every_entry_its_route(app: FastAPI) -> None:
    assert {name for name, _, _ in routes(app)} == {*ROLES, *PUBLIC}
    assert not PUBLIC & set(ROLES)


def test_nobody_gets_past_the_sign_in(app: FastAPI) -> None:
    client = TestClient(app, follow_redirects=False, headers={"Sec-Fetch-Site": "same-origin"})
    for name, method, address in routes(app):
        if name not in PUBLIC:
            answer = client.request(method, address)
            assert answer.status_code == 303, name
            assert answer.headers["location"].startswith("/sign-in"), name


@pytest.mark.parametrize("role", Role)
def test_a_role_gets_what_the_table_says_and_nothing_else(
    app: FastAPI, client: Callable[[Role], TestClient], role: Role
) -> None:
    browser = client(role)
    ends = {"sign_out", "sign_out_everywhere"}
    for name, method, address in routes(app):
        if name in PUBLIC | ends:
            continue
        answer = browser.request(method, address)
        assert (answer.status_code == 403) == (not may_use(role, name)), name


def test_an_unlisted_route_is_closed_to_everybody() -> None:
    assert not any(may_use(role, "forgotten") for role in Role)
