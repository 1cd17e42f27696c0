"""What a crawl keeps can be indexed and replayed by the tool that archives use, byte for byte."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager

import httpx
from playwright.sync_api import Page, sync_playwright

from crawlers.browser import chromium
from crawlers.rundir import RunKind, Target
from takedowns.sample_market.client import RunningMarket
from takedowns.sample_market.modes import Mode
from tests.crawlers.strictwarc import Strict, read_strictly

FILE = "evidence/pages.warc.gz"
MODES = (Mode.UP, Mode.HTTP_404, Mode.HTTP_410, Mode.SOFT_404, Mode.REDIRECT_HOME, Mode.CAPTCHA_404)
REPLAYED = ("response", "resource")


@contextmanager
def stocked(market: RunningMarket, theme: str, modes: tuple[Mode, ...]) -> Iterator[tuple[Target, ...]]:
    """One listing of ``theme`` in each of ``modes``; up again afterwards."""
    rows = [row for row in market.truth()["listings"] if row["theme"] == theme][: len(modes)]
    for row, mode in zip(rows, modes, strict=True):
        market.set_mode(row["item_id"], mode)
    try:
        yield tuple(Target(item_id=row["item_id"], url=market.base_url + row["path"]) for row in rows)
    finally:
        for row in rows:
            market.set_mode(row["item_id"], Mode.UP)


@contextmanager
def browser_page() -> Iterator[Page]:
    with sync_playwright() as playwright:
        options = {"args": ["--no-sandbox"]} if os.geteuid() == 0 else {}
        browser = playwright.chromium.launch(executable_path=str(chromium()), **options)
        yield browser.new_page()
        browser.close()


def status(record: Strict) -> int:
    """A resource has no status of its own; tools replay it as found."""
    return record.http[0] if record.kind == "response" else 200


def media_type(record: Strict) -> str:
    given = record.http[1] if record.kind == "response" else record.fields
    return given["content-type"].partition(";")[0]


def test_pages_over_http_are_replayed_as_they_were_sent(market, shipped, crawl, archived):
    platform = shipped["sample"].model_copy(update={"home": market.base_url})
    with stocked(market, "mall", MODES) as targets:
        run = crawl(platform, targets=targets)
        sent = {target.url: httpx.get(target.url, trust_env=False) for target in targets}
    records = [one for one in read_strictly(run.path / FILE) if one.kind in REPLAYED]
    archive = archived(run.path / FILE)
    assert len(archive.index) == len(records) == len(targets) + 2, "the canary pair is kept as well"
    for record in records:
        replayed = archive.get(record)
        assert (replayed.status_code, replayed.content) == (status(record), record.payload), record.uri
        assert replayed.headers["content-type"].partition(";")[0] == media_type(record)
        if (asked := sent.get(record.uri)) is not None:  # one page was reached by a redirect
            assert (replayed.status_code, replayed.content) == (asked.status_code, asked.content)
    assert len(sent.keys() & {record.uri for record in records}) == len(MODES) - 1


def test_a_page_drawn_by_scripts_is_replayed_as_sent_as_drawn_and_as_photographed(
    market, shipped, crawl, archived
):
    platform = shipped["sample-js"].model_copy(update={"home": market.base_url})
    with stocked(market, "live", (Mode.UP,)) as targets:
        run = crawl(platform, RunKind.CAPTURE, targets=targets)
    records = [one for one in read_strictly(run.path / FILE) if one.kind in REPLAYED]
    archive = archived(run.path / FILE)
    assert len(archive.index) == len(records)
    for record in records:
        replayed = archive.get(record)
        assert (replayed.status_code, replayed.content) == (status(record), record.payload), record.uri
    drawn = {one.uri.removesuffix(targets[0].url): archive.get(one) for one in records}
    (title,) = (row["title"] for row in market.truth()["listings"] if row["path"] in targets[0].url)
    assert title in drawn["urn:dom:"].text
    assert title not in drawn[""].text
    assert drawn["urn:view:"].content.startswith(b"\x89PNG")


def test_a_person_sees_the_archived_page_in_a_browser_and_nothing_is_asked_of_the_market(
    market, shipped, crawl, archived
):
    platform = shipped["sample"].model_copy(update={"home": market.base_url})
    with stocked(market, "mall", (Mode.UP,)) as targets:
        run = crawl(platform, targets=targets)
    (title,) = {sighting.listing.title for sighting in run.sightings}
    archive = archived(run.path / FILE)
    (record,) = (one for one in read_strictly(run.path / FILE) if one.uri == targets[0].url)
    with browser_page() as page:
        asked: list[str] = []
        page.on("request", lambda request: asked.append(request.url))
        page.goto(archive.address(record))
        assert page.frame_locator("iframe").locator("h1.title").inner_text() == title
    assert [url for url in asked if not url.startswith((archive.home, "data:", "blob:"))] == []
