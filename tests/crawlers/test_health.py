"""What a run is worth, from its counts alone."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from crawlers.health import RunFacts, diagnose, outcome_of
from crawlers.rundir import Outcome, RunKind
from tests.crawlers.shop import shop_profile

STRICT = shop_profile(assertions={"min_listings": 10, "fill_rate": {"price": 0.8}})


def run(kind=RunKind.SWEEP, finish_reason="finished", canary_ok=True, fills=None, **counters):
    facts = RunFacts(kind, STRICT, finish_reason, counters, fills or {"price": 100}, canary_ok)
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
        (run(items=20, finish_reason="closespider_pagecount"), Outcome.PARTIAL, {"budget_spent"}),
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
    st.sampled_from(list(RunKind)),
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
    key = "items" if kind is RunKind.SWEEP else "sightings_up"
    if not counters.get(key):
        assert outcome_of(facts, issues) in {Outcome.FAILED, Outcome.BLOCKED}
        assert len({issue.code for issue in issues}) >= 2
