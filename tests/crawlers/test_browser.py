"""Chromium is kept on a short lead: only the platform's hosts, no pictures, no guests."""

from __future__ import annotations

import threading
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from crawlers import browser
from crawlers.rundir import RunKind
from tests.crawlers.shop import Page, Shop, item_html, shop_profile, targets, verdicts

SCRIPTED = """<div id="app"></div><img src="/photo.png"><link rel="stylesheet" href="/style.css">
<script>setTimeout(() => { document.getElementById("app").innerHTML =
'<h1 class="title">雾化器</h1><button class="add-cart">买</button>' }, 200)</script>"""


@pytest.fixture
def scripted(shop):
    return shop_profile(shop.home, render="browser", render_reason="content rendered by JavaScript only")


@pytest.fixture
def neighbour():
    """Another server of this machine, which no page may reach through our browser."""
    hits: list[str] = []

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            hits.append(self.path)
            self.send_response(200)
            self.end_headers()

        def log_message(self, *arguments: object) -> None:
            """Tests are quiet."""

    server = ThreadingHTTPServer(("127.0.0.2", 0), Handler)
    threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True).start()
    yield f"http://127.0.0.2:{server.server_port}", hits
    server.shutdown()
    server.server_close()


def test_a_scripted_page_is_read_and_nothing_else_is_fetched(shop, scripted, crawl, neighbour):
    address, guests = neighbour
    shop.pages["/item/1.html"] = Page(SCRIPTED + f'<iframe src="{address}/frame"></iframe>')
    shop.pages["/item/2.html"] = Page("", 302, {"Location": f"{address}/redirected"})
    shop.pages["/item/3.html"] = Page(f'<script>location.href = "{address}/scripted"</script>')
    shop.pages["/item/4.html"] = Page('<script>location.href = "/"</script>')
    shop.pages["/"] = Page("<h1>欢迎</h1>")
    run = crawl(scripted, targets=targets(shop.home, "1", "2", "3", "4"), timeout_s=10)
    found = verdicts(run)
    assert found["1"] == ("up", "alive")
    assert found["4"] == ("gone", "redirect_elsewhere")
    assert {found["2"][0], found["3"][0]} == {"error"}
    assert guests == []
    assert shop.hits["/photo.png"] == shop.hits["/style.css"] == 0
    assert {agent.split("/")[0] for agent in shop.agents} == {"Vapewatch"}


def test_the_operator_may_name_the_browser(monkeypatch, tmp_path):
    chosen = tmp_path / "chromium"
    chosen.touch()
    monkeypatch.setenv("VAPEWATCH_CHROMIUM", str(chosen))
    assert browser.chromium() == chosen
    chosen.unlink()
    with pytest.raises(FileNotFoundError, match="VAPEWATCH_CHROMIUM"):
        browser.chromium()


def test_playwrights_own_browser_is_preferred_to_the_distributions(monkeypatch, tmp_path):
    own = tmp_path / "chromium-1234" / "chrome-linux" / "chrome"
    own.parent.mkdir(parents=True)
    own.touch()
    monkeypatch.delenv("VAPEWATCH_CHROMIUM", raising=False)
    monkeypatch.setenv("PLAYWRIGHT_BROWSERS_PATH", str(tmp_path))
    assert browser.chromium() == own


@pytest.mark.parametrize(("user", "sandboxed"), [(0, False), (1000, True)])
def test_only_root_goes_without_the_sandbox(monkeypatch, user, sandboxed):
    monkeypatch.setattr(browser, "chromium", lambda: Path("/chromium"))
    monkeypatch.setattr("os.geteuid", lambda: user)
    assert browser.launch_options(shop_profile())["chromium_sandbox"] is sandboxed


@dataclass
class Frame:
    url: str


@dataclass
class Asked:
    url: str
    resource_type: str
    frame: Frame
    navigation: bool = False

    def is_navigation_request(self) -> bool:
        return self.navigation


@pytest.mark.parametrize(
    ("asked", "unneeded"),
    [
        (Asked("http://a.example/x.js", "script", Frame("http://a.example/")), False),
        (Asked("http://a.example/api", "fetch", Frame("http://a.example/")), False),
        (Asked("http://b.example/x.js", "script", Frame("http://a.example/")), True),
        (Asked("http://a.example/x.png", "image", Frame("http://a.example/")), True),
        (Asked("http://a.example/", "document", Frame("about:blank"), navigation=True), False),
    ],
)
def test_only_the_pages_own_scripts_and_data_are_needed(asked, unneeded):
    assert browser.is_unneeded(asked) is unneeded


PRIVATE = "User-agent: *\nDisallow: /private/\n"
HOME = Page("<h1>欢迎</h1>")


def led_astray(shop):
    """A script and a server that lead into a path that robots.txt closes, and a script that does not."""
    shop.pages |= {
        "/robots.txt": Page(PRIVATE, headers={"Content-Type": "text/plain"}),
        "/": HOME,
        "/private/1.html": Page(item_html()),
        "/item/scripted.html": Page(item_html() + '<script>location.href = "/private/1.html"</script>'),
        "/item/late.html": Page(
            item_html() + '<script>setTimeout(() => location.replace("/private/1.html"), 50)</script>'
        ),
        "/item/sent.html": Page("", 302, {"Location": "/private/1.html"}),
        "/item/open.html": Page('<script>location.href = "/"</script>'),
    }
    return targets(shop.home, "scripted", "late", "sent", "open")


def test_no_script_leads_the_browser_where_robots_txt_forbids(shop, scripted, crawl):
    scripted_ones = [target for target in led_astray(shop) if target.item_id != "sent"]
    run = crawl(scripted, targets=scripted_ones, timeout_s=10)
    assert shop.hits["/private/1.html"] == 0
    found = verdicts(run)
    assert found["scripted"] == ("error", "robots_disallowed")
    assert found["open"] == ("gone", "redirect_elsewhere")


def test_what_a_server_led_the_browser_to_against_robots_txt_is_neither_judged_nor_kept(
    shop, scripted, crawl
):
    sent = [target for target in led_astray(shop) if target.item_id == "sent"]
    run = crawl(scripted, targets=sent, timeout_s=10)
    assert verdicts(run) == {"sent": ("error", "robots_disallowed")}
    assert run.sightings[0].evidence is None
    assert shop.hits["/private/1.html"] == 1, "Chromium follows by itself; docs/evidence.md says so"


def test_a_capture_obeys_robots_txt_in_the_browser_as_well(shop, profile, crawl):
    wanted = [target for target in led_astray(shop) if target.item_id in {"scripted", "sent"}]
    run = crawl(profile, RunKind.CAPTURE, targets=wanted, timeout_s=10)
    assert {capture.reason for capture in run.captures} == {"robots_disallowed"}
    assert not any(capture.view for capture in run.captures)
    assert shop.hits["/private/1.html"] == 1, "the server's redirect"


def test_a_closed_login_page_that_a_script_leads_to_is_a_wall(shop, scripted, crawl):
    shop.pages |= {
        "/robots.txt": Page("User-agent: *\nDisallow: /login\n", headers={"Content-Type": "text/plain"}),
        "/item/1.html": Page('<script>location.href = "/login?next=1"</script>'),
    }
    run = crawl(scripted, targets=targets(shop.home, "1"), timeout_s=10)
    assert verdicts(run) == {"1": ("blocked", "login_wall")}
    assert shop.hits["/login"] == 0


def test_another_host_of_the_platform_is_asked_for_its_own_robots_txt(shop, crawl):
    other = Shop()
    try:
        other.pages = {
            "/robots.txt": Page(PRIVATE, headers={"Content-Type": "text/plain"}),
            "/private/x": HOME,
        }
        shop.pages["/item/1.html"] = Page(f'<script>location.href = "{other.home}/private/x"</script>')
        both = shop_profile(
            shop.home,
            hosts=[other.home.removeprefix("http://")],
            render="browser",
            render_reason="content rendered by JavaScript only",
        )
        run = crawl(both, targets=targets(shop.home, "1"), timeout_s=10)
        assert verdicts(run) == {"1": ("error", "robots_disallowed")}
        assert other.hits == {"/robots.txt": 1}
    finally:
        other.close()
