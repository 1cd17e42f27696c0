from __future__ import annotations

import socket
import ssl
import threading
from dataclasses import replace

import pytest
from aiosmtpd.smtp import AuthResult

from takedowns.channels import smtp
from takedowns.channels.parcel import SendError
from tests.takedowns.conftest import MailServer


@pytest.fixture
def parcel(parcel):
    return replace(parcel, key="<2026-0000-T00001.1@bureau.invalid>")


def test_the_mail_carries_text_and_files_as_they_are(parcel, mailing, mail_server):
    receipt = smtp.deliver(parcel, mailing.mail)
    (mail,) = mail_server.mails
    assert (mail["Message-ID"], mail["Subject"]) == (parcel.key, parcel.subject)
    assert (mail["Date"], mail["In-Reply-To"]) == ("Mon, 12 Oct 2026 09:30:00 +0800", None)
    assert mail.get_body(("plain",)).get_content().splitlines() == parcel.body.splitlines()
    attached = [
        (p.get_filename(), p.get_content_type(), p.get_payload(decode=True)) for p in mail.iter_attachments()
    ]
    assert attached == [(file.name, file.media_type, file.data) for file in parcel.files]
    assert receipt == "250 OK"


def test_a_reminder_stands_in_the_thread_of_its_notice(parcel, mailing, mail_server):
    smtp.deliver(replace(parcel, key="<2@bureau.invalid>", follows=parcel.key), mailing.mail)
    mail = mail_server.mails[0]
    assert mail["In-Reply-To"] == mail["References"] == parcel.key


def test_long_chinese_lines_arrive_whole(parcel, mailing, mail_server):
    long = replace(parcel, body="示例商城：\n" + "很长的一行" * 500 + "\n")
    smtp.deliver(long, mailing.mail)
    assert mail_server.mails[0].get_body(("plain",)).get_content().splitlines() == long.body.splitlines()


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("recipient", "notices@shop.invalid\r\nBcc: all@evil.invalid"),
        ("recipient", "notices@shop.invalid, all@evil.invalid"),
        ("recipient", "nobody"),
        ("recipient", ""),
        ("recipient", "@"),
        ("recipient", "Platform <notices@shop.invalid>"),
        ("subject", "线索\nBcc: all@evil.invalid"),
        ("key", "<1@x>\r\nBcc: all@evil.invalid"),
    ],
)
def test_no_header_can_be_smuggled_in(parcel, field, value):
    with pytest.raises(SendError, match="cannot be addressed") as refused:
        smtp.compose(replace(parcel, **{field: value}), "leads@bureau.invalid")
    assert not refused.value.temporary


def test_trouble_at_parting_is_no_failure(parcel, mailing, mail_server, monkeypatch):
    monkeypatch.setattr(
        "aiosmtpd.smtp.SMTP.smtp_QUIT", lambda server, arg: server.push("421 too busy to say goodbye")
    )
    smtp.deliver(parcel, mailing.mail)
    assert len(mail_server.mails) == 1


def test_a_server_that_never_answers_is_given_up(parcel, settings):
    with socket.create_server(("127.0.0.1", 0)) as silent:
        mail = settings.mail.model_copy(update={"port": silent.getsockname()[1], "timeout_s": 0.2})
        with pytest.raises(SendError, match=r"did not take the mail: .*timed out"):
            smtp.deliver(parcel, mail)


def test_a_server_that_hangs_up_is_named(parcel, settings):
    with socket.create_server(("127.0.0.1", 0)) as rude:
        threading.Thread(target=lambda: rude.accept()[0].close(), daemon=True).start()
        mail = settings.mail.model_copy(update={"port": rude.getsockname()[1]})
        with pytest.raises(SendError, match=f"mail server 127.0.0.1:{mail.port} did not take the mail"):
            smtp.deliver(parcel, mail)


def test_a_recipient_that_the_server_refuses_is_the_reason(parcel, mailing, mail_server):
    async def handle_rcpt(*_: object) -> str:
        return "550 no such user \x1b[31m"

    mail_server.handle_RCPT = handle_rcpt
    with pytest.raises(SendError, match=r"550 no such user \[31m$") as refused:
        smtp.deliver(parcel, mailing.mail)
    assert (refused.value.temporary, refused.value.may_have_arrived) == (False, False)


@pytest.mark.parametrize(("refusal", "temporary"), [("451 later", True), ("554 never", False)])
def test_a_server_that_refuses_the_mail_surely_has_not_got_it(
    parcel, mailing, mail_server, refusal, temporary
):
    mail_server.refusal = refusal
    with pytest.raises(SendError, match=refusal) as refused:
        smtp.deliver(parcel, mailing.mail)
    assert (refused.value.temporary, refused.value.may_have_arrived) == (temporary, False)


def test_a_server_that_takes_the_mail_and_drops_the_line_may_have_it(parcel, mailing, mail_server):
    mail_server.drops_the_line = True
    with pytest.raises(SendError) as failed:
        smtp.deliver(parcel, mailing.mail)
    assert (failed.value.temporary, failed.value.may_have_arrived) == (True, True)


def test_a_mail_too_big_for_the_server_is_refused_before_it_is_sent(parcel, settings):
    small = MailServer(data_size_limit=10_000)
    small.start()
    mail = settings.mail.model_copy(update={"port": small.port})
    with pytest.raises(SendError, match="552") as refused:
        smtp.deliver(parcel, mail)
    small.stop()
    assert (refused.value.temporary, refused.value.may_have_arrived) == (False, False)


def test_a_server_without_starttls_gets_nothing_when_it_is_asked_for(parcel, mailing, mail_server):
    with pytest.raises(SendError, match="STARTTLS"):
        smtp.deliver(parcel, mailing.mail.model_copy(update={"starttls": True}))
    assert mail_server.mails == []


@pytest.fixture
def encrypted(settings, certificate):
    """A server that wants STARTTLS and a password, and the settings for it."""
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain(certificate)

    def knows(_server, _session, _envelope, _mechanism, given):
        return AuthResult(success=(given.login, given.password) == (b"leads", b"right"), handled=False)

    server = MailServer(tls_context=context, require_starttls=True, auth_required=True, authenticator=knows)
    server.start()
    mail = settings.mail.model_copy(
        update={
            "port": server.port,
            "starttls": True,
            "username": "leads",
            "password_env": "VAPEWATCH_TEST_MAIL_PASSWORD",
        }
    )
    yield server, mail
    server.stop()


def test_mail_goes_encrypted_and_signed_in(parcel, encrypted, certificate, monkeypatch):
    server, mail = encrypted
    monkeypatch.setenv("SSL_CERT_FILE", str(certificate))
    monkeypatch.setenv("VAPEWATCH_TEST_MAIL_PASSWORD", "right")
    smtp.deliver(parcel, mail)
    assert len(server.mails) == 1


def test_a_certificate_that_nobody_vouches_for_is_refused(parcel, encrypted, monkeypatch):
    server, mail = encrypted
    monkeypatch.setenv("VAPEWATCH_TEST_MAIL_PASSWORD", "right")
    with pytest.raises(SendError, match="certificate verify failed"):
        smtp.deliver(parcel, mail)
    assert server.mails == []


@pytest.mark.parametrize(("password", "complaint"), [("wrong", "535"), (None, "is not set")])
def test_without_the_right_password_nothing_goes(
    parcel, encrypted, certificate, monkeypatch, password, complaint
):
    server, mail = encrypted
    monkeypatch.setenv("SSL_CERT_FILE", str(certificate))
    if password:
        monkeypatch.setenv("VAPEWATCH_TEST_MAIL_PASSWORD", password)
    with pytest.raises(SendError, match=complaint):
        smtp.deliver(parcel, mail)
    assert server.mails == []
