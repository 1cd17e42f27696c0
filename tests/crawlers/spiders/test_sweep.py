"""Search terms to listings, on the sample market and on a shop of our own."""

from __future__ import annotations

import pytest

from crawlers.evidence import read_evidence
from crawlers.rundir import Outcome, RunKind
from crawlers.selectors import clean
from tests.crawlers.shop import Page, shop_profile


def results(*item_ids: str) -> Page:
    links = "".join(f'<a class="item-link" href="/item/{i}.html?spm=x#top">{i}</a>' for i in item_ids)
    return Page(f"<ul>{links or '<p class=no-results>没有找到</p>'}</ul>")


@pytest.mark.parametrize(
    ("name", "theme"), [("sample", "mall"), ("sample-microdata", "bazaar"), ("sample-js", "live")]
)
def test_a_search_finds_every_listing_that_the_market_has_for_it(market, shipped, crawl, name, theme):
    term = "雾化"
    rows = {row["item_id"]: row for row in market.truth()["listings"] if row["theme"] == theme}
    wanted = {item_id for item_id, row in rows.items() if term in row["title"]}
    run = crawl(shipped[name].model_copy(update={"home": market.base_url}), RunKind.SWEEP, terms=(term,))
    found = {listing.item_id: listing for listing in run.listings}
    assert wanted
    assert wanted <= found.keys()
    assert len(found) == len(run.listings)
    assert {i: listing.title for i, listing in found.items()} == {i: clean(rows[i]["title"]) for i in found}
    sellers = {i: (s.external_id, s.name, s.kind) for i, s in ((i, e.seller) for i, e in found.items())}
    assert sellers == {i: (rows[i]["shop_id"], rows[i]["shop_name"], rows[i]["shop_kind"]) for i in found}
    assert run.stats.canary_ok is True
    assert all(listing.found_by == term for listing in run.listings)


def test_nothing_that_robots_forbid_was_hit(market):
    assert [path for path in market.log()["hits"] if path.startswith("/private/")] == []


def test_a_listing_that_two_terms_find_is_read_once(shop, profile, crawl):
    shop.pages["/search"] = results("1", "2", "2")
    shop.item("1")
    shop.item("2")
    run = crawl(profile, RunKind.SWEEP, terms=("a", "b"))
    assert sorted(listing.item_id for listing in run.listings) == ["1", "2"]
    assert shop.hits["/item/1.html"] == shop.hits["/item/2.html"] == 1
    assert run.stats.counters["duplicates"] > 0
    assert run.stats.outcome is Outcome.OK


def test_a_shop_that_answers_every_page_number_alike_is_left_at_the_second(shop, profile, crawl):
    shop.pages["/search"] = results("1")
    shop.item("1")
    crawl(profile, RunKind.SWEEP, terms=("a",))
    assert shop.hits["/search"] == 2


def test_the_address_kept_is_canonical_and_the_page_is_evidence(shop, profile, crawl):
    shop.pages["/search"] = results("1")
    shop.item("1", "加热雾化 便携")
    run = crawl(profile, RunKind.SWEEP, terms=("a",))
    (listing,) = run.listings
    assert listing.url == f"{shop.home}/item/1.html"
    assert "加热雾化" in read_evidence(run.path, listing.evidence).html
    assert listing.sources == {"title": "profile", "price": "profile"}
    assert (str(listing.price), listing.price_raw, listing.currency) == ("9.90", "¥9.90", "CNY")


def test_links_to_other_hosts_are_counted_and_left(shop, profile, crawl):
    shop.pages["/search"] = Page(
        '<a class="item-link" href="http://evil.example/item/1.html">x</a>'
        '<a class="item-link" href="javascript:alert(1)">x</a>'
        '<a class="item-link" href="http://[broken/item/2.html">x</a>'
        '<a class="item-link">x</a>'
        '<a class="item-link" href="/item/3.html">x</a>'
    )
    shop.item("3")
    run = crawl(profile, RunKind.SWEEP, terms=("a",))
    assert [listing.item_id for listing in run.listings] == ["3"]
    assert run.stats.counters["off_platform_links"] >= 4


@pytest.mark.parametrize(
    ("answer", "code"),
    [
        (results(), "empty_search"),
        (Page("<p>新版页面</p>"), "site_changed"),
        (Page('<div id="captcha">请完成滑动验证</div>'), "blocked"),
    ],
)
def test_nothing_found_is_a_failure_with_a_name(shop, profile, crawl, answer, code):
    shop.pages["/search"] = answer
    run = crawl(profile, RunKind.SWEEP, terms=("a",))
    assert run.stats.outcome in {Outcome.FAILED, Outcome.BLOCKED}
    assert {code, "zero_items"} <= {issue.code for issue in run.issues}


def test_robots_that_forbid_everything_are_named(shop, profile, crawl):
    shop.pages["/robots.txt"] = Page("User-agent: *\nDisallow: /")
    run = crawl(profile, RunKind.SWEEP, terms=("a", "b"))
    assert run.stats.outcome is Outcome.FAILED
    assert "robots_disallowed" in {issue.code for issue in run.issues}
    assert set(shop.hits) == {"/robots.txt"}


def test_pages_that_are_no_listings_are_reported_and_the_rest_is_kept(shop, profile, crawl):
    shop.pages["/search"] = results("1", "2", "3")
    shop.item("1")
    shop.pages["/item/2.html"] = Page("", 404)
    shop.pages["/item/3.html"] = Page('<button class="add-cart"></button>')
    run = crawl(profile, RunKind.SWEEP, terms=("a",))
    assert [listing.item_id for listing in run.listings] == ["1"]
    assert run.stats.outcome is Outcome.PARTIAL
    assert run.stats.counters["vanished"] == 1
    assert run.stats.counters["unread_no_title"] == 1
    assert run.stats.counters["missing_title"] == 1


def test_the_budget_of_requests_ends_a_run(shop, crawl):
    ids = [str(number) for number in range(30)]
    shop.pages["/search"] = results(*ids)
    for item_id in ids:
        shop.item(item_id)
    profile = shop_profile(shop.home, politeness={"delay_s": 0.01, "daily_requests": 10})
    run = crawl(profile, RunKind.SWEEP, terms=("a",))
    assert sum(shop.hits.values()) <= 12
    assert run.stats.outcome is Outcome.PARTIAL
    assert "budget_spent" in {issue.code for issue in run.issues}


def test_a_hostile_title_is_kept_as_written_and_can_be_stored(shop, profile, crawl):
    shop.pages["/search"] = results("1")
    title = "雾\u200b化\u202e器 \x00\x07<script>alert(1)</script>"
    shop.pages["/item/1.html"] = Page(
        f'<h1 class="title">{title.replace("<", "&lt;")}</h1><button class="add-cart">b</button>'
    )
    run = crawl(profile, RunKind.SWEEP, terms=("a",))
    (listing,) = run.listings
    assert listing.title == "雾\u200b化\u202e器 <script>alert(1)</script>"


def test_a_title_of_a_megabyte_is_cut_and_the_rest_is_done(shop, profile, crawl):
    shop.pages["/search"] = results("1", "2")
    shop.item("1", "雾" * 1_000_000)
    shop.item("2")
    run = crawl(profile, RunKind.SWEEP, terms=("a",))
    assert sorted(len(listing.title) for listing in run.listings) == [8, 2000]
