"""Evidence: every page that a listing or a sighting rests on, as WARC/1.1 records that other tools read.

A page over HTTP is a ``response`` record; what a browser made of a page is a ``resource`` record named
``urn:dom:<address>``, because those bytes never came over the wire. Where a redirect led to the page, a
``metadata`` record beside it names the way.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterator
from datetime import UTC, datetime
from http import HTTPStatus
from io import BytesIO
from pathlib import Path
from typing import Any

from warcio.archiveiterator import ArchiveIterator
from warcio.statusandheaders import StatusAndHeaders
from warcio.warcwriter import WARCWriter

from crawlers.answer import Answer
from crawlers.rundir import CrawlJob, evidence_dir

FILE = "pages.warc.gz"
CONTROL = re.compile(r"[\x00-\x1f\x7f]")
# The body is stored as decoded, so these no longer describe it; cookies are nobody's evidence.
DROPPED_HEADERS = frozenset({"content-encoding", "transfer-encoding", "content-length", "set-cookie"})


class EvidenceWriter:
    """Appends to ``evidence/pages.warc.gz`` of a run; each record is its own gzip member, flushed."""

    def __init__(self, run: Path, job: CrawlJob, user_agent: str) -> None:
        evidence_dir(run).mkdir(exist_ok=True)
        self._file = (evidence_dir(run) / FILE).open("ab")
        self._writer = WARCWriter(self._file, gzip=True, warc_version="WARC/1.1")
        info = {
            "software": user_agent,
            "format": "WARC file version 1.1",
            "isPartOf": job.run_id,
            "robots": "obey",
            "description": f"{job.kind} of {job.platform.name}, vantage {job.vantage}"
            + (", simulated clock" if job.clock else ""),
        }
        self._writer.write_record(self._writer.create_warcinfo_record(FILE, info))

    def write(self, answer: Answer, observed_at: datetime) -> str:
        """Stores the page and returns its reference ``evidence/<file>#<record id>``."""
        record = self._record(answer, observed_at)
        self._writer.write_record(record)
        record_id = record.rec_headers.get_header("WARC-Record-ID")
        if answer.redirects:
            self._writer.write_record(self._way(answer, observed_at, record_id))
        self._file.flush()
        return f"evidence/{FILE}#{record_id.strip('<>')}"

    def close(self) -> None:
        self._file.close()

    def _record(self, answer: Answer, observed_at: datetime) -> Any:  # warcio is untyped
        headers = {
            "WARC-Date": _warc_date(observed_at),
            "WARC-Payload-Digest": f"sha256:{hashlib.sha256(answer.body).hexdigest()}",
        }
        if answer.rendered:
            return self._writer.create_warc_record(
                f"urn:dom:{_one_line(answer.url)}",
                "resource",
                payload=BytesIO(answer.body),
                length=len(answer.body),  # else warcio replaces the digest by one of its own
                warc_content_type="text/html; charset=utf-8",
                warc_headers_dict=headers,
            )
        return self._writer.create_warc_record(
            _one_line(answer.url),
            "response",
            payload=BytesIO(answer.body),
            length=len(answer.body),  # else warcio replaces the digest by one of its own
            http_headers=_http_headers(answer),
            warc_headers_dict=headers,
        )

    def _way(self, answer: Answer, observed_at: datetime, record_id: str) -> Any:
        lines = "".join(f"redirectedFrom: {_one_line(url)}\r\n" for url in answer.redirects).encode()
        return self._writer.create_warc_record(
            _one_line(answer.url),
            "metadata",
            payload=BytesIO(lines),
            length=len(lines),
            warc_content_type="application/warc-fields",
            warc_headers_dict={"WARC-Date": _warc_date(observed_at), "WARC-Concurrent-To": record_id},
        )


def read_evidence(run: Path, reference: str) -> Answer:
    """The page that a ``reference`` of an item or sighting of ``run`` names.

    Raises LookupError when there is no such record, ValueError when its digest does not fit its bytes.
    """
    file, _, record_id = reference.partition("#")
    if file != f"evidence/{FILE}":
        raise LookupError(f"{reference} names no evidence file of a run")
    for record in _records(run / file):
        if record.rec_headers.get_header("WARC-Record-ID") == f"<{record_id}>":
            return _answer(record, reference)
    raise LookupError(f"{reference} is not in {run}")


def _records(path: Path) -> Iterator[Any]:
    with path.open("rb") as file:
        yield from ArchiveIterator(file)


def _answer(record: Any, reference: str) -> Answer:
    body = record.content_stream().read()
    digest = record.rec_headers.get_header("WARC-Payload-Digest")
    if digest != f"sha256:{hashlib.sha256(body).hexdigest()}":
        raise ValueError(f"{reference} was changed: its bytes do not fit {digest}")
    url = record.rec_headers.get_header("WARC-Target-URI")
    if record.rec_type == "resource":
        headers = {"content-type": record.rec_headers.get_header("Content-Type")}
        page = url.removeprefix("urn:dom:")
        return Answer(page, page, HTTPStatus.OK, body, headers, rendered=True)
    headers = {name.lower(): value for name, value in record.http_headers.headers}
    return Answer(url, url, int(record.http_headers.get_statuscode()), body, headers)


def _http_headers(answer: Answer) -> StatusAndHeaders:
    kept = [(n, _one_line(value)) for n, value in answer.headers.items() if n not in DROPPED_HEADERS]
    kept.append(("content-length", str(len(answer.body))))
    return StatusAndHeaders(_status_line(answer.status), kept, protocol="HTTP/1.1")


def _one_line(text: str) -> str:
    """A line break in an address or a header would start a record of its own."""
    return CONTROL.sub(" ", text)


def _status_line(status: int) -> str:
    phrase = HTTPStatus(status).phrase if status in set(HTTPStatus) else "Unknown"
    return f"{status} {phrase}"


def _warc_date(moment: datetime) -> str:
    return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")
