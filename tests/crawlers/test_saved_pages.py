"""Every saved page under ``tests/pages`` gets the verdict, and gives the fields, that stand beside it."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pytest

from classifiers import yamlfile
from crawlers import saved_pages
from crawlers.answer import Answer
from crawlers.listing import Presence
from crawlers.pages import read_page
from crawlers.platforms import Platform
from crawlers.rundir import Target
from crawlers.saved_pages import Expected
from crawlers.spiders.recheck import compared

PAGES = Path(__file__).parents[1] / "pages"
CASES = {
    f"{path.parent.parent.name}/{path.parent.name}": path.parent for path in PAGES.glob("*/*/expected.json")
}
NOW = datetime(2026, 10, 1, tzinfo=UTC)
KINDS = {  # what a judgement must have been tried on, as prefixes of "state reason"
    "up alive",
    "up sold_out",
    "altered title_changed",
    "gone gone_marker",
    "gone http_404",
    "gone http_410",
    "gone redirect_elsewhere",
    "blocked captcha",
    "blocked login_wall",
    "blocked access_denied",
    "error http_429",
    "error http_503",
    "error unrecognised",
    "error contradictory",
    "error other_item",
    "error not_html",
}


@pytest.fixture
def saved(case):
    return saved_pages.load(CASES[case])


@pytest.fixture
def platform(saved, shipped) -> Platform:
    own = saved.folder.parent / "profile.yml"
    return yamlfile.load(own, Platform) if own.exists() else shipped[saved.folder.parent.name]


@pytest.mark.parametrize("case", sorted(CASES))
def test_the_page_gets_its_verdict_and_gives_its_fields(case, saved, platform):
    expected = saved.expected
    reading = read_page(saved.answer, platform, expected.item_id, NOW)
    target = Target(item_id=expected.item_id, url=saved.answer.requested_url, title=expected.title_before)
    judgement = compared(reading, target)
    assert (judgement.state, judgement.reason) == (expected.state, expected.reason), expected.note
    listing = json.loads(reading.listing.model_dump_json()) if reading.listing else {}
    assert {name: listing.get(name) for name in expected.listing} == expected.listing


@pytest.mark.parametrize("case", sorted(CASES))
def test_reading_without_a_tree_says_what_the_tree_says(case, saved, platform):
    by_tree = replace(saved.answer)
    vars(by_tree).update(scan=None, _hides_words=True)  # neither may be told from the source
    quick = read_page(saved.answer, platform, saved.expected.item_id, NOW)
    slow = read_page(by_tree, platform, saved.expected.item_id, NOW)
    assert (quick.judgement.state, quick.judgement.reason) == (slow.judgement.state, slow.judgement.reason)
    assert (quick.listing, quick.missing) == (slow.listing, slow.missing)


def test_the_pages_are_of_every_kind():
    expected = [saved_pages.load(folder).expected for folder in CASES.values()]
    assert len(expected) >= 40
    assert {f"{one.state.value} {one.reason}" for one in expected} >= KINDS


def test_a_page_is_saved_as_it_is_read(tmp_path):
    url = "http://mall.example/item/1.html"
    answer = Answer(
        url, url + "?x", 404, "雾".encode("gbk"), {"content-type": "text/html"}, (url,), rendered=True
    )
    expected = Expected(item_id="1", state=Presence.GONE, reason="http_404", listing={"price": "1"})
    saved_pages.save(tmp_path / "case", answer, expected)
    read = saved_pages.load(tmp_path / "case")
    assert (read.answer, read.expected) == (answer, expected)
    with pytest.raises(FileExistsError):
        saved_pages.save(tmp_path / "case", answer, expected)
