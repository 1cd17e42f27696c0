"""A WARC/1.1 reader of its own, written from the standard (ISO 28500:2017), that forgives nothing.

It shares no code with the writer: gzip members by zlib, headers by the grammar, digests by hashlib.
"""

from __future__ import annotations

import base64
import hashlib
import re
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

TYPES = {"warcinfo", "response", "resource", "request", "metadata", "revisit", "conversion", "continuation"}
MANDATORY = {"warc-record-id", "content-length", "warc-date", "warc-type"}  # §5.1
WITH_URI = {"response", "resource", "request", "revisit", "conversion", "continuation"}  # §5.9
FIELD = re.compile(rb"([!#$%&'*+\-.0-9A-Z^_`a-z|~]+):[ \t]*(.*)")  # token ":" value, §4
DATE = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d{1,9})?Z")  # §5.4
RECORD_ID = re.compile(r"<[A-Za-z][A-Za-z0-9+.-]*:[^\s<>]+>")  # "<" uri ">", §5.2
URI = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*:[^\s<>]+")


@dataclass(frozen=True)
class Strict:
    fields: dict[str, str]
    block: bytes

    @property
    def kind(self) -> str:
        return self.fields["warc-type"]

    @property
    def uri(self) -> str:
        return self.fields.get("warc-target-uri", "")

    @property
    def http(self) -> tuple[int, dict[str, str], bytes]:
        """Status, headers and body of a response record."""
        head, blank, body = self.block.partition(b"\r\n\r\n")
        assert blank, "an HTTP message needs an empty line"
        status, *lines = head.decode("latin-1").split("\r\n")
        assert re.fullmatch(r"HTTP/1\.[01] \d{3} .*", status), status
        headers = dict(line.split(": ", 1) for line in lines)
        assert headers["content-length"] == str(len(body))
        return int(status.split()[1]), headers, body

    @property
    def payload(self) -> bytes:
        return self.http[2] if self.kind == "response" else self.block


def read_strictly(path: Path) -> list[Strict]:
    """Raises AssertionError for whatever the standard forbids."""
    records = [_record(member) for member in _members(path.read_bytes())]
    assert records[0].kind == "warcinfo"
    ids = [record.fields["warc-record-id"] for record in records]
    assert len(set(ids)) == len(ids)
    for record in records:
        concurrent = record.fields.get("warc-concurrent-to")
        assert concurrent is None or concurrent in ids
    return records


def _members(data: bytes) -> Iterator[bytes]:
    """Annex D: each record is one gzip member of its own."""
    while data:
        member = zlib.decompressobj(zlib.MAX_WBITS + 16)
        yield member.decompress(data)
        assert member.eof, "the last member was cut off"
        data = member.unused_data


def _record(member: bytes) -> Strict:
    head, blank, rest = member.partition(b"\r\n\r\n")
    assert blank
    version, *lines = head.split(b"\r\n")
    assert version == b"WARC/1.1"
    fields: dict[str, str] = {}
    for line in lines:
        found = FIELD.fullmatch(line)
        assert found, line
        name = found[1].decode().lower()
        assert name not in fields or name == "warc-concurrent-to", f"{name} twice"
        fields[name] = found[2].decode("utf-8")
    length = int(fields["content-length"])
    block, end = rest[:length], rest[length:]
    assert len(block) == length
    assert end == b"\r\n\r\n", "a record ends with two line breaks"
    _check(fields, block)
    return Strict(fields, block)


def _check(fields: dict[str, str], block: bytes) -> None:
    assert fields.keys() >= MANDATORY
    assert fields["warc-type"] in TYPES
    assert DATE.fullmatch(fields["warc-date"]), fields["warc-date"]
    assert RECORD_ID.fullmatch(fields["warc-record-id"])
    assert ("warc-target-uri" in fields) or fields["warc-type"] not in WITH_URI
    assert fields["warc-type"] != "warcinfo" or "warc-target-uri" not in fields
    if uri := fields.get("warc-target-uri"):
        assert URI.fullmatch(uri), uri
    if fields["warc-type"] == "response":
        assert fields["content-type"].startswith("application/http")
    record = Strict(fields, block)
    _check_digest(fields["warc-block-digest"], block)
    if labelled := fields.get("warc-payload-digest"):
        _check_digest(labelled, record.payload)


def _check_digest(labelled: str, data: bytes) -> None:
    algorithm, _, told = labelled.partition(":")
    digest = hashlib.new(algorithm, data)
    assert told in (digest.hexdigest(), base64.b32encode(digest.digest()).decode())
