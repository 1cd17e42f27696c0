"""Networks on the desk: a list, and each as a graph and as tables that say the same."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

import pytest
from axe_playwright_python.sync_playwright import Axe
from fastapi import FastAPI
from hypothesis import given, settings
from hypothesis import strategies as st
from playwright.sync_api import Page
from starlette.testclient import TestClient

from takedowns import linking
from takedowns.desk.app import create_app
from takedowns.desk.drawing import layout
from takedowns.ledger import tables
from takedowns.ledger.engine import Ledger
from takedowns.ledger.tables import User
from takedowns.ledger.vocabulary import Role

Client = Callable[[Role], TestClient]
WCAG = {"runOnly": ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]}
HOSTILE = '<script>alert(1)</script> 微信 vapor_king88"/><image href="x"'


def network(ledger: Ledger, make: Any, shops: int = 5) -> int:
    """Shops with one contact, of which the first has a name that wishes us ill."""
    with ledger.write() as session:
        sellers = []
        for number in range(shops):
            name = HOSTILE if number == 0 else f"康康{number}号店"
            sellers.append(make.seller(session, name=name))
            listing = make.listing(session, seller=sellers[-1])
            snapshot = make.snapshot(session, listing, title=f"{HOSTILE} {number} {'雾化器' * number}")
            verdict = make.verdict(session, snapshot)
            session.add(tables.Flag(listing_id=listing.id, verdict_id=verdict.id, created_at=make.now))
            shown = {"listing_id": listing.id, "kind": "name", "observed_at": make.now}
            session.add(tables.ContactHash(digest=f"{number // 4:04}" * 16, **shown))
            if number < 2:
                claim = {
                    "kind": "device_registration",
                    "number": "粤械注准20212080012",
                    "status": "format_ok",
                }
                session.add(tables.LicenceClaim(verdict_id=verdict.id, **claim))
            if number % 4 == 3:  # it ties this four to the next
                session.add(tables.ContactHash(digest=f"{number // 4 + 1:04}" * 16, **shown))
        first = sellers[0].id
    assert linking.refresh(ledger, now=make.now).networks == 1
    return first


def test_the_list_names_shops_and_reasons_and_one_can_look_at_each(
    client: Client, sqlite_ledger: Ledger, make: Any
) -> None:
    browser = client(Role.OPERATOR)
    assert "No shops are tied to each other." in browser.get("/networks").text
    first = network(sqlite_ledger, make)
    listed = browser.get("/networks").text
    assert f'href="/networks/{first}"' in listed
    assert "5 shops" in listed
    assert "Private contact" in listed
    page = browser.get(f"/networks/{first}").text
    assert len(re.findall('<circle class="shop"', page)) == 5
    assert len(re.findall('<line class="tie"', page)) == 7
    for text in (listed, page):
        assert "<script>alert" not in text
        assert "vapor_king88" not in text
        assert "style=" not in text
    assert re.search(r"account\s*<span class=\"code\">0{16}</span>", page)
    assert re.search(r"Licence number</span>\s*<span class=\"code\">粤械注准20212080012</span>", page)
    assert browser.get(f"/networks/{first + 1}").status_code == 404


def test_a_network_too_large_to_draw_is_told_in_tables(
    client: Client, sqlite_ledger: Ledger, make: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("takedowns.desk.reads.networks.TOLD_AT_MOST", 100)
    page = client(Role.ANALYST).get(f"/networks/{network(sqlite_ledger, make, shops=61)}").text
    assert re.search(r"The 100 strongest of \d{3} ties", page)
    assert len(re.findall('<td class="nowrap"><a href="#shop-', page)) == 100
    assert "Too many shops for a picture" in page
    assert '<circle class="shop' not in page
    assert page.count('id="shop-') == 61


@pytest.mark.parametrize("language", ["zh", "en"])
@pytest.mark.parametrize(("width", "scheme"), [(1280, "light"), (320, "dark")])
def test_the_screens_are_accessible(
    sqlite_ledger: Ledger,
    settings: Any,
    platforms: Any,
    clock: Any,
    people: dict[Role, User],
    serve: Callable[[FastAPI], str],
    tabs: Any,
    make: Any,
    language: str,
    width: int,
    scheme: str,
) -> None:
    first = network(sqlite_ledger, make)
    url = serve(create_app(sqlite_ledger, settings, platforms, clock=clock))
    page = tabs.sign_in(url, Role.SUPERVISOR, width=width, language=language)
    page.emulate_media(color_scheme=scheme)
    for path in ("/networks", f"/networks/{first}"):
        page.goto(url + path)
        _check(page, width)
    assert page.locator("svg .shop").count() == 5


def _check(page: Page, width: int) -> None:
    found = Axe().run(page, options=WCAG)
    assert found.violations_count == 0, f"{page.url}\n{found.generate_report()}"
    assert page.evaluate("document.scrollingElement.scrollWidth") <= width, f"{page.url} is too wide"


EDGE = st.tuples(st.integers(0, 9), st.integers(0, 9), st.floats(0.5, 1))


@given(st.integers(0, 10), st.lists(EDGE, max_size=20))
@settings(deadline=None, max_examples=50)
def test_every_shop_has_a_place_on_the_page_and_always_the_same(number: int, edges: Any) -> None:
    edges = [edge for edge in edges if max(edge[:2]) < number and edge[0] != edge[1]]
    places = layout(number, edges)
    assert len(places) == number
    assert all(0 <= x <= 1 and 0 <= y <= 1 for x, y in places)
    assert places == layout(number, edges)
    assert len(set(places)) == number
