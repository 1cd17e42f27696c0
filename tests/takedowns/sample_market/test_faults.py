from __future__ import annotations

import httpx
import pytest
from parsel import Selector

from takedowns.sample_market.client import RunningMarket
from takedowns.sample_market.modes import GONE, Mode

GONE_WORDS = "很抱歉，您查看的商品不存在，可能已下架或者被转移"


@pytest.fixture(params=["mall", "bazaar"])
def item(request, fresh):
    return fresh(request.param)


@pytest.mark.parametrize(
    ("mode", "status"), [(Mode.HTTP_404, 404), (Mode.HTTP_410, 410), (Mode.UNAVAILABLE, 503)]
)
def test_a_status_says_it_all(web: httpx.Client, market: RunningMarket, item, mode: Mode, status: int):
    market.set_mode(item["item_id"], mode)
    response = web.get(item["path"])
    assert response.status_code == status
    assert item["title"] not in response.text


def test_a_soft_404_answers_200_with_a_notice(web: httpx.Client, market: RunningMarket, item):
    market.set_mode(item["item_id"], Mode.SOFT_404)
    response = web.get(item["path"])
    assert response.status_code == 200
    assert Selector(response.text).css(".notice-gone::text").get() == GONE_WORDS
    assert not Selector(response.text).css("button.add-cart, .price, h1.title")


def test_a_redirect_leads_home(web: httpx.Client, market: RunningMarket, item):
    market.set_mode(item["item_id"], Mode.REDIRECT_HOME)
    response = web.get(item["path"])
    assert (response.status_code, response.headers["location"]) == (302, f"/{item['theme']}/")


def test_a_sold_out_listing_is_still_there_without_a_buy_control(
    web: httpx.Client, market: RunningMarket, item
):
    market.set_mode(item["item_id"], Mode.SOLD_OUT)
    response = web.get(item["path"])
    page = Selector(response.text)
    assert page.css("h1.title::text").get() == item["title"]
    assert page.css(".sold-out")
    assert not page.css("button.add-cart")
    assert "https://schema.org/SoldOut" in response.text


def test_an_altered_listing_keeps_its_id_and_changes_all_else(web: httpx.Client, market: RunningMarket, item):
    photo = f"/photo/{item['item_id']}.png"
    before, picture = web.get(item["path"]).text, web.get(photo).content
    market.set_mode(item["item_id"], Mode.ALTERED)
    after = web.get(item["path"])
    assert after.status_code == 200
    assert item["title"] in before.replace("&#39;", "'")
    assert item["title"] not in after.text
    assert item["item_id"] in after.text
    assert web.get(photo).content != picture


def test_a_login_wall_redirects_with_the_way_back(web: httpx.Client, market: RunningMarket, item):
    market.set_mode(item["item_id"], Mode.LOGIN_WALL)
    response = web.get(item["path"])
    assert response.status_code == 302
    assert response.headers["location"].startswith("/login?next=%2F")
    assert Selector(web.get(response.headers["location"]).text).css("form.login")


@pytest.mark.parametrize(("mode", "status"), [(Mode.CAPTCHA_200, 200), (Mode.CAPTCHA_404, 404)])
def test_a_captcha_comes_under_either_status(web, market: RunningMarket, item, mode: Mode, status: int):
    market.set_mode(item["item_id"], mode)
    response = web.get(item["path"])
    assert response.status_code == status
    assert Selector(response.text).css("#captcha::text").get() == "请完成滑动验证"


def test_a_rate_limit_says_when_to_come_back(web: httpx.Client, market: RunningMarket, item):
    market.set_mode(item["item_id"], Mode.RATE_LIMITED)
    response = web.get(item["path"])
    assert response.status_code == 429
    assert int(response.headers["retry-after"]) > 0


def test_a_cut_connection_breaks_off_in_the_middle_of_the_body(web, market: RunningMarket, item):
    market.set_mode(item["item_id"], Mode.CUT)
    with web.stream("GET", item["path"]) as response:
        body = response.iter_raw()
        assert response.status_code == 200
        assert next(body)
        with pytest.raises(httpx.RemoteProtocolError):
            next(body)


def test_an_endless_body_goes_on_until_the_reader_has_enough(web, market: RunningMarket, item):
    market.set_mode(item["item_id"], Mode.ENDLESS)
    received = 0
    with web.stream("GET", item["path"]) as response:
        for chunk in response.iter_raw():
            received += len(chunk)
            if received > 5000:
                break
    assert received > 5000
    assert web.get("/robots.txt").status_code == 200


@pytest.mark.parametrize("mode", sorted(GONE))
def test_what_is_gone_is_in_no_list(web: httpx.Client, market: RunningMarket, item, mode: Mode):
    market.set_mode(item["item_id"], mode)
    assert item["path"] not in web.get("/sitemap.xml").text
    assert item["path"] not in web.get(f"/{item['theme']}/shop/{item['shop_id']}").text


@pytest.mark.parametrize(
    ("mode", "page", "api"),
    [
        (Mode.HTTP_404, 404, 404),
        (Mode.HTTP_410, 410, 404),
        (Mode.SOFT_404, 200, 200),
        (Mode.REDIRECT_HOME, 302, 404),
        (Mode.SOLD_OUT, 200, 200),
        (Mode.ALTERED, 200, 200),
        (Mode.LOGIN_WALL, 302, 302),
        (Mode.CAPTCHA_404, 404, 404),
        (Mode.RATE_LIMITED, 429, 429),
        (Mode.UNAVAILABLE, 503, 503),
    ],
)
def test_the_live_theme_answers_by_page_and_by_api(
    web, market: RunningMarket, fresh, mode: Mode, page: int, api: int
):
    item = fresh("live")
    market.set_mode(item["item_id"], mode)
    answer = web.get(f"/live/api/item/{item['item_id']}")
    assert (web.get(item["path"]).status_code, answer.status_code) == (page, api)
    if mode is Mode.SOFT_404:
        assert answer.json()["item"] is None
    if mode is Mode.ALTERED:
        assert answer.json()["item"]["title"] != item["title"]
    if mode is Mode.SOLD_OUT:
        assert answer.json()["sold_out"]


def test_a_listing_can_come_back_up(web: httpx.Client, market: RunningMarket, item):
    market.set_mode(item["item_id"], Mode.HTTP_404)
    market.set_mode(item["item_id"], Mode.UP)
    assert web.get(item["path"]).status_code == 200
