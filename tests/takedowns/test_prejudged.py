"""A run is judged and hashed before the ledger is locked for it, and the intake is the same as without."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Iterable, Iterator
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa

from classifiers.verdict import ListingText, Verdict
from crawlers.listing import Listing, Seller
from crawlers.rundir import items_file, read_run
from takedowns import configuration, intake
from takedowns.context import Context
from takedowns.crawling.taking_in import take_in
from takedowns.evidence import manifest
from takedowns.evidence.store import Store
from takedowns.ledger import tables
from takedowns.ledger.engine import Ledger
from takedowns.prejudged import prejudged
from tests.takedowns.evidence.conftest import Suspicious

NOON = datetime(2026, 10, 14, 4, 0, tzinfo=UTC)


class Reading(Suspicious):
    """Everything is a violation; tells which texts it was asked about."""

    def __init__(self) -> None:
        self.asked: list[ListingText] = []

    def classify_many(self, listings: Iterable[ListingText]) -> Iterator[Verdict]:
        for text in listings:
            self.asked.append(text)
            yield from super().classify_many([text])


def offer(item_id: str, shop: str = "康康", **given: Any) -> Listing:
    seller = Seller(external_id="s1", name=shop)
    fields = {"title": f"雾化器 {item_id}", "url": f"https://x.invalid/{item_id}", "observed_at": NOON}
    return Listing(**{"platform": "sample", "item_id": item_id, "seller": seller, **fields, **given})


def store(ledger: Ledger, offers: list[Listing], classifier: Any) -> intake.IntakeResult:
    with ledger.write() as session:
        return intake.store_listings(session, offers, classifier, road="import", now=NOON)


def told(ledger: Ledger) -> list[tuple[str, dict[str, Any]]]:
    with ledger.read() as session:
        rows = session.execute(
            sa.select(tables.ListingSnapshot.title, tables.Verdict.payload).join(tables.Verdict)
        )
        return [(title, payload) for title, payload in rows]


def test_what_was_judged_before_is_not_judged_again_and_the_rows_are_the_same(ledger: Ledger) -> None:
    classifier = Reading()
    offers = [
        offer("1", price_raw="¥ 9", attributes={"产地": "深圳"}),
        offer("2", images=("http://x/1.png",)),
    ]
    judged = prejudged(ledger, [*offers, offers[0]], classifier)
    assert [text.title for text in classifier.asked] == ["雾化器 1", "雾化器 2"]
    assert store(ledger, offers, judged).flagged == 2
    assert len(classifier.asked) == 2
    assert sorted(payload["id"] for _, payload in told(ledger)) == ["1", "2"], "each its snapshot's"
    assert prejudged(ledger, offers, classifier) is not None
    assert len(classifier.asked) == 2, "of what the ledger knows nothing is asked"


def test_what_changed_in_the_meantime_is_judged_as_it_is_then(ledger: Ledger) -> None:
    classifier = Reading()
    judged = prejudged(ledger, [offer("1", shop="其名")], classifier)
    store(ledger, [offer("2", shop="本名")], Reading())
    store(ledger, [offer("1", shop="其名")], judged)
    assert [text.shop for text in classifier.asked] == ["其名", "本名"], (
        "the seller's name in the ledger counts"
    )


def test_a_seller_that_is_known_goes_by_its_known_name(ledger: Ledger) -> None:
    store(ledger, [offer("1", shop="本名")], Reading())
    classifier = Reading()
    judged = prejudged(ledger, [offer("2", shop="其名")], classifier)
    store(ledger, [offer("2", shop="其名")], judged)
    assert [text.shop for text in classifier.asked] == ["本名"]


@pytest.fixture
def free(tmp_path: Path) -> Callable[[], None]:
    """Raises OperationalError when somebody holds the write lock."""

    def check() -> None:
        with closing(sqlite3.connect(tmp_path / "ledger.db", timeout=0)) as other:
            other.execute("BEGIN IMMEDIATE")

    return check


def test_others_can_write_while_a_run_is_judged_and_hashed(
    sqlite_ledger: Ledger, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, free: Callable[[], None]
) -> None:
    class Patient(Suspicious):
        def classify_many(self, listings: Iterable[ListingText]) -> Iterator[Verdict]:
            for listing in listings:
                free()
                yield from super().classify_many([listing])

    adopt = Store.adopt
    monkeypatch.setattr(Store, "adopt", lambda self, path: (free(), adopt(self, path))[1])
    settings = configuration.settings(configuration.SHIPPED).model_copy(update={"var": tmp_path / "var"})
    house = Context(configuration.SHIPPED, settings, {}, sqlite_ledger, lambda: NOON)
    house.__dict__["classifier"] = Patient()
    folder = house.runs / "r1"
    (folder / "evidence").mkdir(parents=True)
    (folder / "evidence/pages.warc.gz").write_bytes(b"a page")
    items_file(folder).write_text(offer("1").model_dump_json() + "\n")
    run = read_run(folder)
    assert take_in(house, run).flagged == 1
    assert manifest.load(house.evidence, "r1").file("evidence/pages.warc.gz").size == 6
    assert take_in(house, run) == intake.IntakeResult(), "known by its id"
