from __future__ import annotations

import re
from collections.abc import Callable
from datetime import timedelta
from typing import Any

from starlette.testclient import TestClient

from takedowns.crawling import errands
from takedowns.ledger.engine import Ledger
from takedowns.ledger.tables import User
from takedowns.ledger.vocabulary import Errand, Finding, Role, RunState

Client = Callable[[Role], TestClient]


def counts(page: str) -> dict[str, int]:
    found = re.findall(r"<b>(\d+)</b><span>(.*?)</span>", page)
    return {words: int(number) for number, words in found}


def test_today_begins_at_midnight_in_shanghai(
    client: Client, sqlite_ledger: Ledger, people: dict[Role, User], make: Any
) -> None:
    midnight = make.now.replace(hour=16, minute=0) - timedelta(days=1)  # the test's day there began then
    with sqlite_ledger.write() as session:
        for moment in (midnight - timedelta(seconds=1), midnight, make.now):
            task = make.task(session, make.snapshot(session, make.listing(session, first_seen_at=moment)))
            make.decision(session, task, people[Role.ANALYST], decided_at=moment)
    page = client(Role.ANALYST).get("/").text
    assert counts(page)["listings first seen today"] == 2
    assert counts(page)["decided today"] == counts(page)["of these by me"] == 2


def test_an_undone_decision_does_not_count(
    client: Client, sqlite_ledger: Ledger, people: dict[Role, User], make: Any
) -> None:
    analyst = people[Role.ANALYST]
    with sqlite_ledger.write() as session:
        task = make.task(session)
        first = make.decision(session, task, analyst)
        make.decision(session, task, analyst, finding=Finding.UNDETERMINED, overrides_id=first.id)
    assert counts(client(Role.ANALYST).get("/").text)["decided today"] == 0


def test_a_number_is_a_link_only_for_those_who_may_follow_it(client: Client) -> None:
    assert 'href="/queue"' in client(Role.ANALYST).get("/").text
    page = client(Role.OPERATOR).get("/").text
    assert 'href="/queue"' not in page
    assert 'href="/leads"' in page


def test_an_untrusted_run_is_told_from_a_trusted_one(
    client: Client, sqlite_ledger: Ledger, make: Any
) -> None:
    with sqlite_ledger.write() as session:
        make.run(session, trusted=False, simulated=True)
    page = client(Role.OPERATOR).get("/").text
    assert "not trusted" in page
    assert "simulated" in page


def test_without_any_crawl_nothing_can_have_been_found(client: Client) -> None:
    assert "No crawl has run yet" in client(Role.OPERATOR).get("/").text


def test_what_only_a_person_can_do_stands_there_until_somebody_has_done_it(
    client: Client, sqlite_ledger: Ledger, make: Any
) -> None:
    with sqlite_ledger.write() as session:
        run = make.run(session, state=RunState.BLOCKED)
        for message in ("<b>walled off</b>", "again"):
            errands.raise_errand(session, "sample", Errand.BLOCKED, run.run_id, message, now=make.now)
    operator = client(Role.OPERATOR)
    page = operator.get("/").text
    assert page.count("Walled off: look by hand") == 1
    assert "&lt;b&gt;walled off" in page
    address = re.findall(r'action="(/errands/\d+/end)"', page)
    assert operator.post(address[0]).status_code == 303
    assert "Needs a person" not in operator.get("/").text
    assert operator.post(address[0]).status_code == 404, "done once"
