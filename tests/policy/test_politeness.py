"""No profile goes faster than the floor, and nothing that keeps us polite is switched off."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from crawlers.patience import Patience
from crawlers.permission import PastRun, silent_until
from crawlers.platforms import Platform, Politeness
from crawlers.politeness import (
    FLOOR_DELAY_S,
    MAX_DAILY_REQUESTS,
    budget_of,
    concurrency_of,
    delay_of,
    is_loopback,
)
from crawlers.rundir import CrawlJob, RunKind, Target
from crawlers.settings import settings_for
from takedowns import configuration

CONFIG = Path(__file__).parents[2] / "config"
PANELS = configuration.panels(CONFIG)
PROFILES = configuration.platforms(CONFIG)
CRAWLED = {name: profile for name, profile in PROFILES.items() if profile.road != "import"}
KEYED = {"ebay", "taobao-union", "jd-union", "pdd-ddjb"}  # robots.txt is not what their keys were given by


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
        slots = settings(profile)["DOWNLOAD_SLOTS"]
        assert isinstance(slots, dict)
        assert [slot["delay"] for slot in slots.values()] == [delay_of(profile)]
        assert settings(profile)["DOWNLOAD_DELAY"] == max(FLOOR_DELAY_S, delay_of(profile))
    assert FLOOR_DELAY_S >= 3
    assert concurrency_of(abroad) == 1
    assert settings(abroad)["CONCURRENT_REQUESTS"] == settings(abroad)["CONCURRENT_REQUESTS_PER_DOMAIN"] == 1


@pytest.mark.parametrize("name", CRAWLED)
def test_robots_are_obeyed_by_our_strict_class_and_the_agent_is_honest(name: str) -> None:
    found = settings(CRAWLED[name])
    chain = found["DOWNLOADER_MIDDLEWARES"]
    assert found["ROBOTSTXT_OBEY"] is (name not in KEYED)
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
    assert all(found[limit] for limit in ("DOWNLOAD_MAXSIZE", "DOWNLOAD_TIMEOUT"))
    patience = found["PATIENCE"]
    assert isinstance(patience, Patience)
    assert 0 < patience.requests_at_most <= CRAWLED[name].politeness.daily_requests


@pytest.mark.parametrize("name", PROFILES)
def test_a_profile_that_was_not_tried_is_asked_by_its_interface_if_at_all(name: str) -> None:
    profile = PROFILES[name]
    assert profile.verified or profile.road in {"import", "api"}
    assert profile.verified or profile.lead.channel == "manual"


@pytest.mark.parametrize("name", PANELS)
def test_a_panel_is_of_a_platform_that_is_crawled_and_leaves_it_most_of_the_day(name: str) -> None:
    profile = CRAWLED[name]
    assert profile.search is not None
    assert PANELS[name].cost(profile.search.pages) <= budget_of(profile) / 4


@pytest.mark.parametrize("name", CRAWLED)
def test_no_profile_raises_the_days_budget_or_shortens_a_silence(name: str) -> None:
    abroad = CRAWLED[name].model_copy(update={"home": "https://mall.example"})
    assert budget_of(abroad) <= MAX_DAILY_REQUESTS <= 10_000
    now = datetime(2026, 10, 14, 4, tzinfo=UTC)
    refused = PastRun(now, now, 10, refusals=1)
    blocked = PastRun(now, now, 10, blocked=True)
    assert (silent_until(abroad, [refused]) or now) >= now + timedelta(hours=1)
    assert (silent_until(abroad, [blocked]) or now) >= now + timedelta(hours=6)


@pytest.mark.parametrize("named", ["hosts", "media_hosts"])
def test_a_home_on_this_machine_exempts_no_other_host_that_is_named_beside_it(named: str) -> None:
    wish = Politeness(delay_s=0, daily_requests=MAX_DAILY_REQUESTS + 1)
    mixed = PROFILES["sample"].model_copy(update={named: ("mall.example",), "politeness": wish})
    assert settings(mixed)["DOWNLOAD_DELAY"] == FLOOR_DELAY_S
    assert settings(mixed)["CONCURRENT_REQUESTS_PER_DOMAIN"] == 1
    assert "mall.example" not in str(settings(mixed)["DOWNLOAD_SLOTS"])
    assert budget_of(mixed) == MAX_DAILY_REQUESTS
    now = datetime(2026, 10, 14, 4, tzinfo=UTC)
    assert silent_until(mixed, [PastRun(now, now, 10, refusals=1)]) is not None


@pytest.mark.parametrize("name", CRAWLED)
def test_a_browser_is_used_only_with_a_reason(name: str) -> None:
    assert CRAWLED[name].render == "http" or CRAWLED[name].render_reason
