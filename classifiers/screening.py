"""A first look that lets clearly ordinary goods pass at a fraction of the cost of a verdict.

It bounds the log-odds of the full verdict from above, for a whole batch at once: every word that might be one
of the lexicon's counts, and none that speaks for the goods. What the bound leaves open is weighed exactly,
yet not explained.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray
from scipy.special import logit

from classifiers import claims, measures, signals
from classifiers.judge import MOST_COUNTED, Evidence, Model, strength
from classifiers.lexicon import Lexicon
from classifiers.linear import Floats
from classifiers.normalize import Normalized, normalize_many
from classifiers.signals import HIDDEN_WORD, HIDING, features_of

_ROUNDING = 1e-6  # the verdict adds up the same numbers in another order
_Counts = Counter[str]  # signals of each feature


@dataclass(frozen=True)
class Screen:
    """Says which texts need the full look; those it lets pass would not be flagged."""

    lexicon: Lexicon
    model: Model

    def needs_look(self, texts: Sequence[str]) -> NDArray[np.bool_]:
        """(texts,) False where the log-odds of a violation certainly stay below the threshold.

        ``texts`` are listings as laid out by :mod:`classifiers.listing_text`.
        """
        norms = normalize_many(texts)
        wording = self._wording(norms)
        most = self._most(norms)
        # Ever closer to the truth for ever fewer: of a catalogue 44 %, 9 % and 2 % are left.
        rows = self._reaching(np.arange(len(texts)), wording, self._with_possible_measures(norms, most))
        rows = self._reaching(rows, wording, self._with_measures(rows, norms, most))
        found = signals.find_many([texts[row] for row in rows], self.lexicon)
        odds = self.model.log_odds([one.evidence for one in found])
        look = np.zeros(len(texts), dtype=np.bool_)
        look[rows[odds >= self._limit]] = True
        return look

    @property
    def _limit(self) -> float:
        return float(logit(self.model.threshold)) - _ROUNDING

    def _reaching(
        self, rows: NDArray[np.intp], wording: Floats, counts: Sequence[_Counts]
    ) -> NDArray[np.intp]:
        """Those of ``rows`` whose log-odds reach the threshold with ``counts``, one for each."""
        weights = self._weights
        each = [[weights.get(name, 0.0) * strength(n) for name, n in of.items()] for of in counts]
        alone = [all(weight <= 0 for weight in of) for of in each]
        total = wording[rows] + [sum(of) for of in each] - np.where(alone, self.model.wording_alone, 0.0)
        reaching: NDArray[np.intp] = rows[total >= self._limit]
        return reaching

    def _most(self, norms: Sequence[Normalized]) -> list[_Counts]:
        """At least as many signals of each suspicious feature as there are; measures left out."""
        counts = [self._of_tricks_and_claims(norm) for norm in norms]
        for row, entry, via, faint in self.lexicon.suspects([norm.text for norm in norms]):
            feature = features_of(entry)[faint]
            if feature in self._suspicious:
                counts[row][feature] += 1
            if via == "reordered":  # and so, perhaps, all that is read backwards
                counts[row] += self._everything
            elif via != "plain":
                counts[row][HIDDEN_WORD] += 1
        return counts

    def _of_tricks_and_claims(self, norm: Normalized) -> _Counts:
        if claims.WORTH_A_LOOK.search(norm.text):
            return self._everything.copy()
        kinds = {evasion.kind for evasion in norm.evasions}
        counts = Counter({f"evasion.{kind}" for kind in kinds} & self._suspicious)
        if not HIDING.isdisjoint(kinds):
            counts[HIDDEN_WORD] = MOST_COUNTED
        return counts

    def _with_possible_measures(self, norms: Sequence[Normalized], most: Sequence[_Counts]) -> list[_Counts]:
        possible = measures.possible([norm.text for norm in norms])
        return [
            of + Counter(dict.fromkeys(names & self._suspicious, MOST_COUNTED)) if names else of
            for of, names in zip(most, possible, strict=True)
        ]

    def _with_measures(
        self, rows: NDArray[np.intp], norms: Sequence[Normalized], most: Sequence[_Counts]
    ) -> list[_Counts]:
        found = measures.find_many([norms[row].text for row in rows])
        # What speaks for the goods need not stand in the window that speaks against them.
        names = ([one.concept for one in some if one.concept in self._suspicious] for some in found)
        return [most[row] + Counter(of) for row, of in zip(rows, names, strict=True)]

    @cached_property
    def _weights(self) -> dict[str, float]:
        return dict(zip(self.model.features, self.model.feature_weights[:, 0].tolist(), strict=True))

    @cached_property
    def _suspicious(self) -> frozenset[str]:
        return frozenset(name for name, weight in self._weights.items() if weight > 0)

    @cached_property
    def _everything(self) -> _Counts:
        return Counter(dict.fromkeys(self._suspicious, MOST_COUNTED))

    def _wording(self, norms: Sequence[Normalized]) -> Floats:
        """(texts,) log-odds without any signal, of the whole or its most telling window."""
        bare = [Evidence(norm.text, (), ()) for norm in norms]
        return self.model.log_odds(bare) + self.model.wording_alone
