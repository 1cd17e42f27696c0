"""Rows of text out of the files that people hand over: .csv, .xlsx and .jsonl.

A workbook is known by its content, JSON Lines by the ending, everything else is delimited text. A damaged
line becomes a :class:`RowError` and reading goes on; :class:`FileError` means that nothing can be read.
"""

from __future__ import annotations

import codecs
import csv
import io
import json
import re
import unicodedata
import warnings
import zipfile
import zlib
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import chain, islice, zip_longest
from pathlib import Path
from typing import Any, TypeVar

import openpyxl
from openpyxl.worksheet.formula import ArrayFormula, DataTableFormula

MAX_BYTES = 100_000_000  # unpacked; ten times the largest list a platform has reason to send
MAX_ROW = 1_048_576  # of the workbook format; a higher row number is an attack on the reader
MAX_COLUMNS = 256
MAX_LINES = 1_000  # in one delimited record: an unclosed quote must not swallow the file
PORTION = 1_000  # rows of a workbook read at a time
MACROS = re.compile(r"vbaProject\.bin$|/macrosheets/", re.IGNORECASE)  # parts that hold programs
MAX_UNREADABLE = 100  # then the file is not worth going on, and going on could take hours
HEADER_WITHIN = 20  # a title and notes may stand above the header
DELIMITERS = ",\t;"
EXACT = 1e15  # a workbook's numbers keep 15 digits
NO_HEADER = f"none of the first {HEADER_WITHIN} rows names a known column"
csv.field_size_limit(MAX_BYTES)  # the default would refuse a long description

# What openpyxl raises for damaged or hostile workbooks; it wraps nothing.
WORKBOOK_FAULTS = (
    zipfile.BadZipFile,
    zlib.error,
    OSError,
    EOFError,
    LookupError,
    ValueError,  # covers the refusal of XML entities
    TypeError,
    AttributeError,
    ArithmeticError,
    SyntaxError,  # XML that ends in the middle
    RuntimeError,  # an encrypted part
)


class FileError(ValueError):
    """Nothing can be read from the file. ``code`` is for translation."""

    def __init__(self, path: Path, code: str, sentence: str) -> None:
        super().__init__(f"{path.name}: {sentence}")
        self.code = code


@dataclass(frozen=True)
class Record:
    """One row: header as written in the file → cell as text. ``line`` counts from 1, in the sheet if any."""

    line: int
    fields: Mapping[str, str]
    sheet: str = ""


@dataclass(frozen=True)
class RowError:
    """One row that could not be used, and why; ``field`` is ``(row)`` when no single cell is at fault."""

    line: int
    field: str
    message: str
    raw: Mapping[str, str]
    sheet: str = ""


@dataclass(frozen=True)
class _Unreadable:
    message: str
    text: str = ""


T = TypeVar("T")
_LINE = re.compile(r"[^\r\n]*(?:\r\n|[\r\n])|[^\r\n]+\Z")
_Line = tuple[int, Sequence[str] | _Unreadable]


def read_records(path: Path, known: Collection[str]) -> Iterator[Record | RowError]:
    """Yield the rows of ``path`` in order.

    ``known`` are the column names that the caller understands: the header is the row that names most of them,
    what stands above it is not read. Raises :class:`FileError`.
    """
    return records_in(path, read(path), known)


def records_in(path: Path, data: bytes, known: Collection[str]) -> Iterator[Record | RowError]:
    """The same for ``data`` that came in another way, such as by mail; ``path`` only names it."""
    names = {plain_name(name) for name in known}
    _check(path, data)
    if data.startswith(b"PK"):
        rows = _workbook_records(path, data, names)
    elif path.suffix.lower() in {".jsonl", ".ndjson"}:
        rows = _json_records(decoded(data))
    elif path.suffix.lower() in {".csv", ".tsv", ".txt"}:
        rows = _delimited_records(path, decoded(data), names)
    else:
        raise FileError(path, "unknown_format", "is neither .csv, .xlsx nor .jsonl")
    first = next(rows, None)
    if first is None:
        raise FileError(path, "no_rows", "holds no row below its header")
    return chain([first], rows)


def plain_name(header: str) -> str:
    """A column name as it is compared: width, case, spaces and punctuation do not matter."""
    return re.sub(r"[\W_]", "", unicodedata.normalize("NFKC", header).casefold())


def read(path: Path) -> bytes:
    """The bytes of a file that is not too large; raises FileError."""
    try:
        with path.open("rb") as file:
            data = file.read(MAX_BYTES + 1)
    except OSError as error:
        raise FileError(path, "unreadable", f"cannot be read: {error.strerror}") from error
    return data


def _check(path: Path, data: bytes) -> None:
    if not data:
        raise FileError(path, "empty", "is empty")
    if len(data) > MAX_BYTES:
        raise FileError(path, "too_large", f"is larger than {MAX_BYTES:,} bytes")
    if data.startswith(b"\xd0\xcf\x11\xe0"):
        raise FileError(path, "old_workbook", "is an old .xls or a locked workbook; save it as plain .xlsx")


def decoded(data: bytes) -> str:
    """Text of ``data``; bytes that are wrong in its encoding become lone surrogates (U+DC80 to U+DCFF)."""
    if data.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        return data[: len(data) // 2 * 2].decode("utf-16", "surrogatepass")
    text = data.removeprefix(codecs.BOM_UTF8).decode("utf-8", "surrogateescape")
    wrong = len(data.removeprefix(codecs.BOM_UTF8)) - len(text.encode("utf-8", "ignore"))
    foreign = len(data) - len(data.translate(None, bytes(range(128, 256))))
    # A few wrong bytes are damage; text in GB18030 is wrong nearly everywhere.
    return text if wrong * 2 < foreign or not foreign else data.decode("gb18030", "surrogateescape")


def _json_records(text: str) -> Iterator[Record | RowError]:
    # Not splitlines: U+2028 and its kin may stand inside a JSON string.
    for line, row in enumerate(text.split("\n"), 1):
        if row.strip():
            yield _json_record(line, row)


def _json_record(line: int, row: str) -> Record | RowError:
    try:
        # Numbers stay as written: an item id must not lose digits.
        value = json.loads(row, parse_int=str, parse_float=str, parse_constant=str)
        if isinstance(value, dict) and not _damage(row):
            return Record(line, dict(_flat(value)))
        message = _damage(row) or "is not a JSON object"
    except (ValueError, RecursionError):
        message = "is not valid JSON"
    return RowError(line, "(row)", message, {"(row)": row})


def _flat(value: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    """``{"seller": {"name": …}}`` gives ``seller.name``."""
    for key, item in value.items():
        if isinstance(item, dict):
            yield from ((f"{key}.{inner}", _json_text(part)) for inner, part in item.items())
        else:
            yield key, _json_text(item)


def _json_text(value: Any) -> str:
    if value is None:
        return ""
    if isinstance(value, list) and all(isinstance(part, str) for part in value):
        return "\n".join(value)
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)


def _delimited_records(path: Path, text: str, names: Collection[str]) -> Iterator[Record | RowError]:
    lines = _LINE.findall(text)

    def known(delimiter: str) -> int:
        return _header(list(islice(_split(lines, delimiter), HEADER_WITHIN)), names)[1]

    delimiter = max(DELIMITERS, key=known)
    if not known(delimiter):
        raise FileError(path, "no_header", NO_HEADER)
    return _records(_bounded(_split(lines, delimiter)), names)


def _split(lines: Sequence[str], delimiter: str) -> Iterator[_Line]:
    """Records with their first line; after a damaged one reading goes on at the very next line."""
    at = 0
    while at < len(lines):
        window = (lines[i] for i in range(at, min(at + MAX_LINES, len(lines))))
        reader = csv.reader(window, delimiter=delimiter, strict=True)
        try:
            yield at + 1, next(reader)
            at += reader.line_num
        except csv.Error:
            yield at + 1, _Unreadable("its quotation marks do not pair up", lines[at])
            at += 1


def _workbook_records(path: Path, data: bytes, names: Collection[str]) -> Iterator[Record | RowError]:
    sheets = _quietly(_workbook, path, data).worksheets
    if not any(_header(list(islice(_lines(sheet), HEADER_WITHIN)), names)[1] for sheet in sheets):
        raise FileError(path, "no_header", NO_HEADER)
    return chain.from_iterable(_records(_lines(sheet), names, sheet.title) for sheet in sheets)


def _lines(sheet: Any) -> Iterator[_Line]:
    """In portions, so that a large sheet is never held whole."""
    rows = _bounded(_sheet_rows(sheet))
    portion: list[_Line]
    while portion := _quietly(list, islice(rows, PORTION)):
        yield from portion


def _quietly(read: Callable[..., T], *arguments: Any) -> T:
    """Without openpyxl's warnings, which cannot be held back across a generator."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", UserWarning)  # features of the workbook that we do not read
        return read(*arguments)


def _workbook(path: Path, data: bytes) -> openpyxl.Workbook:
    try:
        # The reader never unpacks more of a part than its declared size.
        parts = zipfile.ZipFile(io.BytesIO(data)).infolist()
        if any(MACROS.search(part.filename) for part in parts):
            raise FileError(path, "macros", "holds macros; save it as .xlsx, which has none")
        if sum(part.file_size for part in parts) <= MAX_BYTES:
            return openpyxl.load_workbook(io.BytesIO(data), read_only=True)
    except FileError:
        raise
    except WORKBOOK_FAULTS as error:
        raise FileError(path, "damaged_workbook", "is a damaged or incomplete workbook") from error
    raise FileError(path, "too_large", f"unpacks to more than {MAX_BYTES:,} bytes")


def _sheet_rows(sheet: Any) -> Iterator[_Line]:
    sheet.reset_dimensions()  # a wrong declared size would hide rows
    line = 0
    try:
        for line, cells in enumerate(sheet.iter_rows(values_only=True), 1):
            if line > MAX_ROW:
                yield line, _Unreadable("no workbook has so many rows: nothing was read from here on")
                return
            if any(cell is not None for cell in cells[MAX_COLUMNS:]):
                yield line, _Unreadable(f"has cells beyond column {MAX_COLUMNS}")
            elif cells.count(None) < len(cells):
                yield line, [_cell_text(cell) for cell in cells[:MAX_COLUMNS]]
    except WORKBOOK_FAULTS:
        yield line + 1, _Unreadable("the sheet is damaged from here on")


def _bounded(rows: Iterable[_Line]) -> Iterator[_Line]:
    """``rows`` until too many of them are unreadable."""
    unreadable = 0
    for line, cells in rows:
        unreadable += isinstance(cells, _Unreadable)
        if unreadable > MAX_UNREADABLE:
            yield line, _Unreadable("too many damaged rows: nothing was read from here on")
            return
        yield line, cells


def _cell_text(cell: Any) -> str:
    """Text of a cell; a formula is what it says, never its result."""
    if cell is None:
        return ""
    if isinstance(cell, datetime):
        return cell.isoformat(" ")
    if isinstance(cell, float) and cell.is_integer() and abs(cell) < EXACT:
        return str(int(cell))
    if isinstance(cell, ArrayFormula | DataTableFormula):
        return str(getattr(cell, "text", f"={cell.ref}"))
    return str(cell)


def _header(rows: Sequence[_Line], names: Collection[str]) -> tuple[int, int]:
    """Index of the header, and how many known names it holds: 0 means that there is none."""
    counts = [
        0 if isinstance(cells, _Unreadable) else len({plain_name(cell) for cell in cells} & set(names))
        for _, cells in rows[:HEADER_WITHIN]
    ]
    best = max(counts, default=0)
    return (counts.index(best) if best else 0), best


def _records(rows: Iterator[_Line], names: Collection[str], sheet: str = "") -> Iterator[Record | RowError]:
    top = list(islice(rows, HEADER_WITHIN))
    at, known = _header(top, names)
    if top and not known:
        yield RowError(top[0][0], "(row)", NO_HEADER, {}, sheet)
        return
    header: list[str] = []
    for line, cells in chain(top[at:], rows):
        if isinstance(cells, _Unreadable):
            yield RowError(line, "(row)", cells.message, {"(row)": cells.text}, sheet)
        elif not header:
            header = _distinct(cells)
        elif any(cell.strip() for cell in cells):
            yield _record(line, header, cells, sheet)


def _distinct(cells: Sequence[str]) -> list[str]:
    """Header names made distinct, so that no column hides another; empty ones at the end are dropped."""
    width = max(number for number, cell in enumerate(cells, 1) if cell.strip())
    names: list[str] = []
    for number, cell in enumerate(cells[:width], 1):
        name = cell.strip() or f"column {number}"
        names.append(f"{name} ({number})" if name in names else name)
    return names


def _record(line: int, header: Sequence[str], cells: Sequence[str], sheet: str) -> Record | RowError:
    raw = dict(zip_longest(header, cells[: len(header)], fillvalue=""))
    if any(cells[len(header) :]):
        raw["(row)"] = "\t".join(cells[len(header) :])
        return RowError(line, "(row)", "has more cells than the header has names", raw, sheet)
    for name, cell in raw.items():
        if message := _damage(cell):
            return RowError(line, name, message, raw, sheet)
    return Record(line, raw, sheet)


def _damage(text: str) -> str | None:
    if "\x00" in text:
        return "holds a NUL character: the file was damaged on its way"
    if re.search("[\udc80-\udcff]", text):
        return "holds bytes that are no text in the encoding of the file"
    return None
