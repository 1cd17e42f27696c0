"""The random arm: the whole panel's result pages first, then a look at each position that was drawn."""

from __future__ import annotations

from collections.abc import Iterator

from scrapy import Request
from scrapy.http import Response
from twisted.python.failure import Failure

from crawlers.answer import Answer
from crawlers.blocks import counts_as_block
from crawlers.listing import Presence
from crawlers.presence import Judgement, marks
from crawlers.recorder import Recorder
from crawlers.rundir import CrawlJob
from crawlers.sampling import Draw, Panel, draw, frame_of
from crawlers.spiders.sweep import SweepSpider


class SampleSpider(SweepSpider):
    """Nothing is drawn before every query was read to the panel's depth or has failed.

    A query that fails on any page leaves the frame: a part of its results would be no fixed population. One
    whose results end without the profile's sign of an end stays and is told of: some may be withheld.
    """

    def __init__(self, job: CrawlJob, recorder: Recorder) -> None:
        """Raises ValueError for a job without panel and seed."""
        super().__init__(job, recorder)
        if job.panel is None or job.seed is None:
            raise ValueError("a sample needs a panel and a seed")
        self.panel: Panel = job.panel
        self.seed: str = job.seed
        self._results: dict[str, dict[str, str]] = {}
        self._unread = set(self.panel.stratum_of)
        self._owed: dict[str, list[Draw]] = {}

    def requests(self) -> Iterator[Request]:
        for query in self.panel.stratum_of:
            self._found[query] = set()
            self._results[query] = {}
            yield self._search(query, 1)

    def on_search(self, response: Response, term: str, page: int) -> Iterator[Request]:
        links, more = self.results(response, term, page)
        if not links and not self._ended(response, page):
            yield from self._finished(term, lost=True)
            return
        if not links:
            self._note_silent_end(response, term, page)
        results = self._results[term]
        results |= {item_id: url for item_id, url in links.items() if item_id not in results}
        if more and len(results) < self.panel.depth:
            yield self._search(term, page + 1)
        else:
            yield from self._finished(term)

    def _ended(self, response: Response, page: int) -> bool:
        """Whether a page without listings is an honest end of the results, not a wall or a fault."""
        answer = self.answer(response)
        if page == 1:
            return self._says_end(answer)
        return answer.status in (200, 404) and not counts_as_block(answer, self.platform.blocks)

    def _says_end(self, answer: Answer) -> bool:
        return self.search.empty is not None and marks(self.search.empty, answer)

    def _note_silent_end(self, response: Response, query: str, page: int) -> None:
        answer = self.answer(response)
        if self._says_end(answer):
            return
        self.recorder.counters["frames_cut_short"] += 1
        message = f"The results of {query!r} stop before page {page} without a sign of their end."
        self.recorder.issue("frame_cut_short", message, answer.url)

    def _finished(self, query: str, *, lost: bool = False) -> Iterator[Request]:
        self._unread.discard(query)
        if lost:
            self._results.pop(query, None)
            self.recorder.counters["lost_queries"] += 1
            self.recorder.issue(
                "query_lost", f"The results of {query!r} could not be read: no part of the frame."
            )
        if not self._unread:
            yield from self._draw()

    def _draw(self) -> Iterator[Request]:
        frame = frame_of(self.panel, self._results)
        for position in frame:
            self.recorder.position(position)
        self.recorder.counters["positions"] = len(frame)
        for one in draw(self.panel, frame, self.seed):
            self._owed.setdefault(one.item_id, []).append(one)
        self.recorder.counters["draws"] = sum(map(len, self._owed.values()))
        for item_id, draws in list(self._owed.items()):
            yield self.ask(draws[0].url, self.on_drawn, self.on_failure, item_id=item_id)

    def on_drawn(self, response: Response, item_id: str) -> None:
        look = self.look(response, item_id, found_by=self._owed[item_id][0].query)
        if look.reading.listing:
            self.recorder.item(look.reading.listing)
        self._pay(item_id, look.reading.judgement, look.evidence)
        self.mind(look.reading.judgement)

    def on_failure(self, failure: Failure) -> Iterator[Request] | None:
        judgement = self.judge_failure(failure)
        request: Request = failure.request  # type: ignore[attr-defined]
        self.recorder.issue("request_failed", f"No page: {judgement.reason}.", request.url)
        if "item_id" in request.cb_kwargs:
            self._pay(request.cb_kwargs["item_id"], judgement)
            self.mind(judgement)
            return None
        self.mind(judgement)
        return self._finished(request.cb_kwargs["term"], lost=True)

    def _pay(self, item_id: str, judgement: Judgement, evidence: str | None = None) -> None:
        for one in self._owed.pop(item_id):
            self.recorder.drawn(one, judgement, evidence)

    def closed(self, reason: str) -> None:
        """Scrapy's hook at the end: a sample that left out what it did not reach would look whole."""
        state = Presence.BLOCKED if reason == "blocked" else Presence.ERROR
        for item_id in list(self._owed):
            self._pay(item_id, Judgement(state, f"crawl_{reason}"))
