"""Listings found by what a shop lists of itself, in real child processes."""

from __future__ import annotations

import gzip

from crawlers.rundir import Outcome, RunKind
from tests.crawlers.apis.goods import shop as generic_shop
from tests.crawlers.shop import Page, shop_profile

XML = {"Content-Type": "application/xml"}
PRODUCT = """<!doctype html><title>{0}</title><link rel="canonical" href="/product/{1}">
<script type="application/ld+json">{{"@type": "Product", "name": "{0}", "url": "/product/{1}",
"offers": {{"price": "9.90", "priceCurrency": "EUR"}}}}</script>
<form action="/cart/add"><button type="submit">Add</button></form>"""


def sitemap(*addresses: str) -> Page:
    pairs = (address.partition("@") for address in addresses)
    urls = (f"<url><loc>{url}</loc><lastmod>{day}</lastmod></url>" for url, _, day in pairs)
    return Page(f"<urlset>{''.join(urls)}</urlset>", headers=XML)


def index(*addresses: str) -> Page:
    files = "".join(f"<sitemap><loc>{address}</loc></sitemap>" for address in addresses)
    return Page(f"<sitemapindex>{files}</sitemapindex>", headers=XML)


def test_a_schema_org_shop_given_by_name_and_home_is_read_from_its_sitemaps(shop, crawl):
    packed = gzip.compress(sitemap(f"{shop.home}/product/mint", f"{shop.home}/about").body.encode())
    shop.pages |= {
        "/robots.txt": Page(f"User-agent: *\nDisallow: /private\nSitemap: {shop.home}/all.xml"),
        "/all.xml": index(
            f"{shop.home}/posts.xml", f"{shop.home}/product.xml.gz", "https://evil.example/s.xml"
        ),
        "/posts.xml": sitemap(f"{shop.home}/blog/1"),
        "/product.xml.gz": Page(packed, headers={"Content-Type": "application/gzip"}),
        "/product/mint": Page(PRODUCT.format("Vape mint 5%", "mint")),
    }
    run = crawl(generic_shop("schema-org", shop.home), RunKind.SWEEP)
    (listing,) = run.listings
    assert (listing.item_id, listing.url) == ("product/mint", f"{shop.home}/product/mint")
    assert (listing.title, str(listing.price), listing.found_by) == ("Vape mint 5%", "9.90", "sitemap")
    assert "directory_unrecognised" in {issue.code for issue in run.issues}  # /sitemap.xml, which it has not
    assert run.stats.counters["directories_left"] == 1
    assert run.stats.outcome is Outcome.OK


def test_the_newest_come_first_and_no_more_than_the_profile_says(shop, crawl):
    days = {n: f"2026-11-{n:02d}" for n in range(1, 10)}
    shop.pages["/sitemap.xml"] = sitemap(*(f"{shop.home}/item/{n}.html@{day}" for n, day in days.items()))
    shop.pages["/feed"] = Page(f"<rss><item><link>{shop.home}/item/5.html</link></item></rss>", headers=XML)
    for n in days:
        shop.item(str(n))
    discovery = {"sitemaps": ["{home}/sitemap.xml"], "feeds": ["{home}/feed"], "listings": 3}
    profile = shop_profile(shop.home, search=None, discovery=discovery, politeness={"delay_s": 0.01})
    run = crawl(profile, RunKind.SWEEP)
    assert sorted(listing.item_id for listing in run.listings) == ["7", "8", "9"]
    assert run.stats.outcome is Outcome.OK


def test_a_search_and_a_feed_together_read_each_listing_once(shop, crawl):
    shop.pages["/search"] = Page('<a class="item-link" href="/item/1.html">1</a>')
    links = "".join(f"<item><link>{shop.home}/item/{n}.html</link></item>" for n in (1, 2))
    shop.pages["/feed"] = Page(f"<rss>{links}</rss>", headers=XML)
    shop.item("1")
    shop.item("2")
    run = crawl(shop_profile(shop.home, discovery={"feeds": ["{home}/feed"]}), RunKind.SWEEP, terms=("a",))
    assert sorted(listing.item_id for listing in run.listings) == ["1", "2"]
    assert shop.hits["/item/1.html"] == 1


def test_a_wall_in_front_of_the_sitemap_is_told_as_one(shop, crawl):
    shop.pages["/sitemap.xml"] = Page('<div id="captcha">请完成滑动验证</div>')
    discovery = {"sitemaps": ["{home}/sitemap.xml"]}
    run = crawl(shop_profile(shop.home, search=None, discovery=discovery), RunKind.SWEEP)
    assert run.stats.outcome is Outcome.BLOCKED
    assert "blocked" in {issue.code for issue in run.issues}


def test_sitemaps_without_end_are_left_at_a_bound(shop, crawl):
    for n in range(40):
        shop.pages[f"/s{n}.xml"] = index(*(f"{shop.home}/s{m}.xml" for m in range(n, n + 5)))
    discovery = {"sitemaps": ["{home}/s0.xml"]}
    profile = shop_profile(shop.home, search=None, discovery=discovery)
    run = crawl(profile, RunKind.SWEEP)
    assert sum(hits for path, hits in shop.hits.items() if path.startswith("/s")) == 20
    assert run.stats.outcome is Outcome.FAILED
    assert "site_changed" in {issue.code for issue in run.issues}
