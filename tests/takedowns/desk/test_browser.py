"""The desk in a real Chromium: accessible, without script errors, and fit for the keyboard alone.

The ``tabs`` fixture fails a test on any console error, so on any breach of the content security policy.
"""

from __future__ import annotations

import itertools
import re
from collections.abc import Callable
from typing import Any

import pytest
import sqlalchemy as sa
from axe_playwright_python.sync_playwright import Axe
from fastapi import FastAPI
from playwright.sync_api import Page, Route, expect

from crawlers.listing import Presence
from takedowns.desk.app import create_app
from takedowns.ledger.engine import Ledger
from takedowns.ledger.tables import Decision, Notice, User
from takedowns.ledger.vocabulary import Finding, Measure, Role, VerificationOutcome
from takedowns.states import LeadState, NoticeState

WCAG = {"runOnly": ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]}
SCREENS = [
    "/",
    "/queue",
    "/queue?tab=decided",
    "/queue?tab=mine&label=disguised_drink",
    "/item/1",
    "/leads/outbox",
    "/notices/1",
    "/leads",
    "/leads/TEST-1",
    "/reports",
    "/settings",
    "/nowhere",
]


@pytest.fixture
def url(
    sqlite_ledger: Ledger,
    mailing: Any,
    platforms: Any,
    clock: Any,
    people: dict[Role, User],
    serve: Callable[[FastAPI], str],
) -> str:
    return serve(create_app(sqlite_ledger, mailing, platforms, clock=clock))


@pytest.fixture
def tasks(sqlite_ledger: Ledger, suspicious: Any) -> list[int]:
    with sqlite_ledger.write() as session:
        return [suspicious(session, priority=0.99 - number / 100).id for number in range(6)]


def decisions(ledger: Ledger) -> list[tuple[int, Finding, str | None, str]]:
    with ledger.read() as session:
        found = session.scalars(sa.select(Decision).order_by(Decision.id))
        return [(made.task_id, made.finding, made.reason, made.note) for made in found]


def shows(page: Page, task: int) -> None:
    """The item is on screen, its heading has the focus, and it has settled."""
    expect(page.locator(f'[data-item="{task}"]')).to_be_visible()
    page.wait_for_timeout(120)  # two frames on a busy machine; keys before that are dropped on purpose


@pytest.mark.parametrize("language", ["zh", "en"])
@pytest.mark.parametrize(("width", "scheme"), [(1280, "light"), (320, "dark")])
def test_every_screen_is_accessible(
    url: str,
    tabs: Any,
    tasks: list[int],
    sqlite_ledger: Ledger,
    people: dict[Role, User],
    suspicious: Any,
    make: Any,
    language: str,
    width: int,
    scheme: str,
) -> None:
    _something_of_everything(sqlite_ledger, people[Role.ANALYST], suspicious, make)
    page = tabs.open(f"{url}/sign-in", width=width, language=language)
    _check(page, width)
    page = tabs.sign_in(url, Role.SUPERVISOR, width=width, language=language)
    page.emulate_media(color_scheme=scheme)
    for path in SCREENS:
        page.goto(url + path)
        _check(page, width)
    tabs.problems = [told for told in tabs.problems if "404" not in told]  # /nowhere


def _check(page: Page, width: int) -> None:
    found = Axe().run(page, options=WCAG)
    assert found.violations_count == 0, f"{page.url}\n{found.generate_report()}"
    assert page.evaluate("document.scrollingElement.scrollWidth") <= width, f"{page.url} is too wide"


def _something_of_everything(ledger: Ledger, analyst: User, suspicious: Any, make: Any) -> None:
    with ledger.write() as session:
        task = suspicious(session)
        lead = make.lead(session, make.decision(session, task, analyst), number="TEST-1")
        lead.state, lead.sent_at, lead.outcome = LeadState.SENT, make.now, VerificationOutcome.FALSE_CLAIM
        make.response(session, lead, measure=Measure.DELETED)
        make.sighting(session, lead.listing, state=Presence.UP)
        make.lead(session, make.decision(session, suspicious(session), analyst))
        session.add(
            Notice(
                number="N-1",
                platform="sample",
                channel="smtp",
                recipient="notices@shop.invalid",
                state=NoticeState.DRAFT,
                lang="zh",
                subject="关于涉嫌违法商品线索的通知",
                body="示例商城：\n\n请依法核验处理。",
                author_id=analyst.id,
                created_at=make.now,
                leads=[lead],
            )
        )


def test_a_day_at_the_keyboard(url: str, tabs: Any, tasks: list[int], sqlite_ledger: Ledger) -> None:
    page = tabs.sign_in(url, Role.ANALYST)
    page.get_by_role("link", name="开始审核").focus()
    page.keyboard.press("Enter")
    shows(page, tasks[0])
    page.keyboard.press("3")
    page.keyboard.press("a")
    shows(page, tasks[1])
    expect(page.locator("#item-title")).to_be_focused()
    expect(page.get_by_role("status")).to_contain_text("已记录")
    assert page.url == f"{url}/item/{tasks[1]}"
    page.keyboard.press("x")
    page.keyboard.press("2")
    shows(page, tasks[2])
    page.keyboard.press("n")
    shows(page, tasks[3])
    page.keyboard.press("m")
    page.keyboard.type("axnz 12")
    page.keyboard.press("Escape")
    page.keyboard.press("A")
    shows(page, tasks[4])
    page.keyboard.press("z")
    shows(page, tasks[3])
    page.keyboard.press("j")
    page.wait_for_url(f"{url}/item/{tasks[4]}")
    page.keyboard.press("?")
    expect(page.get_by_role("dialog")).to_be_visible()
    page.keyboard.press("a")
    page.keyboard.press("Escape")
    assert decisions(sqlite_ledger) == [
        (tasks[0], Finding.VIOLATION, None, ""),
        (tasks[1], Finding.NOT_VIOLATION, "lawful_drink", ""),
        (tasks[3], Finding.VIOLATION, None, "axnz 12"),
        (tasks[3], Finding.UNDETERMINED, None, ""),
    ]


def test_the_queue_is_walked_by_keys(url: str, tabs: Any, tasks: list[int]) -> None:
    page = tabs.sign_in(url, Role.ANALYST)
    page.goto(f"{url}/queue")
    for key in "jjk":
        page.keyboard.press(key)
    page.keyboard.press("j")
    page.keyboard.press("Enter")
    page.wait_for_url(f"{url}/item/{tasks[1]}")


def test_holding_a_key_decides_exactly_one(
    url: str, tabs: Any, tasks: list[int], sqlite_ledger: Ledger
) -> None:
    page = tabs.sign_in(url, Role.ANALYST)
    page.goto(f"{url}/item/next")
    shows(page, tasks[0])
    for _ in range(40):  # a second down without an up is a repeat
        page.keyboard.down("a")
        page.wait_for_timeout(25)
    page.keyboard.up("a")
    shows(page, tasks[1])
    assert len(decisions(sqlite_ledger)) == 1


def test_keys_before_the_next_item_has_settled_are_dropped(
    url: str, tabs: Any, tasks: list[int], sqlite_ledger: Ledger
) -> None:
    page = tabs.sign_in(url, Role.ANALYST)
    page.goto(f"{url}/item/next")
    shows(page, tasks[0])
    held: list[Route] = []
    page.route("**/decision", lambda route: held.append(route))
    page.keyboard.press("a")
    for key in ("a", "n", "z", "a"):
        page.keyboard.press(key)
    page.wait_for_timeout(100)
    (decision,) = held
    decision.continue_()
    shows(page, tasks[1])
    page.wait_for_timeout(200)
    assert len(held) == 1
    assert len(decisions(sqlite_ledger)) == 1


def test_composing_pinyin_decides_nothing(
    url: str, tabs: Any, tasks: list[int], sqlite_ledger: Ledger
) -> None:
    page = tabs.sign_in(url, Role.ANALYST)
    page.goto(f"{url}/item/next")
    shows(page, tasks[0])
    keyboard = page.context.new_cdp_session(page)

    def compose(letters: str, words: str) -> None:
        for end in range(1, len(letters) + 1):
            keyboard.send(
                "Input.dispatchKeyEvent",
                {"type": "rawKeyDown", "key": letters[end - 1], "windowsVirtualKeyCode": 229},
            )
            keyboard.send(
                "Input.imeSetComposition",
                {"text": letters[:end], "selectionStart": end, "selectionEnd": end},
            )
        keyboard.send("Input.insertText", {"text": words})

    compose("an", "按")  # with nothing to write into
    page.keyboard.press("m")
    compose("zaxn", "再想")
    expect(page.locator("textarea")).to_have_value("再想")
    page.wait_for_timeout(150)
    assert decisions(sqlite_ledger) == []


def test_modified_keys_belong_to_the_browser(
    url: str, tabs: Any, tasks: list[int], sqlite_ledger: Ledger
) -> None:
    page = tabs.sign_in(url, Role.ANALYST)
    page.goto(f"{url}/item/next")
    shows(page, tasks[0])
    for keys in ("Control+a", "Alt+a", "Meta+a", "Control+z", "Control+x"):
        page.keyboard.press(keys)
    page.wait_for_timeout(150)
    assert decisions(sqlite_ledger) == []


def test_shortcuts_that_are_off_do_nothing_and_buttons_still_do(
    url: str, tabs: Any, tasks: list[int], sqlite_ledger: Ledger
) -> None:
    page = tabs.sign_in(url, Role.ANALYST)
    page.goto(f"{url}/item/next")
    page.get_by_role("button", name="快捷键").click()
    page.get_by_role("button", name="关闭快捷键").click()
    shows(page, tasks[0])
    page.keyboard.press("a")
    page.wait_for_timeout(150)
    assert decisions(sqlite_ledger) == []
    page.get_by_role("button", name="确认违规").click()
    shows(page, tasks[1])
    assert len(decisions(sqlite_ledger)) == 1


def test_without_a_kind_the_confirmation_asks_for_it(
    url: str, tabs: Any, sqlite_ledger: Ledger, make: Any
) -> None:
    with sqlite_ledger.write() as session:
        make.task(session, make.snapshot(session, make.listing(session)))
    page = tabs.sign_in(url, Role.ANALYST)
    page.goto(f"{url}/item/1")
    shows(page, 1)
    page.keyboard.press("a")
    expect(page.get_by_role("status")).to_contain_text("请先选择违规类型")
    expect(page.locator("[name=category]").first).to_be_focused()
    assert decisions(sqlite_ledger) == []


def test_a_desk_that_does_not_answer_loses_nothing(
    url: str, tabs: Any, tasks: list[int], sqlite_ledger: Ledger
) -> None:
    page = tabs.sign_in(url, Role.ANALYST)
    page.goto(f"{url}/item/next")
    shows(page, tasks[0])
    page.locator("textarea").fill("很可疑")
    page.locator("textarea").press("Escape")
    page.route("**/decision", lambda route: route.abort(), times=1)
    page.keyboard.press("a")
    expect(page.get_by_role("status")).to_contain_text("未记录")
    page.route("**/decision", lambda route: route.fulfill(status=500, body="<h1>broken</h1>"), times=1)
    page.wait_for_timeout(150)
    page.keyboard.press("a")
    page.wait_for_timeout(150)
    expect(page.locator("textarea")).to_have_value("很可疑")
    page.keyboard.press("a")
    shows(page, tasks[1])
    assert decisions(sqlite_ledger) == [(tasks[0], Finding.VIOLATION, None, "很可疑")]
    tabs.problems.clear()  # the browser notes both failures


def test_the_language_switch_keeps_the_page(url: str, tabs: Any, tasks: list[int]) -> None:
    page = tabs.sign_in(url, Role.ANALYST)
    page.goto(f"{url}/item/next")
    shows(page, tasks[0])
    page.keyboard.press("a")
    shows(page, tasks[1])
    page.get_by_role("button", name="English").click()
    page.wait_for_url(f"{url}/item/{tasks[1]}")
    expect(page.get_by_role("button", name="Confirm the violation")).to_be_visible()


def test_one_drafts_a_second_approves_and_the_mail_goes_out(
    url: str, tabs: Any, tasks: list[int], mail_server: Any
) -> None:
    analyst = tabs.sign_in(url, Role.ANALYST)
    analyst.goto(f"{url}/item/next")
    for task, following in itertools.pairwise(tasks[:3]):
        shows(analyst, task)
        analyst.keyboard.press("a")
        shows(analyst, following)
    analyst.goto(f"{url}/leads/outbox")
    analyst.get_by_role("button", name="起草通知").click()
    analyst.wait_for_url(re.compile(r"/notices/\d+$"))
    expect(analyst.get_by_text("须由另一人批准")).to_be_visible()
    supervisor = tabs.sign_in(url, Role.SUPERVISOR)
    supervisor.goto(f"{url}/leads/outbox")
    supervisor.locator("a[data-row]").first.click()
    supervisor.get_by_role("button", name="批准", exact=True).click()
    supervisor.get_by_role("button", name="立即发送").click()
    expect(supervisor.get_by_text("已发出。")).to_be_visible(timeout=30_000)
    (mail,) = mail_server.mails
    assert mail["To"] == "notices@shop.invalid"
    assert "涉嫌" in mail.get_body().get_content()
    supervisor.goto(f"{url}/leads?state=sent")
    expect(supervisor.locator("tbody tr")).to_have_count(2)
