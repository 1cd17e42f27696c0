"""Reading an interface's JSON: written by others, so of any shape and size."""

from __future__ import annotations

import re
from decimal import Decimal

from crawlers.answer import is_bomb, parse
from crawlers.apis.interface import ENTRY_LIMIT, ShapeError
from crawlers.selectors import text_of

TEXT_LIMIT = 200_000  # code points of one HTML text looked at
MOST_DECIMALS = 4  # of a currency (ISO 4217)
WHOLE_NUMBER = re.compile(r"-?\d{1,15}")


def at(data: object, *path: str) -> object:
    """The value at ``path``; None where there is none."""
    for key in path:
        data = data.get(key) if isinstance(data, dict) else None
    return data


def text_at(data: object, *path: str) -> str:
    """Numbers are texts already (:attr:`crawlers.answer.Answer.data`); anything else is no text."""
    found = at(data, *path)
    return found if isinstance(found, str) else ""


def number_at(data: object, *path: str) -> int | None:
    found = text_at(data, *path)
    return int(found) if WHOLE_NUMBER.fullmatch(found) else None


def entries_at(data: object, *path: str) -> list[object]:
    """The list at ``path``, bounded. Raises ShapeError when there is none."""
    found = at(data, *path)
    if not isinstance(found, list):
        raise ShapeError(f"no list at {'.'.join(path) or 'the top'}")
    return found[:ENTRY_LIMIT]


def some_at(data: object, *path: str) -> list[object]:
    """The same for a list that may be missing."""
    found = at(data, *path)
    return found[:ENTRY_LIMIT] if isinstance(found, list) else []


def addresses(*candidates: str) -> tuple[str, ...]:
    """Picture addresses; those without a scheme, which Chinese interfaces like, get one."""
    with_scheme = (f"https:{url}" if url.startswith("//") else url for url in candidates)
    return tuple(url for url in with_scheme if url.startswith(("http://", "https://")))


def plain(html: str) -> str:
    """The text of a description in HTML; empty for one that was made to take minutes."""
    markup = html[:TEXT_LIMIT]
    if not markup.strip() or is_bomb(markup):
        return ""
    return text_of(parse(markup))


def from_minor_units(written: str, decimals: int) -> str:
    """``2599`` with 2 decimals → ``25.99``. No whole number: as written; no real currency: empty."""
    if not WHOLE_NUMBER.fullmatch(written):
        return written
    return str(Decimal(written).scaleb(-decimals)) if 0 <= decimals <= MOST_DECIMALS else ""


def named(**attributes: str) -> dict[str, str]:
    """Those that say something."""
    return {name: value for name, value in attributes.items() if value}
