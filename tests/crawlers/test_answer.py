"""Bytes to text and tree, whatever their label says."""

from __future__ import annotations

import time
from urllib.parse import urljoin

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from crawlers.answer import MAX_ATTRIBUTES, Answer, decode, is_bomb, parse
from crawlers.selectors import clean, compiled, elements, text_of, values, visible_text

TEXT = "很抱歉，商品已下架"


@pytest.mark.parametrize(
    ("encoding", "label"),
    [
        ("utf-8", None),
        ("utf-8", "text/html"),
        ("utf-8", "text/html; charset=utf-8"),
        ("utf-8-sig", "text/html; charset=gb2312"),  # a byte order mark outranks the label
        ("gb18030", None),
        ("gb18030", "text/html"),
        ("gb18030", "text/html; charset=utf-8"),
        ("gbk", "text/html; charset=gb2312"),
        ("gbk", "text/html; charset=nonsense"),
    ],
)
def test_chinese_is_read_whatever_the_label_says(encoding, label):
    assert TEXT in decode(f"<p>{TEXT}</p>".encode(encoding), label)[1]


@given(st.binary(max_size=300))
def test_no_bytes_break_the_parser(body):
    page = Answer("http://a.example/", "http://a.example/", 200, body)
    assert isinstance(page.text, str)
    assert isinstance(page.page_title, str)


@pytest.mark.parametrize(
    "html",
    [
        "<div>" * 300_000,
        "<a>" * 300_000,
        "<p " + " ".join(f"a{n}=1" for n in range(300_000)) + ">",
        "<p " + " ".join(f"a{n}='<>'" for n in range(300_000)) + ">",
        "<script " * 300_000,
        "<!--" * 500_000,
        '<a b="' * 300_000,
        "\x00" * 1_000_000,
    ],
)
def test_a_page_made_to_stall_the_parser_does_not(html):
    began = time.process_time()
    answer = Answer("http://a.example/", "http://a.example/", 200, html.encode())
    assert len(answer.text) <= 100_000
    assert time.process_time() - began < 3


def test_many_attributes_are_a_bomb_and_much_text_is_not():
    attributes = " ".join(f"a{n}=1" for n in range(MAX_ATTRIBUTES * 10))
    assert is_bomb(f"<p {attributes}>")
    assert not is_bomb(f"<script>if (a<b) {{ {attributes} }}</script>")
    assert not is_bomb(f"<p>{attributes}</p>")
    assert not is_bomb(f'<img src="data:image/png;base64,{"A" * 200_000}">')


def test_selectors_see_what_a_reader_sees():
    tree = parse('<p class="a">one<script>two</script></p><div hidden><p class="a">three</p></div>')
    assert [text_of(element) for element in elements(tree, "p.a")] == ["one"]
    assert visible_text(tree) == "one"
    assert list(values(parse('<a href=" x ">t</a><a href="">u</a>'), "a::attr(href)")) == ["x"]
    assert list(values(parse("<h1> a <b>b</b></h1>"), "h1")) == ["a b"]


def test_hidden_characters_stay_and_control_characters_go():
    assert clean(" 雾\u200b化\u202e器\x00\x1b\ud800 \n x ") == "雾\u200b化\u202e器 x"


def test_a_selector_that_is_none_is_named():
    with pytest.raises(ValueError, match="not a CSS selector"):
        compiled("p[[")


PLACES = ["/", "a", "b-c", ".", "..", "//", "?", "#", "x.png", ";", "%20", " ", "http:", "é", "\n", ":80"]


@settings(max_examples=600)
@given(st.lists(st.sampled_from(PLACES), max_size=6).map("".join), st.sampled_from(["", "/s/t.html?q#f"]))
def test_an_address_is_made_absolute_as_the_standard_library_does(address, place):
    url = f"https://mall.example:8443{place}"
    made = urljoin(url, address) if address else ""
    wanted = made if made.startswith(("http://", "https://")) else ""
    assert Answer(url, url, 200, b"").absolute(address) == wanted
