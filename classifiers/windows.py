"""Parts of a listing that are judged on their own as well, so that no page of harmless words hides them."""

from __future__ import annotations

import re
from collections.abc import Iterator

SIZE = 160  # characters; about the longest text of which one sentence can still be the point
_PHRASE = re.compile(r"[^\s。！!？?；;]*(?:[\s。！!？?；;]+|\Z)")


def windows(text: str) -> list[tuple[int, int]]:
    """Spans of the first line, which is the title, and of the rest, cut between phrases into SIZE at most.

    A short text of one line has none: it is judged as a whole.
    """
    title = text.find("\n") % (len(text) + 1)  # all of it where there is no line end
    if title == len(text) <= SIZE:
        return []
    return [*_cut(text, 0, title), *_cut(text, title + 1, len(text))]


def _cut(text: str, start: int, stop: int) -> Iterator[tuple[int, int]]:
    end = start
    for phrase in _PHRASE.finditer(text, start, stop):
        if phrase.end() - start > SIZE and end > start:
            yield start, end
            start = end
        end = phrase.end()
        while end - start > SIZE:
            yield start, start + SIZE
            start += SIZE
    if end > start:
        yield start, end
