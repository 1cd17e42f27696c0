"""Where we may connect to: the open internet, and this machine only for a market of our own on it.

Links, redirects and DNS answers are written by others; one of them may point at this machine's neighbours.
"""

from __future__ import annotations

import ipaddress
import socket
from functools import lru_cache
from typing import TYPE_CHECKING, Self, cast

from scrapy.exceptions import CannotResolveHostError
from scrapy.utils.defer import maybe_deferred_to_future
from scrapy.utils.httpobj import urlparse_cached
from twisted.internet.error import DNSLookupError

from crawlers.failures import Refused
from crawlers.politeness import is_loopback

if TYPE_CHECKING:
    from scrapy import Request
    from scrapy.crawler import Crawler
    from twisted.internet.base import ReactorBase

GLOBAL_UNICAST = ipaddress.ip_network("2000::/3")  # all of IPv6 that is given out (RFC 4291, IANA)
SIX_TO_FOUR = ipaddress.ip_network("2002::/16")  # leads to the IPv4 address inside it


@lru_cache(maxsize=1024)  # a crawl asks one host thousands of times
def may_connect(address: str, *, loopback: bool) -> bool:
    """Whether ``address`` (of IP, written out) is public, or ours where ``loopback`` says so."""
    found = ipaddress.ip_address(address.partition("%")[0])
    if isinstance(found, ipaddress.IPv6Address) and found.ipv4_mapped:
        return may_connect(str(found.ipv4_mapped), loopback=loopback)
    if found.is_loopback:
        return loopback
    if found.version == 6 and (found not in GLOBAL_UNICAST or found in SIX_TO_FOUR):
        return False
    return found.is_global and not found.is_multicast


@lru_cache(maxsize=1024)
def _is_address(host: str) -> bool:
    try:
        ipaddress.ip_address(host)
    except ValueError:
        return False
    return True


def pinned(host: str, *, loopback: bool) -> str | None:
    """The one address of ``host`` that a browser may use; None when it has none that we may connect to."""
    try:
        address = socket.gethostbyname(host)
    except OSError:
        return None
    return address if may_connect(address, loopback=loopback) else None


class PublicOnly:
    """Refuses a request whose host stands for a private address, before connecting.

    Scrapy keeps what it has resolved and connects to that very address, so a second answer changes nothing.
    """

    def __init__(self, home: str | None) -> None:
        self._loopback = is_loopback(home or "")

    @classmethod
    def from_crawler(cls, crawler: Crawler) -> Self:
        return cls(crawler.settings["PLATFORM"].home)

    async def process_request(self, request: Request) -> None:
        host = urlparse_cached(request).hostname or ""
        try:
            address = host if _is_address(host) else await self._resolve(host)
        except DNSLookupError as error:
            raise CannotResolveHostError(str(error)) from error
        if not may_connect(address, loopback=self._loopback):
            raise Refused("private_address")

    async def _resolve(self, host: str) -> str:
        from twisted.internet import reactor  # it is chosen when the crawl starts

        # Typed as IReactorCore, whose older signature of resolve nobody follows.
        found = cast("ReactorBase", reactor).resolve(host)
        return await maybe_deferred_to_future(found)
