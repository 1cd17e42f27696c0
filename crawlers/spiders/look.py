"""Any addresses of a platform → the pages behind them, for a person who writes, checks or tries a profile."""

from __future__ import annotations

from collections.abc import Iterator

from scrapy import Request
from scrapy.http import Response
from twisted.python.failure import Failure

from crawlers.listing import Presence
from crawlers.presence import Judgement
from crawlers.rundir import Target
from crawlers.spiders.base import JobSpider


class LookSpider(JobSpider):
    """The pages are judged and kept; what they show counts for nothing, so no canary is asked for."""

    def first_requests(self) -> Iterator[Request]:
        return self.requests()

    def requests(self) -> Iterator[Request]:
        for target in self.job.targets:
            try:
                request = self.ask(target.url, self.on_target, self.on_failure, target=target)
            except ValueError:
                self.recorder.captured(target, Judgement(Presence.ERROR, "bad_url"))
                continue
            request.meta["dont_redirect"] = not self.job.follow
            yield request

    def on_target(self, response: Response, target: Target) -> None:
        look = self.look(response, target.item_id)
        self.recorder.captured(target, look.reading.judgement, look.answer, look.evidence)
        self.mind(look.reading.judgement)

    def on_failure(self, failure: Failure) -> None:
        judgement = self.judge_failure(failure)
        self.recorder.captured(failure.request.cb_kwargs["target"], judgement)  # type: ignore[attr-defined]
        self.mind(judgement)
