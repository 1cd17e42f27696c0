"""Interfaces searched in real child processes, against a server that checks signatures and logins itself."""

from __future__ import annotations

import gzip
import time

import pytest

from crawlers.evidence import read_evidence
from crawlers.resuming import WHOLE_CATALOGUE, Rest
from crawlers.rundir import Outcome, RunKind
from tests.crawlers.apis.goods import (
    ebay_item,
    jd_goods,
    pdd_goods,
    shipped,
    shop,
    shopify_product,
    taobao_goods,
    woo_product,
)
from tests.crawlers.apis.server import (
    SECRETS,
    TOKEN,
    Says,
    ebay,
    jd,
    pdd,
    shopify,
    taobao,
    woocommerce,
)


def everything_in(folder) -> bytes:
    """All bytes that a run left, compressed ones unfolded."""
    texts = []
    for path in (path for path in folder.rglob("*") if path.is_file()):
        texts.append(path.read_bytes())
        if path.suffix == ".gz":
            texts.append(gzip.decompress(path.read_bytes()))
    return b"\n".join([*texts, folder.with_name(folder.name + ".log").read_bytes()])


GOODS = {
    "taobao-union": (taobao, [taobao_goods(str(n), f"医用雾化器 {n}") for n in range(101)]),
    "jd-union": (jd, [jd_goods(1000 + n, f"医用雾化器 {n}") for n in range(51)]),
    "pdd-ddjb": (pdd, [pdd_goods(f"sign{n}", f"医用雾化器 {n}") for n in range(101)]),
    "ebay": (ebay, {str(10**9 + n): ebay_item(str(10**9 + n), f"医用雾化器 {n}") for n in range(201)}),
}


@pytest.mark.parametrize("name", GOODS)
def test_every_page_of_a_keyed_interface_is_asked_for_signed_and_kept_without_its_keys(
    name, serve, keys, crawl
):
    play, goods = GOODS[name]
    server = serve(play(goods))
    server.robots = Says(b"User-agent: *\nDisallow: /")
    run = crawl(shipped(name, server.home), RunKind.SWEEP, terms=("雾化器", "没有"))
    assert run.stats.outcome is Outcome.OK, run.issues
    assert len({listing.item_id for listing in run.listings}) == len(run.listings) == len(goods)
    assert {listing.found_by for listing in run.listings} == {"雾化器"}
    assert {source for listing in run.listings for source in listing.sources.values()} == {"api"}
    assert run.stats.counters["search_pages"] == 3
    assert run.stats.counters["empty_searches"] == 1
    assert server.robots_hits == 0  # whoever gave us a key has told us what we may
    assert "Vapewatch/" in server.asked[0].headers["user-agent"]
    page = read_evidence(run.path, run.listings[-1].evidence)
    assert run.listings[-1].title.encode("unicode_escape") in page.body.replace(b"\\\\", b"\\")
    kept = everything_in(run.path)
    assert [key for key, value in SECRETS.items() if value.encode() in kept] == []
    assert TOKEN.encode() not in kept
    assert b"sign=" not in kept
    told = b"market=EBAY_US" if name == "ebay" else "雾化器".encode()
    assert told in b"".join(line for line in kept.splitlines() if line.startswith(b"asked: "))


@pytest.mark.parametrize(
    ("name", "value"),
    [("taobao-union", "APP_KEY"), ("ebay", "CLIENT_SECRET")],
)
def test_a_refused_key_ends_the_run_at_once_and_says_so(name, value, serve, keys, crawl, monkeypatch):
    variable = f"VAPEWATCH_{name.upper().replace('-', '_')}_{value}"
    monkeypatch.setenv(variable, "wrong-Zk3")
    play, goods = GOODS[name]
    server = serve(play(goods))
    run = crawl(shipped(name, server.home), RunKind.SWEEP, terms=("雾化器", "b", "c", "d", "e"))
    assert run.stats.outcome is Outcome.FAILED
    assert run.stats.finish_reason == "interface_refused"
    assert "interface_refused" in {issue.code for issue in run.issues}
    assert len(server.asked) <= 2
    assert b"wrong-Zk3" not in everything_in(run.path)


def test_missing_keys_ask_nothing(serve, crawl):
    server = serve(taobao([]))
    run = crawl(shipped("taobao-union", server.home), RunKind.SWEEP)
    assert run.stats.outcome is Outcome.FAILED
    assert run.stats.finish_reason == "keys_missing"
    (issue,) = (issue for issue in run.issues if "VAPEWATCH_TAOBAO_UNION_APP_KEY" in issue.message)
    assert issue.code == "keys_missing"
    assert server.asked == []


def test_too_often_said_with_success_counts_as_a_wall_and_makes_us_silent(serve, keys, crawl):
    limited = {"error_response": {"code": 7, "sub_code": "accesscontrol.limited-by-api-access-count"}}
    server = serve(lambda asked: Says(limited, 200, {"Retry-After": "1"}))
    began = time.monotonic()
    run = crawl(shipped("taobao-union", server.home), RunKind.SWEEP, terms=("a", "b", "c", "d"))
    assert run.stats.outcome is Outcome.BLOCKED
    assert run.stats.finish_reason == "blocked"
    assert len(server.asked) == 2
    assert time.monotonic() - began >= 1
    assert run.requests.refusals == 2
    assert "rate_limited" in {issue.code for issue in run.issues}


def test_a_shopify_shop_given_by_name_and_home_is_read_whole(serve, crawl):
    products = [shopify_product(f"pod-{n}", f"Pod {n}") for n in range(251)]
    server = serve(shopify([*products, shopify_product("", "no handle"), shopify_product("x", "")]))
    run = crawl(shop("shopify", server.home), RunKind.SWEEP)
    assert len(run.listings) == 251
    assert {listing.found_by for listing in run.listings} == {"catalogue"}
    assert run.listings[0].url == f"{server.home}/products/pod-0"
    assert [asked.query["page"] for asked in server.asked] == ["1", "2"]
    assert server.robots_hits == 1
    assert run.stats.counters["unread_no_item_id"] == 1
    assert run.stats.counters["unread_no_title"] == 1
    assert run.stats.outcome is Outcome.PARTIAL


def test_terms_pick_from_a_catalogue_that_cannot_be_searched(serve, crawl):
    products = [shopify_product("a", "MINT pod"), shopify_product("b", "Teapot", body_html="", tags=[])]
    server = serve(shopify(products))
    run = crawl(shop("shopify", server.home), RunKind.SWEEP, terms=("mint", "pods"))
    assert {listing.item_id: listing.found_by for listing in run.listings} == {"a": "mint", "b": "pods"}


def test_a_catalogue_that_broke_off_is_taken_up_at_its_next_page(serve, crawl):
    products = [shopify_product(f"pod-{n}", f"Pod {n}") for n in range(252)]
    server = serve(shopify(products))
    rest = Rest(term=WHOLE_CATALOGUE, next_page=2)
    run = crawl(shop("shopify", server.home), RunKind.SWEEP, rests=(rest,), handled=("pod-250",))
    assert [listing.item_id for listing in run.listings] == ["pod-251"]
    assert [asked.query["page"] for asked in server.asked] == ["2"]
    assert [page.last for page in run.pages] == [True]


def test_robots_of_a_public_interface_are_obeyed(serve, crawl):
    server = serve(shopify([shopify_product("a", "x")]))
    server.robots = Says(b"User-agent: *\nDisallow: /products.json")
    run = crawl(shop("shopify", server.home), RunKind.SWEEP)
    assert server.asked == []
    assert "robots_disallowed" in {issue.code for issue in run.issues}


def test_a_woocommerce_shop_is_searched_and_links_of_others_are_left(serve, crawl):
    products = [woo_product("mint", "vape mint"), woo_product("tea", "tea"), woo_product("evil", "vape evil")]
    products[2]["permalink"] = "https://evil.example/product/evil/"
    server = serve(woocommerce(lambda: server.home, products))
    run = crawl(shop("woocommerce", server.home), RunKind.SWEEP, terms=("vape",))
    (listing,) = run.listings
    assert (listing.item_id, listing.url) == ("mint", f"{server.home}/product/mint/")
    assert run.stats.counters["unread_no_item_id"] == 1


@pytest.mark.parametrize(
    ("says", "code"),
    [
        (Says({"products": {"0": 1}}), "search_unrecognised"),
        (Says(b'{"products": [' + b" " * 9_000_000 + b"]}"), "request_failed"),
        (Says({"products": [None, 5, "x", []]}), "site_changed"),
    ],
)
def test_a_hostile_answer_is_a_failure_with_a_name(says, code, serve, crawl):
    server = serve(lambda asked: says)
    run = crawl(shop("shopify", server.home), RunKind.SWEEP)
    assert run.stats.outcome is Outcome.FAILED
    assert {code, "zero_items"} <= {issue.code for issue in run.issues}
    assert run.listings == ()
    assert len(server.asked) <= 2
