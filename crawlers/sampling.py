"""The random arm: which result positions of a fixed query panel are looked at, and how likely that was. Pure.

The frame is the list of all *positions*: the first ``depth`` distinct listings that each query of the panel
shows, read in full before anything is drawn. Within a stratum (a group of queries) ``draws`` positions are
drawn without replacement, each as likely as every other. A listing may stand at several positions; each draw
therefore keeps, besides the probability of its position, at how many positions of the frame its listing
stands and how likely that listing was to be drawn by any of them. docs/sampling.md says what is estimated
with these.
"""

from __future__ import annotations

import hashlib
import json
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from datetime import date, datetime
from functools import cached_property
from typing import Annotated, Self

from pydantic import AwareDatetime, Field, model_validator

from crawlers.listing import Frozen, NonEmpty, Presence

Probability = Annotated[float, Field(gt=0, le=1)]


class Stratum(Frozen):
    """Queries of one kind. Its positions are equally likely to be drawn, whichever query shows them."""

    name: NonEmpty = Field(pattern="^[a-z0-9_]+$")
    queries: tuple[NonEmpty, ...] = Field(min_length=1)
    draws: int = Field(ge=2, description="positions to draw; one alone would have no variance")


class Panel(Frozen):
    """The fixed queries of one platform. A changed panel is another panel: give it another version."""

    platform: NonEmpty
    version: NonEmpty
    depth: int = Field(ge=1, le=2_000, description="distinct listings of a query that belong to the frame")
    strata: tuple[Stratum, ...] = Field(min_length=1)

    @model_validator(mode="after")
    def _has_no_doubles(self) -> Self:
        for what, names in (
            ("stratum", [stratum.name for stratum in self.strata]),
            ("query", [query for stratum in self.strata for query in stratum.queries]),
        ):
            if twice := sorted(name for name, times in Counter(names).items() if times > 1):
                raise ValueError(f"{what} named twice: {', '.join(twice)}")
        return self

    @cached_property
    def stratum_of(self) -> Mapping[str, str]:
        """Query → the name of its stratum, in the panel's order."""
        return {query: stratum.name for stratum in self.strata for query in stratum.queries}

    @property
    def draws(self) -> int:
        return sum(stratum.draws for stratum in self.strata)

    def cost(self, pages: int) -> int:
        """Requests that a sample makes at most, with ``pages`` result pages of a query at most."""
        beside = 3  # robots.txt and the canary pair
        return len(self.stratum_of) * min(pages, self.depth) + self.draws + beside

    @property
    def digest(self) -> str:
        """Names this very panel; the version is what people call it."""
        return _sha256(self.model_dump(mode="json")).hex()


class Position(Frozen):
    """One place of the frame: the ``position``-th distinct listing, from 1, that ``query`` shows."""

    stratum: NonEmpty
    query: NonEmpty
    position: int = Field(ge=1)
    item_id: NonEmpty
    url: NonEmpty


class Draw(Position):
    """A drawn position. The probabilities are over all seeds, given the frame."""

    probability: Probability = Field(description="of this position: draws in its stratum ÷ its positions")
    multiplicity: int = Field(ge=1, description="positions of the whole frame at which the listing stands")
    listing_probability: Probability = Field(description="of the listing, by any of its positions")


class DrawnLook(Draw):
    """What the look at a drawn position showed; ``blocked`` and ``error`` are non-response, never a no."""

    state: Presence
    reason: NonEmpty
    observed_at: AwareDatetime
    evidence: str | None = None


def seed_for(panel: Panel, slot: datetime) -> str:
    """The seed of the planned time ``slot``: known before the crawl, so that nobody can choose the sample."""
    return _sha256([panel.digest, slot.isoformat()]).hex()


def hour_for(panel: Panel, day: date, hours: Sequence[int]) -> int:
    """One of ``hours`` for the draw of ``day``, each as likely: a fixed hour would measure that hour only."""
    return hours[int.from_bytes(_sha256([panel.digest, day.isoformat()])) % len(hours)]


def frame_of(panel: Panel, results: Mapping[str, Mapping[str, str]]) -> tuple[Position, ...]:
    """The frame from each query's results (item id → address, in the order shown).

    A query that is not in ``results`` could not be read and is no part of the frame.
    """
    return tuple(
        Position(stratum=stratum, query=query, position=number, item_id=item_id, url=url)
        for query, stratum in panel.stratum_of.items()
        for number, (item_id, url) in enumerate(list(results.get(query, {}).items())[: panel.depth], start=1)
    )


def draw(panel: Panel, frame: Sequence[Position], seed: str) -> tuple[Draw, ...]:
    """The sample of ``frame`` under ``seed``, in the frame's order: the same again for the same three."""
    sizes = Counter(place.stratum for place in frame)
    drawn = {stratum.name: min(stratum.draws, sizes[stratum.name]) for stratum in panel.strata}
    chosen = {place for name, number in drawn.items() for place in _first(_of(frame, name), number, seed)}
    stands = _positions_by_listing(frame)
    return tuple(
        Draw(
            **place.model_dump(),
            probability=drawn[place.stratum] / sizes[place.stratum],
            multiplicity=stands[place.item_id].total(),
            listing_probability=_any_drawn(stands[place.item_id], sizes, drawn),
        )
        for place in frame
        if place in chosen
    )


def _of(frame: Iterable[Position], stratum: str) -> list[Position]:
    return [place for place in frame if place.stratum == stratum]


def _first(places: Sequence[Position], number: int, seed: str) -> list[Position]:
    """The ``number`` places that come first in an order which the seed makes, every order as likely.

    A hash instead of ``random.sample``: the same in every version of Python, whatever the order of the frame.
    """
    return sorted(places, key=lambda place: _sha256([seed, place.query, place.position]))[:number]


def _positions_by_listing(frame: Iterable[Position]) -> Mapping[str, Counter[str]]:
    """Item id → stratum → at how many positions it stands there."""
    stands: defaultdict[str, Counter[str]] = defaultdict(Counter)
    for place in frame:
        stands[place.item_id][place.stratum] += 1
    return stands


def _any_drawn(stands: Counter[str], sizes: Mapping[str, int], drawn: Mapping[str, int]) -> float:
    """One less the chance that every stratum's draw misses all of the listing's positions in it."""
    missed = 1.0
    for stratum, positions in sorted(stands.items()):  # else rounding would depend on the order of the frame
        for earlier in range(positions):
            left = sizes[stratum] - earlier
            missed *= max(0, left - drawn[stratum]) / left
    return 1 - missed


def _sha256(value: object) -> bytes:
    canonical = json.dumps(value, ensure_ascii=True, sort_keys=True, separators=(",", ":"))
    return hashlib.sha256(canonical.encode()).digest()
