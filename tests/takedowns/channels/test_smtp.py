from __future__ import annotations

import ipaddress
import socket
import ssl
import threading
from datetime import UTC, datetime, timedelta

import pytest
from aiosmtpd.smtp import AuthResult
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from takedowns import notices
from takedowns.channels import smtp
from tests.takedowns.conftest import MailServer


@pytest.fixture
def notice(sqlite_ledger, make, analyst, platform, now, settings):
    """A draft whose lead is written by somebody who wishes us ill."""
    with sqlite_ledger.write() as session:
        shown = make.snapshot(session, make.listing(session), title='=HYPERLINK("https://evil.invalid")')
        lead = make.lead(session, make.decision(session, make.task(session, shown), analyst))
        lead.listing.seller.name = "@SUM(1)\u202e\r\n|店"
        return notices.draft(session, platform, [lead], analyst, now=now, settings=settings)


def _deliver(notice, mail, now):
    smtp.deliver(smtp.compose(notice, mail.sender, now=now), mail)


def test_the_table_runs_no_formula_and_keeps_one_line_a_lead(notice):
    text = smtp.leads_csv(notice).decode("utf-8-sig")
    assert len(text.splitlines()) == 2
    assert "'=HYPERLINK" in text
    assert "'@SUM(1) |店" in text


def test_the_mail_is_dated_by_the_given_time(notice, now):
    assert smtp.compose(notice, "leads@bureau.invalid", now=now)["Date"] == "Mon, 12 Oct 2026 09:30:00 +0800"


def test_long_chinese_lines_arrive_whole(notice, mailing, mail_server, now):
    notice.body = "示例商城：\n" + "很长的一行" * 500 + "\n"
    _deliver(notice, mailing.mail, now)
    assert mail_server.mails[0].get_body(("plain",)).get_content().splitlines() == notice.body.splitlines()


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
        ("message_id", "<1@x>\r\nBcc: all@evil.invalid"),
    ],
)
def test_no_header_can_be_smuggled_in(notice, now, field, value):
    setattr(notice, field, value)
    with pytest.raises(smtp.SendError, match="cannot be addressed"):
        smtp.compose(notice, "leads@bureau.invalid", now=now)


def test_trouble_at_parting_is_no_failure(notice, mailing, mail_server, now, monkeypatch):
    monkeypatch.setattr(
        "aiosmtpd.smtp.SMTP.smtp_QUIT", lambda server, arg: server.push("421 too busy to say goodbye")
    )
    _deliver(notice, mailing.mail, now)
    assert len(mail_server.mails) == 1


def test_a_server_that_never_answers_is_given_up(notice, settings, now):
    with socket.create_server(("127.0.0.1", 0)) as silent:
        mail = settings.mail.model_copy(update={"port": silent.getsockname()[1], "timeout_s": 0.2})
        with pytest.raises(smtp.SendError, match=r"did not take the mail: .*timed out"):
            _deliver(notice, mail, now)


def test_a_server_that_hangs_up_is_named(notice, settings, now):
    with socket.create_server(("127.0.0.1", 0)) as rude:
        threading.Thread(target=lambda: rude.accept()[0].close(), daemon=True).start()
        mail = settings.mail.model_copy(update={"port": rude.getsockname()[1]})
        with pytest.raises(smtp.SendError, match=f"mail server 127.0.0.1:{mail.port} did not take the mail"):
            _deliver(notice, mail, now)


def test_a_recipient_that_the_server_refuses_is_the_reason(notice, mailing, mail_server, now):
    async def handle_rcpt(*_: object) -> str:
        return "550 no such user \x1b[31m"

    mail_server.handle_RCPT = handle_rcpt
    with pytest.raises(smtp.SendError, match=r"550 no such user \[31m$"):
        _deliver(notice, mailing.mail, now)


def test_a_server_without_starttls_gets_nothing_when_it_is_asked_for(notice, mailing, mail_server, now):
    with pytest.raises(smtp.SendError, match="STARTTLS"):
        _deliver(notice, mailing.mail.model_copy(update={"starttls": True}), now)
    assert mail_server.mails == []


@pytest.fixture(scope="module")
def certificate(tmp_path_factory):
    """Certificate and key of 127.0.0.1, in one file."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "mail server of the tests")])
    address = x509.SubjectAlternativeName([x509.IPAddress(ipaddress.ip_address("127.0.0.1"))])
    start = datetime.now(UTC) - timedelta(days=1)
    built = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(start)
        .not_valid_after(start + timedelta(days=2))
        .add_extension(address, critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    path = tmp_path_factory.mktemp("tls") / "server.pem"
    private = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    path.write_bytes(built.public_bytes(serialization.Encoding.PEM) + private)
    return path


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


def test_mail_goes_encrypted_and_signed_in(notice, encrypted, certificate, now, monkeypatch):
    server, mail = encrypted
    monkeypatch.setenv("SSL_CERT_FILE", str(certificate))
    monkeypatch.setenv("VAPEWATCH_TEST_MAIL_PASSWORD", "right")
    _deliver(notice, mail, now)
    assert len(server.mails) == 1


def test_a_certificate_that_nobody_vouches_for_is_refused(notice, encrypted, now, monkeypatch):
    server, mail = encrypted
    monkeypatch.setenv("VAPEWATCH_TEST_MAIL_PASSWORD", "right")
    with pytest.raises(smtp.SendError, match="certificate verify failed"):
        _deliver(notice, mail, now)
    assert server.mails == []


@pytest.mark.parametrize(("password", "complaint"), [("wrong", "535"), (None, "is not set")])
def test_without_the_right_password_nothing_goes(
    notice, encrypted, certificate, now, monkeypatch, password, complaint
):
    server, mail = encrypted
    monkeypatch.setenv("SSL_CERT_FILE", str(certificate))
    if password:
        monkeypatch.setenv("VAPEWATCH_TEST_MAIL_PASSWORD", password)
    with pytest.raises(smtp.SendError, match=complaint):
        _deliver(notice, mail, now)
    assert server.mails == []
