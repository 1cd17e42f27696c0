"""A desk over a ledger with people and suspicious listings, in process and as a real server."""

from __future__ import annotations

import os
import shutil
import socket
import threading
import warnings
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
import uvicorn
from fastapi import FastAPI
from playwright.sync_api import Browser, BrowserContext, Page, expect, sync_playwright
from pwdlib import PasswordHash
from starlette.exceptions import StarletteDeprecationWarning

from crawlers.platforms import Platform
from takedowns import users
from takedowns.desk.app import create_app
from takedowns.ledger import tables
from takedowns.ledger.engine import Ledger
from takedowns.ledger.vocabulary import Role
from takedowns.settings import Settings

with warnings.catch_warnings():
    # The test client works with httpx, which the project has, and asks for its successor.
    warnings.simplefilter("ignore", StarletteDeprecationWarning)
    from starlette.testclient import TestClient

PASSWORD = "correct horse battery"
TITLE = "医用\u200b雾化器 <b>一次性</b> 西瓜味"
DESCRIPTION = "8000口 大容量\n加微信 vapor_king88 咨询 \u202e味口"


@pytest.fixture
def clock(now: datetime) -> Clock:
    return Clock(now)


@dataclass
class Clock:
    now: datetime

    def __call__(self) -> datetime:
        return self.now


@pytest.fixture
def settings(settings: Settings, tmp_path: Path) -> Settings:
    return settings.model_copy(update={"var": tmp_path / "var"})


@pytest.fixture
def platforms(platform: Platform) -> dict[str, Platform]:
    return {platform.name: platform}


@pytest.fixture
def app(sqlite_ledger: Ledger, settings: Settings, platforms: dict[str, Platform], clock: Clock) -> FastAPI:
    return create_app(sqlite_ledger, settings, platforms, clock=clock)


@pytest.fixture
def password() -> str:
    return PASSWORD


@pytest.fixture(scope="session")
def password_hash() -> str:
    """Made once: making one is slow on purpose."""
    return PasswordHash.recommended().hash(PASSWORD)


@pytest.fixture
def people(sqlite_ledger: Ledger, make: Any, password_hash: str) -> dict[Role, tables.User]:
    """One person for each role; the login is the role's name."""
    names = {"operator": "李强", "analyst": "王芳", "supervisor": "张敏", "admin": "赵磊"}
    with sqlite_ledger.write() as session:
        return {
            role: make.user(
                session, login=role.value, role=role, display_name=names[role], password_hash=password_hash
            )
            for role in Role
        }


@pytest.fixture
def client(
    app: FastAPI, people: dict[Role, tables.User], sqlite_ledger: Ledger, now: datetime
) -> Callable[[Role], TestClient]:
    """A browser without a browser, signed in already (checking a password is slow), speaking English."""

    def signed_in(role: Role) -> TestClient:
        with sqlite_ledger.write() as session:
            token = users.issue_session(session, people[role], now=now, lasts=timedelta(hours=12))
        cookies = {"session": token, "language": "en"}
        headers = {"Sec-Fetch-Site": "same-origin"}
        return TestClient(app, follow_redirects=False, headers=headers, cookies=cookies)

    return signed_in


@pytest.fixture
def suspicious(make: Any) -> Callable[..., tables.ReviewTask]:
    """Adds a listing with marks of each kind, and its task."""

    def add(session: Any, priority: float = 0.93, **given: Any) -> tables.ReviewTask:
        listing = make.listing(session)
        snapshot = make.snapshot(
            session, listing, **{"title": TITLE, "description": DESCRIPTION, "price_raw": "¥199", **given}
        )
        make.verdict(session, snapshot, score=priority, payload=payload(snapshot))
        return make.task(session, snapshot, priority=priority)

    return add


def payload(snapshot: tables.ListingSnapshot) -> dict[str, Any]:
    """A verdict's JSON whose spans really lie in the snapshot."""
    title, description = snapshot.title, snapshot.description
    signals = [
        _signal("lexicon", "cover.medical", "title", title, "医用\u200b雾化器", 1.4, "cover.medical"),
        _signal("evasion", "evasion.zero_width", "title", title, "\u200b雾化", 0.9, "read_as:雾化"),
        _signal("lexicon", "flavour.fruit", "title", title, "西瓜味", 0.8, "flavour.fruit"),
        _signal("measure", "measure.puffs", "description", description, "8000口", 2.1, "measure.puffs"),
        _signal("contact", "contact.handle", "description", description, "微信 vapor_king88", 0.6, "x"),
        _signal("lexicon", "ordinary.goods", "attributes.产地", "深圳", "深圳", -0.3, "ordinary.goods"),
    ]
    claim = {
        "kind": "device_registration",
        "text": "一次性",
        "field": "title",
        "start": title.find("一次性"),
        "end": title.find("一次性") + 3,
        "status": "format_bad",
        "reasons": ["MD_FORMAT"],
    }
    found = [signal for signal in signals if signal["start"] >= 0]
    return {"scores": {}, "signals": found, "claims": [claim] if claim["start"] >= 0 else []}


def _signal(
    kind: str, concept: str, field: str, text: str, words: str, contribution: float, why: str
) -> dict[str, Any]:
    start = text.find(words)
    return {
        "kind": kind,
        "concept": concept,
        "text": words,
        "field": field,
        "start": start,
        "end": start + len(words),
        "contribution": contribution,
        "why": why,
    }


@pytest.fixture
def serve() -> Iterator[Callable[[FastAPI], str]]:
    """Serves an app on a free port, in a thread of the test's own; gives its address."""
    with ExitStack() as running:
        yield lambda app: running.enter_context(_served(app))


@contextmanager
def _served(app: FastAPI) -> Iterator[str]:
    with socket.create_server(("127.0.0.1", 0)) as listening:
        server = uvicorn.Server(uvicorn.Config(app, log_level="error", lifespan="off"))
        thread = threading.Thread(target=server.run, kwargs={"sockets": [listening]})
        thread.start()
        while not server.started:
            assert thread.is_alive()
            thread.join(0.01)
        yield f"http://127.0.0.1:{listening.getsockname()[1]}"
        server.should_exit = True
        thread.join()


@pytest.fixture(scope="module")
def chromium() -> Iterator[Browser]:
    """Not the plugin's own: that one keeps an event loop running until the last test of the whole suite."""
    with sync_playwright() as playwright:
        program = os.environ.get("VAPEWATCH_CHROMIUM") or shutil.which("chromium")
        sandbox = [] if os.getuid() else ["--no-sandbox"]  # Chromium refuses to sandbox itself as root
        browser = playwright.chromium.launch(executable_path=program, args=sandbox)
        yield browser
        browser.close()


class Tabs:
    """Opens pages, each in a browser context of its own, and notes everything that went wrong in them."""

    def __init__(self, chromium: Browser) -> None:
        self.chromium = chromium
        self.contexts: list[BrowserContext] = []
        self.problems: list[str] = []

    def open(self, url: str, *, width: int = 1280, height: int = 800, language: str = "zh") -> Page:
        context = self.chromium.new_context(viewport={"width": width, "height": height})
        context.add_cookies([{"name": "language", "value": language, "url": url}])
        self.contexts.append(context)
        page = context.new_page()
        page.set_default_timeout(5000)
        page.on("console", lambda message: self._note(message.type == "error", message.text))
        page.on("pageerror", lambda error: self._note(True, str(error)))
        page.goto(url)
        return page

    def sign_in(self, url: str, role: Role, **given: Any) -> Page:
        """By keyboard: the login field has the focus."""
        page = self.open(f"{url}/sign-in", **given)
        expect(page.locator("[name=login]")).to_be_focused()
        page.keyboard.type(role.value)
        page.keyboard.press("Tab")
        page.keyboard.type(PASSWORD)
        page.keyboard.press("Enter")
        page.wait_for_url(f"{url}/")
        return page

    def _note(self, wrong: bool, text: str) -> None:
        if wrong:  # a violated content security policy is a console error, too
            self.problems.append(text)


@pytest.fixture
def tabs(chromium: Browser) -> Iterator[Tabs]:
    tabs = Tabs(chromium)
    yield tabs
    for context in tabs.contexts:
        context.close()
    assert tabs.problems == []
