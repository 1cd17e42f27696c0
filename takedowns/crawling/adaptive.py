"""When the targeted arm comes besides its fixed sweeps: more often where violations were found. Pure.

A cell is a platform and an hour of the day. Its rate is the violations found per search made there, drawn
towards the average over all cells as long as it has seen few searches; so a cell that nobody tried is worth
the average, and one lucky find is not the truth. Terms are ranked in the same way. The same history gives the
same plan, and each visit says why it is there.

The random arm is no part of this: neither what it found nor when it comes.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Generic, TypeVar

Cell = TypeVar("Cell")

PRIOR_SEARCHES = 20.0  # searches whose worth of average evidence every cell starts with
RECORD_AT_MOST = 3  # further violations of a seller that add to the weight of a find


@dataclass(frozen=True)
class Search:
    """One search of the targeted arm that was done. ``hour`` of the day in Shanghai, 0 to 23."""

    platform: str
    hour: int
    term: str


@dataclass(frozen=True)
class Find:
    """A listing that the targeted arm first saw then, and a person found violating.

    ``record``: other listings of its seller that were found violating.
    """

    search: Search
    record: int = 0

    @property
    def weight(self) -> float:
        return 1.0 + min(self.record, RECORD_AT_MOST)


@dataclass(frozen=True)
class Choice:
    """What a platform can be searched for, and in which hours it may be."""

    hours: Sequence[int]
    terms: Sequence[str]


@dataclass(frozen=True)
class Visit:
    platform: str
    hour: int
    terms: tuple[str, ...]
    why: str


@dataclass(frozen=True)
class Rates(Generic[Cell]):
    """Finds per search by cell, each drawn towards ``average``."""

    searches: Counter[Cell]
    finds: Mapping[Cell, float]
    average: float

    def of(self, cell: Cell) -> float:
        found = self.finds.get(cell, 0.0) + PRIOR_SEARCHES * self.average
        return found / (self.searches[cell] + PRIOR_SEARCHES)

    def said(self, cell: Cell) -> str:
        return f"{self.finds.get(cell, 0.0):g} from {self.searches[cell]} searches"


def plan(
    choices: Mapping[str, Choice],
    searches: Sequence[Search],
    finds: Sequence[Find],
    *,
    visits: int,
    terms: int,
) -> tuple[Visit, ...]:
    """At most ``visits`` visits of a day with at most ``terms`` terms each, by hour and platform.

    The best cells are taken, each once; of equal ones the less searched, then the earlier.
    """
    by_hour = _rates(searches, finds, lambda search: (search.platform, search.hour))
    by_term = _rates(searches, finds, lambda search: (search.platform, search.term))
    cells = [(name, hour) for name, choice in choices.items() for hour in choice.hours if choice.terms]
    best = sorted(cells, key=lambda cell: (-by_hour.of(cell), by_hour.searches[cell], cell))[:visits]
    return tuple(
        Visit(name, hour, _best_terms(name, choices[name], by_term, terms), _why((name, hour), by_hour))
        for name, hour in sorted(best, key=lambda cell: (cell[1], cell[0]))
    )


def _rates(
    searches: Sequence[Search], finds: Sequence[Find], cell_of: Callable[[Search], Cell]
) -> Rates[Cell]:
    weights: defaultdict[Cell, float] = defaultdict(float)
    for find in finds:
        weights[cell_of(find.search)] += find.weight
    average = sum(weights.values()) / len(searches) if searches else 0.0
    return Rates(Counter(map(cell_of, searches)), weights, average)


def _best_terms(
    platform: str, choice: Choice, rates: Rates[tuple[str, str]], at_most: int
) -> tuple[str, ...]:
    """Sorting is stable: of equal terms the profile's first."""
    ranked = sorted(
        choice.terms, key=lambda term: (-rates.of((platform, term)), rates.searches[platform, term])
    )
    return tuple(ranked[:at_most])


def _why(cell: tuple[str, int], rates: Rates[tuple[str, int]]) -> str:
    platform, hour = cell
    return (
        f"{platform} at {hour:02}:00 gave {rates.said(cell)} (weighted by the sellers' records): "
        f"{rates.of(cell):.3f} a search, {rates.average:.3f} on average"
    )
