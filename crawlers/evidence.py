"""Evidence: every page that a listing or a sighting rests on, as WARC/1.1 records that other tools read.

A page over HTTP is a ``response`` record. A page in a browser is several, tied by ``WARC-Concurrent-To``:

``resource`` ``urn:dom:<address>``       the document that its scripts left: what was judged
``response`` ``<address>``               the document as the server sent it
``resource`` ``urn:view:<address>``      a screenshot, of captures
``resource`` ``urn:pageinfo:<address>``  how the two came about, as JSON

Where a redirect led to the page, a ``metadata`` record beside it names the way.
"""

from __future__ import annotations

import hashlib
import json
import re
import zlib
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from http import HTTPStatus
from io import BytesIO
from pathlib import Path
from typing import Any
from urllib.parse import quote

from warcio.statusandheaders import StatusAndHeaders
from warcio.warcwriter import WARCWriter

from crawlers import warc
from crawlers.answer import MAX_BODY, Answer
from crawlers.rendering import VIEW_WIDTH, Rendering
from crawlers.rundir import CrawlJob, evidence_dir, pictures_dir
from crawlers.warc import DOM, PAGEINFO, VIEW

FILE = "pages.warc.gz"
FASTEST = 1  # zlib's levels: 9, which warcio takes, costs twelve times the CPU for a file a fifth smaller
RESERVED = "%:/?#[]@!$&'()*+,;=~"  # RFC 3986; what a shop has escaped stays so
LINE_BREAKS = re.compile(r"[\x00-\x1f\x7f]")
HEADER_LIMIT = 8192  # characters of one header; a cookie the size of a book is no evidence
# The body is stored as decoded, so these no longer describe it; cookies are nobody's evidence.
DROPPED_HEADERS = frozenset(
    {"content-encoding", "transfer-encoding", "content-length", "set-cookie", "set-cookie2"}
)


class EvidenceWriter:
    """Appends to ``evidence/pages.warc.gz`` of a run; each record is its own gzip member, flushed."""

    def __init__(self, run: Path, job: CrawlJob, user_agent: str) -> None:
        evidence_dir(run).mkdir(exist_ok=True)
        self._run = run
        self._file = (evidence_dir(run) / FILE).open("ab")
        self._member = BytesIO()
        self._records = WARCWriter(self._member, gzip=False, warc_version="WARC/1.1")
        info = {
            "software": user_agent,
            "format": "WARC file version 1.1",
            "conformsTo": "http://iipc.github.io/warc-specifications/specifications/warc-format/warc-1.1/",
            "isPartOf": job.run_id,
            "robots": "obey",
            "description": f"{job.kind} of {job.platform.name}, vantage {job.vantage}"
            + (", simulated clock" if job.clock else ""),
        }
        self._append(self._records.create_warcinfo_record(FILE, info))

    def write(self, answer: Answer, observed_at: datetime, rendering: Rendering | None = None) -> str:
        """Stores the page and what belongs to it; returns its reference ``evidence/<file>#<record id>``."""
        record_id = self._append(self._page(answer, {"WARC-Date": _warc_date(observed_at)}))
        beside = {"WARC-Date": _warc_date(observed_at), "WARC-Concurrent-To": record_id}
        if rendering:
            self._write_rendering(answer, rendering, beside)
        if answer.redirects or answer.asked:
            self._append(self._way(answer, beside))
        self._file.flush()
        return f"evidence/{FILE}#{record_id.strip('<>')}"

    def picture(self, data: bytes) -> str:
        """Stores a picture under its SHA-256, once, and returns that."""
        sha256 = hashlib.sha256(data).hexdigest()
        pictures_dir(self._run).mkdir(exist_ok=True)
        (pictures_dir(self._run) / sha256).write_bytes(data)
        return sha256

    def close(self) -> None:
        self._file.close()

    def _append(self, record: Any) -> str:  # warcio is untyped
        """Writes the record as one gzip member and returns its id in angle brackets."""
        self._records.write_record(record)
        packing = zlib.compressobj(FASTEST, zlib.DEFLATED, zlib.MAX_WBITS + 16)
        self._file.write(packing.compress(self._member.getbuffer()) + packing.flush())
        self._member.seek(0)
        self._member.truncate()
        return str(record.rec_headers.get_header("WARC-Record-ID"))

    def _page(self, answer: Answer, headers: Mapping[str, str]) -> Any:
        if answer.rendered:
            # scrapy-playwright gives it in the page's own code
            document = answer.html.encode("utf-8", "replace")
            cut = {"WARC-Truncated": "length"} if len(document) > MAX_BODY else {}
            kept = document[:MAX_BODY]
            return self._resource(DOM + answer.url, kept, "text/html; charset=utf-8", {**headers, **cut})
        return self._response(answer, headers)

    def _write_rendering(self, answer: Answer, rendering: Rendering, beside: Mapping[str, str]) -> None:
        made: dict[str, str] = {}
        if rendering.sent:
            made["response"] = self._append(self._response(rendering.sent, beside))
        if rendering.view:
            made["view"] = self._append(
                self._resource(VIEW + answer.url, rendering.view, "image/png", beside)
            )
        told = {
            "url": answer.url,
            "requested": answer.requested_url,
            "status": answer.status,
            "title": answer.page_title,
            "window_width": VIEW_WIDTH,
            "dom": beside["WARC-Concurrent-To"],
            **made,
        }
        payload = json.dumps(told, ensure_ascii=False).encode()
        self._append(self._resource(PAGEINFO + answer.url, payload, "application/json", beside))

    def _response(self, answer: Answer, headers: Mapping[str, str]) -> Any:
        return self._records.create_warc_record(
            _address(answer.url),
            "response",
            payload=BytesIO(answer.body),
            length=len(answer.body),  # else warcio replaces the digest by one of its own
            http_headers=_http_headers(answer),
            warc_headers_dict={**headers, **_digest(answer.body)},
        )

    def _resource(self, uri: str, payload: bytes, media_type: str, headers: Mapping[str, str]) -> Any:
        return self._records.create_warc_record(
            _address(uri),
            "resource",
            payload=BytesIO(payload),
            length=len(payload),  # else warcio replaces the digest by one of its own
            warc_content_type=media_type,
            warc_headers_dict={**headers, **_digest(payload)},
        )

    def _way(self, answer: Answer, headers: Mapping[str, str]) -> Any:
        steps = [f"redirectedFrom: {_one_line(url)}\r\n" for url in answer.redirects]
        steps += [f"asked: {_one_line(answer.asked)}\r\n"] if answer.asked else []
        lines = "".join(steps).encode()
        return self._records.create_warc_record(
            _address(answer.url),
            "metadata",
            payload=BytesIO(lines),
            length=len(lines),
            warc_content_type="application/warc-fields",
            warc_headers_dict=dict(headers),
        )


def read_evidence(run: Path, reference: str) -> Answer:
    """The page that a ``reference`` of an item or sighting of ``run`` names.

    Raises LookupError when there is no such record, ValueError when its digest does not fit its bytes.
    """
    file, _, record_id = reference.partition("#")
    if file != f"evidence/{FILE}":
        raise LookupError(f"{reference} names no evidence file of a run")
    return warc.answer_in(warc.find(run / file, record_id))


def _http_headers(answer: Answer) -> StatusAndHeaders:
    kept = [*_kept_headers(answer.headers), ("content-length", str(len(answer.body)))]
    return StatusAndHeaders(_status_line(answer.status), kept, protocol="HTTP/1.1")


def _kept_headers(headers: Mapping[str, str]) -> Iterator[tuple[str, str]]:
    for name, value in headers.items():
        if name not in DROPPED_HEADERS:
            yield _one_line(name), _one_line(value)[:HEADER_LIMIT]


def _digest(payload: bytes) -> dict[str, str]:
    return {"WARC-Payload-Digest": f"sha256:{hashlib.sha256(payload).hexdigest()}"}


def _one_line(text: str) -> str:
    """A line break in an address or a header would start a record of its own."""
    return LINE_BREAKS.sub(" ", text)


def _address(uri: str) -> str:
    """With the characters only that a URI may have."""
    return quote(uri, safe=RESERVED, errors="replace")


def _status_line(status: int) -> str:
    phrase = HTTPStatus(status).phrase if status in set(HTTPStatus) else "Unknown"
    return f"{status} {phrase}"


def _warc_date(moment: datetime) -> str:
    return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")
