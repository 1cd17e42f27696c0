from __future__ import annotations

import re
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
import sqlalchemy as sa
from starlette.testclient import TestClient

from takedowns import licences
from takedowns.ledger.engine import Ledger
from takedowns.ledger.tables import Decision, Lead, ReviewTask
from takedowns.ledger.vocabulary import Finding, Role
from takedowns.states import LeadState, TaskState

Client = Callable[[Role], TestClient]
HTMX = {"HX-Request": "true"}


@pytest.fixture
def tasks(sqlite_ledger: Ledger, suspicious: Any) -> list[int]:
    with sqlite_ledger.write() as session:
        return [suspicious(session, priority=priority).id for priority in (0.9, 0.8, 0.7, 0.6, 0.5, 0.4)]


def version(page: str) -> str:
    return re.findall(r'name="version" value="(\d+)"', page)[0]


def decided(ledger: Ledger) -> list[tuple[int, Finding, str | None]]:
    with ledger.read() as session:
        found = session.scalars(sa.select(Decision).order_by(Decision.id))
        return [(decision.task_id, decision.finding, decision.reason) for decision in found]


def confirm(browser: TestClient, task: int, **given: Any) -> Any:
    page = browser.get(f"/item/{task}").text
    form = {"version": version(page), "finding": "violation", "category": "disguised_medical", **given}
    return browser.post(f"/item/{task}/decision", data=form, headers=HTMX)


def test_what_the_seller_wrote_is_marked_and_runs_nowhere(client: Client, tasks: list[int]) -> None:
    page = client(Role.ANALYST).get(f"/item/{tasks[0]}").text
    assert "&lt;b&gt;一次性" in re.sub(r"</?mark[^>]*>|<sup>.*?</sup>", "", page)
    assert "<b>一次性" not in page
    assert "\u202e" not in page
    assert "\u200b" not in page
    assert ">RLO<" in page
    assert ">ZWSP<" in page
    assert "vapor_king88" not in page
    assert re.search(r'<mark>8000口<sup><a href="#why-1"', page)
    assert 'id="why-1"' in page


def test_the_decisions_answer_is_the_next_item(
    client: Client, tasks: list[int], sqlite_ledger: Ledger
) -> None:
    answer = confirm(client(Role.ANALYST), tasks[0], note="看过")
    assert answer.status_code == 200
    assert answer.headers["hx-push-url"] == f"/item/{tasks[1]}"
    assert f'data-item="{tasks[1]}"' in answer.text
    assert "<html" not in answer.text
    with sqlite_ledger.read() as session:
        lead = session.scalars(sa.select(Lead)).one()
        assert (lead.state, lead.decision.note) == (LeadState.READY, "看过")


def test_without_the_script_a_decision_leads_to_the_next_page(client: Client, tasks: list[int]) -> None:
    browser = client(Role.ANALYST)
    form = {"version": version(browser.get(f"/item/{tasks[0]}").text), "reason": "lawful_drink"}
    answer = browser.post(f"/item/{tasks[0]}/decision", data=form)
    assert (answer.status_code, answer.headers["location"]) == (303, f"/item/{tasks[1]}")


def test_a_dismissal_keeps_its_reason(client: Client, tasks: list[int], sqlite_ledger: Ledger) -> None:
    browser = client(Role.ANALYST)
    form = {"version": version(browser.get(f"/item/{tasks[0]}").text), "reason": "lawful_medical_device"}
    browser.post(f"/item/{tasks[0]}/decision", data={**form, "category": "disguised_medical"}, headers=HTMX)
    assert decided(sqlite_ledger) == [(tasks[0], Finding.NOT_VIOLATION, "lawful_medical_device")]


@pytest.mark.parametrize("form", [{"finding": "violation"}, {"reason": "because"}, {}])
def test_an_incomplete_decision_is_refused_and_the_note_is_kept(
    client: Client, tasks: list[int], sqlite_ledger: Ledger, form: dict[str, str]
) -> None:
    browser = client(Role.ANALYST)
    page = browser.get(f"/item/{tasks[0]}").text
    sent = {"version": version(page), "note": "细看第二段", **form}
    answer = browser.post(f"/item/{tasks[0]}/decision", data=sent, headers=HTMX)
    assert answer.status_code == 409
    assert "incomplete" in answer.text
    assert "细看第二段</textarea>" in answer.text
    assert decided(sqlite_ledger) == []


def test_of_two_reviewers_one_decides_and_the_other_is_told(
    client: Client, tasks: list[int], sqlite_ledger: Ledger, clock: Any
) -> None:
    analyst, supervisor = client(Role.ANALYST), client(Role.SUPERVISOR)
    page = analyst.get(f"/item/{tasks[0]}").text
    assert "It is before 王芳 until" in supervisor.get(f"/item/{tasks[0]}").text
    clock.now += timedelta(minutes=6)
    assert confirm(supervisor, tasks[0]).status_code == 200
    form = {"version": version(page), "finding": "violation", "category": "ecig_overt", "note": "我先看的"}
    late = analyst.post(f"/item/{tasks[0]}/decision", data=form, headers=HTMX)
    assert late.status_code == 409
    assert "Nothing was recorded" in late.text
    assert len(decided(sqlite_ledger)) == 1


def test_a_late_reviewer_gets_back_what_they_wrote(client: Client, tasks: list[int], clock: Any) -> None:
    analyst, supervisor = client(Role.ANALYST), client(Role.SUPERVISOR)
    page = analyst.get(f"/item/{tasks[0]}").text
    clock.now += timedelta(minutes=6)
    supervisor.get(f"/item/{tasks[0]}")
    form = {"version": version(page), "finding": "violation", "category": "ecig_overt", "note": "我先看的"}
    late = analyst.post(f"/item/{tasks[0]}/decision", data=form, headers=HTMX)
    assert late.status_code == 409
    assert "我先看的" in late.text


def test_a_skipped_item_goes_to_somebody_else(client: Client, tasks: list[int]) -> None:
    analyst = client(Role.ANALYST)
    form = {"version": version(analyst.get(f"/item/{tasks[0]}").text)}
    answer = analyst.post(f"/item/{tasks[0]}/skip", data=form, headers=HTMX)
    assert f'data-item="{tasks[1]}"' in answer.text
    assert client(Role.SUPERVISOR).get("/item/next").headers["location"] == f"/item/{tasks[0]}"


def test_an_undone_decision_brings_its_item_back(
    client: Client, tasks: list[int], sqlite_ledger: Ledger
) -> None:
    browser = client(Role.ANALYST)
    page = confirm(browser, tasks[0]).text
    (path,) = set(re.findall(r'hx-post="(/decisions/\d+/undo)"', page))
    answer = browser.post(path, data={"here": tasks[1]}, headers=HTMX)
    assert f'data-item="{tasks[0]}"' in answer.text
    assert "/undo" not in answer.text
    with sqlite_ledger.read() as session:
        assert session.scalars(sa.select(Lead.state)).one() is LeadState.WITHDRAWN
        assert session.get_one(ReviewTask, tasks[0]).state is TaskState.LEASED


def test_a_second_undo_is_refused_and_the_item_stays(client: Client, tasks: list[int]) -> None:
    browser = client(Role.ANALYST)
    (path,) = set(re.findall(r'hx-post="(/decisions/\d+/undo)"', confirm(browser, tasks[0]).text))
    browser.post(path, headers=HTMX)
    answer = browser.post(path, data={"here": tasks[1]}, headers=HTMX)
    assert answer.status_code == 409
    assert "Too late to undo" in answer.text
    assert f'data-item="{tasks[1]}"' in answer.text


def test_next_and_previous_follow_the_risk_and_decide_nothing(
    client: Client, tasks: list[int], sqlite_ledger: Ledger
) -> None:
    browser = client(Role.ANALYST)
    assert browser.get(f"/item/{tasks[1]}/next").headers["location"] == f"/item/{tasks[2]}"
    assert browser.get(f"/item/{tasks[1]}/previous").headers["location"] == f"/item/{tasks[0]}"
    assert browser.get(f"/item/{tasks[5]}/next").headers["location"] == "/queue"
    assert decided(sqlite_ledger) == []


def test_leafing_takes_no_more_than_five_from_the_others(client: Client, tasks: list[int]) -> None:
    browser = client(Role.ANALYST)
    for task in tasks[:5]:
        browser.get(f"/item/{task}")
    page = browser.get(f"/item/{tasks[5]}").text
    assert "Decide or skip one of these first" in page
    assert page.count("/decision") == 0
    assert f'href="/item/{tasks[0]}"' in page


def test_after_the_last_item_comes_the_queue(client: Client, sqlite_ledger: Ledger, suspicious: Any) -> None:
    with sqlite_ledger.write() as session:
        only = suspicious(session).id
    assert confirm(client(Role.ANALYST), only).headers["hx-redirect"] == "/queue"


def test_a_title_of_a_megabyte_leaves_the_page_usable(
    client: Client, sqlite_ledger: Ledger, suspicious: Any
) -> None:
    with sqlite_ledger.write() as session:
        task = suspicious(session, title="雾" * 1_000_000).id
    browser = client(Role.ANALYST)
    page = browser.get(f"/item/{task}").text
    assert len(page) < 50_000
    assert "999600 of 1000000 characters are not shown" in page
    assert len(browser.get("/queue").text) < 50_000


def test_an_address_that_is_no_web_address_becomes_no_link(
    client: Client, sqlite_ledger: Ledger, make: Any
) -> None:
    with sqlite_ledger.write() as session:
        listing = make.listing(session, url="javascript:alert(1)")
        task = make.task(session, make.snapshot(session, listing)).id
    page = client(Role.ANALYST).get(f"/item/{task}").text
    assert 'href="javascript' not in page
    assert "javascript:alert(1)" in page


def test_half_a_surrogate_pair_breaks_no_page(client: Client, sqlite_ledger: Ledger, make: Any) -> None:
    with sqlite_ledger.write() as session:
        snapshot = make.snapshot(session, make.listing(session), attributes={"a\ud83d": "b\ude00"})
        task = make.task(session, snapshot).id
    answer = client(Role.ANALYST).get(f"/item/{task}")
    assert answer.status_code == 200
    assert "U+DE00" in answer.text


def test_what_was_read_in_a_picture_is_shown_and_marked_and_its_qr_code_is_covered(
    client: Client, sqlite_ledger: Ledger, make: Any
) -> None:
    text = "<i>电子烟\nhttps://u.example/Secret99"
    signals = [
        {"kind": kind, "concept": concept, "text": text[start:end], "field": "images.1", "start": start}
        | {"end": end, "contribution": 1.0, "why": concept}
        for kind, concept, start, end in [
            ("lexicon", "product.ecig", 3, 6),
            ("contact", "contact.qr_code", 7, len(text)),
        ]
    ]
    images = [{"text": "", "qr": [], "unread": "broken"}, {"text": text, "qr": [text[7:]], "unread": None}]
    with sqlite_ledger.write() as session:
        snapshot = make.snapshot(session, make.listing(session))
        payload = {"scores": {}, "signals": signals, "claims": [], "images": images}
        make.verdict(session, snapshot, payload=payload)
        task = make.task(session, snapshot).id
    page = client(Role.ANALYST).get(f"/item/{task}").text
    assert "&lt;i&gt;<mark>电子烟" in page
    assert "Text in pictures" in page
    assert "Secret99" not in page


NUMBER = "粤械注准20212080012"


@pytest.fixture
def numbered(sqlite_ledger: Ledger, make: Any) -> Callable[..., int]:
    """Adds a listing that shows a number; gives its task, or 0 where it is to have none."""

    def add(shop: str, number: str = NUMBER, *, task: bool = True, **given: Any) -> int:
        found = {"kind": "device_registration", "text": number, "field": "title", "start": 0}
        claim = found | {"end": len(number), "status": "format_ok", "reasons": []}
        payload = {"scores": {}, "signals": [], "claims": [claim]}
        with sqlite_ledger.write() as session:
            listing = make.listing(session, seller=make.seller(session, name=shop), **given)
            snapshot = make.snapshot(session, listing, title=f"{number} 雾化器")
            licences.store(session, [(make.verdict(session, snapshot, payload=payload).id, payload)])
            return make.task(session, snapshot).id if task else 0

    return add


def test_a_number_that_stands_elsewhere_says_on_how_many_shops_and_leads_there(
    client: Client, numbered: Callable[..., int]
) -> None:
    here, there = numbered("甲店"), numbered("<b>乙店", "粵械註準2021 208 0012")
    numbered("丙店", task=False, url="https://shop.invalid/item/77")
    numbered("丁店", task=False, url="javascript:alert(1)")
    page = client(Role.ANALYST).get(f"/item/{here}").text
    assert "also stands on 3 other shops" in page
    assert f'<a href="/item/{there}"><bdi>&lt;b&gt;乙店</bdi></a>' in page
    assert re.search('<a href="https://shop.invalid/item/77" target="_blank" [^>]*><bdi>丙店</bdi></a>', page)
    assert "<bdi>丁店</bdi>" in page
    assert "javascript:" not in page
    browser = client(Role.SUPERVISOR)
    browser.cookies.set("language", "zh")
    assert "另有 3 家店铺也标此号" in browser.get(f"/item/{there}").text


def test_a_number_of_one_shop_alone_is_said_nothing_of(client: Client, numbered: Callable[..., int]) -> None:
    here = numbered("甲店")
    numbered("乙店", "粤械注准20212080013")
    assert "also stands on" not in client(Role.ANALYST).get(f"/item/{here}").text


def test_of_many_shops_the_first_few_are_named(client: Client, numbered: Callable[..., int]) -> None:
    here = [numbered(f"店铺{n}") for n in range(8)][-1]
    page = client(Role.ANALYST).get(f"/item/{here}").text
    assert "also stands on 7 other shops" in page
    assert page.count("<bdi>店铺") == 5 + 1  # and the item's own


def test_a_concept_has_its_sentence_in_both_languages(client: Client, tasks: list[int]) -> None:
    browser = client(Role.ANALYST)
    english = browser.get(f"/item/{tasks[0]}").text
    browser.cookies.set("language", "zh")
    chinese = browser.get(f"/item/{tasks[0]}").text
    for page in (english, chinese):
        names = re.findall(r"<strong>(.*?)</strong>", page)
        assert "measure.puffs" not in names
        assert "cover.medical" not in names
    assert english != chinese


def test_an_unknown_item_is_told_so(client: Client) -> None:
    assert client(Role.ANALYST).get("/item/999").status_code == 404
