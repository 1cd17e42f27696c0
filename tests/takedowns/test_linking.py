"""Two shops of one operator are found on both databases by each reason; dealers of the same goods are not."""

from __future__ import annotations

import pytest
import sqlalchemy as sa

from takedowns import licences, linking, members
from takedowns.ledger import audit, tables
from takedowns.ledger.vocabulary import Finding, LinkReason
from takedowns.linking import Refreshed

TEXT = {"title": "医用雾化器 便携 大容量 一次性", "description": "8000口 西瓜味 全国包邮"}
NUMBER = "粤械注准20212080012"


@pytest.fixture
def shop(make):
    """Adds a shop with a flagged listing; other shops say other things unless told otherwise."""

    def add(session, flagged=True, platform="sample", texts=({},), **given):
        seller = make.seller(session, platform=platform)
        for number, words in enumerate(texts):
            listing = make.listing(session, seller=seller, platform=platform, item_id=f"{seller.id}-{number}")
            own = {"title": f"第{seller.id}家{'甲乙丙丁戊己庚'[seller.id % 7] * 14}", "description": ""}
            snapshot = make.snapshot(session, listing, **{**own, **words, **given})
            verdict = make.verdict(session, snapshot, flagged=flagged)
            if flagged:
                session.add(tables.Flag(listing_id=listing.id, verdict_id=verdict.id, created_at=make.now))
        session.flush()
        return seller, listing, verdict

    return add


def contact(session, listing, digest, now):
    session.add(tables.ContactHash(listing_id=listing.id, kind="name", digest=digest * 64, observed_at=now))


def picture(session, listing, name, hashed, now):
    if session.get(tables.Picture, name) is None:
        facts = {"media_type": "image/png", "size": 1, "recorded_at": now}
        session.add(tables.Picture(sha256=name, perceptual_hash=f"{hashed:016x}", **facts))
        session.flush()
    session.add(tables.ListingPicture(listing_id=listing.id, sha256=name, observed_at=now))


def reasons(session):
    rows = session.scalars(sa.select(tables.SellerLink).order_by(tables.SellerLink.id))
    return {(row.seller_id, row.other_id, row.reason) for row in rows}


def test_each_thing_that_two_shops_share_links_them_over_platforms(ledger, make, shop):
    with ledger.write() as session:
        one, first, verdict = shop(session, **TEXT)
        other, second, its_verdict = shop(
            session, flagged=False, platform="other", **{**TEXT, "title": TEXT["title"] + "新"}
        )
        shop(session)
        for listing in (first, second):
            contact(session, listing, "a", make.now)
        picture(session, first, "p1", 0xF0F0F0F0F0F0F0F0, make.now)
        picture(session, second, "p2", 0xF0F0F0F0F0F0F0F1, make.now)
        claims = {"claims": [{"kind": "device_registration", "text": NUMBER, "status": "format_ok"}]}
        licences.store(session, [(verdict.id, claims), (its_verdict.id, claims)])
    assert linking.refresh(ledger, now=make.now) == Refreshed(links=4, networks=1, new=4, changed=0, gone=0)
    with ledger.read() as session:
        wanted = {LinkReason.CONTACT, LinkReason.PICTURE, LinkReason.LICENCE, LinkReason.TEXT}
        assert reasons(session) == {(one.id, other.id, reason) for reason in wanted}
        (network,) = linking.known(session)
        assert network.sellers == (one.id, other.id)
        assert network.ties[0].strength > 0.95
        known = members.members(session, network.sellers)
        assert (known[one.id].flagged, known[other.id].flagged, known[other.id].platform) == (1, 0, "other")
        assert members.network_numbered(session, one.id) == network
        with pytest.raises(members.UnknownNetworkError):
            members.network_numbered(session, other.id)
        assert list(audit.verify(session)) == []


def test_price_lists_that_are_nearly_the_same_link(ledger, make, shop):
    prices = [{"price": price} for price in ("19.83", "47.20", "88.61", "132.40", "7.77", "203.15")]
    usual = [{"price": "19.90"}, {"price": "29.90"}]
    with ledger.write() as session:
        one, *_ = shop(session, texts=prices)
        other, *_ = shop(session, texts=[*prices[:5], {"price": "210.00"}])
        for _ in range(2):
            shop(session, texts=usual)
    linking.refresh(ledger, now=make.now)
    with ledger.read() as session:
        assert reasons(session) == {(one.id, other.id, LinkReason.PRICE)}
        assert (
            session.scalars(sa.select(tables.SellerLink.value)).one()
            == "7.77 19.83 47.20 88.61 132.40 203.15"
        )
        assert linking.known(session) == []


def test_a_second_refresh_writes_only_what_differs(ledger, make, shop):
    with ledger.write() as session:
        _, first, _ = shop(session)
        _, second, _ = shop(session)
        third = shop(session)[1]
        for listing in (first, second):
            contact(session, listing, "a", make.now)
    assert linking.refresh(ledger, now=make.now).new == 1
    assert linking.refresh(ledger, now=make.now) == Refreshed(links=1, networks=1, new=0, changed=0, gone=0)
    with ledger.write() as session:
        contact(session, third, "a", make.now)
    assert linking.refresh(ledger, now=make.now) == Refreshed(links=3, networks=1, new=2, changed=1, gone=0)
    with ledger.write() as session:
        session.execute(sa.delete(tables.ContactHash))
    assert linking.refresh(ledger, now=make.now) == Refreshed(links=0, networks=0, new=0, changed=0, gone=3)


def test_a_refresh_that_another_one_overtook_writes_nothing_twice(ledger, make, shop, monkeypatch):
    with ledger.write() as session:
        for _ in range(2):
            contact(session, shop(session)[1], "a", make.now)
    found = linking._difference

    def overtaken(session, links):
        monkeypatch.setattr(linking, "_difference", found)
        before = found(session, links)
        linking.refresh(ledger, now=make.now)
        return before

    monkeypatch.setattr(linking, "_difference", overtaken)
    assert linking.refresh(ledger, now=make.now) == Refreshed(links=1, networks=1, new=0, changed=0, gone=0)


def test_a_shop_whose_flagged_listing_was_found_lawful_is_no_suspect(ledger, make, analyst, shop):
    with ledger.write() as session:
        shops = [shop(session), shop(session, flagged=False)]
        for _, listing, _ in shops:
            contact(session, listing, "a", make.now)
        assert linking.suspects(session) == {shops[0][0].id}
        given = {"finding": Finding.NOT_VIOLATION, "reason": "lawful_other_goods"}
        make.decision(session, make.task(session, shops[0][2].snapshot), analyst, **given)
    assert linking.refresh(ledger, now=make.now).links == 0


def test_the_same_text_on_a_hundred_shops_glues_nothing(sqlite_ledger, make, shop):
    with sqlite_ledger.write() as session:
        for _ in range(100):
            shop(session, **TEXT)
    assert linking.refresh(sqlite_ledger, now=make.now).links == 0


def test_more_pairs_than_are_held_at_once_make_the_same_groups(monkeypatch):
    pairs = [(linking.np.array([n]), linking.np.array([n + 2])) for n in range(8)]
    whole = linking._first_of_each(11, pairs).tolist()
    monkeypatch.setattr(linking, "HELD", 0)
    assert linking._first_of_each(11, pairs).tolist() == whole == [0, 1, 0, 1, 0, 1, 0, 1, 0, 1, 10]


def test_an_empty_ledger_has_no_networks(sqlite_ledger, make):
    assert linking.refresh(sqlite_ledger, now=make.now) == Refreshed(0, 0, 0, 0, 0)
