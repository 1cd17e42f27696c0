"""HTTP connections that are kept for the next page."""

from __future__ import annotations

from typing import TYPE_CHECKING

from scrapy.core.downloader.handlers.http11 import HTTP11DownloadHandler

if TYPE_CHECKING:
    from scrapy.crawler import Crawler


class KeptConnections(HTTP11DownloadHandler):
    """Keeps as many as there are requests at a time.

    Scrapy keeps ``CONCURRENT_REQUESTS_PER_DOMAIN`` of them, which for us is the floor of all hosts but the
    home: a home on this machine that is asked faster got a new connection for most pages.

    Twisted asks again, at once and unseen by all who count and wait, when a kept connection brings no answer.
    Where one request at a time is made, Scrapy's retry does so instead: after the pause, through
    the gate, by a new connection. A market of our own that is asked for eight pages at a time has no pause to
    keep, and several kept connections may be stale.
    """

    def __init__(self, crawler: Crawler) -> None:
        super().__init__(crawler)
        at_a_time = crawler.settings.getint("CONCURRENT_REQUESTS")
        self._pool.maxPersistentPerHost = at_a_time
        self._pool.retryAutomatically = at_a_time > 1
