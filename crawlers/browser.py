"""Pages that only exist after their scripts ran, and how pages look: Chromium, one context, no guests."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from scrapy_playwright.page import PageMethod

from crawlers.addresses import pinned
from crawlers.platforms import Marker, Platform
from crawlers.politeness import concurrency_of, is_loopback, user_agent
from crawlers.rendering import RENDERING, VIEW_HEIGHT, VIEW_WIDTH, Rendering
from crawlers.rundir import CrawlJob, RunKind

if TYPE_CHECKING:
    from playwright.async_api import Request

CONTEXT = "crawl"  # one named context for the whole crawl: one per request deadlocks (scrapy-playwright)
MAX_PAGES = 2  # Chromium costs a few hundred MB a page
SYSTEM_CHROMIUM = tuple(
    map(Path, ("/usr/bin/chromium", "/usr/bin/chromium-browser", "/usr/bin/google-chrome"))
)
NEVER = frozenset({"media", "websocket", "manifest", "beacon", "ping", "eventsource"})
LOOKS = frozenset({"image", "font", "stylesheet"})  # how a page looks; what it says needs none of it


def browser_settings(job: CrawlJob) -> dict[str, object]:
    """What Scrapy needs on top for ``render: browser``."""
    handler = "crawlers.chromium.PoliteChromium"
    timeout_ms = job.timeout_s * 1000
    return {
        "DOWNLOAD_HANDLERS": {
            "http": handler,
            "https": handler,
            "file": None,
            "ftp": None,
            "s3": None,
            "data": None,
        },
        "CONCURRENT_REQUESTS": min(concurrency_of(job.platform), MAX_PAGES),
        "PLAYWRIGHT_MAX_PAGES_PER_CONTEXT": MAX_PAGES,
        "PLAYWRIGHT_DEFAULT_NAVIGATION_TIMEOUT": timeout_ms,
        "PLAYWRIGHT_DOWNLOAD_TIMEOUT": timeout_ms,
        "PLAYWRIGHT_ABORT_REQUEST": partial(is_foreign, job.platform) if needs_looks(job) else is_unneeded,
        "PLAYWRIGHT_LAUNCH_OPTIONS": launch_options(job.platform),
    }


def needs_browser(job: CrawlJob) -> bool:
    return job.platform.render == "browser" or needs_looks(job)


def needs_looks(job: CrawlJob) -> bool:
    """Whether pages are shown, not only read."""
    return job.kind is RunKind.CAPTURE


def launch_options(platform: Platform) -> dict[str, object]:
    """How Chromium is started. Its resolver knows the platform's hosts only: redirects in the browser do not
    pass Scrapy's middlewares, and must not reach this machine's neighbours.
    """
    named = (*platform.hosts, *platform.media_hosts)
    hosts = {urlsplit(platform.home or "").hostname, *(host.rsplit(":", 1)[0] for host in named)}
    known = ", ".join(_rules(sorted(filter(None, hosts)), loopback=is_loopback(platform.home or "")))
    return {
        "executable_path": str(chromium()),
        "args": [
            f"--host-resolver-rules={known}",
            "--no-proxy-server",  # the environment must not hide who asks
            "--disable-background-networking",
            "--disable-dev-shm-usage",  # small shared memory in containers crashes pages
        ],
        # The sandbox needs an unprivileged user; as root Chromium does not start with it.
        "chromium_sandbox": os.geteuid() != 0,
    }


def _rules(hosts: Iterable[str], *, loopback: bool) -> Iterator[str]:
    """Each host is resolved here and once: Chromium itself would follow any DNS answer to our neighbours.

    Hosts with a wildcard have no address of their own, and stay unknown like all the rest.
    """
    addresses = {host: pinned(host, loopback=loopback) for host in hosts if "*" not in host}
    yield from (f"MAP {host} {address}" for host, address in addresses.items() if address and address != host)
    yield "MAP * ~NOTFOUND"
    yield from (f"EXCLUDE {host}" for host, address in addresses.items() if address == host)


def chromium() -> Path:
    """The operator's choice (VAPEWATCH_CHROMIUM), else Playwright's own, else the distribution's.

    Raises FileNotFoundError when there is none.
    """
    if chosen := os.environ.get("VAPEWATCH_CHROMIUM"):
        candidates = [Path(chosen)]
    else:
        downloads = Path(os.environ.get("PLAYWRIGHT_BROWSERS_PATH", Path.home() / ".cache/ms-playwright"))
        candidates = [
            *sorted(downloads.glob("chromium-*/chrome-linux*/chrome"), reverse=True),
            *SYSTEM_CHROMIUM,
        ]
    found = next(filter(Path.is_file, candidates), None)
    if found is None:
        raise FileNotFoundError(
            f"no Chromium at {', '.join(map(str, candidates))}; name one in VAPEWATCH_CHROMIUM"
        )
    return found


def is_unneeded(request: Request) -> bool:
    """Pictures, media and anything from another host: a listing's text needs none of it."""
    return request.resource_type in NEVER | LOOKS or _is_a_guest(request)


def is_foreign(platform: Platform, request: Request) -> bool:
    """The same where the page is to be seen: its pictures and styles may come, from the platform's hosts."""
    if request.resource_type in LOOKS:
        return not platform.serves_media(request.url)
    return request.resource_type in NEVER or _is_a_guest(request)


def _is_a_guest(request: Request) -> bool:
    page = request.frame.url if not request.is_navigation_request() else request.url
    return page.startswith("http") and urlsplit(request.url).netloc != urlsplit(page).netloc


def browser_meta(job: CrawlJob) -> dict[str, object]:
    """Request.meta of a page that Chromium shall load, waiting for a sign that the profile knows."""
    signs = ", ".join(dict.fromkeys(_signs(job.platform)))
    rendering = Rendering(signs, with_view=needs_looks(job), timeout_s=job.timeout_s)
    return {
        RENDERING: rendering,
        "playwright": True,
        "playwright_context": CONTEXT,
        # Made with the first page: PLAYWRIGHT_CONTEXTS would start a second browser for the scheme not used.
        "playwright_context_kwargs": {
            "user_agent": user_agent(job.contact),
            "accept_downloads": False,  # a page is read, nothing is fetched to disk
            "service_workers": "block",  # they would answer in the site's stead
            "viewport": {"width": VIEW_WIDTH, "height": VIEW_HEIGHT},
        },
        "playwright_page_goto_kwargs": {"wait_until": "domcontentloaded"},
        "playwright_page_init_callback": rendering.watch,
        "playwright_page_methods": [PageMethod(rendering.keep)],
    }


def _signs(platform: Platform) -> Iterable[str]:
    rules = platform.presence
    markers: list[Marker] = [*rules.alive, *rules.sold_out, *rules.gone] if rules else []
    if platform.search:
        yield platform.search.item_links
        markers += [platform.search.empty] if platform.search.empty else []
    yield from (marker.css for marker in markers)
    yield from (block.css for block in platform.blocks if block.css)
