"""The day's plan from a ledger: what the targeted arm found counts, what the random arm saw does not."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
import sqlalchemy as sa

from crawlers.rundir import Arm
from takedowns.crawling import patrols
from takedowns.crawling.adaptive import Visit
from takedowns.ledger import tables
from takedowns.ledger.engine import Ledger
from takedowns.ledger.vocabulary import Finding, WorkState
from tests.crawlers.shop import shop_profile

TODAY = datetime(2026, 10, 14, 4, 0, tzinfo=UTC)  # noon in Shanghai
EARLIER = datetime(2026, 10, 10, 19, 30, tzinfo=UTC)  # 03:30 in Shanghai
CORNER = shop_profile(search=shop_profile().search.model_copy(update={"terms": ("雾化", "茶")}))


@pytest.fixture
def find(ledger: Ledger, make: Any, analyst: tables.User) -> Any:
    """Adds a violating listing that a search found, and the search."""

    def add(moment: datetime = EARLIER, term: str = "茶", road: str = "sweep", **decision: Any) -> None:
        with ledger.write() as session:
            listing = make.listing(session, platform="corner", road=road, first_seen_at=moment)
            sources = {"title": "jsonld", "found_by": term}
            task = make.task(session, make.snapshot(session, listing, sources=sources))
            make.decision(session, task, analyst, **{"decided_at": moment, **decision})
            session.add(searched(moment, term))

    return add


def searched(moment: datetime, term: str, **given: Any) -> tables.WorkItem:
    fields = {
        "arm": Arm.TARGETED,
        "kind": "sweep",
        "platform": "corner",
        "subject": term,
        "state": WorkState.DONE,
        "detail": {},
        "created_at": moment,
        "finished_at": moment,
    }
    return tables.WorkItem(**(fields | given))


def planned(ledger: Ledger, now: datetime = TODAY) -> Visit:
    with ledger.read() as session:
        [visit] = patrols.planned(session, [CORNER], now=now, visits=1, terms=1)
    return visit


def test_the_plan_goes_to_the_hour_and_term_of_earlier_finds(ledger: Ledger, find: Any) -> None:
    find()
    find()
    with ledger.write() as session:
        session.add_all(searched(EARLIER.replace(hour=hour), "雾化") for hour in range(24))
    visit = planned(ledger)
    assert (visit.hour, visit.terms) == (3, ("茶",))
    assert "2 from 3 searches" in visit.why


@pytest.mark.parametrize(
    "unlike",
    [
        {"road": "sample"},
        {"finding": Finding.NOT_VIOLATION, "reason": "lawful_drink"},
        {"moment": TODAY},
        {"moment": TODAY - timedelta(days=60)},
    ],
    ids=["of the random arm", "lawful", "of today", "of long ago"],
)
def test_other_finds_change_nothing(ledger: Ledger, find: Any, unlike: dict[str, Any]) -> None:
    before = planned(ledger)
    find(**unlike)
    assert " gave 0 from " in planned(ledger).why
    assert planned(ledger).hour == before.hour or "moment" not in unlike


def test_searches_of_the_random_arm_are_no_searches_of_ours(ledger: Ledger, find: Any) -> None:
    find()
    before = planned(ledger)
    with ledger.write() as session:
        session.add(searched(EARLIER, "2026-10-10T19:30:00+00:00", arm=Arm.RANDOM, kind="sample"))
    assert planned(ledger) == before


def test_the_plan_stays_the_same_all_day(ledger: Ledger, find: Any, make: Any, analyst: tables.User) -> None:
    find()
    before = planned(ledger, TODAY)
    find(TODAY + timedelta(hours=1))
    with ledger.write() as session:
        first = session.scalars(sa.select(tables.Decision).order_by(tables.Decision.id)).first()
        assert first
        task = session.get_one(tables.ReviewTask, first.task_id)
        lawful = {"finding": Finding.NOT_VIOLATION, "reason": "lawful_drink", "decided_at": TODAY}
        make.decision(session, task, analyst, overrides_id=first.id, **lawful)
    assert planned(ledger, TODAY + timedelta(hours=2)) == before


def test_an_overridden_decision_no_longer_counts(
    ledger: Ledger, find: Any, make: Any, analyst: tables.User
) -> None:
    find()
    with ledger.write() as session:
        first = session.scalars(sa.select(tables.Decision)).one()
        task = session.get_one(tables.ReviewTask, first.task_id)
        lawful = {"finding": Finding.NOT_VIOLATION, "reason": "lawful_drink", "decided_at": EARLIER}
        make.decision(session, task, analyst, overrides_id=first.id, **lawful)
    assert " gave 0 from " in planned(ledger).why
