"""What each interface's answers say, faults and hostile answers included. Nothing is asked."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from crawlers.answer import Answer, load_json
from crawlers.apis.answers import from_minor_units, plain
from crawlers.apis.interface import FaultKind, ResultPage, ShapeError
from crawlers.apis.keys import CATALOGUES, KEYS
from crawlers.apis.registry import INTERFACES, fault_of
from crawlers.listing import Presence
from crawlers.pages import listing_of
from crawlers.structured import Facts
from tests.crawlers.apis.goods import (
    PROFILES,
    ebay_item,
    jd_goods,
    pdd_goods,
    shop,
    shopify_product,
    taobao_goods,
    woo_product,
)

NOW = datetime(2026, 11, 1, tzinfo=UTC)
HOME = "https://shop.example"
PLATFORMS = {name: PROFILES[name] for name in ("ebay", "taobao-union", "jd-union", "pdd-ddjb")} | {
    name: shop(name, HOME) for name in ("shopify", "woocommerce")
}
MADE = {name: INTERFACES[name](platform, {}) for name, platform in PLATFORMS.items()}


def woo(*arguments, **more):
    product = woo_product(*arguments, **more)
    return product | {"permalink": f"{HOME}/product/{product['slug']}/"}


def jd_answer(result: object) -> dict[str, object]:
    return {"jd_union_open_goods_query_responce": {"queryResult": json.dumps(result)}}


ANSWERS = {
    "shopify": lambda goods: {"products": goods},
    "woocommerce": lambda goods: goods,
    "ebay": lambda goods: {"total": len(goods), "itemSummaries": goods},
    "taobao-union": lambda goods: {
        "tbk_dg_material_optional_upgrade_response": {"result_list": {"map_data": goods}}
    },
    "jd-union": lambda goods: jd_answer({"code": 200, "data": goods}),
    "pdd-ddjb": lambda goods: {"goods_search_response": {"goods_list": goods}},
}


def parsed(value: object) -> object:
    """As it comes from the wire: numbers are texts."""
    return load_json(json.dumps(value))


def listing(name: str, goods: object):
    (offer,) = MADE[name].read(parsed(ANSWERS[name]([goods]))).offers
    return listing_of(Facts(dict(offer.facts)), PLATFORMS[name], offer.item_id, NOW)


def test_every_interface_has_its_names_of_keys_and_its_examples_here():
    assert INTERFACES.keys() == KEYS.keys() == PLATFORMS.keys() == ANSWERS.keys()
    assert {name for name, keys in KEYS.items() if not keys} == CATALOGUES


def test_an_offer_of_each_interface_becomes_a_whole_listing():
    found = {
        "shopify": listing("shopify", shopify_product("blue-ice", "Blue Ice Pod")),
        "woocommerce": listing("woocommerce", woo("mint-herbal", "薄荷 Herbal")),
        "ebay": listing("ebay", ebay_item("123456789012", "Vape pod")),
        "taobao-union": listing("taobao-union", taobao_goods("612345", "医用雾化器")),
        "jd-union": listing("jd-union", jd_goods(100012, "雾化棒")),
        "pdd-ddjb": listing("pdd-ddjb", pdd_goods("Y9z_sign", "雾化弹")),
    }
    assert {n: (f.platform, f.item_id, f.title, f.price, f.currency) for n, f in found.items()} == {
        "shopify": ("corner", "blue-ice", "Blue Ice Pod", Decimal("24.90"), None),
        "woocommerce": ("corner", "mint-herbal", "薄荷 Herbal", Decimal("19.99"), "EUR"),
        "ebay": ("ebay", "123456789012", "Vape pod", Decimal("12.50"), "USD"),
        "taobao-union": ("taobao", "612345", "医用雾化器", Decimal("79.9"), "CNY"),
        "jd-union": ("jd", "100012", "雾化棒", Decimal("59.9"), "CNY"),
        "pdd-ddjb": ("pdd", "Y9z_sign", "雾化弹", Decimal("25.99"), "CNY"),
    }
    assert {name: one.seller.name for name, one in found.items()} == {
        "shopify": "Shopify 店铺 corner",
        "woocommerce": "WooCommerce 店铺 corner",
        "ebay": "cloudy",
        "taobao-union": "康康医疗器械专营店",
        "jd-union": "雾里专营店",
        "pdd-ddjb": "果味小店",
    }
    assert all(one.images and one.images[0].startswith("https://") for one in found.values())
    assert found["shopify"].description == "Blueberry ice"
    assert found["woocommerce"].description == "草本 & 薄荷"
    assert found["ebay"].url == "https://www.ebay.com/itm/123456789012"
    assert found["shopify"].attributes == {"vendor": "Cloud Nine", "type": "Pods", "tags": "vape, 5%"}


@pytest.mark.parametrize(
    ("name", "goods"),
    [
        ("shopify", shopify_product("a", "x", variants=[{"price": "-5.00"}])),
        ("woocommerce", woo("a", "x", prices={"price": "-500", "currency_minor_unit": 2})),
        ("ebay", ebay_item("123456789", "x", price={"value": "-5", "currency": "USD"})),
        ("taobao-union", taobao_goods("1", "x", zk_final_price="-5")),
        ("jd-union", jd_goods(1, "x", price=-5)),
        ("pdd-ddjb", pdd_goods("1", "x", fen=-500)),
        ("woocommerce", woo("a", "x", prices={"price": "500"})),  # of what?
        ("woocommerce", woo("a", "x", prices={"price": "500", "currency_minor_unit": 10**20})),
        ("pdd-ddjb", pdd_goods("1", "x", fen="1e400")),
        ("jd-union", jd_goods(1, "x", price=1e300)),
        ("taobao-union", taobao_goods("1", "x", zk_final_price={"$": 5}, reserve_price=None)),
    ],
)
def test_a_price_that_cannot_be_is_none_and_never_another(name, goods):
    assert listing(name, goods).price is None


def test_nesting_to_exhaust_the_stack_costs_one_field_at_most():
    deep: object = "x"
    for _ in range(900):
        deep = [deep]
    goods = load_json(json.dumps({"products": [shopify_product("a", "x", tags=deep, images=deep)]}))
    (offer,) = MADE["shopify"].read(goods).offers
    assert (offer.item_id, offer.facts["title"]) == ("a", "x")


def test_a_negative_price_is_kept_as_written():
    assert listing("jd-union", jd_goods(1, "x", price=-5)).price_raw == "-5"


@pytest.mark.parametrize(
    ("name", "answer"),
    [
        ("shopify", {"product": []}),
        ("shopify", []),
        ("woocommerce", {"products": []}),
        ("ebay", {"itemSummaries": []}),
        ("ebay", {"total": 5}),
        ("taobao-union", {"tbk_dg_material_optional_upgrade_response": {"result_list": []}}),
        ("jd-union", {"jd_union_open_goods_query_responce": {"queryResult": "{"}}),
        ("jd-union", {"jd_union_open_goods_query_responce": {"queryResult": "[" * 100_000}}),
        ("pdd-ddjb", {"goods_search_response": None}),
        ("pdd-ddjb", None),
    ],
)
def test_an_answer_of_another_shape_is_told_and_never_taken_for_nothing_found(name, answer):
    with pytest.raises(ShapeError):
        MADE[name].read(parsed(answer))


@pytest.mark.parametrize(
    ("name", "answer"),
    [
        ("shopify", {"products": []}),
        ("woocommerce", []),
        ("ebay", {"total": 0, "href": "x"}),
        ("taobao-union", {"error_response": {"code": 15, "sub_code": "50001", "sub_msg": "无结果"}}),
        ("jd-union", jd_answer({"code": 200, "totalCount": 0})),
        ("pdd-ddjb", {"goods_search_response": {"goods_list": [], "total_count": 0}}),
    ],
)
def test_nothing_found_is_an_empty_page_and_no_fault(name, answer):
    assert MADE[name].read(parsed(answer)) == ResultPage((), 0, MADE[name].read(parsed(answer)).total)
    assert fault_of(said(answer), PLATFORMS[name]) is None


def said(value: object, status: int = 200, **headers: str) -> Answer:
    body = value if isinstance(value, bytes) else json.dumps(value).encode()
    named = {"content-type": "application/json"} | {k.replace("_", "-"): v for k, v in headers.items()}
    return Answer(HOME, HOME, status, body, named)


def error(**words: object) -> Answer:
    """How Taobao, JD and Pinduoduo tell of errors: with success."""
    return said({"error_response": words})


WALL = b"<title>Just a moment...</title><form id=challenge-form></form>"


@pytest.mark.parametrize(
    ("name", "answer", "kind"),
    [
        ("taobao-union", error(code=7, sub_code="accesscontrol.limited-by-api-access-count"), "rate_limited"),
        ("taobao-union", error(code=25, msg="Invalid signature"), "interface_refused"),
        ("taobao-union", error(code=11, msg="Insufficient isv permissions"), "interface_refused"),
        ("taobao-union", error(code=10, msg="Service Currently Unavailable"), "interface_unavailable"),
        ("taobao-union", error(code=41, msg="Invalid arguments:adzone_id"), "call_rejected"),
        ("taobao-union", said({"error_response": "what"}), "call_rejected"),
        ("jd-union", error(code="12", zh_desc="签名错误"), "interface_refused"),
        ("jd-union", said(jd_answer({"code": 403, "message": "调用频率超过限制"})), "rate_limited"),
        ("jd-union", said(jd_answer({"code": 411, "message": "sceneId mismatch"})), "call_rejected"),
        ("pdd-ddjb", error(error_code=20004, error_msg="签名sign校验失败"), "interface_refused"),
        ("pdd-ddjb", error(error_code=70031, error_msg="调用过于频繁，请调整调用频率"), "rate_limited"),
        ("pdd-ddjb", error(error_code=10002, error_msg="参数错误"), "call_rejected"),
        ("ebay", said({"errors": [{"errorId": 2001, "message": "Too many requests."}]}), "rate_limited"),
        ("ebay", said({"errors": [{"errorId": 1001}]}, 401), "interface_refused"),
        ("ebay", said({"errors": [{"errorId": 12001}]}, 400), "call_rejected"),
        ("woocommerce", said({"code": "rest_forbidden", "message": "Sorry"}, 401), "walled"),
        ("woocommerce", said({"code": "woocommerce_rest_bad", "message": "x"}, 400), "call_rejected"),
        ("shopify", said(b"", 430), "rate_limited"),
        ("shopify", said({"errors": "Page limit"}, 400), "call_rejected"),
        ("shopify", said(WALL, 200, content_type="text/html"), "walled"),
        ("shopify", said(WALL, 404, content_type="text/html"), "walled"),
        ("shopify", said(b"", 302, location="/password"), "walled"),
        ("shopify", said(b"", 301, location="https://www.shop.example/products.json"), "call_rejected"),
        ("shopify", said(b"<h1>Welcome</h1>", 200, content_type="text/html"), "answer_unreadable"),
        ("shopify", said(b"", 502), "interface_unavailable"),
        ("jd-union", said(b"[" * 1_000_000), "answer_unreadable"),
    ],
)
def test_a_fault_has_a_name_also_when_it_comes_with_success(name, answer, kind):
    assert fault_of(answer, PLATFORMS[name]).kind == FaultKind(kind)


def test_a_sellers_html_inside_json_feigns_no_wall():
    product = shopify_product("a", "x", body_html=WALL.decode() + "<div id='px-captcha'></div>")
    label = {"content_type": "text/html"}
    assert fault_of(said({"products": [product]}, **label), PLATFORMS["shopify"]) is None


@pytest.mark.parametrize(
    ("name", "status", "answer", "state", "reason"),
    [
        ("shopify", 200, {"product": shopify_product("a1", "x")}, "up", "listed"),
        ("shopify", 404, None, "gone", "http_404"),
        ("shopify", 200, {"product": shopify_product("b", "x")}, "error", "other_item"),
        ("shopify", 200, {"hello": 1}, "error", "unrecognised"),
        ("woocommerce", 200, woo("a1", "x"), "up", "listed"),
        ("woocommerce", 200, woo("a1", "x", is_in_stock=False), "up", "sold_out"),
        ("woocommerce", 404, {"code": "woocommerce_rest_product_invalid_slug"}, "gone", "not_found"),
        ("woocommerce", 404, {"code": "rest_no_route"}, "error", "http_404"),
        ("woocommerce", 404, None, "error", "http_404"),
        ("woocommerce", 200, woo("b", "x"), "error", "other_item"),
        ("ebay", 404, {"errors": [{"errorId": 11001}]}, "gone", "not_found"),
        ("ebay", 404, None, "error", "unrecognised"),
        ("ebay", 200, ebay_item("1", "x"), "error", "other_item"),
        ("ebay", 200, ebay_item("77", "x"), "up", "listed"),
        ("ebay", 200, ebay_item("77", "x", itemEndDate="2026-10-30T01:00:00.000Z"), "gone", "listing_ended"),
        ("ebay", 200, ebay_item("77", "x", itemEndDate="2026-11-30T01:00:00.000Z"), "up", "listed"),
        ("ebay", 200, ebay_item("77", "x", itemEndDate="2020-01-01"), "up", "listed"),
        ("ebay", 200, ebay_item("77", "x", itemEndDate="soon"), "up", "listed"),
        (
            "ebay",
            200,
            ebay_item("77", "x", estimatedAvailabilities=[{"estimatedAvailabilityStatus": "OUT_OF_STOCK"}]),
            "up",
            "sold_out",
        ),
    ],
)
def test_only_positive_evidence_says_that_a_listing_is_gone(name, status, answer, state, reason):
    item_id = "77" if name == "ebay" else "a1"
    judgement, offer = MADE[name].judge(status, parsed(answer), item_id, NOW)
    assert (judgement.state, judgement.reason) == (Presence(state), reason)
    assert (offer is not None) == (state == "up")


@pytest.mark.parametrize("name", ["taobao-union", "jd-union", "pdd-ddjb"])
def test_an_interface_that_only_searches_tells_nothing_of_a_removal(name):
    assert MADE[name].item("1") is None
    with pytest.raises(ValueError, match="cannot tell"):
        MADE[name].judge(404, None, "1", NOW)


@pytest.mark.parametrize("name", ["shopify", "woocommerce", "ebay"])
def test_a_hostile_id_stays_inside_its_place_in_the_address(name):
    url = MADE[name].item("../../admin?x=1#y").url
    assert ".." not in url.replace("..%2F", "")
    assert "?" not in url
    assert "#" not in url


NAMES = [
    *("products", "total", "itemSummaries", "errors", "error_response", "code", "sub_code", "data"),
    *("goods_search_response", "goods_list", "queryResult", "jd_union_open_goods_query_responce"),
    *("tbk_dg_material_optional_upgrade_response", "result_list", "map_data", "item_id", "handle"),
    *("title", "name", "variants", "prices", "price", "images", "src", "permalink", "itemId"),
]
json_values = st.recursive(
    st.none() | st.booleans() | st.text(max_size=5) | st.integers() | st.floats(allow_nan=False),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(NAMES),
            inner,
            max_size=4,
        )
    ),
    max_leaves=25,
)


@pytest.mark.parametrize("name", MADE)
@given(value=json_values)
def test_no_answer_whatever_breaks_the_reading(name, value):
    data = parsed(value)
    fault_of(said(value), PLATFORMS[name])
    try:
        page = MADE[name].read(data)
    except ShapeError:
        return
    for offer in page.offers:
        assert isinstance(offer.item_id, str)
        if offer.item_id:
            listing_of(Facts(dict(offer.facts)), PLATFORMS[name], offer.item_id, NOW)


@given(st.text())
def test_no_text_breaks_the_json_reader_or_the_html_reader(text):
    load_json(text)
    assert isinstance(plain(text), str)


def test_minor_units_become_major_ones_and_nonsense_stays():
    assert from_minor_units("2599", 2) == "25.99"
    assert from_minor_units("5", 0) == "5"
    assert from_minor_units("-500", 2) == "-5.00"
    assert from_minor_units("12", 400) == ""
    assert from_minor_units("免费", 2) == "免费"
