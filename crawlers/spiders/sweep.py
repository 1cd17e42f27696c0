"""Search terms → result pages → listings."""

from __future__ import annotations

from collections.abc import Iterator

from scrapy import Request
from scrapy.exceptions import CloseSpider
from scrapy.http import Response
from twisted.python.failure import Failure

from crawlers.answer import Answer
from crawlers.blocks import counts_as_block
from crawlers.failures import Refused
from crawlers.listing import Presence
from crawlers.platforms import Search
from crawlers.presence import marks
from crawlers.recorder import Recorder
from crawlers.resuming import Rest, SearchPage
from crawlers.rundir import CrawlJob
from crawlers.selectors import compiled
from crawlers.spiders.base import JobSpider, Look

LINK_LIMIT = 500  # listings taken from one result page; shops show 20 to 60
MAX_UNREAD_IN_A_ROW = 60  # pages behind search results that are no listings: the site has changed


class SweepSpider(JobSpider):
    """Each listing is read once a run, however many terms find it."""

    def __init__(self, job: CrawlJob, recorder: Recorder) -> None:
        super().__init__(job, recorder)
        self._asked: set[str] = set(job.handled)
        self._found: dict[str, set[str]] = {}
        self._unread_in_a_row = 0

    @property
    def search(self) -> Search:
        """Raises ValueError for a platform without one."""
        if self.platform.search is None:
            raise ValueError(f"{self.platform.name} has no search")
        return self.platform.search

    def requests(self) -> Iterator[Request]:
        rests = {rest.term: rest for rest in self.job.rests}
        for term in dict.fromkeys(self.job.terms or self.search.terms):
            rest = rests.get(term) or Rest(term=term)
            self._found[term] = set(rest.pending)
            yield from self._listings(rest.pending, term)
            if rest.next_page:
                yield self._search(term, rest.next_page)

    def _search(self, term: str, page: int) -> Request:
        url = self.platform.search_url(term, page)
        return self.ask(url, self.on_search, self.on_failure, term=term, page=page)

    def on_search(self, response: Response, term: str, page: int) -> Iterator[Request]:
        links, more = self.results(response, term, page)
        if links or not counts_as_block(self.answer(response), self.platform.blocks):
            self.recorder.searched(SearchPage(term=term, page=page, links=links, last=not more))
        yield from self._listings(links, term)
        if more:
            yield self._search(term, page + 1)

    def results(self, response: Response, term: str, page: int) -> tuple[dict[str, str], bool]:
        """The listings (id → address) that a result page shows, and whether to ask for the next one."""
        answer = self.answer(response)
        self.recorder.counters["search_pages"] += 1
        self.recorder.counters["blocked"] += counts_as_block(answer, self.platform.blocks)
        self.stop_if_unwanted()
        links = self._links(answer) if answer.status < 400 else {}
        if not links:
            self._explain_no_links(answer, term, page)
        new = links.keys() - self._found[term]
        self._found[term] |= new
        # No new item also ends the pages of shops that answer every number with their last or first page.
        return links, bool(new) and page < self.search.pages

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
        self.recorder.handled(item_id)
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

    def on_failure(self, failure: Failure) -> Iterator[Request] | None:
        judgement = self.judge_failure(failure)
        request: Request = failure.request  # type: ignore[attr-defined]
        self.recorder.issue("request_failed", f"No page: {judgement.reason}.", request.url)
        if "item_id" in request.cb_kwargs and not isinstance(failure.value, Refused):
            self.recorder.handled(request.cb_kwargs["item_id"])
        self.mind(judgement)
        return None
