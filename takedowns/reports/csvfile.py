"""The figures as CSV (RFC 4180), opened safely and readably by spreadsheet programs."""

from __future__ import annotations

import csv
import io

from takedowns.reports import sheets
from takedowns.reports.figures import Report
from takedowns.reports.imprint import Imprint

# A cell that starts so is run as a formula by some spreadsheet program (CWE-1236).
FORMULA_STARTS = ("=", "+", "-", "@", "\t", "\r", "\0", "＝", "＋", "－", "＠")


def render(report: Report, imprint: Imprint) -> bytes:
    """UTF-8 with a byte order mark: without it, Excel on a Chinese Windows reads GB18030."""
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\r\n")
    writer.writerow(sheets.headings(sheets.FIGURE_COLUMNS))
    for row in sheets.figure_rows(report, imprint):
        writer.writerow([safe(cell) for cell in row])
    return out.getvalue().encode("utf-8-sig")


def safe(cell: sheets.Cell) -> sheets.Cell:
    """Text that would run is made text by an apostrophe; numbers are ours and stay numbers."""
    return f"'{cell}" if isinstance(cell, str) and cell.startswith(FORMULA_STARTS) else cell
