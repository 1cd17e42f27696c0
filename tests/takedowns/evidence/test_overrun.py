"""A capture that hangs is ended with its browser; a picture that never comes spoils no screenshot."""

from __future__ import annotations

import os
import time
from pathlib import Path

import pytest

from crawlers.browser import chromium
from crawlers.rundir import CrawlJob, RunKind
from takedowns.crawling.crawl import crawl
from takedowns.settings import Crawl
from tests.crawlers.shop import Page, Shop, item_html, shop_profile, targets


@pytest.fixture
def shop():
    running = Shop()
    yield running
    running.close()


@pytest.fixture
def mark(tmp_path, monkeypatch):
    """A switch that our Chromium is started with, and no other one on this machine."""
    mark = f"--started-by={tmp_path.name}"
    program = tmp_path / "chromium"
    program.write_text(f'#!/bin/sh\nexec {chromium()} {mark} "$@"\n')
    program.chmod(0o755)
    monkeypatch.setenv("VAPEWATCH_CHROMIUM", str(program))
    return mark


def browsers(mark: str) -> list[int]:
    found = []
    for process in Path("/proc").glob("[0-9]*"):
        try:
            if os.fsencode(mark) in (process / "cmdline").read_bytes():
                found.append(int(process.name))
        except OSError:
            continue  # it ended meanwhile
    return found


def job(shop: Shop) -> CrawlJob:
    return CrawlJob(
        run_id="r1",
        kind=RunKind.CAPTURE,
        platform=shop_profile(shop.home),
        targets=targets(shop.home, "1"),
        contact="ops@bureau.example",
    )


def test_a_capture_that_overruns_takes_its_browser_with_it(shop, mark, tmp_path):
    shop.pages["/item/1.html"] = Page("<p>", stall_s=60)
    seen: set[int] = set()
    limits = Crawl(wall_clock_minutes=0.15, grace_seconds=0.2)
    run = crawl(job(shop), tmp_path, limits, lambda _: seen.update(browsers(mark)))
    assert seen, "the browser was never started"
    assert run.stats is None
    until = time.monotonic() + 10  # it learns from its broken pipe that the crawler is gone
    while browsers(mark) and time.monotonic() < until:
        time.sleep(0.1)
    assert browsers(mark) == []


def test_a_picture_that_never_comes_spoils_no_screenshot(shop, mark, tmp_path):
    shop.pages["/item/1.html"] = Page(item_html() + '<img src="/endless.png">')
    shop.pages["/endless.png"] = Page(b"\x89PNG\r\n", headers={"Content-Type": "image/png"}, stall_s=60)
    run = crawl(job(shop), tmp_path, Crawl(wall_clock_minutes=1))
    assert [(one.state, one.view) for one in run.captures] == [("up", True)]
    assert browsers(mark) == []
