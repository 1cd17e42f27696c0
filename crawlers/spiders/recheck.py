"""Known listings → one sighting each."""

from __future__ import annotations

from collections.abc import Iterator

from scrapy import Request
from scrapy.http import Response
from twisted.python.failure import Failure

from crawlers.listing import Presence
from crawlers.pages import Reading
from crawlers.presence import Judgement, is_altered
from crawlers.rundir import Target
from crawlers.spiders.base import JobSpider


class RecheckSpider(JobSpider):
    """Every target gets its sighting, whatever happens; the recorder pays those that were not reached."""

    def requests(self) -> Iterator[Request]:
        for target in self.job.targets:
            try:
                yield self.ask(target.url, self.on_target, self.on_failure, target=target)
            except ValueError:
                self.recorder.sighting(target, Judgement(Presence.ERROR, "bad_url"))

    def on_target(self, response: Response, target: Target) -> None:
        look = self.look(response, target.item_id)
        judgement = compared(look.reading, target)
        self.recorder.sighting(target, judgement, look.answer, look.evidence, look.reading.listing)
        self.mind(judgement)

    def on_failure(self, failure: Failure) -> None:
        target: Target = failure.request.cb_kwargs["target"]  # type: ignore[attr-defined]
        judgement = self.judge_failure(failure)
        self.recorder.sighting(target, judgement)
        self.mind(judgement)


class SellersSpider(RecheckSpider):
    """The same for pages of sellers, which are no listings: what they offer is not read."""

    def on_target(self, response: Response, target: Target) -> None:
        look = self.look(response, target.item_id)
        self.recorder.sighting(target, look.reading.judgement, look.answer, look.evidence)
        self.mind(look.reading.judgement)


def compared(reading: Reading, target: Target) -> Judgement:
    """The judgement, with ``altered`` for a page that is up but now sells something else."""
    if reading.listing and target.title and is_altered(target.title, reading.listing.title):
        return Judgement(Presence.ALTERED, "title_changed", reading.judgement.facts)
    return reading.judgement
