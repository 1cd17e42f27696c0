"""What a run is worth, from its counts alone."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from crawlers.health import RunFacts, against_history, diagnose, outcome_of
from crawlers.rundir import Outcome, RunKind, RunStats
from tests.crawlers.shop import shop_profile

STRICT = shop_profile(assertions={"min_listings": 10, "fill_rate": {"price": 0.8}})


def run(
    kind=RunKind.SWEEP,
    finish_reason="finished",
    canary_ok=True,
    fills=None,
    same=(0, 0),
    before=0,
    **counters,
):
    facts = RunFacts(kind, STRICT, finish_reason, counters, fills or {"price": 100}, canary_ok, *same, before)
    issues = diagnose(facts)
    return outcome_of(facts, issues), {issue.code for issue in issues if issue.level == "error"}


@pytest.mark.parametrize(
    ("found", "outcome", "codes"),
    [
        (run(items=20), Outcome.OK, set()),
        (run(items=20, canary_ok=None), Outcome.OK, set()),
        (run(items=9), Outcome.PARTIAL, {"below_min"}),
        (run(items=20, fills={"price": 15}), Outcome.PARTIAL, {"low_fill_rate"}),
        (run(items=20, failed_timeout=1), Outcome.PARTIAL, set()),
        (run(items=20, unread_unrecognised=1), Outcome.PARTIAL, set()),
        (run(items=20, vanished=3, duplicates=9, empty_searches=1), Outcome.OK, set()),
        (run(items=20, canary_ok=False), Outcome.FAILED, {"canary_failed"}),
        (run(items=20, spider_exceptions=1), Outcome.FAILED, {"internal_error"}),
        (run(items=20, finish_reason="shutdown"), Outcome.PARTIAL, {"interrupted"}),
        (run(items=20, finish_reason="budget_spent"), Outcome.PARTIAL, {"budget_spent"}),
        (run(items=20, finish_reason="window_closed"), Outcome.PARTIAL, {"window_closed"}),
        (run(items=20, finish_reason="site_changed"), Outcome.FAILED, {"site_changed"}),
        (run(items=20, same=(5, 0)), Outcome.FAILED, {"one_title"}),
        (run(items=20, same=(4, 0)), Outcome.OK, set()),
        (run(items=20, same=(0, 7)), Outcome.PARTIAL, {"duplicates"}),
        (run(items=20, same=(0, 6)), Outcome.OK, set()),
        (run(items=9, same=(9, 9), before=1), Outcome.OK, set()),
        (run(items=20, pages=20, pages_led_away=20), Outcome.FAILED, {"redirect_only"}),
        (run(items=20, pages=20, pages_led_away=19), Outcome.OK, set()),
        (run(items=0, before=12), Outcome.OK, set()),
        (
            run(RunKind.RECHECK, sightings_gone=5, pages=5, pages_led_away=5),
            Outcome.FAILED,
            {"redirect_only"},
        ),
        (run(RunKind.SAMPLE, items=3, drawn_up=3), Outcome.OK, set()),
        (run(RunKind.SAMPLE, items=3, drawn_up=3, drawn_error=1), Outcome.PARTIAL, set()),
        (run(RunKind.SAMPLE, items=3, lost_queries=1), Outcome.PARTIAL, set()),
        (run(RunKind.SAMPLE, items=3, frames_cut_short=1), Outcome.PARTIAL, set()),
        (run(RunKind.RECHECK, canary_ok=None, sightings_gone=2), Outcome.FAILED, {"nothing_up"}),
        (
            run(RunKind.RECHECK, canary_ok=None, sightings_gone=1, sightings_error=1),
            Outcome.FAILED,
            {"nothing_up"},
        ),
        (run(RunKind.RECHECK, canary_ok=None, sightings_gone=1), Outcome.OK, set()),
        (run(RunKind.RECHECK, canary_ok=None, sightings_gone=2, sightings_up=1), Outcome.OK, set()),
        (run(RunKind.RECHECK, canary_ok=None, sightings_gone=2, sightings_altered=1), Outcome.OK, set()),
        (run(RunKind.RECHECK, canary_ok=True, sightings_gone=2), Outcome.OK, set()),
        (run(RunKind.CAPTURE, canary_ok=None, captured_gone=2), Outcome.OK, set()),
        (run(items=20, finish_reason="something_new"), Outcome.FAILED, {"crashed"}),
        (run(items=20, finish_reason="blocked"), Outcome.BLOCKED, {"blocked"}),
        (run(search_pages=3), Outcome.FAILED, {"site_changed", "zero_items"}),
        (
            run(search_pages=3, search_links=9, unread_unrecognised=9),
            Outcome.FAILED,
            {"site_changed", "zero_items"},
        ),
        (run(search_pages=3, empty_searches=3), Outcome.FAILED, {"empty_search", "zero_items"}),
        (run(failed_dns=3), Outcome.FAILED, {"dead_host", "zero_items"}),
        (run(failed_robots_disallowed=3), Outcome.FAILED, {"robots_disallowed", "zero_items"}),
        (run(blocked=1), Outcome.BLOCKED, {"blocked", "zero_items"}),
        (run(RunKind.RECHECK, sightings_up=1, sightings_gone=1), Outcome.OK, set()),
        (run(RunKind.RECHECK, sightings_up=1, sightings_error=1), Outcome.PARTIAL, set()),
        (
            run(RunKind.RECHECK, sightings_error=3, failed_timeout=3),
            Outcome.FAILED,
            {"dead_host", "zero_items"},
        ),
        (run(RunKind.RECHECK, sightings_blocked=1, blocked=1), Outcome.BLOCKED, {"blocked", "zero_items"}),
    ],
)
def test_the_outcome_and_its_reason(found, outcome, codes):
    assert found == (outcome, codes)


@given(
    st.sampled_from([RunKind.SWEEP, RunKind.RECHECK, RunKind.SAMPLE]),
    st.text(max_size=10),
    st.sampled_from([True, False, None]),
    st.dictionaries(
        st.sampled_from(["items", "blocked", "failed_dns", "empty_searches", "sightings_up", "unread_x"]),
        st.integers(0, 5),
    ),
)
def test_nothing_yielded_is_never_ok_and_always_has_a_name(kind, reason, canary, counters):
    facts = RunFacts(kind, STRICT, reason, counters, {}, canary)
    issues = diagnose(facts)
    key = "sightings_up" if kind is RunKind.RECHECK else "items"
    if not counters.get(key):
        assert outcome_of(facts, issues) in {Outcome.FAILED, Outcome.BLOCKED}
        assert len({issue.code for issue in issues}) >= 2


MONDAY = datetime(2026, 10, 12, tzinfo=UTC)


def stats(day: int = 0, items: int = 100, kind: RunKind = RunKind.SWEEP, **changes: object) -> RunStats:
    began = MONDAY + timedelta(days=day)
    facts = {
        "run_id": f"r{day}",
        "kind": kind,
        "platform": "corner",
        "outcome": Outcome.OK,
        "finish_reason": "finished",
        "started_at": began,
        "finished_at": began,
        "scope": "terms",
        "items": items,
        "counters": {"positions": items},
    }
    return RunStats.model_validate(facts | changes)


def complaints(today: RunStats, *past: RunStats) -> list[str]:
    return [issue.code for issue in against_history(today, past)]


USUAL = [stats(day, items) for day, items in enumerate((90, 100, 110))]


@pytest.mark.parametrize("kind", [RunKind.SWEEP, RunKind.SAMPLE])
def test_half_of_the_usual_is_a_drop_and_more_is_none(kind):
    usual = [run.model_copy(update={"kind": kind}) for run in USUAL]
    assert complaints(stats(9, 49, kind), *usual) == ["dropped"]
    assert complaints(stats(9, 50, kind), *usual) == []


def test_looks_that_could_tell_are_what_counts_of_a_recheck():
    def looked(day: int, told: int) -> RunStats:
        counters = {"sightings_up": told, "sightings_error": 20 - told}
        return stats(day, 0, RunKind.RECHECK, sightings=20, counters=counters)

    usual = [looked(day, 20) for day in range(3)]
    assert complaints(looked(9, 9), *usual) == ["dropped"]
    assert complaints(looked(9, 10), *usual) == []


@pytest.mark.parametrize(
    "other",
    [
        {"platform": "mall"},
        {"kind": RunKind.SAMPLE},
        {"scope": "other terms"},
        {"outcome": Outcome.FAILED},
        {"outcome": Outcome.BLOCKED},
        {"resumed": True},
        {"finish_reason": "budget_spent"},
    ],
)
def test_only_healthy_runs_that_looked_for_the_same_to_their_end_are_compared(other):
    assert complaints(stats(9, 1), *(run.model_copy(update=other) for run in USUAL)) == []


@pytest.mark.parametrize("other", [{"resumed": True}, {"finish_reason": "budget_spent"}])
def test_a_run_that_did_not_look_for_all_of_it_is_not_said_to_have_dropped(other):
    assert complaints(stats(9, 1, **other), *USUAL) == []


def test_two_healthy_runs_are_no_history_and_old_ones_are_forgotten():
    assert complaints(stats(9, 1), *USUAL[:2]) == []
    shrunk = [stats(day, 10) for day in range(3, 8)]
    assert complaints(stats(9, 8), *USUAL, *shrunk) == []
