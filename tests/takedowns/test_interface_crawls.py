"""What an interface finds belongs to the marketplace it finds it on."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest
import sqlalchemy as sa

from takedowns import configuration, jobs
from takedowns.context import Context
from takedowns.imports import pasted
from takedowns.jobs import NotCrawledError
from takedowns.ledger import tables
from takedowns.ledger.engine import Ledger
from tests.crawlers.apis.goods import PROFILES, jd_goods, shipped
from tests.crawlers.apis.server import SECRETS, ApiServer, jd

NOON = datetime(2026, 10, 14, 4, 0, tzinfo=UTC)


@pytest.fixture
def server(monkeypatch: pytest.MonkeyPatch) -> Iterator[ApiServer]:
    for name, value in SECRETS.items():
        monkeypatch.setenv(name, value)
    running = ApiServer(jd([jd_goods(100012, "医用雾化器 家用")]))
    yield running
    running.close()


@pytest.fixture
def house(sqlite_ledger: Ledger, tmp_path: Path, server: ApiServer) -> Context:
    settings = configuration.settings(configuration.SHIPPED).model_copy(update={"var": tmp_path / "var"})
    platforms = {"jd": PROFILES["jd"], "jd-union": shipped("jd-union", server.home)}
    made = Context(configuration.SHIPPED, settings, platforms, sqlite_ledger, lambda: NOON)
    made.__dict__["panels"] = {}
    return made


def test_goods_found_by_an_interface_and_pasted_as_a_link_are_one_listing(house):
    assert jobs.sweep(house, "jd-union", ["雾化器"]).outcome == "ok"
    with house.ledger.write() as session:
        link = "https://item.jd.com/100012.html?utm_source=x"
        (result,) = pasted.add_links(session, [link], house.platforms, now=NOON)
        assert result.message == "known already"
    with house.ledger.read() as session:
        (listing,) = session.scalars(sa.select(tables.Listing))
        assert (listing.platform, listing.item_id) == ("jd", "100012")
        assert listing.url == "https://item.jd.com/100012.html"
        assert listing.snapshots[0].sources["found_by"] == "雾化器"
        assert [run.platform for run in session.scalars(sa.select(tables.CrawlRun))] == ["jd-union"]


def test_the_marketplace_itself_is_still_not_crawled(house, server):
    with pytest.raises(NotCrawledError):
        jobs.recheck(house, "jd")
    assert server.asked == []
