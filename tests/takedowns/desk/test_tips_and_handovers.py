"""The screens of tips and case files, in process and in a real Chromium."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

import pytest
import sqlalchemy as sa
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import expect
from starlette.testclient import TestClient

from takedowns import minors, tips
from takedowns.desk.app import create_app
from takedowns.handing_over import package, packing
from takedowns.handing_over.casefile import Receipt
from takedowns.handing_over.packing import Order
from takedowns.ledger.engine import Ledger
from takedowns.ledger.tables import Handover, Tip, User
from takedowns.ledger.vocabulary import Role
from takedowns.states import HandoverState, TipState
from tests.takedowns.desk.test_browser import WCAG

Client = Callable[[Role], TestClient]
LINK = "https://shop.invalid/item/77"
HOSTILE = '<script>alert(1)</script>"><img src=x onerror=alert(1)>\u202e某群卖烟'
FORM = {"to": "乙市烟草专卖局", "reason": "发货地在贵辖区", "kind": "bureau", "language": "zh"}


@pytest.fixture(autouse=True)
def few_words(monkeypatch: pytest.MonkeyPatch) -> None:
    """Reading the lexicon takes seconds; what it finds is tested elsewhere."""
    monkeypatch.setattr(minors, "by_words", lambda _: lambda text: "学生" in text)


@pytest.fixture
def app(sqlite_ledger: Ledger, mailing: Any, platforms: Any, clock: Any, tmp_path: Any) -> Any:
    """Here with a mail server behind it."""
    given = mailing.model_copy(update={"var": tmp_path / "var"})
    return create_app(sqlite_ledger, given, platforms, clock=clock)


@pytest.fixture
def lead(sqlite_ledger: Ledger, people: dict[Role, User], suspicious: Any, make: Any) -> str:
    with sqlite_ledger.write() as session:
        return make.lead(session, make.decision(session, suspicious(session), people[Role.ANALYST])).number


def the_tip(ledger: Ledger) -> Tip:
    with ledger.read() as session:
        return session.scalars(sa.select(Tip)).one()


def the_case(ledger: Ledger) -> Handover:
    with ledger.read() as session:
        return session.scalars(sa.select(Handover)).one()


def version(page: str) -> str:
    return re.findall(r'name="version" value="(\d+)"', page)[0]


def test_a_tip_is_entered_and_linked(client: Client, sqlite_ledger: Ledger) -> None:
    browser = client(Role.ANALYST)
    entered = browser.post("/tips", data={"origin": "hotline", "text": f"{HOSTILE} 电话13812345678"})
    assert (entered.status_code, "2026-0000-J00001" in entered.text) == (200, True)
    assert "<script>alert" not in entered.text
    assert "13812345678" not in entered.text
    linked = browser.post(
        "/tips/1/link", data={"version": version(entered.text), "address": LINK, "title": "雾化"}
    )
    assert linked.status_code == 303
    assert the_tip(sqlite_ledger).state is TipState.LINKED
    assert "No tip waits" in browser.get("/tips").text


def test_what_is_refused_keeps_what_was_typed(client: Client, sqlite_ledger: Ledger) -> None:
    browser = client(Role.ANALYST)
    browser.post("/tips", data={"origin": "public", "text": "甲", "number": "7"})
    refused = browser.post("/tips", data={"origin": "public", "text": "乙说的话", "number": "7"})
    assert (refused.status_code, "says something else" in refused.text, "乙说的话" in refused.text) == (
        409,
        True,
        True,
    )
    shown = browser.get("/tips").text
    for address in ("https://elsewhere.invalid/1", "nothing"):
        answer = browser.post("/tips/1/link", data={"version": version(shown), "address": address})
        assert (answer.status_code, "leads to no listing" in answer.text) == (409, True)
    assert browser.post("/tips/1/dismissal", data={"version": "99", "note": "x"}).status_code == 409
    assert (
        browser.post("/tips/1/dismissal", data={"version": version(shown), "note": "空"}).status_code == 303
    )
    assert the_tip(sqlite_ledger).state is TipState.DISMISSED


def test_a_case_file_is_packed_sent_by_mail_confirmed_and_closed(
    client: Client, sqlite_ledger: Ledger, lead: str, mail_server: Any
) -> None:
    browser = client(Role.SUPERVISOR)
    went = browser.post("/handovers", data={**FORM, "leads": f"{lead}，"})
    place = went.headers["location"]
    page = browser.get(place).text
    assert lead in page
    packed = browser.get(f"{place}/files/package")
    assert packed.headers["content-disposition"].startswith("attachment")
    assert package.read(packed.content, at_most=10**8).number == the_case(sqlite_ledger).number
    sent = browser.post(f"{place}/dispatch", data={"version": version(page), "recipient": "x@bureau.invalid"})
    assert (sent.status_code, len(mail_server.mails)) == (303, 1)
    handover = the_case(sqlite_ledger)
    receipt = Receipt.model_validate(
        {
            "format": "vapewatch-receipt",
            "version": 1,
            "number": handover.number,
            "their_number": "2026-3300-X00001",
            "office": {"code": "3300", "name_zh": "乙市局", "name_en": "B", "contact": "b"},
            "received_at": handover.created_at,
            "leads": 1,
            "tips": 1,
        }
    ).sealed(handover.package_sha256)
    forged = browser.post(
        f"{place}/receipt", data={"receipt": package.written(receipt).decode().replace("3300", "4400")}
    )
    assert (forged.status_code, "is of another package" in forged.text) == (409, True)
    assert "cannot be read" in browser.post(f"{place}/receipt", data={"receipt": "{}"}).text
    taken = browser.post(f"{place}/receipt", data={"receipt": package.written(receipt).decode()})
    assert (taken.status_code, the_case(sqlite_ledger).state) == (303, HandoverState.RECEIVED)
    page = browser.get(place).text
    assert "2026-3300-X00001" in page
    closed = browser.post(f"{place}/closing", data={"version": version(page), "note": "已电话核实"})
    assert (closed.status_code, the_case(sqlite_ledger).state) == (303, HandoverState.CLOSED)
    assert "Closed lately" in browser.get("/handovers").text


def test_what_cannot_be_packed_is_told_and_kept(client: Client, lead: str) -> None:
    refused = client(Role.SUPERVISOR).post("/handovers", data={**FORM, "leads": "2026-NONE"})
    assert (refused.status_code, "2026-NONE" in refused.text, "贵辖区" in refused.text) == (409, True, True)
    assert client(Role.ANALYST).post("/handovers", data={**FORM, "leads": lead}).status_code == 403


def test_a_case_file_that_went_by_hand(client: Client, sqlite_ledger: Ledger, lead: str, clock: Any) -> None:
    browser = client(Role.SUPERVISOR)
    place = browser.post("/handovers", data={**FORM, "leads": lead}).headers["location"]
    form = {"version": version(browser.get(place).text), "sent_at": "2026-10-12T09:30", "receipt": "机要交换"}
    assert browser.post(f"{place}/sent", data=form).status_code == 303
    assert the_case(sqlite_ledger).state is HandoverState.SENT
    assert browser.post(f"{place}/sent", data=form).status_code == 409  # the page went stale


@pytest.mark.parametrize("language", ["zh", "en"])
def test_both_screens_are_accessible(
    app: Any,
    serve: Callable[[Any], str],
    tabs: Any,
    sqlite_ledger: Ledger,
    people: dict[Role, User],
    lead: str,
    language: str,
) -> None:
    context, user = app.state.desk.context, people[Role.SUPERVISOR]
    packing.pack(context, Order("乙市烟草专卖局", "police", HOSTILE, [lead]), user)
    with sqlite_ledger.write() as session:
        for told in (tips.Told("police", HOSTILE), tips.Told("public", "卖给学生", url=LINK)):
            tips.add(session, told, user, tips.house(context), now=context.clock())
    url = serve(app)
    page = tabs.sign_in(url, Role.SUPERVISOR, language=language)
    for width, scheme in ((1280, "light"), (320, "dark")):
        page.set_viewport_size({"width": width, "height": 800})
        page.emulate_media(color_scheme=scheme)
        for path in ("/tips", "/handovers", f"/handovers/{the_case(sqlite_ledger).number}"):
            page.goto(url + path)
            page.evaluate("document.querySelectorAll('details').forEach(one => one.open = true)")
            found = Axe().run(page, options=WCAG)
            assert found.violations_count == 0, f"{page.url}\n{found.generate_report()}"
            assert page.evaluate("document.scrollingElement.scrollWidth") <= width, f"{page.url} is too wide"


def test_a_tip_is_entered_at_the_keyboard(
    app: Any, serve: Any, tabs: Any, people: Any, sqlite_ledger: Ledger
) -> None:
    url = serve(app)
    page = tabs.sign_in(url, Role.ANALYST)
    page.goto(f"{url}/tips")
    page.get_by_text("登记举报线索").focus()
    page.keyboard.press("Enter")
    page.get_by_label("举报内容").focus()
    page.keyboard.type(f"群里有人卖烟 {LINK}")
    page.get_by_label("涉未成年人").focus()
    page.keyboard.press("Space")
    page.get_by_role("button", name="登记", exact=True).focus()
    page.keyboard.press("Enter")
    expect(page.get_by_text("已登记")).to_be_visible()
    tip = the_tip(sqlite_ledger)
    assert (tip.minors, tip.state, tip.item_id) == (True, TipState.LINKED, "77")
