"""Short links are opened on request, hop by hop, and never further than to a listing's address."""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from typer.testing import CliRunner

from crawlers.answer import Answer
from crawlers.links import Link, LinkProblem, Unrecognised
from crawlers.platforms import Platform
from takedowns import configuration
from takedowns.cli import app
from takedowns.context import Context
from takedowns.imports import short_links
from takedowns.imports.short_links import HOPS_AT_MOST, UnopenedError, leads_to, opened
from takedowns.ledger.engine import Ledger
from takedowns.settings import Settings
from tests.crawlers.shop import Page, Shop, shop_profile


@pytest.fixture
def shop() -> Iterator[Shop]:
    running = Shop()
    yield running
    running.close()


PROFILE = """name: corner
title: 街角
title_en: Corner shop
verified: false
road: import
hosts: [{host}]
short_links: ['^http://{host}/s/']
listing_url: {{match: '^https?://[^/]+/item/(?P<id>\\d+)', canonical: "http://{host}/item/{{id}}.html"}}
lead: {{channel: manual, recipient: 柜台}}
"""


@pytest.mark.parametrize(("options", "code", "item_id"), [(["--resolve"], 0, "42"), ([], 3, None)])
def test_the_command_line_opens_short_links_only_when_it_is_told_to(
    shop: Shop, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, options: list[str], code: int, item_id: str
) -> None:
    shop.pages["/s/Ab1"] = redirect("/item/42.html")
    host = shop.home.removeprefix("http://")
    (tmp_path / "config/platforms").mkdir(parents=True)
    shutil.copy(configuration.SHIPPED / "vapewatch.yml", tmp_path / "config")
    (tmp_path / "config/platforms/corner.yml").write_text(PROFILE.format(host=host), encoding="utf-8")
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("VAPEWATCH_CONFIG", "config")
    ended = CliRunner().invoke(app, ["add", f"{shop.home}/s/Ab1", "--json", *options])
    assert ended.exit_code == code, ended.output
    (row,) = json.loads(ended.stdout)
    assert (row["platform"], row["item_id"]) == ("corner", item_id)
    assert bool(shop.hits) is bool(options)


@pytest.fixture
def bureau(shop: Shop, sqlite_ledger: Ledger, settings: Settings, tmp_path: Path) -> Context:
    """A bureau that knows the shop as a platform that is not crawled, with short links of its own."""
    known = shop_profile(
        shop.home,
        road="import",
        hosts=[shop.home.removeprefix("http://")],
        short_links=[rf"^{shop.home}/s/"],
    )
    here = settings.model_copy(update={"var": tmp_path / "var"})
    (tmp_path / "panels").mkdir()
    return Context(tmp_path, here, {known.name: known, "other": other()}, sqlite_ledger)


def other() -> Platform:
    return shop_profile(
        name="other",
        road="import",
        home=None,
        hosts=["mall.example"],
        listing_url={
            "match": r"^https://mall\.example/i/(?P<id>\d+)",
            "canonical": "https://mall.example/i/{id}",
        },
    )


def redirect(to: str) -> Page:
    return Page("", 302, {"Location": to})


def test_a_redirect_to_a_listing_is_enough_and_the_listing_is_not_asked_for(
    bureau: Context, shop: Shop
) -> None:
    shop.pages["/s/Ab1"] = redirect("/item/42.html?from=share")
    text = opened(bureau, f"看看「雾化棒」{shop.home}/s/Ab1 好货")
    assert text == f"看看「雾化棒」{shop.home}/item/42.html 好货"
    assert shop.hits == {"/robots.txt": 1, "/s/Ab1": 1}
    assert all(agent.startswith("Vapewatch/") for agent in shop.agents)


def test_a_short_link_may_lead_to_another_and_to_another_platform(bureau: Context, shop: Shop) -> None:
    shop.pages |= {"/s/a": redirect("/s/b"), "/s/b": redirect("https://mall.example/i/7?x=1")}
    assert opened(bureau, f"{shop.home}/s/a") == "https://mall.example/i/7"


SCRIPT = (
    "<script>var url = 'https://mall.example/i/7?a=1&amp;b=2'; var home = 'https://cdn.example/'</script>"
)


def test_a_page_that_names_one_listing_leads_there_and_one_that_names_two_nowhere(bureau: Context) -> None:
    for more, item_id in (("", "7"), ("<a href='https://mall.example/i/8'>x</a>", None)):
        answer = Answer("https://s.example/a", "https://s.example/a", 200, (SCRIPT + more).encode())
        there = leads_to(answer, bureau.platforms.values())
        assert (there.item_id if isinstance(there, Link) else None) == item_id


@pytest.mark.parametrize(
    "place",
    [
        "http://10.0.0.1/item/1.html",
        "http://169.254.169.254/latest/meta-data",
        "https://evil.example/item/1.html",
        "https://mall.example@evil.example/i/7",
        "file:///etc/passwd",
        "javascript:alert(1)",
        "http://[",
    ],
)
def test_a_redirect_to_a_stranger_leads_to_no_listing(bureau: Context, place: str) -> None:
    answer = Answer("https://s.example/a", "https://s.example/a", 302, b"", {"location": place})
    there = leads_to(answer, bureau.platforms.values())
    assert isinstance(there, Unrecognised)
    assert there.problem is not LinkProblem.SHORT_LINK


def test_nobody_else_is_asked_where_a_short_link_points_inwards(bureau: Context, shop: Shop) -> None:
    shop.pages["/s/a"] = redirect("http://10.0.0.1/item/1.html")
    with pytest.raises(UnopenedError, match="no known listing"):
        opened(bureau, f"{shop.home}/s/a")
    assert shop.hits == {"/robots.txt": 1, "/s/a": 1}


def test_an_endless_chain_is_bounded(bureau: Context, monkeypatch: pytest.MonkeyPatch, shop: Shop) -> None:
    monkeypatch.setattr(short_links, "HOPS_AT_MOST", 2)
    shop.pages |= {"/s/a": redirect("/s/b"), "/s/b": redirect("/s/c"), "/s/c": redirect("/s/a")}
    with pytest.raises(UnopenedError, match="on and on"):
        opened(bureau, f"{shop.home}/s/a")
    assert shop.hits["/s/a"] + shop.hits["/s/b"] + shop.hits["/s/c"] == 2
    assert HOPS_AT_MOST <= 5


def test_robots_txt_is_obeyed_here_too(bureau: Context, shop: Shop) -> None:
    shop.pages["/robots.txt"] = Page("User-agent: *\nDisallow: /s/", headers={"Content-Type": "text/plain"})
    with pytest.raises(UnopenedError, match="robots_disallowed"):
        opened(bureau, f"{shop.home}/s/a")
    assert shop.hits == {"/robots.txt": 1}


@pytest.mark.parametrize("text", ["没有链接", "https://mall.example/i/7", "https://unknown.example/s/1"])
def test_what_is_no_short_link_is_left_as_it_is_and_asked_of_nobody(
    bureau: Context, shop: Shop, text: str
) -> None:
    assert opened(bureau, text) == text
    assert not shop.hits


def test_a_short_link_from_outside_cannot_lead_to_this_machine(
    bureau: Context, shop: Shop, monkeypatch: pytest.MonkeyPatch
) -> None:
    away = bureau.platforms["other"].model_copy(update={"short_links": (r"^https://s\.example/",)})
    bureau.platforms["other"] = away
    shop.pages["/s/a"] = redirect("/item/1.html")
    ask = short_links._ask

    def from_outside(context, found):
        return ask(context, Unrecognised(found.problem, f"{shop.home}/s/a", "corner"))

    monkeypatch.setattr(short_links, "_ask", from_outside)
    with pytest.raises(UnopenedError, match="this very machine"):
        opened(bureau, "https://s.example/x")
