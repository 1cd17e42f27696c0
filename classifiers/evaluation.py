"""How good the classifier is on listings that it has not learnt from."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from classifiers.classifier import Classifier
from classifiers.evasion import TRICKS, evade
from classifiers.labelled import CATALOGUE, Row, split_of
from classifiers.linear import Floats
from classifiers.verdict import Verdict

RESAMPLES = 1000
BINS = 10  # equally wide, for the calibration error
Z = 1.96  # 95 %
LENGTHS = (("up to 12 characters", 12), ("13 to 30 characters", 30), ("longer", 10**9))
COMMON_WORDS = (
    "电子烟",
    "烟弹",
    "烟油",
    "烟杆",
    "小烟",
    "雾化弹",
    "vape",
    "e-cig",
    "ecig",
    "pod",
    "e-liquid",
    "nicotine",
)

Flags = NDArray[np.bool_]


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
    """``recall`` and ``lawful_flagged`` are by group; a group without rows is left out."""

    rows: int
    violating: int
    precision: Rate
    f1: tuple[float, float, float]  # value, and the bounds of its 95 % bootstrap interval
    calibration_error: float
    reliability: tuple[tuple[float, float, int], ...]  # stated probability, observed share, rows; by bin
    recall: dict[str, Rate]
    lawful_flagged: dict[str, Rate]


def wilson(hits: int, total: int) -> Rate:
    """Raises ``ValueError`` for no trials at all: no rate can be given for that."""
    if total == 0:
        raise ValueError("no rows of this sort: no rate can be given")
    p, n = hits / total, total
    centre = (p + Z * Z / (2 * n)) / (1 + Z * Z / n)
    half = Z * np.sqrt(p * (1 - p) / n + Z * Z / (4 * n * n)) / (1 + Z * Z / n)
    return Rate(hits, total, max(0.0, float(centre - half)), min(1.0, float(centre + half)))


def evaluate(classifier: Classifier, rows: Sequence[Row]) -> Evaluation:
    """Figures of ``classifier`` on ``rows``. Rows of the training split are refused."""
    if any(split_of(row.id) == "train" for row in rows):
        raise ValueError("rows of the training split: a model is not judged by what it has learnt from")
    verdicts = list(classifier.classify_many(row.listing for row in rows))
    flagged = np.array([verdict.flagged for verdict in verdicts])
    return figures(rows, np.array([verdict.score for verdict in verdicts]), flagged)


def figures(rows: Sequence[Row], score: Floats, flagged: Flags) -> Evaluation:
    """Figures for calibrated scores and flags, however they were come by.

    Bare titles of the catalogue count as a group of lawful rows of their own and nowhere else.
    """
    y = np.array([row.violating for row in rows])
    listing = np.array([row.platform != CATALOGUE for row in rows])
    judged = list(zip(rows, flagged, strict=True))
    return Evaluation(
        rows=int(listing.sum()),
        violating=int(y.sum()),
        precision=wilson(int((flagged & y).sum()), int(flagged[listing].sum())),
        f1=_f1_interval(flagged[listing], y[listing]),
        calibration_error=calibration_error(score[listing], y[listing]),
        reliability=tuple(_reliability(score[listing], y[listing])),
        recall=_rates((pair for pair in judged if pair[0].violating), _groups_of_a_violation),
        lawful_flagged=_rates((pair for pair in judged if not pair[0].violating), _groups_of_a_lawful_row),
    )


def f1(flagged: Flags, y: Flags) -> float:
    return float(2 * (flagged & y).sum() / (flagged.sum() + y.sum()))


def calibration_error(score: Floats, y: Flags) -> float:
    """Expected calibration error over ``BINS`` bins: mean gap between stated and observed frequency."""
    return sum(abs(stated - seen) * count for stated, seen, count in _reliability(score, y)) / len(y)


def evaded(rows: Sequence[Row], words: Callable[[Row], Iterable[str]], kind: str) -> list[Row]:
    """``rows`` with one trick of :mod:`classifiers.evasion` played on the telling words of each."""
    changed = ((row, evade(row.listing, words(row), kind)) for row in rows)
    return [row.model_copy(update=listing.model_dump(include={"title", "description", "attributes"}))
            for row, listing in changed]  # fmt: skip


def telling_words(row: Row) -> list[str]:
    """The words that the writer of a row noted, shortest first."""
    return sorted(row.signals, key=len)


def cost_of_tricks(classifier: Classifier, rows: Sequence[Row]) -> dict[str, tuple[Rate, Rate]]:
    """For each trick the recall on violating ``rows`` whose text it changes: as they are, and evaded."""
    found = {}
    for kind in TRICKS:
        pairs = zip(rows, evaded(rows, telling_words, kind), strict=True)
        changed = [(row, other) for row, other in pairs if row.violating and row.listing != other.listing]
        if changed:
            plain, tricked = zip(*changed, strict=True)
            found[kind] = (_recall(classifier, plain), _recall(classifier, tricked))
    return found


def render(result: Evaluation) -> str:
    """The figures as Markdown, for the terminal and the model card."""
    value, low, high = result.f1
    lines = [
        f"{result.rows} listings, {result.violating} violating, 95 % intervals",
        "",
        "| Figure | Value |",
        "|---|---|",
        f"| F1 | {value:.3f} [{low:.3f}, {high:.3f}] |",
        f"| precision | {result.precision} |",
        f"| calibration error | {result.calibration_error:.3f} |",
        *(f"| recall, {name} | {rate} |" for name, rate in result.recall.items()),
        *(f"| lawful but flagged, {name} | {rate} |" for name, rate in result.lawful_flagged.items()),
        "",
        "| Stated probability | Observed | Listings |",
        "|---|---|---|",
        *(f"| {stated:.2f} | {seen:.2f} | {count} |" for stated, seen, count in result.reliability),
    ]
    return "\n".join(lines)


def render_tricks(cost: dict[str, tuple[Rate, Rate]]) -> str:
    """Recall before and after each trick, as Markdown."""
    head = ["| Trick | Listings | Recall | Recall evaded | Points |", "|---|---|---|---|---|"]
    return "\n".join([*head, *(_row_of_trick(kind, *rates) for kind, rates in cost.items())])


def _row_of_trick(kind: str, plain: Rate, tricked: Rate) -> str:
    points = (tricked.value - plain.value) * 100
    return f"| {kind} | {plain.total} | {plain.value:.3f} | {tricked.value:.3f} | {points:+.1f} |"


def _recall(classifier: Classifier, rows: Sequence[Row]) -> Rate:
    verdicts: Iterable[Verdict] = classifier.classify_many(row.listing for row in rows)
    return wilson(sum(verdict.flagged for verdict in verdicts), len(rows))


def _f1_interval(flagged: Flags, y: Flags) -> tuple[float, float, float]:
    random = np.random.default_rng(0)  # the interval must not change from run to run
    draws = random.integers(0, len(y), (RESAMPLES, len(y)))
    low, high = np.quantile([f1(flagged[draw], y[draw]) for draw in draws], [0.025, 0.975])
    return f1(flagged, y), float(low), float(high)


def _reliability(score: Floats, y: Flags) -> Iterable[tuple[float, float, int]]:
    bin_of = np.minimum((score * BINS).astype(int), BINS - 1)
    for here in (bin_of == b for b in range(BINS)):
        if here.any():
            yield float(score[here].mean()), float(y[here].mean()), int(here.sum())


def _groups_of_a_violation(row: Row) -> Iterable[str]:
    yield "all"
    yield f"label {row.label.value}"
    text = f"{row.title} {row.description} {row.attributes} {row.shop}".lower()
    yield "with a common word" if any(word in text for word in COMMON_WORDS) else "without a common word"
    yield f"text of {next(name for name, most in LENGTHS if len(row.title + row.description) <= most)}"
    yield from (f"evasion {kind}" for kind in row.evasion)


def _groups_of_a_lawful_row(row: Row) -> Iterable[str]:
    if row.platform == CATALOGUE:
        yield "catalogue"
        return
    yield "all"
    yield f"near {row.near or 'unsorted'}"


def _rates(judged: Iterable[tuple[Row, np.bool_]], groups: Callable[[Row], Iterable[str]]) -> dict[str, Rate]:
    seen: dict[str, list[bool]] = {}
    for row, flag in judged:
        for group in groups(row):
            seen.setdefault(group, []).append(bool(flag))
    return {group: wilson(sum(flags), len(flags)) for group, flags in sorted(seen.items())}
