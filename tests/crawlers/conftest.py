"""Fixtures: a shop of our own, the sample market, and crawls in real child processes."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from crawlers.platforms import Platform
from crawlers.rundir import CrawlJob, Run, RunKind, job_file, read_run
from takedowns import configuration
from takedowns.sample_market.client import RunningMarket, running_market
from tests.crawlers.shop import Shop, said, shop_profile, start

CONFIG = Path(__file__).parents[2] / "config"
CONTACT = "mailto:operator@bureau.example"

Crawl = Callable[..., Run]


@pytest.fixture
def crawl(tmp_path: Path) -> Crawl:
    """Runs one job in a real child process and reads what it left."""

    def run(platform: Platform, kind: RunKind = RunKind.RECHECK, **job: object) -> Run:
        folder = tmp_path / f"run{len(list(tmp_path.iterdir()))}"
        folder.mkdir()
        described = CrawlJob(run_id=folder.name, kind=kind, platform=platform, contact=CONTACT, **job)
        job_file(folder).write_text(described.model_dump_json(), encoding="utf-8")
        assert start(folder).wait(120) == 0, said(folder).read_text()
        return read_run(folder)

    return run


@pytest.fixture
def shop() -> Iterator[Shop]:
    running = Shop()
    yield running
    running.close()


@pytest.fixture
def profile(shop: Shop) -> Platform:
    return shop_profile(shop.home)


@pytest.fixture(scope="session")
def market() -> Iterator[RunningMarket]:
    with running_market(listings=90) as running:
        yield running


@pytest.fixture(scope="session")
def shipped() -> dict[str, Platform]:
    """Every profile in config/platforms by name."""
    return configuration.platforms(CONFIG)
