"""What every interface is: calls out, pages of offers and named faults in. No network, no clock."""

from __future__ import annotations

import re
from abc import ABC, abstractmethod
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import ClassVar
from urllib.parse import urlencode

from crawlers.platforms import Api, Platform
from crawlers.presence import Judgement

ENTRY_LIMIT = 500  # offers taken from one answer; no interface gives more than 250
LIMITED_WORDS = re.compile(r"限流|频繁|频率|调用量|call.?limit|too many|rate.?limit", re.I)
REFUSED_WORDS = re.compile(r"签名|授权|权限|sign(?:ature)?\b|app_?key|token|unauthori[sz]ed|permission", re.I)


@dataclass(frozen=True)
class Call:
    """One request. ``asked`` is for the evidence: what its body says, without keys and signature."""

    url: str
    asked: Mapping[str, str] = field(default_factory=dict)
    method: str = "GET"
    headers: Mapping[str, str] = field(default_factory=dict, repr=False)
    body: bytes = field(default=b"", repr=False)


@dataclass(frozen=True)
class Offer:
    """``facts``: the keys of :class:`crawlers.structured.Facts`. ``url`` only where the id gives none."""

    item_id: str
    facts: Mapping[str, object]
    url: str | None = None


@dataclass(frozen=True)
class ResultPage:
    """``entries``: what the answer listed, readable or not; ``total``: how much it says there is in all."""

    offers: tuple[Offer, ...]
    entries: int
    total: int | None = None

    def has_more(self, page: int, page_size: int) -> bool:
        """Whether a next page is to be expected."""
        if self.total is None:
            return self.entries >= page_size
        return self.entries > 0 and page * page_size < self.total


class FaultKind(StrEnum):
    RATE_LIMITED = "rate_limited"
    REFUSED = "interface_refused"  # key, signature or permission: a person has to look
    WALLED = "walled"  # a captcha, a login or a refusal instead of an answer
    REJECTED = "call_rejected"
    UNAVAILABLE = "interface_unavailable"
    UNREADABLE = "answer_unreadable"


@dataclass(frozen=True)
class Fault:
    """Why an answer is none. ``code``: snake_case or the interface's own number; ``message``: its words."""

    kind: FaultKind
    code: str
    message: str = ""

    @property
    def turns_us_away(self) -> bool:
        """Counts as a wall: two in a row end a crawl."""
        return self.kind in {FaultKind.RATE_LIMITED, FaultKind.REFUSED, FaultKind.WALLED}

    def __str__(self) -> str:
        return f"{self.kind} ({': '.join(filter(None, (self.code, self.message)))})"


class ShapeError(ValueError):
    """An answer that is not built as documented; the message names the place."""


class Interface(ABC):
    """``keys`` as :func:`crawlers.apis.keys.read_keys` gives them, and what a login adds."""

    page_size: ClassVar[int]
    searches: ClassVar[bool] = True  # False: gives its whole catalogue only
    renames: ClassVar[bool] = False  # True: an id is a name in the address, and a shop may change it

    def __init__(self, platform: Platform, keys: Mapping[str, str]) -> None:
        """Raises ValueError for a platform of another road."""
        if platform.api is None or platform.home is None:
            raise ValueError(f"{platform.name} has no interface")
        self.platform = platform
        self.api: Api = platform.api
        self.home: str = platform.home
        self.keys = keys

    def login(self) -> Call | None:
        """What has to be asked first, once a run; its answer is secret."""
        return None

    def admit(self, data: object) -> None:  # noqa: ARG002 - for those that log in
        """Takes the answer to :meth:`login`. Raises ShapeError."""
        raise ShapeError("this interface has no login")

    @abstractmethod
    def search(self, term: str | None, page: int, now: datetime) -> Call:
        """Page ``page`` (from 1) of what is found for ``term``; None is the whole catalogue."""

    @abstractmethod
    def read(self, data: object) -> ResultPage:
        """Raises ShapeError."""

    @classmethod
    @abstractmethod
    def fault(cls, status: int, data: object) -> Fault | None:
        """The error that the interface tells of in words, also with HTTP 200. Not found is no fault."""

    def item(self, item_id: str) -> Call | None:  # noqa: ARG002 - for those that can
        """Asks for one listing; None where the interface cannot tell that one is gone."""
        return None

    def judge(self, status: int, data: object, item_id: str, now: datetime) -> tuple[Judgement, Offer | None]:  # noqa: ARG002
        """What the answer to :meth:`item` says of the listing."""
        raise ValueError(f"{self.api.interface} cannot tell whether a listing is there")


def query(address: str, parameters: Mapping[str, str]) -> Call:
    return Call(f"{address}?{urlencode(parameters)}")


def form(address: str, parameters: Mapping[str, str], secret: Iterable[str]) -> Call:
    """A POST, so that nothing signed stands in an address; ``secret`` names what no evidence shows."""
    hidden = set(secret)
    return Call(
        address,
        {name: value for name, value in parameters.items() if name not in hidden},
        "POST",
        {"Content-Type": "application/x-www-form-urlencoded;charset=utf-8"},
        urlencode(parameters).encode(),
    )
