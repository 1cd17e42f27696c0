"""Walls are detected, never got around: no library and no setting for it may enter the repository."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
LIBRARIES = (
    "2captcha",
    "anticaptcha",
    "botright",
    "brightdata",
    "camoufox",
    "capsolver",
    "cloudscraper",
    "crawlera",
    "curl-cffi",
    "curl_cffi",
    "ddddocr",
    "fake-useragent",
    "fake_useragent",
    "flaresolverr",
    "nodriver",
    "nopecha",
    "patchright",
    "random-useragent",
    "rebrowser",
    "rotating-proxies",
    "scraperapi",
    "scrapingbee",
    "scrapoxy",
    "scrapy-fake-useragent",
    "scrapy-proxies",
    "scrapy-user-agents",
    "stealth",
    "tls-client",
    "torrequest",
    "undetected",
    "zendriver",
    "zyte-smartproxy",
)
PINNED = re.compile(r"^([A-Za-z0-9_.-]+)", re.M)
SETTINGS = re.compile(
    r"ROTATING_PROXY|PROXY_POOL|PROXY_LIST|USER_AGENTS\b|USER_AGENT_LIST|FAKEUSERAGENT|meta\[.proxy.\]|"
    r"[\"']proxy[\"']\s*:|--proxy-server|AutomationControlled|navigator\.webdriver|captcha_?solv",
    re.I,
)


@pytest.mark.parametrize("name", ["requirements.lock", "requirements-dev.lock"])
def test_no_evasion_library_is_locked(name: str) -> None:
    locked = {found.lower() for found in PINNED.findall((ROOT / name).read_text())}
    assert len(locked) > 20
    assert [
        found for found in locked if any(library in found for library in LIBRARIES if library != "stem")
    ] == []
    assert "stem" not in locked


def test_no_evasion_library_is_asked_for() -> None:
    text = (ROOT / "pyproject.toml").read_text()
    asked = {found.lower() for found in re.findall(r'^\s*"([A-Za-z0-9_.-]+)', text, re.M)}
    assert "scrapy" in asked
    assert [found for found in asked if any(library in found for library in LIBRARIES)] == []


@pytest.mark.parametrize("folder", ["crawlers", "config", "takedowns"])
def test_no_setting_hides_who_asks(folder: str) -> None:
    files = [path for path in (ROOT / folder).rglob("*") if path.suffix in {".py", ".yml", ".toml", ".json"}]
    assert files
    assert [str(path) for path in files if SETTINGS.search(path.read_text(encoding="utf-8"))] == []


def test_the_patterns_find_what_they_are_for() -> None:
    for line in (
        "ROTATING_PROXY_LIST = []",
        'request.meta["proxy"] = x',
        "--proxy-server=1",
        "USER_AGENTS = []",
    ):
        assert SETTINGS.search(line)
    assert any(library in "undetected-chromedriver" for library in LIBRARIES)
