"""A capture keeps how a listing looks, and its pictures, politely, and counts for nothing else."""

from __future__ import annotations

import hashlib
import io
import json
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest
from PIL import Image

from crawlers import warc
from crawlers.rundir import RunKind, Target, pictures_dir
from tests.crawlers.shop import Page, item_html, shop_profile
from tests.crawlers.strictwarc import read_strictly

RED = (230, 10, 10)


def png(colour=RED, size=(60, 40)) -> bytes:
    drawn = io.BytesIO()
    Image.new("RGB", size, colour).save(drawn, "PNG")
    return drawn.getvalue()


@pytest.fixture
def photos():
    """The platform's second host, which only serves pictures."""
    hits: list[str] = []
    answers: dict[str, tuple[int, str, bytes]] = {}

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            hits.append(self.path)
            status, media_type, body = answers.get(self.path, (404, "text/plain", b""))
            self.send_response(status)
            self.send_header("Content-Type", media_type)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *arguments: object) -> None:
            """Tests are quiet."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True).start()
    yield f"127.0.0.1:{server.server_port}", answers, hits
    server.shutdown()
    server.server_close()


def records(run):
    return [one for one in warc.records(run.path / "evidence/pages.warc.gz") if isinstance(one, warc.Record)]


def test_a_listing_is_photographed_and_its_pictures_are_kept_once_by_hash(shop, crawl, photos):
    host, answers, hits = photos
    answers["/a.png"] = answers["/same.png"] = (200, "image/png", png())
    answers["/page.html"] = (200, "text/html", b"<p>no picture")
    answers["/robots.txt"] = (200, "text/plain", b"User-agent: *\nDisallow: /private/")
    guest = "http://127.0.0.2:9/guest.png"
    scripted = "<script>document.querySelector('h1').textContent = '医用雾化器 家用'</script>"
    shown = (
        f'<img src="/own.png"><img src="http://{host}/a.png"><img src="{guest}"><div style="height:3000px">'
    )
    shop.pages["/item/1.html"] = Page(item_html("…") + scripted + shown)
    shop.pages["/own.png"] = Page(png(), headers={"Content-Type": "image/png"})
    shop.pages["/item/2.html"] = Page('<p class="notice-gone">商品不存在', 404)
    wanted = [f"http://{host}{path}" for path in ("/a.png", "/same.png", "/private/b.png", "/page.html")]
    run = crawl(
        shop_profile(shop.home, media_hosts=[host]),
        RunKind.CAPTURE,
        targets=(
            Target(item_id="1", url=f"{shop.home}/item/1.html", cause="flag:7", pictures=[*wanted, guest]),
            Target(item_id="2", url=f"{shop.home}/item/2.html", cause="sighting:8"),
        ),
    )
    assert run.sightings == run.listings == ()
    captures = {one.item_id: one for one in run.captures}
    assert (captures["1"].state, captures["1"].cause, captures["1"].view) == ("up", "flag:7", True)
    assert (captures["2"].state, captures["2"].reason, captures["2"].view) == ("gone", "gone_marker", True)

    pictures = {one.url.removeprefix(f"http://{host}"): (one.sha256, one.problem) for one in run.pictures}
    sha256 = hashlib.sha256(png()).hexdigest()
    assert pictures == {
        "/a.png": (sha256, None),
        "/same.png": (sha256, None),
        "/private/b.png": (None, "robots_disallowed"),
        "/page.html": (None, "no_picture"),
        guest: (None, "off_platform"),
    }
    assert [path.name for path in pictures_dir(run.path).iterdir()] == [sha256]
    assert "/private/b.png" not in hits

    page = captures["1"].evidence.partition("#")[2]
    beside = {
        one.uri.partition(shop.home)[0]: one for one in warc.beside(run.path / "evidence/pages.warc.gz", page)
    }
    assert set(beside) == {"", "urn:view:", "urn:pageinfo:"}
    assert "…</h1>" in beside[""].payload.decode()  # as the server sent it
    assert "医用雾化器 家用</h1>" in warc.find(run.path / "evidence/pages.warc.gz", page).payload.decode()
    view = Image.open(io.BytesIO(beside["urn:view:"].payload))
    assert view.format == "PNG"
    assert view.width == 1280
    assert view.height > 3000
    assert RED in {colour for _, colour in view.convert("RGB").getcolors(1 << 24)}
    assert len(read_strictly(run.path / "evidence/pages.warc.gz")) == 1 + 2 * 4
    assert json.loads(beside["urn:pageinfo:"].payload)["dom"] == f"<{page}>"
