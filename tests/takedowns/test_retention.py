from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

import pytest
import sqlalchemy as sa

from crawlers.listing import Presence
from takedowns import retention
from takedowns.ledger import audit, tables
from takedowns.ledger.engine import Ledger
from takedowns.states import TipState

DAYS = 30


@pytest.fixture
def later(now: datetime) -> datetime:
    return now + timedelta(days=DAYS, seconds=1)


def _left(ledger: Ledger) -> list[int]:
    with ledger.read() as session:
        return list(session.scalars(sa.select(tables.Listing.id).order_by(tables.Listing.id)))


def test_a_listing_that_nobody_suspected_is_forgotten_with_all_that_hangs_on_it(
    ledger: Ledger, make: Any, later: datetime
) -> None:
    with ledger.write() as session:
        snapshot = make.snapshot(session, make.listing(session))
        make.verdict(session, snapshot, flagged=False)
        make.sighting(session, snapshot.listing)
    gone = retention.forget(ledger, non_hit_days=DAYS, now=later)
    assert _left(ledger) == []
    assert gone["listing"] == gone["listing_snapshot"] == gone["sighting"] == gone["seller"] == 1
    with ledger.read() as session:
        assert list(audit.verify(session)) == []
        assert session.scalars(sa.select(tables.AuditEntry.action)).all() == ["retention.forget"]


def test_before_its_days_are_over_nothing_is_forgotten(ledger: Ledger, make: Any, now: datetime) -> None:
    with ledger.write() as session:
        make.snapshot(session, make.listing(session))
    assert not retention.forget(ledger, non_hit_days=DAYS, now=now + timedelta(days=DAYS))
    assert len(_left(ledger)) == 1


def test_what_was_seen_again_lately_stays(ledger: Ledger, make: Any, later: datetime) -> None:
    with ledger.write() as session:
        listing = make.listing(session)
        make.sighting(session, listing, observed_at=later - timedelta(days=1))
    assert not retention.forget(ledger, non_hit_days=DAYS, now=later)


def test_what_a_finding_a_tip_or_a_measurement_rests_on_stays(
    ledger: Ledger, make: Any, now: datetime, later: datetime
) -> None:
    with ledger.write() as session:
        reviewed = make.task(session).listing
        tipped, drawn, nothing = (make.listing(session) for _ in range(3))
        run = make.run(session, kind="sample")
        session.add_all(
            [
                tables.Tip(
                    number="1",
                    origin="public",
                    source="1",
                    text="",
                    minors=False,
                    received_at=now,
                    recorded_at=now,
                    due_at=now,
                    state=TipState.LINKED,
                    listing_id=tipped.id,
                ),
                tables.ListingDraw(
                    run_id=run.run_id,
                    stratum="medical",
                    query="雾化",
                    position=1,
                    item_id=drawn.item_id,
                    listing_id=drawn.id,
                    probability=0.1,
                    multiplicity=1,
                    listing_probability=0.1,
                    state=Presence.UP,
                    reason="markup",
                    observed_at=now,
                    recorded_at=now,
                ),
            ]
        )
    retention.forget(ledger, non_hit_days=DAYS, now=later)
    assert _left(ledger) == sorted(listing.id for listing in (reviewed, tipped, drawn))
    assert nothing.id not in _left(ledger)


def test_a_seller_with_another_listing_stays(ledger: Ledger, make: Any, later: datetime) -> None:
    with ledger.write() as session:
        kept = make.task(session).listing
        make.listing(session, seller=kept.seller)
    retention.forget(ledger, non_hit_days=DAYS, now=later)
    with ledger.read() as session:
        assert session.scalars(sa.select(tables.Seller.id)).all() == [kept.seller_id]


def test_thousands_are_forgotten_in_transactions_of_a_thousand(
    ledger: Ledger, now: datetime, later: datetime
) -> None:
    rows = [
        {"platform": "p", "item_id": str(n), "url": "u", "first_seen_at": now, "road": "sweep"}
        for n in range(retention.BATCH + 1)
    ]
    with ledger.write() as session:
        session.execute(sa.insert(tables.Listing), rows)
    assert retention.forget(ledger, non_hit_days=DAYS, now=later)["listing"] == retention.BATCH + 1
    with ledger.read() as session:
        assert session.scalar(sa.select(sa.func.count()).select_from(tables.AuditEntry)) == 2
