"""The annex (线索清单及处置反馈表): one row a lead, and columns for the platform to fill in and send back.

:mod:`takedowns.replies` reads it; the headings and the words for measures are among those it knows.
"""

from __future__ import annotations

import io
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC
from typing import Any

import xlsxwriter

from takedowns.ledger.tables import Lead, Notice
from takedowns.ledger.vocabulary import Measure
from takedowns.letters import TITLE_AT_MOST, URL_AT_MOST, clean

MEDIA_TYPE = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
HEADER_ROW = 2  # counted from 0: the title and the hint stand above it
A4 = 9
GIVEN, FILLED_IN = "#E8EDF2", "#FFF6D6"  # grey: ours; yellow: the platform's


@dataclass(frozen=True)
class Words:
    """What stands in the annex in one language; ``filled_in`` are the columns left empty."""

    sheet: str
    title: str
    hint: str
    given: tuple[str, ...]
    filled_in: tuple[str, ...]
    measures: Mapping[Measure, str]


WORDS: Mapping[str, Words] = {
    "zh": Words(
        sheet="线索清单及处置反馈表",
        title="线索清单及处置反馈表（{number}）",
        hint="请逐条填写黄色各列后发回，并保留线索编号。采取多项措施的，以顿号分隔。"
        "条数、商户数、账号数、小程序数请填整数。",
        given=("线索编号", "平台", "商品ID", "商品链接", "店铺名称", "商品标题"),
        filled_in=(
            "处置措施",
            "处置时间",
            "清理信息条数",
            "处置商户数",
            "处置账号数",
            "处置小程序数",
            "备注",
        ),
        measures={
            Measure.DELETED: "删除商品",
            Measure.BLOCKED: "屏蔽链接",
            Measure.LINK_CUT: "断开链接",
            Measure.SHOP_CLOSED: "关闭店铺",
            Measure.ACCOUNT_CLOSED: "封禁账号",
            Measure.MINI_PROGRAM_CLOSED: "关闭小程序",
            Measure.NONE: "未处置",
            Measure.REFUSED: "不予处置",
            Measure.DISPUTED: "有异议",
        },
    ),
    "en": Words(
        sheet="Leads and measures",
        title="Leads and measures taken ({number})",
        hint="Please fill in the yellow columns row by row, keep the lead numbers, and send this file back. "
        "Separate several measures by commas. The four counts are whole numbers.",
        given=("Lead number", "Platform", "Item ID", "URL", "Shop", "Title"),
        filled_in=(
            "Measure",
            "Handled at",
            "Information",
            "Merchants",
            "Accounts",
            "Mini programs",
            "Remarks",
        ),
        measures={
            Measure.DELETED: "deleted",
            Measure.BLOCKED: "blocked",
            Measure.LINK_CUT: "link cut",
            Measure.SHOP_CLOSED: "shop closed",
            Measure.ACCOUNT_CLOSED: "account closed",
            Measure.MINI_PROGRAM_CLOSED: "mini program closed",
            Measure.NONE: "no action",
            Measure.REFUSED: "refused",
            Measure.DISPUTED: "disputed",
        },
    ),
}
WIDTHS = (20, 12, 18, 46, 22, 46, 16, 18, 12, 12, 12, 12, 30)
MEASURE, HANDLED_AT, FIRST_COUNT, LAST_COUNT = 6, 7, 8, 11  # columns
# Sellers' text must stay text: by default a leading "=" becomes a live formula and an address a link.
OPTIONS = {
    "in_memory": True,
    "strings_to_formulas": False,
    "strings_to_urls": False,
    "strings_to_numbers": False,
}


def render(notice: Notice) -> bytes:
    """The workbook's bytes, in the notice's language: the same rows give the same bytes."""
    words = WORDS[notice.lang]
    out = io.BytesIO()
    with xlsxwriter.Workbook(out, OPTIONS) as book:
        # in UTC, as the format says; without it the time of writing would stand in the file
        book.set_properties({"created": notice.created_at.astimezone(UTC).replace(tzinfo=None)})
        sheet = book.add_worksheet(words.sheet)
        _layout(sheet)
        _heading(book, sheet, words, notice.number)
        _rows(book, sheet, notice.leads)
        _validation(sheet, words, len(notice.leads))
    return out.getvalue()


def _layout(sheet: Any) -> None:
    for column, width in enumerate(WIDTHS):
        sheet.set_column(column, column, width)
    sheet.freeze_panes(HEADER_ROW + 1, 1)
    sheet.set_landscape()
    sheet.set_paper(A4)
    sheet.fit_to_pages(1, 0)
    sheet.repeat_rows(HEADER_ROW)


def _heading(book: Any, sheet: Any, words: Words, number: str) -> None:
    sheet.write_string(
        0, 0, words.title.format(number=number), book.add_format({"bold": True, "font_size": 14})
    )
    sheet.write_string(1, 0, words.hint)
    for first, names, colour in ((0, words.given, GIVEN), (len(words.given), words.filled_in, FILLED_IN)):
        style = {"bold": True, "bg_color": colour, "border": 1, "text_wrap": True, "valign": "top"}
        sheet.write_row(HEADER_ROW, first, names, book.add_format(style))


def _rows(book: Any, sheet: Any, leads: Sequence[Lead]) -> None:
    frame = {"border": 1, "text_wrap": True, "valign": "top"}
    # Text that stays text when a person edits the cell, and when the file is saved by another program.
    text = book.add_format({**frame, "num_format": "@", "quote_prefix": True})
    answer = book.add_format(frame)
    time = book.add_format({**frame, "num_format": "yyyy-mm-dd hh:mm"})
    for row, lead in enumerate(leads, HEADER_ROW + 1):
        for column, cell in enumerate(_cells(lead)):
            sheet.write_string(row, column, cell, text)
        for column in range(MEASURE, len(WIDTHS)):
            sheet.write_blank(row, column, None, time if column == HANDLED_AT else answer)


def _cells(lead: Lead) -> Iterator[str]:
    listing = lead.listing
    yield lead.number
    yield clean(listing.platform, TITLE_AT_MOST)
    yield clean(listing.item_id, TITLE_AT_MOST)
    yield clean(listing.url, URL_AT_MOST)
    yield clean(listing.seller.name, TITLE_AT_MOST) if listing.seller else ""
    yield clean(lead.decision.snapshot.title, TITLE_AT_MOST)


def _validation(sheet: Any, words: Words, leads: int) -> None:
    """A list of measures to choose from; another entry, such as two of them, is let through with a hint."""
    first, last = HEADER_ROW + 1, HEADER_ROW + leads
    sheet.data_validation(
        *(first, MEASURE, last, MEASURE),
        {"validate": "list", "source": list(words.measures.values()), "error_type": "information"},
    )
    sheet.data_validation(
        *(first, FIRST_COUNT, last, LAST_COUNT),
        {"validate": "integer", "criteria": ">=", "value": 0, "error_type": "warning"},
    )
