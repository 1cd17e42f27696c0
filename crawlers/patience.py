"""When to go: the second wall in a row, ten requests in a row without an answer, no more budget or time."""

from __future__ import annotations

import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Self, cast

from crawlers.apis.interface import FaultKind
from crawlers.apis.registry import fault_of
from crawlers.blocks import block_at, counts_as_block
from crawlers.failures import Refused
from crawlers.fetching import answer_of
from crawlers.platforms import Platform
from crawlers.politeness import LIMITED_IN_WORDS, pause_of

if TYPE_CHECKING:
    from scrapy import Request
    from scrapy.crawler import Crawler
    from scrapy.http import Response

    from crawlers.recorder import Recorder
    from crawlers.spiders.base import JobSpider

MAX_BLOCKS_IN_A_ROW = 2  # the second wall says that the platform wants us to go
FOLLOWED = frozenset({301, 302, 303, 307, 308})  # by Scrapy, where they say where to
MAX_FAILURES_IN_A_ROW = 10  # a dead host is not knocked at a thousand times


@dataclass
class Patience:
    """Counts walls and failures in a row, and requests and seconds against what a run may have of them."""

    requests_at_most: int
    seconds_at_most: float | None = None
    blocks: int = 0
    failures: int = 0
    asked: int = 0
    spent: str | None = None
    began: float = field(default_factory=time.monotonic)

    def asks(self) -> None:
        """Before each request: there must be room for it."""
        if self.asked >= self.requests_at_most:
            self.spent = "budget_spent"
        elif self.seconds_at_most is not None and time.monotonic() - self.began >= self.seconds_at_most:
            self.spent = "window_closed"
        else:
            self.asked += 1

    def answered(self, *, blocked: bool) -> None:
        self.failures = 0
        self.blocks = self.blocks + 1 if blocked else 0

    def failed(self) -> None:
        self.failures += 1

    @property
    def end(self) -> str | None:
        """The finish reason when it is time to go, else None."""
        if self.blocks >= MAX_BLOCKS_IN_A_ROW:
            return "blocked"
        return "dead_host" if self.failures >= MAX_FAILURES_IN_A_ROW else self.spent


class Gate:
    """Watches every answer before anybody else, so that not one more request leaves once it is time to go."""

    def __init__(self, platform: Platform, patience: Patience, recorder: Recorder) -> None:
        self._platform = platform
        self._patience = patience
        self._recorder = recorder

    @classmethod
    def from_crawler(cls, crawler: Crawler) -> Self:
        settings, spider = crawler.settings, cast("JobSpider", crawler.spider)
        return cls(settings["PLATFORM"], settings["PATIENCE"], spider.recorder)

    def process_request(self, request: Request) -> None:  # noqa: ARG002 - Scrapy calls by keyword
        if not self._patience.end:
            self._patience.asks()
        if end := self._patience.end:
            raise Refused(f"crawl_{end}")

    def process_response(self, request: Request, response: Response) -> Response:
        is_answer = not is_robots(request) and not leads_on(request, response)
        blocked = is_answer and self._turns_us_away(request, response)
        limited = bool(request.meta.get(LIMITED_IN_WORDS))
        self._recorder.asked(request.url, response.status, pause_of(request, response), limited=limited)
        if is_answer:
            self._patience.answered(blocked=blocked)
        return response

    def _turns_us_away(self, request: Request, response: Response) -> bool:
        answer, rules = answer_of(response, request), self._platform.presence
        if self._platform.road != "api":
            signs = (*rules.alive, *rules.sold_out) if rules else ()
            return counts_as_block(answer, self._platform.blocks, signs)
        fault = fault_of(answer, self._platform)
        request.meta[LIMITED_IN_WORDS] = fault is not None and fault.kind is FaultKind.RATE_LIMITED
        return fault is not None and fault.turns_us_away

    def process_exception(self, request: Request, exception: Exception) -> None:
        """A refusal of our own says nothing about the host, unless a wall was where it sent us."""
        if not isinstance(exception, Refused):
            self._recorder.asked(request.url)
            self._patience.failed()
        elif request.meta.get("redirect_urls") and block_at(request.url, self._platform.blocks):
            self._patience.answered(blocked=True)


def leads_on(request: Request, response: Response) -> bool:
    """Whether ``response`` is a redirect that is followed: the way to a wall interrupts no row of walls."""
    is_redirect = response.status in FOLLOWED and "Location" in response.headers
    return is_redirect and not request.meta.get("dont_redirect")


def is_robots(request: Request) -> bool:
    return bool(request.meta.get("dont_obey_robotstxt"))
