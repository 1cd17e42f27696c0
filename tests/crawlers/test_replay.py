"""What was kept can be read without us, and replayed: to our own crawler, and to a browser."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import threading
from datetime import UTC, datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import urlsplit

import pytest
from fastwarc.warc import ArchiveIterator
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from playwright.sync_api import sync_playwright

from crawlers import warc
from crawlers.answer import MAX_BODY, Answer
from crawlers.browser import chromium
from crawlers.evidence import EvidenceWriter
from crawlers.rendering import Rendering
from crawlers.rundir import CrawlJob, RunKind
from tests.crawlers.shop import Page, item_html, shop_profile, targets, verdicts
from tests.crawlers.strictwarc import Strict, read_strictly

NOW = datetime(2026, 10, 1, 8, 30, 15, 123456, tzinfo=UTC)
HOME = "http://mall.example"
JOB = CrawlJob(
    run_id="r1",
    kind=RunKind.RECHECK,
    platform=shop_profile(),
    targets=targets(HOME, "1"),
    contact="ops@bureau.example",
)
FILE = "evidence/pages.warc.gz"


def written(folder, *pages: tuple[Answer, Rendering | None]):
    writer = EvidenceWriter(folder, JOB, "Vapewatch/1 (+ops@bureau.example)")
    references = [writer.write(answer, NOW, rendering) for answer, rendering in pages]
    writer.close()
    return [reference.partition("#")[2] for reference in references]


def rendered(sent: Answer | None, view: bytes | None) -> Rendering:
    made = Rendering("h1", with_view=True, timeout_s=30)
    made.sent, made.view = sent, view
    return made


class Replay:
    """Serves the response records of a WARC file, as the strict reader found them, under their paths."""

    def __init__(self, records: list[Strict]) -> None:
        pages = {urlsplit(record.uri).path: record for record in records if record.kind == "response"}

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                found = pages.get(urlsplit(self.path).path)
                status, headers, body = found.http if found else (404, {}, b"")
                self.send_response(status)
                for name, value in headers.items():
                    self.send_header(name, value)
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, *arguments: object) -> None:
                """Tests are quiet."""

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        threading.Thread(target=self._server.serve_forever, args=(0.05,), daemon=True).start()
        self.home = f"http://127.0.0.1:{self._server.server_port}"

    def close(self) -> None:
        self._server.shutdown()
        self._server.server_close()


@pytest.fixture
def replay():
    running: list[Replay] = []

    def start(records: list[Strict]) -> Replay:
        running.append(Replay(records))
        return running[-1]

    yield start
    for one in running:
        one.close()


def test_a_crawl_is_read_without_us_and_replayed_to_our_crawler_and_to_a_browser(shop, crawl, replay):
    shop.pages["/item/1.html"] = Page(
        item_html("医用雾化器 家用").encode("gb18030"), headers={"Content-Type": "text/html"}
    )
    shop.pages["/item/2.html"] = Page('<p class="notice-gone">商品不存在</p>')
    shop.pages["/item/3.html"] = Page("", 302, {"Location": "/"})
    shop.pages["/"] = Page("<h1>欢迎</h1>")
    first = crawl(shop_profile(shop.home), targets=targets(shop.home, "1", "2", "3"))
    records = read_strictly(first.path / FILE)
    assert [record.kind for record in records].count("response") == 3
    again = replay(records)
    second = crawl(shop_profile(again.home), targets=targets(again.home, "1", "2"))
    assert verdicts(first)["3"] == ("gone", "redirect_elsewhere")
    assert verdicts(second) == {item: verdicts(first)[item] for item in "12"}
    titles = [
        {one.item_id: one.listing.title for one in run.sightings if one.listing} for run in (first, second)
    ]
    assert titles == [{"1": "医用雾化器 家用"}] * 2
    with sync_playwright() as playwright:
        options = {"args": ["--no-sandbox"]} if os.geteuid() == 0 else {}
        browser = playwright.chromium.launch(executable_path=str(chromium()), **options)
        page = browser.new_page()
        page.goto(f"{again.home}/item/2.html")
        assert page.locator(".notice-gone").inner_text() == "商品不存在"
        browser.close()


def test_a_browser_page_is_four_records_that_name_one_another(tmp_path):
    url = f"{HOME}/item/1.html"
    dom = Answer(
        f"{HOME}/old", url, 200, "<title>雾化器</title>".encode(), {}, (f"{HOME}/old",), rendered=True
    )
    sent = Answer(url, url, 200, b"<div id=app>", {"content-type": "text/html", "set-cookie": "buyer=1"})
    (page,) = written(tmp_path, (dom, rendered(sent, b"\x89PNG")))
    _, *records = read_strictly(tmp_path / FILE)
    assert [(record.kind, record.uri, record.payload) for record in records[:3]] == [
        ("resource", f"urn:dom:{url}", dom.body),
        ("response", url, sent.body),
        ("resource", f"urn:view:{url}", b"\x89PNG"),
    ]
    assert [record.kind for record in records[3:]] == ["resource", "metadata"]
    assert {record.fields["warc-concurrent-to"] for record in records[1:]} == {f"<{page}>"}
    told = json.loads(warc.beside(tmp_path / FILE, page)[2].payload)
    assert (told["url"], told["requested"], told["title"]) == (url, f"{HOME}/old", "雾化器")
    assert told["view"] == records[2].fields["warc-record-id"]
    assert b"buyer=1" not in b"".join(record.block for record in records)


def test_another_library_reads_every_record_and_finds_its_digests_true(tmp_path):
    url = f"{HOME}/item/1.html"
    dom = Answer(url, url, 200, "<title>雾化器</title>".encode(), {}, rendered=True)
    sent = Answer(url, url, 200, b"<div id=app>", {"content-type": "text/html"})
    gone = Answer(HOME, HOME, 404, "不存在".encode(), {"content-type": "text/html"})
    written(tmp_path, (dom, rendered(sent, b"\x89PNG")), (gone, None))
    with (tmp_path / FILE).open("rb") as file:
        records = [
            (one.headers["WARC-Type"], one.verify_block_digest())
            for one in ArchiveIterator(file, parse_http=False)
        ]
    assert [kind for kind, _ in records].count("response") == 2
    assert all(sound for _, sound in records)


def test_a_document_too_large_to_keep_is_cut_and_says_so(tmp_path):
    written(tmp_path, (Answer(HOME, HOME, 200, b"x" * (MAX_BODY + 5), {}, rendered=True), None))
    record = read_strictly(tmp_path / FILE)[1]
    assert record.fields["warc-truncated"] == "length"
    assert len(record.payload) == MAX_BODY


def test_the_check_command_of_warcio_passes_every_record(tmp_path):
    page = Answer(HOME, HOME, 404, "雾".encode(), {"content-type": "text/html"})
    written(tmp_path, (page, None), (page, rendered(page, b"\x89PNG")))
    done = subprocess.run(
        [sys.executable, "-m", "warcio.cli", "check", "-v", str(tmp_path / FILE)],
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stdout
    assert done.stdout.count("digest pass") == 6
    assert "fail" not in done.stdout


NASTY = st.text(st.characters(codec="utf-8"), max_size=40) | st.sampled_from(
    ["\r\nWARC/1.1\r\n", "a\nb: c", "\x00", "<>"]
)


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    path=NASTY,
    name=st.from_regex(r"[a-z][a-z-]{0,10}", fullmatch=True),
    value=NASTY,
    body=st.binary(max_size=200),
    status=st.integers(100, 599),
    is_rendered=st.booleans(),
)
def test_no_address_and_no_header_breaks_the_file(
    tmp_path_factory, path, name, value, body, status, is_rendered
):
    folder = tmp_path_factory.mktemp("warc")
    url = f"{HOME}/{path}"
    headers = {name: value.encode().decode("latin-1")}
    answer = Answer(url, url, status, body, headers, (url,), rendered=is_rendered)
    written(folder, (answer, rendered(answer, body)))
    kinds = [record.kind for record in read_strictly(folder / FILE)]
    assert kinds[0] == "warcinfo"
    assert kinds[-1] == "metadata"
    assert [
        one for one in warc.records(folder / FILE) if not isinstance(one, warc.Record) or one.problems
    ] == []
