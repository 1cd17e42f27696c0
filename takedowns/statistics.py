"""Statistics of takedowns, values in and values out; every proportion and time comes with an interval."""

from __future__ import annotations

import math
import warnings
from collections import Counter
from collections.abc import Hashable, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, Final

import numpy as np
import scipy  # its parts are loaded at their first use: scipy.stats takes a second

CONFIDENCE = 0.95
# A median or a bound that the survival curve never comes down to within the time observed.
NOT_REACHED: Final = math.inf
# Below this base a percentage says more about chance than about the matter.
SMALL_BASE = 30


@dataclass(frozen=True, slots=True)
class Interval:
    """Bounds of a 95 % confidence interval; ``high`` may be :data:`NOT_REACHED`."""

    low: float
    high: float


@dataclass(frozen=True, slots=True)
class Estimate:
    """``value`` is None where the data cannot tell; ``NOT_REACHED`` is a value of its own."""

    value: float | None
    interval: Interval | None


def wilson(successes: int, trials: int) -> Interval:
    """Wilson's score interval of a proportion; also for 0 of n and n of n.

    Raises ValueError unless 0 <= successes <= trials and trials > 0.
    """
    if not 0 <= successes <= trials or trials == 0:
        raise ValueError(f"{successes} of {trials} is no proportion")
    bounds = scipy.stats.binomtest(successes, trials).proportion_ci(CONFIDENCE, method="wilson")
    return Interval(float(bounds.low), float(bounds.high))


def proportion(successes: int, trials: int) -> Estimate:
    """A share with its interval; no value for a share of nothing."""
    if trials == 0:
        return Estimate(None, None)
    return Estimate(successes / trials, wilson(successes, trials))


@dataclass(frozen=True, slots=True)
class Survival:
    """A Kaplan–Meier curve: at ``times`` (hours, ascending) the share still up is ``share``.

    ``low`` and ``high`` are the pointwise log-log bounds; that formula has none at a share of 1 or 0, where
    they are the share itself and 1 (nothing is known of the upper bound).
    ``at_risk`` counts those not yet removed nor lost just before each time, ``events`` the removals in all.
    """

    times: tuple[float, ...]
    share: tuple[float, ...]
    low: tuple[float, ...]
    high: tuple[float, ...]
    at_risk: tuple[int, ...]
    events: int

    def median(self) -> Estimate:
        """Time by which half are removed, in hours, with the Brookmeyer–Crowley interval."""
        if not self.times:
            return Estimate(None, None)
        bounds = Interval(self._falls_to_half(self.low), self._falls_to_half(self.high))
        return Estimate(self._falls_to_half(self.share), bounds)

    def removed_within(self, hours: float) -> Estimate:
        """Share removed within so many hours; no value where nobody was watched for that long."""
        last = sum(time <= hours for time in self.times) - 1
        if not self.times or (hours > self.times[-1] and self.share[-1] > 0):
            return Estimate(None, None)
        if last < 0 or self.share[last] == 1:
            watched = self.at_risk[last + 1] if last + 1 < len(self.times) else self.at_risk[last]
            return Estimate(0.0, wilson(0, watched))
        if self.share[last] == 0:
            return Estimate(1.0, wilson(self.events, self.events))
        return Estimate(1 - self.share[last], Interval(1 - self.high[last], 1 - self.low[last]))

    def _falls_to_half(self, curve: Sequence[float]) -> float:
        return next((time for time, y in zip(self.times, curve, strict=True) if y <= 0.5), NOT_REACHED)


def kaplan_meier(removed: Sequence[float], still_up: Sequence[float]) -> Survival:
    """The curve from hours until removal, and from hours watched without one (right-censored).

    Raises ValueError for a negative or infinite time.
    """
    if not all(0 <= hours < math.inf for hours in (*removed, *still_up)):
        raise ValueError("a time to removal is finite and not negative")
    if not removed and not still_up:
        return Survival((), (), (), (), (), 0)
    curve = scipy.stats.ecdf(scipy.stats.CensoredData(uncensored=list(removed), right=list(still_up))).sf
    low, high = _log_log_bounds(curve)
    every = np.sort(np.array([*removed, *still_up]))
    return Survival(
        times=_floats(curve.quantiles),
        share=_floats(curve.probabilities),
        low=low,
        high=high,
        at_risk=tuple(int(n) for n in every.size - np.searchsorted(every, curve.quantiles)),
        events=len(removed),
    )


def _log_log_bounds(curve: Any) -> tuple[tuple[float, ...], tuple[float, ...]]:
    with warnings.catch_warnings():
        # filled in below
        warnings.filterwarnings("ignore", "The confidence interval is undefined", RuntimeWarning)
        bounds = curve.confidence_interval(CONFIDENCE, method="log-log")
    low, high = bounds.low.probabilities, bounds.high.probabilities
    return _floats(np.where(np.isnan(low), curve.probabilities, low)), _floats(np.nan_to_num(high, nan=1.0))


def _floats(values: Any) -> tuple[float, ...]:
    return tuple(float(value) for value in values)


@dataclass(frozen=True, slots=True)
class Agreement:
    """``kappa`` is None where chance alone would agree on everything."""

    pairs: int
    agreed: int
    kappa: float | None
    largest_class: float


def agreement(pairs: Sequence[tuple[Hashable, Hashable]]) -> Agreement:
    """Raw agreement and Cohen's kappa of two reviewers' answers on the same items; needs one pair."""
    if not pairs:
        raise ValueError("no item was reviewed twice")
    n = len(pairs)
    agreed = sum(first == second for first, second in pairs)
    firsts, seconds = Counter(first for first, _ in pairs), Counter(second for _, second in pairs)
    chance = sum(firsts[answer] * seconds[answer] for answer in firsts) / n**2
    kappa = (agreed / n - chance) / (1 - chance) if chance < 1 else None
    largest = max((firsts + seconds).values()) / (2 * n)
    return Agreement(n, agreed, kappa, largest)


class ChangeKind(StrEnum):
    """How a change is told; ``NO_BASE`` where there is nothing to compare with."""

    PERCENT = "percent"
    DIFFERENCE = "difference"
    POINTS = "points"
    NO_BASE = "no_base"


@dataclass(frozen=True, slots=True)
class Change:
    """From ``base`` to now. Percent and points are fractions of one: 0.052 is 5.2."""

    kind: ChangeKind
    value: float | None
    base: float | None


def count_change(now: int, base: int) -> Change:
    """Percent of the base; the plain difference for a base below 30; nothing for a base of 0."""
    if base == 0:
        return Change(ChangeKind.NO_BASE, None, base)
    if base < SMALL_BASE:
        return Change(ChangeKind.DIFFERENCE, now - base, base)
    return Change(ChangeKind.PERCENT, (now - base) / base, base)


def share_change(now: float | None, base: float | None) -> Change:
    """Shares change by percentage points; nothing where either is unknown."""
    if now is None or base is None:
        return Change(ChangeKind.NO_BASE, None, base)
    return Change(ChangeKind.POINTS, now - base, base)
