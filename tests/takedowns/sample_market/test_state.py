from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from takedowns.sample_market.catalogue import build_catalogue
from takedowns.sample_market.corpus import read_corpus, read_hostile
from takedowns.sample_market.figures import Outcome, figures, outcome
from takedowns.sample_market.modes import GONE, SHOWN, UNREACHABLE, Mode
from takedowns.sample_market.notices import LeadLine, Notice
from takedowns.sample_market.policy import Deed, Policy, plan, policy_for
from takedowns.sample_market.state import (
    ClockError,
    Market,
    UnknownItem,
    advance,
    opening,
    receive,
    relist,
    set_mode,
)

START = datetime(2026, 10, 1, tzinfo=UTC)
SEED = 3
OPEN = opening(build_catalogue(read_corpus(), read_hostile(), SEED, 120), SEED, START)
IDS = tuple(OPEN.entries)


def lead(item_id: str, number: str = "") -> LeadLine:
    return LeadLine(
        number=number or f"VW-{item_id}", item_id=item_id, url=f"http://m/mall/item/{item_id}.html"
    )


def notice(*items: str, message_id: str = "<1@x>") -> Notice:
    return Notice(message_id=message_id, leads=tuple(lead(item) for item in items))


def noticed(policy: Policy) -> tuple[Market, str]:
    item = next(item for item in IDS if policy_for(SEED, item) is policy)
    return receive(OPEN, notice(item)), item


def mode_after(market: Market, item: str, days: float) -> Mode:
    return advance(market, START + timedelta(days=days)).entries[item].mode


def test_every_mode_is_of_one_sort():
    assert set(Mode) == SHOWN | GONE | UNREACHABLE


def test_nothing_happens_before_the_clock_moves():
    market, item = noticed(Policy.OBEY)
    assert market.entries[item].mode is Mode.UP
    assert mode_after(market, item, 3 / 24) is Mode.UP


@pytest.mark.parametrize("policy", [Policy.OBEY, Policy.SILENT_OBEY, Policy.OBEY_THEN_RELIST])
def test_who_obeys_removes_within_forty_hours(policy: Policy):
    market, item = noticed(policy)
    assert mode_after(market, item, 40 / 24) in GONE


@pytest.mark.parametrize("policy", [Policy.IGNORE, Policy.LIE])
def test_who_ignores_or_lies_leaves_the_listing_up(policy: Policy):
    market, item = noticed(policy)
    assert mode_after(market, item, 60) is Mode.UP


def test_who_blocks_hides_behind_a_captcha():
    market, item = noticed(Policy.BLOCK)
    assert mode_after(market, item, 2) in {Mode.CAPTCHA_200, Mode.CAPTCHA_404}


@pytest.mark.parametrize("policy", list(Policy))
def test_only_the_silent_ones_do_not_answer(policy: Policy):
    market, _ = noticed(policy)
    answered = advance(market, START + timedelta(days=2)).leads[0].answered_at
    assert (answered is None) == (policy in {Policy.IGNORE, Policy.SILENT_OBEY})


@pytest.mark.parametrize("back", [Deed.SET_MODE, Deed.RELIST])
def test_a_listing_comes_back_under_its_own_or_a_new_id(back: Deed):
    item = next(
        item
        for item in IDS
        if policy_for(SEED, item) is Policy.OBEY_THEN_RELIST
        and plan(Policy.OBEY_THEN_RELIST, SEED, lead(item), START)[-1].deed is back
    )
    market = advance(receive(OPEN, notice(item)), START + timedelta(days=30))
    entry = market.entries[item]
    assert outcome(market, entry) is Outcome.RELISTED
    assert (entry.mode is Mode.UP) == (back is Deed.SET_MODE)
    assert len(market.entries) == len(OPEN.entries) + (back is Deed.RELIST)


def test_a_relisted_offer_is_the_same_but_for_its_id():
    market, new_id = relist(OPEN, IDS[0])
    assert replace(market.entries[new_id].offer, item_id=IDS[0]) == OPEN.entries[IDS[0]].offer
    assert market.entries[new_id].relisted_from == IDS[0]


def test_each_deed_is_logged_at_the_time_it_was_due_and_in_order():
    market = advance(receive(OPEN, notice(*IDS)), START + timedelta(days=30))
    times = [event.at for event in market.events]
    assert times == sorted(times)
    assert START < times[-1] < market.now
    assert not market.pending


def test_the_same_message_twice_is_counted_and_acted_on_once():
    market = receive(receive(OPEN, notice(IDS[0])), notice(IDS[0]))
    assert len(market.message_ids) == 2
    assert len(market.leads) == 1
    assert market.events[-1].kind == "duplicate_notice"


def test_a_lead_on_an_unknown_listing_is_logged_and_not_lost():
    market = receive(OPEN, notice("0000000000", IDS[0]))
    assert [event.kind for event in market.events] == ["notice", "unknown_lead", "noticed"]
    assert [lead.item_id for lead in market.leads] == [IDS[0]]


def test_the_clock_never_runs_backwards():
    with pytest.raises(ClockError, match="is before it"):
        advance(OPEN, START - timedelta(seconds=1))


def test_an_unknown_listing_is_refused():
    with pytest.raises(UnknownItem, match="0000000000"):
        set_mode(OPEN, "0000000000", Mode.UP)


def test_the_policies_of_the_market_are_mixed():
    found = [policy_for(1, str(number)) for number in range(1000)]
    assert all(found.count(policy) > 40 for policy in Policy)


@settings(max_examples=40, deadline=None)
@given(
    items=st.lists(st.sampled_from(IDS), unique=True, max_size=30),
    steps=st.lists(st.integers(0, 200), max_size=5),
)
def test_where_the_clock_stops_on_its_way_makes_no_difference(items: list[str], steps: list[int]):
    start = receive(OPEN, notice(*items))
    walked = start
    for hours in steps:
        walked = advance(walked, walked.now + timedelta(hours=hours))
    assert walked == advance(start, START + timedelta(hours=sum(steps)))


@settings(max_examples=40, deadline=None)
@given(
    items=st.lists(st.sampled_from(IDS), unique=True, max_size=30),
    by_hand=st.lists(st.tuples(st.sampled_from(IDS), st.sampled_from(list(Mode))), max_size=10),
    days=st.integers(0, 40),
)
def test_the_figures_add_up(items: list[str], by_hand: list[tuple[str, Mode]], days: int):
    market = receive(OPEN, notice(*items))
    for item, mode in by_hand:
        market = set_mode(market, item, mode)
    found = figures(advance(market, START + timedelta(days=days)))
    parts = (found.really_removed, found.relisted, found.still_up, found.altered, found.unreachable)
    assert found.noticed == len(items) == sum(parts)
    assert found.lied <= min(found.still_up, found.replied_removed)
    assert found.listings >= len(IDS)
