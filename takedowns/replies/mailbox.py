"""Reading the mailbox over IMAP: what is new since the last poll, one mail and one transaction at a time.

The folder is opened for reading only: no flag changes and nothing is deleted; people read the same mails.
"""

from __future__ import annotations

import imaplib
import logging
import re
import ssl
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy.exc import SQLAlchemyError

from takedowns.channels.parcel import SendError
from takedowns.channels.secret import secret
from takedowns.context import Context
from takedowns.ledger.tables import InboxMessage
from takedowns.letters import clean
from takedowns.replies import inbox
from takedowns.replies.importing import Result
from takedowns.replies.inbox import Arrived
from takedowns.replies.matching import Directory
from takedowns.settings import Inbox

log = logging.getLogger(__name__)


class MailboxError(RuntimeError):
    """The mailbox cannot be read now; what was taken in before stays, and the next poll goes on there."""


@dataclass(frozen=True)
class Polled:
    """``mails`` were new; ``result`` is what all of them came to; ``left`` says that more are waiting."""

    mails: int
    result: Result
    left: bool

    def __str__(self) -> str:
        more = "; more are waiting" if self.left else ""
        return f"{self.mails} mails, {self.result.accepted} claims, {self.result.strays} to the tray{more}"


def poll(context: Context) -> Polled:
    """Take in the mails that came since the last poll, oldest first. Raises MailboxError."""
    settings = context.settings.inbox
    if settings is None:
        raise MailboxError("no inbox is configured: see docs/replies.md")
    directory = Directory(context.platforms)
    mails, result, left = 0, Result(), False
    with _connected(settings, _password(context, settings)) as server:
        validity, uids = _new(server, context, settings)
        for uid in uids:
            if left := mails >= settings.mails_at_most:
                break
            if taken := _take(server, context, settings, directory, validity, uid):
                mails, result = mails + 1, result.plus(taken)
    return Polled(mails, result, left)


def name_of(settings: Inbox) -> str:
    return f"{settings.username}@{settings.host}/{settings.folder}"


def _take(
    server: imaplib.IMAP4, context: Context, settings: Inbox, directory: Directory, validity: int, uid: int
) -> Result | None:
    arrived = _fetched(server, settings, validity, uid, context.clock())
    if arrived is None:
        return None
    letter = inbox.opened(arrived, context.platforms, settings.authserv_id)
    try:
        with context.ledger.write() as session:
            return inbox.take(session, arrived, letter, directory, now=context.clock())
    except SQLAlchemyError:
        raise
    except Exception as error:  # one mail must not keep those behind it from us
        log.exception("mail %s was not taken in: it goes to the tray", arrived.key)
        reason = f"the mail could not be taken in ({type(error).__name__}): see the log"
        with context.ledger.write() as session:
            spoilt = replace(letter, speaker=inbox.NOBODY, reason=reason)
            return inbox.take(session, arrived, spoilt, directory, now=context.clock())


def _password(context: Context, settings: Inbox) -> str:
    try:
        return secret(settings.password, context.settings.channels.secrets)
    except SendError as error:
        raise MailboxError(str(error)) from error


@contextmanager
def _connected(settings: Inbox, password: str) -> Iterator[imaplib.IMAP4]:
    try:
        server = _greeted(settings)
        try:
            server.at_most = settings.mail_at_most
            server.login(settings.username, password)
            yield server
        finally:
            server.shutdown()  # no LOGOUT: it would wait for a server that may have gone
    except (imaplib.IMAP4.error, OSError) as error:
        reason = clean(str(error), 300) or type(error).__name__
        raise MailboxError(f"mail server {settings.host}:{settings.port}: {reason}") from error


class _Bounded(imaplib.IMAP4):
    """Reads no more than it asked for: not every server keeps to the length in a request."""

    at_most = 0

    def read(self, size: int) -> bytes:
        if size > self.at_most:
            raise self.abort(f"sends {size:,} bytes where at most {self.at_most:,} were asked for")
        return super().read(size)


class _BoundedSsl(_Bounded, imaplib.IMAP4_SSL):
    pass


def _greeted(settings: Inbox) -> _Bounded:
    trusted = ssl.create_default_context(cafile=settings.ca_file)
    address = (settings.host, settings.port)
    if settings.tls == "implicit":
        return _BoundedSsl(*address, ssl_context=trusted, timeout=settings.timeout_s)
    server = _Bounded(*address, timeout=settings.timeout_s)
    try:
        server.starttls(trusted)
    except BaseException:
        server.shutdown()
        raise
    return server


def _new(server: imaplib.IMAP4, context: Context, settings: Inbox) -> tuple[int, list[int]]:
    """UIDVALIDITY, and the UIDs after that of the last mail taken in; all, when the server has renumbered."""
    quoted = '"' + settings.folder.replace("\\", "\\\\").replace('"', '\\"') + '"'
    _checked(server.select(quoted, readonly=True))
    validity = int(server.response("UIDVALIDITY")[1][0] or 0)
    last = _last(context, settings, validity)
    (found,) = _checked(server.uid("SEARCH", f"UID {last + 1}:*"))
    return validity, sorted(uid for uid in map(int, (found or b"").split()) if uid > last)


def _last(context: Context, settings: Inbox, validity: int) -> int:
    uid, numbered = (InboxMessage.outcome[name].as_integer() for name in ("uid", "uidvalidity"))
    last = sa.select(sa.func.max(uid)).where(InboxMessage.inbox == name_of(settings), numbered == validity)
    with context.ledger.read() as session:
        return session.scalars(last).one() or 0


def _fetched(
    server: imaplib.IMAP4, settings: Inbox, validity: int, uid: int, now: datetime
) -> Arrived | None:
    """The mail, or its head where it is too large; None when it has gone meanwhile."""
    told = b" ".join(_pieces(server.uid("FETCH", str(uid), "(RFC822.SIZE INTERNALDATE)")))
    size = re.search(rb"RFC822\.SIZE (\d+)", told)
    if size is None:
        return None
    allowed = settings.mail_at_most
    too_large = _too_large(int(size[1]), allowed)
    # The length is limited here, too: what the server said of it may be wrong.
    wanted = f"BODY.PEEK[HEADER]<0.{inbox.HEAD_AT_MOST}>" if too_large else f"BODY.PEEK[]<0.{allowed}>"
    data = _literal(server.uid("FETCH", str(uid), f"({wanted})"))
    if data is None:
        return None
    place = {"uid": uid, "uidvalidity": validity, "size": int(size[1])}
    reason = f"the mail is larger than {allowed:,} bytes ({int(size[1]):,}) and was not fetched"
    return Arrived(
        name_of(settings), place, _received(told, now), data, too_large=reason if too_large else ""
    )


def _too_large(size: int, allowed: int) -> bool:
    return size > allowed


def _received(told: bytes, now: datetime) -> datetime:
    """When our server received it, by its clock, which may be ahead of ours."""
    parts = imaplib.Internaldate2tuple(told)
    return min(datetime.fromtimestamp(time.mktime(parts), UTC), now) if parts else now


def _pieces(answer: tuple[str, Any]) -> Iterator[bytes]:
    for piece in _checked(answer):
        yield piece[0] if isinstance(piece, tuple) else piece or b""


def _literal(answer: tuple[str, Any]) -> bytes | None:
    return next((piece[1] for piece in _checked(answer) if isinstance(piece, tuple)), None)


def _checked(answer: tuple[str, Any]) -> list[Any]:
    status, data = answer
    if status != "OK":
        raise imaplib.IMAP4.error(f"answered {status}: {data!r}")
    return list(data)
