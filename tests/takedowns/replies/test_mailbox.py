"""Against a real IMAP server of Twisted's, over TLS."""

from __future__ import annotations

import base64
import dataclasses
import io
import socket
from datetime import UTC, datetime
from email.message import EmailMessage
from email.policy import SMTP

import openpyxl
import pytest
import sqlalchemy as sa

from takedowns.ledger.tables import InboxMessage, JobFiring, Lead
from takedowns.ledger.vocabulary import Measure, RunState, TrayState
from takedowns.replies import inbox, mailbox
from takedowns.replies.mailbox import MailboxError, poll
from takedowns.schedule import At, Job, fire
from tests.takedowns.replies.conftest import HEADER

PASSED = "mx.bureau.invalid; dmarc=pass header.from=shop.invalid; spf=pass smtp.mailfrom=shop.invalid"


def mail(
    text="见附件", *, sender="商城 <desk@shop.invalid>", authentication=PASSED, files=(), **headers
) -> bytes:
    message = EmailMessage(policy=SMTP)
    if authentication:
        message["Authentication-Results"] = authentication
    message["From"] = sender
    message["To"] = "answers@bureau.invalid"
    message["Subject"] = "回复：线索移送函"
    for name, value in headers.items():
        message[name.replace("_", "-")] = value
    message.set_content(text)
    for name, data in files:
        message.add_attachment(data, maintype="application", subtype="octet-stream", filename=name)
    return message.as_bytes()


def workbook(*rows: list[object]) -> bytes:
    book = openpyxl.Workbook()
    for row in (HEADER.split(","), *rows):
        book.active.append(row)
    out = io.BytesIO()
    book.save(out)
    return out.getvalue()


def messages(ledger):
    with ledger.read() as session:
        return session.scalars(sa.select(InboxMessage).order_by(InboxMessage.id)).all()


def test_a_workbook_in_a_mail_becomes_claims_once_and_the_mailbox_stays_as_it_was(
    ledger, bureau, mail_folder, sent, claims
):
    table = workbook(["2026-0000-01001", "1001", "已下架", "2026-10-11 09:30", "x"])
    mail_folder.put(mail(files=[("反馈.xlsx", table)]))
    polled = poll(bureau)
    assert (polled.mails, polled.result.accepted, polled.result.strays) == (1, 1, 0)
    (claim,) = claims()
    assert (claim.measure, claim.received_at) == (Measure.DELETED, datetime(2026, 10, 12, 1, tzinfo=UTC))
    assert claim.source.startswith("反馈.xlsx#")
    again = poll(bureau)
    assert (again.mails, len(claims())) == (0, 1)
    with mail_folder.opened() as server:
        assert server.select(mail_folder.inbox.folder, readonly=True)[1] == [b"1"]
        assert b"FLAGS ()" in server.fetch("1", "(FLAGS)")[1][0]
    (row,) = messages(bureau.ledger)
    assert (row.sender, row.trusted, row.platform) == ("desk@shop.invalid", True, "sample")
    assert row.outcome["accepted"] == 1


def test_a_mail_that_lies_there_twice_is_taken_in_once(ledger, bureau, mail_folder, sent, claims):
    for _ in range(2):
        mail_folder.put(mail("线索编号 2026-0000-01001 措施 已删除"))
    assert poll(bureau).mails == 1
    assert len(claims()) == len(messages(bureau.ledger)) == 1


def test_starttls_is_used_before_the_password_is_said(
    sqlite_ledger, bureau, mail_folder, imap_ports, sent, claims
):
    mail_folder.put(mail("线索编号 2026-0000-01001 措施 已删除"))
    plain = mail_folder.inbox.model_copy(update={"port": imap_ports[1], "tls": "starttls"})
    settings = bureau.settings.model_copy(update={"inbox": plain})
    assert poll(dataclasses.replace(bureau, settings=settings)).result.accepted == 1


def test_a_server_that_nobody_vouches_for_gets_no_password(sqlite_ledger, bureau, mail_folder):
    stranger = mail_folder.inbox.model_copy(update={"ca_file": None})
    settings = bureau.settings.model_copy(update={"inbox": stranger})
    with pytest.raises(MailboxError, match="certificate verify failed"):
        poll(dataclasses.replace(bureau, settings=settings))


FORGED = {
    "no header": mail("线索编号 2026-0000-01001 措施 已删除", authentication=None),
    "another server's": mail(
        "线索编号 2026-0000-01001 措施 已删除", authentication=PASSED.replace("mx.bureau", "mx.evil")
    ),
    "failed": mail("2026-0000-01001 已删除", authentication=PASSED.replace("dmarc=pass", "dmarc=fail")),
    "another domain's": mail(
        "2026-0000-01001 已删除", authentication=PASSED.replace("shop.invalid", "evil.invalid")
    ),
    "ours below a failure": b"Authentication-Results: mx.bureau.invalid; dmarc=none\r\n"
    + mail("2026-0000-01001 已删除"),
    "a machine that repeats what a stranger wrote to it": mail(
        "> 2026-0000-01001 已删除", Auto_Submitted="auto-replied"
    ),
    "two senders": b"From: desk@evil.invalid\r\n" + mail("2026-0000-01001 已删除"),
    "a platform's name on a stranger's address": mail(
        "2026-0000-01001 已删除", sender='"desk@shop.invalid" <desk@evil.invalid>'
    ),
    "another desk of the other platform's": mail(
        "2026-0000-01001 已删除",
        sender="sales@other.invalid",
        authentication=PASSED.replace("shop.invalid", "other.invalid"),
    ),
}


@pytest.mark.parametrize("forged", FORGED.values(), ids=FORGED.keys())
def test_what_a_forged_sender_says_is_never_a_claim(
    sqlite_ledger, bureau, mail_folder, sent, claims, strays, forged
):
    mail_folder.put(forged)
    assert poll(bureau).result.accepted == 0
    assert claims() == []
    (stray,) = strays()
    assert stray.state is TrayState.OPEN
    assert "2026-0000-01001" in stray.cells["text"]
    (row,) = messages(bureau.ledger)
    assert not row.trusted


def test_a_platform_answers_for_its_own_leads_only(sqlite_ledger, bureau, mail_folder, sent, claims, strays):
    other = PASSED.replace("shop.invalid", "other.invalid")
    mail_folder.put(mail("2026-0000-01001 已删除", sender="desk@other.invalid", authentication=other))
    assert poll(bureau).result.accepted == 0
    assert claims() == []
    assert "lead 2026-0000-01001 is of sample; other answered" in strays()[0].reason


def test_a_mail_of_thirty_megabytes_is_refused_by_name_and_not_fetched(
    sqlite_ledger, bureau, mail_folder, sent, claims, strays
):
    mail_folder.put(mail(files=[("反馈.xlsx", b"x" * 22_500_000)]))
    mail_folder.put(mail("2026-0000-01001 已删除"))
    inbox_20_mb = mail_folder.inbox.model_copy(update={"mail_at_most": 20_000_000})
    settings = bureau.settings.model_copy(update={"inbox": inbox_20_mb})
    assert poll(dataclasses.replace(bureau, settings=settings)).result.accepted == 1
    (stray,) = strays()
    assert "is larger than 20,000,000 bytes (30," in stray.reason
    assert (stray.cells["from"], stray.cells["subject"]) == ("desk@shop.invalid", "回复：线索移送函")
    assert messages(bureau.ledger)[0].outcome["size"] > 30_000_000


def test_a_server_that_sends_more_than_it_said_is_left(sqlite_ledger, bureau, mail_folder, monkeypatch):
    mail_folder.put(mail("x" * 80_000))
    monkeypatch.setattr(mailbox, "_too_large", lambda size, allowed: False)
    tight = mail_folder.inbox.model_copy(update={"mail_at_most": 10_000})
    settings = bureau.settings.model_copy(update={"inbox": tight})
    with pytest.raises(MailboxError, match="at most 10,000 were asked for"):
        poll(dataclasses.replace(bureau, settings=settings))
    assert messages(bureau.ledger) == []


def test_a_line_that_drops_in_the_middle_loses_nothing_and_repeats_nothing(
    ledger, bureau, mail_folder, sent, claims
):
    mail_folder.put(mail("2026-0000-01001 已删除"))
    mail_folder.put(mail("2026-0000-01002 已屏蔽", X_Drop_Line="once"))
    with pytest.raises(MailboxError, match="localhost"):
        poll(bureau)
    assert len(claims()) == 1
    assert poll(bureau).mails == 1
    assert [claim.measure for claim in claims()] == [Measure.DELETED, Measure.BLOCKED]


def test_a_server_that_hangs_up_is_named(sqlite_ledger, bureau, mail_folder):
    with socket.create_server(("127.0.0.1", 0)) as listening:
        gone = mail_folder.inbox.model_copy(
            update={"port": listening.getsockname()[1], "timeout_s": 0.2, "tls": "starttls"}
        )
        settings = bureau.settings.model_copy(update={"inbox": gone})
        with pytest.raises(MailboxError, match=r"mail server localhost:\d+: "):
            poll(dataclasses.replace(bureau, settings=settings))


def test_no_more_mails_are_taken_at_once_than_allowed(sqlite_ledger, bureau, mail_folder, sent):
    for number in range(3):
        mail_folder.put(mail(f"{number}"))
    few = bureau.settings.model_copy(
        update={"inbox": mail_folder.inbox.model_copy(update={"mails_at_most": 2})}
    )
    polled = poll(dataclasses.replace(bureau, settings=few))
    assert (polled.mails, polled.left, str(polled)) == (
        2,
        True,
        "2 mails, 0 claims, 2 to the tray; more are waiting",
    )
    assert not poll(dataclasses.replace(bureau, settings=few)).left
    assert len(messages(bureau.ledger)) == 3


def test_a_mailbox_that_numbers_its_mails_anew_is_read_on_at_the_right_place(
    ledger, bureau, mail_folder, sent, claims
):
    for number in range(3):
        mail_folder.put(mail(f"{number}"))
    poll(bureau)
    with bureau.ledger.write() as session:  # as if they had borne these numbers then
        for row in session.scalars(sa.select(InboxMessage)):
            row.outcome = {**row.outcome, "uid": row.outcome["uid"] + 100, "uidvalidity": 1}
    mail_folder.put(mail("2026-0000-01001 已删除"))
    one = bureau.settings.model_copy(
        update={"inbox": mail_folder.inbox.model_copy(update={"mails_at_most": 1})}
    )
    few = dataclasses.replace(bureau, settings=one)
    assert (poll(few).mails, len(claims())) == (1, 1)
    mail_folder.put(mail("2026-0000-01002 已屏蔽"))
    assert (poll(few).mails, len(claims())) == (1, 2)
    places = [row.outcome["uid"] for row in messages(bureau.ledger)]
    assert places == list(range(places[0], places[0] + 5))


def test_mails_that_lie_there_twice_are_not_fetched_for_ever(
    sqlite_ledger, bureau, mail_folder, sent, monkeypatch
):
    for _ in range(2):
        mail_folder.put(mail("2026-0000-01001 已删除"))
    poll(bureau)
    monkeypatch.setattr(mailbox, "_fetched", lambda *_: pytest.fail("was fetched again"))
    assert poll(bureau).mails == 0


def test_a_mail_that_breaks_our_own_reader_does_not_hold_up_the_others(
    sqlite_ledger, bureau, mail_folder, sent, claims, strays, monkeypatch, caplog
):
    def broken(*_: object, **__: object) -> None:
        raise ZeroDivisionError

    mail_folder.put(mail(files=[("a.csv", b"x")]))
    mail_folder.put(mail("2026-0000-01001 已删除"))
    monkeypatch.setattr(inbox, "_table", broken)
    assert poll(bureau).mails == 2
    assert len(claims()) == 1
    assert "ZeroDivisionError" in strays()[0].reason
    assert "was not taken in" in caplog.text


@pytest.mark.parametrize(
    ("name", "data", "reason"),
    [
        ("宏.xlsm", b"PK\x03\x04", "宏.xlsm: is no table that is read"),
        ("函.pdf", b"%PDF-1.7", "函.pdf: is no table"),
        ("../../etc/passwd.csv", b"a,b\n1,2\n", "passwd.csv: none of the first 20 rows"),
        ("a.xlsx", b"PK\x03\x04torn", "a.xlsx: is a damaged"),
        ("a.csv", b"", "a.csv: is empty"),
    ],
)
def test_an_attachment_that_is_not_read_goes_to_the_tray_by_name(
    sqlite_ledger, bureau, mail_folder, sent, strays, name, data, reason
):
    mail_folder.put(mail(files=[(name, data), ("logo.png", b"\x89PNG")]))
    poll(bureau)
    assert [stray.reason.startswith(reason) for stray in strays()] == [True]


def test_a_mail_that_says_nothing_of_a_lead_waits_for_a_person(
    sqlite_ledger, bureau, mail_folder, sent, strays
):
    mail_folder.put(mail("您好，来函已收悉。"))
    poll(bureau)
    (stray,) = strays()
    assert stray.reason == "no reply could be read in the mail"
    assert stray.cells["text"] == "您好，来函已收悉。"
    assert stray.platform == "sample"


def test_a_body_in_gbk_that_says_so_nowhere_is_read(sqlite_ledger, bureau, mail_folder, sent, claims):
    head = (
        f"Authentication-Results: {PASSED}\r\nFrom: desk@shop.invalid\r\n".encode()
        + b"Subject: "
        + "回复".encode("gbk")
        + b"\r\nContent-Transfer-Encoding: base64\r\n\r\n"
    )
    body = "线索编号：2026-0000-01001 处置措施：已下架".encode("gbk")
    mail_folder.put(head + base64.b64encode(body) + b"\r\n")
    assert poll(bureau).result.accepted == 1
    assert claims()[0].measure is Measure.DELETED
    assert messages(bureau.ledger)[0].subject == "回复"


def test_without_inbox_or_password_it_is_said_what_is_missing(
    sqlite_ledger, bureau, mail_folder, monkeypatch
):
    monkeypatch.delenv("INBOX_PASSWORD")
    with pytest.raises(MailboxError, match="INBOX_PASSWORD is missing"):
        poll(bureau)
    none = bureau.settings.model_copy(update={"inbox": None})
    with pytest.raises(MailboxError, match="no inbox is configured"):
        poll(dataclasses.replace(bureau, settings=none))


def test_of_answers_by_file_and_by_mail_the_later_received_is_the_newest(
    sqlite_ledger, bureau, mail_folder, sent, hand_in, now
):
    mail_folder.put(mail("2026-0000-01001 未处置"), date="11-Oct-2026 01:00:00 +0000")
    hand_in("2026-0000-01001,,已删除,,")
    poll(bureau)
    with bureau.ledger.read() as session:
        said = [claim.measure for claim in session.get_one(Lead, sent[0].id).responses]
    assert said == [Measure.NONE, Measure.DELETED]


def test_the_scheduled_job_reads_the_mailbox_and_is_silent_where_there_is_none(
    sqlite_ledger, bureau, mail_folder, sent, claims
):
    job = Job(name="inbox", work="inbox", at=At(minute=5))
    none = bureau.settings.model_copy(update={"inbox": None})
    fire(dataclasses.replace(bureau, settings=none), job, "Asia/Shanghai")
    mail_folder.put(mail("2026-0000-01001 已删除"))
    fire(bureau, job, "Asia/Shanghai")
    assert len(claims()) == 1
    with sqlite_ledger.read() as session:
        (firing,) = session.scalars(sa.select(JobFiring))
    assert (firing.state, firing.message) == (RunState.OK, "1 mails, 1 claims, 0 to the tray")
