"""A mail as received → sender, text and attachments. Pure, and bounded whatever a stranger has sent."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from email.header import decode_header
from email.message import Message
from email.parser import BytesParser
from email.policy import compat32
from email.utils import getaddresses
from pathlib import PurePosixPath
from typing import cast

from crawlers.lead_channel import MAIL_ADDRESS
from takedowns.imports.tabular import decoded
from takedowns.letters import clean

# Each part costs the parser time for every line, each header line for every parameter in it.
PARTS_AT_MOST = 100
LINES_AT_MOST = 400_000  # twenty megabytes in base64 have 270,000
HEADERS_AT_MOST = 2_000
HEADER_AT_MOST = 20_000  # characters of one
HEADERS_LENGTH_AT_MOST = 500_000  # of all together
TEXT_AT_MOST = 1_000_000
SUBJECT_AT_MOST = 300
NAME_AT_MOST = 120
# Label → codec: the superset that is meant in practice. Under any other label the bytes speak for themselves,
# since some codecs can be made to take hours, and GBK is often labelled as Latin.
CODECS = {
    **dict.fromkeys(("utf-8", "utf8"), "utf-8"),
    **dict.fromkeys(("gb2312", "gbk", "gb18030", "cp936", "x-gbk", "hz-gb-2312"), "gb18030"),
    **dict.fromkeys(("big5", "big5-hkscs", "x-x-big5"), "big5hkscs"),
}
# What the parser and the decoders raise for hostile mails; they wrap nothing.
MAIL_FAULTS = (ValueError, LookupError, TypeError, AttributeError, AssertionError, RecursionError)


class MailError(ValueError):
    """The mail cannot be read, and why."""


@dataclass(frozen=True)
class Attachment:
    """``name`` is one line without path and control characters; it names, and no file is called so."""

    name: str
    data: bytes


@dataclass(frozen=True)
class Mail:
    """``sender`` is None unless exactly one is named. ``authentication`` has the topmost header first.

    ``automatic`` is an answer of a machine to a mail that it got (RFC 3834), or its report on one (RFC 6522).
    """

    sender: str | None
    subject: str
    authentication: tuple[str, ...]
    text: str
    attachments: tuple[Attachment, ...]
    automatic: bool = False


def read(data: bytes) -> Mail:
    """Raises MailError for a mail that has too many parts or cannot be taken apart."""
    try:
        message = _parsed(data)
        leaves = list(_leaves(message))
        return Mail(
            sender=_sender(message),
            subject=clean(_words(next(iter(_raw(message, "Subject")), "")), SUBJECT_AT_MOST),
            authentication=tuple(_raw(message, "Authentication-Results")),
            text="\n".join(_text(part) for part in leaves if _is_text(part))[:TEXT_AT_MOST],
            attachments=tuple(_attachment(part) for part in leaves if not _is_body(part)),
            automatic=_is_automatic(message),
        )
    except MailError:
        raise
    except MAIL_FAULTS as error:
        raise MailError(f"is no mail that can be taken apart ({type(error).__name__})") from error


def _parsed(data: bytes) -> Message:
    if data.count(b"\n") > LINES_AT_MOST:
        raise MailError(f"has more than {LINES_AT_MOST:,} lines")
    parts = headers = length = 0

    class Part(Message):
        """Counts as it grows: a mail of nothing but boundaries would fill the memory."""

        def __init__(self, policy: object = compat32) -> None:
            nonlocal parts
            parts += 1
            if parts > PARTS_AT_MOST:
                raise MailError(f"has more than {PARTS_AT_MOST} parts")
            super().__init__(policy)  # type: ignore[arg-type]

        def set_raw(self, name: str, value: str) -> None:
            nonlocal headers, length
            headers, length = headers + 1, length + len(value)
            if headers > HEADERS_AT_MOST or length > HEADERS_LENGTH_AT_MOST or len(value) > HEADER_AT_MOST:
                raise MailError("has more or longer header lines than any mail program writes")
            super().set_raw(name, value)

    return BytesParser(Part, policy=compat32).parsebytes(data)


def _leaves(part: Message) -> Iterator[Message]:
    """The parts, in their order. A mail within the mail is one part: its words are those of somebody else."""
    if part.get_content_maintype() == "message" or not part.is_multipart():
        yield part
        return
    for inner in cast("list[Message]", part.get_payload()):
        yield from _leaves(inner)


def _sender(message: Message) -> str | None:
    written = _raw(message, "From")  # encoded words are a name, and never the address
    if len(written) != 1:  # readers disagree about which of two counts
        return None
    addresses = [address for _, address in getaddresses([written[0]])]
    if len(addresses) == 1 and addresses[0].isascii() and MAIL_ADDRESS.fullmatch(addresses[0]):
        return addresses[0].lower()
    return None


def _is_automatic(message: Message) -> bool:
    submitted = "".join(_raw(message, "Auto-Submitted")).lower()
    return "auto-replied" in submitted or message.get_content_type() == "multipart/report"


def _raw(message: Message, name: str) -> list[str]:
    return [str(value) for key, value in message.raw_items() if key.lower() == name.lower()]


def _words(value: str) -> str:
    """A header as characters; raw bytes in it are read as those in a text without label."""
    if not value.isascii():
        return _in(value.encode("utf-8", "surrogateescape"), None)
    pieces = decode_header(re.sub(r"\r?\n", "", value))
    return "".join(piece if isinstance(piece, str) else _in(piece, charset) for piece, charset in pieces)


def _in(data: bytes, charset: str | None) -> str:
    """Text of ``data`` in its charset, or in what it seems to be where that is missing, wrong or unusual."""
    codec = CODECS.get((charset or "").lower())
    try:
        return data.decode(codec) if codec else _guessed(data)
    except ValueError:
        return _guessed(data)


def _guessed(data: bytes) -> str:
    return decoded(data).encode("utf-8", "replace").decode("utf-8")


def _is_body(part: Message) -> bool:
    return part.get_content_maintype() == "text" and not _name(part) and not _is_csv(part)


def _is_text(part: Message) -> bool:
    return _is_body(part) and part.get_content_type() == "text/plain"


def _is_csv(part: Message) -> bool:
    return part.get_content_type() == "text/csv"


def _text(part: Message) -> str:
    return _in(_payload(part), part.get_content_charset())


def _payload(part: Message) -> bytes:
    payload = part.get_payload(decode=True)
    return payload if isinstance(payload, bytes) else b""


def _attachment(part: Message) -> Attachment:
    return Attachment(_name(part) or f"attachment.{part.get_content_subtype()}", _payload(part))


def _name(part: Message) -> str:
    written = part.get_filename()
    if not written:
        return ""
    return clean(PurePosixPath(_words(written).replace("\\", "/")).name, NAME_AT_MOST)
