"""What a crawl runs of Scrapy's own is named, and nothing else is run."""

from __future__ import annotations

import pytest
from scrapy.settings import Settings

from crawlers.rundir import CrawlJob, RunKind
from crawlers.settings import settings_for
from tests.crawlers.shop import shop_profile, targets


@pytest.fixture
def chains():
    home = "https://mall.example"
    job = CrawlJob(
        run_id="r",
        kind=RunKind.RECHECK,
        platform=shop_profile(home),
        targets=targets(home, "1"),
        contact="a@b.example",
    )
    settings = Settings(settings_for(job))

    def names(chain: str) -> list[str]:
        found = settings.get_component_priority_dict_with_base(chain)
        return [str(name).rpartition(".")[2] for name in sorted(found, key=found.get)]

    return names


def test_a_request_passes_our_guards_before_and_our_gate_after_all_that_waits_or_repeats(chains):
    assert chains("DOWNLOADER_MIDDLEWARES") == [
        "KnownHosts",
        "PublicOnly",
        "StrictRobots",
        "DownloadTimeoutMiddleware",
        "DefaultHeadersMiddleware",
        "UserAgentMiddleware",
        "RetryMiddleware",
        "RedirectMiddleware",
        "CoolOff",
        "Gate",
        "HttpCompressionMiddleware",
    ]


def test_nothing_that_listens_stores_or_disguises_is_loaded(chains):
    assert set(chains("EXTENSIONS")) == {"CoreStats", "MemoryUsage", "CloseSpider"}
    assert chains("SPIDER_MIDDLEWARES") == ["UrlLengthMiddleware", "DepthMiddleware"]
