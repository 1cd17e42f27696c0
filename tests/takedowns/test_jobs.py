"""Crawls as units of work: resumed where they were killed, bounded by day and window, the arms kept apart."""

from __future__ import annotations

import os
import signal
import threading
import time
from collections.abc import Callable, Iterable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
import sqlalchemy as sa

from classifiers.verdict import Label, ListingText, Verdict
from crawlers import rundir
from crawlers.listing import Listing, Presence
from crawlers.rundir import Arm, Outcome, RunKind, Target
from crawlers.runwriter import RunWriter
from crawlers.sampling import DrawnLook, Panel
from takedowns import configuration, jobs
from takedowns.context import Context
from takedowns.crawling import looking
from takedowns.crawling.admission import NotNowError
from takedowns.crawling.taking_in import collect_leftovers
from takedowns.imports import pasted
from takedowns.ledger import tables
from takedowns.ledger.engine import Ledger
from takedowns.ledger.vocabulary import Errand, RunState, WorkState
from tests.crawlers.shop import Page, Shop, item_html, shop_profile

NOON = datetime(2026, 10, 14, 4, 0, tzinfo=UTC)
CAPTCHA = Page('<div id="captcha">滑动验证</div>')
PANEL = Panel.model_validate(
    {
        "platform": "corner",
        "version": "1",
        "depth": 10,
        "strata": [{"name": "all", "queries": ["mist"], "draws": 3}],
    }
)


class Harmless:
    """A classifier for which everything is lawful: what it says is no matter here."""

    def classify_many(self, listings: Iterable[ListingText]) -> Iterator[Verdict]:
        for listing in listings:
            yield Verdict(
                id=listing.id,
                label=Label.BENIGN,
                score=0.1,
                flagged=False,
                scores=dict.fromkeys(Label, 0.0),
                signals=(),
                claims=(),
                lexicon_version="1",
                model_version="1",
            )


@pytest.fixture
def shop() -> Iterator[Shop]:
    running = Shop()
    yield running
    running.close()


@pytest.fixture
def clock() -> SimpleNamespace:
    """``now`` can be moved."""
    return SimpleNamespace(now=NOON)


@pytest.fixture
def house(sqlite_ledger: Ledger, tmp_path: Path, shop: Shop, clock: SimpleNamespace) -> Context:
    settings = configuration.settings(configuration.SHIPPED).model_copy(update={"var": tmp_path / "var"})
    made = Context(
        configuration.SHIPPED, settings, {"corner": profile(shop)}, sqlite_ledger, lambda: clock.now
    )
    made.__dict__["classifier"] = Harmless()
    made.__dict__["panels"] = {}
    return made


def profile(shop: Shop, **politeness: Any) -> Any:
    base = shop_profile(shop.home, politeness={"delay_s": 0.1, **politeness})
    assert base.search is not None
    return base.model_copy(
        update={"search": base.search.model_copy(update={"url": "{home}/search/{term}/{page}"})}
    )


def offers(shop: Shop, term: str, item_ids: Iterable[str], a_page: int = 5) -> None:
    ids = list(item_ids)
    for start in range(0, len(ids), a_page):
        links = "".join(
            f'<a class="item-link" href="/item/{i}.html">x</a>' for i in ids[start : start + a_page]
        )
        shop.pages[f"/search/{term}/{start // a_page + 1}"] = Page(links)
    for item_id in ids:
        shop.pages[f"/item/{item_id}.html"] = Page(item_html(f"医用雾化器 {item_id}"))


def rows(house: Context, table: Any, **which: Any) -> list[Any]:
    with house.ledger.read() as session:
        return list(session.scalars(sa.select(table).filter_by(**which)))


def kill_children(house: Context, when: Callable[[Path], bool], times: int = 1) -> threading.Thread:
    """kill -9 the crawling child of each new run as soon as ``when`` says so of its directory."""

    def watch() -> None:
        killed: set[Path] = set()
        deadline = time.monotonic() + 60
        while len(killed) < times and time.monotonic() < deadline:
            for run in set(house.runs.glob("*")) - killed:
                if rundir.job_file(run).exists() and when(run) and (child := child_of(run)):
                    os.kill(child, signal.SIGKILL)
                    killed.add(run)
            time.sleep(0.005)

    watcher = threading.Thread(target=watch)
    watcher.start()
    return watcher


def child_of(run: Path) -> int | None:
    for process in Path("/proc").glob("[0-9]*/cmdline"):
        try:
            if os.fsencode(str(run)) in process.read_bytes():
                return int(process.parent.name)
        except OSError:
            continue  # it ended meanwhile
    return None


def lines(path: Path) -> int:
    return path.read_bytes().count(b"\n") if path.exists() else 0


def test_a_sweep_that_is_killed_is_taken_up_where_it_was(house: Context, shop: Shop) -> None:
    offers(shop, "mist", [f"m{number}" for number in range(12)])
    offers(shop, "tea", [f"t{number}" for number in range(5)])
    killer = kill_children(house, lambda run: lines(rundir.items_file(run)) >= 4)
    result = jobs.sweep(house, "corner", ["mist", "tea"])
    killer.join()
    [first] = rows(house, tables.CrawlRun, state=RunState.FAILED)
    [second] = rows(house, tables.CrawlRun, state=RunState.OK)
    assert not first.trusted
    assert result.outcome is Outcome.OK
    assert len(rows(house, tables.Listing)) == result.intake.listings == 17
    twice = sum(count - 1 for path, count in shop.hits.items() if path != "/robots.txt")
    assert twice <= 1, "more than the page in flight was asked for twice"
    assert {item.state for item in rows(house, tables.WorkItem)} == {WorkState.DONE}
    assert first.requests + second.requests - shop.hits.total() in (0, 1), "the budget counts every request"


def test_a_recheck_that_is_killed_looks_at_each_listing_once(house: Context, shop: Shop) -> None:
    targets = [Target(item_id=f"r{n}", url=f"{shop.home}/item/r{n}.html") for n in range(8)]
    with house.ledger.write() as session:
        for target in targets:
            session.add(
                tables.Listing(
                    platform="corner",
                    item_id=target.item_id,
                    url=target.url,
                    road="sweep",
                    first_seen_at=NOON,
                )
            )
    for target in targets:
        shop.item(target.item_id)
    killer = kill_children(house, lambda run: lines(rundir.sightings_file(run)) >= 3)
    result = jobs.recheck(house, "corner", targets)
    killer.join()
    assert result is not None
    assert result.outcome is Outcome.OK
    assert len(rows(house, tables.Sighting)) == result.intake.sightings == 8
    assert sum(count - 1 for path, count in shop.hits.items() if path != "/robots.txt") <= 1


def test_work_that_kills_every_run_is_given_up_and_a_person_is_asked(house: Context, shop: Shop) -> None:
    offers(shop, "mist", [f"m{number}" for number in range(6)])
    killer = kill_children(house, lambda run: lines(rundir.requests_file(run)) >= 1, times=3)
    result = jobs.sweep(house, "corner", ["mist"])
    killer.join()
    assert result.outcome is Outcome.FAILED
    assert [item.state for item in rows(house, tables.WorkItem)] == [WorkState.GIVEN_UP]
    assert [task.kind for task in rows(house, tables.PersonTask)] == [Errand.GIVEN_UP]


def test_what_a_killed_parent_left_is_taken_in_and_done(
    house: Context, shop: Shop, clock: SimpleNamespace, monkeypatch: pytest.MonkeyPatch
) -> None:
    offers(shop, "mist", [f"m{number}" for number in range(6)])
    monkeypatch.setattr(jobs, "crawl", die)
    with pytest.raises(KeyboardInterrupt):
        jobs.sweep(house, "corner", ["mist"])
    monkeypatch.undo()
    [run] = rows(house, tables.CrawlRun)
    assert run.state is RunState.RUNNING
    with pytest.raises(NotNowError, match="another run on it is under way"):
        jobs.sweep(house, "corner", ["mist"])
    clock.now += timedelta(minutes=5)
    house.runs.mkdir(parents=True, exist_ok=True)
    (house.runs / "notes.txt").write_text("no run at all")
    os.utime(house.runs / "notes.txt", (0, 0))
    [result] = jobs.resume(house)
    assert result.outcome is Outcome.OK
    assert len(rows(house, tables.Listing)) == 6
    [dead] = rows(house, tables.CrawlRun, run_id=run.run_id)
    assert (dead.state, dead.platform, dead.kind) == (RunState.FAILED, "corner", RunKind.SWEEP)


def die(*_arguments: object) -> None:
    raise KeyboardInterrupt


def test_the_days_budget_is_one_for_all_runs_of_the_day(
    house: Context, shop: Shop, clock: SimpleNamespace
) -> None:
    offers(shop, "mist", [f"m{number}" for number in range(10)], a_page=10)
    house.platforms["corner"] = profile(shop, daily_requests=8)
    result = jobs.sweep(house, "corner", ["mist"])
    assert shop.hits.total() == result.row.requests == 8
    assert "budget_spent" in {issue.code for issue in result.run.issues}
    with pytest.raises(NotNowError, match="the day's requests are spent"):
        jobs.sweep(house, "corner", ["mist"])
    assert shop.hits.total() == 8
    clock.now += timedelta(hours=13)  # past midnight in Shanghai
    jobs.sweep(house, "corner", ["mist"])
    assert len(rows(house, tables.Listing)) == 10
    assert max(count for path, count in shop.hits.items() if path != "/robots.txt") == 1


def test_a_run_ends_when_the_window_closes_and_none_starts_outside(
    house: Context, shop: Shop, clock: SimpleNamespace
) -> None:
    offers(shop, "mist", [f"m{number}" for number in range(150)], a_page=150)
    house.platforms["corner"] = profile(shop, window="10:00-12:01")
    clock.now = NOON + timedelta(seconds=52)  # noon in Shanghai; a busy machine needs seconds to begin
    result = jobs.sweep(house, "corner", ["mist"])
    assert "window_closed" in {issue.code for issue in result.run.issues}
    assert 0 < len(result.run.listings) < 150
    clock.now = NOON + timedelta(minutes=5)
    with pytest.raises(NotNowError, match="its time window is closed"):
        jobs.sweep(house, "corner", ["mist"])


def test_a_blocked_run_raises_a_task_for_a_person(house: Context, shop: Shop) -> None:
    offers(shop, "mist", [f"m{number}" for number in range(5)])
    shop.pages |= {f"/item/m{number}.html": CAPTCHA for number in range(5)}
    assert jobs.sweep(house, "corner", ["mist"]).outcome is Outcome.BLOCKED
    [task] = rows(house, tables.PersonTask)
    assert (task.kind, task.platform, task.done_at) == (Errand.BLOCKED, "corner", None)
    assert "walled us off twice in a row" in task.message


def test_a_sample_is_an_arm_of_its_own(house: Context, shop: Shop) -> None:
    offers(shop, "mist", [f"m{number}" for number in range(10)])
    house.__dict__["panels"] = {"corner": PANEL}
    result = jobs.sample(house, "corner", NOON)
    assert result.outcome is Outcome.OK
    draws = rows(house, tables.ListingDraw)
    assert {(draw.stratum, draw.query, draw.probability) for draw in draws} == {("all", "mist", 0.3)}
    assert len(draws) == 3
    assert all(draw.snapshot_id and draw.listing_id for draw in draws)
    assert {listing.road for listing in rows(house, tables.Listing)} == {"sample"}
    assert rows(house, tables.Sighting) == []
    assert [(item.arm, item.kind) for item in rows(house, tables.WorkItem)] == [(Arm.RANDOM, RunKind.SAMPLE)]
    assert result.row.arm is Arm.RANDOM


def test_the_targeted_arm_leaves_the_random_arm_its_requests(house: Context, shop: Shop) -> None:
    offers(shop, "mist", [f"m{number}" for number in range(10)])
    house.__dict__["panels"] = {"corner": PANEL}
    kept = PANEL.cost(3)
    house.platforms["corner"] = profile(shop, daily_requests=kept + 4)
    assert jobs.sweep(house, "corner", ["mist"]).row.requests == 4
    assert jobs.sample(house, "corner", NOON).outcome is Outcome.OK


def test_a_link_that_was_pasted_during_a_silence_is_looked_at_after_it(
    house: Context, shop: Shop, clock: SimpleNamespace
) -> None:
    clock.now = NOON - timedelta(hours=5)
    house.platforms["corner"] = profile(shop, window="12:00-20:00")
    shop.item("p1")
    with house.ledger.write() as session:
        [link] = pasted.add_links(session, [f"{shop.home}/item/p1.html"], house.platforms, now=clock.now)
    assert link.target is not None
    with pytest.raises(NotNowError, match="its time window is closed"):
        jobs.recheck(house, "corner", [link.target])
    assert jobs.resume(house) == []
    clock.now = NOON + timedelta(days=2)
    [result] = jobs.resume(house)
    assert result.outcome is Outcome.OK
    assert [look.state for look in rows(house, tables.Sighting)] == [Presence.UP]
    assert jobs.resume(house) == []


def test_a_run_that_cannot_begin_ends_as_failed_and_leaves_its_work_open(
    house: Context, shop: Shop, tmp_path: Path
) -> None:
    offers(shop, "mist", ["m1"])
    house.runs.parent.mkdir(parents=True, exist_ok=True)
    house.runs.write_text("not a folder")
    with pytest.raises(OSError, match="runs"):
        jobs.sweep(house, "corner", ["mist"])
    [run] = rows(house, tables.CrawlRun)
    assert (run.state, run.trusted, run.requests) == (RunState.FAILED, False, 0)
    assert [issue["code"] for issue in run.stats["issues"]] == ["not_taken_in"]
    assert [item.state for item in rows(house, tables.WorkItem)] == [WorkState.OPEN]
    house.runs.unlink()
    assert jobs.sweep(house, "corner", ["mist"]).outcome is Outcome.OK


def test_a_sample_whose_panel_was_taken_away_does_not_hold_up_the_platform(
    house: Context, shop: Shop
) -> None:
    offers(shop, "mist", ["m1"])
    with pytest.raises(KeyError):
        jobs._crawl(house, house.platforms["corner"], RunKind.SAMPLE, {NOON.isoformat(): {}}, None)
    assert [run.state for run in rows(house, tables.CrawlRun)] == [RunState.FAILED]
    assert jobs.resume(house) == []
    assert jobs.sweep(house, "corner", ["mist"]).outcome is Outcome.OK


def test_a_leftover_that_cannot_be_taken_in_keeps_no_other_from_it(
    house: Context, shop: Shop, caplog: pytest.LogCaptureFixture
) -> None:
    for name, position in (("a", 1), ("b", 2**70), ("c", 3)):  # no database has such an integer
        left_over(house, name, position)
    with house.ledger.write() as session:
        running = {"kind": RunKind.SAMPLE, "platform": "corner", "state": RunState.RUNNING}
        session.add(tables.CrawlRun(run_id="b", started_at=NOON, recorded_at=NOON, stats={}, **running))
    assert collect_leftovers(house) == ["a", "b", "c"]
    found = {run.run_id: run for run in rows(house, tables.CrawlRun)}
    assert {name: run.state for name, run in found.items()} == {
        "a": RunState.OK,
        "b": RunState.FAILED,
        "c": RunState.OK,
    }
    assert found["b"].requests == 2
    assert "b was not taken in: OverflowError" in found["b"].stats["issues"][0]["message"]
    assert "the run b found was not taken in" in caplog.text
    assert {listing.item_id for listing in rows(house, tables.Listing)} == {"a", "c"}
    assert rundir.items_file(house.runs / "b").exists()
    assert collect_leftovers(house) == []
    offers(shop, "mist", ["m1"])
    assert jobs.sweep(house, "corner", ["mist"]).outcome is Outcome.OK


def left_over(house: Context, name: str, position: int) -> None:
    """A sample that ended well and was not taken in; it drew one listing, called as the run is."""
    folder = house.runs / name
    folder.mkdir(parents=True)
    url = f"{house.platforms['corner'].home}/item/{name}.html"
    place = {"stratum": "all", "query": "mist", "position": position, "item_id": name, "url": url}
    chances = {"probability": 0.3, "multiplicity": 1, "listing_probability": 0.3}
    ended = {"finish_reason": "finished", "started_at": NOON, "finished_at": NOON, "items": 1}
    of_run = {"run_id": name, "kind": RunKind.SAMPLE, "platform": "corner", "outcome": Outcome.OK}
    writer = RunWriter(folder)
    writer.item(Listing(platform="corner", item_id=name, url=url, title="雾化器", observed_at=NOON))
    writer.drawn(DrawnLook(**place, **chances, state=Presence.UP, reason="add_to_cart", observed_at=NOON))
    for _ in range(2):
        writer.asked(rundir.Asked(at=NOON, url=url, status=200))
    writer.finish(rundir.RunStats.model_validate(of_run | ended))


def test_a_draw_that_was_written_twice_does_not_hold_up_the_intake(house: Context) -> None:
    left_over(house, "a", 1)
    draws = rundir.draws_file(house.runs / "a")
    draws.write_bytes(draws.read_bytes() * 2)
    collect_leftovers(house)
    assert [draw.position for draw in rows(house, tables.ListingDraw)] == [1]
    [run] = rows(house, tables.CrawlRun)
    assert [issue["code"] for issue in run.stats["issues"]] == ["repeated_draw"]


def test_a_look_is_told_of_in_the_audit_chain_and_leaves_no_page(house: Context, shop: Shop) -> None:
    shop.item("p1")
    url = f"{shop.home}/item/p1.html"
    [seen] = looking.look(house, house.platforms["corner"], [Target(item_id="p1", url=url)])
    assert seen.answer is not None
    assert "医用雾化器" in seen.answer.html
    [run] = rows(house, tables.CrawlRun)
    [entry] = rows(house, tables.AuditEntry)
    assert (entry.action, entry.subject) == ("look", f"crawl_run:{run.run_id}")
    assert entry.payload == {"platform": "corner", "state": "ok", "requests": run.requests, "asked": [url]}
    assert list(house.runs.iterdir()) == []


def test_a_look_that_died_leaves_its_log_and_no_page(house: Context, shop: Shop) -> None:
    shop.item("p1")
    targets = [Target(item_id=f"p{n}", url=f"{shop.home}/item/p{n}.html") for n in range(1, 9)]
    killer = kill_children(house, lambda run: lines(rundir.captures_file(run)) >= 1)
    with pytest.raises(looking.NothingSeenError, match=r"crawler\.log"):
        looking.look(house, house.platforms["corner"], targets)
    killer.join()
    [folder] = house.runs.iterdir()
    assert (folder / "crawler.log").exists()
    assert not rundir.evidence_dir(folder).exists()
    assert [entry.payload["state"] for entry in rows(house, tables.AuditEntry)] == ["failed"]


def test_a_look_whose_parent_died_is_no_evidence(
    house: Context, shop: Shop, clock: SimpleNamespace, monkeypatch: pytest.MonkeyPatch
) -> None:
    shop.item("p1")
    monkeypatch.setattr(looking, "_seen", die)
    monkeypatch.setattr(looking, "close", die)
    with pytest.raises(KeyboardInterrupt):
        looking.look(
            house, house.platforms["corner"], [Target(item_id="p1", url=f"{shop.home}/item/p1.html")]
        )
    monkeypatch.undo()
    [folder] = house.runs.iterdir()
    assert collect_leftovers(house) == [folder.name]
    assert [entry.action for entry in rows(house, tables.AuditEntry)] == ["look"]
    assert not rundir.evidence_dir(folder).exists()
    assert list(house.evidence.runs()) == []
