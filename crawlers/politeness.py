"""How we behave towards a platform: a floor that no profile undercuts, robots.txt strictly, pauses."""

from __future__ import annotations

import asyncio
import ipaddress
import time
from collections import defaultdict
from email.utils import parsedate_to_datetime
from importlib.metadata import version
from typing import TYPE_CHECKING, Self
from urllib.parse import urlsplit

from scrapy import Request, signals
from scrapy.downloadermiddlewares.robotstxt import RobotsTxtMiddleware
from scrapy.utils.httpobj import urlparse_cached
from twisted.internet.defer import Deferred

from crawlers.failures import Refused, reason_of
from crawlers.platforms import Platform
from crawlers.rendering import RENDERING, Rendering

if TYPE_CHECKING:
    from scrapy.crawler import Crawler
    from scrapy.http import Response
    from scrapy.robotstxt import RobotParser

FLOOR_DELAY_S = 3.0  # seconds between two requests to one host that is not this machine
LOOPBACK_CONCURRENCY = 8  # the sample market lives on this machine and is ours
MAX_CRAWL_DELAY_S = 120.0  # a host that asks for more does not want to be crawled
MAX_COOL_OFF_S = 300.0  # a longer pause is the next run's business
DEFAULT_COOL_OFF_S = 30.0  # after a 429 that names no time
MAX_DAILY_REQUESTS = 10_000  # a profile may wish for less, never for more, of a host that is not this machine
PICTURE = "picture"  # Request.meta: a picture, which the platform may keep on another host
LIMITED_IN_WORDS = "limited_in_words"  # Request.meta: an interface said "too often" with HTTP 200
ROBOT_NAME = "Vapewatch"  # the product token that robots.txt groups are matched with
DENY_ALL = b"User-agent: *\nDisallow: /"


def user_agent(contact: str) -> str:
    """Says who we are and where to complain."""
    return f"{ROBOT_NAME}/{version('vapewatch')} (+{contact})"


def is_loopback(url: str) -> bool:
    host = urlsplit(url).hostname or ""
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def is_ours(platform: Platform) -> bool:
    """Whether every host that the profile names is this very machine."""
    named = (f"//{host}" for host in (*platform.hosts, *platform.media_hosts))
    return all(map(is_loopback, (platform.home or "", *named)))


def delay_of(platform: Platform) -> float:
    """Seconds between two requests to the home: the profile's wish, never below the floor."""
    floor = 0.0 if is_loopback(platform.home or "") else FLOOR_DELAY_S
    return max(platform.politeness.delay_s, floor)


def budget_of(platform: Platform) -> int:
    """Requests a day, over all runs: the profile's wish, never above the ceiling."""
    wish = platform.politeness.daily_requests
    return wish if is_ours(platform) else min(wish, MAX_DAILY_REQUESTS)


def concurrency_of(platform: Platform) -> int:
    """Requests to the home at a time; with a delay there is never more than one."""
    return LOOPBACK_CONCURRENCY if delay_of(platform) == 0 else 1


def cool_off_of(status: int, retry_after: str | None, now: float) -> float:
    """Seconds of silence that an answer asks for; ``now`` is a POSIX time, for dates in ``retry_after``."""
    if status not in (429, 503):
        return 0.0
    default = DEFAULT_COOL_OFF_S if status == 429 else 0.0
    if retry_after is None:
        return default
    text = retry_after.strip()
    if text.isascii() and text.isdigit():
        return float(text[:9])
    try:
        return max(0.0, parsedate_to_datetime(text).timestamp() - now)
    except ValueError:
        return default


def pause_of(request: Request, response: Response) -> float:
    """Seconds of silence that ``response`` asks for, by its status or, as interfaces do, in words."""
    asked = response.headers.get("Retry-After")
    status = 429 if request.meta.get(LIMITED_IN_WORDS) else response.status
    return cool_off_of(status, asked.decode("latin-1") if asked else None, time.time())


class KnownHosts:
    """Refuses every request that leaves the platform's hosts: links and redirects are written by others."""

    def __init__(self, platform: Platform) -> None:
        self._platform = platform

    @classmethod
    def from_crawler(cls, crawler: Crawler) -> Self:
        return cls(crawler.settings["PLATFORM"])

    def process_request(self, request: Request) -> None:
        of_media = request.meta.get(PICTURE) or request.meta.get("dont_obey_robotstxt")  # and its robots.txt
        known = self._platform.serves_media if of_media else self._platform.owns_host
        if not known(request.url):
            raise Refused("off_platform")


class StrictRobots(RobotsTxtMiddleware):
    """robots.txt without leaks: serialised per host, and a host whose rules cannot be read is closed.

    Scrapy's own class lets requests through that wait while robots.txt is fetched (2.14 to 2.19), and opens a
    host that answers 5xx; RFC 9309 §2.3.1.4 closes it. This leans on private names: keep its regression test.
    """

    def __init__(self, crawler: Crawler) -> None:
        super().__init__(crawler)
        self._locks: defaultdict[str, asyncio.Lock] = defaultdict(asyncio.Lock)
        self._unreadable: dict[str, str] = {}  # host → why its rules could not be read
        crawler.signals.connect(self._honour_crawl_delay, signal=signals.robots_parsed)

    async def robot_parser(self, request: Request) -> RobotParser:
        host = urlparse_cached(request).netloc
        known = self._parsers.get(host)
        if known is not None and not isinstance(known, Deferred):  # read, and minded by the downloader
            return known
        async with self._locks[host]:
            parser = await super().robot_parser(request)
        return parser or self._parserimpl.from_crawler(self.crawler, DENY_ALL)

    def process_request_2(self, rp: RobotParser | None, request: Request) -> None:
        if reason := self._reason(rp, request):
            raise Refused(reason)

    async def process_response(self, request: Request, response: Response) -> Response:
        """A browser goes where a page leads it before Scrapy hears of it: what came of that is refused."""
        rendering = request.meta.get(RENDERING)
        places = rendering.places if isinstance(rendering, Rendering) else ()
        for place in dict.fromkeys(places):
            if reason := await self.refusal(place):
                raise Refused(reason, place)
        return response

    async def refusal(self, url: str) -> str | None:
        """Why ``url`` may not be asked for, as a reason code; None when it may."""
        request = Request(url)
        return self._reason(await self.robot_parser(request), request)

    def _reason(self, rp: RobotParser | None, request: Request) -> str | None:
        if rp is None or not rp.allowed(request.url, ROBOT_NAME):
            return self._unreadable.get(urlparse_cached(request).netloc, "robots_disallowed")
        return "crawl_delay_too_long" if (rp.crawl_delay(ROBOT_NAME) or 0) > MAX_CRAWL_DELAY_S else None

    async def _parse_robots(self, response: Response, netloc: str, request: Request) -> None:
        if response.status >= 500 or response.status == 429:
            self._unreadable[netloc] = "robots_unreachable"
            response = response.replace(body=DENY_ALL)
        elif response.status >= 400:
            response = response.replace(
                body=b""
            )  # RFC 9309 §2.3.1.3: no rules; not the words of an error page
        await super()._parse_robots(response, netloc, request)

    def _robots_error(self, exc: Exception, netloc: str) -> None:
        self._unreadable[netloc] = reason_of(exc)
        super()._robots_error(exc, netloc)

    def _honour_crawl_delay(self, robotparser: RobotParser, request: Request) -> None:
        asked = robotparser.crawl_delay(ROBOT_NAME)
        if not asked:
            return
        downloader = self.crawler.engine.downloader
        key = downloader.get_slot_key(request)
        own = downloader.per_slot_settings.get(key, {})
        delay = max(float(asked), own.get("delay", downloader.settings.getfloat("DOWNLOAD_DELAY")))
        # The entry outlives the slot, which Scrapy drops after a minute of silence.
        downloader.per_slot_settings[key] = {"delay": delay, "concurrency": 1}
        if slot := downloader.slots.get(key):
            slot.delay, slot.concurrency = delay, 1


class CoolOff:
    """Keeps silent as long as a 429 or 503 asks for; refuses to go on when a run cannot wait that long."""

    def __init__(self) -> None:
        self._silent_until: defaultdict[str, float] = defaultdict(float)

    async def process_request(self, request: Request) -> None:
        host = urlparse_cached(request).netloc
        # Again after the wait: an answer to another request may have asked for more.
        while (pause := self._silent_until[host] - time.monotonic()) > 0:
            if pause > MAX_COOL_OFF_S:
                raise Refused("cool_off_too_long")
            await asyncio.sleep(pause)

    def process_response(self, request: Request, response: Response) -> Response:
        pause = pause_of(request, response)
        host = urlparse_cached(request).netloc
        self._silent_until[host] = max(self._silent_until[host], time.monotonic() + pause)
        return response
