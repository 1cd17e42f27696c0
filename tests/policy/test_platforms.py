"""What is promised of every platform: pages that it was tried on, and an honest line in the documentation."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from crawlers import saved_pages
from crawlers.listing import Presence
from crawlers.platforms import Platform
from crawlers.politeness import is_loopback
from takedowns import configuration

ROOT = Path(__file__).parents[2]
PAGES = ROOT / "tests/pages"
PROFILES = configuration.platforms(ROOT / "config")
NEEDED = {"alive": Presence.UP, "gone": Presence.GONE, "blocked": Presence.BLOCKED}
MANUAL = (ROOT / "docs/platforms.md").read_text(encoding="utf-8")
ROW = re.compile(r"^\| `([\w-]+)` \| (.+) \| (page|api|import) \| (.+) \|$", re.M)


def lacking(pages: Path) -> set[str]:
    """The cases that a platform's saved pages do not show."""
    shown = {folder.parent.name for folder in pages.glob("*/expected.json")}
    states = {case: saved_pages.load(pages / case).expected.state for case in NEEDED.keys() & shown}
    return {case for case, state in NEEDED.items() if states.get(case) is not state}


@pytest.mark.parametrize("name", [name for name, profile in PROFILES.items() if profile.road == "page"])
def test_a_platform_whose_pages_are_crawled_was_tried_on_alive_gone_and_blocked_ones(name: str) -> None:
    assert lacking(PAGES / name) == set()


def test_a_platform_without_pages_does_not_pass(tmp_path: Path) -> None:
    assert lacking(tmp_path) == set(NEEDED)
    (tmp_path / "gone").symlink_to(PAGES / "sample/alive")
    assert lacking(tmp_path) == set(NEEDED)


def row(profile: Platform) -> tuple[str, str, str, str]:
    title = profile.title if profile.title == profile.title_en else f"{profile.title} {profile.title_en}"
    return profile.name, title, profile.road, "verified" if profile.verified else "unverified"


def test_the_table_of_shipped_profiles_is_true() -> None:
    assert ROW.findall(MANUAL) == [row(profile) for _, profile in sorted(PROFILES.items())]


def test_nothing_is_called_verified_that_could_not_be_tried_here() -> None:
    verified = {name for name, profile in PROFILES.items() if profile.verified}
    assert verified == {name for name in verified if is_loopback(PROFILES[name].home or "")}


def test_what_nobody_has_confirmed_is_marked_where_it_is_written() -> None:
    for path in (ROOT / "config/platforms").glob("*.yml"):
        profile = PROFILES[path.stem]
        if profile.road == "import":
            assert "Not yet tried on the real platform." in path.read_text(encoding="utf-8"), path
