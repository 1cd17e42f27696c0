"""The live theme in a real browser: what its script puts into the page."""

from __future__ import annotations

import shutil
from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, Page, sync_playwright

from takedowns.sample_market.client import RunningMarket
from takedowns.sample_market.modes import Mode


@pytest.fixture(scope="module")
def chromium() -> Iterator[Browser]:
    with sync_playwright() as playwright:
        # The distribution's browser where there is one, else Playwright's own; root has no sandbox.
        path = shutil.which("chromium")
        browser = playwright.chromium.launch(executable_path=path, args=["--no-sandbox"])
        yield browser
        browser.close()


@pytest.fixture
def tab(chromium: Browser, market: RunningMarket) -> Iterator[Page]:
    page = chromium.new_page(base_url=market.base_url)
    yield page
    page.close()


def test_the_script_shows_a_listing_by_the_contract(tab: Page, fresh):
    item = fresh("live")
    tab.goto(item["path"])
    tab.wait_for_selector("button.add-cart")
    assert tab.locator("h1.title").text_content() == item["title"]
    assert tab.locator("a.shop-name").get_attribute("data-shop-kind") == item["shop_kind"]
    assert tab.locator("a.shop-name").get_attribute("data-shop-id") == item["shop_id"]
    for selector in (".price", ".description", "table.attributes", "img.photo"):
        assert tab.locator(selector).count() == 1


def test_the_script_pages_through_a_search(tab: Page):
    tab.goto("/live/search?q=")
    tab.wait_for_selector("a.item-link")
    assert tab.locator("a.item-link").count() == 20
    tab.click("a[rel=next]")
    tab.wait_for_url("**page=2")
    tab.wait_for_selector("a.item-link")


def test_the_script_says_that_nothing_was_found(tab: Page):
    tab.goto("/live/search?q=<b>没有这种东西")
    assert "<b>没有这种东西" in (tab.wait_for_selector(".no-results").text_content() or "")


@pytest.mark.parametrize(
    ("mode", "selector"),
    [(Mode.SOFT_404, ".notice-gone"), (Mode.SOLD_OUT, ".sold-out"), (Mode.CAPTCHA_200, "#captcha")],
)
def test_the_script_shows_how_a_listing_disappears(
    tab: Page, market: RunningMarket, fresh, mode: Mode, selector: str
):
    item = fresh("live")
    market.set_mode(item["item_id"], mode)
    tab.goto(item["path"])
    tab.wait_for_selector(selector)
    assert tab.locator("button.add-cart").count() == 0


def test_hostile_text_does_nothing_in_the_browser(tab: Page, market: RunningMarket):
    hostile = [item for item in market.truth()["listings"] if item["corpus_id"].startswith("H")]
    assert len(hostile) == 12
    for item in hostile:
        tab.goto(item["path"])
        tab.wait_for_selector("h1.title")
        assert tab.title() != "owned"
