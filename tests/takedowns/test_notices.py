from __future__ import annotations

import csv
import io
import threading
from datetime import timedelta

import pytest
import sqlalchemy as sa

from crawlers.listing import Presence
from takedowns import leads, notices
from takedowns.channels import manual, smtp
from takedowns.ledger import audit
from takedowns.ledger.tables import Lead, Listing, Notice, Verification
from takedowns.ledger.vocabulary import Role, VerificationOutcome
from takedowns.roles import NotAllowedError
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


def _listing(session, lead):
    return session.get(Listing, lead.listing_id)


def _stored(ledger, notice):
    with ledger.read() as session:
        stored = session.get(Notice, notice.id)
        assert list(audit.verify(session)) == []
        return stored, [lead.state for lead in stored.leads]


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
    assert drafted.message_id.endswith("@bureau.invalid>")


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


def test_a_draft_is_not_sent(ledger, drafted, mailing, mail_server, now):
    with pytest.raises(notices.NoticeStateError, match="draft"):
        notices.send(ledger, drafted.id, now=now, settings=mailing)
    assert mail_server.mails == []


def test_a_cancelled_notice_frees_its_leads(ledger, approved, supervisor, mailing, now):
    with ledger.write() as session:
        notices.cancel(session, approved.id, supervisor, approved.version, reason="wrong addressee", now=now)
        assert len(leads.ready(session)["sample"]) == 2
    with pytest.raises(notices.NoticeStateError, match="cancelled"):
        notices.send(ledger, approved.id, now=now, settings=mailing)


def test_an_approved_notice_goes_by_mail(ledger, approved, mailing, mail_server, now):
    sent = notices.send(ledger, approved.id, now=now + HOUR, settings=mailing)
    assert (sent.state, sent.sent_at) == (NoticeState.SENT, now + HOUR)
    stored, lead_states = _stored(ledger, approved)
    assert (stored.attempted_at, lead_states) == (None, [LeadState.SENT] * 2)
    (mail,) = mail_server.mails
    assert mail["Message-ID"] == approved.message_id
    assert mail["Subject"] == approved.subject
    assert (mail["From"], mail["To"]) == ("leads@bureau.invalid", "notices@shop.invalid")
    assert mail.get_body(("plain",)).get_content().splitlines() == approved.body.splitlines()
    (table,) = mail.iter_attachments()
    rows = list(csv.DictReader(io.StringIO(table.get_payload(decode=True).decode("utf-8-sig"))))
    assert [row["线索编号"] for row in rows] == [lead.number for lead in stored.leads]


def test_a_sent_notice_is_not_sent_again(ledger, approved, mailing, mail_server, now):
    notices.send(ledger, approved.id, now=now, settings=mailing)
    with pytest.raises(notices.NoticeStateError, match="sent"):
        notices.send(ledger, approved.id, now=now + 24 * HOUR, settings=mailing)
    assert len(mail_server.mails) == 1


def test_two_that_send_at_once_send_one_mail(ledger, approved, mailing, mail_server, now):
    outcomes = []

    def send() -> None:
        try:
            outcomes.append(notices.send(ledger, approved.id, now=now, settings=mailing).state)
        except notices.NoticeError as error:
            outcomes.append(type(error))

    _at_once(send, send, send)
    assert outcomes.count(NoticeState.SENT) == 1
    assert len(mail_server.mails) == 1
    assert _stored(ledger, approved)[1] == [LeadState.SENT] * 2


def test_an_unreachable_server_loses_nothing_and_can_be_tried_again(
    ledger, approved, settings, mailing, mail_server, now
):
    failed = notices.send(ledger, approved.id, now=now, settings=settings)
    assert failed.state is NoticeState.SEND_FAILED
    assert "127.0.0.1:1" in failed.failure
    assert _stored(ledger, approved)[1] == [LeadState.READY] * 2
    again = notices.send(ledger, approved.id, now=now + HOUR, settings=mailing)
    assert (again.state, again.failure) == (NoticeState.SENT, None)
    assert [mail["Message-ID"] for mail in mail_server.mails] == [approved.message_id]


def test_a_refused_mail_keeps_the_reason_of_the_server(ledger, approved, mailing, mail_server, now):
    mail_server.refusal = "554 no such desk here"
    failed = notices.send(ledger, approved.id, now=now, settings=mailing)
    assert (failed.state, failed.sent_at) == (NoticeState.SEND_FAILED, None)
    assert "554 no such desk here" in failed.failure


class Killed(BaseException):
    """The process ends here."""


@pytest.mark.parametrize("moment", ["before the mail", "after the mail"])
def test_after_a_kill_sending_goes_on_with_the_same_message_id(
    ledger, approved, supervisor, analyst, mailing, mail_server, now, monkeypatch, moment
):
    deliver = smtp.deliver

    def dies(message, mail):
        if moment == "after the mail":
            deliver(message, mail)
        raise Killed

    monkeypatch.setattr(smtp, "deliver", dies)
    with pytest.raises(Killed):
        notices.send(ledger, approved.id, now=now, settings=mailing)
    monkeypatch.setattr(smtp, "deliver", deliver)
    stored, lead_states = _stored(ledger, approved)
    assert (stored.state, lead_states) == (NoticeState.APPROVED, [LeadState.READY] * 2)
    # Nobody knows whether it went: nothing in it may change.
    with ledger.write() as session:
        with pytest.raises(notices.BeingSentError):
            notices.cancel(session, approved.id, supervisor, stored.version, now=now)
        with pytest.raises(leads.BeingSentError):
            leads.withdraw(session, stored.leads[0].id, analyst, reason="wrong item", now=now)
    with pytest.raises(notices.BeingSentError):
        notices.send(ledger, approved.id, now=now + timedelta(minutes=1), settings=mailing)

    assert notices.send(ledger, approved.id, now=now + HOUR, settings=mailing).state is NoticeState.SENT
    assert {mail["Message-ID"] for mail in mail_server.mails} == {approved.message_id}
    assert len({mail.get_body(("plain",)).get_content() for mail in mail_server.mails}) == 1
    assert _stored(ledger, approved)[1] == [LeadState.SENT] * 2


def test_an_attempt_taken_for_dead_that_ends_after_all_undoes_nothing(
    ledger, approved, mailing, settings, mail_server, now, monkeypatch
):
    deliver = smtp.deliver

    def slow(message, mail):
        monkeypatch.setattr(smtp, "deliver", deliver)
        assert notices.send(ledger, approved.id, now=now + HOUR, settings=mailing).state is NoticeState.SENT
        raise smtp.SendError("the line was cut")

    monkeypatch.setattr(smtp, "deliver", slow)
    assert notices.send(ledger, approved.id, now=now, settings=mailing).state is NoticeState.SENT
    assert _stored(ledger, approved)[0].state is NoticeState.SENT


def test_what_is_gone_before_sending_drops_out_and_is_credited_to_nobody(
    ledger, make, approved, mailing, mail_server, now
):
    gone, there = approved.leads
    with ledger.write() as session:
        look = make.sighting(session, _listing(session, gone), observed_at=now + HOUR)
        make.sighting(session, _listing(session, gone), state=Presence.BLOCKED, observed_at=now + 2 * HOUR)
    sent = notices.send(ledger, approved.id, now=now + 3 * HOUR, settings=mailing)
    assert [lead.number for lead in sent.leads] == [there.number]
    assert gone.number not in mail_server.mails[0].get_body(("plain",)).get_content()
    with ledger.read() as session:
        closed = session.get(Lead, gone.id)
        verification = session.scalars(sa.select(Verification)).one()
    assert (closed.state, closed.sent_at) == (LeadState.CLOSED, None)
    assert closed.outcome is verification.outcome is VerificationOutcome.GONE_BEFORE
    assert verification.observed_at == now + HOUR
    assert verification.basis == {"sightings": [look.id], "claims": []}


@pytest.mark.parametrize(
    "later",
    [
        {"state": Presence.UP},
        {"state": Presence.ALTERED},
        pytest.param({"state": None}, id="the run was not to be trusted"),
    ],
)
def test_what_is_not_surely_gone_stays_in(ledger, make, approved, mailing, now, later):
    with ledger.write() as session:
        listing = _listing(session, approved.leads[0])
        run = make.run(session, trusted=later["state"] is not None)
        make.sighting(session, listing, run=run, observed_at=now)
        if later["state"] is not None:
            make.sighting(session, listing, observed_at=now + HOUR, **later)
    sent = notices.send(ledger, approved.id, now=now + 2 * HOUR, settings=mailing)
    assert len(sent.leads) == 2


def test_what_was_shown_again_after_it_was_gone_stays_in(ledger, make, approved, mailing, now):
    with ledger.write() as session:
        listing = _listing(session, approved.leads[0])
        make.sighting(session, listing, observed_at=now)
        make.snapshot(session, listing, observed_at=now + HOUR)
    assert len(notices.send(ledger, approved.id, now=now + 2 * HOUR, settings=mailing).leads) == 2


def test_when_all_are_gone_nothing_is_sent(ledger, make, approved, mailing, mail_server, now):
    with ledger.write() as session:
        for lead in approved.leads:
            make.sighting(session, _listing(session, lead), observed_at=now)
    notice = notices.send(ledger, approved.id, now=now + HOUR, settings=mailing)
    assert notice.state is NoticeState.CANCELLED
    assert mail_server.mails == []


def test_what_is_gone_after_sending_is_not_called_gone_before(ledger, make, approved, mailing, now):
    notices.send(ledger, approved.id, now=now, settings=mailing)
    with ledger.write() as session:
        make.sighting(session, _listing(session, approved.leads[0]), observed_at=now + HOUR)
        assert notices.drop_gone(session, session.get(Notice, approved.id), now=now + 2 * HOUR) == []
    assert _stored(ledger, approved)[1] == [LeadState.SENT] * 2


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
    stored, lead_states = _stored(ledger, by_hand)
    assert (stored.state, stored.sent_at, lead_states) == (NoticeState.SENT, now + HOUR, [LeadState.SENT])
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


def test_each_channel_keeps_to_its_own_notices(ledger, approved, by_hand, analyst, mailing, now):
    with pytest.raises(notices.NoticeStateError, match="by hand"):
        notices.send(ledger, by_hand.id, now=now, settings=mailing)
    with ledger.write() as session, pytest.raises(notices.NoticeError, match="by smtp"):
        manual.record(
            session, approved.id, analyst, approved.version, handed_over_at=now, receipt="88421", now=now
        )
    with pytest.raises(notices.UnknownNoticeError):
        notices.send(ledger, 10**6, now=now, settings=mailing)


def _at_once(*works):
    threads = [threading.Thread(target=work) for work in works]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
