"""Chromium behind robots.txt: scrapy-playwright's handler, which asks before a page leads to another one."""

from __future__ import annotations

from typing import TYPE_CHECKING

from scrapy_playwright.handler import ScrapyPlaywrightDownloadHandler

from crawlers.connections import KeptConnections
from crawlers.politeness import StrictRobots
from crawlers.rendering import leads_page

if TYPE_CHECKING:
    from playwright.async_api import Request
    from scrapy.crawler import Crawler


class PoliteChromium(ScrapyPlaywrightDownloadHandler, KeptConnections):  # type: ignore[misc]  # it comes without types
    """What a script or a form sends the page to passes robots.txt first.

    A redirect by the server does not: Playwright hands us no request of one before Chromium has made it.
    :meth:`crawlers.politeness.StrictRobots.process_response` refuses what it brings.
    """

    def __init__(self, crawler: Crawler) -> None:
        super().__init__(crawler)
        self._polite_crawler = crawler
        self._is_unneeded = crawler.settings["PLAYWRIGHT_ABORT_REQUEST"]
        self.abort_request = self._is_refused

    async def _is_refused(self, request: Request) -> bool:
        if self._is_unneeded(request):
            return True
        robots = self._polite_crawler.get_downloader_middleware(StrictRobots)
        if robots is None or not leads_page(request):
            return False
        return await robots.refusal(request.url) is not None
