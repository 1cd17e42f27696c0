"""When a platform may be crawled and how much, from values alone."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from crawlers.permission import (
    LONGEST_RETRY_AFTER,
    LONGEST_SILENCE,
    SILENCE_AFTER_BLOCK,
    SILENCE_AFTER_REFUSAL,
    ZONE,
    PastRun,
    hours_of,
    permission,
)
from crawlers.politeness import MAX_DAILY_REQUESTS
from tests.crawlers.shop import shop_profile

NOON = datetime(2026, 10, 14, 4, 0, tzinfo=UTC)  # in Shanghai
HOUR = timedelta(hours=1)


def abroad(**politeness):
    return shop_profile("https://mall.example", politeness=politeness)


def past(hours_ago: float, requests: int = 10, **run) -> PastRun:
    ended = NOON - hours_ago * HOUR
    return PastRun(ended - timedelta(minutes=5), ended, requests, **run)


def test_a_platform_without_history_may_have_its_budget():
    assert permission(abroad(), [], NOON).requests == 2000
    assert permission(abroad(), [], NOON).refusal is None


def test_two_runs_never_knock_at_one_platform_together():
    going = PastRun(NOON - HOUR, None, 100)
    assert permission(shop_profile(), [going], NOON).refusal == "busy"


def test_the_budget_is_of_a_day_in_shanghai_and_of_all_its_runs():
    midnight = datetime(2026, 10, 14, tzinfo=ZONE)
    before, after = midnight - timedelta(seconds=1), midnight
    runs = [PastRun(before, before, 500), PastRun(after, after, 300), past(1, 100)]
    assert permission(abroad(daily_requests=1000), runs, NOON).requests == 600
    assert permission(abroad(daily_requests=1000), runs, NOON, set_aside=550).requests == 50
    spent = permission(abroad(daily_requests=400), runs, NOON)
    assert (spent.refusal, spent.until) == ("budget_spent", midnight + timedelta(days=1))


@pytest.mark.parametrize(
    ("run", "silence"),
    [
        ({"refusals": 1}, SILENCE_AFTER_REFUSAL),
        ({"blocked": True}, SILENCE_AFTER_BLOCK),
        ({"silent_until": NOON + 9 * HOUR}, 9 * HOUR),
        ({"silent_until": NOON + timedelta(days=4000)}, LONGEST_RETRY_AFTER),
        ({}, None),
    ],
)
def test_a_refusal_is_remembered_by_the_runs_after_it(run, silence):
    allowed = permission(abroad(), [past(0, **run)], NOON)
    assert (allowed.refusal, allowed.until) == (("cool_off", NOON + silence) if silence else (None, None))
    if silence:
        assert permission(abroad(), [past(0, **run)], NOON + silence).refusal is None


def test_each_blocked_run_in_a_row_doubles_the_silence_up_to_a_week():
    lengths = []
    for before in range(7):
        runs = [*(past(1000 * (before - n), blocked=True) for n in range(before)), past(0, blocked=True)]
        lengths.append(permission(abroad(), runs, NOON).until - NOON)
    assert lengths[:4] == [SILENCE_AFTER_BLOCK * factor for factor in (1, 2, 4, 8)]
    assert lengths[-1] == LONGEST_SILENCE
    forgiven = [past(2000, blocked=True), past(1000), past(0, blocked=True)]
    assert permission(abroad(), forgiven, NOON).until == NOON + SILENCE_AFTER_BLOCK


def test_our_own_machine_may_be_asked_again_at_once():
    assert permission(shop_profile(), [past(0, blocked=True, refusals=3)], NOON).refusal is None


@pytest.mark.parametrize(
    ("window", "hour", "opens", "closes"),
    [
        ("10:00-14:00", 12, None, 14),
        ("13:00-14:00", 12, 13, None),
        ("10:00-12:00", 12, 34, None),  # tomorrow
        ("22:00-06:00", 23, None, 30),
        ("22:00-06:00", 3, None, 6),
        ("22:00-06:00", 12, 22, None),
    ],
)
def test_a_window_is_kept_also_across_midnight(window, hour, opens, closes):
    day = datetime(2026, 10, 14, tzinfo=ZONE)
    allowed = permission(abroad(window=window), [], day + hour * HOUR)
    assert allowed.refusal == ("outside_window" if opens else None)
    assert allowed.until == day + (opens or closes) * HOUR


def test_the_hours_of_a_window():
    assert hours_of(abroad()) == list(range(24))
    assert hours_of(abroad(window="22:30-01:15")) == [0, 22, 23]


POLITENESS = st.fixed_dictionaries(
    {
        "delay_s": st.floats(0, 100),
        "daily_requests": st.integers(1, 10**9),
        "cool_off_hours": st.floats(0, 720),
    }
)
RUNS = st.lists(
    st.builds(
        past,
        st.floats(0, 800),
        st.integers(0, 3000),
        refusals=st.integers(0, 2),
        blocked=st.booleans(),
    ),
    max_size=6,
)


@given(POLITENESS, RUNS)
def test_nothing_in_a_profile_undercuts_the_floor(politeness, runs):
    allowed = permission(abroad(**politeness), runs, NOON)
    today = sum(run.requests for run in runs if run.started_at >= datetime(2026, 10, 14, tzinfo=ZONE))
    assert allowed.requests <= max(0, MAX_DAILY_REQUESTS - today)
    lately = [run for run in runs if run.ended_at + SILENCE_AFTER_BLOCK > NOON and run.blocked]
    lately += [run for run in runs if run.ended_at + SILENCE_AFTER_REFUSAL > NOON and run.refusals]
    if lately:
        assert (allowed.refusal, allowed.requests) == ("cool_off", 0)
