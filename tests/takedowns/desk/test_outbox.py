from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
import sqlalchemy as sa
from starlette.testclient import TestClient

from takedowns.desk.app import create_app
from takedowns.ledger.engine import Ledger
from takedowns.ledger.tables import Lead, Notice, User
from takedowns.ledger.vocabulary import Role
from takedowns.settings import Notices, Settings
from takedowns.states import LeadState, NoticeState

Client = Callable[[Role], TestClient]


@pytest.fixture
def app(sqlite_ledger: Ledger, mailing: Any, platforms: Any, clock: Any) -> Any:
    """Here with a mail server behind it."""
    return create_app(sqlite_ledger, mailing, platforms, clock=clock)


@pytest.fixture
def leads(sqlite_ledger: Ledger, people: dict[Role, User], suspicious: Any, make: Any) -> list[Lead]:
    with sqlite_ledger.write() as session:
        decisions = [make.decision(session, suspicious(session), people[Role.ANALYST]) for _ in range(3)]
        return [make.lead(session, decision) for decision in decisions]


def drafted(browser: TestClient, leads: list[Lead], **given: Any) -> Any:
    form = {"platform": "sample", "language": "zh", "lead": [lead.id for lead in leads], **given}
    return browser.post("/notices", data=form)


def act(browser: TestClient, address: str, what: str) -> Any:
    found = re.search(r'name="version" value="(\d+)"', browser.get(address).text)
    return browser.post(f"{address}/{what}", data={"version": found[1] if found else 0})


def states(ledger: Ledger) -> tuple[NoticeState, set[LeadState]]:
    with ledger.read() as session:
        notice = session.scalars(sa.select(Notice)).one()
        return notice.state, set(session.scalars(sa.select(Lead.state)))


def test_a_notice_goes_out_with_what_was_chosen_after_a_second_persons_approval(
    client: Client, leads: list[Lead], sqlite_ledger: Ledger, mail_server: Any
) -> None:
    analyst, supervisor = client(Role.ANALYST), client(Role.SUPERVISOR)
    address = drafted(analyst, leads[:2]).headers["location"]
    preview = analyst.get(address).text
    assert leads[0].number in preview
    assert leads[2].number not in preview
    assert "a second person has to approve" in preview
    assert act(supervisor, address, "approval").status_code == 303
    assert mail_server.mails == []
    assert analyst.post(f"{address}/dispatch").status_code == 303
    assert states(sqlite_ledger) == (NoticeState.SENT, {LeadState.SENT, LeadState.READY})
    (mail,) = mail_server.mails
    assert leads[1].number in mail.get_body().get_content()


def test_the_author_cannot_approve(client: Client, leads: list[Lead], sqlite_ledger: Ledger) -> None:
    supervisor = client(Role.SUPERVISOR)
    address = drafted(supervisor, leads).headers["location"]
    answer = supervisor.post(f"{address}/approval", data={"version": 1})
    assert answer.status_code == 409
    assert "A second person has to approve" in answer.text
    assert states(sqlite_ledger)[0] is NoticeState.DRAFT


def test_a_notice_cannot_be_sent_unapproved(client: Client, leads: list[Lead], mail_server: Any) -> None:
    analyst = client(Role.ANALYST)
    address = drafted(analyst, leads).headers["location"]
    assert analyst.post(f"{address}/dispatch").status_code == 409
    assert mail_server.mails == []


def test_a_refused_mail_shows_why_and_can_be_sent_again(
    client: Client, leads: list[Lead], sqlite_ledger: Ledger, mail_server: Any
) -> None:
    analyst = client(Role.ANALYST)
    address = drafted(analyst, leads).headers["location"]
    act(client(Role.SUPERVISOR), address, "approval")
    mail_server.refusal = "550 no such mailbox"
    analyst.post(f"{address}/dispatch")
    page = analyst.get(address).text
    assert "no such mailbox" in page
    assert "Try to send again" in page
    mail_server.refusal = None
    analyst.post(f"{address}/dispatch")
    assert states(sqlite_ledger)[0] is NoticeState.SENT


def test_a_cancelled_notice_sets_its_leads_free(client: Client, leads: list[Lead]) -> None:
    analyst = client(Role.ANALYST)
    address = drafted(analyst, leads).headers["location"]
    assert "No lead waits to be sent" in analyst.get("/leads/outbox").text
    assert act(analyst, address, "cancellation").status_code == 303
    assert analyst.get("/leads/outbox").text.count('type="checkbox"') == 3


def test_a_stale_approval_is_refused(client: Client, leads: list[Lead]) -> None:
    address = drafted(client(Role.ANALYST), leads).headers["location"]
    answer = client(Role.SUPERVISOR).post(f"{address}/approval", data={"version": 99})
    assert answer.status_code == 409
    assert "changed after you opened it" in answer.text


def test_a_notice_without_leads_is_refused(client: Client, leads: list[Lead]) -> None:
    answer = drafted(client(Role.ANALYST), [])
    assert answer.status_code == 409
    assert "The number of leads" in answer.text


def test_a_notice_to_an_unknown_platform_is_not_possible(client: Client, leads: list[Lead]) -> None:
    assert drafted(client(Role.ANALYST), leads, platform="nowhere").status_code == 404


def test_a_letter_can_be_in_english(client: Client, leads: list[Lead]) -> None:
    analyst = client(Role.ANALYST)
    address = drafted(analyst, leads, language="en").headers["location"]
    (body,) = re.findall(r"<pre[^>]*>(.*?)</pre>", analyst.get(address).text, re.S)
    assert "suspected" in body


def by_hand(sqlite_ledger: Ledger, client: Client, leads: list[Lead]) -> str:
    """The address of an approved notice to a platform without a mail address."""
    address = drafted(client(Role.ANALYST), leads).headers["location"]
    act(client(Role.SUPERVISOR), address, "approval")
    with sqlite_ledger.write() as session:
        session.scalars(sa.select(Notice)).one().channel = "manual"
    return str(address)


def test_a_notice_handed_over_by_hand_is_recorded_with_its_receipt(
    client: Client, leads: list[Lead], sqlite_ledger: Ledger, clock: Any
) -> None:
    address = by_hand(sqlite_ledger, client, leads)
    analyst = client(Role.ANALYST)
    clock.now += timedelta(minutes=50)
    page = analyst.get(address).text
    assert "Send now" not in page
    form = {
        "version": re.findall(r'name="version" value="(\d+)"', page)[0],
        "handed_over_at": "2026-10-12T10:15",
        "receipt": "No. 77",
    }
    assert analyst.post(f"{address}/handover", data=form).status_code == 303
    with sqlite_ledger.read() as session:
        sent = session.scalars(sa.select(Notice.sent_at)).one()
    assert sent == datetime(2026, 10, 12, 2, 15, tzinfo=UTC)  # Shanghai is eight hours ahead


def test_a_hand_over_in_the_future_is_refused(
    client: Client, leads: list[Lead], sqlite_ledger: Ledger
) -> None:
    address = by_hand(sqlite_ledger, client, leads)
    page = client(Role.ANALYST).get(address).text
    form = {
        "version": re.findall(r'name="version" value="(\d+)"', page)[0],
        "handed_over_at": "2026-10-13T10:15",
        "receipt": "No. 77",
    }
    answer = client(Role.ANALYST).post(f"{address}/handover", data=form)
    assert answer.status_code == 409
    assert "This cannot be recorded" in answer.text


def test_a_profile_nobody_tried_on_the_real_platform_says_so(client: Client, leads: list[Lead]) -> None:
    assert "not tried on the real platform" in client(Role.ANALYST).get("/leads/outbox").text


@pytest.fixture
def held(sqlite_ledger: Ledger, mailing: Any, platforms: Any, clock: Any) -> Settings:
    return mailing.model_copy(update={"notices": Notices(office_hours=None)})


@pytest.fixture
def holding(app: Any, held: Settings) -> None:
    """Approved notices wait ten minutes."""
    app.state.desk = replace(app.state.desk, settings=held)


def test_during_the_hold_it_can_be_taken_back_and_cannot_be_hurried(
    client: Client, leads: list[Lead], holding: None, sqlite_ledger: Ledger, mail_server: Any
) -> None:
    analyst = client(Role.ANALYST)
    address = drafted(analyst, leads).headers["location"]
    act(client(Role.SUPERVISOR), address, "approval")
    page = analyst.get(address).text
    assert "It leaves at" in page
    assert "Send now" not in page
    assert "It does not leave yet" in analyst.post(f"{address}/dispatch").text
    assert act(analyst, address, "recall").status_code == 303
    assert states(sqlite_ledger)[0] is NoticeState.DRAFT
    assert mail_server.mails == []


def test_a_lead_is_withdrawn_from_a_notice_that_waits(
    client: Client, leads: list[Lead], holding: None, sqlite_ledger: Ledger
) -> None:
    analyst = client(Role.ANALYST)
    address = drafted(analyst, leads).headers["location"]
    act(client(Role.SUPERVISOR), address, "approval")
    answer = analyst.post(f"{address}/leads/{leads[0].id}/withdrawal", data={"reason": "wrong item"})
    assert answer.status_code == 303
    assert leads[0].number not in analyst.get(address).text
    assert states(sqlite_ledger)[1] == {LeadState.WITHDRAWN, LeadState.READY}


def test_the_platforms_signature_is_recorded_and_what_went_can_be_fetched(
    client: Client, leads: list[Lead], sqlite_ledger: Ledger, clock: Any
) -> None:
    analyst = client(Role.ANALYST)
    address = drafted(analyst, leads).headers["location"]
    act(client(Role.SUPERVISOR), address, "approval")
    analyst.post(f"{address}/dispatch")
    clock.now += timedelta(minutes=50)  # an hour later they would have to sign in again
    page = analyst.get(address).text
    form = {
        "version": re.findall(r'name="version" value="(\d+)"', page)[0],
        "signed_at": "2026-10-12T10:00",
        "receipt": "No. 7",
    }
    assert analyst.post(f"{address}/acknowledgement", data=form).status_code == 303
    assert states(sqlite_ledger) == (NoticeState.ACKNOWLEDGED, {LeadState.ACKNOWLEDGED})
    (file,) = re.findall(rf'href="({address}/files/[^"]+\.xlsx)"', page)
    answer = analyst.get(file)
    assert answer.content.startswith(b"PK")
    assert answer.headers["content-disposition"].startswith("attachment")
    assert analyst.get(file.replace(".xlsx", ".pptx")).status_code == 404
