from __future__ import annotations

import threading

import pytest
import sqlalchemy as sa

from takedowns import leads, notices, numbers
from takedowns.ledger import audit
from takedowns.ledger.tables import Lead, Notice, Relisting
from takedowns.ledger.vocabulary import RelistingKind
from takedowns.roles import NotAllowedError
from takedowns.states import LeadState, NoticeState


def _lead(session, make, reviewer, **given):
    return make.lead(session, make.decision(session, make.task(session), reviewer), **given)


def test_ready_leads_are_grouped_by_platform(ledger, make, analyst):
    with ledger.write() as session:
        here = _lead(session, make, analyst, number="2026-0000-00002")
        first = _lead(session, make, analyst, number="2026-0000-00001")
        _lead(session, make, analyst, state=LeadState.WITHDRAWN)
        there = make.snapshot(session, make.listing(session, platform="other"))
        elsewhere = make.lead(session, make.decision(session, make.task(session, there), analyst))
    with ledger.read() as session:
        found = leads.ready(session)
    assert {name: [lead.id for lead in waiting] for name, waiting in found.items()} == {
        "sample": [first.id, here.id],
        "other": [elsewhere.id],
    }
    assert found["sample"][0].listing.seller.name  # readable after the session


def test_a_lead_in_an_open_notice_is_not_ready_until_that_is_cancelled(
    ledger, make, analyst, platform, now, settings
):
    with ledger.write() as session:
        lead = _lead(session, make, analyst)
        notice = notices.draft(session, platform, [lead], analyst, now=now, settings=settings)
        assert leads.ready(session) == {}
        notices.cancel(session, notice.id, analyst, notice.version, now=now)
        assert leads.ready(session)["sample"] == [lead]


def test_a_lead_about_a_relisting_is_linked_to_the_earlier_one(ledger, make, analyst, now):
    with ledger.write() as session:
        old = _lead(session, make, analyst)
        task = make.task(session)
        session.add(
            Relisting(
                lead_id=old.id,
                listing_id=task.listing_id,
                kind=RelistingKind.SAME_TEXT,
                similarity=1.0,
                observed_at=now,
                recorded_at=now,
            )
        )
        session.flush()
        new = leads.create(session, make.decision(session, task, analyst), office_code="0000", now=now)
        assert new.previous_lead_id == old.id


def test_a_withdrawn_lead_leaves_its_draft_and_nothing_else_in_the_text_changes(
    ledger, make, analyst, platform, now, settings
):
    with ledger.write() as session:
        kept, taken_back = (_lead(session, make, analyst) for _ in range(2))
        notice = notices.draft(session, platform, [kept, taken_back], analyst, now=now, settings=settings)
        before = notice.body
        leads.withdraw(session, taken_back.id, analyst, reason="wrong item", now=now)
    with ledger.read() as session:
        notice = session.get(Notice, notice.id)
        assert [lead.id for lead in notice.leads] == [kept.id]
        assert taken_back.number not in notice.body
        assert kept.number in notice.body
        removed = [line for line in before.splitlines() if line not in notice.body.splitlines()]
        assert len(removed) == 2  # its own line and its shop; title and kind read as the other lead's
        assert session.get(Lead, taken_back.id).state is LeadState.WITHDRAWN
        assert list(audit.verify(session)) == []


def test_a_notice_without_leads_is_cancelled(ledger, make, analyst, platform, now, settings):
    with ledger.write() as session:
        lead = _lead(session, make, analyst)
        notice = notices.draft(session, platform, [lead], analyst, now=now, settings=settings)
        leads.withdraw(session, lead.id, analyst, reason="wrong item", now=now)
        assert notice.state is NoticeState.CANCELLED


def test_a_sent_lead_is_withdrawn_by_a_supervisor_only(ledger, make, analyst, supervisor, now):
    with ledger.write() as session:
        lead = _lead(session, make, analyst, state=LeadState.SENT, sent_at=now)
        with pytest.raises(NotAllowedError):
            leads.withdraw(session, lead.id, analyst, reason="wrong item", now=now)
        leads.withdraw(session, lead.id, supervisor, reason="wrong item", now=now)
        with pytest.raises(leads.LeadStateError):
            leads.withdraw(session, lead.id, supervisor, reason="again", now=now)
        with pytest.raises(leads.UnknownLeadError):
            leads.withdraw(session, 10**6, supervisor, reason="again", now=now)


def test_numbers_start_anew_each_year_in_shanghai_and_for_each_kind_of_document(ledger, now):
    with ledger.write() as session:
        given = [
            numbers.next_lead_number(session, "3301", now=now),
            numbers.next_lead_number(session, "3301", now=now),
            numbers.next_notice_number(session, "3301", now=now),
            numbers.next_lead_number(session, "3301", now=now.replace(month=12, day=31, hour=16)),
        ]
    assert given == ["2026-3301-00001", "2026-3301-00002", "2026-3301-T00001", "2027-3301-00001"]


def test_a_number_rolled_back_is_given_out_again(ledger, now):
    with ledger.write() as session:
        numbers.next_lead_number(session, "0000", now=now)
        session.rollback()
    with ledger.write() as session:
        assert numbers.next_lead_number(session, "0000", now=now) == "2026-0000-00001"


def test_numbers_taken_at_once_are_distinct_and_without_gaps(ledger, now):
    taken: list[str] = []

    def take() -> None:
        for _ in range(10):
            with ledger.write() as session:
                number = numbers.next_lead_number(session, "0000", now=now)
            taken.append(number)

    threads = [threading.Thread(target=take) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(taken) == [f"2026-0000-{serial:05}" for serial in range(1, 41)]
    with ledger.read() as session:
        assert session.scalar(sa.text("SELECT last FROM number_series")) == 40
