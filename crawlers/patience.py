"""When to go: the second wall in a row, or ten requests in a row without an answer, end a crawl at once."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Self

from crawlers.blocks import block_at, counts_as_block
from crawlers.failures import Refused
from crawlers.fetching import answer_of
from crawlers.platforms import Platform

if TYPE_CHECKING:
    from scrapy import Request
    from scrapy.crawler import Crawler
    from scrapy.http import Response

MAX_BLOCKS_IN_A_ROW = 2  # the second wall says that the platform wants us to go
MAX_FAILURES_IN_A_ROW = 10  # a dead host is not knocked at a thousand times


@dataclass
class Patience:
    """Counts walls and failures in a row."""

    blocks: int = 0
    failures: int = 0

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
        return "dead_host" if self.failures >= MAX_FAILURES_IN_A_ROW else None


class Gate:
    """Watches every answer before anybody else, so that not one more request leaves once it is time to go."""

    def __init__(self, platform: Platform, patience: Patience) -> None:
        self._platform = platform
        self._patience = patience

    @classmethod
    def from_crawler(cls, crawler: Crawler) -> Self:
        return cls(crawler.settings["PLATFORM"], crawler.settings["PATIENCE"])

    def process_request(self, request: Request) -> None:  # noqa: ARG002 - Scrapy calls by keyword
        if end := self._patience.end:
            raise Refused(f"crawl_{end}")

    def process_response(self, request: Request, response: Response) -> Response:
        if not is_robots(request):
            blocked = counts_as_block(answer_of(response, request), self._platform.blocks)
            self._patience.answered(blocked=blocked)
        return response

    def process_exception(self, request: Request, exception: Exception) -> None:
        """A refusal of our own says nothing about the host, unless a wall was where it sent us."""
        if not isinstance(exception, Refused):
            self._patience.failed()
        elif request.meta.get("redirect_urls") and block_at(request.url, self._platform.blocks):
            self._patience.answered(blocked=True)


def is_robots(request: Request) -> bool:
    return bool(request.meta.get("dont_obey_robotstxt"))
