"""Calls of our own web hook: a platform's replies as signed JSON, each call taken in once.

The signature is that of our own calls (:mod:`takedowns.channels.webhook`), with the secret that the profile
names in ``lead.answers_secret``. The body is ``{"key": …, "replies": [{…}, …]}``: the key is the platform's
own, and the same when it calls again; names in a reply are those of ``takedowns.replies.columns.COLUMNS``.
"""

from __future__ import annotations

import hashlib
import hmac
import json
from collections.abc import Mapping
from datetime import datetime, timedelta
from http import HTTPStatus
from pathlib import Path
from typing import Annotated, Any

import sqlalchemy as sa
from pydantic import BaseModel, ConfigDict, Field, ValidationError
from sqlalchemy.orm import Session

from crawlers.platforms import Platform
from takedowns.channels.webhook import signed
from takedowns.imports import tabular
from takedowns.imports.tabular import FileError
from takedowns.ledger.tables import InboxMessage
from takedowns.replies import columns, importing
from takedowns.replies.importing import Origin
from takedowns.replies.matching import Directory, Speaker

WINDOW = timedelta(minutes=5)  # a call signed before or after that may be an old one that somebody repeats
REPLIES_AT_MOST = 5_000


class HookError(ValueError):
    """The call is refused; ``status`` says how, the text why."""

    def __init__(self, status: HTTPStatus, message: str) -> None:
        super().__init__(message)
        self.status = status


class Call(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")

    key: Annotated[str, Field(min_length=1, max_length=200)]
    replies: Annotated[list[dict[str, Any]], Field(min_length=1, max_length=REPLIES_AT_MOST)]


def check(secret: str, body: bytes, headers: Mapping[str, str], *, now: datetime) -> Call:
    """The call in ``body``. Raises HookError unless it was signed with ``secret`` of late and can be read."""
    written = headers.get("x-vapewatch-timestamp", "")
    if not (written.isascii() and written.isdecimal() and len(written) <= len(str(10**11))):
        raise HookError(HTTPStatus.UNAUTHORIZED, "X-Vapewatch-Timestamp is missing or no number of seconds")
    # The signature first: to nobody else do we say what is wrong.
    expected = signed(secret, body, int(written))["X-Vapewatch-Signature"]
    given = headers.get("x-vapewatch-signature", "")
    if not hmac.compare_digest(given.encode(), expected.encode()):
        raise HookError(HTTPStatus.UNAUTHORIZED, "X-Vapewatch-Signature does not fit")
    if abs(now.timestamp() - int(written)) > WINDOW.total_seconds():
        raise HookError(HTTPStatus.UNAUTHORIZED, "X-Vapewatch-Timestamp is not of now: set your clock")
    try:
        # Numbers stay as written: an item id must not lose digits.
        return Call.model_validate(json.loads(body, parse_int=str, parse_float=str, parse_constant=str))
    except (ValidationError, ValueError, RecursionError) as error:
        raise HookError(HTTPStatus.BAD_REQUEST, "the body is not {key, replies: […]} in JSON") from error


def take(
    session: Session, platform: Platform, call: Call, body: bytes, directory: Directory, *, now: datetime
) -> dict[str, int]:
    """Write down what the call says; return what became of it, the same when it is repeated.

    Raises HookError where the key was used for another call.
    """
    inbox, key = f"hook:{platform.name}", hashlib.sha256(call.key.encode("utf-8", "replace")).hexdigest()
    digest = hashlib.sha256(body).hexdigest()
    known = sa.select(InboxMessage).where(InboxMessage.inbox == inbox, InboxMessage.key == key)
    if row := session.scalars(known).first():
        if row.outcome["body"] != digest:
            raise HookError(HTTPStatus.CONFLICT, "this key was used for another call")
        return dict(row.outcome["numbers"])
    origin = Origin(inbox, key[:12], now, Speaker(frozenset({platform.lists})))
    numbers = importing.take(session, _rows(call), origin, directory, now=now).numbers()
    session.add(
        InboxMessage(
            inbox=inbox,
            key=key,
            sender=platform.name,
            subject="",
            received_at=now,
            recorded_at=now,
            trusted=True,
            platform=platform.lists,
            outcome={"body": digest, "numbers": numbers},
        )
    )
    session.flush()
    return numbers


def _rows(call: Call) -> Any:
    lines = "\n".join(json.dumps(reply) for reply in call.replies)
    try:
        return tabular.records_in(Path("call.jsonl"), lines.encode(), columns.FIELD_OF)
    except FileError as error:
        raise HookError(HTTPStatus.BAD_REQUEST, str(error)) from error
