"""What is told from the source alone is what the tree says, or nothing."""

from __future__ import annotations

import time
import tracemalloc

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from crawlers.answer import Answer, parse
from crawlers.selectors import (
    PIECE,
    WORD_LIMIT,
    clean,
    compiled,
    may_match,
    names_word,
    tag_selector,
    values,
    words_of,
)
from crawlers.source import hides_words, scan, tags_with
from crawlers.structured import LD_SCRIPTS

UTF8 = "text/html; charset=utf-8"
LD = '<script type="application/ld+json">{"a": 1}</script>'
PARTS = [
    LD,
    '<SCRIPT data-x=1 TYPE=application/ld+json>{"b": 2}</SCRIPT >',
    '<script type="application/ld&#x2B;json">{"c": 3}</script>',
    "<script type='application/LD+JSON'>{}</script>",
    "<script>var x = '<title>no</title>';</script>",
    "<script><!-- var x = '<script>' --></script>",
    "<script>a</script x>",
    "<script\x0b>",
    "<\u017fcript>",
    "</\u017fcript>",
    "<title>雾化器 &amp; 茶</title>",
    "<TITLE lang=zh>验证码</TITLE>",
    "<svg><title>small</title></svg>",
    "<style>a > b {}</style>",
    "<textarea><script type='application/ld+json'>{\"t\": 1}</script></textarea>",
    "<template>",
    "</template>",
    "<noscript>",
    "</noscript>",
    "<iframe><title>x</title></iframe>",
    "<!-- ",
    "-->",
    "<!-->",
    "--!>",
    "<!doctype html>",
    f'<a title="{LD}">',
    "<a title='>",
    '<a title="',
    "<p class=x>",
    "</p>",
    "<",
    "</",
    "<?php ?>",
    "<![CDATA[",
    "]]>",
    "</script>",
    "</title>",
    "</style>",
    "<plaintext>",
    "</html>",
    "<xmp>",
    " text ",
    '"',
    "'",
    ">",
    "&lt;",
]


def told_by_tree(html: str) -> tuple[str, list[str]]:
    tree = parse(html)
    title = tree.find(".//title")
    words = "" if title is None else "".join(title.itertext())
    return clean(words), [script.text or "" for script in LD_SCRIPTS(tree)]


@settings(max_examples=1500, deadline=None)
@given(st.lists(st.sampled_from(PARTS), max_size=9).map("".join))
@example("<title>a</title>" + LD)
def test_the_source_tells_what_the_tree_says_or_nothing(html):
    found = scan(html)
    if found is not None:
        title, scripts = told_by_tree(html)
        assert list(found.ld_scripts) == scripts
        assert clean(found.title) == title


def test_an_ordinary_page_is_told_from_its_source():
    found = scan(
        f"<!doctype html><html><head><!-- x --><title>A &amp; B</title><style>i{{}}</style>{LD}</head>"
        f'<body><p class="a" hidden title=\'"\'>text</p><script>if (a<b) {{}}</script>{LD}</body></html>'
    )
    assert found is not None
    assert (found.title, found.ld_scripts) == ("A & B", ('{"a": 1}',) * 2)


@pytest.mark.parametrize(
    "html",
    [f'<p title="{LD}">', f"<p title='>{LD}", f"<iframe>{LD}</iframe>", f"<!-- {LD}", f"<![CDATA[{LD}"],
)
def test_a_script_that_may_be_none_is_left_to_the_parser(html):
    found = scan(html)
    assert found is None or found.ld_scripts == ()


@pytest.mark.parametrize(
    "html",
    [
        "<" * 500_000,
        "<a " * 300_000,
        '<a b="' * 200_000,
        "<!--" * 300_000,
        "<script>" * 200_000,
        "<title" * 200_000,
        LD * 40_000,
        "<p>" * 300_000 + LD,
        "&" * 1_000_000 + LD,
        "+json" * 200_000,
        "<title>" * 200_000 + LD,
        "a-b" * 300_000,
        "<p a-b>" * 150_000,
        "<!-- a-b" * 150_000,
        "<script a-b>" * 100_000,
        "</a-b" * 200_000,
    ],
)
def test_no_page_stalls_the_scan(html):
    began = time.process_time()
    scan(html)
    hides_words(html)
    list(tags_with(html, "a-b"))
    assert time.process_time() - began < 2


SHOPS = [
    '<a class="shop" data-id="7">',
    "<A DATA-ID=8 CLASS='big  shop\n'>",
    '<a class="shop" data-id="">',
    '<a class="shop" data-id>',
    '<a class="shop" data-id="9" data-id="10" class="other">',
    '<a class="shopping" data-id="11">',
    '<a class="other" class="shop" data-id="12">',
    '<a class="shop" data-id="a&amp;b">',
    '<a class="sh&#111;p" data-id="13">',
    '<a class="shop" data-id=" a\r\nb\t">',
    '<a class="shop" data-id="a\x01\ufffeb">',
    '<a class="sho\x00p" data-id="14">',
    '<a class="shop\x0cbig" data-id="15">',
    "<a class=shop data-id=16/>",
    "<a class=shop/data-id=17>",
    '<a class="shop"data-id="18">',
    "<a x='\"' class=\"shop\" data-id='19'>",
    '<a class=shop data-id=2"0>',
    "<a class = shop data-id\t=\n21 />",
    '<a title="<a class=shop data-id=22>">',
    "<a title='>' class=shop data-id=23>",
    "<a =x class=shop data-id=24>",
    '<a class=shop data-id=25 "">',
    "<a\xa0class=shop data-id=26>",
    "<a class=shop data-ä=x data-id=27>",
    '<a data-id="28" id="shop">',
    '<i rel=shop data-id="29" class="x shop">',
    '<html class="shop" data-id="30">',
    '<body class="shop" data-id="31">',
    '<template><a class="shop" data-id="32"></template>',
    '<textarea class="shop" data-id="33"></textarea>',
    '<a-shop class="shop" data-id="34"></a-shop>',
    '<svg class="shop" data-id="35"/>',
    '</a class="shop" data-id="36">',
    '<!-- <a class="shop" data-id="37">',
    "shop",
    "</body></html>",
    "<table><select><form><form><button><button><frameset><head>",
]
WANTED = [
    "a.shop::attr(data-id)",
    ".shop::attr(data-id)",
    "a#shop::attr(data-id)",
    "i.x.shop[rel=shop]::attr(data-id)",
    "a-shop::attr(data-id)",
    "A.shop::attr(data-id)",
    ".shop.shop::attr(class)",
]


@settings(max_examples=1500, deadline=None)
@given(st.lists(st.sampled_from(SHOPS + PARTS), max_size=6).map("".join), st.sampled_from(WANTED))
@example(SHOPS[0], WANTED[0])
def test_a_value_read_from_the_source_is_the_one_that_the_tree_gives(html, css):
    answer = Answer("http://a.example/", "http://a.example/", 200, html.encode(), {"content-type": UTF8})
    assert answer.first_value(css) == next(values(answer.tree, css), None)


@settings(max_examples=300, deadline=None)
@given(st.text(max_size=12), st.sampled_from(["'", '"', ""]))
def test_any_text_in_an_attribute_is_read_as_the_parser_reads_it(text, quote):
    html = f"<p><a class=shop data-id={quote}{text}{quote}>x</a>"
    body = html.encode("utf-8", "replace")
    answer = Answer("http://a.example/", "http://a.example/", 200, body, {"content-type": UTF8})
    assert answer.first_value(WANTED[0]) == next(values(answer.tree, WANTED[0]), None)


def test_a_value_of_a_plain_tag_needs_no_tree():
    html = f"<p>shop <!-- shop -->{LD}<script>shop</script></shop><a class='shop x' data-id=7>shop</a>"
    answer = Answer("http://a.example/", "http://a.example/", 200, html.encode())
    assert answer.first_value("a.shop::attr(data-id)") == "7"
    assert "tree" not in vars(answer)


@pytest.mark.parametrize(
    "css",
    [
        "a.shop",
        "a.shop::text",
        "a::attr(id)",
        "p a.shop::attr(id)",
        "a.x::attr(id), b.x::attr(id)",
        "svg|a.x::attr(id)",
        "a.x:not(.y)::attr(id)",
    ],
)
def test_a_selector_that_needs_more_than_one_start_tag_is_left_to_the_tree(css):
    assert tag_selector(css) is None


SELECTORS = [
    "button.add-cart",
    "#captcha",
    "a[href*='/basket/add'] .x-1, form.login input[type=password]",
    "div:not(.off).on-sale",
    "p:has(.inner-a)",
    "[data-state=gone]",
    ".x_y",
    ".fjord",
    "h1",
]
MARKUP = [
    '<button class="add-cart">',
    '<BUTTON CLASS="big add-cart">',
    '<button class="add&#45;cart">',
    '<b class="x&lowbar;y &fjlig;ord">',
    '<button class="&#97;dd-cart">',
    "<div id=captcha>",
    "<div id='c&#x61;ptcha'>",
    "<a href='/basket/add/1'><i class='x-1'>",
    '<form class="login"><input type="password">',
    '<div class="on-sale">',
    '<div class="off on-sale">',
    '<p><b class="inner-a">',
    '<i data-state="gone">',
    '<i data-state="g\x00one">',
    "<h1>",
    "</p></div></a></form>",
]


@settings(max_examples=400, deadline=None)
@given(st.lists(st.sampled_from(MARKUP), max_size=5).map("".join), st.sampled_from(SELECTORS))
def test_what_a_selector_finds_the_source_did_not_exclude(html, css):
    answer = Answer("http://a.example/", "http://a.example/", 200, html.encode())
    assert answer.may_hold(css) or not compiled(css)(answer.tree)


@settings(max_examples=200, deadline=None)
@given(
    st.lists(st.sampled_from([*MARKUP, "价"]), max_size=5).map("".join),
    st.sampled_from(SELECTORS),
    st.sampled_from(["utf-8", "utf-8-sig", "gb18030", "utf-16", "big5", "iso2022_jp"]),
)
def test_the_quick_search_excludes_nothing_in_any_encoding(html, css, encoding):
    label = {"content-type": f"text/html; charset={encoding.removesuffix('-sig')}"}
    answer = Answer("http://a.example/", "http://a.example/", 200, html.encode(encoding, "replace"), label)
    assert names_word(css, answer._coded) or not may_match(css, answer.html)


@pytest.mark.parametrize("before", [0, PIECE - 5, PIECE, 3 * PIECE - 1, 3 * PIECE + WORD_LIMIT])
def test_a_word_is_found_wherever_it_stands_in_a_long_page(before):
    page = b"x" * before + b"<p class=notice-gone>" + b"x" * PIECE
    assert names_word("p.notice-gone, #captcha", page)
    assert not names_word("p.notice-gone, #captcha", page.replace(b"notice", b"------"))


def test_a_page_full_of_a_word_costs_little_memory():
    page = b"captcha " * 1_000_000
    tracemalloc.start()
    assert names_word("#captcha", page)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert peak < 4_000_000


def test_the_words_of_a_selector_are_those_that_must_be_there():
    assert words_of("a.item-link, #px-captcha i") == ({"item-link"}, {"px-captcha"})
    assert words_of("div:not(.hidden)") == (frozenset(),)
    assert may_match("h1", "")
    assert not may_match("p.notice-gone", "<p class=notice>")
