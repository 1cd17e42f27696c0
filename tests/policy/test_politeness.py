"""No profile goes faster than the floor, and nothing that keeps us polite is switched off."""

from __future__ import annotations

from pathlib import Path

import pytest

from crawlers.platforms import Platform
from crawlers.politeness import FLOOR_DELAY_S, concurrency_of, delay_of, is_loopback
from crawlers.rundir import CrawlJob, RunKind, Target
from crawlers.settings import settings_for
from takedowns import configuration

CONFIG = Path(__file__).parents[2] / "config"
PROFILES = configuration.platforms(CONFIG)
CRAWLED = {name: profile for name, profile in PROFILES.items() if profile.road == "page"}


def settings(profile: Platform) -> dict[str, object]:
    target = Target(item_id="1", url=f"{profile.home}/1")
    job = CrawlJob(
        run_id="r", kind=RunKind.RECHECK, platform=profile, targets=(target,), contact="a@b.example"
    )
    return settings_for(job)


@pytest.mark.parametrize("name", CRAWLED)
def test_no_profile_undercuts_the_floor(name: str) -> None:
    abroad = CRAWLED[name].model_copy(update={"home": "https://mall.example"})
    for profile in (CRAWLED[name], abroad):
        foreign = not is_loopback(profile.home or "")
        assert delay_of(profile) >= (FLOOR_DELAY_S if foreign else 0)
        assert settings(profile)["DOWNLOAD_DELAY"] == delay_of(profile)
    assert FLOOR_DELAY_S >= 3
    assert concurrency_of(abroad) == 1
    assert settings(abroad)["CONCURRENT_REQUESTS"] == settings(abroad)["CONCURRENT_REQUESTS_PER_DOMAIN"] == 1


@pytest.mark.parametrize("name", CRAWLED)
def test_robots_are_obeyed_by_our_strict_class_and_the_agent_is_honest(name: str) -> None:
    found = settings(CRAWLED[name])
    chain = found["DOWNLOADER_MIDDLEWARES"]
    assert found["ROBOTSTXT_OBEY"] is True
    assert found["DOWNLOAD_DELAY_JITTER"] == 0
    assert isinstance(chain, dict)
    assert chain["scrapy.downloadermiddlewares.robotstxt.RobotsTxtMiddleware"] is None
    assert {
        "crawlers.politeness.StrictRobots",
        "crawlers.politeness.CoolOff",
        "crawlers.patience.Gate",
    } <= set(chain)
    assert str(found["USER_AGENT"]).startswith("Vapewatch/")
    assert "a@b.example" in str(found["USER_AGENT"])


@pytest.mark.parametrize("name", CRAWLED)
def test_nothing_listens_and_nothing_is_unbounded(name: str) -> None:
    found = settings(CRAWLED[name])
    assert (
        found["REMOTE_CONTROL_ENABLED"] is found["TELNETCONSOLE_ENABLED"] is found["COOKIES_ENABLED"] is False
    )
    assert all(found[limit] for limit in ("DOWNLOAD_MAXSIZE", "DOWNLOAD_TIMEOUT", "CLOSESPIDER_PAGECOUNT"))


@pytest.mark.parametrize("name", PROFILES)
def test_a_profile_that_was_not_tried_is_not_crawled(name: str) -> None:
    profile = PROFILES[name]
    assert profile.verified or profile.road == "import"
    assert profile.verified or profile.lead.channel == "manual"


@pytest.mark.parametrize("name", CRAWLED)
def test_a_browser_is_used_only_with_a_reason(name: str) -> None:
    assert CRAWLED[name].render == "http" or CRAWLED[name].render_reason
