"""Listing text in, Verdict out. No crawling, no SQL."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from classifiers.classifier import Classifier


def load(lexicon_dir: Path | None = None) -> Classifier:
    """The shipped classifier, with the lexicon of ``lexicon_dir`` (default: ``config/lexicon``).

    Raises :class:`classifiers.yamlfile.ConfigError` for a lexicon that cannot be used.
    """
    from classifiers import (
        classifier,
    )  # spaCy takes a second to import, which settings files need not wait for

    return classifier.load(lexicon_dir)
