"""Evidence that an independent WARC reader accepts and that shows every change."""

from __future__ import annotations

import gzip
import hashlib
import zlib
from datetime import UTC, datetime

import pytest
from warcio.archiveiterator import ArchiveIterator

from crawlers.answer import MAX_BODY, Answer
from crawlers.evidence import EvidenceWriter, read_evidence
from crawlers.rendering import Rendering
from crawlers.rundir import CrawlJob, RunKind, evidence_dir
from tests.crawlers.shop import shop_profile, targets

URL = "http://mall.example/item/1.html"
BODY = "<p>雾化 \r\n\r\nWARC/1.1\r\n</p>".encode()
NOW = datetime(2026, 10, 1, 8, 30, 15, 123456, tzinfo=UTC)
JOB = CrawlJob(
    run_id="r1",
    kind=RunKind.RECHECK,
    platform=shop_profile(),
    targets=targets("http://mall.example", "1"),
    contact="ops@bureau.example",
)


@pytest.fixture
def writer(tmp_path):
    opened = EvidenceWriter(tmp_path, JOB, "Vapewatch/1 (+ops@bureau.example)")
    yield opened
    opened.close()


def records(run):
    with (evidence_dir(run) / "pages.warc.gz").open("rb") as file:
        return [
            (record.rec_type, dict(record.rec_headers.headers), record.content_stream().read())
            for record in ArchiveIterator(file, check_digests="raise")
        ]


def test_a_page_is_a_response_record_of_warc_1_1(tmp_path, writer):
    headers = {"content-type": "text/html", "content-encoding": "gzip", "set-cookie": "buyer=1", "x-a": "雾"}
    answer = Answer(URL, URL, 404, BODY, {k: v.encode().decode("latin-1") for k, v in headers.items()})
    reference = writer.write(answer, NOW)
    (info_type, _, about), (kind, warc, body) = records(tmp_path)
    assert (info_type, kind, body) == ("warcinfo", "response", BODY)
    assert b"isPartOf: r1" in about
    assert warc["WARC-Target-URI"] == URL
    assert warc["WARC-Date"] == "2026-10-01T08:30:15.123456Z"
    assert warc["WARC-Payload-Digest"] == f"sha256:{hashlib.sha256(BODY).hexdigest()}"
    assert reference == f"evidence/pages.warc.gz#{warc['WARC-Record-ID'].strip('<>')}"
    raw = gzip.decompress((evidence_dir(tmp_path) / "pages.warc.gz").read_bytes())
    assert raw.startswith(b"WARC/1.1\r\n")
    assert b"HTTP/1.1 404 Not Found\r\n" in raw
    assert b"buyer=1" not in raw
    assert b"content-encoding" not in raw.lower()


def test_a_rendered_page_is_no_response_and_is_read_back(tmp_path, writer):
    body = BODY.decode().encode("gbk")
    answer = Answer(URL, URL, 200, body, {"content-type": "text/html; charset=gbk"}, rendered=True)
    reference = writer.write(answer, NOW)
    kind, warc, body = records(tmp_path)[1]
    assert (kind, warc["WARC-Target-URI"], body) == ("resource", f"urn:dom:{URL}", BODY)
    assert "雾化" in read_evidence(tmp_path, reference).html


def test_a_large_document_is_cut_and_says_so_but_a_screenshot_never(tmp_path, writer):
    rendering = Rendering("", with_view=True, timeout_s=1)
    rendering.view = b"P" * (MAX_BODY + 1)
    writer.write(Answer(URL, URL, 200, b"<p>" + b"x" * MAX_BODY, rendered=True), NOW, rendering)
    (_, dom, document), (_, view, picture) = records(tmp_path)[1:3]
    assert (len(document), dom["WARC-Truncated"]) == (MAX_BODY, "length")
    assert (picture, view.get("WARC-Truncated")) == (rendering.view, None)


def test_the_way_to_a_page_is_kept(tmp_path, writer):
    writer.write(Answer("http://mall.example/old", URL, 200, BODY, {}, ("http://mall.example/old",)), NOW)
    kind, warc, body = records(tmp_path)[2]
    assert kind == "metadata"
    assert body == b"redirectedFrom: http://mall.example/old\r\n"
    assert warc["WARC-Concurrent-To"] == records(tmp_path)[1][1]["WARC-Record-ID"]


def test_each_reference_finds_its_own_page(tmp_path, writer):
    bodies = [f"<p>{number}</p>".encode() for number in range(5)]
    found = [writer.write(Answer(URL, URL, 200, body), NOW) for body in bodies]
    assert [read_evidence(tmp_path, reference).body for reference in found] == bodies


def members(path):
    rest = path.read_bytes()
    while rest:
        one = zlib.decompressobj(zlib.MAX_WBITS + 16)
        yield one.decompress(rest)
        rest = one.unused_data


def test_an_unknown_reference_is_an_error(tmp_path, writer):
    writer.write(Answer(URL, URL, 200, BODY), NOW)
    for reference in ("evidence/pages.warc.gz#urn:uuid:0", "../../etc/passwd#urn:uuid:0", ""):
        with pytest.raises(LookupError):
            read_evidence(tmp_path, reference)


def test_a_changed_page_is_noticed(tmp_path, writer):
    reference = writer.write(Answer(URL, URL, 200, BODY), NOW)
    path = evidence_dir(tmp_path) / "pages.warc.gz"
    changed = [gzip.compress(member.replace("雾化".encode(), "饮料".encode())) for member in members(path)]
    path.write_bytes(b"".join(changed))
    with pytest.raises(ValueError, match="was changed"):
        read_evidence(tmp_path, reference)


def test_headers_written_by_an_enemy_add_no_record(tmp_path, writer):
    headers = {"x-evil": "a\r\n\r\nWARC/1.1\r\nWARC-Type: response"}
    writer.write(Answer(URL, URL + "\r\nWARC-Type: x", 599, b"", headers), NOW)
    assert [kind for kind, _, _ in records(tmp_path)] == ["warcinfo", "response"]
