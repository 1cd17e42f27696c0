"""Parcels by mail: one message to one recipient, the files attached."""

from __future__ import annotations

import contextlib
import os
import smtplib
import ssl
from collections.abc import Iterator
from email.message import EmailMessage
from email.policy import SMTP
from email.utils import format_datetime

from crawlers.lead_channel import MAIL_ADDRESS
from takedowns.channels.parcel import Parcel, SendError
from takedowns.deadlines import SHANGHAI
from takedowns.letters import clean
from takedowns.settings import Mail

POLICY = SMTP.clone(cte_type="7bit")  # no server has to be asked whether it takes more
REASON_AT_MOST = 300
ACCEPTED, PERMANENT = range(200, 300), range(500, 600)


def deliver(parcel: Parcel, mail: Mail) -> str:
    """Hand the mail to the server; returns what it answered once it took it, else raises SendError."""
    message = compose(parcel, mail.sender)
    with _named_failures(mail, may_have_arrived=False):
        server = _connected(mail)
    with contextlib.closing(server):
        data = message.as_bytes()
        with _named_failures(mail, may_have_arrived=False):
            _address_envelope(server, mail.sender, parcel.recipient, len(data))
        with _named_failures(mail, may_have_arrived=True):
            answer = _expect(*server.data(data))
        # From here on the server answers for the mail: trouble at parting must not make us send it again.
        with contextlib.suppress(OSError, smtplib.SMTPException):
            server.quit()
    return answer


def compose(parcel: Parcel, sender: str) -> EmailMessage:
    """The mail. Raises SendError for an address or header that cannot stand in one."""
    message = EmailMessage(policy=POLICY)
    try:
        message["From"] = _address(sender)
        message["To"] = _address(parcel.recipient)
        message["Subject"] = parcel.subject
        message["Message-ID"] = parcel.key
        if parcel.follows:
            message["In-Reply-To"] = message["References"] = parcel.follows
    except ValueError as error:  # a line break in a header ends up here, too
        raise SendError(f"the mail cannot be addressed: {error}", temporary=False) from error
    message["Date"] = format_datetime(parcel.at.astimezone(SHANGHAI))
    message.set_content(parcel.body)
    for file in parcel.files:
        main, _, sub = file.media_type.partition("/")
        message.add_attachment(file.data, maintype=main, subtype=sub, filename=file.name)
    return message


def _address_envelope(server: smtplib.SMTP, sender: str, recipient: str, size: int) -> None:
    """With the size, so that a server which takes none so big says so before it is sent."""
    server.ehlo_or_helo_if_needed()
    _expect(*server.mail(sender, [f"size={size}"] if server.has_extn("size") else []))
    _expect(*server.rcpt(recipient))


def _expect(code: int, said: bytes) -> str:
    if code not in ACCEPTED:
        raise smtplib.SMTPResponseException(code, said)
    return f"{code} {_text(said)}"


@contextlib.contextmanager
def _named_failures(mail: Mail, *, may_have_arrived: bool) -> Iterator[None]:
    """An answer of the server is sure; a line that breaks leaves open what went before, if anything did."""
    try:
        yield
    except smtplib.SMTPResponseException as error:
        raise SendError(
            f"mail server {mail.host}:{mail.port} refused the mail: "
            f"{error.smtp_code} {_text(error.smtp_error)}",
            temporary=error.smtp_code not in PERMANENT,
        ) from error
    except (OSError, smtplib.SMTPException) as error:
        reason = clean(str(error), REASON_AT_MOST) or type(error).__name__
        raise SendError(
            f"mail server {mail.host}:{mail.port} did not take the mail: {reason}",
            temporary=True,
            may_have_arrived=may_have_arrived,
        ) from error


def _connected(mail: Mail) -> smtplib.SMTP:
    # Our own domain in the greeting: the default asks a name server for this machine's name, which may hang.
    server = smtplib.SMTP(mail.host, mail.port, local_hostname=_domain(mail.sender), timeout=mail.timeout_s)
    try:
        if mail.starttls:
            server.starttls(context=ssl.create_default_context())
        if mail.username:
            server.login(mail.username, _password(mail))
    except BaseException:
        server.close()
        raise
    return server


def _password(mail: Mail) -> str:
    name = mail.password_env or ""
    if name not in os.environ:
        raise SendError(
            f"the mail password is missing: environment variable {name!r} is not set", temporary=True
        )
    return os.environ[name]


def _address(text: str) -> str:
    """One bare address; raises ValueError for anything else, such as two addresses or a line break."""
    if not MAIL_ADDRESS.fullmatch(text):
        raise ValueError(f"{text!r} is not one mail address")
    return text


def _domain(address: str) -> str:
    return address.rpartition("@")[2]


def _text(said: bytes | str) -> str:
    words = said.decode("utf-8", "replace") if isinstance(said, bytes) else said
    return clean(words, REASON_AT_MOST)
