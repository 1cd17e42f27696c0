"""The tricks that take more than one character: where they stand in folded text, and what is read instead."""

from __future__ import annotations

import html
import re
import unicodedata
from collections.abc import Callable, Iterator
from functools import lru_cache
from html.entities import html5

from classifiers.normalize_folding import fold, runs
from classifiers.normalize_tables import (
    BLOCK_TAGS,
    CJK,
    COMPONENTS,
    HONEST_NEIGHBOURS,
    HONEST_ROWS,
    HONEST_SPELLINGS,
    INLINE_TAGS,
    LEET,
    NOT_AFTER_SHAPE,
    SHAPE_ALIKE,
    SHAPE_WORDS,
    TRADE_WORDS,
)

Edit = tuple[int, int, str, str]  # start, end, what is read there (never longer), kind of trick

# --- remains of HTML ------------------------------------------------------------------------------

_TAGS = "|".join(sorted(BLOCK_TAGS | INLINE_TAGS, reverse=True))
# A title is shown as it is typed, so that <b =电子烟> is there to be read: Chinese, words side by side that
# are no names of attributes, and entities, which may turn out to be either, stay.
_FOR_PEOPLE = rf"[^<>]*?(?:{CJK}|[a-z0-9]{{2}} +[a-z0-9]{{2}}(?![a-z-]*\s?=)|&(?:#|[a-z0-9]{{2,32}};))"
# An ampersand may have been escaped any number of times: &amp;amp;nbsp;
_HTML = re.compile(
    r"&(?:amp;|#0*38;|#x0*26;)*(?P<entity>#\d{1,7}|#x[0-9a-f]{1,6}|[a-z][a-z0-9]{1,31});"
    rf"|</?(?P<tag>{_TAGS})(?:\s(?!{_FOR_PEOPLE})[^<>=]*=[^<>]*|\s*/?)>"
    rf"|<!--(?!{_FOR_PEOPLE})[^<>]*-->"
)
_ENTITIES = {name.lower(): text for name, text in html5.items()} | html5  # of É and é, the small one


def _html(text: str) -> Iterator[Edit]:
    if "&" not in text and "<" not in text:
        return
    for match in _HTML.finditer(text):
        start, end = match.span()
        read = _character(match["entity"]) if match["entity"] else "\n" if match["tag"] in BLOCK_TAGS else ""
        if read is not None and len(read) <= end - start:
            yield start, end, read, "html"


@lru_cache(maxsize=1024)
def _character(entity: str) -> str | None:
    if entity.startswith("#"):
        return fold(html.unescape(f"&{entity};"))
    known = _ENTITIES.get(f"{entity};")
    return known and fold(known)


# --- repeated characters --------------------------------------------------------------------------

# Three of a kind or more: 宝宝 and 谢谢 are words. An honest row is left at its third character: at its end,
# the engine would go back through all of it.
_REPEATED = re.compile(rf"({CJK})\1\1(?<![{HONEST_ROWS}])\1*")


def _repeated(text: str) -> Iterator[Edit]:
    return ((m.start(), m.end(), m[1], "repeated") for m in _REPEATED.finditer(text))


# --- split characters -----------------------------------------------------------------------------


def _pair(pair: str) -> str:
    before, after = HONEST_NEIGHBOURS.get(pair, ("", ""))
    return (f"(?<![{before}]{pair})" if before else "") + (f"(?![{after}])" if after else "")


_LEFT = "".join(sorted({pair[0] for pair in COMPONENTS}))
_SPLIT = re.compile(f"[{_LEFT}](?:" + "|".join(f"(?<={p[0]}){p[1]}{_pair(p)}" for p in COMPONENTS) + ")")


def _split(text: str) -> Iterator[Edit]:
    return ((m.start(), m.end(), COMPONENTS[m[0]], "split_char") for m in _SPLIT.finditer(text))


# --- one character a line -------------------------------------------------------------------------

_LINE_END = r" ?\n{1,4} ?"
_VERTICAL = re.compile(rf"(?:(?<=\n)|\A){CJK}(?:{_LINE_END}{CJK}){{2,}}(?= ?(?:\n|\Z))")
_LONE_LINE = re.compile(rf"\n ?{CJK} ?\n")
_LINE_ENDS = re.compile(_LINE_END)


def _vertical(text: str) -> Iterator[Edit]:
    if not _LONE_LINE.search(text):
        return
    for block in _VERTICAL.finditer(text):
        for gap in _LINE_ENDS.finditer(text, *block.span()):
            yield gap.start(), gap.end(), "", "symbols_inserted"


# --- symbols and blanks between characters --------------------------------------------------------


def _symbols() -> str:
    """Punctuation, symbols and emoji; not the signs of prices and shares, which stand next to digits."""
    symbols = (c for c in map(chr, range(0x21, 0x10000)) if unicodedata.category(c)[0] in "PS")
    return runs([*(c for c in symbols if c not in "%‰$¥€£"), "の", "ー"]) + "\U0001f000-\U0001faff"


_MARK = f"[{_symbols()}]"
_ANY = f"[ {_symbols()}]"
_NEVER_HONEST = r"[*#^~•°`·]"  # between two Chinese characters
_LETTER_MARK = r"[.*·_/\-]"
_NEAR_LETTER = r"[a-z0-9.*·_/\-@$!|]"
# A blank goes only between two lone characters; a symbol also when just one side is a lone character, because
# blanks separate words in every honest title. Nothing goes between two of the same, so that no new row of
# repeated characters arises. The first character of the gap is consumed before anything is looked back at: so
# the search jumps from gap to gap.
_GAP = re.compile(
    rf"{_ANY}(?:(?<=({CJK}).)(?!\1)(?:"
    rf"(?<={_NEVER_HONEST}){_NEVER_HONEST}{{0,2}}(?={CJK})"
    rf"|(?<= )(?<!{CJK}{CJK}.) {{0,2}}(?={CJK})(?!{CJK}{CJK})"
    rf"|(?:(?<! )|(?= {{0,2}}{_MARK}))(?:(?<!{CJK}{CJK}.){_ANY}{{0,2}}(?={CJK})"
    rf"|{_ANY}{{0,2}}(?={CJK})(?!{CJK}{CJK})))(?!\1)"
    rf"|(?<=[a-z].)(?:"
    rf"(?<={_LETTER_MARK})(?<![a-z0-9@$!|][a-z].){_LETTER_MARK}?(?=[a-z])(?![a-z][a-z0-9@$!|])"
    rf"|(?<= )(?<!{_NEAR_LETTER}[a-z].)(?=[a-z])(?![a-z]{_NEAR_LETTER})))"
)


def _gaps(text: str) -> Iterator[Edit]:
    return ((m.start(), m.end(), "", "symbols_inserted") for m in _GAP.finditer(text))


# --- stretched letters and leetspeak --------------------------------------------------------------

_AMID = re.compile(r"[a-z][0-9@$!|€.*·_\-'~]{1,4}[a-z]")
_STRETCHED = re.compile(r"([a-z])\1\1")
_WORD = re.compile(r"[a-z0-9]+")
_TOKEN = re.compile(r"[a-z0-9]+(?:[@$!|€.*·_\-'~]{1,2}[a-z0-9]+)*")
_PART = re.compile(r"[a-z0-9@$!|€]{3,}")
_UNSEPARATED = str.maketrans("", "", ".*·_-'~")
_DOUBLED = re.compile(r"(.)\1+")

_BY_SKELETON = {word.translate(LEET): word for word in TRADE_WORDS}
_BY_SQUEEZED = {_DOUBLED.sub(r"\1", word): word for word in TRADE_WORDS}


def _stretched(text: str) -> Iterator[Edit]:
    if not _STRETCHED.search(text):
        return
    for match in _WORD.finditer(text):
        if _STRETCHED.search(match[0]) and (word := _BY_SQUEEZED.get(_DOUBLED.sub(r"\1", match[0]))):
            yield match.start(), match.end(), word, "repeated"


def _leet(text: str) -> Iterator[Edit]:
    at = 0
    while amid := _AMID.search(text, at):
        token = _token_around(text, amid.start(), at)
        if _AMID.search(token[0]):
            yield from _of_token(token[0], token.start())
        at = token.end()


def _token_around(text: str, place: int, since: int) -> re.Match[str]:
    """The token with the letter at ``place``. No token goes across a blank, so the last one is begun at."""
    start = max(since, text.rfind(" ", since, place) + 1, text.rfind("\n", since, place) + 1)
    return next(token for token in _TOKEN.finditer(text, start) if token.end() > place)


def _of_token(token: str, offset: int) -> Iterator[Edit]:
    if whole := _read_through(token):
        yield offset, offset + len(token), *whole
        return
    for part in _PART.finditer(token):
        if not part[0].isalpha() and (word := _read_through(part[0])):
            yield offset + part.start(), offset + part.end(), *word


def _read_through(token: str) -> tuple[str, str] | None:
    """The word and the trick. Letters must stand on both sides: pod5 is a model and 5mok a quantity."""
    bare = token.translate(_UNSEPARATED)
    word = _BY_SKELETON.get(bare.translate(LEET))
    if word is None or token in HONEST_SPELLINGS:
        return None
    if bare == word:
        return word, "symbols_inserted"
    return (word, "leetspeak") if _AMID.search(bare) else None


# --- look-alike characters in words of the trade --------------------------------------------------


def _alike(char: str) -> str:
    return f"[{char}{SHAPE_ALIKE.get(char, '')}]"


def _misspelt(word: str) -> str:
    """What follows the first character: look-alikes, inner ones once or twice (电子子烟), not the word."""
    inner = "".join(f"{_alike(char)}{{1,2}}" for char in word[1:-1])
    return f"(?!{word[1:]}(?<={word}))(?P<{word}>{inner}{_alike(word[-1])})(?!{NOT_AFTER_SHAPE})"


def _beginning_with(first: str) -> str:
    rest = "|".join(_misspelt(word) for word in SHAPE_WORDS if word[0] == first)
    return f"(?<={_alike(first)})(?:{rest})"


_FIRSTS = sorted({word[0] for word in SHAPE_WORDS})
_ANY_FIRST = "".join(first + SHAPE_ALIKE.get(first, "") for first in _FIRSTS)
_SHAPES = re.compile(f"[{_ANY_FIRST}](?:{'|'.join(map(_beginning_with, _FIRSTS))})")


def _shapes(text: str) -> Iterator[Edit]:
    for match in _SHAPES.finditer(text):
        word = match.lastgroup or ""
        kind = "repeated" if set(match[0]) == set(word) else "shape_alike"
        yield match.start(), match.end(), word, kind


RULES: tuple[Callable[[str], Iterator[Edit]], ...] = (
    _html, _repeated, _split, _vertical, _stretched, _leet, _gaps, _shapes,
)  # fmt: skip
