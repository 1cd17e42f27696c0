from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

import pytest
import sqlalchemy as sa
from hypothesis import given
from hypothesis import strategies as st

import classifiers
from classifiers.verdict import Claim
from crawlers.listing import Listing, Seller
from takedowns import borrowed, intake, licences
from takedowns.borrowed import Shown
from takedowns.learning import rescan
from takedowns.ledger import tables
from takedowns.ledger.engine import Ledger

NUMBER = "粤械注准20212080012"
BAR_CODE = "6921168509256"
SHOWN = Shown("device_registration", NUMBER, 1, "sample", "1", "https://shop.invalid/1", "", 1, "甲店", None)

Offer = Callable[..., tables.Listing]


def claim(written: str, kind: str = "device_registration") -> dict[str, Any]:
    found = Claim(kind=kind, text=written, field="title", start=0, end=len(written), status="format_ok")
    return found.model_dump(mode="json")


@pytest.fixture
def offer(make: Any) -> Offer:
    """Adds a listing of a shop whose verdict has found the numbers ``written``."""

    def add(session: Any, *written: str, kind: str = "device_registration", **given: Any) -> tables.Listing:
        listing = make.listing(session, **{k: v for k, v in given.items() if k in ("seller", "item_id")})
        title = given.get("title", "家用雾化器")
        verdict = make.verdict(session, make.snapshot(session, listing, title=title))
        payload = {"claims": [claim(number, kind) for number in written]}
        licences.store(session, [(verdict.id, payload)])
        return listing

    return add


def everywhere(ledger: Ledger) -> list[tuple[str, list[list[str]]]]:
    with ledger.read() as session:
        found = borrowed.everywhere(session)
        return [(one.number, [[shown.item_id for shown in shop] for shop in one.shops]) for one in found]


def elsewhere(ledger: Ledger, listing: tables.Listing, number: str = NUMBER, **given: Any) -> list[str]:
    with ledger.read() as session:
        snapshot = session.scalars(sa.select(tables.ListingSnapshot).filter_by(listing_id=listing.id)).first()
        assert snapshot
        found = borrowed.of_listing(session, snapshot, given.get("kind", "device_registration"), number)
        return [one.item_id for one in found.shops] if found else []


def test_one_number_on_two_shops_is_found_however_it_is_written(ledger: Ledger, offer: Offer) -> None:
    with ledger.write() as session:
        first = offer(session, "粤械注准20212080012", item_id="a")
        offer(session, "粵械註準２０２１ ２０８ ００１２", item_id="b")
        offer(session, "粤械注准20212080013", item_id="c")
    assert everywhere(ledger) == [(NUMBER, [["a"], ["b"]])]
    assert elsewhere(ledger, first) == ["b"]


def test_two_listings_of_one_shop_are_no_finding(ledger: Ledger, offer: Offer, make: Any) -> None:
    with ledger.write() as session:
        shop = make.seller(session)
        first = offer(session, NUMBER, seller=shop)
        offer(session, NUMBER, seller=shop)
    assert everywhere(ledger) == []
    assert elsewhere(ledger, first) == []


def test_of_unknown_shops_nothing_is_said(ledger: Ledger, offer: Offer) -> None:
    with ledger.write() as session:
        first = offer(session, NUMBER, seller=None)
        offer(session, NUMBER, seller=None)
    assert everywhere(ledger) == []
    assert elsewhere(ledger, first) == []


def test_each_other_shop_counts_once_and_those_on_most_shops_come_first(
    ledger: Ledger, offer: Offer, make: Any
) -> None:
    with ledger.write() as session:
        shop = make.seller(session)
        first = offer(session, NUMBER, "粤械注准20212080013", item_id="a")
        offer(session, NUMBER, item_id="b", seller=shop)
        offer(session, NUMBER, item_id="c", seller=shop)
        offer(session, "粤械注准20212080013", item_id="d")
        offer(session, "粤械注准20212080013", item_id="e")
    assert everywhere(ledger) == [
        ("粤械注准20212080013", [["a"], ["d"], ["e"]]),
        (NUMBER, [["b", "c"], ["a"]]),
    ]
    assert elsewhere(ledger, first) == ["c"]


def test_only_what_a_listing_says_now_counts(ledger: Ledger, offer: Offer, make: Any, now: datetime) -> None:
    with ledger.write() as session:
        offer(session, NUMBER)
        changed = offer(session, NUMBER)
        make.verdict(session, make.snapshot(session, changed, observed_at=now + timedelta(days=1)))
    assert everywhere(ledger) == []


def test_only_the_newest_verdict_counts(ledger: Ledger, offer: Offer, make: Any) -> None:
    with ledger.write() as session:
        offer(session, NUMBER)
        snapshot = offer(session, NUMBER).snapshots[0]
        make.verdict(session, snapshot, model_version="2", replaces_id=snapshot.verdicts[0].id)
    assert everywhere(ledger) == []


def test_a_bar_code_stands_on_every_shop_and_counts_on_other_goods_only(ledger: Ledger, offer: Offer) -> None:
    with ledger.write() as session:
        water = offer(session, BAR_CODE, kind="bar_code", title="矿泉水 550ml 整箱", item_id="a")
        offer(session, BAR_CODE, kind="bar_code", title="饮用矿泉水24瓶", item_id="b")
    assert everywhere(ledger) == []
    with ledger.write() as session:
        offer(session, BAR_CODE, kind="bar_code", title="便携雾化棒 西瓜", item_id="c")
        offer(session, BAR_CODE, kind="bar_code", title="Mineral water", item_id="d")
    assert everywhere(ledger) == [(BAR_CODE, [["a"], ["c"]])]
    assert elsewhere(ledger, water, BAR_CODE, kind="bar_code") == ["c"]


def test_a_number_of_many_listings_is_read_up_to_a_bound(
    sqlite_ledger: Ledger, offer: Offer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(borrowed, "MOST", 3)
    with sqlite_ledger.write() as session:
        snapshot = [offer(session, NUMBER) for _ in range(5)][-1].snapshots[0]
        found = borrowed.of_listing(session, snapshot, "device_registration", NUMBER)
    assert found
    assert (len(found.shops), found.more) == (2, True)  # the newest three, of which one is this


numbers = st.builds(
    lambda number, seller, listing: replace(SHOWN, number=number, seller_id=seller, listing_id=listing),
    st.sampled_from("ab"),
    st.sampled_from([None, 1, 2, 3]),
    st.integers(1, 9),
)


@given(st.lists(numbers, unique_by=lambda one: (one.number, one.listing_id)))
def test_a_number_is_borrowed_exactly_when_two_known_shops_show_it(shown: list[Shown]) -> None:
    found = {one.number: {shop[0].seller_id for shop in one.shops} for one in borrowed.borrowed(shown)}
    sellers = {n: {one.seller_id for one in shown if one.number == n} - {None} for n in "ab"}
    assert found == {n: shops for n, shops in sellers.items() if len(shops) > 1}


def test_a_verdict_keeps_each_number_once_and_drops_what_is_none() -> None:
    payload = {
        "claims": [claim(NUMBER), claim("粤械注准 2021 208 0012"), claim("一次性"), claim("长短" * 20 + "1")]
    }
    assert [row["number"] for row in licences.rows_of(7, payload)] == [NUMBER]


@pytest.fixture(scope="module")
def classifier() -> classifiers.Classifier:
    return classifiers.load()


def stored(ledger: Ledger) -> list[tuple[str, str, str]]:
    with ledger.read() as session:
        rows = session.scalars(sa.select(tables.LicenceClaim).order_by(tables.LicenceClaim.id))
        return [(row.kind, row.number, row.status) for row in rows]


def listing(item_id: str, now: datetime, shop: str) -> Listing:
    return Listing(
        platform="sample",
        item_id=item_id,
        url=f"https://shop.invalid/item/{item_id}",
        title="家用医用雾化器",
        attributes={"注册证编号": "苏械注准 2018 208 0123"},
        seller=Seller(external_id=shop, name=shop),
        sources={"title": "jsonld"},
        observed_at=now,
    )


def test_intake_stores_the_numbers_of_a_listing(
    ledger: Ledger, classifier: classifiers.Classifier, now: datetime
) -> None:
    offers = [listing("1", now, "甲店"), listing("2", now, "乙店")]
    with ledger.write() as session:
        intake.store_listings(session, offers, classifier, road="import", now=now)
    assert stored(ledger) == [("device_registration", "苏械注准20182080123", "format_ok")] * 2
    assert everywhere(ledger) == [("苏械注准20182080123", [["1"], ["2"]])]


def test_a_rescan_stores_them_for_the_verdicts_that_it_writes(
    ledger: Ledger, classifier: classifiers.Classifier, make: Any, now: datetime
) -> None:
    with ledger.write() as session:
        for _ in range(2):
            make.verdict(session, make.snapshot(session, make.listing(session), title=f"雾化器 {NUMBER}"))
    versions = {"model_version": classifier.model_version, "lexicon_version": classifier.lexicon_version}
    rescan.rescan(ledger, rescan.here(classifier), now=now, **versions)
    assert [row[1] for row in stored(ledger)] == [NUMBER] * 2
    assert len(everywhere(ledger)) == 1
