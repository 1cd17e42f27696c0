"""Canonical text with an exact offset map back to what the seller wrote.

First every character is folded by itself (:mod:`classifiers.normalize_folding`): compatibility forms (NFKC
one character at a time, so that each output character has one origin; combining marks are dropped, not
composed), invisible characters removed, look-alike letters made Latin, traditional characters simplified,
emoji replaced by words, lower case.

Then the tricks of several characters are undone (:mod:`classifiers.normalize_rules`): remains of HTML
(``&#30005;``), three and more of one character (烟烟烟弹 → 烟弹), split characters (火因 → 烟), one character
a line, stretched letters and leetspeak (vaaape, v4pe → vape), what was put between single characters
(电*子 烟 → 电子烟, p-o-d → pod), look-alike characters (电孑烟 → 电子烟). All from the tables of
:mod:`classifiers.normalize_tables`.

Linear in the length of the text, idempotent, and defined for every ``str``.
"""

from __future__ import annotations

import re
from bisect import bisect_right
from collections.abc import Iterable, Iterator, Sequence
from itertools import accumulate, compress
from typing import NamedTuple

import numpy as np

from classifiers.normalize_folding import FOLD, NOT_PLAIN, fold_batch, special_rows
from classifiers.normalize_rules import RULES, Edit
from classifiers.normalize_tables import CJK

EVASION_KINDS = frozenset(
    {"zero_width", "bidi", "control", "combining", "homoglyph", "fullwidth", "traditional"}
    | {"emoji_smoke", "emoji_fruit", "emoji_contact", "split_char", "symbols_inserted"}
    | {"shape_alike", "leetspeak", "repeated", "html"}
)
# One trick may hide another (火*因, &#x706b;因), so the rules run until nothing is left to undo: two or
# three times on what people write. The bound keeps the time linear on what only a fuzzer writes.
ROUNDS = 8
# Between two texts that are looked through together. Nothing is read across it, tags least of all: one that
# is left open in a text would swallow the next.
BETWEEN = "\n<\n"
_CHINESE = re.compile(CJK)


class Evasion(NamedTuple):
    """A spelling trick that was undone; the span is in code points of the original text."""

    kind: str  # one of EVASION_KINDS
    start: int
    end: int


class Normalized(NamedTuple):
    """``text[i]`` was made from ``original[starts[i]:ends[i]]``."""

    text: str
    starts: Sequence[int]
    ends: Sequence[int]
    evasions: list[Evasion]

    def original_span(self, start: int, end: int) -> tuple[int, int]:
        """The span of the original that a non-empty span of ``text`` was made from."""
        return self.starts[start], self.ends[end - 1]


def normalize(original: str) -> Normalized:
    """Canonical form of ``original``, its offset map and the tricks met on the way."""
    return _undone(_folded(original))


def normalize_many(originals: Sequence[str]) -> list[Normalized]:
    """``[normalize(original) for original in originals]``."""
    # Most texts hold no trick, which one look at the whole batch tells.
    folded = fold_batch(originals)
    edited = edited_rows(folded)
    rows = zip(originals, folded, special_rows(originals).tolist(), strict=True)
    norms = [_folded(original) if special else _unchanged(text) for original, text, special in rows]
    for row in edited:
        norms[row] = _undone(norms[row])
    return norms


def edited_rows(folded: Sequence[str]) -> set[int]:
    """The numbers of those of the ``folded`` texts in which tricks of several characters are to be undone."""
    batch = BETWEEN.join(folded)
    starts = [0, *accumulate(len(text) + len(BETWEEN) for text in folded)]
    return {bisect_right(starts, edit[0]) - 1 for rule in RULES for edit in rule(batch)}


def _undone(norm: Normalized) -> Normalized:
    for _ in range(ROUNDS):
        edited = norm
        for rule in RULES:
            if edits := list(rule(edited.text)):
                edited = _edited(edited, edits)
        if edited is norm:
            break
        norm = edited
    return norm


def _unchanged(text: str) -> Normalized:
    return Normalized(text, range(len(text)), range(1, len(text) + 1), [])


def _folded(original: str) -> Normalized:
    pieces = NOT_PLAIN.split(original)  # plain, odd, plain, odd, … plain
    odd = pieces[1::2]
    pieces[1::2] = read = list(map(FOLD.__getitem__, odd))
    text = "".join(pieces).lower()
    if FOLD.special.isdisjoint(odd):
        return _unchanged(text)
    places = [place - 1 for place in accumulate(len(plain) + 1 for plain in pieces[:-1:2])]
    evasions = list(_tricks(original, places))
    if all(len(chars) == 1 for chars in read):
        return _unchanged(text)._replace(evasions=evasions)
    lengths = np.ones(len(original), np.int64)
    lengths[places] = [len(chars) for chars in read]
    starts = np.repeat(np.arange(len(original)), lengths)
    return Normalized(text, starts.tolist(), (starts + 1).tolist(), evasions)


def _tricks(original: str, places: Iterable[int]) -> Iterator[Evasion]:
    kinds = FOLD.kinds
    marked = [(i, kinds[original[i]]) for i in places if original[i] in kinds]
    done = 0
    while done < len(marked):
        start, kind = marked[done]
        end = start
        while done < len(marked) and marked[done] == (end, kind):
            done, end = done + 1, end + 1
        before, after = original[max(start - 1, 0) : start], original[end : end + 1]
        if _is_trick(kind, before, after):
            yield Evasion(_NAMES.get(kind, kind), start, end)


_NAMES = {"lookalike": "homoglyph", "variation": "zero_width"}


def _is_trick(kind: str, before: str, after: str) -> bool:
    """Stray invisible characters, accents of other scripts and whole Greek words are no attempt to hide."""
    if kind == "zero_width":
        return before.isalnum() and after.isalnum()
    if kind == "variation":  # after a digit it makes an emoji
        return bool(_CHINESE.match(before)) or (before.isascii() and before.isalpha())
    if kind == "combining":
        return bool(_CHINESE.match(before)) or (before.isascii() and before.isalnum())
    if kind == "lookalike":
        return any(side.isascii() and side.isalpha() for side in (before, after))
    return True


def _edited(norm: Normalized, edits: Sequence[Edit]) -> Normalized:
    """Every character that is read instead of a span comes from the whole of it."""
    chars, starts, ends = list(norm.text), list(norm.starts), list(norm.ends)
    keep = bytearray(b"\1") * len(chars)
    evasions = norm.evasions[:]
    for start, end, read, kind in edits:
        evasions.append(Evasion(kind, starts[start], ends[end - 1]))
        if not read:
            keep[start:end] = bytes(end - start)
            continue
        filled = start + len(read)
        keep[filled:end] = bytes(end - filled)
        chars[start:filled] = read
        starts[start:filled] = [starts[start]] * len(read)
        ends[start:filled] = [ends[end - 1]] * len(read)
    return Normalized(
        "".join(compress(chars, keep)), list(compress(starts, keep)), list(compress(ends, keep)), evasions
    )
