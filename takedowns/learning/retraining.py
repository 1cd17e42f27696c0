"""A model of the bureau's own, from the corpus that ships and what the desk decided."""

from __future__ import annotations

import shutil
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import classifiers
from classifiers import evaluation, labelled, training
from classifiers.classifier import Classifier
from classifiers.evaluation import Evaluation, Rate, wilson
from classifiers.labelled import Row


class NoModelFolderError(ValueError):
    """The folder to write to holds something else."""


@dataclass(frozen=True)
class Measured:
    """``desk``: share of the reviewers' held-out decisions that the model agrees with; None without any."""

    corpus: Evaluation
    desk: Rate | None


@dataclass(frozen=True)
class Retrained:
    """``learnt`` rows of the desk were trained on, ``kept_back`` were not; both models are measured alike.

    ``before`` is None where there was no model to compare with.
    """

    model: Path
    learnt: int
    kept_back: int
    before: Measured | None
    after: Measured


def retrain(
    own: Sequence[Row],
    in_use: Classifier | None,
    folder: Path,
    *,
    lexicon_dir: Path,
    corpus: Path = labelled.CORPUS,
) -> Retrained:
    """Train on the corpus and the desk's ``own`` rows, write the model to ``folder`` and measure it.

    Measured are the model ``in_use`` and the new one, on rows that neither was trained on: a row keeps its
    side for ever, by its id. A model that is in ``folder`` already is replaced at once and as a whole.
    """
    _require_place(folder)
    learnt = [row for row in own if labelled.split_of(row.id) == "train"]
    kept_back = [row for row in own if labelled.split_of(row.id) != "train"]
    unseen = labelled.rows("test", corpus)
    before = _measured(in_use, unseen, kept_back) if in_use else None
    new = folder.with_name(f"{folder.name}.new")
    shutil.rmtree(new, ignore_errors=True)
    if folder.exists():
        shutil.copytree(folder, new)  # with its card
    training.save(training.train(corpus, lexicon_dir, extra=learnt), new, lexicon_dir)
    after = _measured(classifiers.load(lexicon_dir, new), unseen, kept_back)
    _replace(folder, new)
    return Retrained(folder, len(learnt), len(kept_back), before, after)


def render(result: Retrained) -> str:
    """The models side by side, for the terminal."""
    names = ("held-out rows", "precision", "recall", "F1", "calibration error", "agrees with the desk")
    before = [("before", result.before)] if result.before else []
    columns = [("", *names), *(_column(title, found) for title, found in (*before, ("after", result.after)))]
    lines = ("".join(f"{cell:34}" for cell in line).rstrip() for line in zip(*columns, strict=True))
    learnt = f"learnt from {result.learnt} decisions, {result.kept_back} kept back to measure with"
    return "\n".join([str(result.model), learnt, *lines])


def _column(title: str, measured: Measured) -> tuple[str, ...]:
    found = measured.corpus
    recall = wilson(found.precision.hits, found.violating)
    f1 = "{:.3f} [{:.3f}, {:.3f}]".format(*found.f1)
    desk = "-" if measured.desk is None else str(measured.desk)
    return (
        title,
        str(found.rows),
        str(found.precision),
        str(recall),
        f1,
        f"{found.calibration_error:.3f}",
        desk,
    )


def _require_place(folder: Path) -> None:
    if folder.exists() and not (folder / "meta.json").exists():
        raise NoModelFolderError(f"{folder} holds no model: name a folder that is new or holds one")


def _measured(classifier: Classifier, unseen: Sequence[Row], own: Sequence[Row]) -> Measured:
    verdicts = classifier.classify_many(row.listing for row in own)
    agreed = sum(verdict.flagged == row.violating for row, verdict in zip(own, verdicts, strict=True))
    return Measured(evaluation.evaluate(classifier, unseen), wilson(agreed, len(own)) if own else None)


def _replace(folder: Path, new: Path) -> None:
    old = folder.with_name(f"{folder.name}.old")
    shutil.rmtree(old, ignore_errors=True)  # where the last time was cut short
    if folder.exists():
        folder.rename(old)
    new.rename(folder)
    shutil.rmtree(old, ignore_errors=True)
