"""Which of many regular expressions may match which of many texts: one pass of an automaton for all of them.

With each expression go literals of which every match holds at least one, written as a sequence of characters
and classes, without quantifiers: ``[颗粒枚]装``. Texts are looked at without blanks and with all figures and
all Chinese numerals alike, so that the literals are few.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from itertools import product

import numpy as np
from ahocorasick_rs import AhoCorasick
from numpy.typing import NDArray

DIGIT = "0123456789"
NUMERAL = "一二两俩三四五六七八九十半几"
_ELEMENT = re.compile(r"\[([^]]+)\]|(.)")
_BEYOND = 0x10000  # the last place of the table stands for everything beyond the plane of Chinese


def _alike() -> NDArray[np.uint32]:
    """Code point → the one that stands for it; 0 stays apart from the other figures: 000 is telling."""
    table = np.arange(_BEYOND + 1, dtype=np.uint32)
    table[[ord(char) for char in DIGIT[1:]]] = ord("1")
    table[[ord(char) for char in NUMERAL]] = ord("一")
    table[0xD800:0xE000] = table[_BEYOND] = ord("\ufffd")  # Rust knows no half pairs
    return table


_ALIKE = _alike()
_ONE_OF_EACH = str.maketrans(
    dict.fromkeys(DIGIT[1:], "1") | dict.fromkeys(NUMERAL, "一"),
)


class Prefilter:
    """``needs``: name → its literals, parted by blanks."""

    def __init__(self, needs: Mapping[str, str]) -> None:
        found: dict[str, list[str]] = {}
        for name, written in needs.items():
            for literal in dict.fromkeys(text for need in written.split() for text in _spelled_out(need)):
                found.setdefault(literal, []).append(name)
        self._names = list(found.values())
        self._automaton = AhoCorasick(list(found))

    def possible(self, texts: Sequence[str]) -> list[set[str]]:
        """For each canonical text the names of the expressions that may match somewhere in it."""
        codes = np.frombuffer("".join(texts).encode("utf-32-le", "surrogatepass"), np.uint32)
        kept = codes != ord(" ")
        ends = np.append(0, np.cumsum(kept))[np.cumsum([len(text) for text in texts], dtype=np.int64)]
        squeezed = _ALIKE.take(codes[kept], mode="clip").tobytes().decode("utf-32-le")
        matches = self._automaton.find_matches_as_indexes(squeezed, overlapping=True)
        rows = np.searchsorted(ends, [start for _, start, _ in matches], side="right").tolist()
        names: list[set[str]] = [set() for _ in texts]
        for row, (index, _, _) in zip(rows, matches, strict=True):
            names[row].update(self._names[index])
        return names


def _spelled_out(need: str) -> Iterator[str]:
    elements = [several or one for several, one in _ELEMENT.findall(need.translate(_ONE_OF_EACH))]
    return map("".join, product(*map(dict.fromkeys, elements)))
