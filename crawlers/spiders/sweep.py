"""Search terms → result pages → listings."""

from __future__ import annotations

from collections.abc import Iterator

from scrapy import Request
from scrapy.exceptions import CloseSpider
from scrapy.http import Response
from twisted.python.failure import Failure

from crawlers.answer import Answer
from crawlers.blocks import counts_as_block
from crawlers.listing import Presence
from crawlers.platforms import Search
from crawlers.presence import marks
from crawlers.recorder import Recorder
from crawlers.rundir import CrawlJob
from crawlers.selectors import compiled
from crawlers.spiders.base import JobSpider, Look

LINK_LIMIT = 500  # listings taken from one result page; shops show 20 to 60
MAX_UNREAD_IN_A_ROW = 60  # pages behind search results that are no listings: the site has changed


class SweepSpider(JobSpider):
    """Each listing is read once a run, however many terms find it."""

    def __init__(self, job: CrawlJob, recorder: Recorder) -> None:
        """Raises ValueError for a platform without search."""
        super().__init__(job, recorder)
        if self.platform.search is None:
            raise ValueError(f"{self.platform.name} has no search")
        self.search: Search = self.platform.search
        self._asked: set[str] = set()
        self._found: dict[str, set[str]] = {}
        self._unread_in_a_row = 0

    def requests(self) -> Iterator[Request]:
        for term in dict.fromkeys(self.job.terms or self.search.terms):
            self._found[term] = set()
            yield self._search(term, 1)

    def _search(self, term: str, page: int) -> Request:
        url = self.platform.search_url(term, page)
        return self.ask(url, self.on_search, self.on_failure, term=term, page=page)

    def on_search(self, response: Response, term: str, page: int) -> Iterator[Request]:
        answer = self.answer(response)
        self.recorder.counters["search_pages"] += 1
        self.recorder.counters["blocked"] += counts_as_block(answer, self.platform.blocks)
        self.stop_if_unwanted()
        links = self._links(answer) if answer.status < 400 else {}
        if not links:
            self._explain_no_links(answer, term, page)
        new = links.keys() - self._found[term]
        self._found[term] |= new
        yield from self._listings(links, term)
        # No new item also ends the pages of shops that answer every number with their last or first page.
        if new and page < self.search.pages:
            yield self._search(term, page + 1)

    def _links(self, answer: Answer) -> dict[str, str]:
        """Item id → address, in page order."""
        found: dict[str, str] = {}
        for element in compiled(self.search.item_links)(answer.tree)[:LINK_LIMIT]:
            url = answer.absolute(element.get("href", "")).partition("#")[0]
            item_id = self.platform.listing_url.item_id(url) if self.platform.owns_host(url) else None
            self.recorder.counters["search_links" if item_id else "off_platform_links"] += 1
            if item_id:
                found.setdefault(item_id, url)
        return found

    def _listings(self, links: dict[str, str], term: str) -> Iterator[Request]:
        for item_id, url in links.items():
            if item_id in self._asked:
                self.recorder.counters["duplicates"] += 1
                continue
            self._asked.add(item_id)
            yield self.ask(url, self.on_listing, self.on_failure, item_id=item_id, term=term)

    def _explain_no_links(self, answer: Answer, term: str, page: int) -> None:
        if page > 1:  # the end of the results, whichever way the shop says it
            return
        if self.search.empty and marks(self.search.empty, answer):
            self.recorder.counters["empty_searches"] += 1
            self.recorder.issue("empty_search", f"The search for {term!r} found nothing.", answer.url)
            return
        self.recorder.counters["unknown_searches"] += 1
        message = (
            f"The search for {term!r} gave HTTP {answer.status} and no listing that the profile recognises."
        )
        self.recorder.issue("search_unrecognised", message, answer.url)

    def on_listing(self, response: Response, item_id: str, term: str) -> None:
        look = self.look(response, item_id, found_by=term)
        reading = look.reading
        for name in reading.missing:
            self.recorder.counters[f"missing_{name}"] += 1
        if reading.listing:
            self._unread_in_a_row = 0
            self.recorder.item(reading.listing)
        else:
            self._note_unread(look)
        self.mind(reading.judgement)

    def _note_unread(self, look: Look) -> None:
        judgement = look.reading.judgement
        if judgement.state is Presence.GONE:  # search indexes lag behind
            self.recorder.counters["vanished"] += 1
        else:
            reason = "no_title" if judgement.state is Presence.UP else judgement.reason
            self.recorder.counters[f"unread_{reason}"] += 1
            self.recorder.issue("not_a_listing", f"Behind a search result: {reason}.", look.answer.url)
        self._unread_in_a_row += 1
        if self._unread_in_a_row >= MAX_UNREAD_IN_A_ROW:
            raise CloseSpider("site_changed")

    def on_failure(self, failure: Failure) -> None:
        judgement = self.judge_failure(failure)
        url = failure.request.url  # type: ignore[attr-defined]
        self.recorder.issue("request_failed", f"No page: {judgement.reason}.", url)
        self.mind(judgement)
