"""A first look that lets clearly ordinary goods pass in microseconds.

It bounds the log-odds of the full verdict from above, for a whole batch at once: every word that might be
one of the lexicon's counts, at its highest weight. Text in which any trick was undone, or that may hold the
number of a licence, is not bounded but always looked at in full.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray
from scipy.special import logit

from classifiers import claims, linear, measures
from classifiers.judge import MOST_STRENGTH, Model
from classifiers.lexicon import Lexicon, Suspect
from classifiers.linear import Floats
from classifiers.normalize_folding import FOLD, fold_batch
from classifiers.normalize_rules import RULES
from classifiers.signals import HIDDEN_WORD, features_of

# Between two texts. Nothing is read across it, tags least of all: one that is left open in a text would
# swallow the next.
_BETWEEN = "\n<\n"


@dataclass(frozen=True)
class Screen:
    """Says which texts need the full look; those it lets pass would not be flagged."""

    lexicon: Lexicon
    model: Model

    def needs_look(self, texts: Sequence[str]) -> NDArray[np.bool_]:
        """(texts,) False where the log-odds of a violation certainly stay below the threshold.

        ``texts`` are listings as laid out by :mod:`classifiers.listing_text`.
        """
        folded = fold_batch(texts)
        batch = _BETWEEN.join(folded)
        starts = np.cumsum([0, *(len(text) + len(_BETWEEN) for text in folded)])[:-1].tolist()
        suspects = list(self.lexicon.suspects(batch))
        signals = self._signals(folded, suspects, starts)
        wording = self._wording(folded) - np.where(signals > 0, 0.0, self.model.wording_alone)
        bound = signals + wording + self.model.intercept[0]
        look: NDArray[np.bool_] = bound >= logit(self.model.threshold)
        look[[row for row, text in enumerate(texts) if not FOLD.special.isdisjoint(text)]] = True
        look[[bisect_right(starts, at) - 1 for at in _unbounded(batch, suspects)]] = True
        return look

    def _signals(self, folded: Sequence[str], suspects: Sequence[Suspect], starts: Sequence[int]) -> Floats:
        """(texts,) the most that words and measures might add."""
        found = {(bisect_right(starts, at) - 1, feature) for at, feature in _possible_words(suspects)}
        # Text by text: each passes over the forms of which it has no character.
        found.update((row, one.concept) for row, text in enumerate(folded) for one in measures.find(text))
        total = np.zeros(len(starts))
        for row, feature in found:
            total[row] += self._most.get(feature, 0.0)
        return total

    @cached_property
    def _most(self) -> dict[str, float]:
        """What a signal that speaks against a listing can add at most."""
        weights = zip(self.model.features, self.model.feature_weights[:, 0], strict=True)
        return {feature: float(weight) * MOST_STRENGTH for feature, weight in weights if weight > 0}

    def _wording(self, folded: Sequence[str]) -> Floats:
        grams = linear.ngrams(folded)
        weights = self.model.wording_weights(grams.bucket) * grams.scale[grams.row]
        return np.bincount(grams.row, weights, minlength=len(folded)).astype(np.float64)


def _possible_words(suspects: Sequence[Suspect]) -> Iterator[tuple[int, str]]:
    """Place and feature of all that words might put on the scales."""
    for at, entry, via in suspects:
        yield from ((at, feature) for feature in features_of(entry))
        if via != "plain":
            yield at, HIDDEN_WORD


def _unbounded(batch: str, suspects: Sequence[Suspect]) -> Iterator[int]:
    """Places of which the bound does not speak: tricks, numbers of licences, words turned round."""
    yield from (edit[0] for rule in RULES for edit in rule(batch))
    yield from (match.start() for match in claims.WORTH_A_LOOK.finditer(batch))
    yield from (at for at, _, via in suspects if via == "reordered")
