"""The workbook: figures, platforms, every lead counted, definitions."""

from __future__ import annotations

import io
from collections.abc import Iterable, Iterator
from itertools import islice
from typing import Any

import xlsxwriter

from takedowns.reports import sheets
from takedowns.reports.definitions import Kind, definitions, wording
from takedowns.reports.figures import Report
from takedowns.reports.imprint import Imprint
from takedowns.reports.period import ZONE
from takedowns.reports.sheets import Cell, Row

ROWS_AT_MOST = 1_000_000  # on one sheet; the format ends at 1,048,576 and would drop the rest in silence
FORMATS = {Kind.COUNT: "#,##0", Kind.SHARE: "0.0%", Kind.HOURS: "#,##0.0", Kind.SCORE: "0.00"}
# A listing's text must stay text: by default a leading "=" becomes a live formula and an address a link.
OPTIONS = {
    "in_memory": True,
    "strings_to_formulas": False,
    "strings_to_urls": False,
    "strings_to_numbers": False,
}


def render(report: Report, imprint: Imprint) -> bytes:
    """The workbook's bytes: the same report gives the same bytes."""
    out = io.BytesIO()
    with xlsxwriter.Workbook(out, OPTIONS) as book:
        # else the time of writing would stand in the file
        book.set_properties({"created": report.as_of.astimezone(ZONE).replace(tzinfo=None)})
        _Writer(book).everything(report, imprint)
    return out.getvalue()


class _Writer:
    def __init__(self, book: Any) -> None:
        self.book = book
        self.heading = book.add_format(
            {"bold": True, "bg_color": "#E8EDF2", "bottom": 1, "text_wrap": True, "valign": "top"}
        )
        self.text = book.add_format({"valign": "top"})
        self.wrapped = book.add_format({"valign": "top", "text_wrap": True})
        self.numbers = {
            kind: book.add_format({"num_format": code, "valign": "top"}) for kind, code in FORMATS.items()
        }

    def everything(self, report: Report, imprint: Imprint) -> None:
        self.figures(report, imprint)
        self.platforms(report, imprint)
        self.leads(report, imprint)
        self.definitions()

    def figures(self, report: Report, imprint: Imprint) -> None:
        widths = [18, 20, 44, 12, 14, 10, 10, 12, 12, 10, 16, 10, 16, 36]
        sheet = self._sheet("figures", "", sheets.headings(sheets.FIGURE_COLUMNS), widths)
        rows = list(sheets.figure_rows(report, imprint))
        for at, row in enumerate(rows, 1):
            kind = definitions()[str(row[1])].kind
            counts = {5: Kind.COUNT, 6: Kind.COUNT}  # numerator and denominator
            kinds = {column: counts.get(column, kind) for column in range(9)}
            self._row(sheet, at, row, kinds)
        sheet.autofilter(0, 0, len(rows), len(widths) - 1)

    def platforms(self, report: Report, imprint: Imprint) -> None:
        labels = wording().labels
        names = [imprint.title(section.platform, "zh") for section in report.sections]
        heading = (sheets.both(labels["figure"]), sheets.both(labels["unit"]), *names)
        sheet = self._sheet("by_platform", "", heading, [44, 14, *[14] * len(names)])
        for at, (row, definition) in enumerate(
            zip(sheets.platform_rows(report), definitions().values(), strict=True), 1
        ):
            self._row(sheet, at, row, dict.fromkeys(range(len(row)), definition.kind))

    def leads(self, report: Report, imprint: Imprint) -> None:
        widths = [22, 14, 18, 46, 26, 14, 24, 17, 20, 17, 26, 17, 14, 17, 50]
        for number, rows in enumerate(_parts(sheets.lead_rows(report, imprint)), 1):
            suffix = f" {number}" if number > 1 else ""
            sheet = self._sheet("leads", suffix, sheets.headings(sheets.LEAD_COLUMNS), widths)
            for at, row in enumerate(rows, 1):
                self._row(sheet, at, row, {})
            sheet.autofilter(0, 0, len(rows), len(widths) - 1)

    def definitions(self) -> None:
        sheet = self._sheet("definitions", "", sheets.headings(sheets.DEFINITION_COLUMNS), [20, 44, 20, 110])
        for at, row in enumerate(sheets.definition_rows(), 1):
            self._row(sheet, at, row, {}, self.wrapped)

    def _sheet(self, label: str, suffix: str, heading: Row, widths: list[int]) -> Any:
        sheet = self.book.add_worksheet(wording().labels[label].zh + suffix)
        for column, width in enumerate(widths):
            sheet.set_column(column, column, width)
        self._row(sheet, 0, heading, {}, self.heading)
        sheet.freeze_panes(1, 0)
        sheet.set_landscape()
        sheet.set_paper(9)  # A4
        sheet.fit_to_pages(1, 0)
        sheet.repeat_rows(0)
        return sheet

    def _row(self, sheet: Any, at: int, row: Row, kinds: dict[int, Kind], text: Any = None) -> None:
        for column, cell in enumerate(row):
            if isinstance(cell, str):
                written = sheet.write_string(at, column, cell, text or self.text)
            else:
                written = self._number(sheet, at, column, cell, kinds.get(column))
            if written:
                raise ValueError(f"row {at}, column {column} of {sheet.name} does not fit a workbook")

    def _number(self, sheet: Any, at: int, column: int, cell: Cell, kind: Kind | None) -> Any:
        if cell is None:
            return sheet.write_blank(at, column, None, self.text)
        return sheet.write_number(at, column, cell, self.numbers[kind] if kind else self.text)


def _parts(rows: Iterable[Row]) -> Iterator[list[Row]]:
    """Sheets of rows, at least one even if it is empty."""
    waiting = iter(rows)
    part = list(islice(waiting, ROWS_AT_MOST))
    yield part
    while part := list(islice(waiting, ROWS_AT_MOST)):
        yield part
