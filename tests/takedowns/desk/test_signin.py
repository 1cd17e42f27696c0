from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from fastapi import FastAPI
from starlette.testclient import TestClient

from takedowns.ledger.vocabulary import Role


def stranger(app: FastAPI) -> TestClient:
    return TestClient(app, follow_redirects=False, headers={"Sec-Fetch-Site": "same-origin"})


def test_a_wrong_password_is_told_from_nothing_else(app: FastAPI, people: Any) -> None:
    client = stranger(app)
    texts = set()
    for login in ("analyst", "nobody"):
        answer = client.post("/sign-in", data={"login": login, "password": "wrong"})
        assert answer.status_code == 401
        texts.add(answer.text.replace(login, "?"))
    assert len(texts) == 1


def test_the_sixth_guess_is_not_even_checked(app: FastAPI, people: Any, password: str, clock: Any) -> None:
    client = stranger(app)
    for _ in range(5):
        assert client.post("/sign-in", data={"login": "analyst", "password": "wrong"}).status_code == 401
    right = {"login": "analyst", "password": password}
    assert client.post("/sign-in", data=right).status_code == 429
    clock.now += timedelta(minutes=15)
    assert client.post("/sign-in", data=right).status_code == 303


@pytest.mark.parametrize(
    ("asked", "reached"),
    [
        ("/leads?state=sent", "/leads?state=sent"),
        ("https://evil.invalid/", "/"),
        ("//evil.invalid/", "/"),
        ("/\\evil.invalid/", "/"),
        ("/\n//evil.invalid", "/"),
    ],
)
def test_sign_in_leads_back_but_never_to_another_site(
    app: FastAPI, people: Any, password: str, asked: str, reached: str
) -> None:
    answer = stranger(app).post("/sign-in", data={"login": "analyst", "password": password, "next": asked})
    assert (answer.status_code, answer.headers["location"]) == (303, reached)


def test_the_cookie_is_out_of_reach_for_scripts_and_other_sites(
    app: FastAPI, people: Any, password: str
) -> None:
    for base, secure in (("http://desk.invalid", False), ("https://desk.invalid", True)):
        client = TestClient(app, base_url=base, follow_redirects=False)
        answer = client.post(
            "/sign-in",
            data={"login": "analyst", "password": password},
            headers={"Sec-Fetch-Site": "same-origin"},
        )
        cookie = answer.headers["set-cookie"]
        assert "HttpOnly" in cookie
        assert "SameSite=lax" in cookie
        assert ("Secure" in cookie) is secure


def test_an_idle_session_leads_to_the_sign_in_and_back(
    client: Callable[[Role], TestClient], clock: Any
) -> None:
    browser = client(Role.ANALYST)
    clock.now += timedelta(minutes=59)
    assert browser.get("/queue").status_code == 200
    clock.now += timedelta(minutes=59)
    assert browser.get("/queue").status_code == 200
    clock.now += timedelta(minutes=60)
    answer = browser.get("/queue?tab=mine&sort=age")
    assert answer.headers["location"] == "/sign-in?next=/queue%3Ftab%3Dmine%26sort%3Dage"


def test_a_form_sent_after_the_session_ended_leads_to_the_sign_in(app: FastAPI) -> None:
    client = stranger(app)
    answer = client.post("/item/1/skip", data={"version": 1}, headers={"HX-Request": "true"})
    assert answer.headers["hx-redirect"] == "/sign-in"


@pytest.mark.parametrize("path", ["/sign-out", "/sign-out-everywhere"])
def test_after_signing_out_the_cookie_is_worth_nothing(
    client: Callable[[Role], TestClient], path: str
) -> None:
    browser = client(Role.ANALYST)
    token = browser.cookies["session"]
    assert browser.post(path).status_code == 303
    browser.cookies.set("session", token)
    assert browser.get("/").headers["location"].startswith("/sign-in")


def test_the_language_changes_and_the_page_stays(client: Callable[[Role], TestClient]) -> None:
    browser = client(Role.ANALYST)
    back = "/queue?tab=mine&sort=age"
    answer = browser.post("/preferences", data={"language": "zh", "back": back})
    assert answer.headers["location"] == back
    assert "我的" in browser.get(back).text


def test_chinese_is_the_language_of_the_house(app: FastAPI) -> None:
    page = stranger(app).get("/sign-in").text
    assert 'lang="zh-Hans-CN"' in page
    assert "登录" in page


def test_shortcuts_can_be_switched_off(client: Callable[[Role], TestClient]) -> None:
    browser = client(Role.ANALYST)
    assert 'data-keys="on"' in browser.get("/queue").text
    browser.post("/preferences", data={"keys": "off", "back": "/queue"})
    assert 'data-keys="off"' in browser.get("/queue").text
