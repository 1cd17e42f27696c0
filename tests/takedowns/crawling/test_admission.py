"""A run may start only once its platform permits it, and the ledger remembers what earlier runs met."""

from __future__ import annotations

import socket
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime, timedelta
from threading import Barrier
from typing import Any

import pytest

from crawlers.permission import SILENCE_AFTER_BLOCK, SILENCE_AFTER_REFUSAL
from crawlers.platforms import Platform
from crawlers.rundir import Arm, RunKind
from crawlers.sampling import Panel
from takedowns.crawling.admission import NotNowError, admit
from takedowns.ledger.engine import Ledger
from takedowns.ledger.tables import CrawlRun
from takedowns.ledger.vocabulary import RunState
from tests.crawlers.shop import shop_profile

ABROAD = shop_profile("https://mall.example", politeness={"daily_requests": 100})
PANEL = Panel.model_validate(
    {
        "platform": "corner",
        "version": "1",
        "depth": 5,
        "strata": [{"name": "all", "queries": ["雾化"], "draws": 2}],
    }
)


def ask(
    ledger: Ledger,
    now: datetime,
    run_id: str = "new",
    kind: RunKind = RunKind.SWEEP,
    panel: Panel | None = None,
    platform: Platform = ABROAD,
) -> int:
    """The requests that are granted."""
    with ledger.write() as session:
        return admit(session, platform, kind, run_id, panel=panel, simulated=False, now=now).requests


def earlier(ledger: Ledger, make: Any, **given: Any) -> None:
    with ledger.write() as session:
        make.run(session, platform="corner", **given)


def test_a_running_run_holds_its_requests_and_is_not_trusted(ledger: Ledger, now: datetime) -> None:
    assert ask(ledger, now) == 100
    with ledger.read() as session:
        row = session.get_one(CrawlRun, "new")
    assert (row.state, row.requests, row.trusted) == (RunState.RUNNING, 100, False)
    assert (row.kind, row.arm, row.host) == ("sweep", Arm.TARGETED, socket.gethostname())


def test_of_many_that_ask_together_one_may_start(ledger: Ledger, now: datetime) -> None:
    together = Barrier(6)

    def start(number: int) -> str | None:
        together.wait(timeout=10)
        try:
            ask(ledger, now, f"run{number}")
        except NotNowError as refused:
            return refused.permission.refusal
        return None

    with ThreadPoolExecutor(6) as pool:
        assert sorted(map(str, pool.map(start, range(6)))) == ["None", *["busy"] * 5]


@pytest.mark.parametrize(
    ("run", "silence"),
    [
        ({"refusals": 1}, SILENCE_AFTER_REFUSAL),
        ({"state": RunState.BLOCKED}, SILENCE_AFTER_BLOCK),
        ({"state": RunState.FAILED, "finished_at": None, "refusals": 2}, SILENCE_AFTER_REFUSAL),
    ],
    ids=["refused", "blocked", "killed after a refusal"],
)
def test_what_a_run_met_is_remembered(
    ledger: Ledger, make: Any, now: datetime, run: dict[str, Any], silence: timedelta
) -> None:
    earlier(ledger, make, **run)
    with pytest.raises(NotNowError, match="it refused us lately") as refused:
        ask(ledger, now + silence - timedelta(seconds=1))
    assert refused.value.permission.until == now + silence
    assert ask(ledger, now + silence) == 100


def test_a_retry_after_is_remembered(ledger: Ledger, make: Any, now: datetime) -> None:
    earlier(ledger, make, silent_until=now + timedelta(hours=5))
    with pytest.raises(NotNowError):
        ask(ledger, now + timedelta(hours=4))


def test_what_earlier_runs_asked_today_is_gone_and_yesterdays_is_not(
    ledger: Ledger, make: Any, now: datetime
) -> None:
    earlier(ledger, make, requests=30)
    earlier(ledger, make, requests=25, state=RunState.FAILED, kind="recheck")
    earlier(ledger, make, requests=90, started_at=now - timedelta(days=1))
    with ledger.write() as session:
        make.run(session, platform="another", requests=1000)
    assert ask(ledger, now) == 45


def test_the_random_arms_share_is_kept_until_it_was_drawn(ledger: Ledger, make: Any, now: datetime) -> None:
    share = PANEL.cost(ABROAD.search.pages if ABROAD.search else 0)
    assert ask(ledger, now, "first", panel=PANEL) == 100 - share
    with ledger.write() as session:
        session.delete(session.get_one(CrawlRun, "first"))
    earlier(ledger, make, kind="sample", arm=Arm.RANDOM, requests=7)
    assert ask(ledger, now, "second", panel=PANEL) == 93


def test_nothing_is_kept_where_no_sample_can_be_drawn(ledger: Ledger, now: datetime) -> None:
    assert ask(ledger, now, "first") == 100
    with ledger.write() as session:
        session.delete(session.get_one(CrawlRun, "first"))
    asked = ABROAD.model_copy(update={"road": "api"})
    assert ask(ledger, now, "second", panel=PANEL, platform=asked) == 100


def test_a_sample_may_use_what_is_kept_for_it(ledger: Ledger, now: datetime) -> None:
    assert ask(ledger, now, kind=RunKind.SAMPLE, panel=PANEL) == 100


def test_the_refusal_is_a_sentence_with_a_time(now: datetime, ledger: Ledger) -> None:
    night: Platform = shop_profile("https://mall.example", politeness={"window": "01:00-02:00"})
    with (
        pytest.raises(
            NotNowError, match=r"corner is not crawled now until 2026-10-13 01:00 CST: its time window"
        ),
        ledger.write() as session,
    ):
        admit(session, night, RunKind.SWEEP, "x", panel=None, simulated=False, now=now)
