"""Mandarin as a reader hears it: one symbol for each syllable, whoever spells it, tones left out.

Sounds that many speakers do not tell apart share a symbol: zh/z, ch/c, sh/s, n/l, h/f before u, final n/ng
after e and i. After a these are kept apart: 版 for 棒 and 养 for 烟 stand in too many ordinary texts.
"""

from __future__ import annotations

import re
import unicodedata
from functools import cache, lru_cache

import numpy as np
from numpy.typing import NDArray
from pypinyin import lazy_pinyin
from pypinyin.pinyin_dict import pinyin_dict

NOTHING = "\0"  # the symbol of all that has no sound: blanks, marks, other scripts
_FIRST = 0x100  # symbols begin here; lower case letters and digits stand for themselves
_BEYOND = 0x10000  # the last place of the table stands for everything beyond the plane of Chinese
_LONGEST_RUN = 40  # letters; nobody writes seven syllables in one word
_TYPED = re.compile("[a-z]{2,6}")


def _toneless(reading: str) -> str:
    """dàn → dan, lǜ → lv (as it is typed)."""
    letters = unicodedata.normalize("NFD", reading).replace("u\u0308", "v")
    return "".join(letter for letter in letters if not unicodedata.combining(letter))


def _heard(syllable: str) -> str:
    syllable = re.sub("^([zcs])h", r"\1", syllable)
    syllable = re.sub("^l", "n", re.sub("^h(?=u)", "f", syllable))
    return re.sub("(?<=[ei])ng$", "n", syllable)


@cache
def _symbols() -> dict[str, str]:
    """Toneless syllable → its symbol."""
    readings = {reading for all_of_one in pinyin_dict.values() for reading in all_of_one.split(",")}
    syllables = sorted(
        s for s in map(_toneless, readings) if _TYPED.fullmatch(s) and re.search("[aeiouv]", s)
    )
    symbol = {heard: chr(_FIRST + i) for i, heard in enumerate(sorted({_heard(s) for s in syllables}))}
    return {s: symbol[_heard(s)] for s in syllables} | {s: s for s in "aeo"}


@cache
def _table() -> NDArray[np.uint32]:
    """Code point → symbol of the commonest reading, which pypinyin puts first."""
    table = np.zeros(_BEYOND + 1, np.uint32)
    for char in "abcdefghijklmnopqrstuvwxyz0123456789":
        table[ord(char)] = ord(char)
    first = cache(lambda reading: ord(_symbols().get(_toneless(reading), NOTHING)))
    for code, readings in pinyin_dict.items():
        if code < _BEYOND:
            table[code] = first(readings.partition(",")[0])
    return table


def codes(text: str) -> NDArray[np.uint32]:
    """The code point of one symbol per code point of canonical ``text``."""
    written = np.frombuffer(text.encode("utf-32-le", "surrogatepass"), np.uint32)
    return _table().take(written, mode="clip")


def symbols(text: str) -> str:
    """One symbol per code point of canonical ``text``."""
    return codes(text).tobytes().decode("utf-32-le")


def term_symbols(term: str) -> list[set[str]]:
    """For each character of a term the symbol of its reading in this term, and that of its commonest one."""
    pairs = zip(symbols(term), readings(term), strict=True)
    return [{alone, _symbols().get(in_term, alone)} for alone, in_term in pairs]


@cache
def readings(term: str) -> list[str]:
    """One for each character, toneless, as this term is read; what is not Chinese stands for itself."""
    chinese = iter(lazy_pinyin(term, errors="ignore"))
    return [next(chinese) if ord(char) in pinyin_dict else char for char in term]


@cache
def _syllable(closed: bool) -> re.Pattern[str]:
    """One syllable of joined pinyin; ``closed``: no vowel may follow it, for within a word a syllable that
    begins with one takes an apostrophe. Thus yangan is yan-gan, and reading takes linear time."""
    longest_first = sorted((s for s in _symbols() if len(s) > 1), key=len, reverse=True)
    return re.compile(f"(?:{'|'.join(longest_first)}){'(?![aeiouv])' if closed else ''}")


@lru_cache(maxsize=4096)
def read(run: str) -> tuple[tuple[str, int, int], ...]:
    """Symbol, start and end of each syllable of a run of Latin letters; empty if not all of it is pinyin."""
    if len(run) > _LONGEST_RUN:
        return ()
    return _read(run, _syllable(closed=True)) or _read(run, _syllable(closed=False))


def _read(run: str, syllable: re.Pattern[str]) -> tuple[tuple[str, int, int], ...]:
    found = list(syllable.finditer(run))
    contiguous = sum(len(one[0]) for one in found) == len(run)
    return tuple((_symbols()[one[0]], *one.span()) for one in found) if contiguous else ()
