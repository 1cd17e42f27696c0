"""What the simulated market keeps of each listing and look, and the classifier that it needs."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from datetime import datetime

from bench.simulation.pages import Conduct, Page, Plan, Shown
from classifiers.verdict import Label, ListingText, Verdict
from crawlers.rundir import Target


@dataclass
class Case:
    """One listing that became a lead. ``item_id`` is its number; ``sent_at`` None until it was."""

    item_id: str
    seller: str
    title: str
    description: str
    conduct: Conduct
    found_on: int
    page: Page = field(default_factory=Page)
    plan: Plan | None = None
    lead_ids: list[int] = field(default_factory=list)
    sent_at: datetime | None = None
    answered: int = 0

    @property
    def twin_id(self) -> str:
        return f"9{self.item_id}"


@dataclass(frozen=True)
class Seen:
    """One look as it was: ``shown`` None where it could not tell; in the ledger from ``known_at`` on."""

    at: datetime
    vantage: str
    shown: Shown | None
    trusted: bool
    known_at: datetime

    @property
    def tells(self) -> bool:
        return self.trusted and self.shown not in (None, Shown.WALL)


@dataclass
class Crawl:
    """A run under way: what it has to look at, and when its directory is taken in."""

    run_id: str
    begun: datetime
    vantage: str
    trusted: bool
    targets: list[Target]
    taken_in: datetime


class Suspicious:
    """A classifier that flags what calls itself an atomiser."""

    def classify_many(self, listings: Iterable[ListingText]) -> Iterator[Verdict]:
        for listing in listings:
            guilty = "雾化" in listing.title
            yield Verdict(
                id=listing.id,
                label=Label.DISGUISED_MEDICAL if guilty else Label.BENIGN,
                score=0.9 if guilty else 0.1,
                flagged=guilty,
                scores=dict.fromkeys(Label, 0.0),
                signals=(),
                claims=(),
                lexicon_version="1",
                model_version="1",
            )
