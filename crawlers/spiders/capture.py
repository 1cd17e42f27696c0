"""Known listings → how each looks in a browser, and its pictures."""

from __future__ import annotations

from collections.abc import Iterator

from scrapy import Request
from scrapy.http import Response
from twisted.python.failure import Failure

from crawlers.listing import Presence
from crawlers.politeness import PICTURE
from crawlers.presence import Judgement
from crawlers.rundir import REFUSALS, Target
from crawlers.spiders.base import JobSpider
from crawlers.spiders.recheck import compared

PICTURE_LIMIT = 5 * 1024 * 1024  # bytes; platforms take 3 to 5 MB a picture


class CaptureSpider(JobSpider):
    """Pictures come one after the other behind their page, so that a host that refuses one is left alone."""

    _pictures_refused = False

    def requests(self) -> Iterator[Request]:
        for target in self.job.targets:
            try:
                yield self.ask(target.url, self.on_target, self.on_failure, target=target)
            except ValueError:
                self.recorder.captured(target, Judgement(Presence.ERROR, "bad_url"))

    def on_target(self, response: Response, target: Target) -> Iterator[Request]:
        look = self.look(response, target.item_id)
        judgement = compared(look.reading, target)
        self.recorder.captured(target, judgement, look.answer, look.evidence, self.rendering(response))
        self.mind(judgement)
        yield from self._next_picture(target, target.pictures)

    def on_failure(self, failure: Failure) -> None:
        judgement = self.judge_failure(failure)
        self.recorder.captured(failure.request.cb_kwargs["target"], judgement)  # type: ignore[attr-defined]
        self.mind(judgement)

    def _next_picture(self, target: Target, wanted: tuple[str, ...]) -> Iterator[Request]:
        if not wanted or self._pictures_refused:
            return
        url, *rest = wanted
        try:
            yield Request(
                url,
                self.on_picture,
                errback=self.on_picture_failure,
                cb_kwargs={"target": target, "rest": tuple(rest)},
                meta={PICTURE: True, "download_maxsize": PICTURE_LIMIT},
                dont_filter=True,
            )
        except ValueError:
            self.recorder.no_picture(target, url, "bad_url")
            yield from self._next_picture(target, tuple(rest))

    def on_picture(self, response: Response, target: Target, rest: tuple[str, ...]) -> Iterator[Request]:
        answer = self.answer(response)
        if problem := _problem(response.status, answer.headers.get("content-type", "")):
            self.recorder.no_picture(target, answer.requested_url, problem)
        else:
            self.recorder.picture(target, answer)
        self._pictures_refused |= response.status in REFUSALS
        self.stop_if_unwanted()
        yield from self._next_picture(target, rest)

    def on_picture_failure(self, failure: Failure) -> Iterator[Request]:
        request: Request = failure.request  # type: ignore[attr-defined]
        judgement = self.judge_failure(failure)
        self.recorder.no_picture(request.cb_kwargs["target"], request.url, judgement.reason)
        self.stop_if_unwanted()
        yield from self._next_picture(request.cb_kwargs["target"], request.cb_kwargs["rest"])


def _problem(status: int, media_type: str) -> str | None:
    if status != 200:
        return f"http_{status}"
    return None if media_type.lower().startswith("image/") else "no_picture"
