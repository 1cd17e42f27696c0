"""How a listing truly answers × what looks at it say, as Markdown; exit code 1 when a removal was got wrong.

    python bench/confusion.py [--each 3]

The sample market runs with EACH listings in every mode that it knows on each of its three themes. Every theme
is rechecked by both roads, HTTP and Chromium, in real crawls two days apart (by the clock of the job). What a
run is worth is decided as at its intake, and the rule of removal judges each listing by its two looks.

Wrong is a look that calls a listing gone that is not, a removal that is believed and was none, and one that
is missed. The theme that draws its pages by script cannot be seen over HTTP: there the canary must void the
runs, and a run that is void anywhere else is wrong as well.
"""

from __future__ import annotations

import argparse
import sys
from collections import Counter
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from itertools import product, zip_longest
from pathlib import Path
from tempfile import TemporaryDirectory

from crawlers.listing import Presence, Sighting
from crawlers.platforms import Platform
from crawlers.rundir import CrawlJob, Run, RunKind, Target
from takedowns import accounts, configuration
from takedowns.crawling.crawl import crawl, new_run_id
from takedowns.judging import REMOVED, LeadFacts, Look, judge
from takedowns.ledger.engine import open_ledger
from takedowns.ledger.vocabulary import VerificationOutcome
from takedowns.sample_market.catalogue import Theme
from takedowns.sample_market.client import RunningMarket, running_market
from takedowns.sample_market.modes import GONE, UNREACHABLE, Mode
from takedowns.settings import Crawl, Removal

PROFILES = {Theme.MALL: "sample", Theme.BAZAAR: "sample-microdata", Theme.LIVE: "sample-js"}
# For a page whose body never ends; generous, for two browsers on a busy machine are slow with good pages.
TIMEOUT_S = {"http": 5.0, "browser": 12.0}
SENT_AT = datetime(2026, 10, 12, 1, tzinfo=UTC)
LOOKS_AFTER = (timedelta(days=1), timedelta(days=3))
JUDGED_AT = SENT_AT + timedelta(days=4)
AT_A_TIME = 3  # crawls; most of a crawl is waiting
LISTINGS_PER_MODE = 12  # of the whole market, for one of a mode on the theme that has a seventh of the shops
# The second refusal in a row ends a crawl, so that an answer of another kind stands between them.
WALLS = (Mode.LOGIN_WALL, Mode.CAPTCHA_200, Mode.CAPTCHA_404, Mode.RATE_LIMITED)


class Truth(StrEnum):
    """``HIDDEN``: nobody can tell from outside."""

    THERE = "there"
    ALTERED = "altered"
    REMOVED = "removed"
    HIDDEN = "hidden"

    @classmethod
    def of(cls, mode: Mode) -> Truth:
        if mode is Mode.ALTERED:
            return cls.ALTERED
        return cls.REMOVED if mode in GONE else cls.HIDDEN if mode in UNREACHABLE else cls.THERE


@dataclass(frozen=True)
class View:
    """A theme of the market, and the road by which it is looked at."""

    theme: Theme
    road: str

    @property
    def is_blind(self) -> bool:
        """The pages of that theme are empty until a script has run."""
        return (self.theme, self.road) == (Theme.LIVE, "http")


VIEWS = tuple(View(theme, road) for theme, road in product(Theme, TIMEOUT_S))


@dataclass(frozen=True)
class Case:
    """One listing in one view: how it answered, what each look said, whether its run counted, the finding."""

    view: View
    mode: Mode
    sightings: tuple[Sighting, ...]
    trusted: tuple[bool, ...]
    outcome: VerificationOutcome | None

    @property
    def truth(self) -> Truth:
        return Truth.of(self.mode)

    @property
    def is_removal(self) -> bool:
        return self.outcome in REMOVED

    def faults(self) -> Iterator[str]:
        """What was got wrong about it, each time by its name; a false gone counts in a void run as well."""
        if self.truth is not Truth.REMOVED:
            yield from ("false gone" for one in self.sightings if one.state is Presence.GONE)
        if self.is_removal and self.truth is not Truth.REMOVED:
            yield "false removal"
        if self.truth is Truth.REMOVED and not self.is_removal and not self.view.is_blind:
            yield "missed removal"
        yield from ("wrongly trusted or void" for one in self.trusted if one is self.view.is_blind)


FAULTS = ("false gone", "false removal", "missed removal", "wrongly trusted or void")


def cases(views: Sequence[View] = VIEWS, each: int = 1) -> list[Case]:
    """Crawls every view twice and judges ``each`` listings of every mode in it."""
    looks = [(view, after) for after in LOOKS_AFTER for view in views]
    with (
        running_market(listings=LISTINGS_PER_MODE * len(Mode) * each) as market,
        TemporaryDirectory() as folder,
        ThreadPoolExecutor(AT_A_TIME) as pool,
    ):
        shelves = {theme: stocked(market, theme, each) for theme in Theme}
        targets = {theme: [target for _, target in shelf] for theme, shelf in shelves.items()}
        made = pool.map(lambda look: looked(market, targets[look[0].theme], *look, Path(folder)), looks)
        runs = list(zip(looks, counted(list(made), Path(folder)), strict=True))
    return [
        concluded(view, mode, target.item_id, [run for (seen, _), run in runs if seen == view])
        for view in views
        for mode, target in shelves[view.theme]
    ]


def stocked(market: RunningMarket, theme: Theme, each: int) -> list[tuple[Mode, Target]]:
    """Puts listings of ``theme`` into every mode; in the order in which they are to be looked at."""
    rows = [row for row in market.truth()["listings"] if row["theme"] == theme]
    others = [mode for mode in Mode if mode not in WALLS]
    modes = [mode for pair in zip_longest(others, WALLS) for mode in pair if mode] * each
    if len(rows) < len(modes):
        raise LookupError(f"{theme} has {len(rows)} listings, {len(modes)} are needed")
    for mode, row in zip(modes, rows, strict=False):
        market.set_mode(row["item_id"], mode)
    return [
        (mode, Target(item_id=row["item_id"], url=market.base_url + row["path"], title=row["title"]))
        for mode, row in zip(modes, rows, strict=False)
    ]


def looked(
    market: RunningMarket, targets: Sequence[Target], view: View, after: timedelta, folder: Path
) -> Run:
    profile, at = profiled(view, market.base_url), SENT_AT + after
    job = CrawlJob(
        run_id=new_run_id(RunKind.RECHECK, profile.name, at),
        kind=RunKind.RECHECK,
        platform=profile,
        targets=tuple(targets),
        contact="ops@bureau.example",
        timeout_s=TIMEOUT_S[view.road],
        vantage=profile.vantage,
        clock=at,
    )
    return crawl(job, folder, Crawl())


def profiled(view: View, home: str) -> Platform:
    """The shipped profile by the road of the view; one page at a time, or two walls would meet."""
    shipped = configuration.platforms(configuration.SHIPPED)[PROFILES[view.theme]]
    politeness = shipped.politeness.model_copy(update={"delay_s": 0.01})
    reason = "to compare the roads"
    return shipped.model_copy(
        update={"home": home, "render": view.road, "render_reason": reason, "politeness": politeness}
    )


def counted(runs: Sequence[Run], folder: Path) -> list[tuple[Run, bool]]:
    """Each run, and whether the ledger trusts it beside those before it."""
    ledger = open_ledger(f"sqlite:///{folder / 'ledger.db'}")
    with ledger.write() as session:
        rows = [session.merge(accounts.account(session, run, JUDGED_AT)) for run in runs]
        trusted = [row.trusted for row in rows]
    ledger.close()
    return list(zip(runs, trusted, strict=True))


def concluded(view: View, mode: Mode, item_id: str, runs: Sequence[tuple[Run, bool]]) -> Case:
    seen = [
        (sighting, trusted)
        for run, trusted in runs
        for sighting in run.sightings
        if sighting.item_id == item_id
    ]
    looks = tuple(
        Look(number, one.state, one.observed_at, one.vantage, trusted)
        for number, (one, trusted) in enumerate(seen)
    )
    facts = LeadFacts(sent_at=SENT_AT, answer_due=JUDGED_AT, as_of=JUDGED_AT, looks=looks)
    found = judge(facts, Removal())
    sightings, trusted = tuple(one for one, _ in seen), tuple(counts for _, counts in runs)
    return Case(view, mode, sightings, trusted, found.outcome if found else None)


def table(found: Sequence[Case]) -> str:
    """Looks by state, and listings whose removal was believed, for every view and truth."""
    columns = ["theme", "road", "truly", "listings", *Presence, "removal believed"]
    rows = [columns, ["---"] * 3 + ["---:"] * (len(columns) - 3)]
    for view, truth in product(dict.fromkeys(case.view for case in found), Truth):
        some = [case for case in found if (case.view, case.truth) == (view, truth)]
        states = Counter(sighting.state for case in some for sighting in case.sightings)
        removals = "void" if view.is_blind else sum(case.is_removal for case in some)
        rows.append([view.theme, view.road, truth, len(some), *(states[one] for one in Presence), removals])
    return "\n".join(f"| {' | '.join(map(str, row))} |" for row in rows)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--each", type=int, default=3, help="listings in each mode on each theme")
    found = cases(each=parser.parse_args().each)
    wrong = Counter(fault for case in found for fault in case.faults())
    print(table(found))
    print("\n" + ", ".join(f"{fault}: {wrong[fault]}" for fault in FAULTS))
    for case in found:
        if faults := ", ".join(case.faults()):
            seen = ", ".join(f"{one.state} {one.reason}" for one in case.sightings)
            print(f"{case.view.theme} {case.view.road} {case.mode}: {faults}; seen {seen}", file=sys.stderr)
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
