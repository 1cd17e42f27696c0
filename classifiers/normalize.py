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
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import compress
from typing import NamedTuple

from classifiers.normalize_folding import FOLD, NOT_PLAIN
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
_CHINESE = re.compile(CJK)


class Evasion(NamedTuple):
    """A spelling trick that was undone; the span is in code points of the original text."""

    kind: str  # one of EVASION_KINDS
    start: int
    end: int


@dataclass(frozen=True, slots=True)
class Normalized:
    """``text[i]`` was made from ``original[starts[i]:ends[i]]``."""

    text: str
    starts: list[int]
    ends: list[int]
    evasions: list[Evasion]

    def original_span(self, start: int, end: int) -> tuple[int, int]:
        """The span of the original that a non-empty span of ``text`` was made from."""
        return self.starts[start], self.ends[end - 1]


def normalize(original: str) -> Normalized:
    """Canonical form of ``original``, its offset map and the tricks met on the way."""
    norm = _folded(original)
    for _ in range(ROUNDS):
        edited = norm
        for rule in RULES:
            if edits := list(rule(edited.text)):
                edited = _edited(edited, edits)
        if edited is norm:
            break
        norm = edited
    return norm


def _folded(original: str) -> Normalized:
    pieces = NOT_PLAIN.split(original)  # plain, odd, plain, odd, … plain
    odd = pieces[1::2]
    pieces[1::2] = map(FOLD.__getitem__, odd)
    if FOLD.special.isdisjoint(odd):
        text = "".join(pieces).lower()
        return Normalized(text, list(range(len(text))), list(range(1, len(text) + 1)), [])
    pieces = list(map(FOLD.__getitem__, original))
    starts = [i for i, piece in enumerate(pieces) for _ in piece]
    return Normalized("".join(pieces), starts, [i + 1 for i in starts], list(_tricks(original)))


def _tricks(original: str) -> Iterator[Evasion]:
    kinds = FOLD.kinds
    marked = [(i, kinds[char]) for i, char in enumerate(original) if char in kinds]
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
    chars, starts, ends = list(norm.text), norm.starts[:], norm.ends[:]
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
