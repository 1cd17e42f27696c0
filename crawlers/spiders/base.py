"""What every crawl does: ask politely, look at the canary pair, stop when not wanted or not answered."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Iterator
from dataclasses import dataclass
from typing import Any

from scrapy import Request, Spider, signals
from scrapy.exceptions import CloseSpider
from scrapy.http import Response
from twisted.python.failure import Failure

from crawlers.answer import Answer
from crawlers.browser import browser_meta, needs_browser
from crawlers.failures import Refused, reason_of
from crawlers.fetching import answer_of
from crawlers.listing import Presence
from crawlers.pages import Reading, read_page
from crawlers.presence import Judgement, judge_unfollowed
from crawlers.recorder import Recorder
from crawlers.rendering import RENDERING, Rendering
from crawlers.rundir import CrawlJob

Handler = Callable[..., Any]


@dataclass(frozen=True)
class Look:
    """One page that came back: the answer, the reference to its evidence, and what was read in it."""

    answer: Answer
    evidence: str
    reading: Reading


class JobSpider(Spider):
    """Subclasses give :meth:`requests`."""

    name = "vapewatch"

    def __init__(self, job: CrawlJob, recorder: Recorder) -> None:
        super().__init__()
        self.job = job
        self.platform = job.platform
        self.recorder = recorder

    async def start(self) -> AsyncIterator[Request]:
        """Each request when there is room for it: Scrapy would queue all of a long job at once."""
        room = asyncio.Event()  # Scrapy's own wait_for connects a handler anew for every page
        self.crawler.signals.connect(room.set, signals.scheduler_empty)
        for request in self.first_requests():
            if self.crawler.engine is not None and self.crawler.engine.needs_backout():
                room.clear()
                await room.wait()
            yield request

    def first_requests(self) -> Iterator[Request]:
        """The canary pair first, so that a run that is cut short still knows what it is worth."""
        for url, must_be in zip(
            self.platform.canary_urls() or (), (Presence.UP, Presence.GONE), strict=False
        ):
            yield self.ask(url, self.on_canary, self.on_canary_failure, must_be=must_be)
        yield from self.requests()

    def requests(self) -> Iterator[Request]:
        """The work itself; asked for bit by bit, as answers to the earlier ones come in."""
        raise TypeError(f"{type(self).__name__} has no work")

    def ask(self, url: str, callback: Handler, errback: Handler, **kwargs: object) -> Request:
        """Raises ValueError for what is no address."""
        meta = browser_meta(self.job) if needs_browser(self.job) else {}
        # dont_filter: an item is asked for once because its id was seen, not because its address was.
        return Request(url, callback, errback=errback, cb_kwargs=kwargs, meta=meta, dont_filter=True)

    def on_canary(self, response: Response, must_be: Presence) -> None:
        asked = self.answer(response).requested_url
        judgement = self.look(response, self.platform.listing_url.item_id(asked) or "").reading.judgement
        self.recorder.canary(must_be, judgement)
        self.mind(judgement)

    def on_canary_failure(self, failure: Failure) -> None:
        must_be = failure.request.cb_kwargs["must_be"]  # type: ignore[attr-defined]
        judgement = self.judge_failure(failure)
        self.recorder.canary(must_be, judgement)
        self.mind(judgement)

    def answer(self, response: Response) -> Answer:
        if response.request is None:
            raise TypeError("Scrapy ties every response to its request")
        return answer_of(response, response.request)

    def look(self, response: Response, item_id: str, found_by: str | None = None) -> Look:
        """Keeps the page as evidence and reads it."""
        answer = self.answer(response)
        seen_at, evidence = self.recorder.page(answer, self.rendering(response))
        return Look(answer, evidence, read_page(answer, self.platform, item_id, seen_at, evidence, found_by))

    def rendering(self, response: Response) -> Rendering | None:
        """What the browser saw besides the document, where there was one."""
        found = response.meta.get(RENDERING)
        return found if isinstance(found, Rendering) else None

    def judge_failure(self, failure: Failure) -> Judgement:
        """A request without an answer, counted by its reason."""
        error = failure.value or RuntimeError("a failure without a cause")
        reason = reason_of(error)
        self.recorder.counters[f"failed_{reason}"] += 1
        if reason == "unexplained":
            self.logger.error("A request failed for an unknown reason", exc_info=error)
        request: Request = failure.request  # type: ignore[attr-defined]
        if isinstance(error, Refused) and (error.led_to or request.meta.get("redirect_urls")):
            return judge_unfollowed(error.led_to or request.url, self.platform, reason)
        return Judgement(Presence.BLOCKED if reason == "crawl_blocked" else Presence.ERROR, reason)

    def mind(self, judgement: Judgement) -> None:
        """Counts walls, and ends the crawl when it is time to go."""
        self.recorder.counters["blocked"] += judgement.state is Presence.BLOCKED
        self.stop_if_unwanted()

    def stop_if_unwanted(self) -> None:
        """Raises CloseSpider after too many walls or failures in a row."""
        if end := self.settings["PATIENCE"].end:
            raise CloseSpider(end)
