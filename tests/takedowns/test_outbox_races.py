"""Two at once, one that died, any order of steps: on both databases."""

from __future__ import annotations

import threading
from datetime import timedelta

import pytest
import sqlalchemy as sa

from takedowns import dispatches, notices, outbox
from takedowns.channels import smtp
from takedowns.channels.parcel import SendError
from takedowns.ledger.tables import Dispatch, DispatchFile, Lead, Notice
from takedowns.states import LeadState, NoticeState

MINUTE, HOUR = timedelta(minutes=1), timedelta(hours=1)


@pytest.fixture
def approved(bureau, ledger, make, analyst, supervisor, platform, now, settings):
    """Of two leads, due at once, with one small file."""
    sha256 = bureau.evidence.put(b"letter")
    with ledger.write() as session:
        found = [make.lead(session, make.decision(session, make.task(session), analyst)) for _ in range(2)]
        notice = notices.draft(session, platform, found, analyst, now=now, settings=settings)
        notices.approve(session, notice.id, supervisor, notice.version, now=now, settings=settings)
        dispatch = session.scalars(sa.select(Dispatch)).one()
        dispatch.files = [DispatchFile(name="letter.txt", sha256=sha256, media_type="text/plain", size=6)]
        return notice


def _dispatch(ledger) -> Dispatch:
    with ledger.read() as session:
        return session.scalars(sa.select(Dispatch)).one()


def _states(ledger):
    with ledger.read() as session:
        return session.scalars(sa.select(Notice.state)).one(), set(session.scalars(sa.select(Lead.state)))


def test_two_that_send_at_once_send_one_mail(bureau, ledger, approved, mail_server):
    outcomes = []

    def send() -> None:
        try:
            outcomes.append(outbox.send(bureau, approved.id).state)
        except (notices.NoticeError, dispatches.DispatchError) as error:
            outcomes.append(type(error))

    threads = [threading.Thread(target=send) for _ in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert outcomes.count(NoticeState.SENT) >= 1
    assert len(mail_server.mails) == 1
    assert _states(ledger) == (NoticeState.SENT, {LeadState.SENT})


class Killed(BaseException):
    """The process ends here."""


@pytest.mark.parametrize("moment", ["before the mail", "after the mail"])
def test_after_a_kill_sending_goes_on_with_the_same_message_id(
    bureau, ledger, approved, supervisor, analyst, mail_server, monkeypatch, moment
):
    deliver = smtp.deliver

    def dies(parcel, mail):
        if moment == "after the mail":
            deliver(parcel, mail)
        raise Killed

    with monkeypatch.context() as patch:
        patch.setattr(smtp, "deliver", dies)
        with pytest.raises(Killed):
            outbox.send(bureau, approved.id)
    # Nobody knows whether it went: nothing in it may change.
    assert _states(ledger) == (NoticeState.APPROVED, {LeadState.READY})
    with pytest.raises(dispatches.OnItsWayError), ledger.write() as session:
        notices.recall(session, approved.id, supervisor, approved.version, now=bureau.clock())
    bureau.clock.now += MINUTE
    with pytest.raises(dispatches.OnItsWayError):
        outbox.send(bureau, approved.id)
    bureau.clock.now += HOUR
    assert outbox.send(bureau, approved.id).state is NoticeState.SENT
    assert {mail["Message-ID"] for mail in mail_server.mails} == {_dispatch(ledger).idempotency_key}
    assert len({mail.get_body(("plain",)).get_content() for mail in mail_server.mails}) == 1


def test_an_attempt_taken_for_dead_that_ends_after_all_undoes_nothing(
    bureau, ledger, approved, mail_server, monkeypatch
):
    deliver = smtp.deliver

    def slow(parcel, mail):
        monkeypatch.setattr(smtp, "deliver", deliver)
        bureau.clock.now += HOUR
        assert outbox.send(bureau, approved.id).state is NoticeState.SENT
        raise SendError("the line was cut", temporary=True)

    monkeypatch.setattr(smtp, "deliver", slow)
    assert outbox.send(bureau, approved.id).state is NoticeState.SENT
    assert _states(ledger) == (NoticeState.SENT, {LeadState.SENT})


def test_a_sure_refusal_after_an_attempt_that_died_does_not_make_it_sure_that_nothing_arrived(
    bureau, ledger, approved, supervisor, mail_server, monkeypatch
):
    def dies(parcel, mail):
        raise Killed

    with monkeypatch.context() as patch:
        patch.setattr(smtp, "deliver", dies)
        with pytest.raises(Killed):
            outbox.send(bureau, approved.id)
    bureau.clock.now += HOUR
    mail_server.refusal = "554 not now"
    assert outbox.send(bureau, approved.id).state is NoticeState.SEND_FAILED
    with ledger.read() as session:
        version = session.get_one(Notice, approved.id).version
    with pytest.raises(dispatches.OnItsWayError), ledger.write() as session:
        notices.recall(session, approved.id, supervisor, version, now=bureau.clock())
