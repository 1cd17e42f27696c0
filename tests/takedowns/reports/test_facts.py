from __future__ import annotations

from typing import Any

from crawlers.listing import Presence
from takedowns import removals, settings
from takedowns.ledger.engine import Ledger
from takedowns.ledger.tables import JobFiring, Lead
from takedowns.ledger.vocabulary import Finding, RelistingKind, RunState, VerificationOutcome
from takedowns.reports import facts, outcomes
from tests.takedowns.reports.conftest import Month, at

BUREAU = settings.Settings(
    office=settings.Office(code="0000", name_zh="示范", name_en="Sample", contact="x@bureau.invalid"),
    ledger="sqlite://",
    mail=settings.Mail(host="127.0.0.1", port=25, sender="x@bureau.invalid"),
)


def test_the_removal_behind_a_relisting_is_read_from_the_looks_it_rests_on(ledger: Ledger, make: Any) -> None:
    """Both were found by one settling: there is no verification of the removal alone."""
    with ledger.write() as session:
        month = Month(session, make)
        lead = month.lead("A1", "10-01 00:00")
        month.looks(lead, Presence.GONE, "10-02 00:00", "10-03 02:00")
        month.looks(lead, Presence.UP, "10-05 00:00")
        removals.settle(session, lead, now=at("10-06 00:00"), settings=BUREAU)
    with ledger.read() as session:
        (known,) = facts.read(session, at("10-07 00:00")).leads
    assert [found.outcome for found in known.verifications] == [VerificationOutcome.RELISTED]
    assert outcomes.removed_at(known) == at("10-02 00:00")
    assert outcomes.returned_at(known) == at("10-05 00:00")


def test_the_same_text_at_another_seller_is_no_return(ledger: Ledger, make: Any) -> None:
    with ledger.write() as session:
        month = Month(session, make)
        lead = month.lead("A1", "10-01 00:00")
        month.looks(lead, Presence.GONE, "10-02 00:00", "10-03 02:00")
        month.removed(lead, "10-02 00:00")
        own = make.listing(session, seller_id=lead.listing.seller_id)
        nobodys = make.listing(session, seller=None)
        for listing, day in ((make.listing(session), "04"), (nobodys, "05"), (own, "06")):
            month.relisted(lead, listing, RelistingKind.SAME_TEXT, f"10-{day} 00:00")
    with ledger.read() as session:
        (known,) = facts.read(session, at("10-07 00:00")).leads
    assert [seen.item_id for seen in known.returns] == [own.item_id]
    assert outcomes.returned_at(known) == at("10-06 00:00")


def test_nothing_written_down_later_is_known(ledger: Ledger, make: Any) -> None:
    with ledger.write() as session:
        month = Month(session, make)
        lead = month.lead("A1", "10-02 00:00", created_at=at("10-01 00:00"))
        month.looks(lead, Presence.GONE, "10-03 00:00")
        month.claim(lead, "10-04 00:00")
        month.removed(lead, "10-03 00:00", recorded="10-05 00:00")
    with ledger.read() as session:
        known = [facts.read(session, at(f"10-0{day} 12:00")).leads for day in range(6)[1:]]
        assert facts.read(session, at("09-30 00:00")).leads == ()
    told = [(bool(k.sent_at), len(k.looks), len(k.claims), len(k.verifications)) for (k,) in known]
    assert told == [(False, 0, 0, 0), (True, 0, 0, 0), (True, 1, 0, 0), (True, 1, 1, 0), (True, 1, 1, 1)]


def test_a_look_before_dispatch_is_no_look_at_the_lead(ledger: Ledger, make: Any) -> None:
    with ledger.write() as session:
        month = Month(session, make)
        lead = month.lead("A1", "10-02 00:00")
        month.looks(lead, Presence.UP, "10-01 00:00")
    with ledger.read() as session:
        (known,) = facts.read(session, at("10-03 00:00")).leads
    assert known.looks == ()


def test_only_tasks_that_two_people_answered_are_double_reviews(ledger: Ledger, make: Any) -> None:
    with ledger.write() as session:
        one, two = make.user(session), make.user(session)
        once, twice = make.task(session), make.task(session)
        make.decision(session, once, one)
        make.decision(session, twice, one)
        make.decision(session, twice, two, finding=Finding.NOT_VIOLATION)
    with ledger.read() as session:
        known = facts.read(session, at("11-01 00:00"))
    assert [(r.task_id, r.reviewer_id) for r in known.reviews] == [(twice.id, one.id), (twice.id, two.id)]


def test_the_digest_changes_with_the_facts_alone(ledger: Ledger, make: Any) -> None:
    with ledger.write() as session:
        month = Month(session, make)
        lead: Lead = month.lead("A1", "10-02 00:00")
        month.looks(lead, Presence.UP, "10-03 00:00")
    with ledger.read() as session:
        known = {day: facts.read(session, at(f"10-{day} 00:00")).digest() for day in ("02", "04", "05")}
    assert known["02"] != known["04"] == known["05"]


def test_a_missed_firing_counts_by_its_work_and_in_old_rows_by_its_name(ledger: Ledger, make: Any) -> None:
    slot = at("10-20 02:30")
    firings = [
        ("nightly", "sweep", RunState.MISSED),
        ("patrol", "patrol", RunState.MISSED),
        ("sweepings", "settle", RunState.MISSED),
        ("sweep-sample", None, RunState.MISSED),
        ("capture", None, RunState.MISSED),
        ("early", "sweep", RunState.OK),
    ]
    with ledger.write() as session:
        session.add_all(
            JobFiring(job=job, work=work, slot=slot, started_at=slot, state=state)
            for job, work, state in firings
        )
    with ledger.read() as session:
        runs = facts.read(session, at("10-21 00:00")).runs
    assert [run.run_id.partition("@")[0] for run in runs] == ["nightly", "patrol", "sweep-sample"]
