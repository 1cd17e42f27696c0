"""Cutting what a seller wrote into pieces for a page: marked, private handles masked, nothing hidden.

Pure. Offsets are code points of the original text, as verdicts carry them.
"""

from __future__ import annotations

import itertools
import re
import unicodedata
from collections import deque
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace

# Characters that show nothing, or that turn the text around them, though Unicode calls them letters or marks.
_SHOWS_NOTHING = frozenset("\u034f\u115f\u1160\u17b4\u17b5\u180e\u2800\u3164\uffa0") | {
    chr(code) for code in (*range(0xFE00, 0xFE0F), *range(0xE0100, 0xE01F0))
}
_SHORT_NAMES = {
    "\u00ad": "SHY", "\u200b": "ZWSP", "\u200c": "ZWNJ", "\u200d": "ZWJ", "\u200e": "LRM", "\u200f": "RLM",
    "\u202a": "LRE", "\u202b": "RLE", "\u202c": "PDF", "\u202d": "LRO", "\u202e": "RLO", "\u2060": "WJ",
    "\u2066": "LRI", "\u2067": "RLI", "\u2068": "FSI", "\u2069": "PDI", "\ufeff": "BOM", "\x00": "NUL",
}  # fmt: skip
HANDLE_AT_MOST = 64  # characters; nobody's is longer
_HANDLE = re.compile(r"[0-9A-Za-z_\-]{5,}")
# A handle that says what it is, whether or not the classifier marked it: it is nobody's business on a screen.
_NAMED_HANDLE = re.compile(
    r"(?:微信?|薇信?|威信|[vw]x|qq|扣扣|企鹅号?|电报|telegram|tg)号?[^\w\n]{0,4}([0-9A-Za-z_\-]{5,})",
    re.I,
)
# In what people write; an item id or a piece of an address is none.
_MOBILE = re.compile(r"(?!\A[0-9]+\Z)(?<![0-9/=])(1[3-9])[0-9][ -]?[0-9]{4}[ -]?[0-9]{4}(?![0-9])")
_HANDLE_BEHIND = re.compile(r"[^0-9A-Za-z\n]{0,4}[0-9A-Za-z_\-]{5,}")


@dataclass(frozen=True, slots=True)
class Span:
    """``reason`` is the number that ties a mark to its line in the list of reasons."""

    start: int
    end: int
    reason: int
    mask: bool = False


@dataclass(frozen=True, slots=True)
class Piece:
    """``hidden``: the short name of a character that shows nothing. ``closing``: reasons that end here."""

    text: str
    reasons: tuple[int, ...] = ()
    hidden: str | None = None
    closing: tuple[int, ...] = ()


@dataclass(frozen=True, slots=True)
class Marked:
    pieces: tuple[Piece, ...]
    total: int
    left_out: int


def marked(text: str, spans: Iterable[Span], *, at_most: int) -> Marked:
    """``text`` cut to ``at_most`` characters, in pieces; spans may overlap, impossible ones are left out."""
    fitting = [span for span in spans if 0 <= span.start < span.end <= len(text) and span.start < at_most]
    shown = covered(text[: at_most + HANDLE_AT_MOST], fitting)[:at_most]
    return Marked(tuple(_pieces(shown, fitting)), len(text), len(text) - len(shown))


def shortened(text: str, at_most: int) -> str:
    """One line, with a dash for what shows nothing and private handles covered, ending in … when cut."""
    start = _unnamed(text[: at_most + HANDLE_AT_MOST])[: at_most + 1].replace("\n", " ")
    line = "".join("‑" if hidden_name(char) else char for char in start)
    return line if len(line) <= at_most else line[: at_most - 1] + "…"


def masked(text: str) -> str:
    """A private handle with all but its first two characters covered."""
    return _HANDLE.sub(lambda found: found[0][:2] + "•" * (len(found[0]) - 2), text)


def hidden_name(char: str) -> str | None:
    """A short name for a character that shows nothing or changes direction; None for all others."""
    if char in "\n\t":
        return None
    invisible = unicodedata.category(char) in {"Cc", "Cf", "Co", "Cn", "Cs", "Zl", "Zp"}
    if invisible or char in _SHOWS_NOTHING:
        return _SHORT_NAMES.get(char, f"U+{ord(char):04X}")
    return None


def _pieces(text: str, spans: Sequence[Span]) -> Iterator[Piece]:
    cuts = sorted(
        {0, len(text), *(min(edge, len(text)) for span in spans for edge in (span.start, span.end))}
    )
    opening = deque(sorted(spans, key=lambda span: span.start))
    covering: list[Span] = []
    for start, end in itertools.pairwise(cuts):
        while opening and opening[0].start <= start:
            covering.append(opening.popleft())
        *all_but_last, last = _visible(text[start:end])
        reasons = _numbers(covering)
        yield from (replace(piece, reasons=reasons) for piece in all_but_last)
        ending = [span for span in covering if min(span.end, len(text)) <= end]
        yield replace(last, reasons=reasons, closing=_numbers(ending))
        covering = [span for span in covering if span.end > end]


def covered(text: str, spans: Iterable[Span] = ()) -> str:
    """``text``, as long as before, with named handles and those in or right behind a span to mask covered."""
    text = _unnamed(text)
    for span in spans:
        if span.mask:
            behind = _HANDLE_BEHIND.match(text, span.end)
            end = behind.end() if behind else span.end
            text = text[: span.start] + masked(text[span.start : end]) + text[end:]
    return text


def _unnamed(text: str) -> str:
    text = _NAMED_HANDLE.sub(lambda found: found[0][: -len(found[1])] + masked(found[1]), text)
    return _MOBILE.sub(lambda found: found[1] + "•" * (len(found[0]) - 2), text)


def _numbers(spans: Iterable[Span]) -> tuple[int, ...]:
    return tuple(sorted({span.reason for span in spans}))


def _visible(text: str) -> Iterator[Piece]:
    for name, chars in itertools.groupby(text, hidden_name):
        if name is None:
            yield Piece("".join(chars))
        else:
            yield from (Piece("", hidden=name) for _ in chars)
