"""The columns of a platform's reply and the words in them. Pure: cells in, values or a CellError out."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import lru_cache
from types import MappingProxyType

from takedowns.content import storable
from takedowns.deadlines import SHANGHAI
from takedowns.imports.tabular import plain_name
from takedowns.ledger.vocabulary import Cleaned, Measure

CLOCK_SKEW = timedelta(hours=12)  # a platform's clock, or its idea of the zone, may be off by that much
TEXT_AT_MOST = 2000
EARLIEST_YEAR = 2000
MOST = 2**31 - 1  # of the column; a platform that cleaned more than two thousand million is mistaken

COLUMNS: Mapping[str, tuple[str, ...]] = MappingProxyType(
    {
        "lead_number": ("线索编号", "线索号", "编号", "lead_number", "lead number", "lead"),
        "item_id": ("商品ID", "商品编号", "宝贝ID", "item_id", "product_id"),
        "platform": ("平台", "平台名称", "platform"),
        "measure": ("处置措施", "处置结果", "处理结果", "处理措施", "措施", "measure", "action", "result"),
        "claimed_at": ("处置时间", "处理时间", "claimed_at", "handled at", "time"),
        "text": ("备注", "说明", "处置说明", "note", "remarks", "comment"),
        "link": ("商品链接", "链接", "链接地址", "url", "link"),
        "information": ("清理信息条数", "清理信息数", "information"),
        "merchants": ("处置商户数", "处置商家数", "merchants"),
        "accounts": ("处置账号数", "accounts"),
        "mini_programs": ("处置小程序数", "mini_programs"),
        # a list: one thing that was cleaned in each row
        "information_id": ("清理信息", "清理信息链接", "清理信息ID", "information_id"),
        "merchant_id": ("处置商户", "处置商户ID", "处置商家", "merchant_id"),
        "account_id": ("处置账号", "处置账号ID", "account_id"),
        "mini_program_id": ("处置小程序", "处置小程序ID", "mini_program_id"),
    }
)
FIELD_OF = {plain_name(name): field for field, names in COLUMNS.items() for name in names}
QUANTITIES: Mapping[str, Cleaned] = MappingProxyType(
    {
        "information": Cleaned.INFORMATION,
        "merchants": Cleaned.MERCHANT,
        "accounts": Cleaned.ACCOUNT,
        "mini_programs": Cleaned.MINI_PROGRAM,
    }
)
LISTS: Mapping[str, Cleaned] = MappingProxyType({f"{kind.value}_id": kind for kind in Cleaned})

# The words for a measure. Only these whole words count: 未删除 must not be read as 删除.
WORDS: Mapping[Measure, tuple[str, ...]] = MappingProxyType(
    {
        Measure.DELETED: (
            *("删除", "删除商品", "删除链接", "下架", "下架商品", "商品下架", "下架处理", "删除处理"),
            *("清理", "deleted", "removed", "delisted", "taken down"),
        ),
        Measure.BLOCKED: ("屏蔽", "屏蔽商品", "屏蔽链接", "屏蔽处理", "隐藏", "blocked", "hidden"),
        Measure.LINK_CUT: ("断开链接", "断链", "断开", "link_cut", "link cut", "unlinked"),
        Measure.SHOP_CLOSED: (
            *("关闭店铺", "关店", "店铺关闭", "清退店铺", "封店", "查封店铺", "终止服务"),
            *("shop_closed", "shop closed"),
        ),
        Measure.ACCOUNT_CLOSED: (
            *("封禁账号", "封号", "关闭账号", "注销账号", "账号封禁", "account_closed", "account closed"),
            *("account banned",),
        ),
        Measure.MINI_PROGRAM_CLOSED: (
            *("关闭小程序", "下架小程序", "封禁小程序", "小程序下架", "小程序关闭"),
            *("mini_program_closed", "mini program closed"),
        ),
        Measure.NONE: (
            *("未处置", "未处理", "无", "未采取措施", "处理中", "核查中"),
            *("none", "no action", "pending"),
        ),
        Measure.REFUSED: ("不予处置", "不予处理", "拒绝处置", "拒绝", "refused", "rejected"),
        Measure.DISPUTED: ("有异议", "异议", "提出异议", "不违规", "未违规", "disputed", "objection"),
    }
)
MEASURE_OF = {plain_name(word): measure for measure, words in WORDS.items() for word in words}
DATE = re.compile(
    r"(\d{4})[-/.年](\d{1,2})[-/.月](\d{1,2})日?[T\s]*(?:(\d{1,2})[:时点](?:(\d{1,2})(?:[:分](\d{1,2})秒?|分)?)?)?"
)
_DONE = re.compile(r"已经?|全部|均|了$")  # says when, not what
_SEVERAL = re.compile(r"[,，、;；/+\n]|并且?|以?及|[和与]|\band\b")
_NUMBER = re.compile(r"(\d{1,3}(?:,\d{3})+|\d{1,15})(?:\.0+)?[条个家项]?")


class CellError(ValueError):
    """A cell that cannot be used; ``field`` is our name of its column."""

    def __init__(self, field: str, message: str) -> None:
        super().__init__(message)
        self.field = field


@dataclass(frozen=True)
class Reply:
    """What one row says of a lead, or of a platform as a whole; ``quantities`` are what was cleaned."""

    measures: tuple[Measure, ...]
    claimed_at: datetime | None
    text: str
    quantities: Mapping[Cleaned, int]


def cells_of(fields: Mapping[str, str]) -> dict[str, str]:
    """Our name of the column → cell, without empty ones and columns that are not ours."""
    named = ((field_of(header), cell) for header, cell in fields.items() if cell)
    return {field: shown for field, cell in named if field and (shown := storable(cell).strip())}


@lru_cache(maxsize=1000)  # the same few for a million rows
def field_of(header: str) -> str | None:
    """Our name of the column with this header."""
    return FIELD_OF.get(plain_name(header))


def read(cells: Mapping[str, str], *, now: datetime) -> Reply:
    """The values in a row. Raises CellError, also for a row that says nothing of what was done."""
    quantities = {kind: quantity(field, cells[field]) for field, kind in QUANTITIES.items() if field in cells}
    return Reply(
        measures=_measures(cells.get("measure", ""), may_lack=bool(quantities)),
        claimed_at=time_in(cells.get("claimed_at", ""), now),
        text=cells.get("text", "")[:TEXT_AT_MOST],
        quantities=quantities,
    )


def refuse_formulas(cells: Mapping[str, str]) -> None:
    """Raises CellError: a formula is not computed, so nobody knows its value. A remark may be one."""
    for field, cell in cells.items():
        if cell.startswith("=") and field != "text":
            raise CellError(field, f"{cell[:40]!r} is a formula, which is not computed: put its value there")


def measures(text: str) -> list[Measure]:
    """The measures that a cell names; raises ValueError for words that are not in the table.

    >>> measures("已下架商品、关闭店铺")
    [<Measure.DELETED: 'deleted'>, <Measure.SHOP_CLOSED: 'shop_closed'>]
    """
    named = (part for part in _SEVERAL.split(unicodedata.normalize("NFKC", text)) if part.strip())
    found = list(dict.fromkeys(_measure(part) for part in named))
    if not found:
        raise ValueError("is empty")
    return found


def claimed_time(text: str) -> datetime | None:
    """The time in a cell, Shanghai's unless it names a zone; None when empty, ValueError when unreadable."""
    text = unicodedata.normalize("NFKC", text).strip()
    if not text:
        return None
    if parts := DATE.fullmatch(text):
        year, month, day, hour, minute, second = (int(part or 0) for part in parts.groups())
        found = datetime(year, month, day, hour, minute, second, tzinfo=SHANGHAI)
    else:
        found = datetime.fromisoformat(text)
    if found.year < EARLIEST_YEAR:
        raise ValueError(f"the year {found.year} is a slip of the pen")
    return found if found.tzinfo else found.replace(tzinfo=SHANGHAI)


def quantity(field: str, text: str) -> int:
    """A whole number such as ``1,014,100`` or ``12 条``; raises CellError for anything else."""
    shown = re.sub(r"\s", "", unicodedata.normalize("NFKC", text))
    found = _NUMBER.fullmatch(shown)
    number = int(found[1].replace(",", "")) if found else -1
    if not 0 <= number <= MOST:
        raise CellError(field, f"{text[:40]!r} is no whole number from 0 to {MOST:,}")
    return number


def _measure(part: str) -> Measure:
    for word in (plain_name(part), plain_name(_DONE.sub("", part.strip()))):
        if word in MEASURE_OF:
            return MEASURE_OF[word]
    known = ", ".join(words[0] for words in WORDS.values())
    raise ValueError(f"{part.strip()[:40]!r} is no known measure; known are {known}")


def _measures(text: str, *, may_lack: bool) -> tuple[Measure, ...]:
    if not text and may_lack:
        return ()
    try:
        return tuple(measures(text))
    except ValueError as error:
        raise CellError("measure", str(error)) from error


def time_in(text: str, now: datetime) -> datetime | None:
    try:
        claimed_at = claimed_time(text)
    except ValueError as error:
        raise CellError("claimed_at", f"{text[:40]!r} is no time such as 2026-10-12 09:30") from error
    if claimed_at is not None and claimed_at > now + CLOCK_SKEW:
        raise CellError("claimed_at", f"{text[:40]!r} lies in the future")
    return claimed_at
