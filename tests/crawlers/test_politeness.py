"""Robots, pauses and walls, seen from the other side: what a shop's own log says about us."""

from __future__ import annotations

import asyncio
import json
import time
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st
from scrapy import Request
from scrapy.http import Response

from crawlers.politeness import (
    FLOOR_DELAY_S,
    CoolOff,
    concurrency_of,
    cool_off_of,
    delay_of,
    is_loopback,
    user_agent,
)
from crawlers.rundir import Outcome
from tests.crawlers.shop import Page, shop_profile, targets, verdicts

TEN = [str(number) for number in range(10)]
CAPTCHA = Page('<div id="captcha">请完成滑动验证</div>')


def page_hits(shop) -> int:
    return sum(count for path, count in shop.hits.items() if path.startswith("/item/"))


def robots(shop, text: str, **answer: object) -> None:
    shop.pages["/robots.txt"] = Page(text, headers={"Content-Type": "text/plain"}, **answer)


@pytest.fixture
def ten(shop):
    for item_id in TEN:
        shop.item(item_id)
    return targets(shop.home, *TEN)


def test_ten_disallowed_addresses_asked_for_at_once_get_no_hit(shop, profile, crawl, ten):
    robots(shop, "User-agent: *\nDisallow: /item/")
    run = crawl(profile, targets=ten)
    assert concurrency_of(profile) > 1
    assert page_hits(shop) == 0
    assert shop.hits["/robots.txt"] == 1
    assert set(verdicts(run).values()) == {("error", "robots_disallowed")}


def test_a_group_for_our_own_name_is_obeyed(shop, profile, crawl, ten):
    robots(shop, "User-agent: *\nAllow: /\n\nUser-agent: Vapewatch\nDisallow: /item/")
    crawl(profile, targets=ten)
    assert page_hits(shop) == 0


@pytest.mark.parametrize("status", [500, 503, 429])
def test_robots_that_cannot_be_read_close_the_host(shop, profile, crawl, ten, status):
    shop.pages["/robots.txt"] = Page("", status, {"Retry-After": "1"})
    run = crawl(profile, targets=ten)
    assert page_hits(shop) == 0
    assert {state for state, _ in verdicts(run).values()} == {"error"}


def test_robots_whose_connection_is_cut_close_the_host(shop, profile, crawl, ten):
    shop.pages["/robots.txt"] = Page("User-agent", cut=True)
    crawl(profile, targets=ten)
    assert page_hits(shop) == 0


def test_a_dead_host_is_named_and_nothing_is_inferred(crawl):
    home = "http://127.0.0.1:9"
    run = crawl(shop_profile(home), targets=targets(home, *TEN, *(f"more{n}" for n in range(20))))
    assert run.stats.outcome is Outcome.FAILED
    assert "dead_host" in {issue.code for issue in run.issues}
    assert {state for state, _ in verdicts(run).values()} == {"error"}
    assert len(run.sightings) == 30


@pytest.mark.parametrize("answer", [Page("missing", 404), Page("User-agent: *\nAllow: /")])
def test_allowed_addresses_are_all_read(shop, profile, crawl, ten, answer):
    shop.pages["/robots.txt"] = answer
    run = crawl(profile, targets=ten)
    assert page_hits(shop) == 10
    assert set(verdicts(run).values()) == {("up", "alive")}
    assert run.stats.outcome is Outcome.OK


def test_a_redirect_into_a_disallowed_path_is_not_followed(shop, profile, crawl):
    robots(shop, "User-agent: *\nDisallow: /private/")
    shop.pages["/item/1.html"] = Page("", 302, {"Location": "/private/orders"})
    run = crawl(profile, targets=targets(shop.home, "1"))
    assert shop.hits["/private/orders"] == 0
    assert verdicts(run)["1"] == ("error", "robots_disallowed")


def test_every_request_on_the_way_of_a_redirect_is_counted(shop, profile, crawl):
    shop.pages["/item/1.html"] = Page("", 302, {"Location": "/moved"})
    shop.pages["/moved"] = Page("", 301, {"Location": "/there"})
    run = crawl(profile, targets=targets(shop.home, "1"))
    assert run.requests.requests == len(shop.times) == 4  # robots.txt as well
    lines = (run.path / "requests.jsonl").read_text().splitlines()
    assert [json.loads(line)["status"] for line in lines] == [404, 302, 301, 404]


def test_walls_behind_redirects_are_walls_in_a_row(shop, profile, crawl, ten):
    shop.pages |= {f"/item/{item_id}.html": Page("", 302, {"Location": "/login?x"}) for item_id in TEN}
    run = crawl(profile.model_copy(update={"politeness": slow()}), targets=ten)
    assert (run.stats.finish_reason, page_hits(shop)) == ("blocked", 2)


def test_crawl_delay_is_honoured_even_on_this_machine(shop, profile, crawl):
    robots(shop, "User-agent: *\nCrawl-delay: 0.5")
    for item_id in TEN[:4]:
        shop.item(item_id)
    crawl(profile, targets=targets(shop.home, *TEN[:4]))
    moments = [moment for _, moment in shop.times]
    assert len(moments) == 5
    assert min(later - earlier for earlier, later in pairwise(moments)) >= 0.45


def test_the_floor_holds_between_requests_to_a_host_beside_a_home_on_this_machine(shop, crawl):
    beside = shop.home.replace("127.0.0.1", "localhost")
    shop.item("1")
    crawl(shop_profile(shop.home, hosts=[beside.removeprefix("http://")]), targets=targets(beside, "1"))
    (_, earlier), (_, later) = shop.times  # robots.txt and the listing
    assert later - earlier >= FLOOR_DELAY_S - 0.1


def test_a_crawl_delay_of_a_day_is_a_refusal(shop, profile, crawl, ten):
    robots(shop, "User-agent: *\nCrawl-delay: 86400")
    run = crawl(profile, targets=ten)
    assert page_hits(shop) == 0
    assert set(verdicts(run).values()) == {("error", "crawl_delay_too_long")}


def test_retry_after_is_waited_for(shop, profile, crawl):
    shop.pages["/item/a.html"] = Page("slow down", 429, {"Retry-After": "2"})
    shop.item("b")
    run = crawl(profile.model_copy(update={"politeness": slow()}), targets=targets(shop.home, "a", "b"))
    times = dict(shop.times)
    assert verdicts(run) == {"a": ("error", "http_429"), "b": ("up", "alive")}
    assert times["/item/b.html"] - times["/item/a.html"] >= 1.9


def test_who_waits_already_waits_as_long_as_a_later_answer_asks_for():
    request, late = Request("http://a.example/1"), Response("http://a.example/2", 429, {"Retry-After": "1"})
    cool_off = CoolOff()

    async def waited() -> float:
        began = time.monotonic()
        cool_off.process_response(request, late)
        waiting = asyncio.ensure_future(cool_off.process_request(request))
        await asyncio.sleep(0.6)
        cool_off.process_response(request, late)
        await waiting
        return time.monotonic() - began

    assert asyncio.run(waited()) >= 1.6


def test_two_walls_in_a_row_end_the_crawl(shop, profile, crawl):
    shop.pages |= {f"/item/{item_id}.html": CAPTCHA for item_id in TEN}
    run = crawl(profile.model_copy(update={"politeness": slow()}), targets=targets(shop.home, *TEN))
    assert page_hits(shop) == 2
    assert (run.stats.finish_reason, run.stats.outcome) == ("blocked", Outcome.BLOCKED)
    assert len(verdicts(run)) == 10
    assert {state for state, _ in verdicts(run).values()} == {"blocked"}


def test_a_single_wall_does_not_end_the_crawl(shop, profile, crawl, ten):
    shop.pages["/item/4.html"] = CAPTCHA
    run = crawl(profile, targets=ten)
    assert page_hits(shop) == 10
    assert run.stats.finish_reason == "finished"
    assert run.stats.outcome is Outcome.PARTIAL


def test_every_request_says_who_we_are(shop, profile, crawl, ten):
    crawl(profile, targets=ten)
    assert len(shop.agents) == 1
    (agent,) = shop.agents
    assert agent == user_agent("mailto:operator@bureau.example")
    assert agent.startswith("Vapewatch/")
    assert "(+mailto:operator@bureau.example)" in agent


def slow():
    """One request at a time, so that an order can be told."""
    return shop_profile(politeness={"delay_s": 0.05}).politeness


@pytest.mark.parametrize("wish", [0, 0.5, 2.9])
def test_no_wish_goes_below_the_floor_of_a_foreign_host(wish):
    profile = shop_profile("https://mall.example", politeness={"delay_s": wish})
    assert delay_of(profile) == FLOOR_DELAY_S
    assert concurrency_of(profile) == 1


@pytest.mark.parametrize(
    ("url", "ours"),
    [
        ("http://127.0.0.1:8600/x", True),
        ("http://[::1]:80/", True),
        ("http://localhost/", True),
        ("http://localhost.evil.example/", False),
        ("http://10.0.0.1/", False),
        ("", False),
    ],
)
def test_only_this_machine_is_loopback(url, ours):
    assert is_loopback(url) is ours


def test_the_pause_is_read_in_seconds_and_as_a_date():
    now = time.time()
    later = format_datetime(datetime.fromtimestamp(now, UTC) + timedelta(seconds=90), usegmt=True)
    assert cool_off_of(429, "120", now) == 120
    assert cool_off_of(503, later, now) == pytest.approx(90, abs=1)
    assert cool_off_of(503, None, now) == 0
    assert cool_off_of(429, None, now) > 0
    assert cool_off_of(200, "120", now) == 0


@given(st.text(), st.sampled_from([429, 503]))
def test_no_header_breaks_the_pause(text, status):
    assert cool_off_of(status, text, 1_000_000.0) >= 0
