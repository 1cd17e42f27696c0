"""The trained model: log-odds of a violation from signals and n-grams, and which kind of violation it is."""

from __future__ import annotations

import json
import math
from bisect import bisect_left
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from itertools import pairwise
from pathlib import Path
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy.special import expit, logit, softmax

from classifiers import linear
from classifiers.linear import Floats, Ints, NGrams
from classifiers.verdict import Label
from classifiers.windows import windows

LABELS = tuple(Label)  # to go through the enumeration itself takes 1 µs more
VIOLATIONS = tuple(label for label in Label if label is not Label.BENIGN)
STRETCHES = (2, 3, 4, 6, 9, 14)  # lengths of the words shown for the n-grams' share, in characters
# Log-odds that wording has to bring along when no signal is suspicious: style alone is weak evidence.
WORDING_ALONE = 1.5
# Log-odds that a window has to bring along: it is torn from what explains it.
WINDOW_ALONE = 0.5
_NEVER = 1e6  # no stretch of words reaches that log-odds
MOST_COUNTED = 4  # signals of one kind
MOST_STRENGTH = 1 + math.log(MOST_COUNTED)
_STRENGTHS = np.array([0.0, *(1 + math.log(count) for count in range(1, MOST_COUNTED + 1))])
LEAST_SHARE = 0.05  # log-odds below this are not worth a line on the screen


@dataclass(frozen=True, slots=True)
class Evidence:
    """Canonical text, and for each signal in order the name of its feature and the place where it begins."""

    text: str
    features: Sequence[str]
    places: Sequence[int]


class _Part(NamedTuple):
    """The whole of a listing, or a window that begins so many characters and signals into it."""

    evidence: Evidence
    whole: bool = True
    start: int = 0
    signals_before: int = 0


@dataclass(frozen=True, slots=True)
class Judgement:
    """``contributions`` go with the signals; ``wording`` is the most telling span of the canonical text."""

    log_odds: float  # of a violation
    scores: dict[Label, float]
    contributions: tuple[float, ...]
    wording: tuple[int, int] | None
    wording_share: float


@dataclass(frozen=True)
class Model:
    """A linear model: column 0 is violation against benign, calibrated; columns 1 to 5 are its kind.

    ``feature_weights`` (features, 6), ``bucket_weights`` (buckets, 6), ``intercept`` (6,). ``threshold`` is
    the probability from which a listing is flagged. Probabilities hold where the share ``base_rate`` of all
    listings violates. Wording without a single suspicious signal has to be more telling by ``wording_alone``,
    and a window by ``window_alone``.
    """

    features: tuple[str, ...]
    feature_weights: Floats
    buckets: Ints
    bucket_weights: Floats
    intercept: Floats
    threshold: float
    base_rate: float
    wording_alone: float = WORDING_ALONE
    window_alone: float = WINDOW_ALONE

    def scaled(self, slope: float, offset: float) -> Model:
        """The same model with ``slope * log-odds + offset`` for the log-odds of a violation."""
        scale = np.array([slope] + [1.0] * len(VIOLATIONS))
        shift = np.array([offset] + [0.0] * len(VIOLATIONS))
        return replace(
            self,
            feature_weights=self.feature_weights * scale,
            bucket_weights=self.bucket_weights * scale,
            intercept=self.intercept * scale + shift,
            wording_alone=self.wording_alone * slope,
            window_alone=self.window_alone * slope,
        )

    def at_base_rate(self, rate: float) -> Model:
        """The same decisions, told as probabilities for a market in which the share ``rate`` violates."""
        shift = float(logit(rate) - logit(self.base_rate))
        threshold = float(expit(logit(self.threshold) + shift))
        return replace(self.scaled(1.0, shift), threshold=threshold, base_rate=rate)

    @cached_property
    def _bucket_row(self) -> NDArray[np.int32]:
        """Row of ``_grams`` for every possible bucket; row 0 is the weight of what was never seen."""
        rows = np.zeros(1 << linear.BUCKET_BITS, dtype=np.int32)
        rows[self.buckets] = np.arange(1, len(self.buckets) + 1)
        return rows

    @cached_property
    def _grams(self) -> tuple[Floats, Floats]:
        """Weights of the n-grams for a violation (1 + buckets,) and for its kinds (1 + buckets, 5)."""
        padded = np.vstack([np.zeros((1, self.bucket_weights.shape[1])), self.bucket_weights])
        return padded[:, 0].copy(), padded[:, 1:].copy()

    @cached_property
    def _feature_row(self) -> dict[str, int]:
        """Row of ``_signed`` for every feature."""
        return {name: row for row, name in enumerate(self.features, 1)}

    @cached_property
    def _signed(self) -> Floats:
        """(1 + features, 6): what every text starts from, then the weights of the features."""
        return np.vstack([self.intercept, self.feature_weights])

    def judge(self, batch: Sequence[Evidence]) -> Iterator[Judgement]:
        """One judgement for each piece of evidence, in order: on the whole or its most telling window."""
        parts = [part for evidence in batch for part in _parts(evidence)]
        grams = linear.ngrams([part.evidence.text for part in parts])
        by_gram = self._by_gram(grams)
        signals, odds, shares = self._weighed(parts, grams, by_gram)
        best = _best(parts, odds)
        violation = expit(odds[best])
        kinds = (softmax(self._kinds(signals, grams, best), axis=1) * violation[:, None]).tolist()
        spread = _cut(linear.spread(by_gram, grams), grams, parts, best)
        told = _most_telling([parts[n].evidence for n in best], spread, shares[best])
        for row, (n, evidence) in enumerate(zip(best, batch, strict=True)):
            part, share = parts[n], float(shares[n])
            yield Judgement(
                log_odds=float(odds[n]),
                scores=dict(zip(LABELS, [1 - float(violation[row]), *kinds[row]], strict=True)),
                contributions=self._contributions(part, len(evidence.features)),
                wording=_shifted(told[row], part.start) if abs(share) >= LEAST_SHARE else None,
                wording_share=share,
            )

    def log_odds(self, batch: Sequence[Evidence]) -> Floats:
        """(texts,) what ``judge`` finds, without the reasons."""
        if not batch:
            return np.zeros(0)
        parts = [part for evidence in batch for part in _parts(evidence)]
        grams = linear.ngrams([part.evidence.text for part in parts])
        odds = self._weighed(parts, grams, self._by_gram(grams))[1]
        return odds[_best(parts, odds)]

    def _by_gram(self, grams: NGrams) -> Floats:
        """Log-odds of a violation that each n-gram adds."""
        return self._grams[0].take(self._bucket_row[grams.bucket]) * grams.scale[grams.row]

    def _weighed(
        self, parts: Sequence[_Part], grams: NGrams, by_gram: Floats
    ) -> tuple[Floats, Floats, Floats]:
        """What signals say (parts, 6); log-odds of a violation (parts,), and wording's share in it."""
        signals, suspicious = self._of_signals([Counter(part.evidence.features) for part in parts])
        doubt = np.where(suspicious, 0.0, self.wording_alone)
        doubt += np.where([part.whole for part in parts], 0.0, self.window_alone)
        shares = linear.sum_by_row(by_gram[:, None], grams.row, len(parts))[:, 0] - doubt
        return signals, signals[:, 0] + shares, shares

    def _kinds(self, signals: Floats, grams: NGrams, best: Sequence[int]) -> Floats:
        """(best, 5) log-odds of the kinds of violation for the parts numbered ``best``."""
        here = np.isin(grams.row, best)
        row = grams.row[here]
        # take: half the time of an index
        weights = self._grams[1].take(self._bucket_row[grams.bucket[here]], axis=0)
        weights *= grams.scale[row, None]
        kinds: Floats = (signals[:, 1:] + linear.sum_by_row(weights, row, len(signals)))[best]
        return kinds

    def _of_signals(self, counts: Sequence[Counter[str]]) -> tuple[Floats, NDArray[np.bool_]]:
        """Log-odds (parts, 6) by the signals alone, and where one of them is suspicious (parts,)."""
        rows = self._feature_row
        known = [[(0, 1), *((rows[name], n) for name, n in of.items() if name in rows)] for of in counts]
        feature, count = np.array([pair for of in known for pair in of]).T
        row = np.repeat(np.arange(len(known)), [len(of) for of in known])
        weights = self._signed[feature] * _STRENGTHS[np.minimum(count, MOST_COUNTED), None]
        against = (weights[:, 0] > 0) & (feature > 0)
        return linear.sum_by_row(weights, row, len(known)), np.bincount(row, against, len(known)) > 0

    def _contributions(self, part: _Part, size: int) -> tuple[float, ...]:
        """Of all ``size`` signals of the listing; those of one kind share their weight."""
        each = {
            name: self._against[row] * strength(count) / count
            for name, count in Counter(part.evidence.features).items()
            if (row := self._feature_row.get(name))
        }
        mine = [each.get(feature, 0.0) for feature in part.evidence.features]
        behind = size - part.signals_before - len(mine)
        return (*[0.0] * part.signals_before, *mine, *[0.0] * behind)

    @cached_property
    def _against(self) -> list[float]:
        weights: list[float] = self._signed[:, 0].tolist()
        return weights

    def to_disk(self, path: Path) -> None:
        path.mkdir(parents=True, exist_ok=True)
        np.save(path / "buckets.npy", self.buckets.astype(np.uint32))
        np.save(path / "bucket_weights.npy", self.bucket_weights.astype(np.float16))
        rows = zip(self.features, self.feature_weights, strict=True)
        readable = {
            "threshold": self.threshold,
            "base_rate": round(self.base_rate, 4),
            "wording_alone": round(self.wording_alone, 4),
            "window_alone": round(self.window_alone, 4),
            "intercept": _rounded(self.intercept),
            "features": {name: _rounded(weights) for name, weights in rows},
        }
        text = json.dumps(readable, ensure_ascii=False, indent=1)
        (path / "weights.json").write_text(text + "\n", encoding="utf-8")

    @classmethod
    def from_disk(cls, path: Path) -> Model:
        readable = json.loads((path / "weights.json").read_text(encoding="utf-8"))
        return cls(
            features=tuple(readable["features"]),
            feature_weights=np.array(list(readable["features"].values())),
            buckets=np.load(path / "buckets.npy").astype(np.int64),
            bucket_weights=np.load(path / "bucket_weights.npy").astype(np.float64),
            intercept=np.array(readable["intercept"]),
            threshold=readable["threshold"],
            base_rate=readable["base_rate"],
            wording_alone=readable["wording_alone"],
            window_alone=readable["window_alone"],
        )


def strength(count: int) -> float:
    """What ``count`` signals of one kind weigh against one: repeating a word is no new reason."""
    return 1 + math.log(min(count, MOST_COUNTED))


def windows_of(listing: Evidence) -> list[Evidence]:
    """What a listing is judged by besides the whole of it."""
    return [part.evidence for part in _parts(listing)][1:]


def _parts(listing: Evidence) -> Iterator[_Part]:
    yield _Part(listing)
    for start, end in windows(listing.text):
        first, last = bisect_left(listing.places, start), bisect_left(listing.places, end)
        inside = Evidence(listing.text[start:end], listing.features[first:last], listing.places[first:last])
        yield _Part(inside, whole=False, start=start, signals_before=first)


def _best(parts: Sequence[_Part], odds: Floats) -> list[int]:
    """For each listing the number of the part with the highest log-odds."""
    wholes = [n for n, part in enumerate(parts) if part.whole]
    return [first + int(odds[first:end].argmax()) for first, end in pairwise([*wholes, len(parts)])]


def _cut(by_character: Floats, grams: NGrams, parts: Sequence[_Part], chosen: Sequence[int]) -> Floats:
    """The stretches of ``by_character`` that belong to the ``chosen`` parts, joined."""
    if len(chosen) == len(parts):
        return by_character
    starts = grams.starts.tolist()
    return np.concatenate([by_character[starts[n] : starts[n] + len(parts[n].evidence.text)] for n in chosen])


def _shifted(span: tuple[int, int] | None, by: int) -> tuple[int, int] | None:
    return (span[0] + by, span[1] + by) if span else None


def _rounded(values: Floats) -> list[float]:
    """Four decimals: enough for a log-odds, and free of the last bits in which processors differ."""
    return [round(float(value), 4) for value in values]


def _most_telling(
    batch: Sequence[Evidence], by_character: Floats, shares: Floats
) -> list[tuple[int, int] | None]:
    """For each text the stretch of one line that carries most of the n-grams' share."""
    lengths = np.array([len(evidence.text) for evidence in batch])
    starts = np.cumsum(lengths) - lengths
    joined = "".join(evidence.text for evidence in batch)
    line_end = np.frombuffer(joined.encode("utf-32-le"), np.uint32) == ord("\n")
    told: list[tuple[int, int] | None] = [None] * len(batch)
    # At once texts of which none is twice as long as another: a sixth of the time of one after the other.
    sizes = np.frexp(lengths)[1]
    for size in np.unique(sizes[lengths > 0]):
        rows = np.flatnonzero(sizes == size)
        at = np.arange(lengths[rows].max())
        places = np.minimum(starts[rows, None] + at, len(joined) - 1)
        weight = by_character[places] * np.copysign(1, shares[rows, None])
        weight[(at >= lengths[rows, None]) | line_end[places]] = -_NEVER
        for row, (value, start, length) in zip(rows.tolist(), _heaviest(weight), strict=True):
            told[row] = (start, start + length) if value > 0 else None
    return told


def _heaviest(weight: Floats) -> Iterator[tuple[float, int, int]]:
    """Sum, start and length of the heaviest stretch of each row; of equal ones the first, the longest."""
    until = np.zeros((len(weight), weight.shape[1] + 1))
    np.cumsum(weight, axis=1, out=until[:, 1:])
    best, first, long = np.zeros(len(weight)), np.zeros(len(weight), int), np.zeros(len(weight), int)
    for length in STRETCHES:
        if length < until.shape[1]:
            sums = until[:, length:] - until[:, :-length]
            start = sums.argmax(axis=1)
            value = sums[np.arange(len(weight)), start]
            better = (value > best) | ((value == best) & (start <= first))
            best, first, long = (
                np.where(better, new, old) for new, old in ((value, best), (start, first), (length, long))
            )
    return zip(best.tolist(), first.tolist(), long.tolist(), strict=True)
