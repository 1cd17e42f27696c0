from __future__ import annotations

import io
import json
import re

import httpx
import pytest
from parsel import Selector
from PIL import Image

from takedowns.sample_market.client import RunningMarket

THEMES = ("mall", "bazaar", "live")


def results(web: httpx.Client, address: str) -> tuple[list[str], str | None]:
    page = Selector(web.get(address).text)
    return page.css("a.item-link::attr(href)").getall(), page.css("a[rel=next]::attr(href)").get()


def test_robots_closes_the_private_parts(web: httpx.Client):
    rules = web.get("/robots.txt").text
    assert "Disallow: /private/" in rules
    assert "Disallow: /_control/" in rules
    assert f"Sitemap: {web.base_url}/sitemap.xml".replace("//sitemap", "/sitemap") in rules


def test_a_hit_on_a_private_page_is_counted(web: httpx.Client, market: RunningMarket):
    before = market.log()["hits"].get("/private/a/b", 0)
    web.get("/private/a/b")
    assert market.log()["hits"]["/private/a/b"] == before + 1


def test_the_sitemap_names_every_listing_on_show(web: httpx.Client, market: RunningMarket):
    named = re.findall(r"<loc>http://[^/]+(/[^<]+)</loc>", web.get("/sitemap.xml").text)
    gone = {"http_404", "http_410", "soft_404", "redirect_home"}
    assert set(named) == {item["path"] for item in market.truth()["listings"] if item["mode"] not in gone}


@pytest.mark.parametrize("theme", ["mall", "bazaar"])
def test_paging_through_a_search_meets_every_hit_once(web: httpx.Client, theme: str):
    address, seen = f"/{theme}/search?q=", []
    while address:
        links, address = results(web, address)
        assert len(links) <= 20
        seen += links
    assert len(seen) == len(set(seen)) > 40


def test_search_finds_a_part_of_a_word(web: httpx.Client, market: RunningMarket):
    links, _ = results(web, "/mall/search?q=雾化")
    titles = {item["path"]: item["title"] for item in market.truth()["listings"]}
    assert links
    assert any("雾化" in titles[link] for link in links)


def test_the_api_of_the_live_theme_pages_alike(web: httpx.Client):
    first = web.get("/live/api/search", params={"q": ""}).json()
    second = web.get("/live/api/search", params={"q": "", "page": 2}).json()
    assert len(first["items"]) == 20
    assert first["has_next"]
    assert not {item["id"] for item in first["items"]} & {item["id"] for item in second["items"]}


@pytest.mark.parametrize("theme", ["mall", "bazaar"])
def test_an_empty_search_says_so(web: httpx.Client, theme: str):
    response = web.get(f"/{theme}/search", params={"q": "<b>没有这种东西"})
    assert response.status_code == 200
    assert Selector(response.text).css(".no-results")
    assert "<b>没有" not in response.text


@pytest.mark.parametrize("page", ["0", "x", "-1", "10001", "9" * 5000, "２"])
def test_a_page_number_that_is_none_is_refused(web: httpx.Client, page: str):
    assert web.get("/mall/search", params={"q": "", "page": page}).status_code == 400


@pytest.mark.parametrize("theme", ["mall", "bazaar"])
def test_a_listing_page_shows_what_the_contract_says(web: httpx.Client, fresh, theme: str):
    item = fresh(theme)
    page = Selector(web.get(item["path"]).text)
    assert page.css("h1.title::text").get() == item["title"]
    assert page.css(".price::text").get()
    assert page.css("button.add-cart")
    assert page.css(".description")
    assert page.css("table.attributes")
    shop = page.css("a.shop-name")
    assert shop.attrib["data-shop-id"] == item["shop_id"]
    assert shop.attrib["data-shop-kind"] == item["shop_kind"]
    assert item["path"] in results(web, shop.attrib["href"])[0]
    picture = web.get(page.css("img.photo").attrib["src"])
    assert Image.open(io.BytesIO(picture.content)).format == "PNG"


def test_no_page_tells_the_truth(web: httpx.Client, market: RunningMarket, fresh):
    item = fresh("mall")
    page = web.get(item["path"]).text + web.get("/live/api/search").text
    assert not re.search("benign|disguised_|ecig_overt|other_tobacco", page)


def test_the_mall_puts_broken_and_foreign_json_ld_beside_its_own(web: httpx.Client, fresh):
    item = fresh("mall")
    scripts = Selector(web.get(item["path"]).text).css('script[type="application/ld+json"]::text').getall()
    with pytest.raises(json.JSONDecodeError):
        json.loads(scripts[0])
    other, own = json.loads(scripts[1]), json.loads(scripts[2])
    assert other["sku"] != own["sku"] == item["item_id"]
    assert own["name"] == item["title"]
    assert own["offers"]["seller"]["name"] == item["shop_name"]


def test_the_bazaar_has_microdata_and_no_json_ld(web: httpx.Client, fresh):
    item = fresh("bazaar")
    page = Selector(web.get(item["path"]).text)
    assert (
        page.css('[itemtype="https://schema.org/Product"] [itemprop=sku]::attr(content)').get()
        == item["item_id"]
    )
    assert not page.css('script[type="application/ld+json"]')


def test_the_live_theme_has_nothing_in_its_shell(web: httpx.Client, fresh):
    item = fresh("live")
    assert item["title"] not in web.get(item["path"]).text
    assert web.get(f"/live/api/item/{item['item_id']}").json()["item"]["title"] == item["title"]


@pytest.mark.parametrize("theme", THEMES)
def test_the_canary_is_up_and_the_impossible_id_is_not(web: httpx.Client, theme: str):
    assert web.get(f"/{theme}/item/canary.html").status_code == 200
    assert web.get(f"/{theme}/item/0000000000.html").status_code == 404


def test_a_listing_lives_in_one_theme_only(web: httpx.Client, fresh):
    item = fresh("mall")
    assert web.get(item["path"].replace("mall", "bazaar")).status_code == 404


def test_there_is_no_fourth_theme(web: httpx.Client):
    assert web.get("/mallx/").status_code == 404
    assert web.get("/mall/shop/1").status_code == 404


def test_hostile_text_is_shown_and_never_markup(web: httpx.Client, market: RunningMarket):
    paths = [
        i["path"]
        for i in market.truth()["listings"]
        if i["corpus_id"].startswith("H") and i["theme"] != "live"
    ]
    assert len(paths) >= 6
    for path in paths:
        page = Selector(web.get(path).text.replace("\x00", ""))
        own = page.xpath("//script[not(@type)]")
        assert len(own) == 1
        assert "owned" not in own[0].get()
        assert not page.css("[onerror], [onload], [onmouseover], svg")
