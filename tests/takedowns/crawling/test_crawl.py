"""A crawl seen from outside: it leaves its directory behind, and never more than its time or a process."""

from __future__ import annotations

import os
import socket
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest

from crawlers.rundir import CrawlJob, Outcome, RunKind
from takedowns import configuration
from takedowns.crawling.crawl import crawl, new_run_id
from takedowns.sample_market.client import RunningMarket, running_market
from takedowns.settings import Crawl

NOW = datetime(2026, 10, 1, tzinfo=UTC)


@pytest.fixture(scope="module")
def market() -> Iterator[RunningMarket]:
    with running_market(listings=40) as running:
        yield running


def job(home: str) -> CrawlJob:
    platform = configuration.platforms(configuration.SHIPPED)["sample"].model_copy(update={"home": home})
    return CrawlJob(
        run_id=new_run_id(RunKind.SWEEP, "sample", NOW),
        kind=RunKind.SWEEP,
        platform=platform,
        terms=("雾化", "饮"),
        contact="test@bureau.invalid",
    )


def crawlers_of(run: Path) -> list[str]:
    """Processes of this machine that still work on ``run``."""
    found = []
    for process in Path("/proc").glob("[0-9]*/cmdline"):
        try:
            command = process.read_bytes()
        except OSError:
            continue  # it ended meanwhile
        if os.fsencode(str(run)) in command:
            found.append(command.decode())
    return found


def test_a_crawl_leaves_a_complete_directory_and_tells_its_progress(
    market: RunningMarket, tmp_path: Path
) -> None:
    told: list[int] = []
    run = crawl(job(market.base_url), tmp_path, Crawl(), told.append)
    assert run.stats is not None
    assert run.stats.outcome in (Outcome.OK, Outcome.PARTIAL)
    assert told[-1] == run.stats.items == len(run.listings) > 0


def test_a_crawl_that_overruns_is_ended_with_its_whole_group_and_says_so(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:  # accepts, and never answers
        home = f"http://127.0.0.1:{silent.getsockname()[1]}"
        run = crawl(job(home), tmp_path, Crawl(wall_clock_minutes=0.05, grace_seconds=0.1))
    assert run.stats is None
    assert crawlers_of(run.path) == []


def test_two_runs_of_one_second_have_different_ids() -> None:
    ids = {new_run_id(RunKind.SWEEP, "sample", NOW) for _ in range(50)}
    assert len(ids) == 50
