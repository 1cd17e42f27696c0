"""Reading WARC files back, record by record, with every digest checked and every damage told by its place."""

from __future__ import annotations

import hashlib
import zlib
from collections.abc import Iterator
from dataclasses import dataclass, field
from http import HTTPStatus
from io import BytesIO
from pathlib import Path
from typing import IO, Any

from warcio.archiveiterator import ArchiveIterator
from warcio.exceptions import ArchiveLoadFailed
from warcio.statusandheaders import StatusAndHeadersParserException

from crawlers.answer import Answer

CHUNK = 1 << 16
RECORD_LIMIT = 64 << 20  # bytes of an unfolded record; ours hold a page or a screenshot
GZIP = b"\x1f\x8b\x08"
DOM, VIEW, PAGEINFO = "urn:dom:", "urn:view:", "urn:pageinfo:"


@dataclass(frozen=True)
class Record:
    """``problems``: what does not fit; none in a whole record. ``offset``: of its gzip member in the file."""

    offset: int
    kind: str
    record_id: str
    uri: str
    at: str
    media_type: str
    concurrent_to: str | None
    payload: bytes = field(repr=False)
    status: int | None = None
    headers: dict[str, str] = field(default_factory=dict, repr=False)
    problems: tuple[str, ...] = ()

    @property
    def sha256(self) -> str:
        return hashlib.sha256(self.payload).hexdigest()


@dataclass(frozen=True)
class Damage:
    """A place that holds no readable record."""

    offset: int
    problem: str


def records(path: Path) -> Iterator[Record | Damage]:
    """Everything in the file, in order; after a damaged place it goes on with the next record."""
    for offset, member in _members(path):
        if isinstance(member, Damage):
            yield member
            continue
        yield _record(offset, member)


def find(path: Path, record_id: str) -> Record:
    """The record of that id (without angle brackets). Raises LookupError when it is not there."""
    for found in _naming(path, record_id):
        if found.record_id == record_id:
            return found
    raise LookupError(f"{record_id} is not in {path}")


def beside(path: Path, record_id: str) -> list[Record]:
    """The records that were made together with that one: the way to it, its screenshot …"""
    return [found for found in _naming(path, record_id) if found.concurrent_to == record_id]


def excerpt(path: Path, record_id: str) -> bytes:
    """A WARC file of that record and those made with it, byte for byte, behind the file's own description."""
    chosen = [0, find(path, record_id).offset, *(one.offset for one in beside(path, record_id))]
    parts = []
    with path.open("rb") as file:
        for offset in sorted(set(chosen)):
            _, end = _member(file, offset)
            file.seek(offset)
            parts.append(file.read(end - offset))
    return b"".join(parts)


def answer_in(record: Record) -> Answer:
    """The page that a record holds. Raises ValueError when it was changed, or is no page."""
    if record.problems:
        raise ValueError(f"{record.record_id} was changed: {'; '.join(record.problems)}")
    if record.kind == "resource" and record.uri.startswith(DOM):
        page = record.uri.removeprefix(DOM)
        return Answer(
            page, page, HTTPStatus.OK, record.payload, {"content-type": record.media_type}, rendered=True
        )
    if record.status is None:
        raise ValueError(f"{record.record_id} holds no page but a {record.kind} record of {record.uri}")
    return Answer(record.uri, record.uri, record.status, record.payload, record.headers)


def _naming(path: Path, record_id: str) -> Iterator[Record]:
    """The records whose headers name that one; the others are not parsed."""
    wanted = f"<{record_id}>".encode()
    for offset, member in _members(path):
        if isinstance(member, bytes) and wanted in member.partition(b"\r\n\r\n")[0]:
            found = _record(offset, member)
            if isinstance(found, Record):
                yield found


def _members(path: Path) -> Iterator[tuple[int, bytes | Damage]]:
    """(offset, bytes) of every gzip member; each record of ours is one."""
    with path.open("rb") as file:
        size, offset = file.seek(0, 2), 0
        while offset < size:
            member, end = _member(file, offset)
            yield offset, member
            offset = _next_member(file, offset) if isinstance(member, Damage) else end


def _member(file: IO[bytes], offset: int) -> tuple[bytes | Damage, int]:
    file.seek(offset)
    unfolding, parts, size = zlib.decompressobj(zlib.MAX_WBITS + 16), [], 0
    try:
        while not unfolding.eof:
            chunk = file.read(CHUNK)
            if not chunk:
                return Damage(offset, "the file was cut off in this record"), offset
            parts.append(unfolding.decompress(chunk, RECORD_LIMIT - size + 1))
            size += len(parts[-1])
            if size > RECORD_LIMIT:
                return Damage(offset, f"unfolds to more than {RECORD_LIMIT} bytes"), offset
    except zlib.error as error:
        return Damage(offset, f"cannot be unpacked: {error}"), offset
    return b"".join(parts), file.tell() - len(unfolding.unused_data)


def _next_member(file: IO[bytes], offset: int) -> int:
    """Where the next gzip member may begin, after a damaged one at ``offset``."""
    at = offset + 1
    while True:
        file.seek(at)
        chunk = file.read(CHUNK)
        found = chunk.find(GZIP)
        if found >= 0:
            return at + found
        if len(chunk) < CHUNK:
            return at + len(chunk)
        at += CHUNK - len(GZIP) + 1


def _record(offset: int, member: bytes) -> Record | Damage:
    try:
        found = list(_parsed(offset, member))
    except (ArchiveLoadFailed, StatusAndHeadersParserException, EOFError, ValueError) as error:
        return Damage(offset, f"is no WARC record: {error}")
    return found[0] if len(found) == 1 else Damage(offset, f"holds {len(found)} records instead of one")


def _parsed(offset: int, member: bytes) -> Iterator[Record]:
    for record in ArchiveIterator(BytesIO(member), check_digests=True):
        payload = record.content_stream().read()
        told = record.rec_headers.get_header
        http = record.http_headers
        status = http.get_statuscode() if record.rec_type == "response" and http else ""
        yield Record(
            offset=offset,
            kind=record.rec_type or "",
            record_id=_bare(told("WARC-Record-ID")) or "",
            uri=told("WARC-Target-URI") or "",
            at=told("WARC-Date") or "",
            media_type=(http.get_header("content-type") if http else told("Content-Type")) or "",
            concurrent_to=_bare(told("WARC-Concurrent-To")),
            payload=payload,
            status=int(status) if status.isdigit() else None,
            headers={name.lower(): value for name, value in http.headers} if http else {},
            problems=tuple(_problems(record)),
        )


def _problems(record: Any) -> Iterator[str]:
    checker = record.digest_checker
    if checker.passed is None:
        yield "it has no digest"
    elif not checker.passed:
        yield from (str(problem) for problem in checker.problems)


def _bare(record_id: str | None) -> str | None:
    return record_id.strip("<>") if record_id else None
