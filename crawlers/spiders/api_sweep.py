"""Search terms, or a whole catalogue → pages of an interface's answer → listings."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from scrapy import Request
from scrapy.http import Response

from crawlers.answer import Answer
from crawlers.apis.interface import Offer, ResultPage, ShapeError
from crawlers.apis.registry import fault_of
from crawlers.listing import Listing
from crawlers.recorder import Recorder
from crawlers.resuming import WHOLE_CATALOGUE, Rest, SearchPage
from crawlers.rundir import CrawlJob
from crawlers.spiders.api import ApiSpider, now


@dataclass(frozen=True)
class Search:
    """One series of pages. ``term`` None: the catalogue; ``holding``: keep only what holds one of these."""

    term: str | None
    holding: tuple[str, ...] = ()

    @property
    def subject(self) -> str:
        return self.term or WHOLE_CATALOGUE

    @property
    def found_by(self) -> str:
        return self.term or "catalogue"


class ApiSweepSpider(ApiSpider):
    """Each listing is kept once a run, however many terms find it."""

    def __init__(self, job: CrawlJob, recorder: Recorder) -> None:
        super().__init__(job, recorder)
        self._kept: set[str] = set(job.handled)
        self._found: dict[str, set[str]] = {}

    def requests(self) -> Iterator[Request]:
        rests = {rest.term: rest for rest in self.job.rests}
        for search in self._searches():
            self._found[search.subject] = set()
            rest = rests.get(search.subject) or Rest(term=search.subject)
            if rest.next_page:
                yield self._page(search, rest.next_page)

    def _searches(self) -> Iterator[Search]:
        terms = tuple(dict.fromkeys(self.job.terms or self.platform.terms))
        if not terms or not self.interface.searches:
            yield Search(None, terms)
        else:
            yield from map(Search, terms)

    def _page(self, search: Search, page: int) -> Request:
        call = self.interface.search(search.term, page, now())
        return self.call(call, self.on_page, self.on_failure, search=search, page=page)

    def on_page(self, response: Response, search: Search, page: int) -> Iterator[Request]:
        answer = self.answer(response)
        self.recorder.counters["search_pages"] += 1
        if fault := fault_of(answer, self.platform):
            self.on_fault(fault, answer)
            return
        result = self._read(answer)
        if result is None:
            return
        self._keep(answer, result, search)
        if result.entries == 0 and page == 1:
            self.recorder.counters["empty_searches"] += 1
            self.recorder.issue("empty_search", f"{search.found_by!r} found nothing.", answer.url)
        more = self._is_more(result, search, page)
        self.recorder.searched(SearchPage(term=search.subject, page=page, links={}, last=not more))
        if more:
            yield self._page(search, page + 1)

    def _read(self, answer: Answer) -> ResultPage | None:
        try:
            if answer.status >= 400:
                raise ShapeError(f"HTTP {answer.status}")
            return self.interface.read(answer.data)
        except ShapeError as error:
            self.recorder.counters["unknown_searches"] += 1
            message = f"The answer is not built as documented: {error}."
            self.recorder.issue("search_unrecognised", message, answer.url)
            return None

    def _keep(self, answer: Answer, result: ResultPage, search: Search) -> None:
        if not result.entries:
            return
        seen_at, evidence = self.recorder.page(self.without_keys(answer))
        for offer in result.offers:
            if not self._is_new(offer):
                continue
            listing = self.listing(offer, seen_at, evidence, search.found_by)
            if listing is None:
                self.recorder.counters["unread_no_title"] += 1
            elif kept := _held(listing, search):
                self.recorder.item(kept)
                self.recorder.handled(offer.item_id)

    def _is_new(self, offer: Offer) -> bool:
        self.recorder.counters["search_links" if offer.item_id else "unread_no_item_id"] += 1
        known = offer.item_id in self._kept
        self.recorder.counters["duplicates"] += known
        self._kept.add(offer.item_id)
        return bool(offer.item_id) and not known

    def _is_more(self, result: ResultPage, search: Search, page: int) -> bool:
        """No new item also ends the pages of interfaces that answer every number with their last page."""
        ids = {offer.item_id for offer in result.offers}
        new = ids - self._found[search.subject]
        self._found[search.subject] |= new
        bounded = self.platform.api is not None and page < self.platform.api.pages
        return bool(new) and bounded and result.has_more(page, self.interface.page_size)


def _held(listing: Listing, search: Search) -> Listing | None:
    """The listing, found by the first of the wanted terms that it holds; None when it holds none."""
    if not search.holding:
        return listing
    text = " ".join((listing.title, listing.description, *listing.attributes.values())).casefold()
    found = next((term for term in search.holding if term.casefold() in text), None)
    return listing.model_copy(update={"found_by": found}) if found else None
