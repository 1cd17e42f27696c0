"""How a listing truly answered × what our looks made of it, as a Markdown table; for evaluation.

    python bench/confusion.py [--each 3]

The sample market runs in a process of its own, with EACH listings in every mode that it knows on each of its
three themes. Every theme is rechecked by both roads, HTTP and Chromium, in real crawls two days apart; what a
run is worth is decided as at its intake, and the rule of removal judges each listing by its two looks.

Exit code 1: a look called a listing gone that was not, a removal was believed that was none, or one was
missed. The theme that draws its pages by script cannot be seen over HTTP; there the canary must void the run.
"""

from __future__ import annotations

import argparse
import sys
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from itertools import product, zip_longest
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from crawlers.listing import Presence, Sighting
from crawlers.platforms import Platform
from crawlers.rundir import CrawlJob, Run, RunKind, Target
from takedowns import accounts, configuration
from takedowns.crawling.crawl import crawl, new_run_id
from takedowns.judging import REMOVED, LeadFacts, Look, judge
from takedowns.ledger.engine import Ledger, open_ledger
from takedowns.ledger.vocabulary import VerificationOutcome
from takedowns.sample_market.catalogue import Theme
from takedowns.sample_market.client import RunningMarket, running_market
from takedowns.sample_market.modes import GONE, SHOWN, UNREACHABLE, Mode
from takedowns.settings import Crawl, Removal

PROFILES = {Theme.MALL: "sample", Theme.BAZAAR: "sample-microdata", Theme.LIVE: "sample-js"}
SENT_AT = datetime(2026, 10, 12, 1, tzinfo=UTC)
LOOKS_AFTER = (timedelta(days=1), timedelta(days=3))
AT_A_TIME = 3  # crawls; most of a crawl is waiting for pages that never end
# A page of the market takes well below a second, but two browsers at once on a busy machine do not.
TIMEOUT_S = {"http": 5.0, "browser": 12.0}
LISTINGS_PER_LIVE = 12  # a seventh of the shops is drawn by script, and chance has its say
# Refusals: two in a row end a crawl, so there is an answer of another kind between them.
WALLS = (Mode.LOGIN_WALL, Mode.CAPTCHA_200, Mode.CAPTCHA_404, Mode.RATE_LIMITED)


class Truth(StrEnum):
    """What a mode means; ``HIDDEN``: nobody can tell from outside."""

    THERE = "there"
    ALTERED = "altered"
    REMOVED = "removed"
    HIDDEN = "hidden"


TRUTH = (
    dict.fromkeys(SHOWN, Truth.THERE)
    | dict.fromkeys(GONE, Truth.REMOVED)
    | dict.fromkeys(UNREACHABLE, Truth.HIDDEN)
    | {Mode.ALTERED: Truth.ALTERED}
)


@dataclass(frozen=True)
class View:
    """A theme of the market and the road by which it is looked at."""

    theme: Theme
    road: str

    @property
    def is_blind(self) -> bool:
        """The pages of this theme are empty until a script has run, which no look over HTTP does."""
        return self == View(Theme.LIVE, "http")


VIEWS = tuple(View(theme, road) for theme, road in product(Theme, TIMEOUT_S))


@dataclass(frozen=True)
class Case:
    """One listing in one view: how it answered, what each look said, and what was concluded."""

    view: View
    mode: Mode
    looks: tuple[Sighting, ...]
    trusted: bool
    outcome: VerificationOutcome | None

    @property
    def truth(self) -> Truth:
        return TRUTH[self.mode]

    @property
    def false_gone(self) -> int:
        """Looks that called it gone though it was not, those of void runs included."""
        return self.truth is not Truth.REMOVED and sum(look.state is Presence.GONE for look in self.looks)

    @property
    def is_false_removal(self) -> bool:
        return self.truth is not Truth.REMOVED and self.outcome in REMOVED

    @property
    def is_missed(self) -> bool:
        return self.truth is Truth.REMOVED and self.outcome not in REMOVED and not self.view.is_blind

    @property
    def is_misjudged(self) -> bool:
        """A run was void that should have counted, or counted where nothing can be seen."""
        return self.trusted is self.view.is_blind


def cases(views: Sequence[View] = VIEWS, each: int = 1) -> list[Case]:
    """Crawl every view twice and judge; raises LookupError when the market holds too few listings."""
    with (
        running_market(listings=LISTINGS_PER_LIVE * len(Mode) * each, clock=SENT_AT) as market,
        TemporaryDirectory() as folder,
    ):
        shelves = {theme: stocked(market, theme, each) for theme in {view.theme for view in views}}
        wanted = [(view, after) for after in LOOKS_AFTER for view in views]
        with ThreadPoolExecutor(AT_A_TIME) as pool:
            runs = list(
                pool.map(lambda one: looked(market, shelves[one[0].theme], *one, Path(folder)), wanted)
            )
        trusted = worth(runs, Path(folder))
    return [
        case
        for view in views
        for case in concluded(
            view,
            shelves[view.theme],
            [(run, is_trusted) for (of, _), run, is_trusted in zip(wanted, runs, trusted) if of == view],
        )
    ]
