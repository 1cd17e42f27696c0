"""What is photographed: new flags and changes of state, each once; nothing for a wall or an error."""

from __future__ import annotations

from datetime import timedelta

import pytest

from crawlers.captures import Capture
from crawlers.listing import Presence
from crawlers.rundir import Run, RunKind, RunStats
from takedowns import jobs, schedule
from takedowns.crawling import work
from takedowns.evidence import captures
from takedowns.evidence.store import Store
from takedowns.jobs import NotCrawledError
from takedowns.ledger.tables import Flag, WorkItem
from takedowns.ledger.vocabulary import RunState, WorkState
from tests.crawlers.shop import shop_profile
from tests.takedowns.evidence.conftest import NOON, opened

HOUR = timedelta(hours=1)


@pytest.fixture
def seen(ledger, make):
    """A listing of the factory's, flagged at noon, and a function that adds sightings."""
    make.now = NOON
    with ledger.write() as session:
        listing = make.listing(session, item_id="1")
        snapshot = make.snapshot(
            session, listing, images=["https://img.invalid/a.png", "data:image/png;base64,AA"]
        )
        verdict = make.verdict(session, snapshot)
        session.add(Flag(listing_id=listing.id, verdict_id=verdict.id, created_at=NOON))

    def look(state: Presence, hours: float, *, trusted: bool = True) -> None:
        with ledger.write() as session:
            run = make.run(session, trusted=trusted)
            make.sighting(session, listing, run=run, state=state, observed_at=NOON + hours * HOUR)

    return look


def wanted(ledger, tmp_path, hours=1.0):
    with ledger.read() as session:
        return captures.due(session, Store(tmp_path), "sample", now=NOON + hours * HOUR)


def photograph(ledger, make, hours, state=WorkState.DONE, **given):
    with ledger.write() as session:
        run = make.run(session, **{"kind": "capture", "finished_at": NOON + hours * HOUR, **given})
        make.now = NOON
        session.add(
            WorkItem(
                arm="targeted",
                kind="capture",
                platform="sample",
                subject="1",
                state=state,
                run_id=run.run_id,
                attempts=0,
                detail={},
                created_at=NOON,
            )
        )


def test_a_flag_is_photographed_once_with_the_pictures_that_can_be_fetched(ledger, make, seen, tmp_path):
    told = wanted(ledger, tmp_path)["1"]
    assert told["cause"].startswith("flag:")
    assert told["pictures"] == ["https://img.invalid/a.png"]
    photograph(ledger, make, 0.5)
    assert wanted(ledger, tmp_path) == {}


def test_every_change_of_state_is_photographed_again(ledger, make, seen, tmp_path):
    photograph(ledger, make, 0.5)
    seen(Presence.UP, 1)
    assert wanted(ledger, tmp_path, 2) == {}
    seen(Presence.GONE, 3)
    assert wanted(ledger, tmp_path, 4)["1"]["cause"].startswith("sighting:")
    photograph(ledger, make, 5)
    seen(Presence.GONE, 6)
    assert wanted(ledger, tmp_path, 7) == {}
    seen(Presence.UP, 8)
    assert set(wanted(ledger, tmp_path, 9)) == {"1"}


def test_walls_errors_and_untrusted_runs_change_nothing(ledger, make, seen, tmp_path):
    photograph(ledger, make, 0.5)
    seen(Presence.BLOCKED, 1)
    seen(Presence.ERROR, 2)
    seen(Presence.GONE, 3, trusted=False)
    assert wanted(ledger, tmp_path, 4) == {}


def test_an_attempt_that_failed_does_not_count_and_an_old_cause_is_let_go(ledger, make, seen, tmp_path):
    photograph(ledger, make, 0.5, WorkState.GIVEN_UP)
    assert set(wanted(ledger, tmp_path)) == {"1"}
    assert wanted(ledger, tmp_path, 24 * 15) == {}


def test_what_a_killed_run_had_photographed_is_not_photographed_again(ledger, make, seen, tmp_path):
    photograph(ledger, make, 0, started_at=NOON + HOUR / 2, finished_at=None, trusted=False)
    assert wanted(ledger, tmp_path) == {}


def test_a_run_takes_the_newest_causes_of_too_many(ledger, make, seen, tmp_path, monkeypatch):
    monkeypatch.setattr(captures, "AT_MOST", 1)
    with ledger.write() as session:
        listing = make.listing(session, item_id="2")
        verdict = make.verdict(session, make.snapshot(session, listing))
        session.add(Flag(listing_id=listing.id, verdict_id=verdict.id, created_at=NOON + HOUR / 2))
    assert set(wanted(ledger, tmp_path)) == {"2"}


def test_a_wall_leaves_the_work_open(tmp_path):
    looks = [("1", Presence.UP, True), ("2", Presence.BLOCKED, True), ("3", Presence.ERROR, False)]
    made = tuple(
        Capture(item_id=item, url="http://x/", state=state, reason="r", observed_at=NOON, view=view)
        for item, state, view in looks
    )
    stats = RunStats(
        run_id="r",
        kind=RunKind.CAPTURE,
        platform="sample",
        outcome="partial",
        finish_reason="finished",
        started_at=NOON,
        finished_at=NOON,
    )
    items = [WorkItem(kind="capture", subject=item) for item in "123"]
    assert work._done(Run(tmp_path, stats, (), (), (), captures=made), items) == {"1"}


def test_only_platforms_with_pages_are_photographed_and_the_scheduler_knows_how(tmp_path, migrated_sqlite):
    (tmp_path / "ledger.db").write_bytes(migrated_sqlite.read_bytes())
    house = opened(tmp_path, "http://mall.example")
    imported = shop_profile().model_copy(update={"name": "paper", "road": "import"})
    house.platforms["paper"] = imported
    with pytest.raises(NotCrawledError):
        jobs.capture(house, "paper")
    job = schedule.Job(name="c", work="capture", platform="corner", at=schedule.At(minute=0))
    assert schedule._work(house, job, NOON) == (RunState.OK, "nothing was due")
    house.ledger.close()
