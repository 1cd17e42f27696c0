"""Whose run is dead: on one ledger, each machine knows that of its own runs only."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from takedowns import configuration
from takedowns.context import Context
from takedowns.crawling import admission
from takedowns.crawling.taking_in import LOST_AFTER, collect_leftovers
from takedowns.ledger.engine import Ledger
from takedowns.ledger.tables import CrawlRun
from takedowns.ledger.vocabulary import RunState
from tests.takedowns.evidence.conftest import Suspicious

NOON = datetime(2026, 10, 14, 4, 0, tzinfo=UTC)


@pytest.fixture
def machine(ledger: Ledger, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Any:
    """The house as it is on the machine of that name, so many hours after noon."""

    def on(host: str, hours: float) -> Context:
        settings = configuration.settings(configuration.SHIPPED).model_copy(update={"var": tmp_path / host})
        made = Context(configuration.SHIPPED, settings, {}, ledger, lambda: NOON + timedelta(hours=hours))
        made.__dict__["classifier"] = Suspicious()
        monkeypatch.setattr(admission, "this_host", lambda: host)
        return made

    return on


def begin(ledger: Ledger, make: Any, run_id: str, host: str | None) -> None:
    with ledger.write() as session:
        running = {"state": RunState.RUNNING, "finished_at": None, "trusted": False}
        make.run(session, run_id=run_id, host=host, started_at=NOON, **running)


def states(ledger: Ledger) -> dict[str, tuple[RunState, str | None]]:
    with ledger.read() as session:
        return {run.run_id: (run.state, run.host) for run in session.query(CrawlRun)}


def test_a_run_on_another_machine_is_left_alone_and_its_own_collects_it(
    ledger: Ledger, make: Any, machine: Any
) -> None:
    begin(ledger, make, "here", "east")
    begin(ledger, make, "there", "west")
    begin(ledger, make, "old release", None)
    assert collect_leftovers(machine("east", 1)) == ["here", "old release"]
    assert states(ledger)["there"] == (RunState.RUNNING, "west")
    assert collect_leftovers(machine("west", 1)) == ["there"]
    assert states(ledger) == {
        "here": (RunState.FAILED, "east"),
        "there": (RunState.FAILED, "west"),
        "old release": (RunState.FAILED, None),
    }


def test_the_directory_of_another_machines_run_is_left_alone_too(
    ledger: Ledger, make: Any, machine: Any
) -> None:
    begin(ledger, make, "there", "west")
    east = machine("east", 1)
    (east.runs / "there").mkdir(parents=True)  # on a disk that both share
    (east.runs / "there" / "stats.json").write_text("{}")
    assert collect_leftovers(east) == []


def test_a_machine_that_never_came_back_does_not_keep_its_platform_busy_for_ever(
    ledger: Ledger, make: Any, machine: Any
) -> None:
    begin(ledger, make, "there", "west")
    hours = LOST_AFTER / timedelta(hours=1)
    assert collect_leftovers(machine("east", hours)) == []
    assert collect_leftovers(machine("east", hours + 1)) == ["there"]
    assert states(ledger)["there"][0] is RunState.FAILED
