"""What a server can throw at a crawler, thrown by a real server at a real crawl."""

from __future__ import annotations

import gzip
import json
import zlib

import pytest

from tests.crawlers.shop import Page, item_html, targets, verdicts

TITLE = "医用雾化器 家用静音"
HTML = {"Content-Type": "text/html; charset=utf-8"}
MEGABYTE = 1 << 20


def offers(count: int) -> str:
    each = [{"@type": "Offer", "price": f"{n + 5}.00", "priceCurrency": "CNY"} for n in range(count)]
    data = {"@type": "Product", "name": TITLE, "sku": "offers", "offers": {"@type": "AggregateOffer"}}
    data["offers"] |= {"lowPrice": "5.00", "priceCurrency": "CNY", "offers": each}
    return f'<script type="application/ld+json">{json.dumps(data, ensure_ascii=False)}</script>'


def unlabelled(encoding: str, kind: str) -> Page:
    return Page(item_html(TITLE).replace("¥", "￥").encode(encoding), headers={"Content-Type": kind})


PAGES: dict[str, tuple[Page, tuple[str, str]]] = {
    "ten-megabytes": (Page("<p>" + "雾" * (10 * MEGABYTE // 3)), ("error", "too_large")),
    "gzip-bomb": (
        Page(gzip.compress(bytes(300 * MEGABYTE), 9), headers=HTML | {"Content-Encoding": "gzip"}),
        ("error", "too_large"),
    ),
    "gzip-in-gzip": (
        Page(
            gzip.compress(gzip.compress(bytes(300 * MEGABYTE), 9), 9),
            headers=HTML | {"Content-Encoding": "gzip, gzip"},
        ),
        ("error", "too_large"),
    ),
    "deflate-bomb": (
        Page(zlib.compress(bytes(200 * MEGABYTE), 9), headers=HTML | {"Content-Encoding": "deflate"}),
        ("error", "too_large"),
    ),
    "gzip": (
        Page(gzip.compress(item_html(TITLE).encode()), headers=HTML | {"Content-Encoding": "gzip"}),
        ("up", "alive"),
    ),
    "gbk-called-utf8": (unlabelled("gb18030", "text/html; charset=utf-8"), ("up", "alive")),
    "gbk-unlabelled": (unlabelled("gbk", "text/html"), ("up", "alive")),
    "utf8-called-gbk": (unlabelled("utf-8", "text/html; charset=gb2312"), ("up", "alive")),
    "no-such-charset": (unlabelled("utf-8", "text/html; charset=../../etc/passwd"), ("up", "alive")),
    "many-cookies": (
        Page(item_html(TITLE), headers=HTML | {"Set-Cookie": "; ".join(f"c{n}=x" for n in range(1500))}),
        ("up", "alive"),
    ),
    "cookie-like-a-book": (
        Page(item_html(TITLE), headers=HTML | {"Set-Cookie": "c=" + "x" * MEGABYTE}),
        ("error", "connection_cut"),
    ),
    "file-name": (
        Page(
            item_html(TITLE),
            headers=HTML
            | {"Content-Disposition": 'attachment; filename="../../../../tmp/vapewatch-was-here"'},
        ),
        ("up", "alive"),
    ),
    "to-a-file": (Page("", 302, {"Location": "file:///etc/passwd"}), ("error", "unrecognised")),
    "to-data": (Page("", 302, {"Location": "data:text/html,<h1>x</h1>"}), ("error", "unrecognised")),
    "to-metadata": (Page("", 302, {"Location": "http://169.254.169.254/latest"}), ("error", "off_platform")),
    "loop": (Page("", 302, {"Location": "/item/loop.html"}), ("error", "redirect_loop")),
    "loop-of-two": (Page("", 302, {"Location": "/item/loop-of-two-b.html"}), ("error", "redirect_loop")),
    "offers": (Page(offers(10_000) + '<button class="add-cart">买</button>'), ("up", "alive")),
}


@pytest.fixture
def run(shop, profile, crawl):
    shop.pages |= {f"/item/{name}.html": page for name, (page, _) in PAGES.items()}
    shop.pages["/item/loop-of-two-b.html"] = Page("", 302, {"Location": "/item/loop-of-two.html"})
    return crawl(profile, targets=targets(shop.home, *PAGES), timeout_s=15)


def test_each_ends_in_the_verdict_that_is_its_own_and_the_crawl_goes_on(run):
    assert verdicts(run) == {name: verdict for name, (_, verdict) in PAGES.items()}
    shown = {one.item_id: one.listing for one in run.sightings if one.listing}
    assert {listing.title for listing in shown.values()} == {TITLE}
    assert (shown["offers"].price_raw, shown["offers"].sources["price"]) == ("5.00", "jsonld")
    assert not list(run.path.parent.glob("**/vapewatch-was-here"))
    assert run.stats.finish_reason == "finished"


def test_no_item_id_becomes_a_file_name(shop, profile, crawl):
    ids = ["../../../etc/passwd", "a\x00b", "x" * 5000, "\u202egnp.exe", "CON", "a/b\\c:d"]
    run = crawl(profile, targets=[{"item_id": one, "url": f"{shop.home}/item/1.html"} for one in ids])
    assert {sighting.item_id for sighting in run.sightings} == set(ids)
    assert {sighting.reason for sighting in run.sightings} == {"http_404"}
    names = [path.name for path in run.path.rglob("*")]
    assert not [name for name in names if any(one[:20] in name for one in ids)]
    assert not {"passwd", "b\\c:d"} & set(names)
