"""Every way in which a listing can answer, on all themes of the sample market and a shop of our own."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from itertools import zip_longest

import pytest

from crawlers.answer import Answer
from crawlers.evidence import read_evidence
from crawlers.listing import Presence
from crawlers.pages import Reading, read_page
from crawlers.platforms import Platform
from crawlers.presence import Judgement
from crawlers.rundir import Outcome, Target
from crawlers.spiders.recheck import compared
from takedowns.sample_market.modes import Mode
from tests.crawlers.shop import Page, item_html, shop_profile, targets, verdicts

EXPECTED = {
    Mode.UP: ("up", "alive"),
    Mode.SOLD_OUT: ("up", "sold_out"),
    Mode.ALTERED: ("altered", "title_changed"),
    Mode.HTTP_404: ("gone", "http_404"),
    Mode.HTTP_410: ("gone", "http_410"),
    Mode.SOFT_404: ("gone", "gone_marker"),
    Mode.REDIRECT_HOME: ("gone", "redirect_elsewhere"),
    Mode.LOGIN_WALL: ("blocked", "login_wall"),
    Mode.CAPTCHA_200: ("blocked", "captcha"),
    Mode.CAPTCHA_404: ("blocked", "captcha"),
    Mode.RATE_LIMITED: ("error", "http_429"),
    Mode.UNAVAILABLE: ("error", "http_503"),
    Mode.CUT: ("error", "connection_cut"),
    Mode.ENDLESS: ("error", "timeout"),
}
WALLS = (Mode.LOGIN_WALL, Mode.CAPTCHA_200, Mode.CAPTCHA_404, Mode.RATE_LIMITED)
SCRIPTED = {"sample-js": {Mode.CUT: ("error", "timeout")}}  # Chromium waits for the rest of a cut page
THEMES = {"sample": "mall", "sample-microdata": "bazaar", "sample-js": "live"}


def one_at_a_time(platform: Platform, home: str) -> Platform:
    """In order, so that no two walls meet."""
    politeness = platform.politeness.model_copy(update={"delay_s": 0.01})
    return platform.model_copy(update={"home": home, "politeness": politeness})


def with_walls_apart() -> list[Mode]:
    others = [mode for mode in Mode if mode not in WALLS]
    return [mode for pair in zip_longest(others, WALLS) for mode in pair if mode]


@pytest.mark.parametrize("name", THEMES)
def test_each_way_of_answering_gets_the_verdict_that_is_its_own(market, shipped, crawl, name):
    listings = [row for row in market.truth()["listings"] if row["theme"] == THEMES[name]]
    chosen = dict(zip(with_walls_apart(), listings, strict=False))
    for mode, row in chosen.items():
        market.set_mode(row["item_id"], mode)
    try:
        run = crawl(
            one_at_a_time(shipped[name], market.base_url),
            targets=tuple(
                Target(item_id=row["item_id"], url=market.base_url + row["path"], title=row["title"])
                for row in chosen.values()
            ),
            timeout_s=4,
        )
    finally:
        for row in chosen.values():
            market.set_mode(row["item_id"], Mode.UP)
    found = {mode: verdicts(run)[row["item_id"]] for mode, row in chosen.items()}
    assert found == EXPECTED | SCRIPTED.get(name, {})
    assert run.stats.canary_ok is True
    assert run.stats.outcome is Outcome.PARTIAL
    assert all(bool(s.evidence) == bool(s.http_status) for s in run.sightings)
    assert {s.listing.title for s in run.sightings if s.state == "up"} == {
        chosen[mode]["title"] for mode in (Mode.UP, Mode.SOLD_OUT)
    }


def test_a_failed_canary_voids_the_run(shop, profile, crawl):
    canary = {"alive": "{home}/item/canary.html", "absent": "{home}/item/0.html"}
    shop.item("1")
    run = crawl(shop_profile(shop.home, canary=canary), targets=targets(shop.home, "1"))
    assert verdicts(run) == {"1": ("up", "alive")}
    assert run.stats.canary_ok is False
    assert run.stats.outcome is Outcome.FAILED
    assert "canary_failed" in {issue.code for issue in run.issues}


def test_a_shop_without_a_canary_that_changed_all_its_addresses_has_removed_nothing(shop, profile, crawl):
    run = crawl(profile, targets=targets(shop.home, "1", "2"))
    assert set(verdicts(run).values()) == {("gone", "http_404")}
    assert run.stats.canary_ok is None
    assert run.stats.outcome is Outcome.FAILED
    assert "nothing_up" in {issue.code for issue in run.issues}


def test_a_site_that_answers_every_id_alike_fails_its_canary(shop, crawl):
    canary = {"alive": "{home}/item/canary.html", "absent": "{home}/item/0.html"}
    for item_id in ("1", "0", "canary"):
        shop.item(item_id)
    run = crawl(shop_profile(shop.home, canary=canary), targets=targets(shop.home, "1"))
    assert run.stats.canary_ok is False


def test_a_working_canary_pair_is_noted(shop, crawl):
    canary = {"alive": "{home}/item/canary.html", "absent": "{home}/item/0.html"}
    shop.item("1")
    shop.item("canary")
    run = crawl(shop_profile(shop.home, canary=canary), targets=targets(shop.home, "1"))
    assert run.stats.canary_ok is True
    assert run.stats.outcome is Outcome.OK


def test_links_that_leave_the_platform_are_refused_before_connecting(shop, profile, crawl):
    shop.pages["/item/far.html"] = Page("", 302, {"Location": "http://169.254.169.254/latest/meta-data"})
    odd = (
        Target(item_id="file", url="file:///etc/passwd"),
        Target(item_id="other", url="http://127.0.0.1:1/item/other.html"),
        Target(item_id="none", url="not an address"),
        Target(item_id="broken", url="http://[::1/item/broken.html"),
        *targets(shop.home, "far"),
    )
    run = crawl(profile, targets=odd)
    assert verdicts(run) == {
        "file": ("error", "off_platform"),
        "other": ("error", "off_platform"),
        "none": ("error", "bad_url"),
        "broken": ("error", "bad_url"),
        "far": ("error", "off_platform"),
    }


def test_a_long_job_is_asked_for_bit_by_bit_and_nothing_of_it_is_left_out(shop, profile, crawl):
    ids = [str(n) for n in range(60)]
    for item_id in ids:
        shop.item(item_id)
    last = Target(item_id="last", url="not an address")
    run = crawl(profile, targets=(*targets(shop.home, *ids), last))
    assert verdicts(run) == dict.fromkeys(ids, ("up", "alive")) | {"last": ("error", "bad_url")}
    assert max(shop.hits.values()) == 1


def test_what_a_walled_off_run_never_came_to_was_never_queued(shop, crawl):
    ids = [str(n) for n in range(60)]
    for item_id in ids:
        shop.pages[f"/item/{item_id}.html"] = Page('<div id="captcha">滑动验证</div>')
    last = Target(item_id="last", url="not an address")  # told as such when its request is made
    profile = shop_profile(shop.home, politeness={"delay_s": 0.01})
    run = crawl(profile, targets=(*targets(shop.home, *ids), last))
    assert verdicts(run)["last"] == ("blocked", "crawl_blocked")
    assert run.stats.finish_reason == "blocked"
    assert shop.hits.total() == 3  # robots.txt and two walls


def test_a_redirect_to_a_login_host_is_a_wall_though_it_is_not_followed(shop, profile, crawl):
    shop.pages["/item/1.html"] = Page("", 302, {"Location": "https://login.mall.example/?next=1"})
    run = crawl(profile, targets=targets(shop.home, "1"))
    assert verdicts(run) == {"1": ("blocked", "login_wall")}


def test_a_redirect_loop_and_a_chain_of_a_thousand_end(shop, profile, crawl):
    shop.pages["/item/1.html"] = Page("", 302, {"Location": "/item/1.html"})
    run = crawl(profile, targets=targets(shop.home, "1"))
    assert verdicts(run) == {"1": ("error", "redirect_loop")}
    assert shop.hits["/item/1.html"] <= 6


def test_hostile_bodies_end_as_errors_in_bounded_time(shop, profile, crawl):
    huge = "<p>" + "x" * (9 * 1024 * 1024)
    bomb = "<p " + " ".join(f"a{n}=1" for n in range(400_000)) + ">"
    shop.pages |= {
        "/item/huge.html": Page(huge),
        "/item/bomb.html": Page(bomb),
        "/item/trickle.html": Page(item_html(), stall_s=20),
        "/item/cut.html": Page(item_html(), cut=True),
        "/item/deep.html": Page("<div>" * 500_000 + "x"),
        "/item/picture.html": Page(
            b"\x89PNG\r\n\x1a\n" + bytes(range(256)), headers={"Content-Type": "image/png"}
        ),
        "/item/nothing.html": Page(""),
    }
    ids = ("huge", "bomb", "trickle", "cut", "deep", "picture", "nothing")
    run = crawl(profile, targets=targets(shop.home, *ids), timeout_s=2)
    assert verdicts(run) == {
        "huge": ("error", "too_large"),
        "bomb": ("error", "too_complex"),
        "trickle": ("error", "timeout"),
        "cut": ("error", "connection_cut"),
        "deep": ("error", "unrecognised"),
        "picture": ("error", "not_html"),
        "nothing": ("error", "unrecognised"),
    }
    assert (run.stats.finished_at - run.stats.started_at).total_seconds() < 20


def test_a_demo_clock_stands_on_every_sighting(shop, profile, crawl):
    shop.item("1")
    start = datetime(2026, 10, 3, 8, tzinfo=UTC)
    run = crawl(profile, targets=targets(shop.home, "1"), clock=start)
    (sighting,) = run.sightings
    assert run.stats.simulated is True
    assert start <= sighting.observed_at <= start + timedelta(minutes=2)
    assert start <= run.stats.started_at <= sighting.observed_at


def test_the_page_behind_a_sighting_can_be_read_again(shop, profile, crawl):
    shop.item("1", "植物饮料 便携 蓝莓味")
    run = crawl(profile, targets=targets(shop.home, "1"))
    (sighting,) = run.sightings
    page = read_evidence(run.path, sighting.evidence)
    assert "植物饮料 便携 蓝莓味" in page.html
    assert (page.status, page.url) == (200, f"{shop.home}/item/1.html")


def test_another_title_on_the_same_id_is_altered_only_beyond_recognition():
    reading = read("不锈钢晾衣架 二十只装")
    up = Judgement(Presence.UP, "alive")
    target = Target(item_id="1", url="http://mall.example/1", title="医用雾化器 家用 便携")
    assert compared(Reading(up, reading), target).state is Presence.ALTERED
    assert compared(Reading(up, read("【限时】医用雾化器（家用）便携 包邮")), target).state is Presence.UP
    assert compared(Reading(up, None), target).state is Presence.UP


def read(title: str):
    profile = shop_profile("http://mall.example")
    url = "http://mall.example/item/1.html"
    answer = Answer(url, url, 200, item_html(title).encode())
    return read_page(answer, profile, "1", datetime.now(UTC)).listing
