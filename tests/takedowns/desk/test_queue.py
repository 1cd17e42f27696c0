from __future__ import annotations

import re
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from starlette.testclient import TestClient

from classifiers.verdict import Label
from takedowns.ledger.engine import Ledger
from takedowns.ledger.vocabulary import Role, RunState

Client = Callable[[Role], TestClient]


def rows(page: str) -> list[int]:
    return [int(task) for task in re.findall(r'href="/item/(\d+)" data-row', page)]


def test_the_riskiest_item_stands_first(client: Client, suspicious: Any, sqlite_ledger: Ledger) -> None:
    with sqlite_ledger.write() as session:
        tasks = [suspicious(session, priority=priority).id for priority in (0.7, 0.99, 0.8)]
    browser = client(Role.ANALYST)
    assert rows(browser.get("/queue").text) == [tasks[1], tasks[2], tasks[0]]
    assert rows(browser.get("/queue?sort=age").text) == tasks


def test_what_teaches_most_stands_first_on_demand(
    client: Client, suspicious: Any, sqlite_ledger: Ledger
) -> None:
    offers = ((0.99, "果萃棒"), (0.7, "小风扇"), (0.7, "小风扇"), (0.8, "晴雨伞"))
    with sqlite_ledger.write() as session:
        tasks = [suspicious(session, priority=score, title=title).id for score, title in offers]
    browser = client(Role.ANALYST)
    assert rows(browser.get("/queue?sort=learning").text) == [tasks[1], tasks[3], tasks[0], tasks[2]]


def test_the_learning_order_goes_on_over_the_pages(
    client: Client, suspicious: Any, sqlite_ledger: Ledger
) -> None:
    with sqlite_ledger.write() as session:
        tasks = {suspicious(session, priority=1 - number / 100).id for number in range(53)}
    browser = client(Role.ANALYST)
    first, second = (rows(browser.get(f"/queue?sort=learning&page={page}").text) for page in (1, 2))
    assert (len(first), {*first, *second}) == (50, tasks)


def test_an_item_that_was_never_judged_is_in_the_learning_order(
    client: Client, make: Any, sqlite_ledger: Ledger
) -> None:
    with sqlite_ledger.write() as session:
        task = make.task(session, make.snapshot(session, make.listing(session))).id
    assert rows(client(Role.ANALYST).get("/queue?sort=learning").text) == [task]


def test_the_queue_comes_in_pages_of_fifty(client: Client, suspicious: Any, sqlite_ledger: Ledger) -> None:
    with sqlite_ledger.write() as session:
        tasks = [suspicious(session, priority=1 - number / 100).id for number in range(53)]
    browser = client(Role.ANALYST)
    first = browser.get("/queue?platform=sample&sort=risk").text
    assert rows(first) == tasks[:50]
    (further,) = re.findall(r'href="([^"]*)" rel="next"', first)
    assert rows(browser.get(further.replace("&amp;", "&")).text) == tasks[50:]


def test_filters_narrow_the_queue(client: Client, make: Any, sqlite_ledger: Ledger) -> None:
    with sqlite_ledger.write() as session:
        drink = make.snapshot(session, make.listing(session, platform="other"))
        make.verdict(session, drink, label=Label.DISGUISED_DRINK)
        other = make.task(session, drink).id
        medical = make.task(session).id
    browser = client(Role.ANALYST)
    assert rows(browser.get("/queue?label=disguised_drink&platform=").text) == [other]
    assert rows(browser.get("/queue?platform=sample&label=").text) == [medical]
    assert "Clear the filter" in browser.get("/queue?platform=sample&label=disguised_drink").text


def test_only_what_i_hold_is_mine(client: Client, suspicious: Any, sqlite_ledger: Ledger) -> None:
    with sqlite_ledger.write() as session:
        first, _ = suspicious(session, priority=0.9).id, suspicious(session, priority=0.8).id
    analyst, supervisor = client(Role.ANALYST), client(Role.SUPERVISOR)
    assert analyst.get("/item/next").headers["location"] == f"/item/{first}"
    assert rows(analyst.get("/queue?tab=mine").text) == [first]
    assert rows(supervisor.get("/queue?tab=mine").text) == []
    assert "王芳" in supervisor.get("/queue").text


def test_an_empty_queue_says_that_all_is_decided(client: Client) -> None:
    assert "Everything found so far is decided" in client(Role.ANALYST).get("/queue").text


@pytest.mark.parametrize("state", [RunState.BLOCKED, RunState.FAILED, RunState.PARTIAL])
def test_an_empty_queue_after_a_failed_sweep_proves_nothing(
    client: Client, make: Any, sqlite_ledger: Ledger, state: RunState
) -> None:
    with sqlite_ledger.write() as session:
        make.run(session, kind="sweep", state=RunState.OK, started_at=make.now - timedelta(days=1))
        make.run(session, kind="sweep", state=state)
    assert "proves nothing" in client(Role.ANALYST).get("/queue").text


@pytest.mark.parametrize("query", ["tab=none", "label=nonsense", "page=0", "page=x", "sort=magic"])
def test_an_address_that_makes_no_sense_is_told_so(client: Client, query: str) -> None:
    answer = client(Role.ANALYST).get(f"/queue?{query}")
    assert answer.status_code == 400
    assert "a value in the address" in answer.text


def test_an_unknown_page_is_told_so(client: Client) -> None:
    answer = client(Role.ANALYST).get("/nowhere")
    assert answer.status_code == 404
    assert "no such page" in answer.text
