"""Pages that only exist after their scripts ran: Chromium, one context, nothing from outside."""

from __future__ import annotations

import os
from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from playwright.async_api import Page
from playwright.async_api import TimeoutError as BrowserTimeout
from scrapy_playwright.page import PageMethod

from crawlers.platforms import Marker, Platform
from crawlers.politeness import concurrency_of, user_agent
from crawlers.rundir import CrawlJob

if TYPE_CHECKING:
    from playwright.async_api import Request

CONTEXT = "crawl"  # one named context for the whole crawl: one per request deadlocks (scrapy-playwright)
MAX_PAGES = 2  # Chromium costs a few hundred MB a page
SETTLE_S = 5.0  # longest wait for a script to show something that the profile knows
SYSTEM_CHROMIUM = tuple(
    map(Path, ("/usr/bin/chromium", "/usr/bin/chromium-browser", "/usr/bin/google-chrome"))
)
UNNEEDED = frozenset({"image", "media", "font", "stylesheet", "websocket", "manifest", "beacon", "ping"})


def browser_settings(job: CrawlJob) -> dict[str, object]:
    """What Scrapy needs on top for ``render: browser``."""
    handler = "scrapy_playwright.handler.ScrapyPlaywrightDownloadHandler"
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
        "PLAYWRIGHT_CONTEXTS": {
            CONTEXT: {
                "user_agent": user_agent(job.contact),
                "accept_downloads": False,  # a page is read, nothing is fetched to disk
                "service_workers": "block",  # they would answer in the site's stead
            }
        },
        "PLAYWRIGHT_DEFAULT_NAVIGATION_TIMEOUT": timeout_ms,
        "PLAYWRIGHT_DOWNLOAD_TIMEOUT": timeout_ms,
        "PLAYWRIGHT_ABORT_REQUEST": is_unneeded,
        "PLAYWRIGHT_LAUNCH_OPTIONS": launch_options(job.platform),
    }


def launch_options(platform: Platform) -> dict[str, object]:
    """How Chromium is started. Its resolver knows the platform's hosts only: redirects in the browser do not
    pass Scrapy's middlewares, and must not reach this machine's neighbours.
    """
    hosts = {urlsplit(platform.home or "").hostname, *(host.rsplit(":", 1)[0] for host in platform.hosts)}
    known = " , ".join(f"EXCLUDE {host}" for host in sorted(filter(None, hosts)))
    return {
        "executable_path": str(chromium()),
        "args": [
            f"--host-resolver-rules=MAP * ~NOTFOUND , {known}",
            "--no-proxy-server",  # the environment must not hide who asks
            "--disable-background-networking",
            "--disable-dev-shm-usage",  # small shared memory in containers crashes pages
        ],
        # The sandbox needs an unprivileged user; as root Chromium does not start with it.
        "chromium_sandbox": os.geteuid() != 0,
    }


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
    if request.resource_type in UNNEEDED:
        return True
    page = request.frame.url if not request.is_navigation_request() else request.url
    return page.startswith("http") and urlsplit(request.url).netloc != urlsplit(page).netloc


def browser_meta(platform: Platform) -> dict[str, object]:
    """Request.meta of a page that Chromium shall load, waiting for a sign that the profile knows."""
    return {
        "playwright": True,
        "playwright_context": CONTEXT,
        "playwright_page_goto_kwargs": {"wait_until": "domcontentloaded"},
        "playwright_page_methods": [PageMethod(settle, ", ".join(dict.fromkeys(_signs(platform))))],
    }


async def settle(page: Page, signs: str) -> None:
    """Waits until one of ``signs`` is on the page; without any, the page is judged as it stands."""
    if not await page.locator("script").count():  # nothing will change it
        return
    try:
        await page.wait_for_selector(signs, state="attached", timeout=SETTLE_S * 1000)
    except BrowserTimeout:
        return


def _signs(platform: Platform) -> Iterable[str]:
    rules = platform.presence
    markers: list[Marker] = [*rules.alive, *rules.sold_out, *rules.gone] if rules else []
    if platform.search:
        yield platform.search.item_links
        markers += [platform.search.empty] if platform.search.empty else []
    yield from (marker.css for marker in markers)
    yield from (block.css for block in platform.blocks if block.css)
