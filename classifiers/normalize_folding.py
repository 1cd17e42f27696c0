"""What one character becomes, and which spelling trick that undoes; the same for a whole batch at once."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable, Iterable, Sequence
from functools import cache, cached_property

import numpy as np
import opencc
from numpy.typing import NDArray

from classifiers.normalize_tables import (
    BIDI,
    BLANK_LETTERS,
    BRACKETS,
    EMOJI,
    EMOJI_BY_USE,
    LOOKALIKES,
    RADICALS,
    VARIANTS,
    VARIATION_SELECTORS,
)

_EMOJI_USE = {emoji: use for use, words in EMOJI_BY_USE.items() for emoji in words}
_MOST = 8  # characters out of one; ﷺ stands for 18, and a text of nothing else would fill the memory
_KEYCAP = "\u20e3"  # in 1️⃣ it is part of an emoji
_ENCLOSED = ((0x2460, 0x24FF), (0x1D400, 0x1D7FF), (0x1F110, 0x1F189), (0x2070, 0x209F), (0x1D2C, 0x1D6A))
_SQUARED_WORD = re.compile(r"SQUARED ([A-Z]{2,4})")
_LATIN_BY_NAME = re.compile(
    r"LATIN (?:(?:SMALL|CAPITAL) LETTER|LETTER SMALL CAPITAL) "
    r"(?:(?:TURNED|REVERSED|SIDEWAYS|DOTLESS|INSULAR|OPEN|BARRED) )?([A-Z])(?: WITH .*)?"
)


def _converted(config: str, characters: Sequence[str]) -> dict[int, str]:
    """What OpenCC makes of single characters; one line each keeps its phrases out of play."""
    converted = opencc.OpenCC(config).convert("\n".join(characters)).split("\n")
    pairs = zip(characters, converted, strict=True)
    return {ord(a): b for a, b in pairs if a != b and len(b) == 1}


def _simplified() -> dict[int, str]:
    """Traditional and Japanese characters → simplified."""
    ideographs = [chr(code) for code in range(0x3400, 0xA000)]
    simplified = _converted("t2s", ideographs)
    # Some Japanese forms are ordinary simplified characters of another meaning (芸, 缶): those stay.
    japanese = _converted("jp2t", [char for char in ideographs if not _in_gb2312(char)])
    return {code: simplified.get(ord(old), old) for code, old in japanese.items()} | simplified


def _in_gb2312(char: str) -> bool:
    try:
        return bool(char.encode("gb2312"))
    except UnicodeEncodeError:
        return False


_LOOKALIKE = {ord(char): latin for latin, chars in LOOKALIKES.items() for char in chars}
_SIMPLIFIED = _simplified()


def _fold_once(text: str) -> str:
    text = unicodedata.normalize("NFKC", text.translate(_LOOKALIKE).translate(RADICALS))
    text = text.translate(BRACKETS).lower().translate(_SIMPLIFIED).translate(VARIANTS)
    return "".join(map(_plain, text))


def _plain(char: str) -> str:
    """Latin letters without their strokes, digits of every script as 0 to 9, nothing for the invisible."""
    category = unicodedata.category(char)
    if category in {"Mn", "Me", "Cf", "Cc", "Co"}:
        return ""
    if char.isascii() or category not in {"Ll", "Lu", "Nd", "No", "So"}:
        return char
    name = unicodedata.name(char, "")
    if latin := _LATIN_BY_NAME.fullmatch(name) or _SQUARED_WORD.search(name):
        return latin[1].lower()
    if category == "Nd" or "CIRCLED" in name:
        return _number(char)
    return _unaccented(char)


def _number(char: str) -> str:
    value = unicodedata.numeric(char, None)
    return char if value is None else str(int(value))


def _unaccented(char: str) -> str:
    """é → e; scripts other than Latin, Greek and Cyrillic keep their marks (が is not か)."""
    return unicodedata.normalize("NFKD", char)[0] if "À" <= char < "\u0530" or "Ḁ" <= char <= "ỿ" else char


def _fold(char: str) -> str:
    if char in "\n\r\v\f\x85\u2028\u2029":
        return "\n"
    if char == "\t":
        return " "
    if char in BLANK_LETTERS or char in EMOJI:
        return EMOJI.get(char, "")
    if "\ud800" <= char <= "\udfff":  # half of a pair, as broken JSON carries it
        return "\ufffd"
    before, after = char, _fold_once(char)
    while after != before:
        before, after = after, _fold_once(after)
    return after if len(after) <= _MOST else char


def _kind(char: str, folded: str) -> str | None:
    """The trick that ``char`` may be part of; ``lookalike`` and ``combining`` depend on neighbours."""
    if char == _KEYCAP:
        return None
    if char in VARIATION_SELECTORS:
        return "variation"
    category = unicodedata.category(char)
    if category in {"Mn", "Me"}:
        return "combining"
    if folded == "":
        return "bidi" if char in BIDI else "control" if category == "Cc" else "zero_width"
    if char in EMOJI:
        return _EMOJI_USE[char]
    return "control" if category == "Cs" else _letter_kind(char, folded)


def _letter_kind(char: str, folded: str) -> str | None:
    code, latin = ord(char), folded.isascii() and folded.isalpha()
    if any(low <= code <= high for low, high in _ENCLOSED):
        return "homoglyph" if latin else None
    if 0xFF10 <= code <= 0xFF5A and folded.isalnum():
        return "fullwidth"
    accented = "À" <= char <= "\u024f" or "Ḁ" <= char <= "ỿ"
    if latin and not char.isascii() and not accented:
        return "lookalike"
    return "traditional" if code in _SIMPLIFIED else None


class _Folder(dict[str, str]):
    """Remembers what a character becomes.

    ``kinds`` holds the few that may be part of a trick, ``special`` those and all that do not become exactly
    one character.
    """

    def __init__(self) -> None:
        super().__init__()
        self.kinds: dict[str, str] = {}
        self.special: set[str] = set()

    def __missing__(self, char: str) -> str:
        folded = self[char] = _fold(char)
        kind = _kind(char, folded)
        if kind:
            self.kinds[char] = kind
        if kind or len(folded) != 1:
            self.special.add(char)
        return folded


FOLD = _Folder()


def fold(text: str) -> str:
    """``text`` with every character folded by itself: the first step of ``normalize``."""
    return "".join(map(FOLD.__getitem__, text))


def runs(chars: Iterable[str]) -> str:
    """The inside of a regular expression's character class."""
    codes = np.array(sorted(map(ord, chars)))
    parts = np.split(codes, np.flatnonzero(np.diff(codes) != 1) + 1)
    return "".join(f"\\U{part[0]:08x}-\\U{part[-1]:08x}" for part in parts)


# Everything but ASCII, and ideographs that are simplified already: those lower() folds.
_IDEOGRAPHS = (
    chr(code) for code in range(0x4E00, 0xA000) if code not in _SIMPLIFIED and code not in VARIANTS
)
NOT_PLAIN = re.compile(rf"([^\n -~{runs(_IDEOGRAPHS)}])")

_EMOJI = range(0x1F000, 0x1FB00)  # of the other planes, the only part that listings make use of
# Private-use code points stand for what is not one character: the first for "ask fold", each other for a
# string.
_PRIVATE = range(0xE000, 0xF900)
_ASK = _PRIVATE.start


class BatchFolder:
    """Folds many texts at once, through one table over the code points of the BMP and the emoji.

    ``fold`` maps a text to a text and is what the result always equals. Code points outside the table and
    those ``in_context`` (which ``fold`` treats differently next to others) send their text to ``fold``
    itself. It must drop U+0000 wherever it stands. The table is built at first use, in 0.3 s, from one call
    of ``fold`` for each code point.
    """

    def __init__(self, fold: Callable[[str], str], in_context: frozenset[str] = frozenset()) -> None:
        self._fold = fold
        self._in_context = in_context
        self._strings = [""]  # what the private-use code points stand for

    @cached_property
    def _table(self) -> NDArray[np.uint32]:
        table = np.full(_EMOJI.stop + 1, _ASK, dtype=np.uint32)  # whatever lies beyond is clipped to the last
        known: dict[str, int] = {}
        for code in [*range(0xD800), *range(_PRIVATE.stop, 0x10000), *_EMOJI]:
            folded = self._fold(chr(code))
            if chr(code) in self._in_context or any(ord(char) in _PRIVATE for char in folded):
                continue
            table[code] = ord(folded) if len(folded) == 1 else known.setdefault(folded, _ASK + 1 + len(known))
        self._strings += known
        table[0] = 0  # stands between two texts
        return table

    def __call__(self, texts: Sequence[str]) -> list[str]:
        """``[fold(text) for text in texts]``; batches of a few hundred texts are fastest."""
        joined = "\0".join(texts)
        if not joined:
            return [""] * len(texts)
        codes = np.frombuffer(joined.encode("utf-32-le", "surrogatepass"), dtype=np.uint32)
        folded = self._table.take(codes, mode="clip")
        text = folded.tobytes().decode("utf-32-le")
        special = np.flatnonzero(
            folded - _PRIVATE.start < len(_PRIVATE)
        )  # below it, the difference wraps round
        results = self._spelled_out(text, special.tolist()).split("\0")
        if len(results) != len(texts):
            return self([text.replace("\0", "") for text in texts])
        asked = special[folded[special] == _ASK]
        for row in set(np.searchsorted(np.flatnonzero(codes == 0), asked).tolist()):
            results[row] = self._fold(texts[row])
        return results

    def _spelled_out(self, text: str, places: Iterable[int]) -> str:
        pieces: list[str] = []
        done = 0
        for place in places:
            pieces += text[done:place], self._strings[ord(text[place]) - _ASK]
            done = place + 1
        return "".join([*pieces, text[done:]])


fold_batch = BatchFolder(fold)


@cache
def _special() -> NDArray[np.bool_]:
    """Code point → whether it is in ``FOLD.special``; what lies beyond the table is taken to be."""
    folded = map(FOLD.__getitem__, map(chr, range(_EMOJI.stop)))
    codes = [code for code, _ in enumerate(folded) if chr(code) not in FOLD.special]
    table = np.ones(_EMOJI.stop + 1, dtype=np.bool_)
    table[codes] = False
    return table


def special_rows(texts: Sequence[str]) -> NDArray[np.bool_]:
    """(texts,) whether a text may hold a character that is in ``FOLD.special``."""
    codes = np.frombuffer("".join(texts).encode("utf-32-le", "surrogatepass"), dtype=np.uint32)
    places = np.flatnonzero(_special().take(codes, mode="clip"))
    special = np.zeros(len(texts), dtype=np.bool_)
    special[np.searchsorted(np.cumsum([len(text) for text in texts]), places, side="right")] = True
    return special
