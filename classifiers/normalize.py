"""Canonical text with an exact offset map back to what the seller wrote.

In this order, driven by :mod:`classifiers.normalize_tables`: compatibility forms folded (NFKC one character
at a time, so that each output character has one origin; combining marks are dropped, not composed), invisible
characters removed, look-alike letters made Latin, traditional characters simplified, emoji replaced by words,
lower case; then split characters merged (火因 → 烟) and what was put between single characters taken out
(电*子 烟 → 电子烟, p-o-d → pod). Linear in the length of the text, idempotent, and defined for every ``str``.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import groupby

from classifiers.normalize_tables import CJK, COMPONENTS, FOLD

_BLANK = r" "
_MARK = r"*·•.。,_/\\|~^+=#!'\"`\-—…&:;°×()\[\]{}<>、・﹒ー"
_ANY = f"[{_BLANK}{_MARK}]"
_NEVER_HONEST = r"[*#^~•°`·]"  # between two Chinese characters
# A blank goes only between two lone characters; a symbol also when just one side is a lone character, because
# blanks separate words in every honest title.
_GAP = re.compile(
    rf"(?<={CJK})(?:{_NEVER_HONEST}{{1,3}}(?={CJK})|"
    rf"(?<!{CJK}{CJK})[{_BLANK}]{{1,3}}(?={CJK})(?!{CJK}{CJK})"
    rf"|(?<!{CJK}{CJK})(?= *[{_MARK}]){_ANY}{{1,3}}(?={CJK})"
    rf"|(?= *[{_MARK}]){_ANY}{{1,3}}(?={CJK})(?!{CJK}{CJK}))"
    r"|(?<=[a-z])(?<![a-z0-9][a-z])[.*·_/\-]{1,2}(?=[a-z])(?![a-z][a-z0-9])"
    r"|(?<=[a-z])(?<![a-z0-9.*·_/\-][a-z]) (?=[a-z])(?![a-z][a-z0-9.*·_/\-])"
)
# 防火因素 and 起火因为 are words.
_SPLIT = re.compile(
    "|".join(rf"(?<![灭防着起失救山]){pair}(?![素此为果])" if pair == "火因" else pair for pair in COMPONENTS)
)


EVASION_KINDS = frozenset(
    {"zero_width", "bidi", "control", "combining", "homoglyph", "fullwidth", "traditional"}
    | {"emoji_smoke", "emoji_fruit", "emoji_contact", "split_char", "symbols_inserted"}
)


@dataclass(frozen=True, slots=True)
class Evasion:
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
    pieces = [FOLD[char] for char in original]
    text = "".join(pieces)
    if len(text) == len(pieces) and "" not in pieces:
        starts, ends = list(range(len(text))), list(range(1, len(text) + 1))
    else:
        starts = [i for i, piece in enumerate(pieces) for _ in piece]
        ends = [i + 1 for i in starts]
    folded = Normalized(text, starts, ends, list(_tricks(original)))
    return _merge_split(_close_gaps(_merge_split(folded)))


def _tricks(original: str) -> Iterator[Evasion]:
    if FOLD.kinds.keys().isdisjoint(original):
        return
    kinds = ((i, FOLD.kinds.get(char)) for i, char in enumerate(original))
    for kind, run in groupby(kinds, key=lambda pair: pair[1]):
        if kind is None:
            continue
        places = [i for i, _ in run]
        start, end = places[0], places[-1] + 1
        before, after = original[max(start - 1, 0) : start], original[end : end + 1]
        if _is_trick(kind, before, after):
            yield Evasion("homoglyph" if kind == "lookalike" else kind, start, end)


def _is_trick(kind: str, before: str, after: str) -> bool:
    """Stray invisible characters, accents of other scripts and whole Greek words are no attempt to hide."""
    if kind == "zero_width":
        return before.isalnum() and after.isalnum()
    if kind == "combining":
        return bool(before.isascii() and before.isalnum()) or bool(re.match(CJK, before))
    if kind == "lookalike":
        return any(side.isascii() and side.isalpha() for side in (before, after))
    return True


def _merge_split(norm: Normalized) -> Normalized:
    edits = [(m.start(), m.end(), COMPONENTS[m[0]]) for m in _SPLIT.finditer(norm.text)]
    return _edited(norm, edits, "split_char")


def _close_gaps(norm: Normalized) -> Normalized:
    edits = [(m.start(), m.end(), "") for m in _GAP.finditer(norm.text)]
    return _edited(norm, edits, "symbols_inserted")


def _edited(norm: Normalized, edits: Iterable[tuple[int, int, str]], kind: str) -> Normalized:
    """Replace spans by at most one character each; that character comes from the whole span."""
    edits = list(edits)
    if not edits:
        return norm
    text, starts, ends, done = [], [], [], 0
    for start, end, new in edits:
        text += [norm.text[done:start], new]
        starts += norm.starts[done:start] + norm.starts[start : start + len(new)]
        ends += norm.ends[done:start] + norm.ends[end - 1 : end - 1 + len(new)]
        done = end
    met = [Evasion(kind, *norm.original_span(start, end)) for start, end, _ in edits]
    return Normalized(
        "".join([*text, norm.text[done:]]),
        starts + norm.starts[done:],
        ends + norm.ends[done:],
        norm.evasions + met,
    )
