from __future__ import annotations

import csv
import dataclasses
import hashlib
import io
import json
import re
from collections.abc import Callable
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import openpyxl
import pytest

from takedowns import reports
from takedowns.reports.definitions import wording
from takedowns.reports.period import Period
from takedowns.statistics import NOT_REACHED
from tests.takedowns.reports.conftest import HOSTILE

Compute = Callable[..., reports.Report]
STEM = "vapewatch-2026-10"
NOT_REACHED_TEXT = "未达到 not reached"
IMPRINT = reports.Imprint(
    office=reports.Phrase(zh="示范市烟草专卖局", en="Sample City Bureau"),
    titles={"sample": reports.Phrase(zh="=1+1 <b>示例</b>", en="@SUM(1) Sample")},
)


@pytest.fixture
def report(october: Compute) -> reports.Report:
    return october()


@pytest.fixture
def folder(report: reports.Report, tmp_path: Path) -> Path:
    reports.write_report(report, tmp_path / "out", imprint=IMPRINT)
    return tmp_path / "out"


def test_five_files_are_written_and_named_with_their_hashes(report: reports.Report, tmp_path: Path) -> None:
    folder = tmp_path / "out"
    hashes = reports.write_report(report, folder)
    assert list(hashes) == [f"{STEM}{end}" for end in (".zh.html", ".en.html", ".xlsx", ".csv", ".json")]
    assert sorted(path.name for path in folder.iterdir()) == sorted(hashes)
    for name, sha256 in hashes.items():
        assert hashlib.sha256((folder / name).read_bytes()).hexdigest() == sha256
    del hashes[f"{STEM}.json"]
    assert json.loads((folder / f"{STEM}.json").read_text())["files"] == hashes


def test_the_same_facts_give_the_same_bytes(october: Compute, tmp_path: Path) -> None:
    first = reports.write_report(october(), tmp_path / "1", imprint=IMPRINT)
    assert first == reports.write_report(october(), tmp_path / "2", imprint=IMPRINT)


def test_workbook_csv_and_json_hold_every_figure_alike(report: reports.Report, folder: Path) -> None:
    written = json.loads((folder / f"{STEM}.json").read_text())
    expected = []
    for section in report.sections:
        figures = written["platforms"][section.platform] if section.platform else written["total"]
        for figure in section.figures:
            told = figures[figure.id]
            assert told["value"] == figure.value
            expected.append(
                (figure.id, told["value"], told["numerator"], told["denominator"], *_bounds(told))
            )
    assert [_figure_cells(row) for row in _sheet(folder, 0)[1:]] == expected
    assert [_figure_cells(tuple(map(_number, row))) for row in _csv(folder)[1:]] == expected


@pytest.mark.parametrize("lang", ["zh", "en"])
def test_the_page_shows_the_same_values(report: reports.Report, folder: Path, lang: str) -> None:
    page = (folder / f"{STEM}.{lang}.html").read_text()
    for figure in report.total.figures:
        row = re.search(rf'<tr id="{figure.id}".*?</tr>', page, re.DOTALL)
        assert row is not None
        if figure.value is None:
            assert figure.note is not None
            assert getattr(wording().notes[figure.note], lang) in row[0]
        else:
            value = re.search(r'<data value="([^"]+)">', row[0])
            assert value is not None
            assert float(value[1]) == figure.value
        if figure.denominator is not None:
            assert f"{figure.numerator} / {figure.denominator}" in row[0]


def test_the_workbook_lists_every_lead_counted(report: reports.Report, folder: Path) -> None:
    rows = _sheet(folder, 2)
    assert [row[0] for row in rows[1:]] == [lead.number for lead in report.leads]
    first = dict(zip(rows[0], rows[1], strict=True))
    assert first["发送时间 Sent"] == "2026-10-01 00:00"
    assert first["我方复核 We found"] == "已核实清理 removed, verified"


def test_nothing_a_seller_wrote_is_a_formula_or_a_link(folder: Path) -> None:
    for name in openpyxl.load_workbook(folder / f"{STEM}.xlsx").sheetnames:
        sheet = openpyxl.load_workbook(folder / f"{STEM}.xlsx")[name]
        cells = [cell for row in sheet.iter_rows() for cell in row]
        assert not [cell for cell in cells if cell.data_type == "f" or cell.hyperlink]
    shops = [row[6] for row in _sheet(folder, 2)[1:]]
    assert shops[0] == HOSTILE.replace("\u202e", "⟨U+202E⟩").replace("\x07", "⟨U+0007⟩")


def test_whatever_a_shop_calls_itself_is_read_back_from_the_workbook(
    report: reports.Report, tmp_path: Path
) -> None:
    names = [
        "_x000D_",
        " 空 格 ",
        "http://evil.invalid",
        "{=1+1}",
        "1e5",
        "TRUE",
        "'=1",
        "#REF!",
        "烟" * 400,
        "0",
    ]
    rows = tuple(dataclasses.replace(report.leads[0], seller=name) for name in names)
    reports.write_report(dataclasses.replace(report, leads=rows), tmp_path)
    assert [row[6] for row in _sheet(tmp_path, 2)[1:]] == names


def test_a_platform_with_a_formula_for_a_title_is_text_in_the_csv(folder: Path) -> None:
    scopes = {row[0] for row in _csv(folder)[1:]}
    assert "'=1+1 <b>示例</b> @SUM(1) Sample" in scopes
    raw = (folder / f"{STEM}.csv").read_bytes()
    assert raw.startswith(b"\xef\xbb\xbf")
    assert raw.count(b"\r\n") == raw.count(b"\n")


class Page(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.tags: list[str] = []
        self.attributes: list[tuple[str, str | None]] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        self.attributes += attrs


@pytest.mark.parametrize("lang", ["zh", "en"])
def test_the_page_runs_nothing_and_fetches_nothing(folder: Path, lang: str) -> None:
    text = (folder / f"{STEM}.{lang}.html").read_text()
    page = Page()
    page.feed(text)
    assert not {"script", "link", "img", "iframe", "object", "form", "a"} & set(page.tags)
    names = {name for name, _ in page.attributes}
    assert not {"src", "href", "style", "action"} & names
    assert not [name for name in names if name.startswith("on")]
    assert "url(" not in text
    assert "\u202e" not in text


def test_the_title_of_a_platform_is_escaped_in_the_page(folder: Path) -> None:
    assert "=1+1 &lt;b&gt;示例&lt;/b&gt;" in (folder / f"{STEM}.zh.html").read_text()


def test_the_page_opens_as_bulletins_do(folder: Path) -> None:
    page = (folder / f"{STEM}.zh.html").read_text()
    assert (
        "2026年10月，共向平台传递涉嫌违法电子烟线索11条，较上期增加10条、上年同期为0；"
        "经复核确认清理违规信息5条，上期为0、上年同期为0。"
        "其中，平台已报告处置4条，占80.0%；平台未报告1条，占20.0%。"
    ) in page
    assert "72小时清理率41.7%（95%置信区间" in page
    english = (folder / f"{STEM}.en.html").read_text()
    assert "sent to platforms: 11 (10 more than in the previous period, 0 in the" in english


def test_an_empty_month_is_written_and_says_why(october: Compute, tmp_path: Path) -> None:
    report = october(period=Period.parse("2026-05"))
    reports.write_report(report, tmp_path)
    page = (tmp_path / "vapewatch-2026-05.zh.html").read_text()
    assert "本期没有传递任何线索。" in page
    assert "最近一次采集任务" in page
    written = json.loads((tmp_path / "vapewatch-2026-05.json").read_text())
    assert written["reasons"][0] == "no_leads"
    assert written["total"]["rate_72h"]["value"] is None


def test_a_report_written_again_replaces_its_files(report: reports.Report, folder: Path) -> None:
    before = sorted(path.name for path in folder.iterdir())
    reports.write_report(report, folder, imprint=IMPRINT)
    assert sorted(path.name for path in folder.iterdir()) == before


def _sheet(folder: Path, index: int) -> list[tuple[Any, ...]]:
    book = openpyxl.load_workbook(folder / f"{STEM}.xlsx")
    return list(book.worksheets[index].iter_rows(values_only=True))


def _csv(folder: Path) -> list[list[str]]:
    text = (folder / f"{STEM}.csv").read_bytes().decode("utf-8-sig")
    return list(csv.reader(io.StringIO(text, newline="")))


def _figure_cells(row: tuple[Any, ...]) -> tuple[Any, ...]:
    return (row[1], row[3], *row[5:9])


def _number(cell: str) -> str | float | None:
    try:
        return float(cell)
    except ValueError:
        return cell or None


def _bounds(told: dict[str, Any]) -> tuple[float | str | None, float | str | None]:
    if told["interval"] is None:
        return None, None
    low, high = (NOT_REACHED_TEXT if bound is None else bound for bound in told["interval"])
    return low, high


def test_a_bound_that_was_not_reached_is_said_in_words(report: reports.Report, folder: Path) -> None:
    median = report.total["median_hours"]
    assert median.interval is not None
    assert median.interval.high == NOT_REACHED
    assert NOT_REACHED_TEXT in [row[8] for row in _csv(folder)]
