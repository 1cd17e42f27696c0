"""Known listings → one sighting each, by an interface that can say that one is gone."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from scrapy import Request
from scrapy.http import Response
from twisted.python.failure import Failure

from crawlers.answer import Answer
from crawlers.apis.interface import Offer, ShapeError
from crawlers.apis.registry import fault_of
from crawlers.blocks import block_at, detect_block
from crawlers.listing import Presence
from crawlers.pages import Reading
from crawlers.platforms import Platform
from crawlers.presence import GONE_STATUSES, Judgement
from crawlers.rundir import Target
from crawlers.spiders.api import ApiSpider, judgement_of, now
from crawlers.spiders.base import Handler
from crawlers.spiders.recheck import compared

ABSENT = "100000000001"  # an id that no shop gives: not found, or the interface does not say so


class ApiRecheckSpider(ApiSpider):
    """First a canary pair that the run finds itself: something on offer now, and an id that never was.

    Where an interface only searches, nothing is asked: what it does not find may still be there. Where its
    ids are names that a shop may change, what it does not find is gone only if its page is gone as well.
    """

    def requests(self) -> Iterator[Request]:
        if self.interface.item(ABSENT) is None:
            for target in self.job.targets:
                self.recorder.sighting(target, Judgement(Presence.ERROR, "interface_cannot_tell"))
            return
        term = next(iter(self.platform.terms), None) if self.interface.searches else None
        call = self.interface.search(term, 1, now())
        yield self.call(call, self.on_offers, self.on_no_offers)

    def on_offers(self, response: Response) -> Iterator[Request]:
        yield from self._looks(self._any_id(self.answer(response)))

    def on_no_offers(self, failure: Failure) -> Iterator[Request]:
        self.on_failure(failure)
        yield from self._looks(None)

    def _looks(self, alive: str | None) -> Iterator[Request]:
        if alive is None:  # switched off, empty or faulty: what it would say of the targets proves nothing
            self.recorder.canary(Presence.UP, Judgement(Presence.ERROR, "nothing_on_offer"))
            return
        for must_be, item_id in ((Presence.UP, alive), (Presence.GONE, ABSENT)):
            pair = {"must_be": must_be, "item_id": item_id}
            yield self._look(item_id, self.on_canary_answer, self.on_canary_failure, pair)
        for target in self.job.targets:
            yield self._look(target.item_id, self.on_target, self.on_target_failure, {"target": target})

    def _any_id(self, answer: Answer) -> str | None:
        if fault := fault_of(answer, self.platform):
            self.on_fault(fault, answer)
            return None
        try:
            offers = self.interface.read(answer.data).offers
        except ShapeError:
            return None
        return next((offer.item_id for offer in offers if offer.item_id), None)

    def _look(
        self, item_id: str, callback: Handler, errback: Handler, kwargs: Mapping[str, object]
    ) -> Request:
        call = self.interface.item(item_id)
        if call is None:
            raise TypeError("an interface tells of every listing or of none")
        return self.call(call, callback, errback, **kwargs)

    def _judge(self, answer: Answer, item_id: str) -> tuple[Judgement, Offer | None]:
        if fault := fault_of(answer, self.platform):
            return judgement_of(fault), None
        return self.interface.judge(answer.status, answer.data, item_id, now())

    def on_canary_answer(self, response: Response, must_be: Presence, item_id: str) -> None:
        judgement, _ = self._judge(self.answer(response), item_id)
        self.recorder.canary(must_be, judgement)
        self.mind(judgement)

    def on_target(self, response: Response, target: Target) -> Iterator[Request]:
        answer = self.answer(response)
        judgement, offer = self._judge(answer, target.item_id)
        if fault_of(answer, self.platform):  # it may repeat our keys, and proves nothing: not kept
            self.recorder.sighting(target, judgement, answer)
            self.mind(judgement)
            return
        seen_at, evidence = self.recorder.page(self.without_keys(answer))
        if judgement.state is Presence.GONE and self.interface.renames:
            yield self._page(target, judgement)
            return
        listing = self.listing(offer, seen_at, evidence, "recheck") if offer else None
        judgement = compared(Reading(judgement, listing), target)
        self.recorder.sighting(target, judgement, answer, evidence, listing)
        self.mind(judgement)

    def _page(self, target: Target, absent: Judgement) -> Request:
        return Request(
            self.platform.canonical_url(target.item_id),
            self.on_page,
            errback=self.on_target_failure,
            cb_kwargs={"target": target, "absent": absent},
            meta={"dont_redirect": True},  # that it leads on is the answer
            dont_filter=True,
        )

    def on_page(self, response: Response, target: Target, absent: Judgement) -> None:
        answer = self.answer(response)
        _, evidence = self.recorder.page(answer)
        judgement = judged_by_page(answer, self.platform, absent)
        self.recorder.sighting(target, judgement, answer, evidence)
        self.mind(judgement)

    def on_target_failure(self, failure: Failure) -> None:
        target: Target = failure.request.cb_kwargs["target"]  # type: ignore[attr-defined]
        judgement = self.judge_failure(failure)
        self.recorder.sighting(target, judgement)
        self.mind(judgement)


def judged_by_page(answer: Answer, platform: Platform, absent: Judgement) -> Judgement:
    """``absent``, what the interface did not find, if the listing's own page is not there either.

    A page that answers or leads on tells of goods under another name: ``moved``, for a person.
    """
    place = answer.absolute(answer.headers.get("location", ""))
    if wall := detect_block(answer, platform.blocks) or block_at(place, platform.blocks):
        return Judgement(Presence.BLOCKED, wall)
    if answer.status in GONE_STATUSES:
        return absent
    return Judgement(Presence.ERROR, "moved" if answer.status < 400 else f"http_{answer.status}")
