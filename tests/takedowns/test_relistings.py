from __future__ import annotations

from datetime import timedelta

import pytest
import sqlalchemy as sa

from classifiers.verdict import Label
from crawlers.listing import Presence
from takedowns import notices, relistings, removals, review
from takedowns.ledger import audit, tables
from takedowns.ledger.tables import Lead, Listing, Relisting, ReviewTask
from takedowns.ledger.vocabulary import Finding, RelistingKind, VerificationOutcome
from takedowns.states import LeadState, TaskState

HOUR, DAY = timedelta(hours=1), timedelta(days=1)
OFFER = {
    "title": "医用雾化器 便携 大容量 一次性",
    "description": "8000口 西瓜味 薄荷味 可充电 全国包邮 联系客服领优惠 正品保证 支持验货",
}


@pytest.fixture
def removed(ledger, make, analyst, now, settings):
    """A lead sent at ``now``, seen up after 6 hours, gone after one and after two days."""
    with ledger.write() as session:
        shown = make.snapshot(session, make.listing(session, item_id="1001"), **OFFER)
        decision = make.decision(session, make.task(session, shown), analyst)
        lead = make.lead(session, decision, state=LeadState.SENT, sent_at=now)
        for hours, state in [(6, Presence.UP), (24, Presence.GONE), (48, Presence.GONE)]:
            make.sighting(session, shown.listing, state=state, observed_at=now + hours * HOUR)
        assert removals.settle(session, lead, now=now + 2 * DAY, settings=settings)
        return lead


def _new_listing(ledger, make, lead, first_seen_at, seller_id=None, decided_by=None, **offer):
    with ledger.write() as session:
        old = session.get(Listing, lead.listing_id)
        listing = make.listing(session, seller_id=seller_id or old.seller_id, first_seen_at=first_seen_at)
        shown = make.snapshot(session, listing, observed_at=first_seen_at, **{**OFFER, **offer})
        if decided_by:
            task = make.task(session, shown)
            given = {"finding": Finding.NOT_VIOLATION, "reason": "not_for_sale"}
            make.decision(session, task, decided_by, decided_at=first_seen_at + HOUR, **given)
        return listing


def _find(ledger, now):
    with ledger.write() as session:
        return relistings.find_relistings(session, now=now)


def _tasks(ledger):
    with ledger.read() as session:
        assert list(audit.verify(session)) == []
        waiting = sa.select(ReviewTask).where(ReviewTask.state == TaskState.QUEUED)
        return [(task.queue, task.listing_id) for task in session.scalars(waiting)]


def test_the_same_offer_under_a_new_id_is_linked_and_put_before_a_reviewer(ledger, make, removed, now):
    new = _new_listing(ledger, make, removed, now + DAY)
    (relisting,) = _find(ledger, now + 3 * DAY)
    assert (relisting.lead_id, relisting.listing_id) == (removed.id, new.id)
    assert (relisting.kind, relisting.similarity) == (RelistingKind.SAME_TEXT, 1.0)
    assert (relisting.observed_at, relisting.recorded_at) == (now + DAY, now + 3 * DAY)
    assert _tasks(ledger) == [("relisted", new.id)]


def test_a_relisting_is_found_once(ledger, make, removed, now):
    _new_listing(ledger, make, removed, now + DAY)
    assert len(_find(ledger, now + 3 * DAY)) == 1
    assert _find(ledger, now + 4 * DAY) == []
    assert len(_tasks(ledger)) == 1


@pytest.mark.parametrize(
    ("offer", "found"),
    [
        ({"title": "【医-用-雾*化*器】便携 大容量 一次性"}, True),
        ({"title": "医用雾化器 便携 大容量 一次性 新"}, True),
        (
            {"title": "婴儿洗面奶", "description": "温和不刺激 全国包邮 联系客服领优惠 正品保证 支持验货"},
            False,
        ),
    ],
)
def test_nearly_the_same_text_counts_and_other_goods_do_not(ledger, make, removed, now, offer, found):
    _new_listing(ledger, make, removed, now + DAY, **offer)
    assert bool(_find(ledger, now + 3 * DAY)) is found


def test_what_stood_beside_the_old_listing_all_the_time_is_no_relisting(ledger, make, removed, now):
    _new_listing(ledger, make, removed, now + 5 * HOUR)  # the old one was seen up an hour later
    assert _find(ledger, now + 3 * DAY) == []


def test_another_seller_with_the_same_text_is_a_relisting_only_with_hardly_a_change(
    ledger, make, removed, now
):
    with ledger.write() as session:
        other = make.seller(session)
    same = _new_listing(ledger, make, removed, now + DAY, seller_id=other.id)
    changed = {"title": "雾化给药器 家用 静音 新款"}
    _new_listing(ledger, make, removed, now + DAY, seller_id=other.id, **changed)
    assert [relisting.listing_id for relisting in _find(ledger, now + 3 * DAY)] == [same.id]


def test_the_same_picture_at_the_same_seller_is_a_relisting_whatever_the_words(ledger, make, removed, now):
    words = {"title": "香薰小机器", "description": "看图"}
    with ledger.write() as session:
        other = make.seller(session)
    new = _new_listing(ledger, make, removed, now + DAY, **words)
    elsewhere = _new_listing(ledger, make, removed, now + DAY, seller_id=other.id, **words)
    with ledger.write() as session:
        hashes = {
            removed.listing_id: 0xF0F0F0F0F0F0F0F0,
            new.id: 0xF0F0F0F0F0F0F0F7,
            elsewhere.id: 0xF0F0F0F0F0F0F0F1,
        }
        for listing_id, hashed in hashes.items():
            picture(session, listing_id, hashed, now)
    (relisting,) = _find(ledger, now + 3 * DAY)
    assert (relisting.lead_id, relisting.listing_id) == (removed.id, new.id)
    assert (relisting.kind, relisting.similarity) == (RelistingKind.SAME_IMAGE, 1 - 3 / 64)
    assert _find(ledger, now + 4 * DAY) == []


def test_its_own_sellers_picture_counts_beside_the_text_of_another_seller(
    ledger, make, removed, analyst, now, settings
):
    """Pictures are fetched later than words: the copied text is found first."""
    words = {"title": "香薰小机器 卧室 静音 精油 扩香 持久", "description": "三档可调 送礼 不含任何烟油成分"}
    with ledger.write() as session:
        shown = make.snapshot(session, make.listing(session), **words)
        lead = make.lead(
            session,
            make.decision(session, make.task(session, shown), analyst),
            state=LeadState.SENT,
            sent_at=now,
        )
        for day in (1, 2):
            make.sighting(session, shown.listing, observed_at=now + day * DAY)
        assert removals.settle(session, lead, now=now + 2 * DAY, settings=settings)
    new = _new_listing(ledger, make, removed, now + DAY, **words)
    assert [(one.lead_id, one.kind) for one in _find(ledger, now + 3 * DAY)] == [
        (lead.id, RelistingKind.SAME_TEXT)
    ]
    with ledger.write() as session:
        for listing_id in (removed.listing_id, new.id):
            picture(session, listing_id, 0xF0F0F0F0F0F0F0F0, now)
    assert [(one.lead_id, one.kind) for one in _find(ledger, now + 4 * DAY)] == [
        (removed.id, RelistingKind.SAME_IMAGE)
    ]
    assert _find(ledger, now + 5 * DAY) == []
    with ledger.read() as session:
        back = session.scalars(sa.select(Relisting).where(relistings.is_of_its_seller())).all()
    assert [one.lead_id for one in back] == [removed.id]


def picture(session, listing_id, hashed, now):
    sha256 = f"{listing_id:064}"
    facts = {"media_type": "image/png", "size": 1, "recorded_at": now}
    session.add(tables.Picture(sha256=sha256, perceptual_hash=f"{hashed:016x}", **facts))
    session.flush()
    session.add(tables.ListingPicture(listing_id=listing_id, sha256=sha256, observed_at=now))


def test_the_violation_of_a_relisting_is_a_lead_that_knows_the_earlier_one(
    ledger, make, removed, analyst, now, settings
):
    new = _new_listing(ledger, make, removed, now + DAY)
    later = now + 3 * DAY
    _find(ledger, later)
    with ledger.write() as session:
        task = review.next_task(session, analyst, now=later, settings=settings)
        assert (task.queue, task.listing_id) == ("relisted", new.id)
        review.decide(
            session,
            task.id,
            analyst,
            task.version,
            Finding.VIOLATION,
            category=Label.DISGUISED_MEDICAL,
            now=later,
            settings=settings,
        )
    with ledger.read() as session:
        lead = session.scalars(sa.select(Lead).where(Lead.listing_id == new.id)).one()
        assert lead.previous_lead_id == removed.id


def test_of_several_removed_listings_the_likest_is_linked(ledger, make, removed, analyst, now, settings):
    with ledger.write() as session:
        old = session.get(Listing, removed.listing_id)
        twin = make.listing(session, seller_id=old.seller_id)
        shown = make.snapshot(session, twin, **{**OFFER, "title": OFFER["title"] + " 新"})
        lead = make.lead(
            session,
            make.decision(session, make.task(session, shown), analyst),
            state=LeadState.SENT,
            sent_at=now,
        )
        for day in (1, 2):
            make.sighting(session, twin, observed_at=now + day * DAY)
        removals.settle(session, lead, now=now + 2 * DAY, settings=settings)
    _new_listing(ledger, make, removed, now + DAY)
    assert [relisting.lead_id for relisting in _find(ledger, now + 3 * DAY)] == [removed.id]


def test_a_relisting_that_was_judged_already_is_linked_and_not_queued(ledger, make, removed, analyst, now):
    _new_listing(ledger, make, removed, now + DAY, decided_by=analyst)
    assert len(_find(ledger, now + 3 * DAY)) == 1
    assert _tasks(ledger) == []


def test_the_same_page_up_again_is_relisted_for_good(ledger, make, removed, now, settings):
    with ledger.write() as session:
        listing = session.get(Listing, removed.listing_id)
        make.sighting(session, listing, state=Presence.UP, observed_at=now + 9 * DAY)
        removals.settle_all(session, now=now + 9 * DAY, settings=settings)
    (relisting,) = _find(ledger, now + 9 * DAY)
    assert (relisting.kind, relisting.listing_id) == (RelistingKind.SAME_URL, removed.listing_id)
    assert relisting.observed_at == now + 9 * DAY
    assert _find(ledger, now + 10 * DAY) == []
    assert _tasks(ledger) == [("relisted", removed.listing_id)]
    with ledger.read() as session:
        assert session.get(Lead, removed.id).outcome is VerificationOutcome.RELISTED


def test_a_listing_that_was_gone_before_dispatch_and_came_back_is_queued_again(
    ledger, make, analyst, platform, now, settings
):
    with ledger.write() as session:
        lead = make.lead(session, make.decision(session, make.task(session), analyst))
        notice = notices.draft(session, platform, [lead], analyst, now=now, settings=settings)
        make.sighting(session, lead.listing, observed_at=now + HOUR)
        assert notices.drop_gone(session, notice, now=now + 2 * HOUR) == [lead]
    assert _find(ledger, now + DAY) == []
    with ledger.write() as session:
        listing = session.get(Listing, lead.listing_id)
        make.sighting(session, listing, state=Presence.UP, observed_at=now + 2 * DAY)
    assert [relisting.kind for relisting in _find(ledger, now + 2 * DAY)] == [RelistingKind.SAME_URL]
    assert _tasks(ledger) == [("relisted", lead.listing_id)]
    with ledger.read() as session:
        stored = session.scalars(sa.select(Relisting)).one()
    assert stored.observed_at == now + 2 * DAY
