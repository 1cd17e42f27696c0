from __future__ import annotations

from datetime import datetime
from typing import Any

import pytest
import sqlalchemy as sa

from crawlers.links import LinkProblem
from crawlers.platforms import Platform
from crawlers.rundir import Target
from takedowns.imports.pasted import LINK_PROBLEMS, PastedResult, add_links, targets_by_platform
from takedowns.ledger import audit, tables
from takedowns.ledger.engine import Ledger
from takedowns.states import TaskState

SHARE = "【示例】我看到「医用雾化器 便携」快来看 https://shop.invalid/item/42?share=1 点击链接打开"


@pytest.fixture
def add(ledger: Ledger, platform: Platform, now: datetime) -> Any:
    short = platform.model_copy(update={"short_links": (r"^https?://s\.invalid/",)})

    def links(*texts: str) -> list[PastedResult]:
        with ledger.write() as session:
            return add_links(session, texts, {platform.name: short}, now=now)

    return links


def test_a_new_link_becomes_a_listing_and_a_target_to_look_at(
    ledger: Ledger, add: Any, now: datetime
) -> None:
    (result,) = add("https://shop.invalid/item/42?utm_source=x#top")
    assert result.recognised
    assert result.as_row() == {
        "text": "https://shop.invalid/item/42?utm_source=x#top",
        "platform": "sample",
        "item_id": "42",
        "url": "https://shop.invalid/item/42",
        "new": True,
        "message": "new",
    }
    assert targets_by_platform([result]) == {
        "sample": (Target(item_id="42", url="https://shop.invalid/item/42"),)
    }
    with ledger.read() as session:
        listing = session.scalars(sa.select(tables.Listing)).one()
        assert (listing.road, listing.first_seen_at, listing.snapshots) == ("pasted", now, [])
        assert session.scalars(sa.select(tables.ReviewTask)).all() == []


def test_the_title_in_a_share_text_is_put_before_a_reviewer(ledger: Ledger, add: Any) -> None:
    (result,) = add(SHARE)
    assert result.target == Target(item_id="42", url="https://shop.invalid/item/42", title="医用雾化器 便携")
    with ledger.read() as session:
        task = session.scalars(sa.select(tables.ReviewTask)).one()
        assert (task.queue, task.state) == ("tip", TaskState.QUEUED)
        assert task.snapshot.title == "医用雾化器 便携"
        assert task.snapshot.sources == {"title": "pasted"}


def test_a_link_pasted_twice_changes_nothing(ledger: Ledger, add: Any) -> None:
    results = [*add(SHARE, SHARE), *add(SHARE)]
    assert [result.message for result in results] == ["new", "known already", "known already"]
    assert len(targets_by_platform(results)["sample"]) == 1
    with ledger.read() as session:
        for table in (tables.Listing, tables.ListingSnapshot, tables.ReviewTask):
            assert len(session.scalars(sa.select(table)).all()) == 1


def test_a_share_text_never_replaces_what_was_seen_on_the_page(ledger: Ledger, add: Any, make: Any) -> None:
    with ledger.write() as session:
        listing = make.listing(session, platform="sample", item_id="42")
        make.snapshot(session, listing, title="电子烟")
    (result,) = add(SHARE)
    assert result.target.title == "电子烟"
    assert not result.is_new


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("没有链接", LinkProblem.NO_LINK),
        ("javascript:alert(1)", LinkProblem.NO_LINK),
        ("https://evil.invalid/item/42", LinkProblem.UNKNOWN_HOST),
        ("https://s.invalid/Ab12", LinkProblem.SHORT_LINK),
        ("https://shop.invalid/help", LinkProblem.NOT_A_LISTING),
        ("https://shop.invalid@evil.invalid/item/42", LinkProblem.MALFORMED),
    ],
)
def test_what_is_no_listing_is_named_and_the_rest_is_taken_in(
    ledger: Ledger, add: Any, text: str, problem: LinkProblem
) -> None:
    bad, good = add(text, "https://shop.invalid/item/42")
    assert (bad.recognised, bad.message) == (False, LINK_PROBLEMS[problem])
    assert good.recognised
    assert list(targets_by_platform([bad, good])) == ["sample"]


def test_every_problem_has_a_sentence() -> None:
    assert set(LINK_PROBLEMS) == set(LinkProblem)


def test_text_that_no_database_can_hold_is_stored_readably(ledger: Ledger, add: Any) -> None:
    add("「雾\x00化\udcff器」https://shop.invalid/item/42")
    with ledger.read() as session:
        assert session.scalars(sa.select(tables.ListingSnapshot.title)).one() == "雾\\u0000化\\udcff器"


def test_each_paste_is_one_audit_entry(ledger: Ledger, add: Any) -> None:
    add(SHARE, "没有链接")
    with ledger.read() as session:
        entry = session.scalars(sa.select(tables.AuditEntry)).one()
        assert entry.payload == {"recognised": ["sample 42"], "unrecognised": 1}
        assert list(audit.verify(session)) == []
