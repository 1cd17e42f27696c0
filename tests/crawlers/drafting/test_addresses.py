"""Ids and search templates guessed from live addresses."""

from __future__ import annotations

import re

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from crawlers.drafting.addresses import home_of, place_of_id, search_template
from crawlers.platforms import ListingUrl

HOME = "https://shop.example"
SHOPS = [  # a listing, other links on the search page, the ids that must come out, the canonical address
    (
        "/mall/item/1001.html?spm=1",
        ["/mall/item/1002.html", "/mall/item/77.html", "/mall/shop/s1", "/"],
        {"1001", "1002", "77"},
        "{home}/mall/item/{id}.html",
    ),
    (
        "/catalogue/%E9%9B%BE_12/",
        ["/catalogue/a-b_1/", "/catalogue/c_22/", "/catalogue/category/d_3/", "/accounts/login/"],
        {"12", "1", "22"},
        "{home}/catalogue/_{id}/",
    ),
    (
        "/item.htm?spm=a.1&id=55",
        ["/item.htm?id=2&x=1", "/item.htm?x=1&id=3", "/list.htm?cat=4"],
        {"55", "2", "3"},
        "{home}/item.htm?id={id}",
    ),
    (
        "/products/mint-pod-2?variant=9",
        ["/products/melon", "/products/ice-tea-pod", "/pages/about-us"],
        {"mint-pod-2", "melon", "ice-tea-pod"},
        "{home}/products/{id}",
    ),
    (
        "/u/alice/item/55",
        ["/u/bob/item/2", "/u/eve/item/3"],
        {"alice/item/55", "bob/item/2", "eve/item/3"},
        "{home}/u/{id}",
    ),
    ("/p/9-mint-pod", ["/p/10-melon-pod", "/p/11-tea"], {"9", "10", "11"}, "{home}/p/{id}-mint-pod"),
]


@pytest.mark.parametrize(("listing", "others", "ids", "canonical"), SHOPS)
def test_the_id_is_found_where_the_links_of_a_search_page_differ(listing, others, ids, canonical):
    links = [HOME + path for path in others]
    place = place_of_id(HOME + listing, links)
    assert set(place.ids([HOME + listing, *links])) == ids
    assert place.canonical == canonical
    rule = ListingUrl(match=(place.pattern,), canonical=place.canonical)
    for item_id in ids:
        made = rule.canonical.replace("{home}", HOME).replace("{id}", item_id)
        assert rule.item_id(made) == item_id


@pytest.mark.parametrize(("listing", "others", "ids", "canonical"), SHOPS)
def test_an_id_that_no_shop_has_given_still_makes_an_address_of_a_listing(listing, others, ids, canonical):
    place = place_of_id(HOME + listing, [HOME + path for path in others])
    item_id = next(iter(place.ids([HOME + listing])))
    absent = place.absent_for(item_id)
    assert absent not in ids
    assert set(place.ids([canonical.replace("{home}", HOME).replace("{id}", absent)])) == {absent}


def test_names_are_ids_as_a_whole_where_a_shop_wants_them():
    place = place_of_id(f"{HOME}/c/mint_12/", [f"{HOME}/c/tea_9/"], whole_names=True)
    assert set(place.ids([f"{HOME}/c/mint_12/"])) == {"mint_12"}


def test_a_home_page_has_no_id():
    assert place_of_id(f"{HOME}/", [f"{HOME}/a/1"]) is None


@pytest.mark.parametrize(
    ("url", "links", "template", "term", "seen"),
    [
        ("/search?q=雾化&page=1", [], "{home}/search?q={term}&page={page}", "雾化", True),
        (
            "/s?keyword=a+b&utm_source=x&sort=new",
            ["/s?keyword=a+b&sort=new&pn=2"],
            "{home}/s?keyword={term}&sort=new&pn={page}",
            "a b",
            True,
        ),
        ("/s?word=雾化", ["/s?word=雾化&sort=2&x=1"], "{home}/s?word={term}&page={page}", "雾化", False),
        ("/{x}/s?q=a", [], "{home}/%7Bx%7D/s?q={term}&page={page}", "a", False),
    ],
)
def test_a_search_address_becomes_a_template(url, links, template, term, seen):
    assert search_template(HOME + url, [HOME + link for link in links]) == (template, term, seen)


def test_a_term_that_cannot_be_seen_is_asked_for():
    assert search_template(f"{HOME}/list?cat=7", []) is None
    assert (
        search_template(f"{HOME}/list?cat=7&z=pod", [], "pod")[0] == "{home}/list?cat=7&z={term}&page={page}"
    )
    assert search_template(f"{HOME}/list?cat=7", [], "pod") is None


@pytest.mark.parametrize(
    "url", ["", "ftp://a/b", "javascript:alert(1)", "https://a@b.example/", "https:///x"]
)
def test_what_is_no_page_has_no_home(url):
    with pytest.raises(ValueError, match="is not the address of a page"):
        home_of(url)


PATHS = st.text(st.characters(codec="utf-8", exclude_characters="#?"), max_size=30)


@settings(deadline=None)
@given(PATHS, st.lists(PATHS, max_size=4))
def test_whatever_stands_in_addresses_the_pattern_compiles_and_fits_its_listing(path, others):
    listing = f"{HOME}/{path}"
    place = place_of_id(listing, [f"{HOME}/{other}" for other in others])
    if place is not None:
        assert re.search(place.pattern, listing)["id"]
