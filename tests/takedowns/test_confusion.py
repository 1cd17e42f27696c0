"""Every way of answering, crawled twice and judged: no false removal, and none missed."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace

import pytest

from bench.confusion import VIEWS, Case, Truth, View, cases, table
from crawlers.listing import Presence
from takedowns.ledger.vocabulary import VerificationOutcome
from takedowns.sample_market.catalogue import Theme
from takedowns.sample_market.modes import Mode

# A browser where the pages need one; `python bench/confusion.py` takes it to the other themes as well.
TRIED = [view for view in VIEWS if view.road == "http" or view.theme is Theme.LIVE]


@pytest.fixture(scope="module")
def found() -> list[Case]:
    return cases(TRIED)


def test_every_mode_was_looked_at_twice_on_every_theme(found):
    assert Counter((case.view, case.mode) for case in found) == {
        (view, mode): 1 for view in TRIED for mode in Mode
    }
    assert {len(case.sightings) for case in found} == {len(case.trusted) for case in found} == {2}


def test_nothing_is_called_gone_that_is_not_and_no_removal_is_missed(found):
    assert {(case.view, case.mode): wrong for case in found if (wrong := list(case.faults()))} == {}


def test_what_is_removed_is_found_removed_and_nothing_else_is(found):
    seeing = [case for case in found if not case.view.is_blind]
    assert {case.mode for case in seeing if case.is_removal} == {
        Mode.HTTP_404,
        Mode.HTTP_410,
        Mode.SOFT_404,
        Mode.REDIRECT_HOME,
    }
    states = {
        truth: {one.state for case in seeing if case.truth is truth for one in case.sightings}
        for truth in Truth
    }
    assert states == {
        Truth.THERE: {Presence.UP},
        Truth.ALTERED: {Presence.ALTERED},
        Truth.REMOVED: {Presence.GONE},
        Truth.HIDDEN: {Presence.BLOCKED, Presence.ERROR},
    }


def test_where_a_road_cannot_see_the_goods_its_runs_are_void_and_no_finding_rests_on_them(found):
    blind = [case for case in found if case.view.is_blind]
    assert {case.trusted for case in blind} == {(False, False)}
    assert {case.outcome for case in blind} == {VerificationOutcome.UNVERIFIABLE}


def test_the_table_counts_every_look(found):
    head, _, *rows = ([cell.strip() for cell in row.split("|")[1:-1]] for row in table(found).splitlines())
    first = head.index("up")
    assert len(rows) == len(TRIED) * len(Truth)
    assert sum(int(cell) for row in rows for cell in row[first : first + len(Presence)]) == 2 * len(found)


def test_each_fault_is_named(found):
    there, removed, blind = (
        next(case for case in found if (case.view, case.mode) == wanted)
        for wanted in (
            (View(Theme.MALL, "http"), Mode.UP),
            (View(Theme.MALL, "http"), Mode.HTTP_404),
            (View(Theme.LIVE, "http"), Mode.HTTP_404),
        )
    )
    called_gone = replace(there, sightings=removed.sightings, outcome=removed.outcome)
    assert list(called_gone.faults()) == ["false gone", "false gone", "false removal"]
    assert list(replace(removed, sightings=there.sightings, outcome=None).faults()) == ["missed removal"]
    assert list(replace(removed, trusted=(True, False)).faults()) == ["wrongly trusted or void"]
    assert list(replace(blind, trusted=(True, True)).faults()) == ["wrongly trusted or void"] * 2
