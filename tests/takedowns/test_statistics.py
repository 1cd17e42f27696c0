from __future__ import annotations

import math
import random

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st
from sklearn.metrics import cohen_kappa_score

from takedowns.statistics import (
    NOT_REACHED,
    ChangeKind,
    Interval,
    agreement,
    count_change,
    kaplan_meier,
    proportion,
    share_change,
    wilson,
)

Z = 1.959963984540054
HOURS = st.integers(1, 200).map(float)

# Weeks of remission, Freireich et al. 1963: the example of most textbooks on survival.
REMISSION_ENDED = [6, 6, 6, 7, 10, 13, 16, 22, 23]
STILL_IN_REMISSION = [6, 9, 10, 11, 17, 19, 20, 25, 32, 32, 34, 35]
PLACEBO = [1, 1, 2, 2, 3, 4, 4, 5, 5, 8, 8, 8, 8, 11, 11, 12, 12, 15, 17, 22, 23]


@pytest.mark.parametrize(
    ("successes", "trials", "low", "high"),
    # Newcombe 1998, table I, method 3
    [(81, 263, 0.2553, 0.3662), (15, 148, 0.0624, 0.1605), (0, 20, 0.0, 0.1611), (1, 29, 0.0061, 0.1718)],
)
def test_wilson_gives_the_published_intervals(successes: int, trials: int, low: float, high: float) -> None:
    bounds = wilson(successes, trials)
    assert (round(bounds.low, 4), round(bounds.high, 4)) == (low, high)


@given(st.integers(1, 10_000), st.data())
def test_wilson_agrees_with_the_closed_form(trials: int, data: st.DataObject) -> None:
    successes = data.draw(st.integers(0, trials))
    share, square = successes / trials, Z * Z
    centre = (share + square / (2 * trials)) / (1 + square / trials)
    half = Z * math.sqrt(share * (1 - share) / trials + square / (4 * trials**2)) / (1 + square / trials)
    bounds = wilson(successes, trials)
    assert (bounds.low, bounds.high) == pytest.approx((centre - half, centre + half), abs=1e-9)


@pytest.mark.parametrize(("successes", "trials"), [(1, 0), (0, 0), (-1, 3), (4, 3)])
def test_what_is_no_proportion_is_refused(successes: int, trials: int) -> None:
    with pytest.raises(ValueError, match="is no proportion"):
        wilson(successes, trials)


def test_a_share_of_nothing_has_no_value() -> None:
    assert proportion(0, 0).value is None
    assert proportion(0, 0).interval is None


def test_none_of_three_hundred_still_leaves_room() -> None:
    estimate = proportion(0, 300)
    assert estimate.value == 0
    assert estimate.interval is not None
    assert 0.01 < estimate.interval.high < 0.013


def test_the_curve_is_the_published_one() -> None:
    curve = kaplan_meier(REMISSION_ENDED, STILL_IN_REMISSION)
    published = {6: 0.857, 7: 0.807, 10: 0.753, 13: 0.690, 16: 0.627, 22: 0.538, 23: 0.448}
    for week, share in published.items():
        assert round(1 - (curve.removed_within(week).value or 0), 3) == share


def test_the_medians_are_the_published_ones() -> None:
    treated = kaplan_meier(REMISSION_ENDED, STILL_IN_REMISSION).median()
    assert (treated.value, treated.interval) == (23, Interval(13, NOT_REACHED))
    placebo = kaplan_meier(PLACEBO, []).median()
    assert (placebo.value, placebo.interval) == (8, Interval(4, 11))


@given(st.lists(HOURS, max_size=40), st.lists(HOURS, max_size=40), HOURS)
def test_the_curve_is_the_product_limit(removed: list[float], still_up: list[float], within: float) -> None:
    assume(removed or still_up)
    share = 1.0
    for time in sorted({t for t in removed if t <= within}):
        at_risk = sum(t >= time for t in (*removed, *still_up))
        share *= 1 - removed.count(time) / at_risk
    told = kaplan_meier(removed, still_up).removed_within(within)
    if told.value is None:
        assert within > max(*removed, *still_up, 0)
    else:
        assert told.value == pytest.approx(1 - share)
        assert told.interval is not None
        assert 0 <= told.interval.low <= told.value + 1e-9
        assert told.value - 1e-9 <= told.interval.high <= 1


def test_a_median_that_is_not_reached_says_so() -> None:
    median = kaplan_meier([10], [20, 20, 20]).median()
    assert median.value == NOT_REACHED


def test_the_handled_alone_would_flatter() -> None:
    """Half of the slow ones are still up: the median of the removed alone would be 20 hours."""
    removed, still_up = [10.0, 20.0, 30.0], [50.0, 50.0]
    assert kaplan_meier(removed, still_up).median().value == 30


def test_beyond_the_time_watched_nothing_is_said() -> None:
    assert kaplan_meier([10], [20]).removed_within(72).value is None


def test_without_removals_the_share_is_none_of_those_watched_so_long() -> None:
    told = kaplan_meier([], [24, 100, 100, 100]).removed_within(72)
    assert told.value == 0
    assert told.interval == wilson(0, 3)


def test_when_all_are_removed_the_share_is_one() -> None:
    told = kaplan_meier([5, 6], []).removed_within(72)
    assert (told.value, told.interval) == (1, wilson(2, 2))


def test_nobody_watched_gives_no_value() -> None:
    curve = kaplan_meier([], [])
    assert curve.median().value is None
    assert curve.removed_within(72).value is None


@pytest.mark.parametrize("hours", [-1, math.inf, math.nan])
def test_an_impossible_time_is_refused(hours: float) -> None:
    with pytest.raises(ValueError, match="finite and not negative"):
        kaplan_meier([hours], [])


def test_intervals_cover_the_truth_about_as_often_as_they_promise() -> None:
    """Exponential times with a true median of 42 h, watched for 30 to 120 h."""
    chance = random.Random(7)
    covered = 0
    for _ in range(200):
        times = [(chance.expovariate(math.log(2) / 42), chance.uniform(30, 120)) for _ in range(120)]
        curve = kaplan_meier([t for t, end in times if t <= end], [end for t, end in times if t > end])
        bounds = curve.median().interval
        assert bounds is not None
        covered += bounds.low <= 42 <= bounds.high
    assert 182 <= covered <= 199  # 95 % of 200 is 190, give or take 2.6 standard deviations


def test_kappa_is_the_textbook_value() -> None:
    """The 2 × 2 table 20, 5, 10, 15 has a kappa of 0.4."""
    pairs = [("y", "y")] * 20 + [("y", "n")] * 5 + [("n", "y")] * 10 + [("n", "n")] * 15
    told = agreement(pairs)
    assert (told.pairs, told.agreed) == (50, 35)
    assert told.kappa == pytest.approx(0.4)
    assert told.largest_class == 0.55


@given(st.lists(st.tuples(st.sampled_from("abc"), st.sampled_from("abc")), min_size=1))
def test_kappa_agrees_with_an_independent_computation(pairs: list[tuple[str, str]]) -> None:
    told = agreement(pairs)
    if len({answer for pair in pairs for answer in pair}) == 1:
        assert told.kappa is None
    else:
        first, second = zip(*pairs, strict=True)
        assert told.kappa == pytest.approx(cohen_kappa_score(first, second))


def test_agreement_on_nothing_is_refused() -> None:
    with pytest.raises(ValueError, match="no item"):
        agreement([])


@pytest.mark.parametrize(
    ("now", "base", "kind", "value"),
    [
        (95, 100, ChangeKind.PERCENT, -0.05),
        (33, 30, ChangeKind.PERCENT, 0.1),
        (33, 29, ChangeKind.DIFFERENCE, 4),
        (33, 0, ChangeKind.NO_BASE, None),
        (0, 0, ChangeKind.NO_BASE, None),
    ],
)
def test_a_change_is_told_by_the_size_of_its_base(
    now: int, base: int, kind: ChangeKind, value: float | None
) -> None:
    change = count_change(now, base)
    assert (change.kind, change.base) == (kind, base)
    assert change.value == (value if value is None else pytest.approx(value))


def test_shares_change_by_points() -> None:
    assert share_change(0.65, 0.6).value == pytest.approx(0.05)
    assert share_change(None, 0.6).kind is ChangeKind.NO_BASE
