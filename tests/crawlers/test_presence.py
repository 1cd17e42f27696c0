"""The order of judgement, over written pages: what may count as gone, and everything that must not."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from crawlers.answer import Answer
from crawlers.listing import Presence
from crawlers.presence import is_altered, judge, judge_unfollowed
from tests.crawlers.shop import item_html, shop_profile

HOME = "https://mall.example"
HERE = f"{HOME}/item/42.html"
PROFILE = shop_profile(HOME, hosts=["login.mall.example"])
BUY = '<button class="add-cart">加入购物车</button>'
NOTICE = '<p class="notice-gone">很抱歉，您查看的商品不存在，可能已下架或者被转移</p>'
CAPTCHA = '<div id="captcha">请完成滑动验证</div>'
FEIGNED = '<div id="px-captcha">请完成滑动验证</div>'  # anybody can write it
LOGIN = '<form class="login"><input type="password"></form>'


def ld(**product: object) -> str:
    data = {"@context": "https://schema.org", "@type": "Product", "name": "雾化器"} | product
    return f'<script type="application/ld+json">{json.dumps(data)}</script>'


def answer(
    body: str = "", status: int = 200, url: str = HERE, kind: str = "text/html; charset=utf-8"
) -> Answer:
    redirects = (HERE,) if url != HERE else ()
    return Answer(HERE, url, status, body.encode(), {"content-type": kind}, redirects)


CASES = {
    # walls come first, whatever the status and whatever else is on the page
    "captcha with 200": (answer(CAPTCHA), "blocked", "captcha"),
    "captcha with 403": (answer(CAPTCHA, 403), "blocked", "captcha"),
    "captcha with 404": (answer(CAPTCHA, 404), "blocked", "captcha"),
    "captcha with 410": (answer(CAPTCHA, 410), "blocked", "captcha"),
    "captcha over a living page": (answer(item_html() + CAPTCHA), "blocked", "captcha"),
    "a seller's own captcha beside a buy control": (answer(item_html() + FEIGNED), "up", "alive"),
    "a seller's own captcha on goods that are sold out": (
        answer(item_html(control='<p class="sold-out">已售罄</p>') + FEIGNED),
        "up",
        "sold_out",
    ),
    "any shop's captcha": (answer(FEIGNED), "blocked", "captcha"),
    "any shop's captcha and a buy control, with 404": (answer(BUY + FEIGNED, 404), "blocked", "captcha"),
    "any shop's captcha and a buy control, elsewhere": (
        answer(BUY + FEIGNED, url=f"{HOME}/"),
        "blocked",
        "captcha",
    ),
    "any shop's captcha and a notice": (answer(BUY + NOTICE + FEIGNED, 410), "blocked", "captcha"),
    "captcha over a notice": (answer(NOTICE + CAPTCHA), "blocked", "captcha"),
    "redirect to a login page": (
        answer(LOGIN, url=f"{HOME}/login?next=/item/42.html"),
        "blocked",
        "login_wall",
    ),
    "login page with 404": (answer(LOGIN, 404, f"{HOME}/login"), "blocked", "login_wall"),
    "redirect to a login host": (answer("", url="https://login.mall.example/?x=1"), "blocked", "login_wall"),
    "bare 403": (answer("Forbidden", 403), "blocked", "access_denied"),
    "bare 401": (answer("", 401), "blocked", "login_wall"),
    "challenge by its title": (answer("<title>Just a moment...</title>", 503), "blocked", "captcha"),
    "refusal served as 404": (answer("<title>Access Denied</title>", 404), "blocked", "access_denied"),
    "redirect to a verification page": (answer("", url=f"{HOME}/captcha/verify"), "blocked", "captcha"),
    # trouble teaches nothing
    "500": (answer(NOTICE, 500), "error", "http_500"),
    "503": (answer("", 503), "error", "http_503"),
    "429": (answer("", 429), "error", "http_429"),
    # proof of life
    "buy control": (answer(item_html()), "up", "alive"),
    "sold out": (answer(item_html(control='<p class="sold-out">已售罄</p>')), "up", "sold_out"),
    "moved to another slug of the same id": (
        answer(item_html(), url=f"{HERE}?from=slug"),
        "up",
        "alive",
    ),
    "structured data names the id": (answer(ld(url=HERE) + BUY), "up", "alive"),
    "the notice's words in a script": (
        answer(item_html() + f"<script>var x = '{NOTICE}'</script>"),
        "up",
        "alive",
    ),
    "the notice's words in the description": (
        answer(item_html() + "<div>很抱歉，您查看的商品不存在</div>"),
        "up",
        "alive",
    ),
    "the captcha's words in the description": (
        answer(item_html() + "<div>请完成滑动验证</div>"),
        "up",
        "alive",
    ),
    "structured data of a recommendation": (answer(ld(url=f"{HOME}/item/43.html") + BUY), "up", "alive"),
    "a hidden notice": (answer(item_html() + f'<div style="display: none">{NOTICE}</div>'), "up", "alive"),
    "a notice in a template": (answer(item_html() + f"<template>{NOTICE}</template>"), "up", "alive"),
    "named id and a foreign notice": (answer(ld(url=HERE) + BUY + NOTICE), "up", "alive"),
    # absence, by its own marks only
    "notice with 200": (answer(NOTICE), "gone", "gone_marker"),
    "notice with 404": (answer(NOTICE, 404), "gone", "gone_marker"),
    "bare 404": (answer("", 404), "gone", "http_404"),
    "bare 410": (answer("", 410), "gone", "http_410"),
    "404 with recommendations to buy": (answer(BUY, 404), "gone", "http_404"),
    "404 as JSON": (answer('{"detail": "no"}', 404, kind="application/json"), "gone", "http_404"),
    "redirect to the home page": (
        answer("<h1>欢迎</h1>" + BUY, url=f"{HOME}/"),
        "gone",
        "redirect_elsewhere",
    ),
    "redirect to a search": (answer("", url=f"{HOME}/search?q=x"), "gone", "redirect_elsewhere"),
    "another listing's notice with 404": (
        answer(NOTICE, 404, f"{HOME}/item/43.html"),
        "gone",
        "http_404",
    ),
    "another id's slug, then 404": (answer("", 404, f"{HOME}/item/43.html"), "gone", "http_404"),
    # everything else is not understood
    "an empty page": (answer(""), "error", "unrecognised"),
    "the script's shell": (answer('<div id="app">加载中…</div>'), "error", "unrecognised"),
    "notice's words outside the notice": (answer("<p>很抱歉，商品不存在</p>"), "error", "unrecognised"),
    "notice and a buy control": (answer(NOTICE + BUY), "error", "contradictory"),
    "redirect to another listing": (answer(item_html(), url=f"{HOME}/item/43.html"), "error", "other_item"),
    "another listing's notice": (answer(NOTICE, url=f"{HOME}/item/43.html"), "error", "other_item"),
    "redirect to a foreign home page": (answer("", url="https://evil.example/"), "error", "unrecognised"),
    "the page calls itself another id": (
        answer(f'<link rel="canonical" href="{HOME}/item/43.html">' + BUY),
        "error",
        "unrecognised",
    ),
    "home page without a redirect": (
        Answer(f"{HOME}/", f"{HOME}/", 200, b"<h1>hi</h1>"),
        "error",
        "unrecognised",
    ),
    "a picture": (answer("", kind="image/png"), "error", "not_html"),
    "451": (answer("", 451), "error", "unrecognised"),
    "204": (answer("", 204), "error", "unrecognised"),
}


@pytest.mark.parametrize("case", CASES)
def test_the_page_gets_the_verdict_of_the_table(case):
    page, state, reason = CASES[case]
    found = judge(page, PROFILE, "42")
    assert (found.state.value, found.reason) == (state, reason)


def test_the_table_is_long_enough_to_mean_something():
    assert len(CASES) >= 40
    assert {state for _, state, _ in CASES.values()} == {"up", "gone", "blocked", "error"}


@given(
    st.text(alphabet="<>/divpbuton class=\"'add-cart已下架滑动验证不存在", max_size=300),
    st.sampled_from([200, 204, 301, 403, 429, 500, 503]),
)
def test_no_body_without_its_marks_ever_counts_as_gone(body, status):
    found = judge(answer(body, status), PROFILE, "42")
    assert found.state is not Presence.GONE or 'class="notice-gone"' in body


@given(st.binary(max_size=400))
def test_no_bytes_break_the_judgement(body):
    assert judge(Answer(HERE, HERE, 200, body), PROFILE, "42").state in Presence


def test_a_platform_without_rules_is_not_judged():
    bare = PROFILE.model_copy(update={"presence": None})
    with pytest.raises(ValueError, match="presence rules"):
        judge(answer(""), bare, "42")


def test_a_redirect_that_was_not_followed_shows_a_wall_or_nothing():
    wall = judge_unfollowed("https://passport.mall.example/login", PROFILE, "off_platform")
    other = judge_unfollowed("https://evil.example/", PROFILE, "off_platform")
    assert (wall.state, wall.reason) == (Presence.BLOCKED, "login_wall")
    assert (other.state, other.reason) == (Presence.ERROR, "off_platform")


@pytest.mark.parametrize(
    ("before", "now", "altered"),
    [
        ("医用雾化器 家用", "医用雾化器 家用", False),
        ("医用雾化器 家用", "【限时】医用雾化器·家用 包邮", False),
        ("医用雾化器 家用 便携 静音 儿童", "医用雾化器", False),
        ("医用雾化器 家用", "不锈钢晾衣架 二十只装", True),
        ("ＶＡＰＥ ｐｅｎ", "vape pen", False),
        ("雾化", "❄️", True),
        ("❄️", "🍉", False),
        ("甲", "乙", True),
    ],
)
def test_a_title_is_altered_when_it_cannot_be_of_the_same_goods(before, now, altered):
    assert is_altered(before, now) is altered


@given(st.text(min_size=1, max_size=60), st.text(max_size=30))
def test_a_title_that_only_grew_is_never_altered(title, addition):
    assert not is_altered(title, title + addition) or not any(map(str.isalnum, title))
