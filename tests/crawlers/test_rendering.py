"""A screenshot has bounds whatever the page says of itself, and no page keeps the browser for ever."""

from __future__ import annotations

import asyncio
import gzip
import io
import os
import time
from collections.abc import Awaitable, Callable
from contextlib import suppress

import pytest
from PIL import Image
from playwright.async_api import BrowserContext, async_playwright
from playwright.async_api import Error as BrowserError

from crawlers.answer import MAX_BODY
from crawlers.browser import chromium
from crawlers.rendering import VIEW_HEIGHT, VIEW_LIMIT, Rendering, shot
from tests.crawlers.shop import Page


def in_a_browser(work: Callable[[BrowserContext], Awaitable[object]]) -> object:
    async def run() -> object:
        async with async_playwright() as playwright:
            options = {"args": ["--no-sandbox"]} if os.geteuid() == 0 else {}
            browser = await playwright.chromium.launch(executable_path=str(chromium()), **options)
            done = await work(await browser.new_context())
            await browser.close()
            return done

    return asyncio.run(run())


CLAIM = "<script>Object.defineProperty(Element.prototype, 'scrollHeight', {get: () => %s})</script>"


def test_a_page_of_any_height_gives_a_picture_within_bounds():
    bodies = {
        '<div style="height:100000px">': VIEW_LIMIT,
        '<div style="height:2000px">': 2000,
        CLAIM % "1e300": VIEW_LIMIT,
        **{CLAIM % told: VIEW_HEIGHT for told in ("NaN", "-5", "'x'", "null", "({})", "[9]")},
    }

    async def heights(context: BrowserContext) -> list[int]:
        found = []
        for body in bodies:
            page = await context.new_page()
            await page.set_content(f"<body style='margin:0'>{body}")
            with Image.open(io.BytesIO(await shot(page) or b"")) as view:
                found.append(view.height)
        return found

    assert in_a_browser(heights) == list(bodies.values())


def test_a_script_that_never_ends_is_not_waited_for():
    rendering = Rendering("h1", with_view=True, timeout_s=0.1)
    rendering._patience_s = 1.0

    async def stuck(context: BrowserContext) -> float:
        page = await context.new_page()
        await rendering.watch(page, None)
        await page.set_content("<script>setTimeout(() => { for (;;); }, 100)</script>")
        await asyncio.sleep(0.3)
        began = time.monotonic()
        with pytest.raises(BrowserError):
            await page.content()
        assert page.is_closed()
        again = await context.new_page()
        await rendering.watch(again, None)
        assert again.is_closed()
        return time.monotonic() - began

    assert in_a_browser(stuck) < 10


def test_places_are_noted_though_the_sizes_cannot_be(shop, monkeypatch):
    """scrapy-playwright tells of the failure and loads the page."""
    shop.pages["/"] = Page("<h1>x</h1>")
    rendering = Rendering("h1", with_view=False, timeout_s=30)

    async def fail(*_: object) -> None:
        raise BrowserError("no session")

    async def places(context: BrowserContext) -> list[str]:
        page = await context.new_page()
        monkeypatch.setattr(type(context), "new_cdp_session", fail)
        with suppress(BrowserError):
            await rendering.watch(page, None)
        await page.goto(shop.home)
        return rendering.places

    assert in_a_browser(places) == [f"{shop.home}/"]


@pytest.mark.parametrize(("letters", "is_kept"), [(1000, True), (MAX_BODY + 1, False)])
def test_a_document_that_unfolds_to_more_than_any_page_is_not_taken_from_the_browser(shop, letters, is_kept):
    packed = gzip.compress(b"<h1>x</h1>" + b"a" * letters)
    shop.pages["/"] = Page(packed, headers={"Content-Encoding": "gzip"})
    rendering = Rendering("h1", with_view=False, timeout_s=30)

    async def is_sent(context: BrowserContext) -> bool:
        page = await context.new_page()
        await rendering.watch(page, None)
        await page.goto(shop.home)
        await rendering.keep(page)
        return rendering.sent is not None

    assert in_a_browser(is_sent) is is_kept
