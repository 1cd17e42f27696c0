"""A small market of the bench's kind; ``bench/market.py`` lives through the one of two thousand leads."""

from __future__ import annotations

import random
from datetime import UTC, datetime, timedelta

import pytest

from bench.simulation.comparison import differences
from bench.simulation.market import Simulation
from bench.simulation.pages import BROWSER, DAY, PLAIN, TRUTH, Conduct, Page, Shown, conducts, plan
from crawlers.platforms import Platform
from takedowns.ledger.engine import Ledger
from takedowns.settings import Settings

NOON = datetime(2026, 1, 5, 4, tzinfo=UTC)


def test_the_ledger_says_what_is_so(ledger: Ledger, settings: Settings, platform: Platform) -> None:
    """No removal that was none, every lie named, every return found by its next look, the figures equal."""
    with_group = settings.review.model_copy(update={"control_share": 1.0})
    settings = settings.model_copy(update={"review": with_group})
    simulation = Simulation(ledger, settings, platform, count=32, seed=7, found_within=3)
    simulation.run()
    assert differences(simulation) == []


def test_every_conduct_is_in_every_market() -> None:
    assert set(conducts(random.Random(1), len(Conduct))) == set(Conduct)
    assert set(TRUTH) == set(Conduct)


@pytest.mark.parametrize("conduct", Conduct)
def test_what_a_seller_does_follows_from_the_seed(conduct: Conduct) -> None:
    first, second = (plan(conduct, random.Random(3), NOON) for _ in range(2))
    assert first == second
    assert [at for at, _ in first.changes] == sorted(at for at, _ in first.changes)


def test_a_page_stays_gone_only_without_a_break_and_for_everybody() -> None:
    page = Page([(NOON, Shown.GONE), (NOON + DAY, Shown.UP), (NOON + 2 * DAY, Shown.GONE)])
    assert page.stays_gone(NOON, NOON + timedelta(hours=23))
    assert not page.stays_gone(NOON, NOON + 3 * DAY)
    cloaked = Page(cloaked_from=NOON)
    assert (cloaked.at(NOON, PLAIN), cloaked.at(NOON, BROWSER)) == (Shown.GONE, Shown.UP)
    assert not cloaked.stays_gone(NOON, NOON + DAY)
