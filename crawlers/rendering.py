"""What a browser makes of a page: waited for, kept as it was sent and as it looks."""

from __future__ import annotations

import asyncio
from contextlib import suppress
from typing import TYPE_CHECKING, Any

from playwright.async_api import Error as BrowserError
from playwright.async_api import TimeoutError as BrowserTimeout

from crawlers.answer import MAX_BODY, Answer

if TYPE_CHECKING:
    import scrapy
    from playwright.async_api import Page, Request, Response

RENDERING = "rendering"  # Request.meta
SETTLE_S = 5.0  # longest wait for a script to show something that the profile knows
SHOT_S = 10.0  # longest wait for a screenshot
VIEW_WIDTH, VIEW_HEIGHT = 1280, 800  # pixels of the window
VIEW_LIMIT = 8000  # pixels: a page may claim any height, and Chromium paints no picture above 16,384


class Rendering:
    """What a browser saw of one page besides the document that its scripts left.

    ``sent``: the document as the server sent it; ``view``: a screenshot as PNG; None if it could not be had.
    ``places``: every address that the page was or would have been led to, in order.
    """

    def __init__(self, signs: str, *, with_view: bool, timeout_s: float) -> None:
        """``timeout_s``: longest wait for the document; all the rest has half a minute more."""
        self._signs = signs
        self._with_view = with_view
        self._patience_s = timeout_s + 3 * SETTLE_S + SHOT_S
        self._closing: asyncio.Task[None] | None = None
        self._response: Response | None = None
        self._sizes: dict[str, int] = {}  # of each document: unfolded bytes, as Chromium counts them
        self.sent: Answer | None = None
        self.view: bytes | None = None
        self.places: list[str] = []

    async def watch(self, page: Page, _request: scrapy.Request) -> None:
        """Before the page is asked for."""
        self._response = self.sent = self.view = None  # a retried request starts anew
        self.places = []
        if self._closing:  # scrapy-playwright tries a closed page three times again
            await page.close()
            return
        # A script that never ends lets no call return, not even that for the document.
        end = asyncio.get_running_loop().call_later(self._patience_s, self._close, page)
        page.on("close", lambda _: end.cancel())
        # First what robots.txt is held against: scrapy-playwright goes on when one of these calls fails.
        page.on("request", self._note_place)
        page.on("response", self._note)
        self._sizes.clear()
        wire = await page.context.new_cdp_session(page)
        wire.on("Network.responseReceived", self._expect_size)
        wire.on("Network.dataReceived", self._note_size)
        await wire.send("Network.enable")

    async def keep(self, page: Page) -> None:
        """Once the page has come: waits until it says something, and keeps it."""
        await settle(page, self._signs)
        self.sent = await self._document()
        if self._with_view:
            self.view = await shot(page)

    def _close(self, page: Page) -> None:
        self._closing = asyncio.ensure_future(page.close())

    def _note_place(self, request: Request) -> None:
        if leads_page(request):
            self.places.append(request.url)

    def _note(self, response: Response) -> None:
        """The last document counts: scripts may lead from one to the next."""
        if leads_page(response.request):
            self._response = response

    def _expect_size(self, told: dict[str, Any]) -> None:
        if told["type"] == "Document":
            self._sizes[told["requestId"]] = 0

    def _note_size(self, told: dict[str, Any]) -> None:
        if told["requestId"] in self._sizes:
            self._sizes[told["requestId"]] += told["dataLength"]

    async def _document(self) -> Answer | None:
        response = self._response
        # Chromium hands a document over whole or not at all.
        if response is None or max(self._sizes.values(), default=0) > MAX_BODY:
            return None
        try:
            headers = await asyncio.wait_for(response.all_headers(), SETTLE_S)
            body = await asyncio.wait_for(response.body(), SETTLE_S)
        except (BrowserError, TimeoutError):  # a redirect has no body, and Chromium forgets large ones
            return None
        if len(body) > MAX_BODY:  # where the sizes could not be watched
            return None
        return Answer(response.url, response.url, response.status, body, headers)


def leads_page(request: Request) -> bool:
    """Whether it asks for a page, not for a part of one or for a frame in it."""
    return request.is_navigation_request() and request.frame.parent_frame is None


async def shot(page: Page) -> bytes | None:
    """The whole page as PNG, down to :data:`VIEW_LIMIT` pixels; None when it does not hold still for one."""
    try:
        told = await page.evaluate("() => document.documentElement.scrollHeight")
        is_taller = isinstance(told, int | float) and told > VIEW_HEIGHT  # the page may say anything
        height = int(min(told, VIEW_LIMIT)) if is_taller else VIEW_HEIGHT
        await page.set_viewport_size({"width": VIEW_WIDTH, "height": height})
        with suppress(BrowserTimeout):  # pictures that never come: it is shown without them
            await page.wait_for_load_state("load", timeout=SETTLE_S * 1000)
        return await page.screenshot(type="png", animations="disabled", timeout=SHOT_S * 1000)
    except BrowserError:
        return None


async def settle(page: Page, signs: str) -> None:
    """Waits until one of ``signs`` is on the page; without any, the page is judged as it stands."""
    if not await page.locator("script").count():  # nothing will change it
        return
    with suppress(BrowserTimeout):
        await page.wait_for_selector(signs, state="attached", timeout=SETTLE_S * 1000)
