"""A month over HTTP: what pages and workbook show is counted and compared with the market's truth."""

from __future__ import annotations

import csv
from collections import Counter
from collections.abc import Iterator
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import httpx
import pytest

from takedowns.sample_market.client import RunningMarket, running_market

START = datetime.fromisoformat("2026-10-01T00:00:00+08:00")


@pytest.fixture(scope="module")
def state(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("market")


@pytest.fixture(scope="module")
def month(state: Path) -> Iterator[RunningMarket]:
    """A market of which every violating listing was noticed by the web hook 31 days ago."""
    with running_market(seed=2, listings=200, state=state, clock=START) as market:
        guilty = [item for item in market.truth()["listings"] if item["violating"]]
        leads = [
            {"number": f"VW-{n}", "item_id": item["item_id"], "url": market.base_url + item["path"]}
            for n, item in enumerate(guilty)
        ]
        body = {"message_id": "<month@example.org>", "leads": leads}
        answer = httpx.post(f"{market.base_url}/hooks/notices", json=body, trust_env=False)
        assert answer.status_code == 202
        market.set_clock(START + timedelta(days=31))
        yield market


def look(web: httpx.Client, item: dict[str, Any]) -> str:
    """What a visitor finds, told by the page (or the API behind it) alone."""
    live = item["theme"] == "live"
    response = web.get(f"/live/api/item/{item['item_id']}" if live else item["path"])
    if 'id="captcha"' in response.text:
        return "blocked"
    alive = response.json()["item"] if live else "add-cart" in response.text
    return "up" if response.status_code == 200 and alive else "gone"


@pytest.fixture(scope="module")
def seen(month: RunningMarket) -> dict[str, str]:
    """Every noticed listing's id, and what a visitor finds there."""
    noticed = [item for item in month.truth()["listings"] if item["leads"]]
    with httpx.Client(base_url=month.base_url, trust_env=False) as web:
        return {item["item_id"]: look(web, item) for item in noticed}


def workbook(market: RunningMarket) -> list[dict[str, str]]:
    raw = market.replies_csv()
    assert raw.startswith(b"\xef\xbb\xbf")
    return list(csv.DictReader(raw.decode("utf-8-sig").splitlines()))


def test_the_workbook_has_one_row_for_each_answered_lead(month: RunningMarket):
    rows = workbook(month)
    assert list(rows[0]) == ["线索编号", "商品ID", "处置措施", "处置时间", "备注"]
    assert (
        len({row["线索编号"] for row in rows})
        == len(rows)
        == month.truth()["figures"]["replied_removed"]
        > 20
    )
    times = [row["处置时间"] for row in rows]
    assert times == sorted(times)
    assert times[0] > "2026-10-01 04:00:00"


def test_the_figures_agree_with_the_pages(month: RunningMarket, seen: dict[str, str]):
    truth = month.truth()
    figures, pages = truth["figures"], Counter(seen.values())
    came_back_itself = [i for i in truth["listings"] if i["outcome"] == "relisted" and i["mode"] == "up"]
    came_back_anew = [i for i in truth["listings"] if i["relisted_from"]]
    assert figures["noticed"] == pages.total() > 50
    assert pages["up"] == figures["still_up"] + len(came_back_itself)
    assert pages["gone"] == figures["really_removed"] + len(came_back_anew)
    assert pages["blocked"] == figures["unreachable"] > 0
    assert figures["relisted"] == len(came_back_itself) + len(came_back_anew) > 0


def test_a_lie_is_an_answer_about_a_page_that_is_still_up(month: RunningMarket, seen: dict[str, str]):
    truth = month.truth()
    answered = {row["商品ID"] for row in workbook(month)}
    outcomes = {item["item_id"]: item["outcome"] for item in truth["listings"]}
    lies = [i for i in answered if seen[i] == "up" and outcomes[i] == "up"]
    assert truth["figures"]["lied"] == len(lies) > 0


def test_the_raw_notice_is_kept_and_counted(month: RunningMarket, state: Path):
    assert [file.name for file in (state / "notices").iterdir()] == ["00001.json"]
    assert month.truth()["notices"] == {
        "received": 1,
        "duplicates": 0,
        "message_ids": ["<month@example.org>"],
    }


def test_an_unreadable_notice_is_kept_and_refused(month: RunningMarket, state: Path):
    answer = httpx.post(f"{month.base_url}/hooks/notices", content=b'{"leads": 5}', trust_env=False)
    assert answer.status_code == 400
    assert b'{"leads": 5}' in [file.read_bytes() for file in (state / "notices").iterdir()]
    assert month.truth()["notices"]["received"] == 1
