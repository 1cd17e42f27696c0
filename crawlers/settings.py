"""Scrapy's settings for one job. Everything that differs from Scrapy's default says why."""

from __future__ import annotations

from urllib.parse import urlsplit

from crawlers.answer import MAX_BODY
from crawlers.apis.keys import KEYS
from crawlers.browser import browser_settings, needs_browser
from crawlers.patience import Patience
from crawlers.platforms import Platform
from crawlers.politeness import FLOOR_DELAY_S, ROBOT_NAME, budget_of, concurrency_of, delay_of, user_agent
from crawlers.rundir import CrawlJob

MAX_REDIRECTS = 5  # shops use one or two; more is a trap


def settings_for(job: CrawlJob) -> dict[str, object]:
    """The whole of what a crawl is run with."""
    settings = _politeness(job) | _limits(job) | QUIET | LEAN | MIDDLEWARES | _ours(job)
    return settings | browser_settings(job) if needs_browser(job) else settings


def is_keyed(platform: Platform) -> bool:
    """Whether the platform is an interface that is asked with a key of our own."""
    return platform.api is not None and bool(KEYS[platform.api.interface])


def _politeness(job: CrawlJob) -> dict[str, object]:
    delay, at_a_time = delay_of(job.platform), concurrency_of(job.platform)
    home = urlsplit(job.platform.home or "").hostname
    return {
        "USER_AGENT": user_agent(job.contact),  # whom to complain to stands in every request
        # The law of the house, enforced by StrictRobots; who gave us a key has told us himself what we may.
        "ROBOTSTXT_OBEY": not is_keyed(job.platform),
        "ROBOTSTXT_USER_AGENT": ROBOT_NAME,  # groups in robots.txt name products, not whole agents
        "DOWNLOAD_DELAY": max(delay, FLOOR_DELAY_S),  # the floor, for every host
        # A home on this machine may be asked faster, and no other host that its profile names.
        "DOWNLOAD_SLOTS": {home: {"delay": delay, "concurrency": at_a_time}},
        "DOWNLOAD_DELAY_JITTER": 0,  # Scrapy's ±50 % would go below the floor
        "CONCURRENT_REQUESTS": at_a_time,  # no queue builds up behind a pause
        "CONCURRENT_REQUESTS_PER_DOMAIN": 1,  # one at a time
        "COOKIES_ENABLED": False,  # each look is a stranger's look; nothing to store or leak
        "REFERER_ENABLED": False,  # platforms need not know which search led to a page
        "HTTPPROXY_ENABLED": False,  # the environment must not hide who asks
    }


def _limits(job: CrawlJob) -> dict[str, object]:
    return {
        "DOWNLOAD_MAXSIZE": MAX_BODY,  # also bounds what a small compressed body unfolds to
        "DOWNLOAD_WARNSIZE": 0,  # the limit above is enough
        "DOWNLOAD_TIMEOUT": job.timeout_s,  # for the whole body: ends a body that never ends
        "DNS_TIMEOUT": 10,  # the default minute is longer than a page may take
        "REDIRECT_MAX_TIMES": MAX_REDIRECTS,
        "METAREFRESH_ENABLED": False,  # a page's text must not send us elsewhere unseen
        "RETRY_TIMES": 1,  # a passing fault gets one more chance; the next run is the real second look
        "RETRY_HTTP_CODES": [500, 502, 503, 504],  # not 429: it asks us to stop asking
        "RETRY_EXCEPTIONS": [  # not timeouts: an endless page would cost twice the time
            "scrapy.exceptions.DownloadFailedError",
            "scrapy.exceptions.ResponseDataLossError",
        ],
        "RETRY_GIVE_UP_LOG_LEVEL": "INFO",  # the sighting says it already
        "DEPTH_LIMIT": 60,  # search pages follow one another; a profile reads at most 50
        "CLOSESPIDER_ERRORCOUNT": 10,  # our own faults: stop before hundreds of pages are lost to one
        "MEMUSAGE_LIMIT_MB": 2048,  # a leak ends this process, not the machine
    }


def _ours(job: CrawlJob) -> dict[str, object]:
    """What our own middlewares take."""
    budget = budget_of(job.platform)
    patience = Patience(min(budget, job.requests_at_most or budget), job.seconds_at_most)
    return {"PLATFORM": job.platform, "PATIENCE": patience}


# One process, one crawl, nothing listening.
QUIET: dict[str, object] = {
    "REMOTE_CONTROL_ENABLED": False,  # on by default since 2.19: runs code that it is sent
    "TELNETCONSOLE_ENABLED": False,  # the same over telnet
    "LOG_LEVEL": "INFO",
    "CONCURRENT_ITEMS": 1,  # our callbacks yield no items; Scrapy starts as many tasks for every page
    "DOWNLOAD_HANDLERS": {
        **dict.fromkeys(("http", "https"), "crawlers.connections.KeptConnections"),
        **dict.fromkeys(("file", "ftp", "s3", "data")),  # None: marketplaces speak http
    },
    "TWISTED_REACTOR": "twisted.internet.asyncioreactor.AsyncioSelectorReactor",
}

# What is run of Scrapy's own, and nothing else: its defaults load what is switched off as well, a web server
# and a telnet among them, and call for every page what does nothing here. No HttpErrorMiddleware: 403, 404
# and 410 are answers, and judged. No DownloaderStats: it writes each request out to count its bytes.
LEAN: dict[str, object] = {
    "SCHEDULER_PRIORITY_QUEUE": "scrapy.pqueues.ScrapyPriorityQueue",  # one host: none waits for another
    "WARN_ON_GENERATOR_RETURN_VALUE": False,  # reads the source of our callbacks; mypy did so before
    "EXTENSIONS_BASE": {
        "scrapy.extensions.corestats.CoreStats": 0,  # the finish reason
        "scrapy.extensions.memusage.MemoryUsage": 0,  # MEMUSAGE_LIMIT_MB
        "scrapy.extensions.closespider.CloseSpider": 0,  # CLOSESPIDER_ERRORCOUNT
    },
    "DOWNLOADER_MIDDLEWARES_BASE": {
        "scrapy.downloadermiddlewares.downloadtimeout.DownloadTimeoutMiddleware": 350,
        "scrapy.downloadermiddlewares.defaultheaders.DefaultHeadersMiddleware": 400,
        "scrapy.downloadermiddlewares.useragent.UserAgentMiddleware": 500,
        "scrapy.downloadermiddlewares.retry.RetryMiddleware": 550,
        # Scrapy's 600 takes redirects away before they are counted.
        "scrapy.downloadermiddlewares.redirect.RedirectMiddleware": 555,
        "scrapy.downloadermiddlewares.httpcompression.HttpCompressionMiddleware": 590,
    },
    "SPIDER_MIDDLEWARES_BASE": {
        "scrapy.spidermiddlewares.urllength.UrlLengthMiddleware": 800,
        "scrapy.spidermiddlewares.depth.DepthMiddleware": 900,
    },
}

MIDDLEWARES: dict[str, object] = {
    "DOWNLOADER_MIDDLEWARES": {
        "crawlers.politeness.KnownHosts": 50,  # Scrapy's OffsiteMiddleware ignores ports and dont_filter
        "crawlers.addresses.PublicOnly": 60,  # before robots.txt is asked for: that is a connection as well
        "scrapy.downloadermiddlewares.robotstxt.RobotsTxtMiddleware": None,  # leaks under concurrency
        "crawlers.politeness.StrictRobots": 100,
        "crawlers.politeness.CoolOff": 570,  # nearer the network than retry: a retried 503 waits as well
        "crawlers.patience.Gate": 575,  # after every wait, and before redirects and retries hide an answer
    },
}
