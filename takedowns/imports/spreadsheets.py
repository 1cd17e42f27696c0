"""Listings out of the files that platforms and hotlines send, and a result file with the fate of each row."""

from __future__ import annotations

import csv
import re
from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import xlsxwriter

from crawlers import links
from crawlers.listing import Listing, Seller, SellerKind
from crawlers.platforms import Platform
from crawlers.prices import parse_price
from takedowns.configuration import UnknownPlatformError, platform_named
from takedowns.content import storable
from takedowns.imports.pasted import LINK_PROBLEMS
from takedowns.imports.tabular import FileError, Record, RowError, plain_name, read_records

__all__ = ["FileError", "GoodRow", "RowError", "read_rows", "write_results"]

# What we read of a row: names of its columns in use, the preferred one first.
COLUMNS: Mapping[str, tuple[str, ...]] = {
    "platform": ("平台", "平台名称", "所属平台", "电商平台", "platform"),
    "item_id": ("商品ID", "商品编号", "宝贝ID", "item_id", "product_id", "goods_id"),
    "url": ("商品链接", "链接", "链接地址", "商品网址", "网址", "url", "link", "item_url"),
    "title": ("商品标题", "标题", "商品名称", "宝贝标题", "title", "product_name"),
    "description": ("商品描述", "描述", "商品详情", "详情", "description", "details"),
    "shop": ("店铺名称", "店铺", "商家", "商家名称", "卖家", "shop", "shop_name", "merchant", "seller.name"),
    "account": ("账号", "账号名称", "账号昵称", "account", "account_name"),
    "mini_program": ("小程序", "小程序名称", "mini_program"),
    "seller_id": ("店铺ID", "商家ID", "卖家ID", "账号ID", "shop_id", "seller_id", "seller.external_id"),
    "seller_url": ("店铺链接", "店铺网址", "shop_url", "seller.url"),
    "price": ("价格", "价格（元）", "商品价格", "售价", "单价", "price", "price_raw"),
    "currency": ("币种", "货币", "currency"),
    "images": ("商品图片", "图片", "图片链接", "主图", "images", "image"),
    "lang": ("语言", "lang", "language"),
    "observed_at": ("采集时间", "发现时间", "观测时间", "observed_at", "found_at"),
    "found_by": ("线索来源", "来源", "搜索词", "found_by", "source"),
}
# Read by nobody: a row number says nothing about the goods, and who reported them is not our business.
NOT_KEPT = ("序号", "No", "举报人", "举报人姓名", "举报人电话", "联系电话", "reporter", "reporter_phone")

FIELD_OF = {plain_name(name): field for field, names in COLUMNS.items() for name in names}
IGNORED = {plain_name(name) for name in NOT_KEPT}
SELLER_KINDS = {
    "shop": SellerKind.MERCHANT,
    "account": SellerKind.ACCOUNT,
    "mini_program": SellerKind.MINI_PROGRAM,
}
CHINA = ZoneInfo("Asia/Shanghai")  # the zone of a time that names none
EARLIEST = datetime(2000, 1, 1, tzinfo=CHINA)  # an older one is a slip, or the zero of some program
CHINESE_DATE = re.compile(r"(\d{4})[/.年](\d{1,2})[/.月](\d{1,2})日?(?:\s+(\d{1,2}):(\d{2})(?::(\d{2}))?)?")
LOST_DIGITS = re.compile(r"\d(\.\d+)?E\+\d+", re.IGNORECASE)
FORMULA_STARTS = tuple("=+-@\t\r\n＝＋－＠")
CELL_LIMIT = 32_767  # characters in a workbook's cell


@dataclass(frozen=True)
class GoodRow:
    line: int
    listing: Listing
    raw: Mapping[str, str]
    sheet: str = ""


class _CellError(ValueError):
    """``field`` of this row cannot be used."""

    def __init__(self, field: str, message: str) -> None:
        super().__init__(message)
        self.field = field


def read_rows(
    path: Path, platforms: dict[str, Platform], *, now: datetime, default_platform: str | None = None
) -> Iterator[GoodRow | RowError]:
    """Yield each row of ``path`` as a listing, or as the reason why it is none, in the order of the file.

    A column that is in neither table above becomes an attribute of the listing. ``default_platform`` is for
    rows that name no platform. Raises FileError, and UnknownPlatformError for ``default_platform``.
    """
    default = platform_named(platforms, default_platform) if default_platform else None
    for record in read_records(path, FIELD_OF):
        yield record if isinstance(record, RowError) else _row(record, platforms, default, now)


def _row(
    record: Record, platforms: dict[str, Platform], default: Platform | None, now: datetime
) -> GoodRow | RowError:
    try:
        listing = _listing(record.fields, platforms, default, now)
    except _CellError as error:
        header = _header_of(record.fields, error.field)
        return RowError(record.line, header, str(error), record.fields, record.sheet)
    return GoodRow(record.line, listing, record.fields, record.sheet)


def _header_of(fields: Mapping[str, str], field: str) -> str:
    """The column's name as it stands in this file."""
    return next((name for name in fields if FIELD_OF.get(plain_name(name)) == field), field)


def _listing(
    fields: Mapping[str, str], platforms: dict[str, Platform], default: Platform | None, now: datetime
) -> Listing:
    cells, attributes = _sorted_out(fields)
    platform, item_id = _identity(cells, platforms, default)
    if "title" not in cells:
        raise _CellError("title", "is empty; a link alone is taken in by `vapewatch add`")
    price_raw = cells.get("price")
    content: dict[str, Any] = {
        "title": cells["title"],
        "description": cells.get("description", ""),
        "attributes": attributes,
        "price": parse_price(price_raw) if price_raw else None,
        "price_raw": price_raw,
        "currency": cells.get("currency", platform.currency if price_raw else None),
        "seller": _seller(cells),
        "images": tuple(re.split(r"[\s;；]+", cells["images"].strip())) if "images" in cells else (),
        "lang": cells.get("lang"),
    }
    return Listing(
        platform=platform.name,
        item_id=item_id,
        url=platform.canonical_url(item_id),
        observed_at=_time(cells["observed_at"], now) if "observed_at" in cells else now,
        found_by=cells.get("found_by"),
        sources={name: "import" for name, value in content.items() if value},
        **content,
    )


def _sorted_out(fields: Mapping[str, str]) -> tuple[dict[str, str], dict[str, str]]:
    """Cells by our field name, and what is left as attributes; empty cells are in neither."""
    cells: dict[str, str] = {}
    attributes: dict[str, str] = {}
    for header, text in fields.items():
        field = FIELD_OF.get(plain_name(header))
        if not text.strip() or plain_name(header) in IGNORED:
            continue
        names_a_second_seller = field in SELLER_KINDS and cells.keys() & SELLER_KINDS.keys()
        if field and field not in cells and not names_a_second_seller:
            cells[field] = storable(text)
        else:
            attributes[storable(header.removeprefix("attributes."))] = storable(text)
    return cells, attributes


def _identity(
    cells: Mapping[str, str], platforms: dict[str, Platform], default: Platform | None
) -> tuple[Platform, str]:
    """Platform and item id out of link and cells, which must not contradict each other."""
    named = _platform(cells["platform"], platforms) if "platform" in cells else None
    item_id = _item_id(cells["item_id"]) if "item_id" in cells else None
    link = links.recognise(cells["url"], platforms.values()) if "url" in cells else None
    if isinstance(link, links.Link):
        if named and named.name != link.platform:
            raise _CellError("platform", f"says {named.name}, but the link belongs to {link.platform}")
        if item_id and item_id != link.item_id:
            raise _CellError("item_id", f"says {item_id}, but the link leads to {link.item_id}")
        return platforms[link.platform], link.item_id
    platform = named or default
    if platform and item_id:
        if platform.listing_url.item_id(platform.canonical_url(item_id)) != item_id:
            raise _CellError("item_id", f"is not an item id of {platform.name}")
        return platform, item_id
    if link:
        raise _CellError("url", LINK_PROBLEMS[link.problem])
    raise _CellError("(row)", "names neither a link nor a platform with an item id")


def _platform(text: str, platforms: dict[str, Platform]) -> Platform:
    """By its name or its title in either language."""
    wanted = plain_name(text)
    for platform in platforms.values():
        if wanted in {plain_name(name) for name in (platform.name, platform.title, platform.title_en)}:
            return platform
    try:
        return platform_named(platforms, text.strip())
    except UnknownPlatformError as error:
        raise _CellError("platform", str(error)) from None


def _item_id(text: str) -> str:
    if LOST_DIGITS.fullmatch(text.strip()):
        raise _CellError("item_id", "was stored as a number and lost its last digits; make the column text")
    return text.strip()


def _seller(cells: Mapping[str, str]) -> Seller | None:
    for field in (*SELLER_KINDS, "seller_id", "seller_url"):
        if field in cells:
            return Seller(
                external_id=cells.get("seller_id", cells[field]).strip(),
                name=cells[field],
                kind=SELLER_KINDS.get(field, SellerKind.MERCHANT),
                url=cells.get("seller_url"),
            )
    return None


def _time(text: str, now: datetime) -> datetime:
    try:
        parts = CHINESE_DATE.fullmatch(text.strip())
        if parts:
            year, month, day, hour, minute, second = (int(part or 0) for part in parts.groups())
            found = datetime(year, month, day, hour, minute, second, tzinfo=CHINA)
        else:
            found = datetime.fromisoformat(text.strip())
    except ValueError:
        raise _CellError("observed_at", "is no time such as 2026-10-12 09:30") from None
    found = found if found.tzinfo else found.replace(tzinfo=CHINA)
    if not EARLIEST <= found <= now:
        raise _CellError("observed_at", "lies in the future or before 2000")
    return found


def write_results(path: Path, rows: Iterable[GoodRow | RowError]) -> None:
    """Write what became of each row, with all its cells as they were, as .xlsx or else as .csv.

    A cell that a spreadsheet program would run as a formula gets a leading ``'`` in .csv; in .xlsx every cell
    is text.
    """
    kept = list(rows)
    headers = list(dict.fromkeys(name for row in kept for name in row.raw))
    table = [["sheet", "line", "status", "message", *headers], *(_result(row, headers) for row in kept)]
    if path.suffix.lower() == ".xlsx":
        _write_workbook(path, table)
    else:
        _write_csv(path, table)


def _result(row: GoodRow | RowError, headers: Collection[str]) -> list[str]:
    if isinstance(row, RowError):
        status, message = "error", f"{row.field}: {row.message}"
    else:
        status, message = "ok", ""
    return [row.sheet, str(row.line), status, message, *(row.raw.get(name, "") for name in headers)]


def _write_csv(path: Path, table: Iterable[Iterable[str]]) -> None:
    # The mark at the start makes Excel read UTF-8; the quotes keep a cell one cell for every delimiter.
    with path.open("w", encoding="utf-8-sig", errors="backslashreplace", newline="") as file:
        writer = csv.writer(file, quoting=csv.QUOTE_ALL)
        writer.writerows([_harmless(cell) for cell in row] for row in table)


def _harmless(cell: str) -> str:
    return f"'{cell}" if cell.startswith(FORMULA_STARTS) else cell


def _write_workbook(path: Path, table: Iterable[Iterable[str]]) -> None:
    with xlsxwriter.Workbook(path) as workbook:
        sheet = workbook.add_worksheet("results")
        for number, row in enumerate(table):
            for column, cell in enumerate(row):
                sheet.write_string(number, column, _fitting(cell))


def _fitting(cell: str) -> str:
    """Text that a workbook can hold; a longer one says that it was cut."""
    text = cell.encode("utf-8", "backslashreplace").decode()
    mark = f"… [{len(text)} characters]"
    return text if len(text) <= CELL_LIMIT else text[: CELL_LIMIT - len(mark)] + mark
