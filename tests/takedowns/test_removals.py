from __future__ import annotations

from collections import Counter
from datetime import timedelta

import pytest
import sqlalchemy as sa

from crawlers.listing import Presence
from crawlers.rundir import Target
from takedowns import removals
from takedowns.ledger import audit
from takedowns.ledger.tables import CrawlRun, Lead, Listing, Verification
from takedowns.ledger.vocabulary import RunState, VerificationOutcome
from takedowns.states import LeadState

HOUR, DAY = timedelta(hours=1), timedelta(days=1)


@pytest.fixture
def lead(ledger, make, analyst, now):
    with ledger.write() as session:
        decision = make.decision(session, make.task(session), analyst)
        return make.lead(session, decision, state=LeadState.SENT, sent_at=now)


def _look(ledger, make, lead, at, state=Presence.GONE, trusted=True):
    with ledger.write() as session:
        run = make.run(session, trusted=trusted)
        listing = session.get(Listing, lead.listing_id)
        make.sighting(session, listing, state=state, observed_at=at, recorded_at=at, run=run)


def _settle(ledger, lead, now, settings):
    with ledger.write() as session:
        return removals.settle(session, session.get(Lead, lead.id), now=now, settings=settings)


def _due(ledger, now, platform="sample"):
    with ledger.read() as session:
        return removals.due_for_recheck(session, platform=platform, now=now)


def test_a_lead_is_closed_when_its_removal_is_verified(ledger, make, lead, now, settings):
    with ledger.write() as session:
        claim = make.response(session, lead, received_at=now + HOUR)
    _look(ledger, make, lead, now + 2 * HOUR)
    assert _settle(ledger, lead, now + 3 * HOUR, settings) is None
    _look(ledger, make, lead, now + 26 * HOUR)
    verification = _settle(ledger, lead, now + 27 * HOUR, settings)
    assert verification.outcome is VerificationOutcome.REMOVED_VERIFIED
    assert (verification.observed_at, verification.recorded_at) == (now + 2 * HOUR, now + 27 * HOUR)
    assert verification.basis == {"sightings": [1, 2], "claims": [claim.id]}
    with ledger.read() as session:
        closed = session.get(Lead, lead.id)
        assert (closed.state, closed.closed_at) == (LeadState.CLOSED, now + 27 * HOUR)
        assert closed.outcome is VerificationOutcome.REMOVED_VERIFIED
        assert list(audit.verify(session)) == []


def test_a_finding_is_written_only_when_it_changes(ledger, make, lead, now, settings):
    _look(ledger, make, lead, now + HOUR, Presence.BLOCKED)
    assert _settle(ledger, lead, now + DAY, settings).outcome is VerificationOutcome.UNVERIFIABLE
    _look(ledger, make, lead, now + 2 * DAY, Presence.ERROR)
    assert _settle(ledger, lead, now + 2 * DAY, settings) is None
    with ledger.read() as session:
        assert session.scalar(sa.select(sa.func.count(Verification.id))) == 1
        assert session.get(Lead, lead.id).state is LeadState.SENT


def test_looks_of_a_run_whose_canaries_failed_remove_nothing(ledger, make, lead, now, settings):
    for day in range(1, 5):
        _look(ledger, make, lead, now + day * DAY, trusted=False)
    assert _settle(ledger, lead, now + 6 * DAY, settings).outcome is VerificationOutcome.UNVERIFIABLE


def test_a_late_claim_turns_an_unclaimed_removal_into_a_verified_one(ledger, make, lead, now, settings):
    for day in (1, 2):
        _look(ledger, make, lead, now + day * DAY)
    first = _settle(ledger, lead, now + 2 * DAY, settings)
    with ledger.write() as session:
        make.response(session, lead, received_at=now + 3 * DAY)
    second = _settle(ledger, lead, now + 3 * DAY, settings)
    assert [first.outcome, second.outcome] == ["removed_unclaimed", "removed_verified"]
    assert first.observed_at == second.observed_at == now + DAY


def test_up_after_the_deadline_is_not_removed_and_the_lead_stays_open(ledger, make, lead, now, settings):
    _look(ledger, make, lead, now + DAY, Presence.UP)
    assert _settle(ledger, lead, now + 5 * DAY, settings) is None
    _look(ledger, make, lead, now + 4 * DAY, Presence.UP)  # the deadline was the end of 15 October
    assert _settle(ledger, lead, now + 5 * DAY, settings).outcome is VerificationOutcome.NOT_REMOVED
    with ledger.read() as session:
        assert session.get(Lead, lead.id).state is LeadState.SENT


def test_all_leads_are_settled_in_one_go(ledger, make, lead, analyst, now, settings):
    with ledger.write() as session:
        more = [
            make.lead(
                session, make.decision(session, make.task(session), analyst), state=state, sent_at=sent_at
            )
            for state, sent_at in [(LeadState.SENT, now), (LeadState.WITHDRAWN, now), (LeadState.READY, None)]
        ]
    for one in (lead, *more):
        for day in (1, 2):
            _look(ledger, make, one, now + day * DAY)
    with ledger.write() as session:
        changed = removals.settle_all(session, now=now + 3 * DAY, settings=settings)
    assert changed == Counter({VerificationOutcome.REMOVED_UNCLAIMED: 2})
    with ledger.write() as session:
        assert removals.settle_all(session, now=now + 3 * DAY, settings=settings) == Counter()


def test_a_lead_that_was_not_sent_cannot_be_judged(sqlite_ledger, make, analyst, now, settings):
    with sqlite_ledger.write() as session:
        ready = make.lead(session, make.decision(session, make.task(session), analyst))
        with pytest.raises(ValueError, match="was not sent"):
            removals.settle(session, ready, now=now, settings=settings)


def test_open_leads_are_always_due_and_withdrawn_ones_never(ledger, make, lead, analyst, now):
    with ledger.write() as session:
        ready = make.lead(session, make.decision(session, make.task(session), analyst))
        make.lead(session, make.decision(session, make.task(session), analyst), state=LeadState.WITHDRAWN)
        waiting = {session.get(Lead, one.id).listing.item_id for one in (lead, ready)}
        about = session.get(Lead, lead.id).decision.snapshot.title
        make.snapshot(session, session.get(Listing, lead.listing_id), title="新标题", observed_at=now + DAY)
    due = _due(ledger, now)
    assert {target.item_id for target in due} == waiting
    assert all(isinstance(target, Target) and target.url for target in due)
    assert {target.title for target in due} == {about}, "else goods that were swapped would soon count as up"
    assert _due(ledger, now, platform="other") == []


def test_two_leads_about_one_listing_are_one_target(ledger, make, lead, analyst, now):
    with ledger.write() as session:
        listing = session.get(Listing, lead.listing_id)
        decision = make.decision(session, make.task(session, make.snapshot(session, listing)), analyst)
        make.lead(session, decision, state=LeadState.SENT, sent_at=now)
    assert len(_due(ledger, now)) == 1


@pytest.mark.parametrize(
    ("days", "looked_after_days", "is_due"),
    [
        (0.5, None, False),
        (1, None, True),
        (1.5, 1.1, False),
        (7, 1.1, True),
        (8, 7.5, False),
        (30, 7.5, True),
        (90, 31, True),
        (200, 91, False),
    ],
)
def test_a_closed_lead_is_looked_at_after_1_7_30_and_90_days(
    sqlite_ledger, make, analyst, now, days, looked_after_days, is_due
):
    with sqlite_ledger.write() as session:
        lead = make.lead(
            session,
            make.decision(session, make.task(session), analyst),
            state=LeadState.CLOSED,
            sent_at=now - 3 * DAY,
            closed_at=now,
            outcome=VerificationOutcome.REMOVED_VERIFIED,
        )
    _look(sqlite_ledger, make, lead, now)
    if looked_after_days:
        _look(sqlite_ledger, make, lead, now + looked_after_days * DAY)
        _look(
            sqlite_ledger, make, lead, now + days * DAY, Presence.BLOCKED
        )  # tells nothing, so no check made
    assert bool(_due(sqlite_ledger, now + days * DAY)) is is_due


def _outcomes(ledger, lead):
    with ledger.read() as session:
        found = session.get(Lead, lead.id)
        return found.outcome, found.state, [verification.outcome for verification in found.verifications]


def test_a_removal_falls_when_a_look_that_came_in_late_speaks_against_it(ledger, make, lead, now, settings):
    """A run whose parent died was taken in two days later: it had seen the page up between the two others."""
    for hours in (2, 27):
        _look(ledger, make, lead, now + hours * HOUR)
    assert _settle_all(ledger, now + 28 * HOUR, settings) == {"removed_unclaimed": 1}
    _late_look(ledger, make, lead, now + 13 * HOUR, now + 60 * HOUR)
    assert _settle_all(ledger, now + 61 * HOUR, settings) == {"unverifiable": 1}
    assert _outcomes(ledger, lead) == (None, LeadState.SENT, ["removed_unclaimed", "unverifiable"])
    with ledger.read() as session:
        assert session.get(Lead, lead.id).closed_at is None
        assert list(audit.verify(session)) == []
    assert _due(ledger, now + 61 * HOUR), "it is looked at again like any open lead"
    _look(ledger, make, lead, now + 3 * DAY)  # at another hour of the day than the first two
    _look(ledger, make, lead, now + 4.4 * DAY)
    assert _settle_all(ledger, now + 5 * DAY, settings) == {"removed_unclaimed": 1}
    assert _outcomes(ledger, lead)[1] is LeadState.CLOSED


def test_one_that_was_answered_is_answered_again_when_its_removal_falls(ledger, make, lead, now, settings):
    for hours in (2, 27):
        _look(ledger, make, lead, now + hours * HOUR)
    with ledger.write() as session:
        make.response(session, lead, received_at=now + 4 * DAY, recorded_at=now + HOUR)
    _settle_all(ledger, now + 28 * HOUR, settings)
    _late_look(ledger, make, lead, now + 13 * HOUR, now + 60 * HOUR)
    _settle_all(ledger, now + 61 * HOUR, settings)
    assert _outcomes(ledger, lead)[1] is LeadState.RESPONDED


def test_the_event_moves_when_what_it_rested_on_changes(ledger, make, lead, now, settings):
    for day in (1, 3, 5, 12.4):  # at another hour, or one that came back is not believed to be gone
        _look(ledger, make, lead, now + day * DAY)
    _settle_all(ledger, now + 13 * DAY, settings)
    _late_look(ledger, make, lead, now + 2 * DAY, now + 14 * DAY)
    assert _settle_all(ledger, now + 15 * DAY, settings) == {"removed_unclaimed": 1}
    with ledger.read() as session:
        first, second = session.scalars(sa.select(Verification).order_by(Verification.id)).all()
        assert (first.observed_at, second.observed_at) == (now + DAY, now + 3 * DAY)


def test_a_run_that_is_not_taken_in_yet_is_waited_for(ledger, make, lead, now, settings):
    _look(ledger, make, lead, now + 2 * HOUR)
    with ledger.write() as session:
        run_id = make.run(session, state=RunState.RUNNING, started_at=now + 12 * HOUR).run_id
    _look(ledger, make, lead, now + 27 * HOUR)
    assert _settle_all(ledger, now + 28 * HOUR, settings) == {}
    with ledger.write() as session:
        session.get(CrawlRun, run_id).state = RunState.FAILED
    assert _settle_all(ledger, now + 29 * HOUR, settings) == {"removed_unclaimed": 1}


def test_a_lead_that_came_back_stays_so_and_the_new_lead_is_judged_on_its_own(
    ledger, make, lead, analyst, now, settings
):
    for day, state in ((1, Presence.GONE), (2.5, Presence.GONE), (9, Presence.UP)):
        _look(ledger, make, lead, now + day * DAY, state)
    _settle_all(ledger, now + 10 * DAY, settings)
    with ledger.write() as session:
        listing = session.get(Listing, lead.listing_id)
        decision = make.decision(session, make.task(session, make.snapshot(session, listing)), analyst)
        second = make.lead(
            session, decision, state=LeadState.SENT, sent_at=now + 12 * DAY, created_at=now + 11 * DAY
        )
    for day in (14, 16):
        _look(ledger, make, lead, now + day * DAY)
    assert _settle_all(ledger, now + 17 * DAY, settings) == {"removed_unclaimed": 1}
    assert _outcomes(ledger, lead)[:2] == ("relisted", LeadState.CLOSED)
    assert _outcomes(ledger, second)[2] == ["removed_unclaimed"]
    _look(ledger, make, lead, now + 20 * DAY, Presence.UP)
    assert _settle_all(ledger, now + 21 * DAY, settings) == {"relisted": 1}
    assert _outcomes(ledger, second)[2] == ["removed_unclaimed", "relisted"]
    assert _outcomes(ledger, lead)[2] == ["relisted"], "what follows is nothing to it"


def test_a_second_lead_about_other_goods_does_not_bring_the_first_ones_back(
    ledger, make, lead, analyst, now, settings
):
    """An atomiser was swapped for a drink; the drink was confirmed, too, and looks are compared with it."""
    _look(ledger, make, lead, now + DAY, Presence.ALTERED)
    with ledger.write() as session:
        listing = session.get(Listing, lead.listing_id)
        drink = make.snapshot(session, listing, title="植物饮料 蓝莓味 便携棒", observed_at=now + DAY)
        second = make.lead(
            session,
            make.decision(session, make.task(session, drink), analyst),
            state=LeadState.SENT,
            sent_at=now + 2 * DAY,
            created_at=now + 2 * DAY,
        )
    assert {target.title for target in _due(ledger, now + 2 * DAY)} == {drink.title}
    _look(ledger, make, lead, now + 9 * DAY, Presence.UP)
    assert _settle_all(ledger, now + 10 * DAY, settings) == {"altered": 1, "not_removed": 1}
    assert _outcomes(ledger, lead)[0] == "altered"
    assert _outcomes(ledger, second)[0] == "not_removed"
    _look(ledger, make, lead, now + 11 * DAY, Presence.ALTERED)  # of what is shown now, nothing is known
    _settle_all(ledger, now + 12 * DAY, settings)
    assert _outcomes(ledger, lead)[0] == "altered"


def test_a_withdrawn_lead_is_left_alone(ledger, make, lead, now, settings):
    for day in (1, 3):
        _look(ledger, make, lead, now + day * DAY)
    with ledger.write() as session:
        session.get(Lead, lead.id).state = LeadState.WITHDRAWN
    assert _settle_all(ledger, now + 4 * DAY, settings) == {}
    assert _settle(ledger, lead, now + 4 * DAY, settings) is None


def test_what_has_no_news_is_not_judged_again(ledger, make, lead, now, settings):
    with ledger.write() as session:
        version = session.get(Lead, lead.id).version
    _look(ledger, make, lead, now + DAY, Presence.UP)
    _settle_all(ledger, now + 2 * DAY, settings)
    with ledger.write() as session:
        judged = session.get(Lead, lead.id)
        assert (judged.judged_at, judged.version) == (now + 2 * DAY, version), (
            "nobody at the desk is disturbed"
        )
        assert not session.scalars(sa.select(Lead).where(removals._has_news())).all()
        make.response(session, judged, received_at=now + 3 * DAY, recorded_at=now + 3 * DAY)
        assert session.scalars(sa.select(Lead).where(removals._has_news())).all() == [judged]


def _settle_all(ledger, now, settings):
    with ledger.write() as session:
        return removals.settle_all(session, now=now, settings=settings)


def _late_look(ledger, make, lead, at, taken_in):
    with ledger.write() as session:
        listing = session.get(Listing, lead.listing_id)
        make.sighting(session, listing, state=Presence.UP, observed_at=at, recorded_at=taken_in)
