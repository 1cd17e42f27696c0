"""A small shop on loopback for what no marketplace does on demand, its profile, and shorthands for crawls."""

from __future__ import annotations

import subprocess
import sys
import threading
import time
from collections import Counter
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

from crawlers.listing import Sighting
from crawlers.platforms import Platform
from crawlers.rundir import Run, Target


@dataclass(frozen=True)
class Page:
    """One answer. ``stall_s``: trickle for that long after the body, without an end."""

    body: str | bytes = ""
    status: int = 200
    headers: dict[str, str] = field(default_factory=dict)
    stall_s: float = 0
    cut: bool = False

    def write(self, handler: BaseHTTPRequestHandler) -> None:
        body = self.body.encode() if isinstance(self.body, str) else self.body
        handler.send_response(self.status)
        headers = {
            "Content-Type": "text/html; charset=utf-8",
            "Content-Length": str(len(body)),
            "Connection": "close",
        } | self.headers
        if self.cut:
            headers["Content-Length"] = str(len(body) + 1000)
        if self.stall_s:
            del headers["Content-Length"]
        for name, value in headers.items():
            handler.send_header(name, value)
        handler.end_headers()
        handler.wfile.write(body)
        until = time.monotonic() + self.stall_s
        while time.monotonic() < until:
            handler.wfile.write(b".")
            handler.wfile.flush()
            time.sleep(0.05)
        handler.close_connection = True


class Shop:
    """Pages by path; what is missing is 404. ``hits`` and ``times`` tell who came and when."""

    def __init__(self) -> None:
        self.pages: dict[str, Page] = {}
        self.times: list[tuple[str, float]] = []
        self.agents: set[str] = set()
        shop = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                path = self.path.partition("?")[0]
                shop.times.append((path, time.monotonic()))
                shop.agents.add(self.headers["User-Agent"])
                try:
                    shop.pages.get(path, Page("missing", 404)).write(self)
                except ConnectionError:
                    self.close_connection = True  # the crawler hung up, as it may

            def log_message(self, *arguments: object) -> None:
                """Tests are quiet."""

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._server.daemon_threads = True
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.05,), daemon=True)
        self._thread.start()
        self.home = f"http://127.0.0.1:{self._server.server_port}"

    @property
    def hits(self) -> Counter[str]:
        return Counter(path for path, _ in self.times)

    def item(self, item_id: str, title: str = "医用雾化器 家用") -> None:
        self.pages[f"/item/{item_id}.html"] = Page(item_html(title))

    def close(self) -> None:
        self._server.shutdown()
        self._server.server_close()


def item_html(title: str = "医用雾化器 家用", control: str = '<button class="add-cart">买</button>') -> str:
    head = f"<!doctype html><title>{title}</title>"
    return f'{head}<h1 class="title">{title}</h1><p class="price">¥9.90</p>{control}'


def shop_profile(home: str = "http://127.0.0.1:1", **changes: object) -> Platform:
    """A complete profile for :class:`Shop`; ``changes`` replace whole top-level keys."""
    data: dict[str, object] = {
        "name": "corner",
        "title": "街角",
        "title_en": "Corner shop",
        "verified": True,
        "road": "page",
        "home": home,
        "listing_url": {
            "match": r"^https?://[^/]+/item/(?P<id>[\w-]+)\.html",
            "canonical": "{home}/item/{id}.html",
        },
        "currency": "CNY",
        "search": {
            "url": "{home}/search?q={term}&page={page}",
            "pages": 3,
            "item_links": "a.item-link",
            "terms": ["雾化"],
            "empty": {"css": ".no-results"},
        },
        "fields": {"title": {"css": "h1.title", "required": True}, "price": {"css": ".price"}},
        "presence": {
            "alive": [{"css": "button.add-cart"}],
            "sold_out": [{"css": ".sold-out", "text": "已售罄"}],
            "gone": [{"css": ".notice-gone", "text": "不存在|已下架"}],
            "elsewhere": ["^/$", "^/search"],
        },
        "blocks": [
            {"reason": "captcha", "css": "#captcha", "text": "滑动验证"},
            {"reason": "login_wall", "url": r"^https?://[^/]+/login(\?|$)"},
        ],
        "politeness": {"delay_s": 0},
        "lead": {"channel": "manual", "recipient": "柜台"},
    }
    return Platform.model_validate(data | changes)


def start(folder: Path) -> subprocess.Popen[bytes]:
    """The child; what it says goes to :func:`said`."""
    with said(folder).open("wb") as output:
        return subprocess.Popen([sys.executable, "-m", "crawlers", str(folder)], stdout=output, stderr=output)


def said(folder: Path) -> Path:
    return folder.with_name(folder.name + ".log")


def targets(home: str, *item_ids: str, title: str | None = None) -> tuple[Target, ...]:
    return tuple(Target(item_id=i, url=f"{home}/item/{i}.html", title=title) for i in item_ids)


def verdicts(run: Run) -> dict[str, tuple[str, str]]:
    """Item id → (state, reason); fails when a target has two sightings."""
    found: dict[str, Sighting] = {}
    for sighting in run.sightings:
        assert sighting.item_id not in found
        found[sighting.item_id] = sighting
    return {item_id: (sighting.state.value, sighting.reason) for item_id, sighting in found.items()}
