from __future__ import annotations

import random
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from crawlers.listing import Presence
from takedowns.judging import REMOVED, Claim, LeadFacts, Look, judge
from takedowns.ledger.vocabulary import Measure, VerificationOutcome
from takedowns.settings import Removal

SENT = datetime(2026, 10, 12, 1, 30, tzinfo=UTC)
DUE = SENT + timedelta(days=3)
RULE = Removal()
UP, GONE, ALTERED, BLOCKED, ERROR = Presence


def _facts(*looks: tuple[float, Presence] | Look, claimed_at_hour: float | None = None) -> LeadFacts:
    """Looks as (hours after dispatch, state); judged after ten days."""
    claims = ()
    if claimed_at_hour is not None:
        received = SENT + timedelta(hours=claimed_at_hour)
        claims = (Claim(1, Measure.DELETED, received, received),)
    return LeadFacts(
        sent_at=SENT,
        answer_due=DUE,
        as_of=SENT + timedelta(days=10),
        looks=tuple(
            look if isinstance(look, Look) else Look(number, look[1], SENT + timedelta(hours=look[0]), "http")
            for number, look in enumerate(looks, 1)
        ),
        claims=claims,
    )


@pytest.mark.parametrize(
    ("facts", "outcome"),
    [
        (_facts(), None),
        (_facts((1, GONE)), None),
        (_facts((1, GONE), (24, GONE)), None),
        (_facts((1, GONE), (25, GONE)), "removed_unclaimed"),
        (_facts((1, GONE), (25, GONE), claimed_at_hour=100), "removed_verified"),
        (_facts((1, GONE), (13, UP), (25, GONE)), None),
        (_facts((1, GONE), (13, ALTERED), (25, GONE)), None),
        (_facts((1, GONE), (13, BLOCKED), (14, ERROR), (25, GONE)), "removed_unclaimed"),
        (_facts((1, GONE), (25, GONE), (49, UP)), "relisted"),
        (_facts((1, GONE), (25, GONE), (49, UP), (60, GONE), (90, GONE)), "relisted"),
        (_facts((1, GONE), (25, GONE), (49, ALTERED)), "removed_unclaimed"),
        (_facts((1, GONE), (25, GONE), (49, ALTERED), (80, ALTERED)), "removed_unclaimed"),
        (_facts((1, GONE), (25, GONE), (49, ALTERED), (80, UP)), "relisted"),
        (_facts((1, ALTERED), (25, ALTERED), (49, GONE), (80, GONE)), "removed_unclaimed"),
        (_facts((-48, GONE), (-1, GONE), (1, GONE)), None),
        (_facts((-30, UP), (-2, GONE), (1, GONE), (25, GONE)), "removed_unclaimed"),
        (_facts((-9, GONE), (-2, UP), (1, GONE), (25, GONE)), None),
        (_facts((-150, GONE), (-120, UP), (1, GONE), (25, GONE)), "removed_unclaimed"),
        (_facts((-250, GONE), (-220, UP), (-150, GONE), (-120, UP), (1, GONE), (25, GONE)), None),
        (_facts((1, UP), (2, UP)), None),
        (_facts((1, UP), (30, UP), claimed_at_hour=12), None),
        (_facts((20, UP), (30, UP), claimed_at_hour=12), "false_claim"),
        (_facts((20, UP), (30, UP), (40, GONE), (70, GONE), claimed_at_hour=12), "removed_verified"),
        (_facts((1, ALTERED), (25, ALTERED)), "altered"),
        (_facts((1, ALTERED), (20, ALTERED)), None),
        (_facts((1, ALTERED), (25, ALTERED), (30, UP)), None),
        (_facts((1, UP)), None),
        (_facts((71, UP), (100, GONE)), None),
        (_facts((100, UP)), "not_removed"),
        (_facts((100, UP), claimed_at_hour=120), "not_removed"),
        (_facts((100, UP), (110, GONE)), "not_removed"),
        (_facts((100, UP), (110, UP), claimed_at_hour=90), "false_claim"),
        (_facts((100, UP), (100.5, UP), claimed_at_hour=90), None),
        (_facts((1, BLOCKED)), "unverifiable"),
        (_facts((1, BLOCKED), (99, ERROR), claimed_at_hour=3), "unverifiable"),
        (_facts((1, BLOCKED), (2, UP)), None),
    ],
)
def test_the_rule(facts, outcome):
    judgement = judge(facts, RULE)
    assert (judgement and judgement.outcome) == outcome


def test_a_removal_counts_from_the_first_look_that_found_it_gone():
    judgement = judge(_facts((1, UP), (9, GONE), (20, GONE), (40, GONE), (60, GONE)), RULE)
    assert judgement.observed_at == SENT + timedelta(hours=9)
    assert judgement.looks == (2, 3, 4)


def test_looks_from_two_places_do_not_add_up():
    there = Look(2, GONE, SENT + timedelta(hours=30), "browser")
    assert judge(_facts((1, GONE), there), RULE) is None
    assert judge(_facts((1, GONE), there, (31, GONE)), RULE).looks == (1, 3)


def test_it_being_up_from_one_place_interrupts_its_being_gone_from_another():
    assert (
        judge(_facts((1, GONE), Look(2, UP, SENT + timedelta(hours=9), "browser"), (30, GONE)), RULE) is None
    )


def test_what_another_vantage_still_saw_it_there_is_not_removed():
    """Some platforms hide a listing from strangers only."""
    there = Look(9, UP, SENT - timedelta(hours=3), "browser")
    hidden = _facts((1, GONE), (30, GONE), (60, GONE), there)
    assert judge(hidden, RULE) is None, "also when that was before the dispatch"
    gone_there = replace(hidden, looks=(*hidden.looks, Look(10, GONE, SENT + timedelta(hours=50), "browser")))
    assert judge(gone_there, RULE).outcome == "removed_unclaimed"
    assert judge(hidden, Removal(vantage_days=1)).outcome == "removed_unclaimed"


@pytest.mark.parametrize(
    ("hours", "removed"),
    [
        ((24, 48), False),
        ((24, 48, 72, 96, 120, 144, 168, 191), False),
        ((24, 48, 72, 96, 120, 144, 168, 192), True),
        ((24, 34, 48), True),
        ((24, 42, 48), True),
        ((24, 28, 48), False),
    ],
)
def test_a_shop_that_closes_at_night_has_to_be_gone_at_day_too(hours, removed):
    """It was seen gone at midnight and open at ten in the morning, and after that only gone."""
    facts = replace(
        _facts((0.5, GONE), (10, UP), *((hour, GONE) for hour in hours)), as_of=SENT + timedelta(30)
    )
    judgement = judge(facts, RULE)
    assert (judgement is not None) is removed


def test_looks_that_are_not_known_yet_are_waited_for():
    facts = _facts((1, GONE), (25, GONE), (49, UP))
    unread = replace(facts, unread_since=SENT + timedelta(hours=20), as_of=SENT + timedelta(hours=48))
    assert judge(unread, RULE) is None
    known = replace(unread, unread_since=SENT + timedelta(hours=26))
    assert judge(known, RULE).outcome == "removed_unclaimed"
    assert judge(replace(known, as_of=facts.as_of), RULE).outcome == "relisted"


def test_a_refusal_is_no_claim_of_removal():
    facts = _facts((1, GONE), (25, GONE))
    refused = Claim(1, Measure.REFUSED, None, SENT + timedelta(hours=3))
    assert judge(replace(facts, claims=(refused,)), RULE).outcome == "removed_unclaimed"


def test_what_came_after_the_time_of_judging_does_not_count():
    facts = _facts((1, GONE), (25, GONE), (49, UP), claimed_at_hour=30)
    assert judge(replace(facts, as_of=SENT + timedelta(hours=26)), RULE).outcome == "removed_unclaimed"
    assert judge(replace(facts, as_of=SENT + timedelta(hours=20)), RULE) is None


def test_three_looks_over_two_days_can_be_asked_for():
    strict = Removal(gone_checks=3, over_hours=48)
    assert judge(_facts((1, GONE), (60, GONE)), strict) is None
    assert judge(_facts((1, GONE), (20, GONE), (49, GONE)), strict).looks == (1, 2, 3)


hours = st.integers(-50, 240)
looks = st.builds(
    lambda number, state, hour, vantage, trusted: Look(
        number, state, SENT + timedelta(hours=hour), vantage, trusted
    ),
    st.integers(1, 10**6),
    st.sampled_from(Presence),
    hours,
    st.sampled_from(["http", "browser"]),
    st.booleans(),
)
claims = st.builds(
    lambda number, measure, hour: Claim(number, measure, None, SENT + timedelta(hours=hour)),
    st.integers(1, 10**6),
    st.sampled_from(Measure),
    st.integers(1, 240),
)
facts_of = st.builds(
    lambda looks, claims: replace(_facts(), looks=tuple(looks), claims=tuple(claims)),
    st.lists(looks, max_size=12, unique_by=lambda look: look.id),
    st.lists(claims, max_size=3, unique_by=lambda claim: claim.id),
)
blind = looks.filter(lambda look: not look.trusted or look.state in (BLOCKED, ERROR))


@given(st.lists(blind, max_size=12), st.lists(claims, max_size=3))
def test_looks_that_saw_nothing_never_prove_anything(failed, claimed):
    judgement = judge(replace(_facts(), looks=tuple(failed), claims=tuple(claimed)), RULE)
    assert judgement is None or judgement.outcome is VerificationOutcome.UNVERIFIABLE


@given(facts_of, blind)
def test_one_more_look_that_saw_nothing_changes_no_finding(facts, failed):
    before, after = judge(facts, RULE), judge(replace(facts, looks=(*facts.looks, failed)), RULE)
    if after is None or after.outcome is not VerificationOutcome.UNVERIFIABLE:
        assert after == before
    else:
        assert before is None or before.outcome is VerificationOutcome.UNVERIFIABLE


@given(facts_of, st.randoms())
def test_the_order_in_which_facts_are_given_does_not_matter(facts, source: random.Random):
    shuffled = replace(
        facts,
        looks=tuple(source.sample(facts.looks, len(facts.looks))),
        claims=tuple(source.sample(facts.claims, len(facts.claims))),
    )
    assert judge(shuffled, RULE) == judge(facts, RULE)


@given(facts_of)
def test_a_removal_rests_on_spaced_looks_that_all_found_it_gone(facts):
    judgement = judge(facts, RULE)
    if judgement is None or judgement.outcome not in REMOVED:
        return
    by_id = {look.id: look for look in facts.looks}
    proof = [by_id[number] for number in judgement.looks]
    first, last = proof[0].observed_at, proof[-1].observed_at
    assert len(proof) >= RULE.gone_checks
    assert last - first >= timedelta(hours=RULE.over_hours)
    assert judgement.observed_at == first > facts.sent_at
    assert {look.vantage for look in proof} == {proof[0].vantage}
    assert all(look.state is GONE and look.trusted for look in proof)
    assert not any(
        look.trusted and look.state in (UP, ALTERED) and first < look.observed_at < last
        for look in facts.looks
    )
    removal_claimed = any(claim.measure not in ("none", "refused", "disputed") for claim in facts.claims)
    assert (judgement.outcome == "removed_verified") is removal_claimed


@given(facts_of)
def test_relisted_only_after_removed(facts):
    judgement = judge(facts, RULE)
    if judgement is None or judgement.outcome is not VerificationOutcome.RELISTED:
        return
    until_then = tuple(look for look in facts.looks if look.observed_at < judgement.observed_at)
    assert judge(replace(facts, looks=until_then), RULE).outcome in REMOVED
