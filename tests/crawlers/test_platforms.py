"""A profile that cannot work is refused when it is loaded, with the reason."""

from __future__ import annotations

import pytest
from pydantic import ValidationError

from crawlers.platforms import ListingUrl
from crawlers.rundir import CrawlJob, RunKind
from tests.crawlers.shop import shop_profile, targets


@pytest.mark.parametrize(
    ("changes", "sentence"),
    [
        ({"home": None}, "road page needs home"),
        ({"search": None}, "road page needs search or discovery"),
        ({"search": None, "discovery": {"listings": 5}}, "needs sitemaps or feeds"),
        ({"discovery": {"sitemaps": ["{base}/sitemap.xml"]}}, "knows no {base}"),
        ({"road": "api"}, "road api needs api"),
        ({"road": "api", "home": None, "api": {"interface": "shopify", "pages": 1}}, "road api needs home"),
        ({"api": {"interface": "shopfy", "pages": 1}}, "no such interface; known are ebay"),
        ({"api": {"interface": "jd-union", "pages": 1}}, "jd-union needs terms"),
        ({"api": {"interface": "shopify", "pages": 1, "market": "EBAY_US"}}, "market is for ebay"),
        ({"api": {"interface": "ebay", "pages": 1, "terms": ["x"]}}, "market is for ebay, which needs it"),
        ({"api": {"interface": "shopify", "pages": 1, "app_secret": "x"}}, "app_secret"),
        (
            {
                "road": "api",
                "home": "http://api.jd.com",
                "api": {"interface": "jd-union", "pages": 1, "terms": ["x"]},
            },
            "home must be https",
        ),
        ({"presence": None}, "road page needs presence"),
        ({"road": "import", "hosts": []}, "road import needs hosts"),
        ({"render": "browser"}, "render browser needs render_reason"),
        ({"home": "https://mall.example/"}, "home"),
        ({"home": "https://user:pw@mall.example"}, "home"),
        ({"fields": {"titel": {"css": "h1"}}}, "unknown fields titel"),
        ({"fields": {"title": {"css": "h1[["}}}, "not a CSS selector"),
        ({"listing_url": {"match": "/item/(", "canonical": "{home}/{id}"}}, "not a regular expression"),
        ({"listing_url": {"match": r"/item/(\d+)", "canonical": "{home}/{id}"}}, "group named id"),
        ({"listing_url": {"match": r"/(?P<id>\d+)", "canonical": "{home}/item"}}, "needs {id}"),
        ({"listing_url": {"match": r"/(?P<id>\d+)", "canonical": "{home}/{id}/{page}"}}, "knows no {page}"),
        (
            {"search": {"url": "{home}?q={term}", "pages": 1, "item_links": "a", "terms": ["x"]}},
            "needs {page}",
        ),
        (
            {"search": {"url": "{term}{page}", "pages": 1, "item_links": "a::attr(href)", "terms": ["x"]}},
            "must select elements",
        ),
        ({"presence": {"alive": []}}, "alive"),
        ({"blocks": [{"reason": "captcha"}]}, "at least one of url, css, text"),
        ({"politeness": {"delay_s": -1}}, "delay_s"),
        ({"assertions": {"fill_rate": {"title": 1.5}}}, "fill_rate"),
        ({"verified": None}, "verified"),
        ({"proxy": "http://127.0.0.1:1"}, "proxy"),
    ],
)
def test_an_incomplete_profile_is_refused_by_name(changes, sentence):
    with pytest.raises(ValidationError) as caught:
        shop_profile(**changes)
    assert sentence in str(caught.value)


def test_several_patterns_may_name_the_id():
    place = ListingUrl(match=(r"/i(?P<id>\d+)", r"[?&]id=(?P<id>\d+)"), canonical="https://a.example/{id}")
    assert place.item_id("https://a.example/i5") == "5"
    assert place.item_id("https://a.example/x?id=6") == "6"
    assert place.item_id("https://a.example/") is None


def test_a_term_is_encoded_and_braces_in_it_do_nothing():
    url = shop_profile("https://mall.example").search_url("雾化 {page}&x=1", 2)
    assert url == "https://mall.example/search?q=%E9%9B%BE%E5%8C%96+%7Bpage%7D%26x%3D1&page=2"


def test_a_host_belongs_with_its_port_or_below_its_wildcard():
    profile = shop_profile("http://127.0.0.1:8600", hosts=["mall.example", "*.mall.example"])
    owned = ["http://127.0.0.1:8600/x", "https://MALL.example/", "https://a.b.mall.example/"]
    foreign = [
        "http://127.0.0.1:8601/",
        "https://evilmall.example/",
        "https://mall.example.evil/",
        "https://.mall.example/",
        "https://user@shop.mall.example/",
        "https://10.0.0.1:80@shop.mall.example/",
        "https://evil.example:x.mall.example/",
        "nothing",
        "http://[",
        "",
    ]
    assert [url for url in owned if not profile.owns_host(url)] == []
    assert [url for url in foreign if profile.owns_host(url)] == []


@pytest.mark.parametrize(
    ("changes", "sentence"),
    [
        ({"kind": RunKind.RECHECK}, "needs targets"),
        ({"targets": targets("http://a.example", "1", "1")}, "named twice: 1"),
        ({"contact": "a\r\nX-Evil: 1"}, "contact"),
        ({"timeout_s": 0}, "timeout_s"),
    ],
)
def test_a_job_that_cannot_be_done_is_refused(changes, sentence):
    job = {"run_id": "r", "kind": RunKind.SWEEP, "platform": shop_profile(), "contact": "a@b.example"}
    with pytest.raises(ValidationError, match=sentence):
        CrawlJob(**job | changes)


def test_an_interface_is_searched_and_asked_again_and_nothing_else():
    shop = shop_profile(road="api", api={"interface": "shopify", "pages": 1})
    wanted = {"run_id": "r", "platform": shop, "contact": "a@b.example"}
    assert CrawlJob(kind=RunKind.SWEEP, **wanted)
    with pytest.raises(ValidationError, match="is asked by its interface, which has no capture"):
        CrawlJob(kind=RunKind.CAPTURE, targets=targets("http://a.example", "1"), **wanted)


def test_a_platform_of_files_and_links_is_not_crawled():
    paper = shop_profile(road="import", hosts=["mall.example"])
    with pytest.raises(ValidationError, match="its road is import"):
        CrawlJob(run_id="r", kind=RunKind.SWEEP, platform=paper, contact="a@b.example")
