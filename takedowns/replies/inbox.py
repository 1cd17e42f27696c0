"""A mail that was fetched, written down: once for ever, in one transaction with the claims in it."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Session

from crawlers.platforms import Platform
from takedowns.content import storable
from takedowns.imports import tabular
from takedowns.imports.tabular import FileError
from takedowns.ledger.tables import InboxMessage
from takedowns.letters import clean
from takedowns.replies import bodytext, columns, importing, mail, senders, tray
from takedowns.replies.importing import Origin, Result
from takedowns.replies.mail import Attachment, Mail, MailError
from takedowns.replies.matching import Directory, Speaker

TABLES = (".xlsx", ".csv", ".tsv", ".jsonl")
PICTURES = (".png", ".jpg", ".jpeg", ".gif", ".bmp", ".svg", ".webp")  # signatures and logos
HEAD_AT_MOST = 65_536  # bytes: enough to say who sent it
SHOWN_AT_MOST = 1_500  # characters of a mail's text in the tray
ERRORS_SHOWN = 20
NOBODY = Speaker(frozenset())


@dataclass(frozen=True)
class Arrived:
    """A mail as the mailbox has it. ``data`` is its head alone where the whole is ``too_large`` to fetch."""

    inbox: str
    place: Mapping[str, int]  # UID and UIDVALIDITY, by which the next poll goes on
    received_at: datetime
    data: bytes
    too_large: str = ""

    @property
    def key(self) -> str:
        return hashlib.sha256(self.data).hexdigest()


@dataclass(frozen=True)
class Letter:
    """What could be read of it: whom the sender may speak for, and why nothing is taken as a claim."""

    mail: Mail
    speaker: Speaker
    reason: str


def opened(arrived: Arrived, platforms: Mapping[str, Platform], authserv_id: str) -> Letter:
    """Read the mail; one that cannot be read has a reason and no sender. Touches no database."""
    try:
        read = mail.read(arrived.data)
    except MailError as error:
        return Letter(_head(arrived.data), NOBODY, f"the mail {error}")
    if arrived.too_large:
        return Letter(read, NOBODY, arrived.too_large)
    speaker, reason = senders.speaker(read, platforms, authserv_id)
    return Letter(read, speaker, reason)


def _head(data: bytes) -> Mail:
    """What its first lines say, of a mail that is broken further down."""
    try:
        return mail.read(re.split(rb"\r?\n\r?\n", data[:HEAD_AT_MOST], maxsplit=1)[0])
    except MailError:
        return Mail(None, "", (), "", ())


def take(
    session: Session, arrived: Arrived, letter: Letter, directory: Directory, *, now: datetime
) -> Result | None:
    """Write down the mail and what it says; None when it was taken in before, and lies elsewhere now."""
    known = sa.select(InboxMessage).where(
        InboxMessage.inbox == arrived.inbox, InboxMessage.key == arrived.key
    )
    if row := session.scalars(known).first():
        row.outcome = {**row.outcome, **arrived.place}
        return None
    result = _claims(session, arrived, letter, directory, now) if not letter.reason else Result()
    if letter.reason or not any(result.numbers().values()):
        reason = letter.reason or "no reply could be read in the mail"
        result = result.plus(_to_tray(session, arrived, letter, reason, now))
    session.add(_row(arrived, letter, result, now))
    session.flush()
    return result


def _claims(
    session: Session, arrived: Arrived, letter: Letter, directory: Directory, now: datetime
) -> Result:
    total = Result()
    for attachment in letter.mail.attachments:
        if not attachment.name.lower().endswith(PICTURES):
            total = total.plus(_table(session, arrived, letter, attachment, directory, now))
    origin = _origin("mail", arrived, letter)
    return total.plus(importing.take(session, bodytext.replies(letter.mail.text), origin, directory, now=now))


def _table(
    session: Session,
    arrived: Arrived,
    letter: Letter,
    attachment: Attachment,
    directory: Directory,
    now: datetime,
) -> Result:
    path = Path(attachment.name)
    origin = _origin(attachment.name, arrived, letter)
    try:
        if path.suffix.lower() not in TABLES:
            raise FileError(path, "no_table", f"is no table that is read ({', '.join(TABLES)})")
        rows = tabular.records_in(path, attachment.data, columns.FIELD_OF)
        return importing.take(session, rows, origin, directory, now=now)
    except FileError as error:
        cells = {**_shown(letter), "attachment": attachment.name}
        new = tray.put(session, origin.received("file", now), cells, str(error), letter.speaker.only)
        return Result(strays=int(new), refused=1, errors=[str(error)])


def _origin(name: str, arrived: Arrived, letter: Letter) -> Origin:
    return Origin(name, arrived.key[:12], arrived.received_at, letter.speaker)


def _to_tray(session: Session, arrived: Arrived, letter: Letter, reason: str, now: datetime) -> Result:
    """The whole mail as one entry: what nobody vouches for is shown, and not taken apart."""
    received = _origin("mail", arrived, letter).received("whole", now)
    new = tray.put(session, received, _shown(letter), reason, letter.speaker.only)
    return Result(strays=int(new), refused=1, errors=[reason])


def _shown(letter: Letter) -> dict[str, str]:
    names = ", ".join(attachment.name for attachment in letter.mail.attachments)
    text = "\n".join(_lines(letter.mail.text))[:SHOWN_AT_MOST]
    shown = {
        "from": letter.mail.sender or "",
        "subject": letter.mail.subject,
        "attachments": names,
        "text": text,
    }
    return {name: cell for name, cell in shown.items() if cell}


def _lines(text: str) -> Iterator[str]:
    yield from (clean(line, SHOWN_AT_MOST) for line in text.splitlines()[:100] if line.strip())


def _row(arrived: Arrived, letter: Letter, result: Result, now: datetime) -> InboxMessage:
    outcome: dict[str, Any] = {**arrived.place, **result.numbers(), "errors": result.errors[:ERRORS_SHOWN]}
    return InboxMessage(
        inbox=arrived.inbox,
        key=arrived.key,
        sender=storable(letter.mail.sender or ""),
        subject=storable(letter.mail.subject),
        received_at=arrived.received_at,
        recorded_at=now,
        trusted=bool(letter.speaker.platforms),
        platform=letter.speaker.only,
        outcome=outcome,
    )
