from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
import sqlalchemy as sa
from hypothesis import HealthCheck, given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st

from classifiers.verdict import Label
from takedowns import configuration, minors, tips
from takedowns.ledger import audit
from takedowns.ledger.tables import AuditEntry, Listing, ReviewTask, Tip
from takedowns.ledger.vocabulary import Role
from takedowns.roles import NotAllowedError
from takedowns.states import TIP, InvalidTransitionError, TipEvent, TipState, step
from takedowns.tips import House, Told

LINK = "https://shop.invalid/item/77?from=share"


@pytest.fixture
def house(settings, platform):
    return House(settings, {platform.name: platform}, lambda text: "学生" in text)


@pytest.fixture
def add(house, analyst, now):
    def added(session, text="网上有人卖电子烟", **given):
        at = given.pop("now", now)
        return tips.add(session, Told("hotline", text, **given), analyst, house, now=at)

    return added


def tasks(session):
    return session.scalars(sa.select(ReviewTask).order_by(ReviewTask.id)).all()


def test_a_link_in_a_tip_leads_to_a_listing_before_a_reviewer(ledger, add):
    with ledger.write() as session:
        tip, is_new = add(session, f"有人卖这个 {LINK} 「医用雾化器 西瓜味」")
        assert is_new
        assert (tip.number, tip.state, tip.platform, tip.item_id) == (
            "2026-0000-J00001",
            TipState.LINKED,
            "sample",
            "77",
        )
        listing = session.get(Listing, tip.listing_id)
        assert (listing.road, listing.url) == ("tip", "https://shop.invalid/item/77")
        (task,) = tasks(session)
        assert (task.queue, task.priority, task.snapshot.title) == ("tip", 0.5, "医用雾化器 西瓜味")
        assert task.snapshot.sources == {"title": "tip"}
    with ledger.read() as session:
        assert list(audit.verify(session)) == []
        assert session.scalars(sa.select(AuditEntry.action)).all()[-1] == "tip.add"


def test_the_same_tip_twice_adds_nothing(ledger, add, now):
    with ledger.write() as session:
        first, _ = add(session, number="A-1")
        again, is_new = add(session, number="A-1", now=now + timedelta(days=3))
        assert (again.id, is_new) == (first.id, False)
        unnumbered, _ = add(session, "甲店卖雪茄")
        assert add(session, "甲店卖雪茄")[0].id == unnumbered.id
        told_later, is_new = add(session, "甲店卖雪茄", now=now + timedelta(days=3))
        assert (is_new, told_later.id != unnumbered.id) == (True, True)


def test_a_known_number_with_another_text_is_refused_and_not_lost(sqlite_ledger, add):
    with sqlite_ledger.write() as session:
        add(session, number="A-1")
        with pytest.raises(tips.OtherTipError, match="2026-0000-J00001"):
            add(session, "另一件事", number="A-1")


def test_nothing_of_who_told_it_is_stored(sqlite_ledger, add):
    with sqlite_ledger.write() as session:
        add(
            session,
            "举报人：王小明，电话13812345678，身份证110101199003071234，说有人卖烟",
            number="13812345678",
        )
    with sqlite_ledger.read() as session:
        tip = session.scalars(sa.select(Tip)).one()
        stored = f"{vars(tip)} {[entry.payload for entry in session.scalars(sa.select(AuditEntry))]}"
    for personal in ("王小明", "13812345678", "110101199003071234"):
        assert personal not in stored
    assert tip.text == "举报人：***，电话***，身份证***，说有人卖烟"


def test_a_title_without_a_link_is_not_lost_and_cells_for_links_are_masked_too(sqlite_ledger, add):
    with sqlite_ledger.write() as session:
        tip, _ = add(session, "有人卖", title="草本雾化棒", url="加我13812345678", shop="某店0571-87654321")
        assert (tip.text, tip.url, tip.shop) == ("草本雾化棒\n有人卖", "加我***", "某店***")


def test_tips_about_minors_come_first_and_have_a_clock_of_their_own(sqlite_ledger, add, now):
    with sqlite_ledger.write() as session:
        ordinary, _ = add(session, "有人卖电子烟")
        by_column, _ = add(session, "有人卖雪茄", minors=True)
        by_words, _ = add(session, f"卖给学生 {LINK} 「雾化」")
        assert [by_column.minors, by_words.minors, ordinary.minors] == [True, True, False]
        assert by_words.due_at == now + timedelta(hours=24)
        # five working days after Monday 12 October, to the end of the day in Shanghai
        assert ordinary.due_at == datetime(2026, 10, 19, 16, tzinfo=UTC)
        assert [tip.id for tip in tips.waiting(session)] == [by_column.id, ordinary.id]
        assert [task.priority for task in tasks(session)] == [1.0]


def test_a_listing_that_aims_at_minors_makes_the_tip_one_about_them(sqlite_ledger, make, add, now):
    with sqlite_ledger.write() as session:
        shown = make.snapshot(session, make.listing(session, item_id="77"))
        make.verdict(session, shown, payload={"signals": [{"concept": "minors.hiding"}]})
        tip, _ = add(session, LINK)
        assert (tip.minors, tip.due_at) == (True, now + timedelta(hours=24))


def test_an_open_task_comes_sooner_and_whoever_holds_it_may_go_on(ledger, make, add):
    with ledger.write() as session:
        task = make.task(session, make.snapshot(session, make.listing(session, item_id="77")), priority=0.4)
        version = task.version
        add(session, f"卖给学生 {LINK}")
        session.refresh(task)
        assert (task.priority, task.queue, task.version) == (1.0, "disguise", version)
        assert len(tasks(session)) == 1


def test_other_tobacco_goes_the_same_way(sqlite_ledger, add):
    with sqlite_ledger.write() as session:
        tip, _ = add(session, f"卖雪茄 {LINK} 「古巴雪茄」", category=Label.OTHER_TOBACCO)
        assert (tip.category, tip.state, len(tasks(session))) == (Label.OTHER_TOBACCO, TipState.LINKED, 1)


def test_platform_and_item_id_are_as_good_as_a_link(sqlite_ledger, add):
    with sqlite_ledger.write() as session:
        assert add(session, platform="示例商城", item_id="77")[0].state is TipState.LINKED
        assert add(session, "某店", platform="别的商城", item_id="77")[0].state is TipState.NEW
        assert add(session, "怪号", platform="sample", item_id="不是号")[0].state is TipState.NEW


def test_a_listing_whose_page_is_seen_later_is_then_put_before_a_reviewer(
    ledger, make, add, house, now, settings
):
    with ledger.write() as session:
        tip, _ = add(session, LINK)
        assert [one.id for one in tips.waiting(session)] == [tip.id]
        assert tips.queue_seen(session, settings, now=now) == 0
        make.snapshot(session, session.get(Listing, tip.listing_id))
        assert tips.queue_seen(session, settings, now=now) == 1
        assert tips.queue_seen(session, settings, now=now) == 0
        assert [task.queue for task in tasks(session)] == ["tip"]
        assert tips.waiting(session) == []


def test_what_the_classifier_put_there_first_comes_sooner_if_minors_are_concerned(
    sqlite_ledger, make, add, now, settings
):
    with sqlite_ledger.write() as session:
        told, _ = add(session, LINK, minors=True)
        aimed, _ = add(session, "https://shop.invalid/item/78")
        for tip, concept in ((told, "cover.medical"), (aimed, "minors.age")):
            shown = make.snapshot(session, session.get(Listing, tip.listing_id))
            make.verdict(session, shown, payload={"signals": [{"concept": concept}]})
            make.task(session, shown, priority=0.9)
        assert tips.queue_seen(session, settings, now=now) == 0
        session.expire_all()
        assert [(task.queue, task.priority) for task in tasks(session)] == [("disguise", 1.0)] * 2
        assert aimed.minors


def test_a_tip_without_a_link_waits_until_a_person_links_or_dismisses_it(ledger, add, analyst, house, now):
    with ledger.write() as session:
        first, _ = add(session, "某群有人卖烟")
        second, _ = add(session, "听说的")
        tips.link(session, first.id, analyst, LINK, house, title="雾化器", now=now, version=first.version)
        tips.dismiss(session, second.id, analyst, "没有线索，13812345678", now=now)
        assert (first.state, second.state, second.note) == (
            TipState.LINKED,
            TipState.DISMISSED,
            "没有线索，***",
        )
        assert (first.handled_by_id, first.handled_at) == (analyst.id, now)
        assert tips.waiting(session) == []
        tips.link(session, second.id, analyst, LINK, house, now=now)  # it turned up after all
        with pytest.raises(tips.TipStateError):
            tips.dismiss(session, first.id, analyst, "x", now=now, version=0)


def test_what_cannot_be_done_is_refused_by_name(sqlite_ledger, add, analyst, house, make, now):
    with sqlite_ledger.write() as session:
        tip, _ = add(session)
        with pytest.raises(tips.NoListingError, match="no platform"):
            tips.link(session, tip.id, analyst, "https://elsewhere.invalid/1", house, now=now)
        with pytest.raises(tips.TipError, match="note"):
            tips.dismiss(session, tip.id, analyst, " ", now=now)
        with pytest.raises(tips.UnknownTipError):
            tips.dismiss(session, 999, analyst, "x", now=now)
        with pytest.raises(tips.TipError, match="origin"):
            tips.add(session, Told("rumour", "x"), analyst, house, now=now)
        with pytest.raises(tips.TipError, match="future"):
            add(session, received_at=now + timedelta(days=2))
        for wrong in ({"text": ""}, {"text": "长" * 10_001}, {"shop": "店" * 201}):
            with pytest.raises(tips.TipError):
                add(session, **wrong)
        operator = make.user(session, role=Role.OPERATOR)
        with pytest.raises(NotAllowedError):
            tips.dismiss(session, tip.id, operator, "x", now=now)
        assert tip.state is TipState.NEW


@hypothesis_settings(
    suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=40, deadline=None
)
@given(text=st.text(max_size=200), title=st.text(max_size=50), shop=st.text(max_size=50))
def test_whatever_is_told_is_taken_in_or_refused_by_name(sqlite_ledger, add, text, title, shop):
    with sqlite_ledger.write() as session:
        try:
            tip, _ = add(session, text, title=title, shop=shop)
        except tips.TipError:
            return
        session.expire_all()
        assert session.get(Tip, tip.id).text == tip.text


@given(st.lists(st.sampled_from(TipEvent), max_size=6))
def test_a_tip_never_becomes_new_again(events):
    state = TipState.NEW
    for event in events:
        try:
            state = step(TIP, state, event)
        except InvalidTransitionError:
            continue
        assert state is not TipState.NEW


def test_the_lexicon_finds_who_sells_to_minors_and_spares_ordinary_words():
    concerns = minors.by_words(configuration.SHIPPED / "lexicon")
    for text in (
        "学生党可拍",
        "家长发现不了的小烟",
        "卖给未成年人",
        "孩子在网上买到",
        "sold to under-age buyers",
    ):
        assert concerns(text), text
    for text in ("某店卖电子烟", "卡通盲盒 联名款", "12313来电：店铺卖雪茄"):
        assert not concerns(text), text


def test_an_item_id_that_no_shop_has_leaves_the_tip_waiting(sqlite_ledger, add):
    with sqlite_ledger.write() as session:
        tip, _ = add(session, f"https://shop.invalid/item/{'7' * 300}")
        assert (tip.state, tip.listing_id) == (TipState.NEW, None)
