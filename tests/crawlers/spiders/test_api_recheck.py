"""Interfaces asked whether a listing is there: gone only where they say so and work."""

from __future__ import annotations

import gzip

import pytest

from crawlers.evidence import read_evidence
from crawlers.rundir import Outcome, Target
from tests.crawlers.apis.goods import ebay_item, shipped, shop, shopify_product, woo_product
from tests.crawlers.apis.server import SECRETS, TOKEN, Says, ebay, shopify, taobao, woocommerce
from tests.crawlers.shop import verdicts


def wanted(*item_ids: str, title: str | None = None) -> tuple[Target, ...]:
    return tuple(Target(item_id=i, url=f"https://shop.example/{i}", title=title) for i in item_ids)


def test_shopify_tells_what_is_there_gone_and_altered(serve, crawl):
    server = serve(shopify([shopify_product("a", "Blue Ice Pod"), shopify_product("b", "Garden chair, oak")]))
    targets = (*wanted("a", "gone"), *wanted("b", title="Vape mint 5%"))
    run = crawl(shop("shopify", server.home), targets=targets, vantage="api-shopify")
    assert verdicts(run) == {
        "a": ("up", "listed"),
        "gone": ("gone", "http_404"),
        "b": ("altered", "title_changed"),
    }
    assert run.stats.canary_ok is True
    assert run.stats.outcome is Outcome.OK
    assert all(sighting.evidence for sighting in run.sightings)


@pytest.mark.parametrize(
    "says",
    [
        Says(b"Not found", 404, {"Content-Type": "text/html"}),  # switched off
        Says(b"", 302, {"Location": "/password"}),
    ],
)
def test_where_nothing_proves_that_the_interface_works_nothing_is_gone(says, serve, crawl):
    server = serve(lambda asked: says)
    run = crawl(shop("shopify", server.home), targets=wanted("a", "b", "c"))
    assert run.stats.canary_ok is False
    assert {state for state, _ in verdicts(run).values()} <= {"error", "blocked"}
    assert run.stats.outcome in {Outcome.FAILED, Outcome.BLOCKED}
    assert len(server.asked) <= 2


def test_an_interface_that_finds_every_id_is_not_believed(serve, crawl):
    found = shopify([shopify_product("a", "x")])

    def answer(asked):
        handle = asked.path.removeprefix("/products/").removesuffix(".json")
        return found(asked) if asked.query else Says({"product": shopify_product(handle, "x")})

    run = crawl(shop("shopify", serve(answer).home), targets=wanted("b"))
    assert run.stats.canary_ok is False


def test_woocommerce_tells_a_missing_product_from_a_missing_interface(serve, crawl):
    products = [woo_product("mint", "Mint"), woo_product("out", "Out", is_in_stock=False)]
    server = serve(woocommerce(lambda: server.home, products))
    run = crawl(shop("woocommerce", server.home), targets=wanted("mint", "out", "gone"))
    assert verdicts(run) == {
        "mint": ("up", "listed"),
        "out": ("up", "sold_out"),
        "gone": ("gone", "not_found"),
    }
    assert run.stats.canary_ok is True


def renamed(answering, page, says):
    """The goods of ``page`` are on sale under another name, as their page tells."""
    return lambda asked: says if asked.path == page else answering(asked)


PAGE = {"Content-Type": "text/html"}
SHAPES = {
    "led on": (Says(b"", 301, PAGE | {"Location": "/new-name"}), ("error", "moved")),
    "still there": (Says(b"<h1>Mint</h1>", 200, PAGE), ("error", "moved")),
    "gone": (Says(b"", 410, PAGE), None),
    "out of order": (Says(b"", 503, PAGE), ("error", "http_503")),
    "walled off": (Says(b"<title>Just a moment...</title>", 404, PAGE), ("blocked", "captcha")),
    "behind a login": (
        Says(b"", 302, PAGE | {"Location": "https://login.shop.example/"}),
        ("blocked", "login_wall"),
    ),
}


@pytest.mark.parametrize("shape", SHAPES)
def test_goods_that_shopify_does_not_find_are_gone_only_if_their_page_is(serve, crawl, shape):
    page, seen = SHAPES[shape]
    server = serve(renamed(shopify([shopify_product("a", "x")]), "/products/old", page))
    run = crawl(shop("shopify", server.home), targets=wanted("old"))
    assert verdicts(run) == {"old": seen or ("gone", "http_404")}
    assert run.stats.canary_ok is True
    asked = [one.path for one in server.asked]
    assert asked.count("/products/old.json") == 1
    assert "/new-name" not in asked, "where it leads is not followed"


@pytest.mark.parametrize("shape", SHAPES)
def test_goods_that_woocommerce_does_not_find_are_gone_only_if_their_page_is(serve, crawl, shape):
    page, seen = SHAPES[shape]
    answering = woocommerce(lambda: server.home, [woo_product("mint", "Mint")])
    server = serve(renamed(answering, "/product/old/", page))
    run = crawl(shop("woocommerce", server.home), targets=wanted("old"))
    assert verdicts(run) == {"old": seen or ("gone", "not_found")}


def test_a_page_that_robots_txt_forbids_proves_no_removal(serve, crawl):
    server = serve(shopify([shopify_product("a", "x")]))
    server.robots = Says(b"User-agent: *\nDisallow: /products/old$", 200, {"Content-Type": "text/plain"})
    run = crawl(shop("shopify", server.home), targets=wanted("old"))
    assert verdicts(run) == {"old": ("error", "robots_disallowed")}


def test_ebay_tells_what_ended(serve, keys, crawl):
    over = "2020-01-01T00:00:00.000Z"
    items = {
        "1000000001": ebay_item("1000000001", "vape pod"),
        "1000000002": ebay_item("1000000002", "other", itemEndDate=over),
    }
    server = serve(ebay(items))
    run = crawl(
        shipped("ebay", server.home, terms=("vape",)),
        targets=wanted("1000000001", "1000000002", "1000000003"),
    )
    assert verdicts(run) == {
        "1000000001": ("up", "listed"),
        "1000000002": ("gone", "listing_ended"),
        "1000000003": ("gone", "not_found"),
    }
    assert run.stats.canary_ok is True


def test_an_affiliate_interface_is_not_even_asked(serve, keys, crawl):
    server = serve(taobao([]))
    run = crawl(shipped("taobao-union", server.home), targets=wanted("1", "2"))
    assert set(verdicts(run).values()) == {("error", "interface_cannot_tell")}
    assert server.asked == []


def test_a_wall_before_the_interface_is_never_a_removal(serve, crawl):
    real = shopify([shopify_product("a", "x")])

    def answer(asked):
        wall = b"<title>Just a moment...</title><form id='challenge-form'></form>"
        walled = asked.path.startswith("/products/b")
        return Says(wall, 404, {"Content-Type": "text/html"}) if walled else real(asked)

    run = crawl(shop("shopify", serve(answer).home), targets=wanted("b"))
    assert verdicts(run) == {"b": ("blocked", "captcha")}


def test_what_repeats_our_keys_is_kept_without_them_and_a_fault_not_at_all(serve, keys, crawl):
    secret = SECRETS["VAPEWATCH_EBAY_CLIENT_SECRET"]
    items = {number: ebay_item(number, "vape pod") for number in ("1000000001", "1000000002")}
    items["1000000002"]["debug"] = f"asked with {secret}, by {TOKEN}"
    real = ebay(items)

    def answer(asked):
        repeats = {"errors": [{"errorId": 12001, "message": f"access denied for {secret} and {TOKEN}"}]}
        return Says(repeats, 409) if "1000000003" in asked.path else real(asked)

    targets = wanted("1000000002", "1000000003")
    run = crawl(shipped("ebay", serve(answer).home, terms=("vape",)), targets=targets)
    seen = {sighting.item_id: sighting for sighting in run.sightings}
    assert seen["1000000002"].state == "up"
    repeated = b"asked with (client_secret), by (access_token)"
    assert repeated in read_evidence(run.path, seen["1000000002"].evidence).body
    assert (seen["1000000003"].state, seen["1000000003"].evidence) == ("error", None)
    files = (path for path in run.path.rglob("*") if path.is_file())
    kept = b"".join(gzip.decompress(f.read_bytes()) if f.suffix == ".gz" else f.read_bytes() for f in files)
    assert secret.encode() not in kept
    assert TOKEN.encode() not in kept


def test_a_key_that_is_a_part_of_another_leaves_nothing_of_it(serve, keys, monkeypatch, crawl):
    monkeypatch.setenv("VAPEWATCH_EBAY_CLIENT_ID", "ebay-secret")  # the beginning of the other key
    secret = SECRETS["VAPEWATCH_EBAY_CLIENT_SECRET"]
    fault = {"errors": [{"errorId": 1001, "message": f"no right for {secret}"}]}
    run = crawl(shipped("ebay", serve(lambda _: Says(fault, 400)).home, terms=("vape",)), targets=wanted("1"))
    (words,) = (issue.message for issue in run.issues if "no right for" in issue.message)
    assert "no right for (client_secret)" in words
