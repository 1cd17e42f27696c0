from __future__ import annotations

import csv
import io
import json
import zipfile
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any

import openpyxl
import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st
from openpyxl.worksheet.formula import ArrayFormula

from takedowns.imports import tabular
from takedowns.imports.tabular import FileError, Record, RowError, read_records

KNOWN = ("链接", "标题", "url", "title")
Write = Callable[[str, bytes | str], Path]


@pytest.fixture
def write(tmp_path: Path) -> Write:
    def to(name: str, content: bytes | str) -> Path:
        path = tmp_path / name
        path.write_bytes(content if isinstance(content, bytes) else content.encode())
        return path

    return to


@pytest.fixture
def workbook(tmp_path: Path) -> Callable[..., Path]:
    def to(*rows: list[Any], **sheets: list[list[Any]]) -> Path:
        book = openpyxl.Workbook()
        book.remove(book.active)
        for title, content in {**({"线索": list(rows)} if rows else {}), **sheets}.items():
            sheet = book.create_sheet(title)
            for row in content:
                sheet.append(row)
        path = tmp_path / "list.xlsx"
        book.save(path)
        return path

    return to


def rows_of(path: Path) -> list[dict[str, str]]:
    rows = list(read_records(path, KNOWN))
    assert all(isinstance(row, Record) for row in rows), rows
    return [dict(row.fields) for row in rows if isinstance(row, Record)]


def mistakes_of(path: Path) -> list[tuple[int, str, str]]:
    rows = read_records(path, KNOWN)
    return [(row.line, row.field, row.message) for row in rows if isinstance(row, RowError)]


def good_lines(path: Path) -> list[int]:
    return [row.line for row in read_records(path, KNOWN) if isinstance(row, Record)]


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "gb18030", "utf-16"])
@pytest.mark.parametrize("delimiter", [",", "\t", ";"])
@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
def test_every_usual_encoding_delimiter_and_line_end_is_read(
    write: Write, encoding: str, delimiter: str, end: str
) -> None:
    lines = [
        ["链接", "标题"],
        ["https://a.invalid/1", "雾化器，大容量"],
        ["https://a.invalid/2", '"一,\t;次"'],
    ]
    text = end.join(delimiter.join(line) for line in lines) + end
    assert rows_of(write("a.csv", text.encode(encoding))) == [
        {"链接": "https://a.invalid/1", "标题": "雾化器，大容量"},
        {"链接": "https://a.invalid/2", "标题": "一,\t;次"},
    ]


def test_a_title_and_notes_may_stand_above_the_header(write: Write) -> None:
    path = write("a.csv", "2026年10月线索\n标题说明,,\n链接,标题,备注\nu,t,b\n")
    assert list(read_records(path, KNOWN)) == [Record(4, {"链接": "u", "标题": "t", "备注": "b"})]


def test_no_column_hides_another(write: Write) -> None:
    path = write("a.csv", "链接,备注,,备注\nu,1,2,3\n")
    assert rows_of(path) == [{"链接": "u", "备注": "1", "column 3": "2", "备注 (4)": "3"}]


@pytest.mark.parametrize("header", ["ＵＲＬ", " Url ", "u r l", "url：", "U_R-L"])
def test_column_names_are_compared_without_width_case_and_punctuation(write: Write, header: str) -> None:
    assert len(rows_of(write("a.csv", f"{header},x\nu,1\n"))) == 1


def test_blank_rows_are_skipped_and_lines_are_still_counted(write: Write) -> None:
    assert good_lines(write("a.csv", "url,title\n\n,,\na,1\n\nb,2\n")) == [4, 6]


def test_a_quoted_cell_may_span_lines_and_the_next_row_has_its_true_line(write: Write) -> None:
    path = write("a.csv", 'url,title\na,"one\ntwo"\nb,x\n')
    assert good_lines(path) == [2, 4]


def test_control_and_bidirectional_characters_are_kept_as_written(write: Write) -> None:
    title = "雾\u202e化\u200b\x1b[31m器\x07"
    assert rows_of(write("a.csv", f"url,title\nu,{title}\n"))[0]["title"] == title


@pytest.mark.parametrize("name", ["a.csv", "a.jsonl"])
def test_a_title_of_a_megabyte_is_kept_whole(write: Write, name: str) -> None:
    title = "雾" * 1_000_000
    text = f"url,title\nu,{title}\n" if name == "a.csv" else json.dumps({"url": "u", "title": title})
    assert rows_of(write(name, text))[0]["title"] == title


def test_an_unclosed_quote_costs_its_own_row_only(write: Write) -> None:
    path = write("a.csv", 'url,title\na,1\nb,"2\nc,3\nd,4\n')
    assert good_lines(path) == [2, 4, 5]
    assert mistakes_of(path) == [(3, "(row)", "its quotation marks do not pair up")]


def test_a_file_of_nothing_but_unclosed_quotes_is_given_up_with_a_sentence(write: Write) -> None:
    path = write("a.csv", "url,title\n" + 'a,"b\n' * 5_000)
    mistakes = mistakes_of(path)
    assert len(mistakes) == tabular.MAX_UNREADABLE + 1
    assert mistakes[-1][2] == "too many damaged rows: nothing was read from here on"


def test_a_row_with_too_many_cells_is_reported_and_none_of_them_is_lost(write: Write) -> None:
    path = write("a.csv", "url,title\na,1,2,3\nb,2,,\n")
    (bad, good) = read_records(path, KNOWN)
    assert isinstance(bad, RowError)
    assert (bad.line, bad.message) == (2, "has more cells than the header has names")
    assert bad.raw == {"url": "a", "title": "1", "(row)": "2\t3"}
    assert isinstance(good, Record)


def test_a_nul_byte_costs_its_own_row_only(write: Write) -> None:
    path = write("a.csv", b"url,title\na,1\nb,2\x00\nc,3\n")
    assert good_lines(path) == [2, 4]
    assert mistakes_of(path) == [(3, "title", "holds a NUL character: the file was damaged on its way")]


@pytest.mark.parametrize(("encoding", "cut"), [("utf-8", 1), ("utf-8", 2), ("gb18030", 1)])
def test_half_a_file_keeps_its_whole_rows(write: Write, encoding: str, cut: int) -> None:
    path = write("a.csv", "链接,标题\na,雾化器\nb,雾化器".encode(encoding)[:-cut])
    assert good_lines(path) == [2]
    assert mistakes_of(path) == [(3, "标题", "holds bytes that are no text in the encoding of the file")]


@pytest.mark.parametrize(
    ("name", "content", "code"),
    [
        ("a.csv", b"", "empty"),
        ("a.csv", b"\xff\xfe\x00\xd8", "no_header"),
        ("a.csv", b"name,price\na,1\n", "no_header"),
        ("a.csv", b"\n\n", "no_header"),
        ("a.csv", b"url,title\n", "no_rows"),
        ("a.jsonl", b"\n", "no_rows"),
        ("a.pdf", b"%PDF-1.7", "unknown_format"),
        ("a.xls", b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", "old_workbook"),
        ("a.xlsx", b"PK\x03\x04 torn", "damaged_workbook"),
    ],
)
def test_a_file_that_cannot_be_read_gets_one_sentence_with_its_name(
    write: Write, name: str, content: bytes, code: str
) -> None:
    with pytest.raises(FileError, match=rf"^{name}: [^\n]+$") as caught:
        list(read_records(write(name, content), KNOWN))
    assert caught.value.code == code


def test_a_missing_file_gets_one_sentence(tmp_path: Path) -> None:
    with pytest.raises(FileError, match=r"a\.csv: cannot be read: No such file"):
        list(read_records(tmp_path / "a.csv", KNOWN))


def test_a_file_beyond_the_limit_is_refused(write: Write, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tabular, "MAX_BYTES", 1_000)
    with pytest.raises(FileError, match="larger than 1,000 bytes"):
        list(read_records(write("a.csv", b"url\n" + b"a" * 1_000), KNOWN))


def test_json_lines_give_text_lists_and_nested_names(write: Write) -> None:
    row = {
        "url": "u",
        "price": 9.90,
        "id": 12345678901234567890123,
        "none": None,
        "yes": True,
        "images": ["a", "b"],
        "attributes": {"产地": "深圳"},
        "deep": {"a": {"b": 1}},
    }
    assert rows_of(write("a.jsonl", json.dumps(row))) == [
        {
            "url": "u",
            "price": "9.9",
            "id": "12345678901234567890123",
            "none": "",
            "yes": "true",
            "images": "a\nb",
            "attributes.产地": "深圳",
            "deep.a": '{"b": "1"}',
        }
    ]


def test_bad_json_lines_are_named_and_the_good_ones_kept(write: Write) -> None:
    deep = "[" * 100_000
    lines = ['{"url": "a"}', "{", "[1]", '{"url": "\ud800"}', deep, "", '{"url": "b"}', '{"url": "c']
    content = "\n".join(lines).encode("utf-8", "surrogatepass")
    path = write("a.jsonl", content)
    assert good_lines(path) == [1, 7]
    assert mistakes_of(path) == [
        (2, "(row)", "is not valid JSON"),
        (3, "(row)", "is not a JSON object"),
        (4, "(row)", "holds bytes that are no text in the encoding of the file"),
        (5, "(row)", "is not valid JSON"),
        (8, "(row)", "is not valid JSON"),
    ]


def test_a_line_separator_inside_a_json_string_ends_no_line(write: Write) -> None:
    assert rows_of(write("a.jsonl", '{"url": "a\u2028b\x85c"}')) == [{"url": "a\u2028b\x85c"}]


def test_a_workbook_gives_the_text_of_its_cells(workbook: Callable[..., Path]) -> None:
    path = workbook(
        ["链接", "标题", "价"], ["u", "雾化器", 12], ["v", 9.5, None], [None, None], ["w", True, 3.0]
    )
    assert rows_of(path) == [
        {"链接": "u", "标题": "雾化器", "价": "12"},
        {"链接": "v", "标题": "9.5", "价": ""},
        {"链接": "w", "标题": "True", "价": "3"},
    ]
    assert good_lines(path) == [2, 3, 5]


def test_a_formula_is_its_text_and_is_never_computed(workbook: Callable[..., Path]) -> None:
    path = workbook(
        ["url", "title"],
        ["u", '=HYPERLINK("http://evil.invalid","x")'],
        ["v", ArrayFormula("B3", "=SUM(A1:A2)")],
    )
    assert [row["title"] for row in rows_of(path)] == ['=HYPERLINK("http://evil.invalid","x")', "=SUM(A1:A2)"]


def test_a_number_that_a_workbook_could_not_hold_shows_that_it_lost_digits(
    workbook: Callable[..., Path],
) -> None:
    assert rows_of(workbook(["url"], [1.234567890123457e17]))[0]["url"] == "1.234567890123457e+17"


def test_every_sheet_is_read_and_one_without_header_is_named(workbook: Callable[..., Path]) -> None:
    path = workbook(一=[["url"], ["a"]], 说明=[["请填写"]], 空=[], 二=[["note"], ["url"], ["b"]])
    rows = list(read_records(path, KNOWN))
    assert rows == [
        Record(2, {"url": "a"}, "一"),
        RowError(1, "(row)", tabular.NO_HEADER, {}, "说明"),
        Record(3, {"url": "b"}, "二"),
    ]


def test_a_truncated_workbook_gets_one_sentence(workbook: Callable[..., Path]) -> None:
    path = workbook(["url"], *([f"u{number}"] for number in range(500)))
    path.write_bytes(path.read_bytes()[:-200])
    with pytest.raises(FileError, match=r"^list\.xlsx: is a damaged or incomplete workbook$"):
        list(read_records(path, KNOWN))


def _with_sheet(path: Path, change: Callable[[bytes], bytes]) -> None:
    """Rewrite the first sheet's XML inside the workbook."""
    with zipfile.ZipFile(path) as old:
        parts = {name: old.read(name) for name in old.namelist()}
    sheet = "xl/worksheets/sheet1.xml"
    parts[sheet] = change(parts[sheet])
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as new:
        for name, content in parts.items():
            new.writestr(name, content)


def test_a_sheet_that_ends_in_the_middle_keeps_its_whole_rows(workbook: Callable[..., Path]) -> None:
    path = workbook(["url"], ["a"], ["b"], ["c"])
    _with_sheet(path, lambda xml: xml[: xml.index(b'<row r="4"') + 14])
    rows = list(read_records(path, KNOWN))
    assert rows[:2] == [Record(2, {"url": "a"}, "线索"), Record(3, {"url": "b"}, "线索")]
    assert isinstance(rows[2], RowError)
    assert (rows[2].line, rows[2].message) == (4, "the sheet is damaged from here on")


def test_an_entity_bomb_unfolds_nowhere(workbook: Callable[..., Path]) -> None:
    path = workbook(["url"], ["a"])
    bomb = b'<!DOCTYPE x [<!ENTITY a "aaaaaaaaaa"><!ENTITY b "&a;&a;&a;">]>'
    _with_sheet(path, lambda xml: bomb + xml.replace(b"<v>", b"<v>&b;", 1))
    with pytest.raises(FileError, match="damaged"):
        list(read_records(path, KNOWN))


def test_a_zip_bomb_is_refused_before_it_is_unpacked(
    workbook: Callable[..., Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    path = workbook(["url"], ["a"])
    _with_sheet(path, lambda xml: xml + b" " * 50_000_000)
    assert path.stat().st_size < 100_000
    monkeypatch.setattr(tabular, "MAX_BYTES", 10_000_000)
    with pytest.raises(FileError, match="unpacks to more than 10,000,000 bytes"):
        list(read_records(path, KNOWN))


@pytest.mark.parametrize("row", [b"4000000000", b"1048577"])
def test_a_row_number_beyond_the_format_ends_the_sheet(workbook: Callable[..., Path], row: bytes) -> None:
    path = workbook(["url"], ["a"], ["b"])
    _with_sheet(path, lambda xml: xml.replace(b'<row r="3"', b'<row r="' + row + b'"'))
    assert good_lines(path) == [2]
    message = "no workbook has so many rows: nothing was read from here on"
    assert mistakes_of(path) == [(1_048_577, "(row)", message)]


def test_a_cell_far_to_the_right_is_reported(workbook: Callable[..., Path]) -> None:
    path = workbook(["url"], ["a"], ["b", *[None] * 300, "c"])
    assert good_lines(path) == [2]
    assert mistakes_of(path) == [(3, "(row)", "has cells beyond column 256")]


CELLS = st.text(st.characters(exclude_characters="\x00", exclude_categories=["Cs"]), max_size=20)


@given(st.lists(st.tuples(CELLS, CELLS), min_size=1, max_size=5), st.sampled_from(",\t;"))
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_whatever_a_csv_program_writes_is_read_back(
    tmp_path: Path, cells: list[tuple[str, str]], delimiter: str
) -> None:
    file = io.StringIO(newline="")
    csv.writer(file, delimiter=delimiter, quoting=csv.QUOTE_ALL).writerows([("url", "title"), *cells])
    path = tmp_path / "a.csv"
    path.write_text(file.getvalue(), encoding="utf-8-sig", newline="")
    expected = [{"url": url, "title": title} for url, title in cells if url.strip() or title.strip()]
    if expected:
        assert rows_of(path) == expected


@given(st.binary(max_size=300), st.sampled_from(["a.csv", "a.jsonl", "a.xlsx"]))
@example(b'url\n"', "a.csv")
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_arbitrary_bytes_give_rows_or_one_sentence(tmp_path: Path, content: bytes, name: str) -> None:
    path = tmp_path / name
    path.write_bytes((b"PK" if name == "a.xlsx" else b"url,title\n") + content)
    with suppress(FileError):
        assert list(read_records(path, KNOWN))
