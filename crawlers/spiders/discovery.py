"""What a shop lists of itself → listings, for shops that are not or not only searched."""

from __future__ import annotations

import random
from collections.abc import Iterator

from scrapy import Request
from scrapy.http import Response
from twisted.python.failure import Failure

from crawlers.blocks import counts_as_block
from crawlers.directories import Entry, read_directory
from crawlers.recorder import Recorder
from crawlers.rundir import CrawlJob
from crawlers.spiders.sweep import SweepSpider

FILE_LIMIT = 20  # sitemaps and feeds read in a run
GOODS = ("product", "item", "goods", "shop")  # in the address of the sitemap that is worth reading first


class DiscoverySpider(SweepSpider):
    """Reads every directory first, and then as many listings as the profile says: the newest first.

    Where nothing tells what is new the order is drawn, by the run's id: run by run the whole shop is seen.
    """

    def __init__(self, job: CrawlJob, recorder: Recorder) -> None:
        super().__init__(job, recorder)
        self._files: set[str] = set()
        self._open = 0
        self._entries: dict[str, tuple[Entry, str]] = {}

    def requests(self) -> Iterator[Request]:
        # All at once: the listings are chosen when no directory is left open.
        urls = self.platform.discovery_urls()
        directories = [request for kind, url in urls for request in self._read([url], kind)]
        if self.platform.search:
            yield from super().requests()
        yield from directories

    def _read(self, urls: list[str], kind: str) -> Iterator[Request]:
        goods_first = sorted(urls, key=lambda url: not any(word in url.lower() for word in GOODS))
        for url in goods_first:
            if url in self._files or len(self._files) >= FILE_LIMIT or not self.platform.owns_host(url):
                self.recorder.counters["directories_left"] += 1
                continue
            self._files.add(url)
            self._open += 1
            # Never in a browser: this is no page.
            yield Request(
                url,
                self.on_directory,
                errback=self.on_no_directory,
                cb_kwargs={"kind": kind},
                dont_filter=True,
            )

    def on_directory(self, response: Response, kind: str) -> Iterator[Request]:
        self.recorder.counters["directories"] += 1
        self.recorder.counters["blocked"] += counts_as_block(self.answer(response), self.platform.blocks)
        self.stop_if_unwanted()
        found = read_directory(response.body if response.status < 400 else b"", response.url)
        if not found.files and not found.entries:
            message = f"HTTP {response.status}, and no addresses in it."
            self.recorder.issue("directory_unrecognised", message, response.url)
        for entry in found.entries:
            self._note(entry, kind)
        yield from self._read(list(found.files), kind)
        yield from self._closed()

    def on_no_directory(self, failure: Failure) -> Iterator[Request]:
        self.on_failure(failure)
        yield from self._closed()

    def _note(self, entry: Entry, kind: str) -> None:
        own = self.platform.owns_host(entry.url)
        item_id = self.platform.listing_url.item_id(entry.url) if own else None
        self.recorder.counters["search_links" if item_id else "other_addresses"] += 1
        if item_id:
            self._entries.setdefault(item_id, (entry, kind))

    def _closed(self) -> Iterator[Request]:
        """The listings, once the last directory was read."""
        self._open -= 1
        if self._open or self.platform.discovery is None:
            return
        new = [(item_id, found) for item_id, found in self._entries.items() if item_id not in self._asked]
        random.Random(self.job.run_id).shuffle(new)  # noqa: S311 - an order, not a secret
        new.sort(key=lambda entry: entry[1][0].changed, reverse=True)
        for item_id, (entry, kind) in new[: self.platform.discovery.listings]:
            yield from self._listings({item_id: entry.url}, kind)
