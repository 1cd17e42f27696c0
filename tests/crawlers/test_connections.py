"""Connections that are kept: fewer of them, and not one request more."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from tests.crawlers.shop import item_html, shop_profile, targets, verdicts


class Keeping(BaseHTTPRequestHandler):
    """Keeps its connections, and hangs up without a word when it is asked for ``/item/mute.html``."""

    protocol_version = "HTTP/1.1"
    asked: list[tuple[str, int, float]]  # path, the port of the asking side, the moment

    def do_GET(self) -> None:
        self.asked.append((self.path, self.client_address[1], time.monotonic()))
        if self.path == "/item/mute.html":
            self.close_connection = True
            return
        body = item_html().encode() if self.path != "/robots.txt" else b""
        self.send_response(200)
        self.send_header("Content-Type", "text/html; charset=utf-8")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *arguments: object) -> None:
        """Tests are quiet."""


@pytest.fixture
def server() -> Iterator[ThreadingHTTPServer]:
    running = ThreadingHTTPServer(("127.0.0.1", 0), type("Handler", (Keeping,), {"asked": []}))
    running.daemon_threads = True
    threading.Thread(target=running.serve_forever, args=(0.05,), daemon=True).start()
    yield running
    running.shutdown()
    running.server_close()


def home_of(server) -> str:
    return f"http://127.0.0.1:{server.server_port}"


def test_a_connection_serves_many_pages(server, crawl):
    home = home_of(server)
    run = crawl(shop_profile(home), targets=targets(home, *map(str, range(40))))
    assert set(verdicts(run).values()) == {("up", "alive")}
    ports = {port for _, port, _ in server.RequestHandlerClass.asked}
    assert len(ports) <= 9  # eight at a time, and robots.txt before them


def test_a_kept_connection_that_breaks_is_not_asked_again_at_once_or_uncounted(server, crawl):
    home = home_of(server)
    profile = shop_profile(home, politeness={"delay_s": 0.6})
    run = crawl(profile, targets=targets(home, "1", "mute"))
    asked = server.RequestHandlerClass.asked
    mute = [moment for path, _, moment in asked if path == "/item/mute.html"]
    assert verdicts(run)["mute"] == ("error", "connection_cut")
    assert len(mute) == 2  # and once more by Scrapy
    assert mute[1] - mute[0] >= 0.55
    assert run.requests.requests == len(asked)
