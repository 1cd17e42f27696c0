"""Words of confirmed listings that the lexicon does not know yet. Pure.

Over-representation is the log-odds ratio with an informative Dirichlet prior, after Monroe, Colaresi and
Quinn ("Fightin' Words", Political Analysis 16, 2008), on numbers of listings instead of numbers of words: a
seller who repeats a word says nothing new.
"""

from __future__ import annotations

import hashlib
import math
import re
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from classifiers.lexicon import Hit, Lexicon
from classifiers.normalize import Normalized, normalize

LENGTHS = range(2, 7)  # characters of a Chinese term; a Latin word within one counts as a character
PRIOR = 10.0  # listings that are believed to have been seen of either sort, at the rate of both together
LEAST_LISTINGS = 3
LEAST_SELLERS = 2  # the words of one shop are its style
LEAST_Z = 2.58  # one in a hundred, both sides
SAME = 0.8  # share of listings from which a term and a longer one around it are the same
EXAMPLES = 3
AROUND = 12  # characters of an example on either side

_UNIT = re.compile("[a-z]+|[\u4e00-\u9fff]")


@dataclass(frozen=True, slots=True)
class Text:
    """What one listing says, and who sells it."""

    text: str
    seller: str


@dataclass(frozen=True, slots=True)
class Term:
    """``confirmed`` and ``lawful``: numbers of listings; ``z``: the log-odds ratio in standard errors."""

    term: str
    z: float
    confirmed: int
    lawful: int
    examples: tuple[str, ...]


def emerging(confirmed: Iterable[Text], lawful: Iterable[Text], lexicon: Lexicon) -> list[Term]:
    """Terms over-represented in ``confirmed``, the most telling first.

    ``lawful`` is read once and not kept, so that it may be long. Equal texts count once.
    """
    bad = list(_distinct(confirmed))
    if not bad:
        return []
    found = _candidates(bad, lexicon)
    counted: Counter[str] = Counter()
    total = 0
    for norm, _ in _distinct(lawful):
        total += 1
        counted.update(grams(norm, lexicon) & found.keys())
    scores = {
        term: z
        for term, at in found.items()
        if (z := log_odds_z(len(at), len(bad), counted[term], total)) >= LEAST_Z
    }
    return [
        Term(term, scores[term], len(found[term]), counted[term], tuple(_examples(term, found[term], bad)))
        for term in _reduced(scores, found)
    ]


def log_odds_z(hits: int, total: int, other_hits: int, other_total: int) -> float:
    """How much commoner something is in the first sort than in the other, in standard errors.

    With ``PRIOR`` listings at the rate p of both together added to each: the difference of the log-odds over
    the root of its variance, 1/(hits + PRIOR p) + 1/(other_hits + PRIOR p). 0.0 when nothing was ever hit.
    """
    rate = (hits + other_hits) / (total + other_total)
    if rate in (0.0, 1.0):
        return 0.0
    a, b = PRIOR * rate, PRIOR * (1 - rate)
    difference = math.log((hits + a) / (total - hits + b))
    difference -= math.log((other_hits + a) / (other_total - other_hits + b))
    return difference / math.sqrt(1 / (hits + a) + 1 / (other_hits + a))


def grams(norm: Normalized, lexicon: Lexicon) -> set[str]:
    """Latin words and runs of 2 to 6 characters of the canonical text that the lexicon does not explain.

    That is, none that touches a strong or medium suspicious word, and none inside any other word it knows.
    """
    return {norm.text[start:end] for run in _runs(_units(norm, lexicon)) for start, end in _windows(run)}


@dataclass(frozen=True, slots=True)
class _Unit:
    """A Chinese character or a Latin word; ``known``: start of the word of the lexicon that it is in."""

    start: int
    end: int
    known: int | None


def _units(norm: Normalized, lexicon: Lexicon) -> Iterator[_Unit | None]:
    """None stands where a telling word of the lexicon does."""
    hits = iter(lexicon.find(norm))
    hit = next(hits, None)
    for found in _UNIT.finditer(norm.text):
        while hit and hit.end <= found.start():
            hit = next(hits, None)
        if hit is None or found.end() <= hit.start:
            yield _Unit(*found.span(), known=None)
        else:
            yield None if _is_telling(hit) else _Unit(*found.span(), known=hit.start)


def _is_telling(hit: Hit) -> bool:
    return hit.entry.weight_hint != "weak" and not hit.entry.concept.startswith("ordinary.")


def _runs(units: Iterable[_Unit | None]) -> Iterator[list[_Unit]]:
    """Units that stand side by side."""
    run: list[_Unit] = []
    for unit in units:
        if run and (unit is None or unit.start != run[-1].end):
            yield run
            run = []
        run += [unit] if unit else []
    if run:
        yield run


def _windows(run: list[_Unit]) -> Iterator[tuple[int, int]]:
    for unit in run:
        if unit.end - unit.start > 1 and unit.known is None:
            yield unit.start, unit.end
    for length in LENGTHS:
        for first, last in zip(run, run[length - 1 :], strict=False):
            if first.known is None or first.known != last.known:
                yield first.start, last.end


def _distinct(texts: Iterable[Text]) -> Iterator[tuple[Normalized, str]]:
    """Each canonical text once, with its first seller."""
    seen: set[bytes] = set()
    for text in texts:
        norm = normalize(text.text)
        key = hashlib.blake2b(norm.text.encode(), digest_size=16).digest()
        if key not in seen:
            seen.add(key)
            yield norm, text.seller


def _candidates(bad: Sequence[tuple[Normalized, str]], lexicon: Lexicon) -> dict[str, set[int]]:
    """Term → the indexes of the texts that hold it, for terms of several listings and sellers."""
    times = Counter(term for norm, _ in bad for term in grams(norm, lexicon))
    at: dict[str, set[int]] = defaultdict(set)
    for index, (norm, _) in enumerate(bad):  # found anew: to keep all of them would take too much memory
        for term in grams(norm, lexicon):
            if times[term] >= LEAST_LISTINGS:
                at[term].add(index)
    return {term: where for term, where in at.items() if len({bad[n][1] for n in where}) >= LEAST_SELLERS}


def _reduced(scores: dict[str, float], found: dict[str, set[int]]) -> list[str]:
    """Of terms that are parts of each other only the longest if it is as common, else the most telling."""
    kept: list[str] = []
    whole = {term for term in scores if not _is_part_of_longer(term, scores, found)}
    for term in sorted(whole, key=lambda term: (-scores[term], term)):
        if not any(_is_same_phrase(term, other, found) for other in kept):
            kept.append(term)
    return kept


def _is_part_of_longer(term: str, among: Iterable[str], found: dict[str, set[int]]) -> bool:
    least = SAME * len(found[term])
    return any(len(term) < len(other) and term in other and len(found[other]) >= least for other in among)


def _is_same_phrase(term: str, other: str, found: dict[str, set[int]]) -> bool:
    """Whether one lies inside the other, or both are cut from one phrase of the same listings."""
    if term in other or other in term:
        return True
    together = len(found[term] & found[other]) >= SAME * min(len(found[term]), len(found[other]))
    lengths = range(1, min(len(term), len(other)))
    return together and any(term[-n:] == other[:n] or other[-n:] == term[:n] for n in lengths)


def _examples(term: str, at: set[int], bad: Sequence[tuple[Normalized, str]]) -> Iterator[str]:
    for index in sorted(at)[:EXAMPLES]:
        text = bad[index][0].text
        start = text.index(term)
        yield " ".join(text[max(0, start - AROUND) : start + len(term) + AROUND].split())
