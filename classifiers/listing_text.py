"""A listing laid out as one text, and spans of that text brought back to the listing's fields."""

from __future__ import annotations

import re
from bisect import bisect_right
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from itertools import chain
from operator import attrgetter
from typing import NamedTuple

from classifiers.verdict import ListingText

# Longer fields are cut, and a signal says so: no honest field comes near, and one listing must not keep a
# whole batch waiting.
MAX_FIELD = 20_000
MAX_TEXT = 60_000
_START = attrgetter("start")
_SURROGATE = re.compile("[\ud800-\udfff]")


class Segment(NamedTuple):
    """``text[start:end]`` is ``field`` of the listing, or for an attribute its name followed by its value.

    ``value`` is where the field's own text begins. ``clipped`` when the field goes on behind ``end``.
    """

    field: str
    start: int
    value: int
    end: int
    clipped: bool


@dataclass(frozen=True, slots=True)
class Layout:
    text: str
    segments: tuple[Segment, ...]


def lay_out(listing: ListingText, images: Mapping[str, str] | None = None) -> Layout:
    """Title, description, shop, price and attributes as far as they are there, then the text of ``images`` by
    field, a line each.

    Half surrogate pairs, which no text file can hold, become U+FFFD one for one, so that offsets stay true.
    """
    lines: list[str] = []
    segments: list[Segment] = []
    at = 0
    for field, name, value in chain(_fields(listing), ((f, "", text) for f, text in (images or {}).items())):
        room = min(MAX_FIELD, MAX_TEXT - at)
        if room <= 0:
            segments[-1] = segments[-1]._replace(clipped=True)
            break
        line = (name + value)[:room]
        segments.append(
            Segment(field, at, at + min(len(name), room), at + len(line), len(name) + len(value) > room)
        )
        lines.append(line)
        at += len(line) + 1
    return Layout(_SURROGATE.sub("\ufffd", "\n".join(lines)), tuple(segments))


def locate(layout: Layout, start: int, end: int) -> tuple[str, int, int] | None:
    """Field and span inside it for a span of ``layout.text``.

    What stands in the name of an attribute is shown at its value; None when that is empty.
    """
    index = bisect_right(layout.segments, start, key=_START) - 1
    segment = layout.segments[index]
    first, last = max(start, segment.value) - segment.value, min(end, segment.end) - segment.value
    if last <= first:
        first, last = 0, segment.end - segment.value
    return (segment.field, first, last) if last > first else None


def _fields(listing: ListingText) -> Iterator[tuple[str, str, str]]:
    """Field, name and value of all that is written; of the title even where it is empty."""
    yield "title", "", listing.title
    others = {"description": listing.description, "shop": listing.shop, "price": listing.price}
    yield from ((field, "", str(value)) for field, value in others.items() if value not in (None, ""))
    for name, value in listing.attributes.items():
        # An attribute without a value is all name, and is marked there.
        yield f"attributes.{name}", f"{name[:200]} " if value else "", value or name
