"""A page in a pack shows what it showed, and does nothing."""

from __future__ import annotations

import os

import pytest
from hypothesis import given
from hypothesis import strategies as st
from lxml import etree
from playwright.sync_api import sync_playwright

from crawlers.answer import Answer
from crawlers.browser import chromium
from takedowns.evidence.viewing import ACTIVE, LOADING, viewable
from tests.crawlers.shop import Shop

ATTACK = """<!doctype html><html><head><meta http-equiv="refresh" content="0;url={home}/refreshed">
<base href="{home}/"><link rel="stylesheet" href="{home}/style.css"><style>@import "{home}/import.css";
h1 {{ color: rgb(1, 2, 3); background: url({home}/background.png) }}</style></head>
<body onload="fetch('{home}/loaded')"><h1 class="title">植物饮料 🍇</h1>
<script>document.body.innerHTML = ""; fetch("{home}/scripted")</script>
<img src="{home}/picture.png" onerror="fetch('{home}/failed')"><iframe src="{home}/frame"></iframe>
<svg><image xlink:href="{home}/svg.png"/><script>fetch("{home}/svg")</script></svg>
<a href="javascript:fetch('{home}/clicked')">买</a><form action="{home}/form"><button>送</button></form>
<object data="{home}/object"></object><video poster="{home}/poster" src="{home}/video"></video></html>"""


@pytest.fixture
def page():
    with sync_playwright() as playwright:
        options = {"args": ["--no-sandbox"]} if os.geteuid() == 0 else {}
        browser = playwright.chromium.launch(executable_path=str(chromium()), **options)
        yield browser.new_page()
        browser.close()


@pytest.fixture
def enemy():
    running = Shop()
    yield running
    running.close()


def test_nothing_runs_and_nothing_is_fetched_in_a_browser(page, enemy, tmp_path):
    html = ATTACK.format(home=enemy.home).encode()
    file = tmp_path / "page.html"
    file.write_bytes(viewable(Answer("http://x/", "http://x/", 200, html, {"content-type": "text/html"})))
    page.goto(file.as_uri())
    page.wait_for_timeout(300)
    assert page.locator("h1").inner_text() == "植物饮料 🍇"
    assert page.locator("h1").evaluate("h1 => getComputedStyle(h1).color") == "rgb(1, 2, 3)"
    page.get_by_text("买").click()
    assert page.url == file.as_uri()
    assert not enemy.hits
    assert page.locator("img").get_attribute("data-src") == f"{enemy.home}/picture.png"


@given(st.text("<>/= \"'onsrchefimgapt:javx雾\n", max_size=120))
def test_no_text_whatever_keeps_anything_that_acts(html):
    shown = viewable(
        Answer("http://x/", "http://x/", 200, html.encode(), {"content-type": "text/html; charset=utf-8"})
    )
    body = etree.HTML(shown.partition(b"base-uri 'none'\">\n")[2].decode() or "<p>")
    elements = [one for one in body.iter() if isinstance(one.tag, str)]
    assert not {one.tag for one in elements} & set(ACTIVE)
    assert not [name for one in elements for name in one.attrib if name in LOADING or name.startswith("on")]


@pytest.mark.parametrize("label", ["text/html; charset=gbk", "text/html"])
def test_the_encoding_of_the_page_does_not_matter(label):
    page = Answer("http://x/", "http://x/", 200, "<h1>雾化器</h1>".encode("gbk"), {"content-type": label})
    assert "<h1>雾化器</h1>" in viewable(page).decode()
