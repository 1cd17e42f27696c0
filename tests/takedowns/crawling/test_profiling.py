"""Profiles checked, drafted and tried on a running shop, by the commands that people use."""

from __future__ import annotations

import inspect
import json
import re
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
import sqlalchemy as sa
from click.testing import Result
from typer.testing import CliRunner

from crawlers import checking, saved_pages, scrubbing
from crawlers.drafting import draft as drafting
from takedowns import configuration
from takedowns.cli import app
from takedowns.cli.platform_words import FIELDS, LACKING, NOTES, SCRUBBED
from takedowns.ledger.engine import open_ledger
from takedowns.ledger.tables import CrawlRun, Listing
from tests.crawlers.shop import Page, Shop

PROFILE = """name: corner
title: 街角
title_en: Corner shop
verified: false
road: page
home: {home}
listing_url: {{match: '^https?://[^/]+/item/(?P<id>[\\w-]+)\\.html', canonical: "{{home}}/item/{{id}}.html"}}
currency: CNY
search: {{url: "{{home}}/search?q={{term}}&page={{page}}", pages: 1, item_links: a.hit, terms: [雾化]}}
fields:
  title: {{css: h1.title}}
  price: {{css: .price}}
  seller: {{css: .seller, required: true}}
presence:
  alive: [{{css: button.add-cart}}]
  gone: [{{css: .notice, text: 不存在}}]
canary: {{alive: "{{home}}/item/1.html", absent: "{{home}}/item/0.html"}}
politeness: {{delay_s: 0}}
lead: {{channel: manual, recipient: 柜台}}
"""
LISTING = (
    '<html lang="zh"><title>蓝莓雾化棒</title><h1 class="title">蓝莓雾化棒</h1><p class="price">¥39.90</p>'
    '<a class="seller">云上小店</a><button class="add-cart">加入购物车</button></html>'
)
GONE = Page('<h1>街角</h1><p class="notice">商品不存在</p>')
WALL = Page('<title>安全验证</title><form id="challenge-form"></form>')
HITS = "".join(f'<a class="hit" href="/item/{number}.html">货</a>' for number in (1, 2, 3))


@pytest.fixture
def shop() -> Iterator[Shop]:
    running = Shop()
    running.pages |= {
        "/search": Page(f"<body>{HITS}<a href='/search?q=雾化&page=2'>2</a></body>"),
        "/item/1.html": Page(LISTING),
        "/item/0.html": GONE,
        "/item/999999999999.html": GONE,
    }
    yield running
    running.close()


@pytest.fixture
def home(tmp_path: Path, shop: Shop, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A working folder with the profile of the shop and of a platform that is not crawled."""
    config = tmp_path / "config"
    (config / "platforms").mkdir(parents=True)
    shutil.copy(configuration.SHIPPED / "vapewatch.yml", config)
    shutil.copy(configuration.SHIPPED / "platforms/jd.yml", config / "platforms")
    (config / "platforms/corner.yml").write_text(PROFILE.format(home=shop.home), encoding="utf-8")
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("VAPEWATCH_CONFIG", str(config))
    return tmp_path


def vapewatch(*arguments: str) -> Result:
    return CliRunner().invoke(app, ["platforms", *arguments])


def test_every_code_that_people_are_told_has_words() -> None:
    source = inspect.getsource(drafting)
    told = set(re.findall(r'notes\.append\("(\w+)"\)', source)) | {"absence_unknown"}
    told |= {f"no_{name}" for name in ("title", "price", "seller", "images")}
    assert told | {"one_term_only", "recipient_missing"} == NOTES.keys()
    assert set(drafting.NEEDED) == LACKING.keys()
    assert SCRUBBED.keys() == {*scrubbing.MASKS, "header", "script", "buyer", "form_value", "name", "token"}
    assert FIELDS.keys() == set(checking.SHOWN)


def checked(*arguments: str) -> tuple[int, dict]:
    ended = vapewatch("check", "corner", "--json", *arguments)
    return ended.exit_code, json.loads(ended.stdout)


def test_a_check_tells_field_by_field_what_the_canary_gives_and_takes_nothing_in(home: Path) -> None:
    code, told = checked()
    assert code == 0
    alive, absent = told["pages"]
    assert (alive["state"], alive["as_expected"], alive["signs"]) == ("up", True, ["alive button.add-cart"])
    assert alive["fields"]["title"] == {"value": "蓝莓雾化棒", "source": "profile", "wanted": True}
    assert alive["fields"]["seller_id"]["source"] == "default"
    assert (absent["state"], absent["reason"]) == ("gone", "gone_marker")
    ledger = open_ledger(configuration.settings(home / "config").ledger)
    with ledger.read() as session:
        run = session.scalars(sa.select(CrawlRun)).one()
        assert (run.kind, run.platform, run.requests) == ("look", "corner", 3)  # with robots.txt
        assert session.scalars(sa.select(Listing)).all() == []
    ledger.close()


def test_a_check_is_read_in_two_languages_and_steers_no_terminal(home: Path, shop: Shop) -> None:
    shop.pages["/item/1.html"] = Page(LISTING.replace("云上小店", "\x1b[31m\u202e店"))
    ended = vapewatch("check", "corner")
    assert "应为在架 must be up" in ended.stdout
    assert "标题 title: 蓝莓雾化棒  [profile]" in ended.stdout
    assert "店铺链接 seller_url: — 没有 missing" in ended.stdout
    assert not {"\x1b", "\u202e"} & set(ended.output)


@pytest.mark.parametrize(
    ("path", "page", "code"),
    [
        ("/item/1.html", GONE, 1),
        ("/item/0.html", Page(LISTING), 1),
        ("/item/1.html", WALL, 3),
        ("/item/1.html", Page(LISTING.replace("云上小店", "")), 3),
    ],
)
def test_the_exit_code_tells_a_wrong_profile_from_a_wall_and_a_missing_field(
    home: Path, shop: Shop, path: str, page: Page, code: int
) -> None:
    shop.pages[path] = page
    assert checked()[0] == code


@pytest.mark.parametrize(
    "arguments",
    [
        ("check", "jd"),
        ("check", "corner", "--url", "https://evil.example/item/1.html"),
        ("snap", "corner", "file:///etc/passwd", "alive"),
        ("new", "file:///etc/passwd", "javascript:1", "--name", "other"),
        ("snap", "jd", "https://item.jd.com/1.html", "alive"),
        ("snap", "corner", "http://127.0.0.1:1/item/1.html", "../x"),
        ("new", "https://search.jd.com/?q=1", "https://item.jd.com/1.html", "--name", "other"),
        ("new", "https://corner.example/?q=1", "https://corner.example/1.html"),
    ],
)
def test_what_is_not_crawled_or_would_overwrite_is_a_usage_error(
    home: Path, arguments: tuple[str, ...]
) -> None:
    assert vapewatch(*arguments).exit_code == 2
    assert sorted(path.name for path in (home / "config/platforms").iterdir()) == ["corner.yml", "jd.yml"]


def drafted(shop: Shop, *options: str) -> Result:
    return vapewatch(
        "new", f"{shop.home}/search?q=雾化&page=1", f"{shop.home}/item/1.html", "--name", "fresh", *options
    )


def test_a_draft_is_shown_with_what_it_reads_and_saved_only_when_asked(home: Path, shop: Shop) -> None:
    ended = drafted(shop)
    assert ended.exit_code == 0, ended.output
    assert "verified: false" in ended.stdout
    assert "价格 price: 39.90  [profile]" in ended.stdout
    assert not (home / "config/platforms/fresh.yml").exists()


def test_a_saved_draft_loads_and_is_never_overwritten(home: Path, shop: Shop) -> None:
    ended = drafted(shop, "--save", "--json")
    assert ended.exit_code == 0, ended.output
    path = home / "config/platforms/fresh.yml"
    profile = configuration.platform_at(path)
    assert profile.verified is False
    assert profile.presence.gone[0].css == "p.notice"
    before = path.read_bytes()
    assert drafted(shop, "--save").exit_code == 2
    assert path.read_bytes() == before


def test_a_wall_and_a_closed_robots_txt_give_no_draft(home: Path, shop: Shop) -> None:
    shop.pages["/item/1.html"] = WALL
    assert drafted(shop, "--save").exit_code == 3
    shop.pages["/robots.txt"] = Page("User-agent: *\nDisallow: /", headers={"Content-Type": "text/plain"})
    ended = drafted(shop, "--save")
    assert ended.exit_code == 1
    assert "robots_disallowed" in ended.stderr
    assert not (home / "config/platforms/fresh.yml").exists()


def test_a_page_that_needs_a_browser_says_so(home: Path, shop: Shop) -> None:
    shop.pages["/item/1.html"] = Page("<body><div id='root'></div><script src='/app.js'></script></body>")
    ended = drafted(shop, "--save")
    assert ended.exit_code == 1
    assert "--browser" in ended.stderr


def test_a_snapped_page_is_a_test_case_without_personal_data(home: Path, shop: Shop) -> None:
    body = LISTING + '<div class="reviews">王小丽 13912345678</div>'
    shop.pages["/item/1.html"] = Page(body, headers={"Set-Cookie": "session=1"})
    ended = vapewatch("snap", "corner", f"{shop.home}/item/1.html", "alive", "--json")
    assert ended.exit_code == 0, ended.output
    saved = saved_pages.load(home / "tests/pages/corner/alive")
    assert (saved.expected.state, saved.expected.listing["title"]) == ("up", "蓝莓雾化棒")
    assert "139" not in saved.answer.html
    assert "王小丽" not in saved.answer.html
    assert saved.answer.headers == {"content-type": "text/html; charset=utf-8"}
    again = vapewatch("snap", "corner", f"{shop.home}/item/1.html", "alive")
    assert isinstance(again.exception, FileExistsError)
