"""From a page to a Listing."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from decimal import Decimal

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from crawlers.answer import Answer
from crawlers.listing import Presence, SellerKind
from crawlers.pages import read_page
from tests.crawlers.shop import item_html, shop_profile

URL = "https://mall.example/item/42.html"
NOW = datetime(2026, 10, 1, tzinfo=UTC)
FIELDS = {
    "title": {"css": "h1.title", "required": True},
    "price": {"css": ".price"},
    "seller": {"css": "a.shop"},
    "seller_id": {"css": "a.shop::attr(data-id)"},
    "seller_kind": {"css": "a.shop::attr(data-kind)"},
    "seller_url": {"css": "a.shop::attr(href)"},
    "description": {"css": ".description"},
    "attributes": {"css": "table tr"},
    "images": {"css": "img::attr(src)"},
}
PROFILE = shop_profile("https://mall.example", fields=FIELDS)
SHOP = '<a class="shop" data-id="7" data-kind="mini_program" href="/s/7">果味小铺</a>'
REST = (
    '<div class="description">细雾<br>蓝莓味<script>x</script></div>'
    "<table><tr><th>容量：</th><td>8ml</td></tr><tr><td>alone</td></tr><tr><th></th><td>x</td></tr></table>"
    '<img src="/a.png"><img src="/a.png"><img src="javascript:alert(1)">'
)


def read(*parts: str, profile=PROFILE):
    return read_page(Answer(URL, URL, 200, "".join(parts).encode()), profile, "42", NOW, "e#1", "雾化")


def test_selectors_fill_a_listing_where_there_is_no_structured_data():
    listing = read(item_html(), SHOP, REST).listing
    assert listing.title == "医用雾化器 家用"
    assert listing.description == "细雾蓝莓味"
    assert listing.attributes == {"容量": "8ml"}
    assert listing.images == ("https://mall.example/a.png",)
    assert (listing.price, listing.price_raw, listing.currency) == (Decimal("9.90"), "¥9.90", "CNY")
    seller = listing.seller
    assert (seller.external_id, seller.name, seller.kind) == ("7", "果味小铺", SellerKind.MINI_PROGRAM)
    assert seller.url == "https://mall.example/s/7"
    assert set(listing.sources.values()) == {"profile"}
    assert (listing.observed_at, listing.evidence, listing.found_by) == (NOW, "e#1", "雾化")


def test_structured_data_comes_first_and_selectors_complete_the_seller():
    data = {"@type": "Product", "url": URL, "name": "甲", "offers": {"price": "5", "seller": {"name": "乙"}}}
    listing = read(
        f'<script type="application/ld+json">{json.dumps(data)}</script>', item_html(), SHOP
    ).listing
    assert (listing.title, listing.price_raw) == ("甲", "5")
    assert (listing.seller.name, listing.seller.external_id) == ("乙", "7")
    assert listing.sources == {"title": "jsonld", "price": "jsonld", "seller": "jsonld"}


@pytest.mark.parametrize(
    "body", ['<div id="captcha">请完成滑动验证</div>', '<p class="notice-gone">不存在</p>', ""]
)
def test_a_page_that_is_no_listing_gives_a_verdict_and_no_empty_fields(body):
    reading = read(body)
    assert reading.listing is None
    assert reading.judgement.state is not Presence.UP


def test_a_listing_without_a_title_is_none_and_says_what_is_missing():
    reading = read('<button class="add-cart">b</button>')
    assert reading.judgement.state is Presence.UP
    assert reading.listing is None
    assert reading.missing == ("title",)


def test_an_unknown_kind_of_seller_is_reported_and_not_guessed_silently():
    reading = read(item_html(), SHOP.replace("mini_program", "wizard"))
    assert reading.missing == ("seller_kind",)


@given(st.text(max_size=200))
@example("\N{NO-BREAK SPACE}")
def test_a_title_is_kept_but_for_what_cannot_be_stored(title):
    escaped = title.replace("&", "&amp;").replace("<", "&lt;")
    listing = read(item_html("x").replace(">x<", f">{escaped}<")).listing
    if listing:
        assert listing.title.encode()
        assert not {"\x00", "\x1b"} & set(listing.title)
        assert listing.model_dump_json()


HOSTILE = [
    '<link rel="canonical" href="http://[bad">',
    '<meta property="og:url" content="//[">',
    '<meta property="product:price:amount" content="1e999999">',
    '<script type="application/ld+json">{"@type": "Product", "url": "http://[", "image": "http://["}</script>',
    '<div itemscope itemtype="Product"><a itemprop="url" href="http://[">x</a></div>',
    '<a class="shop" href="http://[" data-id="" data-kind="\x00">\ud83d</a>',
    '<img src="http://["><img src="//[::">',
    "<table><tr><th>\x1b[31m</th><td>\u202e</td></tr></table>",
    '<button class="add-cart">b</button>',
    '<h1 class="title">t</h1>',
    '<p class="notice-gone">不存在</p>',
    "<template>",
    "<!--",
    "</html>",
]


@given(st.lists(st.sampled_from(HOSTILE), max_size=8))
def test_no_mixture_of_hostile_parts_breaks_the_reader(parts):
    body = "".join(parts).encode("utf-8", "replace")
    reading = read_page(Answer(URL, URL, 200, body), PROFILE, "42", NOW)
    assert reading.judgement.state in Presence
    assert reading.listing is None or reading.listing.model_dump_json()


def test_everything_is_bounded():
    rows = "".join(f"<tr><th>{n}</th><td>{'v' * 5000}</td></tr>" for n in range(500))
    images = "".join(f'<img src="/{n}.png">' for n in range(500))
    listing = read(item_html("长" * 10_000), f"<table>{rows}</table>", images).listing
    assert len(listing.title) == 2000
    assert len(listing.attributes) <= 100
    assert max(map(len, listing.attributes.values())) <= 2000
    assert len(listing.images) <= 100


def test_a_page_whose_data_are_complete_is_read_without_a_tree():
    data = {"@type": "Product", "url": URL, "name": "甲", "description": "乙", "image": "/a.png"}
    data["offers"] = {"price": "5", "priceCurrency": "CNY", "seller": {"name": "丙"}}
    page = f'<script type="application/ld+json">{json.dumps(data)}</script>{item_html()}'
    answer = Answer(URL, URL, 200, page.encode())
    reading = read_page(answer, shop_profile("https://mall.example"), "42", NOW)
    assert (reading.judgement.reason, reading.listing.title) == ("alive", "甲")
    assert "tree" not in vars(answer)
