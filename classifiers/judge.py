"""The trained model: log-odds of a violation from signals and n-grams, and which kind of violation it is."""

from __future__ import annotations

import json
import math
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
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
WORDING_ALONE = 0.25  # highest probability without a single suspicious signal; below every threshold
LEAST_SHARE = 0.05  # log-odds below this are not worth a line on the screen


@dataclass(frozen=True, slots=True)
class Evidence:
    """Canonical text and one feature name for each signal."""

    text: str
    features: Sequence[str]


@dataclass(frozen=True, slots=True)
class Judgement:
    """``contributions`` go with the signals; ``wording`` is the most telling span of the canonical text."""

    scores: dict[Label, float]
    contributions: tuple[float, ...]
    wording: tuple[int, int] | None
    wording_share: float


@dataclass(frozen=True)
class Model:
    """A linear model: column 0 is violation against benign, calibrated; columns 1 to 5 are its kind.

    ``feature_weights`` (features, 6), ``bucket_weights`` (buckets, 6), ``intercept`` (6,). ``threshold`` is
    the probability from which a listing is flagged. The wording alone, without a single suspicious signal,
    stays below it: nothing is flagged for its style.
    """

    features: tuple[str, ...]
    feature_weights: Floats
    buckets: Ints
    bucket_weights: Floats
    intercept: Floats
    threshold: float

    @cached_property
    def _bucket_row(self) -> NDArray[np.int32]:
        """Row of ``_padded`` for every possible bucket; row 0 is the weight of what was never seen."""
        rows = np.zeros(1 << linear.BUCKET_BITS, dtype=np.int32)
        rows[self.buckets] = np.arange(1, len(self.buckets) + 1)
        return rows

    @cached_property
    def _padded(self) -> Floats:
        return np.vstack([np.zeros((1, self.bucket_weights.shape[1])), self.bucket_weights])

    @cached_property
    def _feature_row(self) -> dict[str, int]:
        return {name: row for row, name in enumerate(self.features)}

    def judge(self, batch: Sequence[Evidence]) -> Iterator[Judgement]:
        """One judgement for each piece of evidence, in order."""
        grams = linear.ngrams([evidence.text for evidence in batch])
        weights = self._padded[self._bucket_row[grams.bucket]] * grams.scale[grams.row, None]
        shares = linear.sum_by_row(weights, grams.row, len(batch))
        by_character = linear.spread(weights[:, 0], grams)
        for row, evidence in enumerate(batch):
            here = slice(grams.starts[row], grams.starts[row] + len(evidence.text))
            yield self._one(evidence, shares[row], by_character[here])

    def _one(self, evidence: Evidence, shares: Floats, by_character: Floats) -> Judgement:
        counts = Counter(evidence.features)
        known = {f: self.feature_weights[self._feature_row[f]] * strength(n) for f, n in counts.items()
                 if f in self._feature_row}  # fmt: skip
        signals = sum(known.values(), self.intercept)
        each = {f: float(weight[0]) / counts[f] for f, weight in known.items()}
        share = float(shares[0])
        if not any(weight > 0 for weight in each.values()):
            share = min(share, float(logit(WORDING_ALONE) - signals[0]))
        violation = float(expit(signals[0] + share))
        kinds = softmax(signals[1:] + shares[1:])
        scores = {label: violation * float(p) for label, p in zip(VIOLATIONS, kinds, strict=True)}
        wording = _most_telling(evidence.text, by_character, share) if abs(share) >= LEAST_SHARE else None
        return Judgement(
            {Label.BENIGN: 1 - violation} | scores,
            tuple(each.get(feature, 0.0) for feature in evidence.features),
            wording,
            share,
        )

    def to_disk(self, path: Path) -> None:
        path.mkdir(parents=True, exist_ok=True)
        np.save(path / "buckets.npy", self.buckets.astype(np.uint32))
        np.save(path / "bucket_weights.npy", self.bucket_weights.astype(np.float16))
        rows = zip(self.features, self.feature_weights, strict=True)
        readable = {
            "threshold": self.threshold,
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
        )


def strength(count: int) -> float:
    """What ``count`` signals of one kind weigh against one: repeating a word is no new reason."""
    return 1 + math.log(min(count, 4))


def _rounded(values: Floats) -> list[float]:
    """Four decimals: enough for a log-odds, and free of the last bits in which processors differ."""
    return [round(float(value), 4) for value in values]


def _most_telling(text: str, by_character: Floats, share: float) -> tuple[int, int] | None:
    """The stretch of one line that carries most of the n-grams' share."""
    weight = by_character * math.copysign(1, share)
    weight[[i for i, char in enumerate(text) if char == "\n"]] = -math.inf
    best: tuple[float, int, int] = (0.0, 0, 0)
    for length in WINDOWS:
        if length <= len(text):
            sums = np.convolve(weight, np.ones(length), "valid")
            start = int(np.nanargmax(np.where(np.isfinite(sums), sums, -math.inf)))
            best = max(best, (float(sums[start]), -start, length))
    value, minus_start, length = best
    return (-minus_start, length - minus_start) if value > 0 else None
