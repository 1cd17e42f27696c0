from __future__ import annotations

import csv
import json
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import openpyxl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from crawlers.listing import Seller, SellerKind
from crawlers.platforms import Platform
from takedowns.configuration import UnknownPlatformError
from takedowns.imports import spreadsheets
from takedowns.imports.spreadsheets import GoodRow, RowError, read_rows, write_results

Read = Callable[..., list[GoodRow | RowError]]
LINK = "https://shop.invalid/item/42?from=share"


@pytest.fixture
def platforms(platform: Platform) -> dict[str, Platform]:
    other = {
        **platform.model_dump(),
        "name": "other",
        "title": "别家",
        "title_en": "Other",
        "hosts": ["other.invalid"],
        "listing_url": {"match": r"[?&]id=(?P<id>\d+)", "canonical": "https://other.invalid/?id={id}"},
        "short_links": [r"^https?://o\.invalid/"],
        "currency": "CNY",
    }
    return {platform.name: platform, "other": Platform.model_validate(other)}


@pytest.fixture
def read(tmp_path: Path, platforms: dict[str, Platform], now: datetime) -> Read:
    """Rows of a file with the given header and rows."""

    def rows(header: list[str], *rows: list[str], default_platform: str | None = None) -> list[Any]:
        path = tmp_path / "list.csv"
        with path.open("w", encoding="utf-8", newline="") as file:
            csv.writer(file).writerows([header, *rows])
        return list(read_rows(path, platforms, now=now, default_platform=default_platform))

    return rows


def one(rows: list[GoodRow | RowError]) -> Any:
    (row,) = rows
    assert isinstance(row, GoodRow), row
    return row.listing


def mistake(rows: list[GoodRow | RowError]) -> tuple[int, str, str]:
    (row,) = rows
    assert isinstance(row, RowError), row
    return row.line, row.field, row.message


def test_a_chinese_sheet_gives_listings_with_everything_in_it(read: Read, now: datetime) -> None:
    header = [
        "序号",
        "商品链接",
        "商品标题",
        "商品详情",
        "店铺名称",
        "店铺ID",
        "价格",
        "图片",
        "线索来源",
        "发现时间",
        "产地",
    ]
    row = [
        "1",
        LINK,
        "医用雾化器",
        "大容量",
        "康康",
        "s9",
        "¥1,299.00",
        "a.jpg\nb.jpg",
        "12345热线",
        "2026/10/1 9:05",
        "深圳",
    ]
    listing = one(read(header, row))
    assert (listing.platform, listing.item_id) == ("sample", "42")
    assert listing.url == "https://shop.invalid/item/42"
    assert (listing.title, listing.description) == ("医用雾化器", "大容量")
    assert listing.seller == Seller(external_id="s9", name="康康")
    assert (listing.price, listing.price_raw) == (Decimal("1299.00"), "¥1,299.00")
    assert listing.images == ("a.jpg", "b.jpg")
    assert listing.found_by == "12345热线"
    assert listing.observed_at == datetime(2026, 10, 1, 1, 5, tzinfo=UTC)
    assert listing.attributes == {"产地": "深圳"}
    assert listing.sources["title"] == "import"


def test_an_english_sheet_gives_the_same(read: Read, now: datetime) -> None:
    header = ["Platform", "item_id", "Title", "Description", "Shop", "Price", "Colour"]
    listing = one(read(header, ["sample", "42", "nebulizer", "big", "KK", "9.90", "red"]))
    assert (listing.item_id, listing.url) == ("42", "https://shop.invalid/item/42")
    assert listing.seller == Seller(external_id="KK", name="KK")
    assert listing.attributes == {"Colour": "red"}
    assert listing.observed_at == now


def test_json_lines_with_a_nested_seller_are_read_alike(
    tmp_path: Path, platforms: dict[str, Platform], now: datetime
) -> None:
    path = tmp_path / "list.jsonl"
    row = {
        "url": LINK,
        "title": "雾\ud83d化\x00器",
        "seller": {"name": "康康", "external_id": "s9"},
        "attributes": {"产地": "深圳"},
        "images": ["a.jpg"],
        "price": 9.9,
    }
    path.write_text(json.dumps(row))
    listing = one(list(read_rows(path, platforms, now=now)))
    assert listing.title == "雾\\ud83d化\\u0000器"
    assert listing.seller == Seller(external_id="s9", name="康康")
    assert (listing.attributes, listing.images, listing.price) == (
        {"产地": "深圳"},
        ("a.jpg",),
        Decimal("9.9"),
    )


@pytest.mark.parametrize(
    ("column", "kind"),
    [("店铺", SellerKind.MERCHANT), ("账号", SellerKind.ACCOUNT), ("小程序", SellerKind.MINI_PROGRAM)],
)
def test_the_column_says_what_kind_of_seller_it_is(read: Read, column: str, kind: SellerKind) -> None:
    assert one(read(["链接", "标题", column], [LINK, "t", "n"])).seller.kind is kind


def test_a_seller_known_by_its_id_alone_and_a_second_seller_are_not_lost(read: Read) -> None:
    assert one(read(["链接", "标题", "店铺ID"], [LINK, "t", "s9"])).seller == Seller(
        external_id="s9", name="s9"
    )
    listing = one(read(["链接", "标题", "店铺", "账号"], [LINK, "t", "康康", "小雾"]))
    assert (listing.seller.name, listing.attributes) == ("康康", {"账号": "小雾"})


def test_who_reported_it_is_not_kept(read: Read) -> None:
    listing = one(read(["链接", "标题", "举报人", "举报人电话"], [LINK, "t", "王某", "13800000000"]))
    assert "王某" not in str(listing)
    assert "13800000000" not in str(listing)


def test_a_second_column_of_the_same_meaning_is_kept_as_an_attribute(read: Read) -> None:
    listing = one(read(["链接", "标题", "商品名称"], [LINK, "一", "二"]))
    assert (listing.title, listing.attributes) == ("一", {"商品名称": "二"})


@pytest.mark.parametrize("name", ["sample", "示例商城", "Sample Market", "SAMPLE market "])
def test_a_platform_is_known_by_its_name_or_either_title(read: Read, name: str) -> None:
    assert one(read(["平台", "商品ID", "标题"], [name, "7", "t"])).platform == "sample"


def test_rows_without_platform_belong_to_the_one_that_is_given_for_the_file(read: Read) -> None:
    assert (
        one(read(["商品ID", "标题"], ["7", "t"], default_platform="other")).url
        == "https://other.invalid/?id=7"
    )


def test_a_link_tells_the_platform_whatever_the_default_is(read: Read) -> None:
    assert one(read(["链接", "标题"], [LINK, "t"], default_platform="other")).platform == "sample"


def test_an_unknown_default_platform_is_refused(read: Read) -> None:
    with pytest.raises(UnknownPlatformError, match="did you mean sample"):
        read(["链接", "标题"], [LINK, "t"], default_platform="smaple")


@pytest.mark.parametrize(
    ("header", "row", "field", "message"),
    [
        (["链接", "标题"], [LINK, " "], "标题", "is empty; a link alone is taken in by `vapewatch add`"),
        (["商品ID", "标题"], ["7", "t"], "(row)", "names neither a link nor a platform with an item id"),
        (
            ["链接", "标题"],
            ["https://nowhere.invalid/1", "t"],
            "链接",
            "belongs to no platform that has a profile",
        ),
        (
            ["链接", "标题"],
            ["https://shop.invalid/", "t"],
            "链接",
            "is an address of this platform, but of no single listing",
        ),
        (
            ["链接", "标题"],
            ["https://o.invalid/x", "t"],
            "链接",
            "is a short link; open it and paste the address that it leads to",
        ),
        (["链接", "标题"], ["javascript:alert(1)", "t"], "链接", "holds no link"),
        (["平台", "链接", "标题"], ["别家", LINK, "t"], "平台", "says other, but the link belongs to sample"),
        (["商品ID", "链接", "标题"], ["41", LINK, "t"], "商品ID", "says 41, but the link leads to 42"),
        (
            ["平台", "商品ID", "标题"],
            ["smaple", "7", "t"],
            "平台",
            "no platform is called 'smaple'; did you mean sample?",
        ),
        (["平台", "商品ID", "标题"], ["sample", "7/../8", "t"], "商品ID", "is not an item id of sample"),
        (
            ["平台", "商品ID", "标题"],
            ["sample", "6.12E+17", "t"],
            "商品ID",
            "was stored as a number and lost its last digits; make the column text",
        ),
        (
            ["链接", "标题", "发现时间"],
            [LINK, "t", "昨天"],
            "发现时间",
            "is no time such as 2026-10-12 09:30",
        ),
        (
            ["链接", "标题", "发现时间"],
            [LINK, "t", "2026-02-30"],
            "发现时间",
            "is no time such as 2026-10-12 09:30",
        ),
        (
            ["链接", "标题", "发现时间"],
            [LINK, "t", "0001-01-01"],
            "发现时间",
            "lies in the future or before 2000",
        ),
        (
            ["链接", "标题", "发现时间"],
            [LINK, "t", "2027-01-01"],
            "发现时间",
            "lies in the future or before 2000",
        ),
    ],
)
def test_each_mistake_is_one_sentence_with_line_and_column(
    read: Read, header: list[str], row: list[str], field: str, message: str
) -> None:
    assert mistake(read(header, row)) == (2, field, message)


def test_the_good_rows_around_a_bad_one_are_kept(read: Read) -> None:
    rows = read(["链接", "标题"], [LINK, "a"], ["x", "b"], [LINK, "c"])
    assert [type(row) for row in rows] == [GoodRow, RowError, GoodRow]
    assert [row.line for row in rows] == [2, 3, 4]
    assert rows[1].raw == {"链接": "x", "标题": "b"}


@pytest.mark.parametrize(
    ("written", "hour"),
    [
        ("2026-10-01T09:05:00+08:00", 1),
        ("2026-10-01T01:05:00Z", 1),
        ("2026-10-01 09:05:00", 1),
        ("2026年10月1日 9:05", 1),
        ("2026.10.1 09:05:00", 1),
    ],
)
def test_a_time_without_zone_is_china_time(read: Read, written: str, hour: int) -> None:
    listing = one(read(["链接", "标题", "发现时间"], [LINK, "t", written]))
    assert listing.observed_at == datetime(2026, 10, 1, hour, 5, tzinfo=UTC)


def test_a_price_that_is_none_keeps_its_words(read: Read) -> None:
    listing = one(read(["链接", "标题", "价格"], [LINK, "t", "面议"]))
    assert (listing.price, listing.price_raw) == (None, "面议")


def test_a_price_has_the_currency_of_its_platform_unless_it_names_another(read: Read) -> None:
    header = ["平台", "商品ID", "标题", "价格", "币种"]
    rows = read(
        header, ["other", "1", "t", "9", ""], ["other", "2", "t", "9", "USD"], ["other", "3", "t", "", ""]
    )
    assert [row.listing.currency for row in rows if isinstance(row, GoodRow)] == ["CNY", "USD", None]


def test_hostile_titles_are_kept_as_written_whatever_their_length(read: Read) -> None:
    title = "=cmd|' /C calc'!A0\u202e\x1b[31m<script>" + "雾" * 1_000_000
    assert one(read(["链接", "标题"], [LINK, title])).title == title


DANGEROUS = ["=1+1", "+1", "-1", "@SUM(A1)", "\t=1", "\r=1", "\n=1", "＝1+1", "＋1", "－1", "＠SUM"]


def _results(path: Path, read: Read, *titles: str) -> None:
    rows = read(["链接", "标题"], *([LINK, title] for title in titles), ["x", "=bad"])
    write_results(path, rows)


def test_a_result_file_tells_the_fate_of_every_row(tmp_path: Path, read: Read) -> None:
    path = tmp_path / "list.result.csv"
    _results(path, read, "雾化器")
    assert path.read_bytes().startswith(b"\xef\xbb\xbf")
    with path.open(encoding="utf-8-sig", newline="") as file:
        assert list(csv.reader(file)) == [
            ["sheet", "line", "status", "message", "链接", "标题"],
            ["", "2", "ok", "", LINK, "雾化器"],
            ["", "3", "error", "链接: holds no link", "x", "'=bad"],
        ]


@pytest.mark.parametrize("title", DANGEROUS)
def test_no_cell_of_a_result_file_starts_a_formula(tmp_path: Path, read: Read, title: str) -> None:
    path = tmp_path / "list.result.csv"
    _results(path, read, title)
    with path.open(encoding="utf-8-sig", newline="") as file:
        cells = [cell for row in csv.reader(file) for cell in row]
    assert f"'{title}" in cells
    assert not any(cell.startswith(spreadsheets.FORMULA_STARTS) for cell in cells)


@pytest.mark.parametrize("title", DANGEROUS)
def test_a_result_workbook_holds_only_text(tmp_path: Path, read: Read, title: str) -> None:
    path = tmp_path / "list.result.xlsx"
    _results(path, read, title, LINK)
    sheet = openpyxl.load_workbook(path).active
    assert sheet is not None
    cells = [cell for row in sheet.iter_rows() for cell in row if cell.value is not None]
    assert {cell.data_type for cell in cells} == {"s"}
    assert not any(cell.hyperlink for cell in cells)
    assert sheet.cell(2, 6).value == title.replace("\r", "_x000D_")


def test_a_cell_too_long_for_a_workbook_says_that_it_was_cut(tmp_path: Path, read: Read) -> None:
    path = tmp_path / "list.result.xlsx"
    _results(path, read, "雾" * 40_000)
    sheet = openpyxl.load_workbook(path).active
    assert sheet is not None
    text = str(sheet.cell(2, 6).value)
    assert len(text) == spreadsheets.CELL_LIMIT
    assert text.endswith("… [40000 characters]")


@given(st.text(st.characters(exclude_categories=[])))
def test_any_text_can_be_written_as_a_result(tmp_path_factory: pytest.TempPathFactory, text: str) -> None:
    folder = tmp_path_factory.mktemp("results")
    for name in ("a.csv", "a.xlsx"):
        write_results(folder / name, [RowError(2, text, text, {text: text})])
        assert (folder / name).stat().st_size > 0


def test_times_in_a_workbook_are_read_as_times(
    tmp_path: Path, platforms: dict[str, Platform], now: datetime
) -> None:
    book = openpyxl.Workbook()
    assert book.active is not None
    book.active.append(["链接", "标题", "发现时间"])
    book.active.append([LINK, "t", datetime(2026, 10, 1, 9, 5)])  # noqa: DTZ001
    book.save(tmp_path / "list.xlsx")
    listing = one(list(read_rows(tmp_path / "list.xlsx", platforms, now=now)))
    assert listing.observed_at == datetime(2026, 10, 1, 1, 5, tzinfo=UTC)
    assert now - listing.observed_at > timedelta(0)
