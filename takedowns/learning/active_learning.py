"""Which open review task teaches the classifier most. Pure."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterable
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, slots=True)
class Candidate:
    """An open task; ``score`` is the newest verdict's probability of violation."""

    task_id: int
    score: float
    seller_id: int | None
    title: str


def most_telling_first(candidates: Iterable[Candidate], threshold: float) -> list[int]:
    """Task ids in the order in which their decisions teach most.

    What lies next to ``threshold`` teaches most; the more of its seller's listings, or of its title's words,
    came before it, the less: the tenth near-copy of an offer counts a tenth.
    """
    reach = max(threshold, 1 - threshold)
    by_doubt = sorted(candidates, key=lambda one: (abs(one.score - threshold), one.task_id))
    sellers: Counter[Any] = Counter()
    words: Counter[Any] = Counter()
    worth: dict[int, float] = {}
    for one in by_doubt:
        pairs = _letter_pairs(one.title)
        news = min(_news([one.seller_id], sellers), _news(pairs, words))
        worth[one.task_id] = news * (1 - abs(one.score - threshold) / reach)
        words.update(pairs)
        if one.seller_id is not None:
            sellers[one.seller_id] += 1
    return sorted(worth, key=lambda task_id: -worth[task_id])  # stable: equal ones stay in order of doubt


def boundary(judged: Iterable[tuple[float, bool]]) -> float:
    """Where the flags begin, by scores and flags alone: those on a desk may be of several models."""
    scores = list(judged)
    flagged = [score for score, is_flagged in scores if is_flagged]
    others = [score for score, is_flagged in scores if not is_flagged]
    edges = [*([min(flagged)] if flagged else []), *([max(others)] if others else [])]
    return sum(edges) / len(edges) if edges else 0.5


def _news(things: Collection[Any], seen: Counter[Any]) -> float:
    """1 for things not seen yet (or none at all), down to 0 for those seen ever again."""
    return sum(1 / (1 + seen[thing]) for thing in things) / len(things) if things else 1.0


def _letter_pairs(title: str) -> set[str]:
    """Letters alone: near-copies differ in numbers and ornaments."""
    letters = "".join(filter(str.isalpha, title.lower()))
    return {letters[n : n + 2] for n in range(len(letters) - 1)}
