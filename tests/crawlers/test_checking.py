"""What a saved page gives for its profile, field by field."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import pytest

from crawlers import saved_pages
from crawlers.checking import FieldReport, fields_of, signs_on
from crawlers.pages import read_page

PAGES = Path(__file__).parents[1] / "pages"
NOW = datetime(2026, 11, 1, tzinfo=UTC)


@pytest.fixture
def report(shipped):
    def of(platform: str, case: str) -> dict[str, FieldReport]:
        saved = saved_pages.load(PAGES / platform / case)
        reading = read_page(saved.answer, shipped[platform], saved.expected.item_id, NOW)
        return {field.name: field for field in fields_of(reading, saved.answer, shipped[platform])}

    return of


def test_each_field_says_where_it_comes_from(report):
    fields = report("sample", "alive")
    assert (fields["title"].source, fields["seller_id"].source) == ("jsonld", "profile")
    assert fields["lang"] == FieldReport("lang", "", None, wanted=False)
    assert not fields["title"].missing


def test_what_the_page_does_not_say_is_called_a_default(report):
    fields = report("oscar", "alive")
    assert (fields["seller_id"].source, fields["seller_kind"].source) == ("default", "default")
    assert fields["seller_id"].value == fields["seller"].value


def test_a_page_without_a_listing_gives_nothing_and_misses_what_the_profile_wants(report):
    fields = report("sample", "gone")
    assert all(field.missing for field in fields.values())
    assert {field.name for field in fields.values() if field.wanted} >= {"title", "price", "seller_id"}


@pytest.mark.parametrize(
    ("case", "signs"),
    [("alive", ["alive button.add-cart"]), ("gone", ["gone .notice-gone"]), ("blocked", [])],
)
def test_the_rules_that_hold_are_named(shipped, case, signs):
    answer = saved_pages.load(PAGES / "sample" / case).answer
    assert signs_on(answer, shipped["sample"]) == signs
