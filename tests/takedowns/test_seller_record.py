from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from crawlers.listing import Presence
from takedowns import removals, seller_record
from takedowns.ledger import tables
from takedowns.ledger.vocabulary import Finding, RelistingKind, VerificationOutcome
from takedowns.seller_record import History, Tier, rate
from takedowns.states import LeadState

NOW = datetime(2026, 10, 12, 1, 30, tzinfo=UTC)
HOUR, DAY = timedelta(hours=1), timedelta(days=1)
ONE = History(findings=1, last_finding_at=NOW - DAY)


@pytest.mark.parametrize(
    ("history", "tier", "reasons"),
    [
        (History(), Tier.A, ["no_findings"]),
        (History(false_claims=3), Tier.A, ["no_findings"]),
        (ONE, Tier.B, ["one_finding"]),
        (replace(ONE, hours=(20.0,)), Tier.B, ["one_finding"]),
        (replace(ONE, hours=(200.0,)), Tier.B, ["one_finding", "slow_removal"]),
        (replace(ONE, relistings=1), Tier.C, ["came_back", "one_finding"]),
        (replace(ONE, findings=3, still_up=1), Tier.C, ["several_findings", "still_up"]),
        (replace(ONE, findings=3, relistings=3), Tier.D, ["came_back_often", "several_findings"]),
        (
            replace(ONE, findings=9, relistings=1, false_claims=2),
            Tier.D,
            ["many_findings", "came_back", "false_claims"],
        ),
        (replace(ONE, last_finding_at=NOW - 200 * DAY), Tier.A, ["one_finding", "quiet_half_year"]),
        (
            replace(ONE, findings=6, relistings=1, last_finding_at=NOW - 400 * DAY),
            Tier.B,
            ["many_findings", "quiet_year", "came_back"],
        ),
    ],
)
def test_the_tiers_and_their_reasons(history, tier, reasons) -> None:
    rating = rate(history, now=NOW)
    assert (rating.tier, [reason.code for reason in rating.reasons]) == (tier, reasons)


@given(
    st.builds(
        History,
        findings=st.integers(1, 20),
        last_finding_at=st.just(NOW - DAY),
        hours=st.lists(st.floats(0, 2000)).map(tuple),
        still_up=st.integers(0, 9),
        relistings=st.integers(0, 9),
        false_claims=st.integers(0, 9),
    )
)
def test_one_more_misdeed_never_betters_the_tier(history) -> None:
    tier = rate(history, now=NOW).tier
    for worse in ("findings", "still_up", "relistings", "false_claims"):
        more = replace(history, **{worse: getattr(history, worse) + 1})
        assert rate(more, now=NOW).tier >= tier
    assert rate(history, now=NOW + 200 * DAY).tier <= tier


@pytest.fixture
def offender(ledger, make, analyst, now):
    """A seller with six listings found violating, one of them back, one claimed and still up."""
    with ledger.write() as session:
        seller = make.seller(session)
        leads = []
        for _ in range(6):
            listing = make.listing(session, seller=seller)
            decision = make.decision(session, make.task(session, make.snapshot(session, listing)), analyst)
            leads.append(make.lead(session, decision, state=LeadState.SENT, sent_at=now))
        for lead, outcome in ((leads[0], "removed_verified"), (leads[1], "false_claim")):
            lead.outcome = VerificationOutcome(outcome)
            session.add(
                tables.Verification(
                    lead_id=lead.id,
                    outcome=lead.outcome,
                    observed_at=now + 10 * HOUR,
                    recorded_at=now + DAY,
                    basis={"sightings": [], "claims": []},
                )
            )
        session.add_all(
            tables.Relisting(
                lead_id=leads[0].id,
                listing_id=listing_id,
                kind=RelistingKind.SAME_TEXT,
                similarity=1.0,
                observed_at=now,
                recorded_at=now,
            )
            # what another seller copied is not this one's doing
            for listing_id in (leads[2].listing_id, make.listing(session).id)
        )
        lawful = make.task(session)
        make.decision(session, lawful, analyst, finding=Finding.NOT_VIOLATION, reason="lawful_drink")
        return seller, leads, lawful.listing.seller


def test_the_history_is_read_from_the_ledger(ledger, offender, now) -> None:
    seller, _, lawful = offender
    with ledger.read() as session:
        (found,) = seller_record.records(session, now=now + DAY)
        assert found.seller.id == seller.id
        assert found.history == History(
            findings=6, last_finding_at=now, hours=(10.0,), still_up=1, relistings=1, false_claims=1
        )
        assert found.rating.tier is Tier.D
        assert seller_record.watched_closely(session, "sample", now=now + DAY) == {seller.id}
        assert seller_record.records(session, now=now, platform="other") == []
        clean = seller_record.record(session, session.get(tables.Seller, lawful.id), now=now)
        assert (clean.history, clean.rating.tier) == (History(), Tier.A)


def test_an_overridden_finding_is_none(ledger, make, offender, analyst, supervisor, now) -> None:
    seller, leads, _ = offender
    with ledger.write() as session:
        first = session.get(tables.Decision, leads[5].decision_id)
        session.add(
            tables.Decision(
                task_id=first.task_id,
                listing_id=first.listing_id,
                snapshot_id=first.snapshot_id,
                reviewer_id=supervisor.id,
                finding=Finding.NOT_VIOLATION,
                reason="lawful_drink",
                decided_at=now + HOUR,
                overrides_id=first.id,
            )
        )
    with ledger.read() as session:
        (found,) = seller_record.records(session, now=now, seller_ids=[seller.id])
        assert found.history.findings == 5


def test_the_tier_brings_looks_sooner_and_changes_no_finding(
    ledger, make, offender, analyst, now, settings
) -> None:
    """Two leads with the same looks, one of an offender and one of a seller with nothing else on record."""
    _, leads, _ = offender
    with ledger.write() as session:
        stranger = make.lead(
            session, make.decision(session, make.task(session), analyst), state=LeadState.SENT, sent_at=now
        )
        pair = [session.get(tables.Lead, leads[5].id), stranger]
        for lead in pair:
            for day in (1, 2.5):
                at = now + day * DAY
                listing = session.get(tables.Listing, lead.listing_id)
                make.sighting(session, listing, state=Presence.GONE, observed_at=at, recorded_at=at)
        settled = now + 3 * DAY
        removals.settle_all(session, now=settled, settings=settings)
        assert {lead.outcome for lead in pair} == {VerificationOutcome.REMOVED_UNCLAIMED}
        for lead in pair:
            at = settled + 1.1 * DAY
            listing = session.get(tables.Listing, lead.listing_id)
            make.sighting(session, listing, state=Presence.GONE, observed_at=at, recorded_at=at)
    with ledger.read() as session:
        due = {t.item_id for t in removals.due_for_recheck(session, platform="sample", now=settled + 4 * DAY)}
        ours = [session.get(tables.Lead, lead.id).listing.item_id for lead in pair]
        assert [item in due for item in ours] == [True, False]
