"""What is drawn, how likely it was, and that estimates made with these probabilities are right."""

from __future__ import annotations

import math
from collections import Counter
from datetime import UTC, date, datetime, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import ValidationError

from crawlers.sampling import Panel, draw, frame_of, hour_for, seed_for

SEEDS = 4_000
PANEL = Panel.model_validate(
    {
        "platform": "corner",
        "version": "1",
        "depth": 8,
        "strata": [
            {"name": "medical", "queries": ["雾化", "nebulizer"], "draws": 4},
            {"name": "drink", "queries": ["植物", "饮"], "draws": 3},
        ],
    }
)
# "both" stands in three queries of two strata, "twin" at two positions of one stratum.
RESULTS = {
    "雾化": {i: f"/{i}" for i in ("both", "twin", "m1", "m2", "m3", "m4", "m5", "m6", "too_deep")},
    "nebulizer": {i: f"/{i}" for i in ("m7", "both", "m8", "twin")},
    "植物": {i: f"/{i}" for i in ("both", "d1", "d2")},
    "饮": {i: f"/{i}" for i in ("d3", "d4", "d5", "d6", "d7", "d8")},
}
FRAME = frame_of(PANEL, RESULTS)


@pytest.fixture(scope="module")
def samples():
    return [draw(PANEL, FRAME, f"seed {number}") for number in range(SEEDS)]


def test_the_frame_is_every_position_down_to_the_panels_depth():
    assert Counter(place.query for place in FRAME) == {"雾化": 8, "nebulizer": 4, "植物": 3, "饮": 6}
    assert "too_deep" not in {place.item_id for place in FRAME}
    assert [place.position for place in FRAME if place.query == "植物"] == [1, 2, 3]


def test_a_query_that_was_not_read_is_no_part_of_the_frame():
    assert {place.query for place in frame_of(PANEL, {"饮": {"d3": "/d3"}})} == {"饮"}


def near(times: int, probability: float) -> bool:
    """Within five standard errors: one of thousands of honest samplers would fail that."""
    error = math.sqrt(probability * (1 - probability) / SEEDS)
    return abs(times / SEEDS - probability) <= 5 * error + 1e-12


def test_positions_are_drawn_as_often_as_their_probability_says(samples):
    times = Counter((one.query, one.position) for sample in samples for one in sample)
    stated = {(one.query, one.position): one.probability for sample in samples for one in sample}
    assert len(stated) == len(FRAME)
    assert {stated[place.query, place.position] for place in FRAME} == {4 / 12, 3 / 9}
    assert all(near(times[place], probability) for place, probability in stated.items())


def test_listings_that_several_queries_show_are_drawn_as_often_as_their_probability_says(samples):
    times = Counter(item_id for sample in samples for item_id in {one.item_id for one in sample})
    stated = {one.item_id: one.listing_probability for sample in samples for one in sample}
    assert stated["both"] == pytest.approx(1 - (8 / 12 * 7 / 11) * (6 / 9))
    assert stated["twin"] == pytest.approx(1 - 8 / 12 * 7 / 11)
    assert stated["m1"] == pytest.approx(4 / 12)
    assert all(near(times[item_id], probability) for item_id, probability in stated.items())


def test_two_positions_are_drawn_together_as_often_as_chance_has_it(samples):
    pair = {("雾化", 3), ("nebulizer", 1)}
    together = sum(pair <= {(one.query, one.position) for one in sample} for sample in samples)
    assert near(together, 4 / 12 * 3 / 11)


def test_the_share_of_violating_positions_is_estimated_without_bias(samples):
    violating = {"both", "m2", "d1", "d5"}
    true_share = sum(place.item_id in violating for place in FRAME) / len(FRAME)
    estimates = [
        sum((one.item_id in violating) / one.probability for one in sample)
        / sum(1 / one.probability for one in sample)
        for sample in samples
    ]
    assert _mean_is(estimates, true_share)


def test_the_number_of_violating_listings_is_estimated_without_bias_in_both_ways(samples):
    violating = {"both", "twin", "m2", "d1"}
    by_listing = [
        sum(1 / p for p in {o.item_id: o.listing_probability for o in s if o.item_id in violating}.values())
        for s in samples
    ]
    by_position = [
        sum((one.item_id in violating) / one.multiplicity / one.probability for one in sample)
        for sample in samples
    ]
    assert _mean_is(by_listing, len(violating))
    assert _mean_is(by_position, len(violating))


def _mean_is(estimates: list[float], truth: float) -> bool:
    mean = sum(estimates) / len(estimates)
    spread = math.sqrt(sum((one - mean) ** 2 for one in estimates) / len(estimates))
    assert spread > 0
    return abs(mean - truth) <= 5 * spread / math.sqrt(len(estimates))


@given(st.text(max_size=8), st.randoms(use_true_random=False))
@settings(max_examples=50)
def test_the_order_of_the_frame_changes_nothing_and_a_seed_always_draws_the_same(seed, shuffler):
    shuffled = list(FRAME)
    shuffler.shuffle(shuffled)
    assert set(draw(PANEL, shuffled, seed)) == set(draw(PANEL, FRAME, seed))


@given(
    st.dictionaries(
        st.sampled_from(list(PANEL.stratum_of)),
        st.lists(st.sampled_from("abcdefghij"), unique=True).map(lambda ids: {i: f"/{i}" for i in ids}),
    ),
    st.text(max_size=4),
)
def test_any_frame_gives_as_many_draws_as_it_can_and_sound_probabilities(results, seed):
    frame = frame_of(PANEL, results)
    sample = draw(PANEL, frame, seed)
    for stratum in PANEL.strata:
        size = sum(place.stratum == stratum.name for place in frame)
        assert sum(one.stratum == stratum.name for one in sample) == min(size, stratum.draws)
    for one in sample:
        assert 0 < one.probability <= one.listing_probability + 1e-9 <= 1 + 2e-9
        assert one.multiplicity == sum(place.item_id == one.item_id for place in frame)


def test_a_frame_no_larger_than_the_draws_is_looked_at_whole():
    sample = draw(PANEL, frame_of(PANEL, {"饮": {"d3": "/d3", "d4": "/d4"}}), "s")
    assert [(one.item_id, one.probability, one.listing_probability) for one in sample] == [
        ("d3", 1, 1),
        ("d4", 1, 1),
    ]


def test_a_changed_panel_or_another_time_gives_another_seed():
    slot = datetime(2026, 10, 1, tzinfo=UTC)
    deeper = PANEL.model_copy(update={"depth": 9})
    seeds = {seed_for(PANEL, slot), seed_for(deeper, slot), seed_for(PANEL, slot + timedelta(days=1))}
    assert len(seeds) == 3


def test_every_hour_gets_its_share_of_the_days():
    hours = range(1, 6)
    first = date(2026, 1, 1)
    times = Counter(hour_for(PANEL, first + timedelta(days=number), hours) for number in range(3_000))
    assert set(times) == set(hours)
    assert max(abs(count - 600) for count in times.values()) < 5 * math.sqrt(3_000 * 0.2 * 0.8)


@pytest.mark.parametrize(
    ("strata", "complaint"),
    [
        ([{"name": "a", "queries": ["x", "x"], "draws": 2}], "query named twice: x"),
        ([{"name": "a", "queries": ["x"], "draws": 2}] * 2, "stratum named twice: a"),
        ([{"name": "a", "queries": ["x"], "draws": 1}], "greater than or equal to 2"),
        ([], "at least 1 item"),
    ],
)
def test_a_panel_that_could_not_be_estimated_from_is_refused(strata, complaint):
    with pytest.raises(ValidationError, match=complaint):
        Panel.model_validate({"platform": "p", "version": "1", "depth": 5, "strata": strata})
