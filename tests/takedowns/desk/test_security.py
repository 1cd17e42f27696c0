from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from fastapi import FastAPI
from starlette.testclient import TestClient

from takedowns.desk.security import Attempts

NOW = datetime(2026, 10, 12, tzinfo=UTC)


@pytest.mark.parametrize("path", ["/sign-in", "/", "/static/desk.css", "/nowhere"])
def test_every_answer_carries_the_headers(app: FastAPI, path: str) -> None:
    headers = TestClient(app, follow_redirects=False).get(path).headers
    policy = headers["content-security-policy"]
    assert policy.startswith("default-src 'none'; script-src 'self'; style-src 'self'")
    assert "unsafe" not in policy
    assert headers["x-content-type-options"] == "nosniff"
    assert headers["cache-control"] == ("no-cache" if "static" in path else "no-store")


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({"Sec-Fetch-Site": "same-origin"}, 401),
        ({"Origin": "http://testserver"}, 401),
        ({"Sec-Fetch-Site": "cross-site", "Origin": "http://testserver"}, 403),
        ({"Sec-Fetch-Site": "same-site"}, 403),
        ({"Sec-Fetch-Site": "none"}, 403),
        ({"Origin": "http://evil.invalid"}, 403),
        ({"Origin": "null"}, 403),
        ({}, 403),
    ],
)
def test_a_form_counts_only_from_our_own_pages(app: FastAPI, headers: dict[str, str], status: int) -> None:
    answer = TestClient(app).post("/sign-in", data={"login": "a", "password": "b"}, headers=headers)
    assert answer.status_code == status
    assert "content-security-policy" in answer.headers


def test_a_body_larger_than_any_form_is_refused(app: FastAPI) -> None:
    client = TestClient(app, headers={"Sec-Fetch-Site": "same-origin"})
    assert client.post("/sign-in", content=b"x" * 1_000_001).status_code == 413
    endless = (b"x" * 1000 for _ in range(3))
    assert client.post("/sign-in", content=endless).status_code == 413


def test_five_failures_close_a_login_for_that_address_alone() -> None:
    attempts = Attempts()
    for _ in range(5):
        assert attempts.allowed("10.0.0.1", "wang", NOW)
        attempts.failed("10.0.0.1", "wang", NOW)
    assert not attempts.allowed("10.0.0.1", "wang", NOW)
    assert attempts.allowed("10.0.0.2", "wang", NOW)
    assert attempts.allowed("10.0.0.1", "li", NOW)
    assert attempts.allowed("10.0.0.1", "wang", NOW + timedelta(minutes=15))


def test_one_address_cannot_try_login_after_login() -> None:
    attempts = Attempts()
    for number in range(30):
        attempts.failed("10.0.0.1", f"user{number}", NOW)
    assert not attempts.allowed("10.0.0.1", "another", NOW)


def test_a_success_forgets_only_that_logins_failures() -> None:
    attempts = Attempts()
    for login in ["wang"] * 4 + ["li"] * 5:
        attempts.failed("10.0.0.1", login, NOW)
    attempts.succeeded("10.0.0.1", "wang")
    assert attempts.allowed("10.0.0.1", "wang", NOW)
    assert not attempts.allowed("10.0.0.1", "li", NOW)
