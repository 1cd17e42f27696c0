"""Reads a notice as a platform's clerk would: the lead table in a mail, or the web hook's JSON."""

from __future__ import annotations

import re
from email import message_from_bytes, policy

from pydantic import BaseModel, ConfigDict, Field

LEAD_LINE = re.compile(
    r"^[ \t]*(?P<number>[^|\s]{1,64})[ \t]*\|[ \t]*[^|\s]+[ \t]*\|[ \t]*(?P<url>https?://\S+)\s*$",
    re.MULTILINE,
)
ITEM_PATH = re.compile(r"/item/(\d{10})\.html")


class LeadLine(BaseModel):
    """One line of the lead table. ``item_id`` is read from the address, which is what a platform acts on."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    number: str = Field(min_length=1, max_length=64)
    item_id: str = Field(min_length=1, max_length=64)
    url: str = Field(min_length=1, max_length=2048)


class Notice(BaseModel):
    """Also the body of ``POST /hooks/notices``."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    message_id: str = Field(min_length=1, max_length=998)
    leads: tuple[LeadLine, ...]


class UnreadableNotice(ValueError):  # noqa: N818 - reads as what it is
    """A mail without a message id or without text that can be read."""


def parse_mail(raw: bytes) -> Notice:
    """The leads in the plain-text body, one a line: ``<lead number> | <item id> | <address>``.

    Raises :class:`UnreadableNotice`. A mail without leads is a notice with none.
    """
    mail = message_from_bytes(raw, policy=policy.default)
    try:
        body = mail.get_body(("plain",))
        leads = _leads(body.get_content() if body else "")
        return Notice(message_id=str(mail["Message-ID"] or "").strip(), leads=tuple(leads))
    except (LookupError, ValueError) as error:
        raise UnreadableNotice(f"the mail cannot be read: {error}") from error


def _leads(text: str) -> list[LeadLine]:
    return [
        LeadLine(number=line["number"], item_id=item[1], url=line["url"])
        for line in LEAD_LINE.finditer(text)
        if (item := ITEM_PATH.search(line["url"]))
    ]
