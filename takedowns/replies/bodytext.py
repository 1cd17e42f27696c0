"""Replies in the text of a mail: our table sent back filled in, or a lead and what was done in one line.

Pure. A line that names a lead and is not clear is an error of its own, never a guess.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator, Sequence

from takedowns.imports.tabular import Record, RowError
from takedowns.replies import columns

LINE_AT_MOST = 2_000
NUMBER = re.compile(r"(?<![\w-])\d{4}-[0-9A-Z]{1,8}-\d{5,9}(?![\w-])")
_URL = re.compile(r"https?://[!-~]+", re.IGNORECASE)
_QUOTE = re.compile(r"^[\s>＞|｜]+|[\s|｜]+$")
_CELLS = re.compile(r"\s*[|｜\t]\s*")
_LABEL = re.compile(
    r"(?:线索编号|线索号|线索|编号|处置措施|处置结果|处理结果|处理措施|措施|结果|处置时间|处理时间"
    r"|lead number|lead|measure|result|handled at)\s*[:：为是]?\s*",
    re.IGNORECASE,
)
_EDGES = " \t,，。.;；:：!！-—、|"


def replies(text: str) -> Iterator[Record | RowError]:
    """The rows that ``text`` holds, by line; our own words sent back, which claim nothing, are none."""
    header: Sequence[str] = ()
    for number, line in enumerate(text.splitlines(), 1):
        written = _QUOTE.sub("", line[: LINE_AT_MOST + 1])
        cells, shown = _CELLS.split(written), unicodedata.normalize("NFKC", written)
        fields = {columns.field_of(cell) for cell in cells}
        if {"lead_number", "measure"} <= fields:
            header = cells
        elif len(cells) == len(header) > 1 and NUMBER.search(shown):
            yield Record(number, dict(zip(header, cells, strict=True)), "mail")
        elif NUMBER.search(shown) and (row := _said(number, shown)):
            yield row


def _said(line: int, shown: str) -> Record | RowError | None:
    """One line in free form; None for a lead that is only named."""
    numbers, links = NUMBER.findall(shown), _URL.findall(shown)
    if len(numbers) > 1 or len(links) > 1 or len(shown) > LINE_AT_MOST:
        return _unclear(line, shown, "names several leads or links, or is too long")
    rest = NUMBER.sub(" ", _URL.sub(" ", shown))
    dates = [found[0] for found in columns.DATE.finditer(rest)]
    words = [_LABEL.sub("", columns.DATE.sub(" ", cell)).strip(_EDGES) for cell in _CELLS.split(rest)]
    words = [word for word in words if word]
    cells = {"lead_number": numbers[0], "link": "".join(links)}
    if len(words) > 1 or (links and words and _is_id(words[0])):
        cells["item_id"], words = (words[0], words[1:]) if _is_id(words[0]) else ("", words)
    if not words:
        return None
    if len(words) > 1 or len(dates) > 1 or not _is_measure(words[0]):
        return _unclear(line, shown, "does not say clearly what was done")
    return Record(line, {**cells, "measure": words[0], "claimed_at": "".join(dates)}, "mail")


def _unclear(line: int, shown: str, why: str) -> RowError:
    return RowError(line, "(row)", why, {"text": shown[:LINE_AT_MOST]}, "mail")


def _is_id(word: str) -> bool:
    return re.fullmatch(r"[A-Za-z0-9_-]+", word) is not None and not _is_measure(word)


def _is_measure(word: str) -> bool:
    try:
        columns.measures(word)
    except ValueError:
        return False
    return True
