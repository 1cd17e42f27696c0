"""A shop that none of us wrote, and that only a browser can read: swept, thinned out, looked at again."""

from __future__ import annotations

from pathlib import Path

import httpx
import pytest

from crawlers.listing import Listing
from crawlers.platforms import Platform
from crawlers.rundir import CrawlJob, Outcome, Run, RunKind, Target, job_file, read_run
from takedowns import configuration
from tests.crawlers.shop import said, start, verdicts
from tests.shops.evershop.store import Store

PROFILE = Path(__file__).with_name("evershop.yml")
# Every page runs 18 MB of development script, which keeps a busy machine for seconds.
pytestmark = pytest.mark.timeout(1800)
CRAWL_S = 900
PAGE_S = 120


def crawled(folder: Path, platform: Platform, kind: RunKind, targets: tuple[Target, ...] = ()) -> Run:
    job = CrawlJob(
        run_id=folder.name,
        kind=kind,
        platform=platform,
        targets=targets,
        contact="mailto:crawl@bureau.example",
        timeout_s=PAGE_S,
    )
    job_file(folder).write_text(job.model_dump_json(), encoding="utf-8")
    assert start(folder).wait(CRAWL_S) == 0, said(folder).read_text()
    return read_run(folder)


@pytest.fixture(scope="module")
def platform(store: Store) -> Platform:
    return configuration.platform_at(PROFILE).model_copy(update={"home": store.home})


@pytest.fixture(scope="module")
def sweep(platform: Platform, tmp_path_factory: pytest.TempPathFactory) -> Run:
    return crawled(tmp_path_factory.mktemp("sweep"), platform, RunKind.SWEEP)


def found(sweep: Run) -> dict[str, Listing]:
    return {listing.item_id: listing for listing in sweep.listings}


def test_the_page_as_sent_says_nothing_to_a_reader_without_a_browser(store: Store) -> None:
    page = httpx.get(f"{store.home}/{store.products[0].key}", timeout=PAGE_S, trust_env=False)
    assert '<div id="app"></div>' in page.raise_for_status().text
    assert "<h1" not in page.text


def test_the_sweep_finds_every_product_and_nothing_else(sweep: Run, store: Store) -> None:
    assert sweep.stats is not None
    assert sweep.stats.outcome is Outcome.OK
    assert sweep.issues == ()
    assert sorted(listing.item_id for listing in sweep.listings) == [
        product.key for product in store.products
    ]


def test_titles_prices_and_sellers_are_those_that_the_shopkeeper_typed(sweep: Run, store: Store) -> None:
    read = {
        key: (listing.title, listing.price, listing.currency, listing.seller and listing.seller.name)
        for key, listing in found(sweep).items()
    }
    assert read == {p.key: (p.title, p.price, "CNY", p.seller) for p in store.products}


def test_a_removed_product_is_seen_gone_and_nothing_else_is(
    sweep: Run, store: Store, platform: Platform, tmp_path: Path
) -> None:
    deleted, disabled, sold_out, *_ = store.products
    store.delete(deleted)
    store.disable(disabled)
    store.sell_out(sold_out)
    seen = found(sweep)
    targets = tuple(Target(item_id=p.key, url=seen[p.key].url, title=p.title) for p in store.products)
    run = crawled(tmp_path, platform, RunKind.RECHECK, targets)
    states = {key: state for key, (state, _) in verdicts(run).items()}
    gone = {deleted.key, disabled.key}
    assert states == {p.key: "gone" if p.key in gone else "up" for p in store.products}
