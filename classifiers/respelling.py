"""Words of the lexicon in spellings that nobody listed: by sound, as pinyin, abbreviated, turned round.

What sounds like a word is looked for by one automaton in a second text of one symbol for each syllable
(:mod:`classifiers.syllables`). Other orders and abbreviations are few for each word: they are spelled out
beforehand and join the automaton over the text itself.
"""

from __future__ import annotations

import re
from bisect import bisect_right
from collections.abc import Container, Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import cache, lru_cache
from itertools import accumulate, islice, product
from pathlib import Path
from typing import Literal

import numpy as np
from ahocorasick_rs import AhoCorasick
from pypinyin.phrases_dict import phrases_dict

from classifiers import syllables

EVERYDAY_FILE = Path(__file__).with_name("everyday_words.txt")
_MOST_READINGS = 64  # of one term; six characters like 重 and 行, with two each, are more than any has
_LONGEST_EVERYDAY = 4
Via = Literal["sound", "pinyin"]

_LATIN = re.compile("[a-z]{2,}")
_JOINTS = frozenset(" '-")  # what may stand on either side of a typed syllable: dian zi yan, wan'an, yan 弹


@dataclass(frozen=True, slots=True)
class Sounding:
    """Word number ``index`` is heard at ``[start, end)``; ``changed``: where it is written otherwise."""

    index: int
    start: int
    end: int
    via: Via
    changed: Sequence[int]


@dataclass(frozen=True, slots=True)
class _Heard:
    """Symbol ``i`` was made from ``text[starts[i]:ends[i]]``."""

    symbols: str
    starts: Sequence[int]
    ends: Sequence[int]


class Ear:
    """Finds ``words`` (canonical) by their sound, where they are not written as they are."""

    def __init__(self, words: Sequence[str]) -> None:
        self._words = words
        patterns: dict[str, int] = {}
        for index, word in enumerate(words):
            for pattern in _readings(word):
                patterns.setdefault(pattern, index)
        self._index = list(patterns.values())
        self._automaton = AhoCorasick(list(patterns))

    def rows(self, texts: Sequence[str]) -> set[int]:
        """The numbers of those of ``texts`` in which ``find`` may find something, from one pass over all."""
        heard = _hear("\n".join(texts))
        matches = self._automaton.find_matches_as_indexes(heard.symbols)
        ends = list(accumulate(len(text) + 1 for text in texts))
        return {bisect_right(ends, heard.starts[first]) for _, first, _ in matches}

    def find(self, text: str) -> Iterator[Sounding]:
        """Every such place in canonical ``text``, overlapping ones too."""
        heard = _hear(text)
        for pattern, first, last in self._automaton.find_matches_as_indexes(heard.symbols, overlapping=True):
            index = self._index[pattern]
            word = self._words[index]
            start, end = heard.starts[first], heard.ends[last - 1]
            if text[start:end] != word:
                begins, ends = heard.starts[first:last], heard.ends[first:last]
                written = [text[a:b] for a, b in zip(begins, ends, strict=True)]
                via: Via = "pinyin" if max(map(len, written)) > 1 else "sound"
                changed = [a for a, new, char in zip(begins, written, word, strict=True) if new != char]
                yield Sounding(index, start, end, via, changed)


def _readings(word: str) -> list[str]:
    combined = product(*map(sorted, syllables.term_symbols(word)))
    readings = ["".join(symbols) for symbols in islice(combined, _MOST_READINGS)]
    return [reading for reading in readings if syllables.NOTHING not in reading]


def _hear(text: str) -> _Heard:
    """The symbols of ``text``, in which each syllable typed in letters has become one."""
    symbols = syllables.codes(text)
    heard, ends = np.ones(len(text), np.bool_), np.arange(1, len(text) + 1)
    done = 0
    for run in _LATIN.finditer(text):
        read = syllables.read(run[0])
        if read:
            first, last = run.span()
            before = first - 1 if first > done and text[first - 1] in _JOINTS else first
            done = last + 1 if text[last : last + 1] in _JOINTS else last
            heard[before:done] = False
            for symbol, start, end in read:
                symbols[first + start] = ord(symbol)
                heard[first + start], ends[first + start] = True, first + end
    starts = np.flatnonzero(heard)
    spoken = symbols[starts].tobytes().decode("utf-32-le")
    return _Heard(spoken, starts.tolist(), ends[starts].tolist())


@cache
def _everyday() -> frozenset[str]:
    """Words that people write without thinking of ours."""
    lines = EVERYDAY_FILE.read_text("utf-8").splitlines()
    words = " ".join(line for line in lines if not line.startswith("#")).split()
    return frozenset(words) | phrases_dict.keys()


def is_everyday(text: str, start: int, end: int, changed: Iterable[int]) -> bool:
    """Whether a changed character of ``text[start:end]`` belongs to an everyday word of its own.

    That word is the whole of it (电子眼) or reaches beyond it (电子研究); 点子 in 点子烟 is no excuse.
    """
    margin = _LONGEST_EVERYDAY - 1
    window = max(start - margin, 0)
    places = tuple(place - window for place in changed)
    return _is_everyday(text[window : end + margin], start - window, end - window, places)


@lru_cache(maxsize=4096)  # hostile text repeats itself
def _is_everyday(text: str, start: int, end: int, changed: tuple[int, ...]) -> bool:
    if text[start:end] in _everyday():
        return True
    spans = (
        (first, last)
        for place in changed
        for first in range(max(place - _LONGEST_EVERYDAY + 1, 0), place + 1)
        for last in range(place + 1, first + _LONGEST_EVERYDAY + 1)
    )
    return any((first < start or last > end) and text[first:last] in _everyday() for first, last in spans)


def reorderings(word: str, known: Container[str]) -> Iterator[str]:
    """``word`` backwards, with two neighbours swapped, or with an end moved to the other where that tears a
    ``known`` or everyday word: 化棒雾 hides 雾化棒, 棒雾化 does not."""
    yield word[::-1]
    for i in range(len(word) - 1):
        yield word[:i] + word[i + 1] + word[i] + word[i + 2 :]
    for cut, kept in ((1, word[1:]), (len(word) - 1, word[:-1])):
        if _tears(word, cut, known) and not _is_word(kept, known):
            yield word[cut:] + word[:cut]


def _tears(word: str, cut: int, known: Container[str]) -> bool:
    """Whether a cut of ``word`` goes through a shorter word."""
    ends = [(first, last) for first in range(cut) for last in range(cut + 1, len(word) + 1)]
    return any(_is_word(word[first:last], known) for first, last in ends if last - first < len(word))


def _is_word(text: str, known: Container[str]) -> bool:
    return text in known or text in _everyday()


def abbreviations(word: str) -> Iterator[str]:
    """The pinyin initials of ``word``, or of one end of it with the rest in characters: dzy, dz烟, 电zy."""
    letters = "".join(reading[0] for reading in syllables.readings(word))
    yield letters
    for i in range(1, len(word)):
        yield letters[:i] + word[i:]
        yield word[:i] + letters[i:]
