"""The shop that the crawler is tried on is what it claims to be."""

from __future__ import annotations

import html
from collections.abc import Iterator

import httpx
import pytest
from parsel import Selector


@pytest.fixture(scope="module")
def web(oscar) -> Iterator[httpx.Client]:
    with httpx.Client(base_url=oscar.base_url, timeout=20, trust_env=False) as client:
        yield client


def found(web: httpx.Client, address: str) -> set[str]:
    """Titles on every page of a list."""
    titles: set[str] = set()
    while address:
        page = Selector(web.get(address, follow_redirects=True).raise_for_status().text)
        titles |= set(page.css("article.product_pod h3 a::attr(title)").getall())
        step = page.css("ul.pagination li.disabled + li a::attr(href)").get()
        address = str(httpx.URL(web.base_url).join(address).join(step)) if step else ""
    return titles


def test_the_catalogue_shows_every_product(oscar, web):
    assert 40 <= len(oscar.products) <= 60
    assert found(web, "/catalogue/") == {product.title for product in oscar.products}


def test_a_product_page_shows_title_price_seller_and_picture(oscar, web):
    product = oscar.products[0]
    page = Selector(web.get(product.url).raise_for_status().text)
    assert page.css("h1::text").get() == product.title
    assert page.css("p.price_color::text").get().startswith("¥")
    assert page.xpath("//th[text()='卖家']/following-sibling::td/text()").get().strip()
    assert page.css("#product_gallery img")
    assert web.get(page.css("#product_gallery img::attr(src)").get()).headers["content-type"] == "image/jpeg"


def test_search_finds_a_part_of_a_word(oscar, web):
    hits = found(web, "/search/?q=雾化")
    assert {product.title for product in oscar.products if "雾化" in product.title} <= hits
    assert len(hits) < len(oscar.products)


def test_robots_and_sitemap_say_where_to_go(oscar, web):
    rules = web.get("/robots.txt").text
    assert "Disallow: /private/" in rules
    assert "Disallow: /basket/" in rules
    addresses = Selector(web.get("/sitemap.xml").text, type="xml").re(r"<loc>([^<]+)</loc>")
    assert {httpx.URL(html.unescape(a)) for a in addresses} == {httpx.URL(p.url) for p in oscar.products}


def test_an_unpublished_product_is_gone_from_page_list_and_search_until_it_is_back(oscar, web):
    product = next(p for p in oscar.products if "雾化" in p.title)
    oscar.unpublish(product.id)
    gone = web.get(product.url)
    lists = found(web, "/catalogue/") | found(web, "/search/?q=雾化")
    oscar.publish(product.id)
    assert gone.status_code == 404
    assert "找不到" in gone.text
    assert product.title not in lists
    assert web.get(product.url).status_code == 200


def test_a_sold_out_product_stays_on_show(oscar, web):
    product = oscar.products[-1]
    oscar.sell_out(product.id)
    response = web.get(product.url)
    oscar.restock(product.id)
    assert response.status_code == 200
    assert Selector(response.text).css("p.availability.outofstock")
    assert Selector(web.get(product.url).text).css("p.availability.instock")


def test_hits_are_counted_by_the_beginning_of_the_path(oscar, web):
    before = oscar.hits("/private/"), oscar.hits("/")
    assert web.get("/private/orders").status_code == 404
    assert (oscar.hits("/private/"), oscar.hits("/")) == (before[0] + 1, before[1] + 1)
