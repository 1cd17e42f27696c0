from __future__ import annotations

import threading
from datetime import datetime, timedelta

import pytest
import sqlalchemy as sa

from takedowns import dispatches, leads, notices
from takedowns.channels import manual
from takedowns.deadlines import SHANGHAI
from takedowns.ledger import audit
from takedowns.ledger.tables import Dispatch, DispatchFile, Notice
from takedowns.ledger.vocabulary import DispatchKind, DispatchState, Role
from takedowns.roles import NotAllowedError
from takedowns.settings import Notices
from takedowns.states import LeadState, NoticeState

HOUR = timedelta(hours=1)


@pytest.fixture
def drafted(ledger, make, analyst, platform, now, settings):
    """A draft by ``analyst`` of two leads that ``analyst`` found."""
    with ledger.write() as session:
        found = [make.lead(session, make.decision(session, make.task(session), analyst)) for _ in range(2)]
        return notices.draft(session, platform, found, analyst, now=now, settings=settings)


@pytest.fixture
def approved(ledger, drafted, supervisor, now, settings):
    with ledger.write() as session:
        return notices.approve(session, drafted.id, supervisor, drafted.version, now=now, settings=settings)


def _stored(ledger, notice):
    with ledger.read() as session:
        stored = session.get(Notice, notice.id)
        assert list(audit.verify(session)) == []
        return stored.state, [lead.state for lead in stored.leads]


def _dispatch(ledger):
    """The newest."""
    with ledger.read() as session:
        return session.scalars(sa.select(Dispatch).order_by(Dispatch.id.desc())).first()


def _shanghai(text):
    return datetime.fromisoformat(text).replace(tzinfo=SHANGHAI)


def test_a_notice_is_drafted_for_the_recipient_of_the_platform(drafted):
    assert drafted.number == "2026-0000-T00001"
    assert (drafted.platform, drafted.channel, drafted.recipient) == (
        "sample",
        "smtp",
        "notices@shop.invalid",
    )
    assert drafted.state is NoticeState.DRAFT
    assert drafted.number in drafted.subject
    assert all(lead.number in drafted.body for lead in drafted.leads)


def test_a_lead_is_in_one_open_notice_only(ledger, drafted, analyst, platform, now, settings):
    with ledger.write() as session, pytest.raises(notices.LeadNotReadyError, match="another notice"):
        notices.draft(session, platform, drafted.leads, analyst, now=now, settings=settings)


def test_two_drafts_at_once_do_not_share_a_lead(ledger, make, analyst, platform, now, settings):
    with ledger.write() as session:
        lead = make.lead(session, make.decision(session, make.task(session), analyst))
    outcomes = []

    def draft() -> None:
        try:
            with ledger.write() as session:
                notices.draft(session, platform, [lead], analyst, now=now, settings=settings)
            outcomes.append("drafted")
        except notices.LeadNotReadyError:
            outcomes.append("refused")

    _at_once(draft, draft)
    assert sorted(outcomes) == ["drafted", "refused"]


def test_what_does_not_belong_in_a_notice_is_refused(sqlite_ledger, make, analyst, platform, now, settings):
    with sqlite_ledger.write() as session:
        decided = make.decision(session, make.task(session), analyst)
        sent = make.lead(session, decided, state=LeadState.SENT, sent_at=now)
        shown = make.snapshot(session, make.listing(session, platform="other"))
        elsewhere = make.lead(session, make.decision(session, make.task(session, shown), analyst))
        for wrong, complaint in [([sent], "is sent"), ([elsewhere], "about other")]:
            with pytest.raises(notices.LeadNotReadyError, match=complaint):
                notices.draft(session, platform, wrong, analyst, now=now, settings=settings)
        for wrong in [], [elsewhere] * 201:
            with pytest.raises(notices.TooManyLeadsError):
                notices.draft(session, platform, wrong, analyst, now=now, settings=settings)


def test_nobody_approves_what_they_wrote_or_found(
    ledger, make, drafted, analyst, supervisor, platform, now, settings
):
    with ledger.write() as session:
        with pytest.raises(NotAllowedError):
            notices.approve(session, drafted.id, analyst, drafted.version, now=now, settings=settings)
        boss = make.user(session, role=Role.ADMIN)
        found = make.lead(session, make.decision(session, make.task(session), boss))
        theirs = notices.draft(session, platform, [found], supervisor, now=now, settings=settings)
        for involved in (boss, supervisor):
            with pytest.raises(notices.TwoPersonError):
                notices.approve(session, theirs.id, involved, theirs.version, now=now, settings=settings)


def test_one_person_suffices_where_the_bureau_says_so(ledger, make, supervisor, platform, now, settings):
    alone = settings.model_copy(update={"notices": settings.notices.model_copy(update={"two_person": False})})
    with ledger.write() as session:
        found = make.lead(session, make.decision(session, make.task(session), supervisor))
        notice = notices.draft(session, platform, [found], supervisor, now=now, settings=alone)
        notices.approve(session, notice.id, supervisor, notice.version, now=now, settings=alone)
        assert notice.state is NoticeState.APPROVED


def test_what_changed_since_it_was_read_is_not_approved(ledger, drafted, supervisor, analyst, now, settings):
    with ledger.write() as session:
        leads.withdraw(session, drafted.leads[0].id, analyst, reason="wrong item", now=now)
    with ledger.write() as session, pytest.raises(notices.StaleNoticeError):
        notices.approve(session, drafted.id, supervisor, drafted.version, now=now, settings=settings)


def test_a_cancelled_notice_frees_its_leads(ledger, approved, supervisor, now):
    with ledger.write() as session:
        notices.cancel(session, approved.id, supervisor, approved.version, reason="wrong addressee", now=now)
        assert len(leads.ready(session)["sample"]) == 2
    assert _dispatch(ledger).state is DispatchState.CANCELLED


def test_an_approval_puts_the_notice_into_the_outbox_with_it(ledger, approved, now):
    dispatch = _dispatch(ledger)
    assert (dispatch.notice_id, dispatch.kind, dispatch.state) == (
        approved.id,
        DispatchKind.NOTICE,
        DispatchState.WAITING,
    )
    assert (dispatch.channel, dispatch.recipient) == ("smtp", "notices@shop.invalid")
    assert (dispatch.subject, dispatch.body) == (approved.subject, approved.body)
    assert dispatch.idempotency_key.endswith("@bureau.invalid>")
    with ledger.read() as session:
        entry = session.scalars(sa.select(audit.AuditEntry).order_by(audit.AuditEntry.seq.desc())).first()
    assert (entry.action, entry.payload["key"]) == ("notice.approve", dispatch.idempotency_key)


@pytest.mark.parametrize(
    ("approved_at", "leaves"),
    [
        pytest.param("2026-10-12 09:30", "2026-10-12 09:40", id="after the hold"),
        pytest.param("2026-10-12 17:25", "2026-10-13 08:30", id="the hold ends after hours"),
        pytest.param("2026-09-30 18:00", "2026-10-08 08:30", id="before the National Day"),
        pytest.param("2026-10-10 07:00", "2026-10-10 08:30", id="a Saturday that is worked"),
    ],
)
def test_it_leaves_after_the_hold_in_office_hours(ledger, drafted, supervisor, settings, approved_at, leaves):
    held = settings.model_copy(update={"notices": Notices()})
    with ledger.write() as session:
        notices.approve(
            session, drafted.id, supervisor, drafted.version, now=_shanghai(approved_at), settings=held
        )
    assert _dispatch(ledger).not_before == _shanghai(leaves)


def test_what_is_recalled_is_a_draft_again_and_is_approved_anew_under_another_key(
    ledger, approved, analyst, supervisor, now, settings
):
    with ledger.write() as session:
        recalled = notices.recall(session, approved.id, analyst, approved.version, reason="typo", now=now)
    assert (recalled.state, recalled.approver_id, recalled.approved_at) == (NoticeState.DRAFT, None, None)
    first = _dispatch(ledger)
    assert first.state is DispatchState.CANCELLED
    with ledger.write() as session:
        notices.approve(session, approved.id, supervisor, recalled.version, now=now, settings=settings)
    second = _dispatch(ledger)
    assert (second.state, second.idempotency_key != first.idempotency_key) == (DispatchState.WAITING, True)


def test_a_draft_cannot_be_recalled(ledger, drafted, analyst, now):
    with ledger.write() as session, pytest.raises(notices.NoticeStateError, match="draft"):
        notices.recall(session, drafted.id, analyst, drafted.version, now=now)


def test_a_lead_withdrawn_during_the_hold_leaves_the_text_and_the_files(ledger, approved, analyst, now):
    gone, kept = approved.leads
    with ledger.write() as session:
        dispatch = session.scalars(sa.select(Dispatch)).one()
        dispatch.files = [DispatchFile(name="a.xlsx", sha256="0" * 64, media_type="x/y", size=1)]
    with ledger.write() as session:
        leads.withdraw(session, gone.id, analyst, reason="wrong item", now=now)
    with ledger.read() as session:
        dispatch = session.scalars(sa.select(Dispatch)).one()
        assert gone.number not in dispatch.body
        assert kept.number in dispatch.body
        assert dispatch.files == []


def test_when_the_last_lead_is_withdrawn_nothing_waits_any_more(ledger, approved, analyst, now):
    with ledger.write() as session:
        for lead in approved.leads:
            leads.withdraw(session, lead.id, analyst, reason="wrong item", now=now)
    assert _stored(ledger, approved) == (NoticeState.CANCELLED, [])
    assert _dispatch(ledger).state is DispatchState.CANCELLED


@pytest.mark.parametrize("hindrance", [{"attempted_at": True}, {"may_have_arrived": True}])
def test_what_may_have_left_can_be_neither_changed_nor_taken_back(
    ledger, approved, analyst, supervisor, now, hindrance
):
    with ledger.write() as session:
        dispatch = session.scalars(sa.select(Dispatch)).one()
        dispatch.attempted_at = now if "attempted_at" in hindrance else None
        dispatch.may_have_arrived = "may_have_arrived" in hindrance
    for refused in (notices.cancel, notices.recall):
        with pytest.raises(dispatches.OnItsWayError), ledger.write() as session:
            refused(session, approved.id, supervisor, approved.version, now=now)
    with pytest.raises(dispatches.OnItsWayError), ledger.write() as session:
        leads.withdraw(session, approved.leads[0].id, analyst, reason="wrong item", now=now)
    assert _stored(ledger, approved) == (NoticeState.APPROVED, [LeadState.READY] * 2)


def _sent(ledger, notice, now):
    with ledger.write() as session:
        found = notices.locked(session, notice.id)
        notices.mark_sent(session, found, "system:test", sent_at=now, now=now)
        return found


def test_the_platforms_signature_is_recorded_and_is_no_answer(ledger, approved, analyst, now):
    sent = _sent(ledger, approved, now)
    with ledger.write() as session:
        signed = notices.acknowledge(
            session, sent.id, analyst, sent.version, receipt="签收单 7", at=now + HOUR, now=now + 2 * HOUR
        )
    assert (signed.state, signed.acknowledged_at) == (NoticeState.ACKNOWLEDGED, now + HOUR)
    assert _stored(ledger, approved)[1] == [LeadState.ACKNOWLEDGED] * 2


@pytest.mark.parametrize(
    ("hours", "receipt", "complaint"),
    [(1, " ", "receipt"), (-1, "7", "between"), (3, "7", "between")],
)
def test_a_signature_without_receipt_or_at_an_impossible_time_is_refused(
    ledger, approved, analyst, now, hours, receipt, complaint
):
    sent = _sent(ledger, approved, now)
    at, later = now + hours * HOUR, now + 2 * HOUR
    with ledger.write() as session, pytest.raises(notices.NoticeError, match=complaint):
        notices.acknowledge(session, sent.id, analyst, sent.version, receipt=receipt, at=at, now=later)


def test_a_notice_that_lapses_closes_no_lead(ledger, approved, now):
    sent = _sent(ledger, approved, now)
    with ledger.write() as session:
        notices.lapse(session, notices.locked(session, sent.id), now=now)
    assert _stored(ledger, approved) == (NoticeState.LAPSED, [LeadState.SENT] * 2)


@pytest.fixture
def by_hand(ledger, make, analyst, supervisor, platform, now, settings):
    form = platform.model_copy(
        update={
            "lead": platform.lead.model_copy(update={"channel": "manual", "recipient": "举报中心网页表单"})
        }
    )
    with ledger.write() as session:
        lead = make.lead(session, make.decision(session, make.task(session), analyst))
        notice = notices.draft(session, form, [lead], analyst, now=now, settings=settings)
        return notices.approve(session, notice.id, supervisor, notice.version, now=now, settings=settings)


def test_a_person_records_what_they_handed_over(ledger, by_hand, analyst, now):
    with ledger.write() as session:
        manual.record(
            session,
            by_hand.id,
            analyst,
            by_hand.version,
            handed_over_at=now + HOUR,
            receipt="回执号 88421",
            now=now + 2 * HOUR,
        )
    assert _stored(ledger, by_hand) == (NoticeState.SENT, [LeadState.SENT])
    dispatch = _dispatch(ledger)
    assert (dispatch.state, dispatch.sent_at) == (DispatchState.SENT, now + HOUR)
    assert dispatch.receipt == "回执号 88421"
    with ledger.read() as session:
        entry = session.scalars(sa.select(audit.AuditEntry).order_by(audit.AuditEntry.seq.desc())).first()
    assert (entry.actor, entry.payload["receipt"]) == ("analyst", "回执号 88421")


@pytest.mark.parametrize(
    ("hours", "receipt", "complaint"),
    [(1, " ", "receipt"), (-1, "88421", "between"), (3, "88421", "between")],
)
def test_a_hand_over_without_receipt_or_at_an_impossible_time_is_refused(
    ledger, by_hand, analyst, now, hours, receipt, complaint
):
    with ledger.write() as session, pytest.raises(notices.NoticeError, match=complaint):
        manual.record(
            session,
            by_hand.id,
            analyst,
            by_hand.version,
            handed_over_at=now + hours * HOUR,
            receipt=receipt,
            now=now + 2 * HOUR,
        )


def test_a_notice_that_goes_by_mail_is_not_handed_over(ledger, approved, analyst, now):
    with ledger.write() as session, pytest.raises(notices.NoticeError, match="by smtp"):
        manual.record(
            session, approved.id, analyst, approved.version, handed_over_at=now, receipt="88421", now=now
        )


def test_what_was_handed_over_is_not_handed_over_again(ledger, by_hand, analyst, now):
    for version in (by_hand.version, by_hand.version + 1):
        given = {"handed_over_at": now, "receipt": "88421", "now": now}
        with ledger.write() as session:
            if version == by_hand.version:
                manual.record(session, by_hand.id, analyst, version, **given)
            else:
                with pytest.raises(notices.NoticeStateError, match="sent"):
                    manual.record(session, by_hand.id, analyst, version, **given)


def _at_once(*works):
    threads = [threading.Thread(target=work) for work in works]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
