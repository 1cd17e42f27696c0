"""How good the shipped model is on rows that neither its fit nor its threshold has seen."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from classifiers import training
from classifiers.classifier import Classifier
from classifiers.split import split_of
from classifiers.training import Row
from classifiers.verdict import Label, Verdict

RESAMPLES = 1000
BINS = 10  # equally wide, for the calibration error
Z = 1.96  # 95 %


@dataclass(frozen=True)
class Rate:
    """``hits`` of ``total`` with a 95 % Wilson interval."""

    hits: int
    total: int
    low: float
    high: float

    @property
    def value(self) -> float:
        return self.hits / self.total

    def __str__(self) -> str:
        return f"{self.value:.3f} [{self.low:.3f}, {self.high:.3f}] ({self.hits}/{self.total})"


@dataclass(frozen=True)
class Evaluation:
    rows: int
    threshold: float
    precision: Rate
    recall: Rate
    f1: tuple[float, float, float]  # value, and the bounds of its 95 % bootstrap interval
    calibration_error: float
    recall_by_label: dict[str, Rate]
    recall_by_evasion: dict[str, Rate]
    flagged_by_lookalike: dict[str, Rate]  # lawful goods, by the world that they resemble
    right_kind: Rate  # of the violations flagged, those given the right label


def wilson(hits: int, total: int) -> Rate:
    """Raises ``ValueError`` for no trials at all: no rate can be given for that."""
    if total == 0:
        raise ValueError("no rows of this sort: no rate can be given")
    p, n = hits / total, total
    centre = (p + Z * Z / (2 * n)) / (1 + Z * Z / n)
    half = Z * np.sqrt(p * (1 - p) / n + Z * Z / (4 * n * n)) / (1 + Z * Z / n)
    return Rate(hits, total, max(0.0, float(centre - half)), min(1.0, float(centre + half)))


def evaluate(classifier: Classifier, rows: Sequence[Row] | None = None) -> Evaluation:
    """Figures on ``rows``, by default the test split. Rows of the training split are refused."""
    rows = training.rows("test") if rows is None else rows
    if any(split_of(row.id) == "train" for row in rows):
        raise ValueError("rows of the training split: a model is not judged by what it has learnt from")
    verdicts = list(classifier.classify_many(row.listing for row in rows))
    y = np.array([row.label is not Label.BENIGN for row in rows])
    flagged = np.array([verdict.flagged for verdict in verdicts])
    score = np.array([verdict.score for verdict in verdicts])
    judged = list(zip(rows, verdicts, strict=True))
    return Evaluation(
        rows=len(rows),
        threshold=classifier.threshold,
        precision=wilson(int((flagged & y).sum()), int(flagged.sum())),
        recall=wilson(int((flagged & y).sum()), int(y.sum())),
        f1=_f1_interval(flagged, y),
        calibration_error=calibration_error(score, y),
        recall_by_label=_rates((pair for pair in judged if _bad(pair)), lambda row: [row.label.value]),
        recall_by_evasion=_rates((pair for pair in judged if _bad(pair)), lambda row: row.evasion),
        flagged_by_lookalike=_rates((p for p in judged if not _bad(p)), lambda row: [row.near or "unsorted"]),
        right_kind=_right_kind(judged),
    )


def calibration_error(score: NDArray[np.float64], y: NDArray[np.bool_]) -> float:
    """Expected calibration error over ``BINS`` bins: mean gap between stated and observed frequency."""
    bin_of = np.minimum((score * BINS).astype(int), BINS - 1)
    gaps = (abs(float(score[bin_of == b].sum() - y[bin_of == b].sum())) for b in range(BINS))
    return sum(gaps) / len(y)


def render(result: Evaluation) -> str:
    """The figures as Markdown, for the terminal and the model card."""
    value, low, high = result.f1
    lines = [
        f"{result.rows} held-out rows, threshold {result.threshold:.2f}, 95 % intervals",
        "",
        "| Figure | Value |",
        "|---|---|",
        f"| precision | {result.precision} |",
        f"| recall | {result.recall} |",
        f"| F1 | {value:.3f} [{low:.3f}, {high:.3f}] |",
        f"| calibration error | {result.calibration_error:.3f} |",
        f"| right kind among flagged violations | {result.right_kind} |",
        *(f"| recall, {name} | {rate} |" for name, rate in sorted(result.recall_by_label.items())),
        *(f"| recall, evasion {name} | {rate} |" for name, rate in sorted(result.recall_by_evasion.items())),
        *(
            f"| lawful but flagged, near {name} | {r} |"
            for name, r in sorted(result.flagged_by_lookalike.items())
        ),
    ]
    return "\n".join(lines)


def _bad(pair: tuple[Row, Verdict]) -> bool:
    return pair[0].label is not Label.BENIGN


def _f1_interval(flagged: NDArray[np.bool_], y: NDArray[np.bool_]) -> tuple[float, float, float]:
    random = np.random.default_rng(0)  # the interval must not change from run to run
    draws = random.integers(0, len(y), (RESAMPLES, len(y)))
    low, high = np.quantile([training.f1(flagged[draw], y[draw]) for draw in draws], [0.025, 0.975])
    return training.f1(flagged, y), float(low), float(high)


def _rates(judged: Iterable[tuple[Row, Verdict]], groups: Callable[[Row], Iterable[str]]) -> dict[str, Rate]:
    seen: dict[str, list[bool]] = {}
    for row, verdict in judged:
        for group in groups(row):
            seen.setdefault(group, []).append(verdict.flagged)
    return {group: wilson(sum(flags), len(flags)) for group, flags in seen.items()}


def _right_kind(judged: Iterable[tuple[Row, Verdict]]) -> Rate:
    found = [
        row.label is verdict.label
        for row, verdict in judged
        if row.label is not Label.BENIGN and verdict.flagged
    ]
    return wilson(sum(found), len(found))
