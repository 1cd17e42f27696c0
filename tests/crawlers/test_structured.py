"""Structured data as shops really write it: broken neighbours, graphs, lists, and bombs."""

from __future__ import annotations

import json
import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from crawlers.answer import Answer
from crawlers.platforms import ListingUrl
from crawlers.structured import jsonld_products, read_structured

URL = "https://mall.example/item/42.html"
PLACE = ListingUrl(match=r"/item/(?P<id>\d+)\.html", canonical="https://mall.example/item/{id}.html")


def facts(*parts: str):
    return read_structured(Answer(URL, URL, 200, "".join(parts).encode()), PLACE, "42")


def script(data: object) -> str:
    text = data if isinstance(data, str) else json.dumps(data, ensure_ascii=False)
    return f'<script type="application/ld+json">{text}</script>'


def product(**changes: object) -> dict[str, object]:
    return {"@context": "https://schema.org", "@type": "Product", "name": "雾化器"} | changes


def test_everything_is_read_with_its_source():
    found = facts(
        script(
            product(
                url=URL,
                description="细雾 &amp; 静音",
                image=["/a.png", {"url": "https://cdn.example/b.png"}],
                brand={"@type": "Brand", "name": "甲"},
                inLanguage="zh-CN",
                additionalProperty=[{"@type": "PropertyValue", "name": "容量", "value": "8ml"}],
                offers={
                    "@type": "Offer",
                    "price": 19.90,
                    "priceCurrency": "CNY",
                    "seller": {"name": "老军医", "identifier": "77", "url": "/shop/77"},
                },
            )
        )
    )
    assert found.values == {
        "title": "雾化器",
        "description": "细雾 & 静音",
        "images": ("https://mall.example/a.png", "https://cdn.example/b.png"),
        "attributes": {"容量": "8ml", "brand": "甲"},
        "price": "19.9",
        "currency": "CNY",
        "seller": "老军医",
        "seller_id": "77",
        "seller_url": "https://mall.example/shop/77",
        "lang": "zh-CN",
    }
    assert set(found.sources.values()) == {"jsonld"}
    assert found.ids == {"42"}


@pytest.mark.parametrize(
    "broken",
    [
        "{",
        "",
        "null",
        '"text"',
        "[1, 2",
        '{"@type": "Product", "name": }',
        "<!-- x -->",
        '{"a": ' + "9" * 6000 + "}",
    ],
)
def test_a_broken_script_does_not_take_its_neighbours_along(broken):
    found = facts(script(broken), script(product(url=URL)), script(broken))
    assert found.values["title"] == "雾化器"


@pytest.mark.parametrize(
    "data",
    [
        [product(url=URL)],
        {"@context": "https://schema.org", "@graph": [{"@type": "WebPage"}, product(url=URL)]},
        {"@type": "WebPage", "mainEntity": product(url=URL)},
        product(url=URL) | {"@type": ["Thing", "Product"]},
        product(url=URL) | {"@type": "https://schema.org/Product"},
        [[{"@graph": [product(url=URL)]}]],
        product(offers=[{"url": URL}]),
        product(sku="42"),
        product(),
    ],
)
def test_the_product_is_found_wherever_it_stands(data):
    assert facts(script(data)).values["title"] == "雾化器"


def test_a_recommended_product_is_not_taken_for_the_page():
    other = product(name="别的", url="https://mall.example/item/7.html", offers={"price": "1"})
    found = facts(script(other), script(product(url=URL)))
    assert found.values == {"title": "雾化器"}
    assert facts(script(other)).values == {}
    assert facts(script(product(name="甲")), script(product(name="乙"))).values == {}


def test_raw_line_breaks_and_a_trailing_semicolon_are_forgiven():
    found = facts(script('{"@type": "Product",\n "name": "上\n下"};'))
    assert found.values["title"] == "上 下"


def test_microdata_is_read_as_the_same_facts():
    found = facts(
        '<div itemscope itemtype="http://schema.org/Product"><meta itemprop="sku" content="42">'
        '<h1 itemprop="name">雾<b>化</b>器</h1><img itemprop="image" src="/a.png">'
        '<div itemprop="offers" itemscope itemtype="http://schema.org/Offer">'
        '<span itemprop="price" content="8.5">八块五</span><meta itemprop="priceCurrency" content="CNY">'
        '<div itemprop="seller" itemscope><a itemprop="url" href="/s/1"><i itemprop="name">铺子</i></a>'
        "</div></div>"
        '<div itemprop="isRelatedTo" itemscope itemtype="http://schema.org/Product">'
        '<b itemprop="name">别的</b></div></div>'
    )
    assert found.values == {
        "title": "雾化器",
        "price": "8.5",
        "currency": "CNY",
        "seller": "铺子",
        "seller_url": "https://mall.example/s/1",
        "images": ("https://mall.example/a.png",),
    }
    assert set(found.sources.values()) == {"microdata"}


def test_rdfa_is_read_as_the_same_facts():
    found = facts(
        '<div vocab="https://schema.org/" typeof="schema:Product"><meta property="schema:sku" content="42">'
        '<h1 property="schema:name">雾化器</h1><div property="offers" typeof="Offer">'
        '<b property="price" content="8.5">八块五</b><meta property="priceCurrency" content="CNY"></div>'
        '<div property="isRelatedTo" typeof="Product"><b property="name">别的</b></div></div>'
    )
    assert found.values == {"title": "雾化器", "price": "8.5", "currency": "CNY"}
    assert set(found.sources.values()) == {"rdfa"}
    assert found.ids == {"42"}


def group(**changes: object) -> dict[str, object]:
    variants = [
        {
            "@type": "Product",
            "sku": "a",
            "name": "雾化器 白",
            "offers": {"price": "5", "priceCurrency": "CNY"},
        },
        {
            "@type": "Product",
            "sku": "42",
            "name": "雾化器 黑",
            "offers": {"price": "7", "priceCurrency": "CNY"},
        },
    ]
    data = product(hasVariant=variants, brand="甲", description="细雾", productGroupID="9")
    return data | {"@type": "ProductGroup"} | changes


def test_a_variant_is_read_with_all_that_it_shares_with_its_group():
    found = facts(script(group())).values
    assert (found["title"], found["price"], found["description"]) == ("雾化器 黑", "7", "细雾")
    assert found["attributes"] == {"brand": "甲"}


@pytest.mark.parametrize("named", [{"url": URL}, {"productGroupID": "42"}])
def test_a_group_is_offered_as_its_variants_are(named):
    found = facts(script(group(**named)))
    assert (found.values["title"], found.values["price"], found.ids) == ("雾化器", "5", {"42"})


def test_a_group_without_any_address_is_the_pages_own():
    variants = [{"@type": "Product", "name": "白"}, {"@type": "Product", "name": "黑"}]
    assert facts(script(group(hasVariant=variants, productGroupID=None))).values["title"] == "雾化器"


def test_many_offers_cost_what_the_outermost_says():
    each = [{"@type": "Offer", "price": str(n + 50)} for n in range(10_000)]
    data = product(url=URL, offers={"@type": "AggregateOffer", "lowPrice": "49", "offers": each})
    assert facts(script(data)).values["price"] == "49"
    assert facts(script(product(url=URL, offers=each))).values["price"] == "50"


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("<!--", "-->"),
        ("//<![CDATA[\n", "\n//]]>"),
        ("/* <![CDATA[ */", "/* ]]> */"),
        ("", ";"),
        ("var x = ", ""),
    ],
)
def test_what_shops_put_around_their_data_is_passed_over(before, after):
    assert facts(script(before + json.dumps(product(url=URL)) + after)).values["title"] == "雾化器"


@pytest.mark.parametrize(
    "written",
    ["https://schema.org/InStock", "http://schema.org/InStock/", "InStock"],
)
def test_availability_is_the_last_part_of_its_address(written):
    found = facts(script(product(url=URL, offers={"price": "5", "availability": written})))
    assert found.values["availability"] == "InStock"


def test_opengraph_counts_only_on_a_product_page():
    title = '<meta property="og:title" content="首页">'
    assert facts(title).values == {}
    found = facts(title, '<meta property="product:price:amount" content="5">')
    assert found.values == {"title": "首页", "price": "5"}
    assert set(found.sources.values()) == {"opengraph"}


def test_the_better_source_wins_and_the_others_fill_up():
    found = facts(
        script(product(url=URL)),
        '<meta property="og:type" content="product"><meta property="og:title" content="别名">'
        '<meta property="og:description" content="介绍">',
    )
    assert (found.values["title"], found.sources["title"]) == ("雾化器", "jsonld")
    assert (found.values["description"], found.sources["description"]) == ("介绍", "opengraph")


def test_addresses_that_are_not_http_are_dropped():
    found = facts(
        script(product(url=URL, image=["javascript:alert(1)", "data:image/png;base64,x", "//[bad"]))
    )
    assert "images" not in found.values


@pytest.mark.parametrize(
    "bomb",
    [
        "[" * 200_000,
        '{"a":' * 100_000 + "1" + "}" * 100_000,
        json.dumps([product(name=f"n{n}") for n in range(50_000)]),
        json.dumps(product(offers=[{"price": str(n)} for n in range(10_000)], url=URL)),
        json.dumps(product(name="x" * 3_000_000)),
    ],
)
def test_a_bomb_is_defused_in_time(bomb):
    began = time.process_time()
    facts(script(bomb))
    assert time.process_time() - began < 3


JSON = st.recursive(
    st.none() | st.booleans() | st.floats() | st.text(max_size=5) | st.just("Product"),
    lambda inner: (
        st.lists(inner, max_size=4)
        | st.dictionaries(
            st.sampled_from(
                [
                    "@type",
                    "@graph",
                    "name",
                    "offers",
                    "price",
                    "seller",
                    "image",
                    "url",
                    "additionalProperty",
                    "value",
                ]
            ),
            inner,
            max_size=6,
        )
    ),
    max_leaves=20,
)


@given(JSON)
def test_no_shape_of_json_breaks_the_reader(data):
    found = facts(script(json.dumps(data).replace("</", "<\\/")))
    assert all(isinstance(value, str | tuple | dict) for value in found.values.values())
    assert found.values.keys() == found.sources.keys()


@given(st.text(max_size=200))
def test_no_script_text_breaks_the_reader(text):
    jsonld_products(Answer(URL, URL, 200, script(text).encode("utf-8", "replace")))
