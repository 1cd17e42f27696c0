from __future__ import annotations

from datetime import timedelta

import pytest
import sqlalchemy as sa

from crawlers.listing import Presence
from takedowns import dispatches, leads, notices, outbox
from takedowns.channels import smtp
from takedowns.ledger import audit
from takedowns.ledger.tables import Dispatch, DispatchFile, Lead, Listing, Notice, Verification
from takedowns.ledger.vocabulary import DispatchState, VerificationOutcome
from takedowns.settings import Notices
from takedowns.states import LeadState, NoticeState

MINUTE, HOUR = timedelta(minutes=1), timedelta(hours=1)


@pytest.fixture
def ledger(sqlite_ledger):
    """What depends on the database stands in test_outbox_races."""
    return sqlite_ledger


@pytest.fixture
def unsealed(ledger, make, analyst, supervisor, platform, now, settings):
    """A notice of two leads, approved and due at once; to make its files takes a second."""
    with ledger.write() as session:
        found = [make.lead(session, make.decision(session, make.task(session), analyst)) for _ in range(2)]
        notice = notices.draft(session, platform, found, analyst, now=now, settings=settings)
        return notices.approve(session, notice.id, supervisor, notice.version, now=now, settings=settings)


@pytest.fixture
def approved(bureau, ledger, unsealed):
    """The same with one small file."""
    sha256 = bureau.evidence.put(b"letter")
    with ledger.write() as session:
        dispatch = session.scalars(sa.select(Dispatch)).one()
        dispatch.files = [DispatchFile(name="letter.txt", sha256=sha256, media_type="text/plain", size=6)]
    return unsealed


@pytest.fixture
def unreachable(bureau, settings):
    """The bureau while its mail server is not there; undone by what is returned."""
    reachable = bureau.settings
    bureau.settings = reachable.model_copy(update={"mail": settings.mail})

    def mended() -> None:
        bureau.settings = reachable

    return mended


def _dispatch(ledger) -> Dispatch:
    with ledger.read() as session:
        assert list(audit.verify(session)) == []
        return session.scalars(sa.select(Dispatch)).one()


def _states(ledger):
    with ledger.read() as session:
        return session.scalars(sa.select(Notice.state)).one(), set(session.scalars(sa.select(Lead.state)))


def _see(ledger, make, lead, **look):
    with ledger.write() as session:
        return make.sighting(session, session.get(Listing, lead.listing_id), **look)


def test_what_is_due_goes_by_mail_with_its_files(bureau, ledger, unsealed, mail_server):
    (tried,) = outbox.send_due(bureau)
    assert tried.state is DispatchState.SENT
    assert _states(ledger) == (NoticeState.SENT, {LeadState.SENT})
    (mail,) = mail_server.mails
    assert (mail["From"], mail["To"]) == ("leads@bureau.invalid", "notices@shop.invalid")
    assert (mail["Message-ID"], mail["Subject"]) == (tried.idempotency_key, unsealed.subject)
    assert mail.get_body(("plain",)).get_content().splitlines() == unsealed.body.splitlines()
    with ledger.read() as session:
        kept = session.scalars(sa.select(DispatchFile)).all()
    sent = {part.get_filename(): part.get_payload(decode=True) for part in mail.iter_attachments()}
    assert sent == {file.name: bureau.evidence.read(file.sha256) for file in kept}
    assert f"{unsealed.number}.xlsx" in sent
    assert outbox.send_due(bureau) == []
    assert len(mail_server.mails) == 1


def test_nothing_leaves_during_the_hold_but_its_files_are_made(
    bureau, ledger, unsealed, supervisor, mail_server
):
    bureau.settings = bureau.settings.model_copy(update={"notices": Notices(office_hours=None)})
    with ledger.write() as session:
        recalled = notices.recall(session, unsealed.id, supervisor, unsealed.version, now=bureau.clock())
        again = notices.approve(
            session, unsealed.id, supervisor, recalled.version, now=bureau.clock(), settings=bureau.settings
        )
        first = session.scalars(sa.select(Dispatch).order_by(Dispatch.id)).first()
        session.delete(first)
    bureau.clock.now += 9 * MINUTE
    assert outbox.send_due(bureau) == []
    assert [file.name for file in _files(ledger)] != []
    with pytest.raises(dispatches.HeldError, match="09:40"):
        outbox.send(bureau, again.id)
    bureau.clock.now += MINUTE
    assert len(outbox.send_due(bureau)) == len(mail_server.mails) == 1


def _files(ledger):
    with ledger.read() as session:
        return session.scalars(sa.select(DispatchFile).order_by(DispatchFile.name)).all()


def test_outside_office_hours_nothing_leaves_though_it_is_due(bureau, approved, mail_server):
    bureau.settings = bureau.settings.model_copy(update={"notices": Notices(hold_minutes=0)})
    bureau.clock.now += 9 * HOUR  # 18:30
    assert outbox.send_due(bureau) == []
    with pytest.raises(dispatches.HeldError, match="2026-10-13 08:30"):
        outbox.send(bureau, approved.id)
    bureau.clock.now += 14 * HOUR
    assert len(outbox.send_due(bureau)) == len(mail_server.mails) == 1


def test_a_lead_withdrawn_after_its_files_were_made_is_in_none_of_them(
    bureau, ledger, unsealed, analyst, mail_server
):
    outbox.seal(bureau, _dispatch(ledger).id)
    before = {file.name: file.sha256 for file in _files(ledger)}
    gone, kept = unsealed.leads
    with ledger.write() as session:
        leads.withdraw(session, gone.id, analyst, reason="wrong item", now=bureau.clock())
    outbox.send_due(bureau)
    after = {file.name: file.sha256 for file in _files(ledger)}
    assert before.keys() == after.keys()
    assert not set(before.values()) & set(after.values())
    body = mail_server.mails[0].get_body(("plain",)).get_content()
    assert (gone.number in body, kept.number in body) == (False, True)


def test_a_draft_and_a_notice_that_went_are_not_sent(bureau, ledger, approved, analyst, mail_server):
    outbox.send(bureau, approved.id)
    with pytest.raises(notices.NoticeStateError, match="sent"):
        outbox.send(bureau, approved.id)
    with pytest.raises(notices.UnknownNoticeError):
        outbox.send(bureau, 10**6)
    assert len(mail_server.mails) == 1


def test_a_notice_that_goes_by_hand_is_left_to_a_person(bureau, ledger, approved):
    with ledger.write() as session:
        session.get_one(Notice, approved.id).channel = "manual"
        session.scalars(sa.select(Dispatch)).one().channel = "manual"
    assert outbox.send_due(bureau) == []
    with pytest.raises(notices.NoticeStateError, match="by hand"):
        outbox.send(bureau, approved.id)


def test_a_temporary_failure_is_tried_again_ever_later_and_given_up_in_the_end(
    bureau, ledger, approved, supervisor, unreachable, mail_server
):
    waits = []
    for _ in range(8):
        (tried,) = outbox.send_due(bureau)
        waits.append((tried.not_before - bureau.clock()) / MINUTE)
        assert "127.0.0.1:1" in tried.failure
        bureau.clock.now = max(tried.not_before, bureau.clock.now)
    assert waits[:-1] == [1, 5, 30, 120, 360, 720, 1440]
    assert tried.state is DispatchState.FAILED
    assert _states(ledger) == (NoticeState.SEND_FAILED, {LeadState.READY})
    assert outbox.send_due(bureau) == []

    unreachable()
    with ledger.write() as session:
        outbox.release(session, bureau, approved.id, supervisor)
    assert outbox.send(bureau, approved.id).state is NoticeState.SENT
    assert [mail["Message-ID"] for mail in mail_server.mails] == [tried.idempotency_key]
    assert _dispatch(ledger).failure is None


def test_a_refusal_for_good_is_given_up_at_once_and_names_the_servers_reason(
    bureau, ledger, approved, mail_server
):
    mail_server.refusal = "554 no such desk here"
    (tried,) = outbox.send_due(bureau)
    assert tried.state is DispatchState.FAILED
    assert "554 no such desk here" in tried.failure
    assert _states(ledger) == (NoticeState.SEND_FAILED, {LeadState.READY})


def test_what_was_given_up_and_surely_did_not_arrive_can_be_recalled(
    bureau, ledger, approved, supervisor, mail_server
):
    mail_server.refusal = "554 no such desk here"
    outbox.send_due(bureau)
    with ledger.write() as session:
        notices.recall(
            session, approved.id, supervisor, notices.locked(session, approved.id).version, now=bureau.clock()
        )
    assert _states(ledger)[0] is NoticeState.DRAFT


def test_one_that_cannot_be_made_keeps_no_other_from_leaving(
    bureau, ledger, approved, make, analyst, supervisor, platform, mail_server
):
    with ledger.write() as session:
        lead = make.lead(session, make.decision(session, make.task(session), analyst))
        now, settings = bureau.clock(), bureau.settings
        second = notices.draft(session, platform, [lead], analyst, now=now, settings=settings)
        notices.approve(session, second.id, supervisor, second.version, now=now, settings=settings)
        broken = session.scalars(sa.select(Dispatch).where(Dispatch.notice_id == approved.id)).one()
        broken.files = [DispatchFile(name="a.pdf", sha256="0" * 64, media_type="x/y", size=1)]
        sound = session.scalars(sa.select(Dispatch).where(Dispatch.notice_id == second.id)).one()
        sha256 = bureau.evidence.put(b"letter")
        sound.files = [DispatchFile(name="letter.txt", sha256=sha256, media_type="text/plain", size=6)]
    tried = outbox.send_due(bureau)
    assert [one.state for one in tried] == [DispatchState.WAITING, DispatchState.SENT]
    assert "files" in tried[0].failure
    assert len(mail_server.mails) == 1


def test_a_line_that_drops_after_the_mail_leaves_it_as_it_is_until_it_is_sent_again(
    bureau, ledger, approved, supervisor, make, mail_server
):
    mail_server.drops_the_line = True
    (tried,) = outbox.send_due(bureau)
    assert (tried.state, tried.may_have_arrived, tried.attempted_at) == (DispatchState.WAITING, True, None)
    _see(ledger, make, approved.leads[0], observed_at=bureau.clock())  # gone, but the mail may be there
    with pytest.raises(dispatches.OnItsWayError), ledger.write() as session:
        notices.cancel(session, approved.id, supervisor, approved.version, now=bureau.clock())
    mail_server.drops_the_line = False
    bureau.clock.now += MINUTE
    outbox.send_due(bureau)
    assert _states(ledger) == (NoticeState.SENT, {LeadState.SENT})
    first, second = mail_server.mails
    assert first["Message-ID"] == second["Message-ID"]
    assert first.get_body(("plain",)).get_content() == second.get_body(("plain",)).get_content()


def test_a_defect_in_a_channel_is_heard_of_and_loses_nothing(bureau, ledger, approved, monkeypatch):
    def broken(parcel, mail):
        raise RuntimeError("a defect")

    monkeypatch.setattr(smtp, "deliver", broken)
    with pytest.raises(RuntimeError):
        outbox.send(bureau, approved.id)
    found = _dispatch(ledger)
    assert (found.state, found.may_have_arrived, found.failure) == (
        DispatchState.WAITING,
        True,
        "RuntimeError: a defect",
    )


def test_what_is_gone_before_sending_drops_out_and_is_credited_to_nobody(
    bureau, ledger, make, approved, mail_server
):
    gone, there = approved.leads
    looked_at = bureau.clock() + HOUR
    look = _see(ledger, make, gone, observed_at=looked_at)
    _see(ledger, make, gone, state=Presence.BLOCKED, observed_at=looked_at + HOUR)
    bureau.clock.now += 3 * HOUR
    outbox.send_due(bureau)
    body = mail_server.mails[0].get_body(("plain",)).get_content()
    assert (gone.number in body, there.number in body) == (False, True)
    with ledger.read() as session:
        closed = session.get(Lead, gone.id)
        verification = session.scalars(sa.select(Verification)).one()
    assert (closed.state, closed.sent_at) == (LeadState.CLOSED, None)
    assert closed.outcome is verification.outcome is VerificationOutcome.GONE_BEFORE
    assert verification.observed_at == looked_at
    assert verification.basis == {"sightings": [look.id], "claims": []}


@pytest.mark.parametrize(
    "later",
    [
        {"state": Presence.UP},
        {"state": Presence.ALTERED},
        pytest.param({"state": None}, id="the run was not to be trusted"),
    ],
)
def test_what_is_not_surely_gone_stays_in(bureau, ledger, make, approved, later):
    now, lead = bureau.clock(), approved.leads[0]
    with ledger.write() as session:
        run = make.run(session, trusted=later["state"] is not None)
    _see(ledger, make, lead, run=run, observed_at=now)
    if later["state"] is not None:
        _see(ledger, make, lead, observed_at=now + HOUR, **later)
    bureau.clock.now += 2 * HOUR
    outbox.send_due(bureau)
    assert _states(ledger)[1] == {LeadState.SENT}


def test_what_was_shown_again_after_it_was_gone_stays_in(bureau, ledger, make, approved):
    now, lead = bureau.clock(), approved.leads[0]
    _see(ledger, make, lead, observed_at=now)
    with ledger.write() as session:
        make.snapshot(session, session.get(Listing, lead.listing_id), observed_at=now + HOUR)
    bureau.clock.now += 2 * HOUR
    outbox.send_due(bureau)
    assert _states(ledger)[1] == {LeadState.SENT}


def test_when_all_are_gone_nothing_is_sent(bureau, ledger, make, approved, mail_server):
    for lead in approved.leads:
        _see(ledger, make, lead, observed_at=bureau.clock())
    assert outbox.send_due(bureau) == []
    assert _states(ledger) == (NoticeState.CANCELLED, {LeadState.CLOSED})
    assert _dispatch(ledger).state is DispatchState.CANCELLED
    assert mail_server.mails == []


def test_what_is_gone_after_sending_is_not_called_gone_before(bureau, ledger, make, approved):
    outbox.send_due(bureau)
    _see(ledger, make, approved.leads[0], observed_at=bureau.clock() + HOUR)
    with ledger.write() as session:
        found = session.get(Notice, approved.id)
        assert notices.drop_gone(session, found, now=bureau.clock() + 2 * HOUR) == []
    assert _states(ledger)[1] == {LeadState.SENT}
