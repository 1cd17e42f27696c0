"""How well the way of training does on rows and covers that were kept from it.

Every score comes from a model fitted without the rows that it judges. Calibration and threshold of each fold
come from the scores of the other folds.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass, replace
from functools import partial
from multiprocessing import get_context
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
from scipy.special import expit

from classifiers import classifier, evaluation, training
from classifiers import lexicon as lexicons
from classifiers.evaluation import Flags, Rate, wilson
from classifiers.labelled import Row
from classifiers.linear import Floats

PROCESSES = 2  # a fit works on one core and takes about 1 GB
FEWEST = 25  # rows; a cover of fewer is left out of the table, its interval would say nothing


@dataclass(frozen=True)
class LeftOut:
    """Recall on one group when its rows were learnt from (other folds) and when none of them was."""

    group: str
    known: Rate
    left_out: Rate


@dataclass(frozen=True)
class Folded:
    """(rows,) ``score`` and ``flagged`` of each row by its fold; ``limit``: the threshold as raw log-odds."""

    score: Floats
    flagged: Flags
    limit: float


def folds(rows: Sequence[Row], lexicon_dir: Path = lexicons.DIRECTORY) -> Folded:
    """Scores by :data:`training.FOLDS` folds of whole blocks."""
    fold, log_odds = training.folds_of(rows), np.zeros(len(rows))
    masks = [fold == k for k in np.unique(fold)]
    for mask, found in zip(masks, _fitted_without(rows, masks, lexicon_dir), strict=True):
        log_odds[mask] = found
    score, flagged = np.zeros(len(rows)), np.zeros(len(rows), dtype=bool)
    for mask in masks:
        others = [row for row, here in zip(rows, mask, strict=True) if not here]
        point = training.operating_point(others, log_odds[~mask])
        score[mask] = expit(point.slope * log_odds[mask] + point.offset)
        flagged[mask] = score[mask] >= point.threshold
    return Folded(score, flagged, training.operating_point(rows, log_odds).log_odds)


def leave_out(
    rows: Sequence[Row],
    groups_of: Callable[[Row], Sequence[str]],
    folded: Folded,
    lexicon_dir: Path = lexicons.DIRECTORY,
) -> Iterator[LeftOut]:
    """Recall on each group of violating rows when no row of the group was learnt from."""
    members: dict[str, list[int]] = {}
    for n, row in enumerate(rows):
        for group in groups_of(row) if row.violating else ():
            members.setdefault(group, []).append(n)
    groups = {name: np.array(at) for name, at in sorted(members.items()) if len(at) >= FEWEST}
    masks = [np.isin(np.arange(len(rows)), at) for at in groups.values()]
    for (name, at), log_odds in zip(groups.items(), _fitted_without(rows, masks, lexicon_dir), strict=True):
        known, unknown = folded.flagged[at], log_odds >= folded.limit
        yield LeftOut(name, wilson(int(known.sum()), len(at)), wilson(int(unknown.sum()), len(at)))


def cost_of_unknown_tricks(
    rows: Sequence[Row], unseen: Sequence[Row], folded: Folded, lexicon_dir: Path = lexicons.DIRECTORY
) -> dict[str, tuple[Rate, Rate]]:
    """What each trick costs on ``unseen`` rows when the model was never shown a trick by a program."""
    model = training.fit(rows, lexicons.load(lexicon_dir), tricks=(), kinds=False)
    with TemporaryDirectory() as folder:
        training.save(replace(model, threshold=float(expit(folded.limit))), Path(folder), lexicon_dir)
        return evaluation.cost_of_tricks(classifier.load(lexicon_dir, Path(folder)), unseen)


def _fitted_without(rows: Sequence[Row], masks: Sequence[Flags], lexicon_dir: Path) -> Iterator[Floats]:
    """For each mask the log-odds of its rows by a model fitted on all others."""
    work = partial(_one, rows, lexicon_dir)
    with ProcessPoolExecutor(PROCESSES, mp_context=get_context("spawn")) as pool:
        yield from pool.map(work, masks)


def _one(rows: Sequence[Row], lexicon_dir: Path, mask: Flags) -> Floats:
    return training.without(rows, mask, lexicons.load(lexicon_dir))


def covers(row: Row) -> list[str]:
    """The cover under which a disguised row sells; rows without a cover have none."""
    return [row.cover] if row.cover else []


def render(title: str, table: Iterable[LeftOut]) -> str:
    """A table of groups left out, and the recall over all of them, as Markdown."""
    table = list(table)
    total = sum(one.left_out.total for one in table)
    known, unknown = (sum(getattr(one, side).hits for one in table) / total for side in ("known", "left_out"))
    return "\n".join(
        [
            f"| {title} | Listings | Recall, learnt in other folds | Recall, never learnt |",
            "|---|---|---|---|",
            *(
                f"| {one.group} | {one.known.total} | {one.known.value:.3f} | {one.left_out} |"
                for one in table
            ),
            f"| all | {total} | {known:.3f} | {unknown:.3f} |",
        ]
    )
