"""The letter as a Word document, which an office can put on its own paper."""

from __future__ import annotations

import io
import zipfile
from dataclasses import dataclass
from datetime import UTC
from typing import Any

import docx
from docx.document import Document
from docx.enum.table import WD_TABLE_ALIGNMENT
from docx.enum.text import WD_ALIGN_PARAGRAPH
from docx.oxml import OxmlElement
from docx.oxml.ns import qn
from docx.shared import Mm, Pt, RGBColor
from docx.text.paragraph import Paragraph as Line
from docx.text.run import Run

from takedowns.evidence.packing import EPOCH
from takedowns.papers.letter import WORDS, Entry, Letter, Paragraph, Style

MEDIA_TYPE = "application/vnd.openxmlformats-officedocument.wordprocessingml.document"
RED = RGBColor(0xC0, 0, 0)
LATIN = "Times New Roman"
COLUMNS = (Mm(12), Mm(35), Mm(90), Mm(19))


@dataclass(frozen=True)
class Look:
    """Sizes in points. GB/T 9704-2012 has body in size 3 (16), title in size 2 (22)."""

    office: float
    title: float
    body: float
    table: float
    spacing: float  # of lines, in points
    indent: float  # of the first line, in characters


LOOKS = {
    "zh": Look(office=30, title=22, body=16, table=10.5, spacing=28, indent=2),
    "en": Look(office=22, title=17, body=11.5, table=9.5, spacing=17, indent=0),
}
# What Chinese Windows, macOS and WPS have; a reader's program takes another where it must.
SONG, FANG_SONG, HEI = "宋体", "仿宋", "黑体"
CENTRE, RIGHT = WD_ALIGN_PARAGRAPH.CENTER, WD_ALIGN_PARAGRAPH.RIGHT


def render(letter: Letter) -> bytes:
    """The same letter gives the same bytes."""
    document = docx.Document()
    _Writer(document, letter).everything()
    out = io.BytesIO()
    document.save(out)
    return _without_times(out.getvalue())


def _without_times(package: bytes) -> bytes:
    """The same files in the same order, which readers rely on, but without the time of writing."""
    out = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(package)) as before, zipfile.ZipFile(out, "w") as after:
        for part in before.infolist():
            entry = zipfile.ZipInfo(part.filename, EPOCH)
            entry.create_system = 3  # the same on every system
            after.writestr(entry, before.read(part), zipfile.ZIP_DEFLATED)
    return out.getvalue()


class _Writer:
    def __init__(self, document: Document, letter: Letter) -> None:
        self.document = document
        self.letter = letter
        self.look = LOOKS[letter.lang]
        self.words = WORDS[letter.lang]

    def everything(self) -> None:
        letter = self.letter
        self._properties()
        self._page()
        self._head()
        self._line(letter.addressee)
        self._paragraphs(letter.opening)
        self._table(letter.entries)
        for note in letter.notes:
            self._line(note, size=self.look.table)
        self._paragraphs(letter.closing)
        self._attachments()
        self._signature()

    def _properties(self) -> None:
        properties = self.document.core_properties
        created = self.letter.created_at.astimezone(UTC).replace(tzinfo=None)  # as the format says
        properties.created = properties.modified = created
        properties.author = properties.last_modified_by = self.letter.office
        properties.title = f"{self.letter.title} {self.letter.number}"
        properties.comments = ""

    def _page(self) -> None:
        page = self.document.sections[0]
        page.page_width, page.page_height = Mm(210), Mm(297)
        page.top_margin, page.bottom_margin = Mm(37), Mm(35)
        page.left_margin, page.right_margin = Mm(28), Mm(26)
        page.footer_distance = Mm(26)
        footer = page.footer.paragraphs[0]
        footer.alignment = CENTRE
        _font(footer.add_run("— "), SONG, 14)
        _page_number(footer)
        _font(footer.add_run(" —"), SONG, 14)

    def _head(self) -> None:
        office = self._line(self.letter.office, SONG, self.look.office, bold=True, align=CENTRE)
        office.runs[0].font.color.rgb = RED
        _red_rule_below(office)
        self._line(self.letter.number, align=RIGHT)
        title = self._line(self.letter.title, SONG, self.look.title, bold=True, align=CENTRE)
        title.paragraph_format.space_before = title.paragraph_format.space_after = Pt(22)

    def _paragraphs(self, paragraphs: tuple[Paragraph, ...]) -> None:
        for one in paragraphs:
            heading = one.style is Style.HEADING
            text = f"– {one.text}" if one.style is Style.ITEM and self.letter.lang == "en" else one.text
            line = self._line(text, HEI if heading else FANG_SONG, bold=heading and self.letter.lang == "en")
            line.paragraph_format.first_line_indent = Pt(self.look.body * self.look.indent)
            line.paragraph_format.keep_with_next = heading

    def _table(self, entries: tuple[Entry, ...]) -> None:
        table = self.document.add_table(rows=1, cols=len(COLUMNS), style="Table Grid")
        table.alignment = WD_TABLE_ALIGNMENT.CENTER
        table.autofit = False
        self._row(table.rows[0], tuple((name,) for name in self.words.columns), HEI)
        _set(table.rows[0]._tr.get_or_add_trPr(), "w:tblHeader")
        for number, entry in enumerate(entries, 1):
            named, page = (entry.number, entry.item_id), (entry.url, *entry.lines)
            evidence = self.words.evidence[entry.evidence]
            self._row(table.add_row(), ((str(number),), named, page, (evidence,)), FANG_SONG)

    def _row(self, row: Any, cells: tuple[tuple[str, ...], ...], family: str) -> None:
        _set(row._tr.get_or_add_trPr(), "w:cantSplit")
        for cell, width, lines in zip(row.cells, COLUMNS, cells, strict=True):
            cell.width = width
            for at, text in enumerate(lines):
                line = cell.add_paragraph() if at else cell.paragraphs[0]
                line.paragraph_format.space_after = Pt(0)
                _font(line.add_run(text), family, self.look.table)

    def _attachments(self) -> None:
        for at, name in enumerate(self.letter.attachments, 1):
            line = self._line(f"{self.words.attachments if at == 1 else ''}{at}. {name}")
            line.paragraph_format.left_indent = Pt(self.look.body * 2)
            line.paragraph_format.space_before = Pt(self.look.body if at == 1 else 0)

    def _signature(self) -> None:
        for at, text in enumerate(self.letter.signature):
            line = self._line(text, align=RIGHT)
            line.paragraph_format.space_before = Pt(0 if at else 2 * self.look.spacing)
            line.paragraph_format.right_indent = Pt(self.look.body * self.look.indent)
            line.paragraph_format.keep_with_next = at + 1 < len(self.letter.signature)

    def _line(
        self,
        text: str,
        family: str = FANG_SONG,
        size: float | None = None,
        *,
        bold: bool = False,
        align: WD_ALIGN_PARAGRAPH | None = None,
    ) -> Line:
        line = self.document.add_paragraph()
        if align is not None:
            line.alignment = align
        line.paragraph_format.space_after = Pt(0)
        line.paragraph_format.line_spacing = Pt(max(self.look.spacing, 1.4 * (size or 0)))
        run = line.add_run(text)
        _font(run, family, size or self.look.body)
        run.bold = bold
        return line


def _font(run: Run, chinese: str, size: float) -> None:
    run.font.name = LATIN
    run.font.size = Pt(size)
    run._element.get_or_add_rPr().get_or_add_rFonts().set(qn("w:eastAsia"), chinese)


def _page_number(line: Line) -> None:
    run = line.add_run()
    _font(run, SONG, 14)
    for kind in ("begin", "end"):
        mark = OxmlElement("w:fldChar")
        mark.set(qn("w:fldCharType"), kind)
        run._element.append(mark)
        if kind == "begin":
            instruction = OxmlElement("w:instrText")
            instruction.text = "PAGE"
            run._element.append(instruction)


def _red_rule_below(line: Line) -> None:
    borders = OxmlElement("w:pBdr")
    rule = OxmlElement("w:bottom")
    for name, value in (("val", "single"), ("sz", "12"), ("space", "8"), ("color", str(RED))):
        rule.set(qn(f"w:{name}"), value)
    borders.append(rule)
    line._element.get_or_add_pPr().insert_element_before(borders, "w:spacing", "w:ind", "w:jc")


def _set(properties: Any, name: str) -> None:
    properties.append(OxmlElement(name))
