from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

import pytest
import sqlalchemy as sa
from axe_playwright_python.sync_playwright import Axe
from fastapi import FastAPI
from playwright.sync_api import expect
from starlette.testclient import TestClient

from takedowns.desk.screens.tray import why
from takedowns.desk.words import WORDS
from takedowns.ledger.engine import Ledger
from takedowns.ledger.tables import Lead, PlatformResponse, StrayResponse, User
from takedowns.ledger.vocabulary import Measure, Role, TrayState
from takedowns.replies import columns, tray
from takedowns.replies.claims import Received
from takedowns.states import LeadState
from tests.takedowns.desk.test_browser import WCAG

Client = Callable[[Role], TestClient]


@pytest.fixture
def lead(sqlite_ledger: Ledger, people: dict[Role, User], suspicious: Any, make: Any) -> Lead:
    with sqlite_ledger.write() as session:
        decision = make.decision(session, suspicious(session), people[Role.ANALYST])
        return make.lead(session, decision, state=LeadState.SENT, sent_at=make.now)


@pytest.fixture
def stray(sqlite_ledger: Ledger, people: dict[Role, User], make: Any) -> None:
    with sqlite_ledger.write() as session:
        received = Received("reply.csv#0:2", make.now, make.now)
        cells = {"线索编号": "9999", "处置措施": "已下架", "备注": "<script>alert(1)</script>"}
        tray.put(session, received, cells, "lead_number: no lead has the number '9999'", "sample")


def claims(ledger: Ledger) -> list[PlatformResponse]:
    with ledger.read() as session:
        return list(session.scalars(sa.select(PlatformResponse).order_by(PlatformResponse.id)))


def test_the_tray_shows_what_waits_and_why_and_runs_nothing_of_it(client: Client, stray: None) -> None:
    page = client(Role.ANALYST).get("/tray").text
    assert "no lead has the number &#39;9999&#39;" in page
    assert "&lt;script&gt;" in page
    assert "<script>alert" not in page
    assert "Sample Market" in page


def test_an_answer_is_matched_to_its_lead_from_the_tray(
    client: Client, sqlite_ledger: Ledger, stray: None, lead: Lead
) -> None:
    browser = client(Role.ANALYST)
    version = re.findall(r'name="version" value="(\d+)"', browser.get("/tray").text)[0]
    sent = {"version": version, "lead": lead.number, "measure": "", "note": "按店铺核对"}
    assert browser.post("/tray/1/match", data=sent).status_code == 303
    assert [claim.measure for claim in claims(sqlite_ledger)] == [Measure.DELETED]
    assert "The tray is empty" in browser.get("/tray").text
    refused = browser.post("/tray/1/match", data=sent)
    assert refused.status_code == 409
    assert "handled this answer already" in refused.text


def test_a_lead_that_is_none_is_refused_and_the_answer_stays(
    client: Client, sqlite_ledger: Ledger, stray: None
) -> None:
    refused = client(Role.ANALYST).post("/tray/1/match", data={"version": 1, "lead": "NONE"})
    assert refused.status_code == 409
    assert "cannot be recorded" in refused.text
    assert "<h1>Tray</h1>" in refused.text
    assert claims(sqlite_ledger) == []


def test_an_answer_is_dismissed_with_a_reason(client: Client, sqlite_ledger: Ledger, stray: None) -> None:
    browser = client(Role.ANALYST)
    assert browser.post("/tray/1/dismissal", data={"version": 1, "note": ""}).status_code == 409
    assert browser.post("/tray/1/dismissal", data={"version": 1, "note": "广告"}).status_code == 303
    with sqlite_ledger.read() as session:
        assert session.get_one(StrayResponse, 1).state is TrayState.DISMISSED


def test_an_answer_by_telephone_is_entered_on_the_leads_page(
    client: Client, sqlite_ledger: Ledger, lead: Lead
) -> None:
    browser = client(Role.ANALYST)
    assert "Enter an answer of the platform" in browser.get(f"/leads/{lead.number}").text
    sent = {"measure": ["deleted"], "claimed_at": "2026-10-11T09:30", "text": "电话答复"}
    assert browser.post(f"/leads/{lead.number}/responses", data=sent).status_code == 303
    (claim,) = claims(sqlite_ledger)
    assert (claim.measure, claim.text) == (Measure.DELETED, "电话答复")
    assert claim.claimed_at is not None
    assert claim.claimed_at.isoformat() == "2026-10-11T01:30:00+00:00"
    assert "电话答复" in browser.get(f"/leads/{lead.number}").text


def test_an_answer_that_lies_in_the_future_is_refused_on_the_leads_page(client: Client, lead: Lead) -> None:
    sent = {"measure": ["deleted"], "claimed_at": "2027-10-11T09:30", "text": ""}
    refused = client(Role.ANALYST).post(f"/leads/{lead.number}/responses", data=sent)
    assert refused.status_code == 409
    assert "future" in refused.text


def test_operators_see_the_lead_without_the_form(client: Client, lead: Lead) -> None:
    assert "Enter an answer" not in client(Role.OPERATOR).get(f"/leads/{lead.number}").text


def test_a_refused_form_keeps_what_was_typed(client: Client, stray: None, lead: Lead) -> None:
    browser = client(Role.ANALYST)
    typed = {"version": 1, "lead": "2026-NONE", "measure": "blocked", "note": "电话核对过"}
    page = browser.post("/tray/1/match", data=typed).text
    assert 'value="2026-NONE"' in page
    assert '<option value="blocked" selected>' in page
    assert 'value="电话核对过"' in page
    answer = {"measure": ["deleted"], "claimed_at": "2027-10-11T09:30", "text": "说已下架"}
    page = browser.post(f"/leads/{lead.number}/responses", data=answer).text
    assert '<option value="deleted" selected>' in page
    assert 'value="2027-10-11T09:30"' in page
    assert ">说已下架</textarea>" in page


@pytest.mark.parametrize(
    ("source", "reason", "code"),
    [
        ("a.csv#0:2", "lead_number: no lead has the number '9999'", "lead_number"),
        ("a.csv#0:一月:2", "measure: 'x' is no known measure", "measure"),
        ("a.csv#0:2", "merchants: 'x' is no whole number", "number"),
        ("a.csv#0:2", "account_id: is longer than 500 characters", "number"),
        ("a.csv#0:2", "(row): is not valid JSON", "row"),
        ("a.csv#0:2", "我的列: holds a NUL character: the file was damaged on its way", "row"),
        ("mail#0:whole", "measure: a strange file name", "whole"),
        ("a.csv#0:file", "a.csv: is empty", "file"),
        ("a.csv#0:rest", "7 more rows could not be used", "rest"),
    ],
)
def test_each_reason_has_words_in_both_languages(source: str, reason: str, code: str) -> None:
    assert why(StrayResponse(source=source, reason=reason)) == code
    assert code in WORDS["stray"]


def test_every_column_that_can_be_wrong_has_words() -> None:
    wrong = {why(StrayResponse(source="a:1", reason=f"{name}: x")) for name in columns.COLUMNS}
    assert wrong <= WORDS["stray"].keys()


@pytest.mark.parametrize("language", ["zh", "en"])
def test_the_tray_and_the_form_for_an_answer_are_accessible(
    app: FastAPI, serve: Callable[[FastAPI], str], tabs: Any, stray: None, lead: Lead, language: str
) -> None:
    url = serve(app)
    page = tabs.sign_in(url, Role.ANALYST, language=language)
    for width, scheme in ((1280, "light"), (320, "dark")):
        page.set_viewport_size({"width": width, "height": 800})
        page.emulate_media(color_scheme=scheme)
        for path in ("/tray", f"/leads/{lead.number}"):
            page.goto(url + path)
            page.evaluate("document.querySelectorAll('main details').forEach(one => one.open = true)")
            found = Axe().run(page, options=WCAG)
            assert found.violations_count == 0, f"{page.url}\n{found.generate_report()}"
            assert page.evaluate("document.scrollingElement.scrollWidth") <= width, f"{page.url} is too wide"
    expect(page.get_by_role("navigation").first.get_by_role("link").first).to_be_in_viewport()


def test_an_answer_is_matched_and_another_entered_by_keyboard(
    app: FastAPI, serve: Any, tabs: Any, sqlite_ledger: Ledger, stray: None, lead: Lead
) -> None:
    url = serve(app)
    page = tabs.sign_in(url, Role.ANALYST, width=320)
    page.goto(f"{url}/tray")
    expect(page.get_by_text("线索编号对不上可反馈的线索")).to_be_visible()
    page.get_by_label("线索编号").focus()
    page.keyboard.type(lead.number)
    page.keyboard.press("Enter")
    expect(page.get_by_text("没有待认领的反馈")).to_be_visible()
    page.goto(f"{url}/leads/{lead.number}")
    page.get_by_text("登记平台反馈").focus()
    page.keyboard.press("Enter")
    page.keyboard.press("Tab")
    page.keyboard.press("ArrowDown")
    page.keyboard.press("ArrowDown")
    page.get_by_label("平台原话").focus()
    page.keyboard.type("电话答复")
    page.keyboard.press("Tab")
    page.keyboard.press("Enter")
    expect(page.locator(".story")).to_contain_text("电话答复")
    assert [claim.measure for claim in claims(sqlite_ledger)] == [Measure.DELETED, Measure.BLOCKED]
