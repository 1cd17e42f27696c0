from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from crawlers.listing import Presence
from takedowns.ledger.vocabulary import RelistingKind, VerificationOutcome
from takedowns.reports import outcomes
from takedowns.reports.facts import LeadFacts, Look, Return, Verified

SENT = datetime(2026, 10, 1, tzinfo=UTC)
REMOVED = VerificationOutcome.REMOVED_VERIFIED
RELISTED = VerificationOutcome.RELISTED


def after(hours: float) -> datetime:
    return SENT + timedelta(hours=hours)


def lead(**given: Any) -> LeadFacts:
    lists: dict[str, Any] = dict.fromkeys(("looks", "claims", "verifications", "returns"), ())
    fields = {
        "number": "L1",
        "platform": "sample",
        "item_id": "1",
        "url": "https://shop.invalid/1",
        "category": None,
        "seller": None,
        "created_at": SENT,
        "sent_at": SENT,
        "withdrawn_at": None,
    }
    return LeadFacts(**{**fields, **lists, **given})


def verified(*found: tuple[VerificationOutcome, float]) -> tuple[Verified, ...]:
    return tuple(Verified(outcome, after(hours)) for outcome, hours in found)


def looks(*seen: tuple[Presence, float]) -> tuple[Look, ...]:
    return tuple(Look(state, after(hours), trusted=True) for state, hours in seen)


def test_a_return_does_not_undo_the_removal() -> None:
    assert outcomes.removed_at(lead(verifications=verified((REMOVED, 24), (RELISTED, 90)))) == after(24)


def test_a_listing_that_went_twice_was_removed_when_it_first_went() -> None:
    twice = verified((REMOVED, 24), (RELISTED, 90), (REMOVED, 120))
    assert outcomes.removed_at(lead(verifications=twice)) == after(24)


def test_a_claim_that_comes_late_does_not_move_the_removal() -> None:
    late = verified((VerificationOutcome.REMOVED_UNCLAIMED, 24), (REMOVED, 24))
    assert outcomes.removed_at(lead(verifications=late)) == after(24)


@given(st.sampled_from(sorted(set(VerificationOutcome) - outcomes.REMOVED - {RELISTED})))
def test_any_other_later_finding_means_that_it_was_no_removal(later: VerificationOutcome) -> None:
    assert outcomes.removed_at(lead(verifications=verified((REMOVED, 24), (later, 90)))) is None


def test_a_removal_and_a_return_found_at_once_are_both_known() -> None:
    at_once = lead(verifications=(Verified(RELISTED, after(90), gone_at=after(24)),))
    assert outcomes.removed_at(at_once) == after(24)
    assert outcomes.returned_at(at_once) == after(90)


@pytest.mark.parametrize(("days", "counts"), [(29, True), (30, True), (31, False)])
def test_a_return_counts_for_thirty_days(days: int, counts: bool) -> None:
    seen = (Return(RelistingKind.SAME_TEXT, "2", after(24 + 24 * days)),)
    back = outcomes.returned_at(lead(verifications=verified((REMOVED, 24)), returns=seen))
    assert (back is not None) is counts


def test_what_was_offered_before_the_removal_is_no_return() -> None:
    seen = (Return(RelistingKind.SAME_TEXT, "2", after(3)),)
    assert outcomes.returned_at(lead(verifications=verified((REMOVED, 24)), returns=seen)) is None


def test_nothing_returns_that_was_not_removed() -> None:
    seen = (Return(RelistingKind.SAME_URL, "1", after(3)),)
    gone = verified((VerificationOutcome.GONE_BEFORE, 1))
    assert outcomes.returned_at(lead(verifications=gone, returns=seen)) is None


def test_unverifiable_ends_with_the_first_look_that_can_tell() -> None:
    blind = verified((VerificationOutcome.UNVERIFIABLE, 5))
    blocked = looks((Presence.BLOCKED, 5))
    assert outcomes.outcome(lead(verifications=blind, looks=blocked)) is VerificationOutcome.UNVERIFIABLE
    seen = (*blocked, *looks((Presence.UP, 9)))
    assert outcomes.outcome(lead(verifications=blind, looks=seen)) is None


def test_altered_ends_when_the_old_offer_is_seen_again() -> None:
    swapped = verified((VerificationOutcome.ALTERED, 5))
    altered = looks((Presence.ALTERED, 5), (Presence.ALTERED, 30))
    assert outcomes.outcome(lead(verifications=swapped, looks=altered)) is VerificationOutcome.ALTERED
    back = (*altered, *looks((Presence.UP, 60)))
    assert outcomes.outcome(lead(verifications=swapped, looks=back)) is None


def test_blocked_and_untrusted_looks_tell_nothing() -> None:
    untrusted = Look(Presence.GONE, after(8), trusted=False)
    seen = lead(looks=(*looks((Presence.UP, 4), (Presence.BLOCKED, 6), (Presence.ERROR, 7)), untrusted))
    assert outcomes.last_clear_look(seen) == Look(Presence.UP, after(4), trusted=True)
    assert outcomes.hours_watched(seen) == 4


def test_a_lead_that_nobody_could_look_at_was_watched_for_no_time() -> None:
    assert outcomes.hours_watched(lead(looks=looks((Presence.BLOCKED, 50)))) == 0


def test_a_first_gone_look_ends_the_watch_at_the_last_look_that_found_it() -> None:
    assert outcomes.hours_watched(lead(looks=looks((Presence.UP, 10), (Presence.GONE, 20)))) == 10


def test_an_event_before_dispatch_is_an_error_that_names_the_lead() -> None:
    with pytest.raises(ValueError, match="lead L1 has an event at"):
        outcomes.hours_to_removal(lead(verifications=verified((REMOVED, -1))))
