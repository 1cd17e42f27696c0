"""Work stays open until a run has done it."""

from __future__ import annotations

from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from crawlers import rundir
from crawlers.listing import Presence, Sighting
from crawlers.resuming import Rest, SearchPage
from crawlers.rundir import CrawlJob, Outcome, RunKind, RunStats, Target
from crawlers.runwriter import RunWriter
from takedowns.crawling import errands, work
from takedowns.ledger.engine import Ledger
from takedowns.ledger.tables import PersonTask, User, WorkItem
from takedowns.ledger.vocabulary import Errand, WorkState
from tests.crawlers.shop import shop_profile

TERMS = ("mist", "tea")


@pytest.fixture
def begun(ledger: Ledger, make: Any, now: datetime) -> Ledger:
    """Both terms in the hands of run1."""
    with ledger.write() as session:
        make.run(session, run_id="run1", platform="corner")
        work.plan(session, "corner", RunKind.SWEEP, {term: {} for term in TERMS}, now=now)
        work.take(session, "corner", RunKind.SWEEP, "run1", only=TERMS, now=now)
    return ledger


def left_by(folder: Path, kind: RunKind = RunKind.SWEEP, **job: Any) -> RunWriter:
    """A run directory to write into."""
    folder.mkdir()
    described = CrawlJob(run_id=folder.name, kind=kind, platform=shop_profile(), contact="a@b.example", **job)
    rundir.job_file(folder).write_text(described.model_dump_json())
    return RunWriter(folder)


def stats(kind: RunKind, reason: str, now: datetime) -> RunStats:
    fields = {"run_id": "run1", "kind": kind, "platform": "corner", "outcome": Outcome.PARTIAL}
    return RunStats.model_validate(fields | {"finish_reason": reason, "started_at": now, "finished_at": now})


def end(ledger: Ledger, folder: Path, now: datetime) -> dict[str, WorkState]:
    with ledger.write() as session:
        work.end(session, rundir.read_run(folder), now=now)
    return states(ledger)


def states(ledger: Ledger) -> dict[str, WorkState]:
    with ledger.read() as session:
        return {item.subject: item.state for item in session.query(WorkItem).order_by(WorkItem.id)}


def test_what_is_planned_twice_waits_once(begun: Ledger, now: datetime) -> None:
    with begun.write() as session:
        work.plan(session, "corner", RunKind.SWEEP, {"mist": {}, "vape": {}}, now=now)
    assert states(begun) == {"mist": WorkState.RUNNING, "tea": WorkState.RUNNING, "vape": WorkState.OPEN}


def test_a_run_that_finished_has_done_everything(begun: Ledger, tmp_path: Path, now: datetime) -> None:
    left_by(tmp_path / "run1", terms=TERMS).finish(stats(RunKind.SWEEP, "finished", now))
    assert set(end(begun, tmp_path / "run1", now).values()) == {WorkState.DONE}


@pytest.mark.parametrize("reason", [None, "budget_spent", "window_closed", "blocked", "shutdown"])
def test_of_a_run_that_ended_early_only_the_finished_terms_are_done(
    begun: Ledger, tmp_path: Path, now: datetime, reason: str | None
) -> None:
    writer = left_by(tmp_path / "run1", terms=TERMS)
    writer.searched(SearchPage(term="mist", page=1, links={"m1": "/m1"}, last=True))
    writer.searched(SearchPage(term="tea", page=1, links={"t1": "/t1", "t2": "/t2"}, last=False))
    writer.handled("m1")
    writer.handled("t1")
    writer.finish(stats(RunKind.SWEEP, reason or "finished", now))
    if reason is None:
        rundir.stats_file(tmp_path / "run1").unlink()
    assert end(begun, tmp_path / "run1", now) == {"mist": WorkState.DONE, "tea": WorkState.OPEN}
    with begun.write() as session:
        [(item, by)] = work.take(session, "corner", RunKind.SWEEP, "run1", only=TERMS, now=now)
        assert (item.subject, by) == ("tea", "run1")
    rests, handled = work.how_far(tmp_path, {"tea": "run1"})
    assert rests == (Rest(term="tea", next_page=2, pending={"t2": "/t2"}),)
    assert handled == ("m1", "t1")


def test_results_of_yesterday_are_not_continued(begun: Ledger, tmp_path: Path, now: datetime) -> None:
    left_by(tmp_path / "run1", terms=TERMS).finish(stats(RunKind.SWEEP, "shutdown", now))
    end(begun, tmp_path / "run1", now)
    later = now + work.RESUME_WITHIN
    with begun.write() as session:
        assert work.open_work(session, now=now) == {("corner", RunKind.SWEEP): list(TERMS)}
        assert work.open_work(session, now=later) == {}
        taken = work.take(session, "corner", RunKind.SWEEP, "run1", only=TERMS, now=later)
    assert [by for _, by in taken] == [None, None]


def test_a_run_whose_directory_is_gone_is_begun_anew(tmp_path: Path) -> None:
    assert work.how_far(tmp_path, {"tea": "lost"}) == ((), ())


def test_a_look_that_was_not_made_is_still_owed(
    ledger: Ledger, make: Any, tmp_path: Path, now: datetime
) -> None:
    reasons = {"1": "http_404", "2": "timeout", "3": "not_reached", "4": "crawl_budget_spent"}
    with ledger.write() as session:
        make.run(session, run_id="run1", platform="corner")
        work.plan(session, "corner", RunKind.RECHECK, {item: {"url": "u"} for item in reasons}, now=now)
        work.take(session, "corner", RunKind.RECHECK, "run1", only=reasons, now=now)
    targets = tuple(Target(item_id=item, url="u") for item in reasons)
    writer = left_by(tmp_path / "run1", RunKind.RECHECK, targets=targets)
    for item, reason in reasons.items():
        look = Sighting(
            platform="corner",
            item_id=item,
            url="u",
            state=Presence.ERROR,
            reason=reason,
            vantage="here",
            observed_at=now,
        )
        writer.sighting(look)
    writer.finish(stats(RunKind.RECHECK, "budget_spent", now))
    found = end(ledger, tmp_path / "run1", now)
    assert [found[item] for item in reasons] == [WorkState.DONE] * 2 + [WorkState.OPEN] * 2


def test_a_look_that_no_run_was_let_start_for_is_taken_up_whenever_that_is(
    ledger: Ledger, now: datetime
) -> None:
    with ledger.write() as session:
        for kind in (RunKind.RECHECK, RunKind.SWEEP, RunKind.SAMPLE):
            work.plan(session, "corner", kind, {"1": {}}, now=now)
    with ledger.read() as session:
        for later in (now, now + timedelta(days=8)):
            assert work.open_work(session, now=later) == {("corner", RunKind.RECHECK): ["1"]}


def test_an_earlier_sample_is_given_up_for_the_next(ledger: Ledger, now: datetime) -> None:
    with ledger.write() as session:
        work.plan(session, "corner", RunKind.SAMPLE, {"monday": {}}, now=now)
        work.plan(session, "corner", RunKind.SAMPLE, {"tuesday": {}}, now=now + timedelta(days=1))
    assert states(ledger) == {"monday": WorkState.GIVEN_UP, "tuesday": WorkState.OPEN}


def test_an_errand_is_open_once_until_a_person_has_done_it(
    ledger: Ledger, make: Any, analyst: User, now: datetime
) -> None:
    with ledger.write() as session:
        run_id = make.run(session).run_id
        raised = [
            errands.raise_errand(session, "corner", Errand.BLOCKED, run_id, text, now=now) for text in "ab"
        ]
        assert [task and task.message for task in raised] == ["a", None]
        [task] = errands.open_errands(session)
        errands.finish(session, task.id, analyst, now=now)
        assert errands.open_errands(session) == []
        with pytest.raises(errands.UnknownErrandError):
            errands.finish(session, task.id, analyst, now=now)
        assert errands.raise_errand(session, "corner", Errand.BLOCKED, run_id, "c", now=now)
        assert session.get_one(PersonTask, task.id).done_by_id == analyst.id


def test_a_second_try_that_would_be_in_vain_is_left_to_the_next_plan(
    begun: Ledger, tmp_path: Path, now: datetime
) -> None:
    left_by(tmp_path / "run1", terms=TERMS).finish(stats(RunKind.SWEEP, "site_changed", now))
    assert set(end(begun, tmp_path / "run1", now).values()) == {WorkState.GIVEN_UP}
    with begun.write() as session:
        assert errands.open_errands(session) == []
        work.plan(session, "corner", RunKind.SWEEP, {"mist": {}}, now=now)
    with begun.read() as session:
        assert work.waiting(session, "corner", RunKind.SWEEP) == {"mist"}


def test_what_is_known_of_a_waiting_target_is_brought_up_to_date(ledger: Ledger, now: datetime) -> None:
    for title in ("old", "new"):
        with ledger.write() as session:
            work.plan(session, "corner", RunKind.RECHECK, {"1": {"url": "u", "title": title}}, now=now)
    with ledger.read() as session:
        assert [item.detail["title"] for item in session.query(WorkItem)] == ["new"]
