"""Listing text in, Verdict out. No crawling, no SQL."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from classifiers.classifier import Classifier


def load(
    lexicon_dir: Path | None = None, model_dir: Path | None = None, base_rate: float | None = None
) -> Classifier:
    """The classifier of ``model_dir`` (default: the shipped one) with the lexicon of ``lexicon_dir``
    (default: ``config/lexicon``).

    ``base_rate``: the share of violating listings that the probabilities assume (default: that of the corpus
    it was trained on). It changes no decision.

    Raises :class:`classifiers.yamlfile.ConfigError` for a lexicon that cannot be used.
    """
    from classifiers import (
        classifier,
    )  # spaCy takes a second to import, which settings files need not wait for

    return classifier.load(lexicon_dir, model_dir or classifier.MODEL, base_rate)
