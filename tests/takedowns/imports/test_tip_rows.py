from __future__ import annotations

from datetime import UTC, datetime

import openpyxl
import pytest
import sqlalchemy as sa
from hypothesis import given
from hypothesis import strategies as st
from typer.testing import CliRunner

from classifiers.verdict import Label
from takedowns import minors
from takedowns.cli import app
from takedowns.cli import tips as commands
from takedowns.context import Context
from takedowns.imports import tip_lists, tip_rows
from takedowns.ledger.tables import AuditEntry, Tip
from takedowns.replies.columns import CellError
from takedowns.states import TipState
from takedowns.tips import House

ROW = {
    "序号": "1",
    "工单编号": "GD-20261010-7",
    "受理时间": "2026-10-10 09:30",
    "举报人姓名": "王小明",
    "联系电话": "13812345678",
    "来电号码": "0571-87654321",
    "举报内容": "在示例商城看到 https://shop.invalid/item/77 卖电子烟",
    "店铺名称": "康康店",
    "涉未成年人": "是",
    "商品类别": "雪茄",
    "来源": "12313",
    "区县": "某区",
}


def test_a_row_of_the_hotline_is_read_without_who_told_it(now):
    told = tip_rows.read(ROW, now=now)
    assert (told.origin, told.number, told.shop, told.minors) == ("hotline", "GD-20261010-7", "康康店", True)
    assert told.received_at == datetime(2026, 10, 10, 1, 30, tzinfo=UTC)
    assert told.category is Label.OTHER_TOBACCO
    assert told.text == "在示例商城看到 https://shop.invalid/item/77 卖电子烟\n区县: 某区"
    assert tip_rows.dropped(ROW) == ["举报人姓名", "联系电话", "来电号码"]


def test_english_headings_are_known_too(now):
    told = tip_rows.read(
        {"Case number": "7", "Text": "sells cigars", "Minors": "no", "Origin": "police", "Reporter": "Smith"},
        now=now,
    )
    assert (told.origin, told.number, told.text, told.minors) == ("police", "7", "sells cigars", False)


@pytest.mark.parametrize(
    ("column", "cell", "complaint"),
    [
        ("受理时间", "昨天", "is no time"),
        ("受理时间", "2031-01-01", "future"),
        ("涉未成年人", "也许", "neither yes"),
        ("商品类别", "服装", "is none of"),
        ("来源", "小道消息", "is none of hotline"),
        ("举报内容", "长" * 10_001, "longer than"),
    ],
)
def test_a_cell_that_cannot_be_used_is_named(now, column, cell, complaint):
    with pytest.raises(CellError, match=complaint) as caught:
        tip_rows.read({**ROW, column: cell}, now=now)
    assert tip_rows.FIELD_OF[column] == caught.value.field


def test_a_row_that_says_nothing_is_refused(now):
    with pytest.raises(CellError, match="is empty"):
        tip_rows.read({"工单编号": "7", "店铺名称": "康康店"}, now=now)


NAMES = st.sampled_from([*(name for names in tip_rows.COLUMNS.values() for name in names), "举报人", "x"])


@given(st.dictionaries(NAMES, st.text(max_size=60), max_size=8))
def test_whatever_the_cells_hold_a_row_is_read_or_refused_by_its_field(fields):
    try:
        told = tip_rows.read(fields, now=datetime(2026, 10, 12, tzinfo=UTC))
    except CellError as error:
        refused = error.field
    else:
        refused = None
        assert told.text or told.url or told.item_id or told.title
    assert refused is None or refused in tip_rows.COLUMNS


@pytest.fixture
def house(settings, platform):
    return House(settings, {platform.name: platform}, lambda text: "学生" in text)


def workbook(path, *rows):
    book = openpyxl.Workbook()
    book.active.append(["12313热线线索登记表"])
    book.active.append(list(ROW))
    for row in rows:
        book.active.append(list({**ROW, **row}.values()))
    book.save(path)
    return path


def test_a_workbook_is_taken_in_row_by_row_and_faults_are_told_with_their_place(
    ledger, analyst, house, tmp_path, now
):
    path = workbook(
        tmp_path / "tips.xlsx",
        {},
        {"工单编号": "8", "涉未成年人": "不清楚"},
        {"工单编号": "9", "举报内容": "某群卖烟"},
    )
    result = tip_lists.import_file(ledger, path, analyst, house, origin="hotline", now=now)
    assert result.numbers == {"new": 2, "known": 0, "linked": 1, "minors": 2, "errors": 1}
    assert result.dropped == ["举报人姓名", "联系电话", "来电号码"]
    assert result.errors == [
        "tips.xlsx:Sheet:4: 涉未成年人: '不清楚' is neither yes (是) nor no (否)",
    ]
    again = tip_lists.import_file(ledger, path, analyst, house, origin="hotline", now=now)
    assert (again.numbers["known"], again.added) == (2, [])
    with ledger.read() as session:
        stored = [vars(tip) for tip in session.scalars(sa.select(Tip))]
        entries = [entry.payload for entry in session.scalars(sa.select(AuditEntry))]
    for personal in ("王小明", "13812345678", "87654321"):
        assert personal not in f"{stored} {entries}"


def test_a_hostile_file_is_text_and_nothing_else(sqlite_ledger, analyst, house, tmp_path, now):
    path = tmp_path / "tips.csv"
    path.write_text(
        'number,text,url\n1,"=HYPERLINK(""http://x"")","javascript:alert(1)"\n2,<script>x</script>,\n'
        '3,,http://user:pw@shop.invalid/item/1\n4,"open',
        encoding="utf-8",
    )
    result = tip_lists.import_file(sqlite_ledger, path, analyst, house, origin="public", now=now)
    assert (len(result.added), len(result.errors)) == (3, 1)
    assert {tip.state for tip in result.added} == {TipState.NEW}
    assert result.added[0].text == '=HYPERLINK("http://x")'
    assert result.errors[0].startswith("tips.csv:5: (row): ")


@pytest.fixture
def run(sqlite_ledger, analyst, settings, platform, now, tmp_path, monkeypatch):
    made = Context(tmp_path, settings, {platform.name: platform}, sqlite_ledger, lambda: now)
    monkeypatch.setattr(commands, "open_context", lambda _: made)
    monkeypatch.setattr(minors, "by_words", lambda _: lambda text: "学生" in text)
    return lambda *words: CliRunner().invoke(app, ["tips", *words])


def test_the_commands_take_in_show_link_and_dismiss(run, tmp_path):
    path = workbook(
        tmp_path / "tips.xlsx",
        {"涉未成年人": "否"},
        {"工单编号": "9", "举报内容": "学生群里卖烟"},
        {"工单编号": "10", "举报内容": "听说的"},
    )
    taken = run("import", str(path), "--by", "analyst")
    assert (taken.exit_code, "3 tips taken in, 2 about minors" in taken.stdout) == (0, True)
    assert "举报人姓名" in taken.stderr
    listed = run("list", "--json").stdout
    assert listed.index("J00002") < listed.index("J00003")
    assert "学生群里卖烟" in run("show", "2026-0000-J00002").stdout
    linked = run(
        "link", "2026-0000-J00002", "https://shop.invalid/item/9", "--by", "analyst", "--title", "雾化"
    )
    assert linked.stdout == "2026-0000-J00002 is about sample 9\n"
    dismissed = run("dismiss", "2026-0000-J00003", "没有内容", "--by", "analyst", "--json")
    assert '"state": "dismissed"' in dismissed.stdout
    left = run("list", "--json").stdout  # the first one's page has not been seen
    assert ("J00001" in left, "J00002" in left, "J00003" in left) == (True, False, False)


def test_rows_that_cannot_be_used_make_the_import_partial(run, tmp_path):
    path = workbook(tmp_path / "tips.xlsx", {"来源": "小道消息"}, {"工单编号": "9"})
    taken = run("import", str(path), "--by", "analyst", "--json")
    assert taken.exit_code == 3
    assert '"new": 1' in taken.stdout
    assert "tips.xlsx:Sheet:3: 来源" in taken.stderr
