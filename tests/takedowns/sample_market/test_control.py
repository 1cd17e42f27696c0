from __future__ import annotations

from datetime import datetime, timedelta

import httpx
import pytest

from takedowns.sample_market.client import MarketError, RunningMarket
from takedowns.sample_market.modes import Mode


@pytest.mark.parametrize("path", ["/_control/truth", "/_control/log", "/replies.csv"])
@pytest.mark.parametrize("token", ["", "wrong", "\u00e9"])
def test_without_the_token_nothing_is_told(web: httpx.Client, path: str, token: str):
    response = web.get(path, headers=[(b"x-market-token", token.encode("latin-1"))])
    assert response.status_code == 401


def test_without_the_token_nothing_is_changed(web: httpx.Client, market: RunningMarket, fresh):
    item = fresh("mall")
    answer = web.post("/_control/mode", json={"item_id": item["item_id"], "mode": "http_404"})
    assert answer.status_code == 401
    assert web.get(item["path"]).status_code == 200


def test_a_bad_command_is_refused_with_a_sentence(market: RunningMarket, web: httpx.Client, fresh):
    item = fresh("mall")
    with pytest.raises(MarketError, match=r"404 .*no listing '0000000000'"):
        market.set_mode("0000000000", Mode.UP)
    headers = {"X-Market-Token": market.token}
    for body in (b"{", b"[]", f'{{"item_id": "{item["item_id"]}", "mode": "vanish"}}'.encode()):
        response = web.post("/_control/mode", content=body, headers=headers)
        assert response.status_code == 400
        assert response.json()["error"]


def test_the_clock_refuses_to_go_back(market: RunningMarket):
    now = datetime.fromisoformat(market.truth()["now"])
    with pytest.raises(MarketError, match=r"400 .*is before it"):
        market.set_clock(now - timedelta(minutes=1))


def test_a_relisted_listing_is_up_under_its_new_id_with_the_same_picture(market, web: httpx.Client, fresh):
    item = fresh("mall")
    picture = web.get(f"/photo/{item['item_id']}.png").content
    new_id = market.relist(item["item_id"])
    page = web.get(f"/mall/item/{new_id}.html")
    assert page.status_code == 200
    assert item["shop_id"] in page.text
    assert web.get(f"/photo/{new_id}.png").content == picture


def test_the_log_tells_what_was_done_by_hand(market: RunningMarket, fresh):
    item = fresh("mall")
    market.set_mode(item["item_id"], Mode.SOLD_OUT)
    event = market.log()["events"][-1]
    assert (event["kind"], event["item_id"], event["detail"]) == ("sold_out", item["item_id"], "control")


def test_a_closed_shop_takes_its_listings_along_and_the_canary_shop_never_closes(market, web, fresh):
    item = fresh("bazaar")
    page = f"/bazaar/shop/{item['shop_id']}"
    assert web.get(page).status_code == 200
    market.set_shop(item["shop_id"], Mode.CAPTCHA_200)
    assert "滑动验证" in web.get(page).text
    assert web.get(item["path"]).status_code == 200
    market.set_shop(item["shop_id"], Mode.HTTP_404)
    assert (web.get(page).status_code, web.get(item["path"]).status_code) == (404, 404)
    assert market.log()["events"][-1]["kind"] == "shop"
    market.set_shop(item["shop_id"], Mode.UP)
    for other in market.truth()["listings"]:  # other tests use this market too
        if other["shop_id"] == item["shop_id"]:
            market.set_mode(other["item_id"], Mode.UP)
    assert web.get("/bazaar/shop/canary").status_code == 200
    assert web.get("/bazaar/shop/0000000000").status_code == 404
    with pytest.raises(MarketError, match=r"404 .*no shop '1'"):
        market.set_shop("1", Mode.UP)
