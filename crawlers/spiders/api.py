"""What every crawl by an interface does: log in where that is asked for, call politely, name the faults."""

from __future__ import annotations

import os
from collections.abc import AsyncIterator, Iterator
from dataclasses import replace
from datetime import UTC, datetime

from scrapy import Request
from scrapy.exceptions import CloseSpider
from scrapy.http import Response
from twisted.python.failure import Failure

from crawlers.answer import Answer
from crawlers.apis.interface import Call, Fault, FaultKind, Interface, Offer, ShapeError
from crawlers.apis.keys import MissingKeysError
from crawlers.apis.registry import fault_of, interface_for
from crawlers.listing import Listing, Presence
from crawlers.pages import listing_of
from crawlers.presence import Judgement
from crawlers.selectors import clean
from crawlers.spiders.base import Handler, JobSpider
from crawlers.structured import Facts

WORDS_LIMIT = 300  # code points of an interface's own words in an issue


class ApiSpider(JobSpider):
    """Subclasses give :meth:`requests`. Calls carry the real time: interfaces refuse a simulated one."""

    interface: Interface

    async def start(self) -> AsyncIterator[Request]:
        """Raises CloseSpider when keys are missing."""
        try:
            self.interface = interface_for(self.platform, os.environ)
        except MissingKeysError as error:
            self.recorder.issue("keys_missing", f"{error}.")
            raise CloseSpider("keys_missing") from error
        if login := self.interface.login():
            yield self.call(login, self.on_login, self.on_failure)
            return
        for request in self.requests():
            yield request

    def call(self, call: Call, callback: Handler, errback: Handler, **kwargs: object) -> Request:
        asked = "&".join(f"{name}={value}" for name, value in call.asked.items())
        return Request(
            call.url,
            callback,
            method=call.method,
            headers={"Accept": "application/json", **call.headers},
            body=call.body,
            errback=errback,
            cb_kwargs=kwargs,
            # A call is meant for one address: its answer is judged, not followed.
            meta={"asked": asked, "dont_redirect": True},
            dont_filter=True,
        )

    def on_login(self, response: Response) -> Iterator[Request]:
        """The answer is a secret: it is no evidence, and nothing of it is told."""
        answer = self.answer(response)
        if fault := fault_of(answer, self.platform):
            self.on_fault(fault, answer)
            return
        try:
            self.interface.admit(answer.data)
        except ShapeError as error:
            self.recorder.issue("interface_refused", f"The login brought {error}.", answer.url)
            raise CloseSpider("interface_refused") from error
        yield from self.requests()

    def on_failure(self, failure: Failure) -> None:
        judgement = self.judge_failure(failure)
        url = failure.request.url  # type: ignore[attr-defined]
        self.recorder.issue("request_failed", f"No answer: {judgement.reason}.", url)
        self.mind(judgement)

    def on_fault(self, fault: Fault, answer: Answer) -> Judgement:
        """Counts and tells it; what is left of the run goes on, unless a key is refused."""
        self.recorder.counters[f"failed_{fault.kind}"] += 1
        words = self._masked(clean(f"The interface answers: {fault}"))[:WORDS_LIMIT]
        self.recorder.issue(fault.kind, words, answer.url)
        if fault.kind is FaultKind.REFUSED:
            raise CloseSpider("interface_refused")
        judgement = judgement_of(fault)
        self.mind(judgement)
        return judgement

    def without_keys(self, answer: Answer) -> Answer:
        """As it may be kept: an answer that can be read may still repeat what it was asked with."""
        body = answer.body
        for key, value in self._secrets():
            body = body.replace(value.encode(), f"({key})".encode())
        headers = {name: self._masked(value) for name, value in answer.headers.items()}
        return replace(answer, body=body, headers=headers)

    def _masked(self, words: str) -> str:
        """Some interfaces repeat what was wrong."""
        for key, value in self._secrets():
            words = words.replace(value, f"({key})")
        return words

    def _secrets(self) -> list[tuple[str, str]]:
        """The longest first: a short one may be a part of it, and would leave the rest."""
        return sorted(self.interface.keys.items(), key=lambda pair: -len(pair[1]))

    def listing(self, offer: Offer, seen_at: datetime, evidence: str, found_by: str) -> Listing | None:
        """None for an offer without a title."""
        values = {name: value for name, value in offer.facts.items() if value}
        facts = Facts(values, dict.fromkeys(values, "api"))
        found = listing_of(facts, self.platform, offer.item_id, seen_at, evidence, found_by)
        return found.model_copy(update={"url": offer.url}) if found and offer.url else found


def judgement_of(fault: Fault) -> Judgement:
    """A fault tells of us and of the interface, never of a listing."""
    walled = fault.kind in {FaultKind.WALLED, FaultKind.REFUSED}
    reason = fault.code if fault.kind is FaultKind.WALLED else fault.kind.value
    return Judgement(Presence.BLOCKED if walled else Presence.ERROR, reason)


def now() -> datetime:
    return datetime.now(UTC)
