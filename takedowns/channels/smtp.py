"""Notices by mail: one message to one recipient, the leads attached as a table to be sent back filled in."""

from __future__ import annotations

import contextlib
import csv
import io
import os
import re
import smtplib
import ssl
from collections.abc import Iterator
from datetime import datetime
from email.message import EmailMessage
from email.policy import SMTP as POLICY
from email.utils import format_datetime

from takedowns.deadlines import SHANGHAI
from takedowns.imports.spreadsheets import FORMULA_STARTS
from takedowns.ledger.tables import Lead, Notice
from takedowns.letters import clean
from takedowns.settings import Mail

# The last three are for the platform to fill in; takedowns.responses reads the file then.
COLUMNS = ("线索编号", "平台", "商品ID", "商品链接", "店铺名称", "商品标题", "处置措施", "处置时间", "备注")
CELL_AT_MOST = 2000
ADDRESS = re.compile(r"[^\s\x00-\x1f@<>(),;:\"\[\]\\]+@[^\s\x00-\x1f@<>(),;:\"\[\]\\]+")
REASON_AT_MOST = 300


class SendError(Exception):
    """The mail was not accepted; one sentence says why."""


def compose(notice: Notice, sender: str, *, now: datetime) -> EmailMessage:
    """The mail of ``notice``. Raises SendError for an address or header that cannot stand in a mail."""
    message = EmailMessage(policy=POLICY)
    try:
        message["From"] = _address(sender)
        message["To"] = _address(notice.recipient)
        message["Subject"] = notice.subject
        message["Message-ID"] = notice.message_id
    except ValueError as error:  # a line break in a header ends up here, too
        raise SendError(f"the mail cannot be addressed: {error}") from error
    message["Date"] = format_datetime(now.astimezone(SHANGHAI))
    message.set_content(notice.body)
    message.add_attachment(
        leads_csv(notice),
        maintype="text",
        subtype="csv",
        filename=f"{notice.number}.csv",
        params={"charset": "utf-8"},
    )
    return message


def leads_csv(notice: Notice) -> bytes:
    """UTF-8 with a byte order mark, which Excel needs to read Chinese; no cell can be taken for a formula."""
    out = io.StringIO(newline="")
    writer = csv.writer(out)
    writer.writerow(COLUMNS)
    for lead in notice.leads:
        writer.writerow([_cell(text) for text in _cells(lead)])
    return out.getvalue().encode("utf-8-sig")


def deliver(message: EmailMessage, mail: Mail) -> None:
    """Hand ``message`` to the mail server; returns once the server took it, else raises SendError."""
    try:
        with contextlib.closing(_connected(mail)) as server:
            server.send_message(message)
            # From here on the server answers for the mail: trouble at parting must not make us send it again.
            with contextlib.suppress(OSError, smtplib.SMTPException):
                server.quit()
    except smtplib.SMTPRecipientsRefused as error:
        code, text = next(iter(error.recipients.values()))
        raise SendError(_refusal(mail, code, text)) from error
    except smtplib.SMTPResponseException as error:
        raise SendError(_refusal(mail, error.smtp_code, error.smtp_error)) from error
    except (OSError, smtplib.SMTPException) as error:
        reason = clean(str(error), REASON_AT_MOST) or type(error).__name__
        raise SendError(f"mail server {mail.host}:{mail.port} did not take the mail: {reason}") from error


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
        raise SendError(f"the mail password is missing: environment variable {name!r} is not set")
    return os.environ[name]


def _address(text: str) -> str:
    """One bare address; raises ValueError for anything else, such as two addresses or a line break."""
    if not ADDRESS.fullmatch(text):
        raise ValueError(f"{text!r} is not one mail address")
    return text


def _domain(address: str) -> str:
    return address.rpartition("@")[2]


def _refusal(mail: Mail, code: int, text: bytes | str) -> str:
    words = text.decode("utf-8", "replace") if isinstance(text, bytes) else text
    return f"mail server {mail.host}:{mail.port} refused the mail: {code} {clean(words, REASON_AT_MOST)}"


def _cells(lead: Lead) -> Iterator[str]:
    listing = lead.listing
    yield from (lead.number, listing.platform, listing.item_id, listing.url)
    yield from (listing.seller.name if listing.seller else "", lead.decision.snapshot.title, "", "", "")


def _cell(text: str) -> str:
    shown = clean(text, CELL_AT_MOST)
    return f"'{shown}" if shown.startswith(FORMULA_STARTS) else shown
