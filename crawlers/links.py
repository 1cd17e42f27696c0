"""A pasted link or share text → platform and item id. Looks at the text only; nothing is fetched."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum
from urllib.parse import SplitResult, quote, unquote, urlsplit

from crawlers.platforms import Platform

TEXT_LIMIT = 20_000  # code points looked through; a share text has a few hundred
URL_LIMIT = 2_000
# An address ends at white space, at Chinese letters and punctuation, and at quotes and angle brackets.
URL = re.compile(r"https?://[^\s\u3000-\u303f\u4e00-\u9fff\uff00-\uffef\u2018-\u201d\"'<>`\\^{}|]+", re.I)
TRAILING = ".,;:!?)]}*"
DEFAULT_PORT = {"http": ":80", "https": ":443"}
RESERVED = "%!#$&'()*+,/:;=?@[]~"  # what may stand in an address as it is, beside letters and digits
# Shopping agents: their own address holds the platform's in its parameter ``url``.
AGENTS = frozenset({"kakobuy.com", "www.kakobuy.com"})


class LinkProblem(StrEnum):
    """Why a text names no listing."""

    NO_LINK = "no_link"
    UNKNOWN_HOST = "unknown_host"
    SHORT_LINK = "short_link"
    NOT_A_LISTING = "not_a_listing"
    MALFORMED = "malformed"


@dataclass(frozen=True)
class Link:
    """``url`` is the canonical address, tracking parameters dropped."""

    platform: str
    item_id: str
    url: str


@dataclass(frozen=True)
class Unrecognised:
    """``platform`` is named when the host is known although the address is no listing's."""

    problem: LinkProblem
    url: str | None = None
    platform: str | None = None


def recognise(text: str, platforms: Iterable[Platform]) -> Link | Unrecognised:
    """The listing that the first link in ``text`` leads to, or the reason why there is none.

    An unknown host is never guessed at, and a short link is not followed: both go to a person.
    """
    known, looked_at = tuple(platforms), text[:TEXT_LIMIT]
    found = URL.search(looked_at)
    before = looked_at[: found.start()] if found else looked_at
    if shared := _shared(before, known):
        return shared
    if found is None:
        return Unrecognised(LinkProblem.NO_LINK)
    written = found[0].rstrip(TRAILING)
    url = _normalised(written)
    if url is None:
        return Unrecognised(LinkProblem.MALFORMED, written[:URL_LIMIT])
    return _match(_unwrapped(url), known)


def _shared(text: str, platforms: Iterable[Platform]) -> Link | None:
    """A share text without an address, e.g. of a mini-program."""
    for platform in platforms:
        for pattern in platform.share_texts:
            if found := re.search(pattern, text):
                return Link(platform.name, found["id"], platform.canonical_url(found["id"]))
    return None


def _normalised(written: str) -> str | None:
    """Scheme and host in lower case, only ASCII after it, no fragment; None for what no shop ever sends.

    A user name before the host is refused: it only serves to look like another host.
    """
    try:
        parts = urlsplit(written)
        usable = bool(parts.hostname) and parts.username is None and parts.port != 0
    except ValueError:
        return None
    if not usable or len(written) > URL_LIMIT:
        return None
    scheme = parts.scheme.lower()
    host = parts.netloc.lower().removesuffix(DEFAULT_PORT[scheme])
    path, query = (quote(part, RESERVED, errors="replace") for part in (parts.path, parts.query))
    return SplitResult(scheme, host, path, query, "").geturl()


def _unwrapped(url: str) -> str:
    """The address inside an agent's, decoded once; any other address is left as it is."""
    parts = urlsplit(url)
    if parts.netloc not in AGENTS:
        return url
    found = re.search(r"(?:^|&)url=([^&]+)", parts.query)
    inner = unquote(found[1]) if found else ""
    return (_normalised(inner) if URL.fullmatch(inner) else None) or url


def _match(url: str, platforms: Iterable[Platform]) -> Link | Unrecognised:
    known: Platform | None = None
    for platform in platforms:
        if any(re.search(pattern, url) for pattern in platform.short_links):
            return Unrecognised(LinkProblem.SHORT_LINK, url, platform.name)
        if not platform.owns_host(url):
            continue
        if item_id := platform.listing_url.item_id(url):
            return Link(platform.name, item_id, platform.canonical_url(item_id))
        known = known or platform
    if known is None:
        return Unrecognised(LinkProblem.UNKNOWN_HOST, url)
    return Unrecognised(LinkProblem.NOT_A_LISTING, url, known.name)
