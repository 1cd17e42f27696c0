"""Scrapy's settings for one job. Everything that differs from Scrapy's default says why."""

from __future__ import annotations

from crawlers.answer import MAX_BODY
from crawlers.browser import browser_settings
from crawlers.patience import Patience
from crawlers.politeness import ROBOT_NAME, concurrency_of, delay_of, user_agent
from crawlers.rundir import CrawlJob

MAX_REDIRECTS = 5  # shops use one or two; more is a trap


def settings_for(job: CrawlJob) -> dict[str, object]:
    """The whole of what a crawl is run with."""
    settings = _politeness(job) | _limits(job) | QUIET | MIDDLEWARES | _ours(job)
    return settings | browser_settings(job) if job.platform.render == "browser" else settings


def _politeness(job: CrawlJob) -> dict[str, object]:
    return {
        "USER_AGENT": user_agent(job.contact),  # whom to complain to stands in every request
        "ROBOTSTXT_OBEY": True,  # the law of the house; enforced by StrictRobots
        "ROBOTSTXT_USER_AGENT": ROBOT_NAME,  # groups in robots.txt name products, not whole agents
        "DOWNLOAD_DELAY": delay_of(job.platform),  # the floor
        "DOWNLOAD_DELAY_JITTER": 0,  # Scrapy's ±50 % would go below the floor
        "CONCURRENT_REQUESTS": concurrency_of(job.platform),  # no queue builds up behind a pause
        "CONCURRENT_REQUESTS_PER_DOMAIN": concurrency_of(job.platform),  # one at a time
        "COOKIES_ENABLED": False,  # each look is a stranger's look; nothing to store or leak
        "REFERER_ENABLED": False,  # platforms need not know which search led to a page
        "HTTPPROXY_ENABLED": False,  # the environment must not hide who asks
        "CLOSESPIDER_PAGECOUNT": job.platform.politeness.daily_requests,  # the day's budget bounds a run
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
        "HTTPERROR_ALLOW_ALL": True,  # 403, 404 and 410 are answers, and judged
        "CLOSESPIDER_ERRORCOUNT": 10,  # our own faults: stop before hundreds of pages are lost to one
        "MEMUSAGE_LIMIT_MB": 2048,  # a leak ends this process, not the machine
    }


def _ours(job: CrawlJob) -> dict[str, object]:
    """What our own middlewares take."""
    return {"PLATFORM": job.platform, "PATIENCE": Patience()}


# One process, one crawl, nothing listening.
QUIET: dict[str, object] = {
    "REMOTE_CONTROL_ENABLED": False,  # on by default since 2.19: runs code that it is sent
    "TELNETCONSOLE_ENABLED": False,  # the same over telnet
    "LOG_LEVEL": "INFO",
    "LOGSTATS_INTERVAL": 0,  # progress is the number of lines written
    "DOWNLOAD_HANDLERS": {"file": None, "ftp": None, "s3": None, "data": None},  # marketplaces speak http
    "TWISTED_REACTOR": "twisted.internet.asyncioreactor.AsyncioSelectorReactor",
}

MIDDLEWARES: dict[str, object] = {
    "DOWNLOADER_MIDDLEWARES": {
        "scrapy.downloadermiddlewares.offsite.OffsiteMiddleware": None,  # ignores ports and dont_filter
        "crawlers.politeness.KnownHosts": 50,
        "scrapy.downloadermiddlewares.robotstxt.RobotsTxtMiddleware": None,  # leaks under concurrency
        "crawlers.politeness.StrictRobots": 100,
        "crawlers.politeness.CoolOff": 570,  # nearer the network than retry: a retried 503 waits as well
        "crawlers.patience.Gate": 575,  # after every wait, and before redirects and retries hide an answer
    },
}
