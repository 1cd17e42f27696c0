"""Profiles drafted from pages as shops write them, and read back with the profile that came out."""

from __future__ import annotations

import json
import re
from datetime import UTC, datetime
from pathlib import Path
from urllib.parse import urljoin

import pytest

from crawlers import saved_pages
from crawlers.answer import Answer
from crawlers.drafting.draft import draft, for_a_look, name_for, with_absence
from crawlers.listing import Presence
from crawlers.pages import read_page
from crawlers.selectors import elements

PAGES = Path(__file__).parents[2] / "pages"
HOME = "https://shop.example"
SEARCH = f"{HOME}/search?q=雾化&page=1"
LISTING = f"{HOME}/item/1.html"
CARD = (
    '<li class="hit"><a class="hit-link" href="/item/{0}.html">货{0}</a>'
    '<button class="buy">加入购物车</button></li>'
)
CARDS = "".join(CARD.format(number) for number in (1, 2, 3))
BARE = """<html lang="zh-CN"><title>蓝莓雾化棒 - 街角</title><body><header><h1 class="logo">街角</h1></header>
<main><h1 class="name">蓝莓雾化棒</h1><del class="price-old">¥99.00</del><p class="price">¥39.90</p>
<div class="gallery"><img src="/p/1.jpg" alt=""></div>
<a class="shop-name" href="/shop/7" data-shop-id="7" data-kind="merchant">云上小店</a>
<form action="/cart/add"><button class="btn btn-lg">现在下单</button></form>
<div class="description">八千口，一次性。</div>
<table class="specs"><tr><th>容量</th><td>2ml</td></tr><tr><th>口味</th><td>蓝莓</td></tr></table></main>
<aside class="related"><a href="/item/2.html">别的</a><p class="price">¥1.00</p><button>加入购物车</button>
</aside>
</body></html>"""
MARKED_UP = """<html><title>x</title><script type="application/ld+json">{"@type": "Product", "name": "Pod",
"url": "/item/1.html", "description": "Mint, 20 mg", "image": "/p/1.jpg", "additionalProperty": [
{"name": "size", "value": "2 ml"}], "offers": {"price": "9", "priceCurrency": "USD",
"seller": {"name": "Corner", "identifier": "7", "url": "/shop/7"}}}</script>
<body><h1>Pod</h1><button id="add-to-cart">Add to cart</button></body></html>"""
NOW = datetime(2026, 11, 1, tzinfo=UTC)


def page(html: str, url: str = LISTING, status: int = 200, asked: str | None = None) -> Answer:
    return Answer(asked or url, url, status, html.encode(), {"content-type": "text/html; charset=utf-8"})


def search(cards: str = CARDS) -> Answer:
    return page(f"<html><body><ul>{cards}</ul></body></html>", SEARCH)


def read(drafted, answer: Answer):
    return read_page(answer, drafted.platform, drafted.listing_id, NOW)


def test_a_shop_without_structured_data_is_read_by_the_selectors_of_its_draft():
    listing = page(BARE)
    drafted = draft(search(), listing, "corner")
    reading = read(drafted, listing)
    assert (reading.judgement.state, reading.judgement.reason) == (Presence.UP, "alive")
    found = reading.listing
    assert (found.title, found.price_raw, found.currency) == ("蓝莓雾化棒", "¥39.90", "CNY")
    assert (found.seller.name, found.seller.external_id, found.seller.url) == (
        "云上小店",
        "7",
        f"{HOME}/shop/7",
    )
    assert found.description == "八千口，一次性。"
    assert found.attributes == {"容量": "2ml", "口味": "蓝莓"}
    assert found.images == (f"{HOME}/p/1.jpg",)


@pytest.mark.parametrize(
    "shop", ["sample", "sample-microdata", "sample-js", "oscar", "woo-like", "shopify-like", "rdfa-like"]
)
def test_drafts_for_all_kinds_of_shops_read_what_their_own_profiles_read(shop):
    saved = saved_pages.load(PAGES / shop / "alive")
    shelf, own, end = re.fullmatch(r"(.*/)([^/]+?)(\.html|/)?", saved.answer.url).groups(default="")
    others = [re.sub(r"\d+|$", str(number), own, count=1) for number in (5001, 5002, 5003)]
    cards = "".join(f'<li><a class="hit" href="{shelf}{other}{end}">x</a></li>' for other in others)
    drafted = draft(page(f"<body>{cards}</body>", urljoin(saved.answer.url, "/s?q=雾化")), saved.answer, shop)
    reading = read(drafted, saved.answer)
    assert reading.judgement.state is Presence.UP
    found = json.loads(reading.listing.model_dump_json())
    told = saved.expected.listing
    for name in ("title", "price", "currency", "images"):
        assert found[name] == told.get(name, found[name]), name
    assert (found["seller"] or {}).get("name") == (told.get("seller") or found["seller"] or {}).get("name")


def test_what_structured_data_says_needs_no_selector():
    listing = page(MARKED_UP)
    drafted = draft(search(), listing, "corner")
    assert drafted.profile["fields"] == {}
    assert read(drafted, listing).listing.seller.external_id == "7"


def test_a_draft_is_never_called_verified_and_says_what_is_a_guess():
    drafted = draft(search(), page(BARE), "corner")
    assert drafted.platform.verified is False
    assert {"one_term_only", "recipient_missing"} <= set(drafted.notes)


def test_the_links_to_listings_are_told_from_the_others():
    menu = "".join(f'<a class="menu" href="/list/{number}.html">类</a>' for number in range(9))
    results = search(menu + CARDS)
    css = draft(results, page(BARE), "corner").platform.search.item_links
    assert [link.get("href") for link in elements(results.tree, css)] == [
        f"/item/{n}.html" for n in (1, 2, 3)
    ]


def test_the_buy_control_of_a_result_page_is_avoided_where_another_sign_is_there():
    drafted = draft(search(), page(BARE), "corner")
    assert "control_on_results" not in drafted.notes
    only = page('<body><h1>货</h1><button class="buy">加入购物车</button></body>')
    assert "control_on_results" in draft(search(), only, "corner").notes


@pytest.mark.parametrize(
    ("cards", "html", "lacking"),
    [
        (CARDS, "<body><h1>货</h1></body>", {"buy_control"}),
        ("", BARE, {"item_links"}),
        ("", "", {"item_links", "buy_control"}),
        (CARDS, "<body><a hidden class='buy-now'>立即购买</a></body>", {"buy_control"}),
    ],
)
def test_half_a_profile_is_none_and_says_what_it_lacks(cards, html, lacking):
    drafted = draft(search(cards), page(html), "corner")
    assert drafted.profile is None
    assert set(drafted.lacking) == lacking
    with pytest.raises(ValueError, match="no profile without"):
        _ = drafted.platform


def test_no_page_breaks_the_drafter():
    nested = "<div class='price'>" * 5000
    for html in (nested, "\x00<", "<button>加入购物车", "<h1>" + "¥" * 10000):
        draft(search(), page(html), "corner")


GONE = '<body><h1>街角</h1><div class="box"><p class="notice">您看的商品不存在了</p></div></body>'


def test_the_notice_in_place_of_a_listing_becomes_a_marker():
    drafted = draft(search(), page(BARE), "corner")
    absent = page(GONE, f"{HOME}/item/999999999999.html")
    whole = with_absence(drafted, absent, page(BARE))
    assert whole.profile["presence"]["gone"] == [{"css": "p.notice", "text": "不存在"}]
    reading = read_page(absent, whole.platform, "999999999999", NOW)
    assert (reading.judgement.state, reading.judgement.reason) == (Presence.GONE, "gone_marker")
    assert read(whole, page(BARE)).judgement.state is Presence.UP


def test_a_redirect_in_place_of_a_listing_becomes_an_elsewhere():
    drafted = draft(search(), page(BARE), "corner")
    asked = f"{HOME}/item/999999999999.html"
    absent = page("<body><h1>街角</h1></body>", f"{HOME}/all?from=item", asked=asked)
    whole = with_absence(drafted, absent, page(BARE))
    assert whole.profile["presence"]["elsewhere"] == [r"^/all\?from=item$"]
    assert read_page(absent, whole.platform, "999999999999", NOW).judgement.state is Presence.GONE


def test_a_404_needs_no_rule_and_what_is_not_understood_is_said():
    drafted = draft(search(), page(BARE), "corner")
    url = f"{HOME}/item/999999999999.html"
    assert with_absence(drafted, page("", url, 404), page(BARE)) == drafted
    for strange in (page(BARE, url), page("", url, 500), page("<body>街角</body>", url)):
        assert "absence_unknown" in with_absence(drafted, strange, page(BARE)).notes


@pytest.mark.parametrize(
    ("url", "name"),
    [
        ("https://www.corner-vapes.example/p/1", "corner-vapes"),
        ("http://127.0.0.1:8600/x", "127-0-0-1-8600"),
        ("https://雾化.example/1", "shop"),
        ("https://../", "shop"),
    ],
)
def test_a_profile_gets_a_name_that_a_file_can_have(url, name):
    assert name_for(url) == name


def test_a_look_may_go_to_the_two_hosts_only():
    profile = for_a_look("corner", ["https://search.example/?q=1", "https://shop.example/1"])
    assert profile.owns_host("https://search.example/x")
    assert not profile.owns_host("https://evil.example/")
