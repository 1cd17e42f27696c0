"""The trained model: log-odds of a violation from signals and n-grams, and which kind of violation it is."""

from __future__ import annotations

import json
import math
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from scipy.special import expit, logit, softmax

from classifiers import linear
from classifiers.linear import Floats, Ints
from classifiers.verdict import Label

VIOLATIONS = tuple(label for label in Label if label is not Label.BENIGN)
WINDOWS = (2, 3, 4, 6, 9, 14)  # lengths of the stretch of words shown for the n-grams' share, in characters
# Log-odds that wording has to bring along when no signal is suspicious: style alone is weak evidence.
WORDING_ALONE = 1.0
_NEVER = 1e6  # no stretch of words reaches that log-odds
MOST_COUNTED = 4  # signals of one kind
MOST_STRENGTH = 1 + math.log(MOST_COUNTED)
LEAST_SHARE = 0.05  # log-odds below this are not worth a line on the screen


@dataclass(frozen=True, slots=True)
class Evidence:
    """Canonical text and one feature name for each signal."""

    text: str
    features: Sequence[str]


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
    listings violates. Wording without a single suspicious signal has to be more telling by ``wording_alone``.
    """

    features: tuple[str, ...]
    feature_weights: Floats
    buckets: Ints
    bucket_weights: Floats
    intercept: Floats
    threshold: float
    base_rate: float
    wording_alone: float = WORDING_ALONE

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
        )

    def at_base_rate(self, rate: float) -> Model:
        """The same decisions, told as probabilities for a market in which the share ``rate`` violates."""
        shift = float(logit(rate) - logit(self.base_rate))
        threshold = float(expit(logit(self.threshold) + shift))
        return replace(self.scaled(1.0, shift), threshold=threshold, base_rate=rate)

    @cached_property
    def _bucket_row(self) -> NDArray[np.int32]:
        """Row of ``_padded`` for every possible bucket; row 0 is the weight of what was never seen."""
        rows = np.zeros(1 << linear.BUCKET_BITS, dtype=np.int32)
        rows[self.buckets] = np.arange(1, len(self.buckets) + 1)
        return rows

    @cached_property
    def _padded(self) -> Floats:
        return np.vstack([np.zeros((1, self.bucket_weights.shape[1])), self.bucket_weights])

    def wording_weights(self, buckets: Ints) -> Floats:
        """Log-odds of a violation that each n-gram bucket adds."""
        return self._padded[:, 0][self._bucket_row[buckets]]

    @cached_property
    def _feature_row(self) -> dict[str, int]:
        return {name: row for row, name in enumerate(self.features)}

    def judge(self, batch: Sequence[Evidence]) -> Iterator[Judgement]:
        """One judgement for each piece of evidence, in order."""
        grams = linear.ngrams([evidence.text for evidence in batch])
        weights = self._padded[self._bucket_row[grams.bucket]] * grams.scale[grams.row, None]
        shares = linear.sum_by_row(weights, grams.row, len(batch))
        by_character = linear.spread(weights[:, 0], grams)
        known = [self._weighed(evidence) for evidence in batch]
        shares[:, 0] -= [0.0 if any(w[0] > 0 for w in of.values()) else self.wording_alone for of in known]
        total = np.array([sum(of.values(), self.intercept) for of in known]) + shares
        violation = expit(total[:, 0])
        kinds = (softmax(total[:, 1:], axis=1) * violation[:, None]).tolist()
        for row, evidence in enumerate(batch):
            here = slice(grams.starts[row], grams.starts[row] + len(evidence.text))
            share = float(shares[row, 0])
            told = _most_telling(evidence.text, by_character[here], share)
            yield Judgement(
                log_odds=float(total[row, 0]),
                scores=dict(zip(Label, [1 - float(violation[row]), *kinds[row]], strict=True)),
                contributions=tuple(_contributions(evidence, known[row])),
                wording=told if abs(share) >= LEAST_SHARE else None,
                wording_share=share,
            )

    def _weighed(self, evidence: Evidence) -> dict[str, Floats]:
        """Weights (6,) of each kind of signal that the model knows."""
        rows = self._feature_row
        return {feature: self.feature_weights[rows[feature]] * strength(count)
                for feature, count in Counter(evidence.features).items() if feature in rows}  # fmt: skip

    def to_disk(self, path: Path) -> None:
        path.mkdir(parents=True, exist_ok=True)
        np.save(path / "buckets.npy", self.buckets.astype(np.uint32))
        np.save(path / "bucket_weights.npy", self.bucket_weights.astype(np.float16))
        rows = zip(self.features, self.feature_weights, strict=True)
        readable = {
            "threshold": self.threshold,
            "base_rate": round(self.base_rate, 4),
            "wording_alone": round(self.wording_alone, 4),
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
        )


def strength(count: int) -> float:
    """What ``count`` signals of one kind weigh against one: repeating a word is no new reason."""
    return 1 + math.log(min(count, MOST_COUNTED))


def _contributions(evidence: Evidence, weighed: Mapping[str, Floats]) -> Iterator[float]:
    """Signals of one kind share their weight."""
    counts = Counter(evidence.features)
    each = {feature: float(weight[0]) / counts[feature] for feature, weight in weighed.items()}
    return (each.get(feature, 0.0) for feature in evidence.features)


def _rounded(values: Floats) -> list[float]:
    """Four decimals: enough for a log-odds, and free of the last bits in which processors differ."""
    return [round(float(value), 4) for value in values]


def _most_telling(text: str, by_character: Floats, share: float) -> tuple[int, int] | None:
    """The stretch of one line that carries most of the n-grams' share."""
    weight = by_character * math.copysign(1, share)
    weight[[i for i, char in enumerate(text) if char == "\n"]] = -_NEVER
    until = np.concatenate([[0.0], np.cumsum(weight)])
    best: tuple[float, int, int] = (0.0, 0, 0)
    for length in WINDOWS:
        if length <= len(text):
            sums = until[length:] - until[:-length]
            start = int(sums.argmax())
            best = max(best, (float(sums[start]), -start, length))
    value, minus_start, length = best
    return (-minus_start, length - minus_start) if value > 0 else None
