from __future__ import annotations

import zipfile
from datetime import UTC, datetime, timedelta

import openpyxl
import pytest
import sqlalchemy as sa

from takedowns.imports.tabular import FileError
from takedowns.ledger.tables import CleaningReport, Lead, Notice
from takedowns.ledger.vocabulary import Cleaned, Measure, TrayState, VerificationOutcome
from takedowns.papers import annex
from takedowns.replies import importing
from takedowns.states import LeadState, NoticeState
from tests.takedowns.replies.conftest import HEADER


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "gb18030"])
def test_claims_are_taken_in_from_text_in_every_usual_encoding(ledger, sent, hand_in, claims, now, encoding):
    result = hand_in(
        "2026-0000-01001,1001,已下架,2026-10-11 09:30,经核实已处理",
        "2026-0000-01002,,不予处置,,商品合规",
        encoding=encoding,
    )
    assert (result.accepted, result.errors) == (2, [])
    deleted, refused = claims()
    assert (deleted.measure, deleted.claimed_at) == (
        Measure.DELETED,
        datetime(2026, 10, 11, 1, 30, tzinfo=UTC),
    )
    assert (deleted.text, deleted.received_at) == ("经核实已处理", now)
    assert deleted.source.startswith("reply.csv#")
    assert deleted.source.endswith(":2")
    assert (refused.measure, refused.claimed_at) == (Measure.REFUSED, None)
    with ledger.read() as session:
        assert {lead.state for lead in session.scalars(sa.select(Lead))} == {LeadState.RESPONDED}


def test_a_workbook_is_read_too(ledger, sent, tmp_path, hand_in, claims):
    book = openpyxl.Workbook()
    book.active.append(["某平台处置反馈表"])
    book.active.append(HEADER.split(","))
    book.active.append(["2026-0000-01001", 1001, "删除、关闭店铺", "2026-10-11 09:30", None])
    book.save(tmp_path / "reply.xlsx")
    result = hand_in(name="reply.xlsx")
    assert (result.accepted, result.errors) == (2, [])
    assert [claim.measure for claim in claims()] == [Measure.DELETED, Measure.SHOP_CLOSED]


@pytest.mark.parametrize("lang", ["zh", "en"])
def test_the_annex_that_we_sent_can_be_sent_back_filled_in(
    ledger, sent, analyst, tmp_path, hand_in, now, lang
):
    with ledger.read() as session:
        leads = list(session.scalars(sa.select(Lead).order_by(Lead.number)))
        notice = Notice(number="2026-0000-T00001", lang=lang, leads=leads, created_at=now)
        path = tmp_path / "reply.xlsx"
        path.write_bytes(annex.render(notice))
    book = openpyxl.load_workbook(path)
    sheet = book.active
    for row, measure in ((annex.HEADER_ROW + 2, "删除商品"), (annex.HEADER_ROW + 3, "有异议")):
        sheet.cell(row, annex.MEASURE + 1, measure)
        sheet.cell(row, annex.HANDLED_AT + 1, datetime(2026, 10, 11, 9, 30))  # noqa: DTZ001
        sheet.cell(row, annex.FIRST_COUNT + 1, 120)
    book.save(path)
    result = hand_in(name="reply.xlsx")
    assert (result.accepted, result.reports, result.errors) == (2, 2, [])
    with ledger.read() as session:
        found = session.scalars(sa.select(CleaningReport)).all()
        assert {(report.cleaned, report.quantity) for report in found} == {(Cleaned.INFORMATION, 120)}


def test_the_same_file_twice_adds_nothing(ledger, sent, hand_in, claims, now):
    lines = ["2026-0000-01001,,已下架,2026-10-11,", "2026-0000-01002,,屏蔽,,", "9,,下架,,"]
    first = hand_in(*lines)
    assert (first.accepted, first.strays) == (2, 1)
    again = hand_in(*lines, at=now + timedelta(days=1))
    assert (again.accepted, again.known, again.strays) == (0, 2, 0)
    assert len(claims()) == 2


def test_a_platform_may_correct_its_answer_and_both_are_kept(ledger, sent, hand_in, claims):
    hand_in("2026-0000-01001,,不予处置,,", name="first.csv")
    hand_in("2026-0000-01001,,已删除,2026-10-11,", name="second.csv")
    assert [claim.measure for claim in claims()] == [Measure.REFUSED, Measure.DELETED]


def test_of_answers_that_contradict_the_later_received_is_the_newest_and_none_is_lost(
    ledger, sent, hand_in, claims, now
):
    said = ("已删除", "未处置", "未处置", "已删除")
    for day, measure in enumerate(said):
        hand_in(f"2026-0000-01001,,{measure},,", name=f"{day}.csv", at=now + timedelta(days=day))
    assert [claim.measure for claim in claims()] == [Measure.DELETED, Measure.NONE, Measure.DELETED]
    with ledger.read() as session:
        lead = session.get_one(Lead, sent[0].id)
        assert lead.responses[-1].measure is Measure.DELETED
        assert lead.outcome is None


def test_two_answers_in_one_file_are_told_in_its_order(ledger, sent, hand_in):
    hand_in("2026-0000-01001,,已删除,,", "2026-0000-01001,,未处置,,")
    with ledger.read() as session:
        said = [claim.measure for claim in session.get_one(Lead, sent[0].id).responses]
    assert said == [Measure.DELETED, Measure.NONE]


def test_rows_without_lead_number_are_matched_by_item_or_link(ledger, sent, hand_in, claims):
    header = "商品ID,商品链接,处置措施"
    lines = ("1002,,下架", ",https://shop.invalid/item/1001?from=share,屏蔽")
    assert hand_in(*lines, header=header).accepted == 2
    assert [claim.lead_id for claim in claims()] == [sent[1].id, sent[0].id]


def test_an_item_id_on_two_platforms_needs_the_platform(ledger, make, analyst, sent, hand_in, claims, now):
    with ledger.write() as session:
        shown = make.snapshot(session, make.listing(session, platform="other", item_id="1001"))
        decision = make.decision(session, make.task(session, shown), analyst)
        twin = make.lead(session, decision, state=LeadState.SENT, sent_at=now)
    assert "reply.csv:2: item_id: " in hand_in(",1001,下架,,").errors[0]
    assert hand_in("另一商城,1001,下架", header="平台,商品ID,处置措施").accepted == 1
    assert claims()[0].lead_id == twin.id


@pytest.mark.parametrize(
    ("row", "complaint"),
    [
        ("2026-0000-77777,,下架,,", "lead_number: no lead has the number '2026-0000-77777'"),
        (",9999,下架,,", "item_id: no lead was sent about item '9999'"),
        (",,下架,,", "lead_number: neither"),
        ("2026-0000-01001,1002,下架,,", "item_id: lead 2026-0000-01001 is about item 1001, not 1002"),
        ("2026-0000-01001,,,,x", "measure: is empty"),
        ("2026-0000-01001,,,2026-10-11,", "measure: is empty"),
        ("2026-0000-01001,,未删除,,", "measure: '未删除' is no known measure"),
        ("2026-0000-01001,,下架、看心情,,", "measure: '看心情' is no known measure"),
        ('2026-0000-01001,,"=HYPERLINK(""http://evil.invalid"")",,', "measure: '=HYPERLINK("),
        ("=1+1,,下架,,", "lead_number: '=1+1' is a formula"),
        ("2026-0000-01001,,下架,2026-02-31,", "claimed_at: '2026-02-31' is no time"),
        ("2026-0000-01001,,下架,0026-10-11,", "claimed_at: '0026-10-11' is no time"),
        ("2026-0000-01001,,下架,昨天,", "claimed_at: '昨天' is no time"),
        ("2026-0000-01001,,下架,2026-10-13 06:00,", "claimed_at: '2026-10-13 06:00' lies in the future"),
        ('2026-0000-01001,,"下架,,', "(row): its quotation marks do not pair up"),
        ("2026-0000-01001,,下架,,,更多", "(row): has more cells"),
    ],
)
def test_a_row_that_cannot_be_used_is_named_and_kept_in_the_tray_and_the_others_are_taken(
    sqlite_ledger, sent, hand_in, strays, row, complaint
):
    result = hand_in("2026-0000-01002,,下架,,", row)
    assert (result.accepted, result.refused, result.strays) == (1, 1, 1)
    assert result.errors[0].startswith(f"reply.csv:3: {complaint}")
    (stray,) = strays()
    assert stray.state is TrayState.OPEN
    assert stray.reason.startswith(complaint)
    assert stray.source.endswith(":3")


@pytest.mark.parametrize(
    ("cells", "complaint"),
    [
        (
            "2026-0000-01001,,https://shop.invalid/item/1002,",
            "item_id: lead 2026-0000-01001 is about item 1001",
        ),
        ("2026-0000-01001,,https://other.invalid/item/1001,", "platform: lead 2026-0000-01001 is of sample"),
        (",1001,https://shop.invalid/item/1002,", "link: leads to item 1002, not 1001"),
        (",,https://shop.invalid/item/1001,另一商城", "link: leads to sample, not other"),
        (",,https://nowhere.invalid/1,", "link: leads to no listing that we know (unknown_host)"),
        ("2026-0000-01001,,,other", "platform: lead 2026-0000-01001 is of sample, not other"),
    ],
)
def test_cells_that_contradict_each_other_are_not_believed(sqlite_ledger, sent, hand_in, cells, complaint):
    result = hand_in(f"{cells},下架", header="线索编号,商品ID,商品链接,平台,处置措施")
    assert (result.accepted, result.strays) == (0, 1)
    assert result.errors[0].startswith(f"reply.csv:2: {complaint}")


def test_a_lead_that_never_went_or_was_taken_back_takes_no_answer(
    ledger, make, sent, analyst, hand_in, strays
):
    with ledger.write() as session:
        session.get(Lead, sent[0].id).state = LeadState.WITHDRAWN
        make.lead(session, make.decision(session, make.task(session), analyst), number="2026-0000-00003")
    result = hand_in("2026-0000-01001,,下架,,", "2026-0000-00003,,下架,,")
    assert (result.accepted, result.strays) == (0, 2)
    assert ["withdrawn" in result.errors[0], "never sent" in result.errors[1]] == [True, True]
    assert "withdrawn" in strays()[0].reason


def test_a_claim_changes_no_finding_and_a_closed_lead_stays_closed(ledger, sent, hand_in):
    with ledger.write() as session:
        lead = session.get(Lead, sent[0].id)
        lead.state, lead.outcome = LeadState.CLOSED, VerificationOutcome.REMOVED_UNCLAIMED
    assert hand_in("2026-0000-01001,,未处置,,").accepted == 1
    with ledger.read() as session:
        lead = session.get(Lead, sent[0].id)
        assert (lead.state, lead.outcome) == (LeadState.CLOSED, VerificationOutcome.REMOVED_UNCLAIMED)
        assert lead.verifications == []


def test_a_notice_is_answered_when_all_its_leads_are(ledger, sent, analyst, hand_in, now):
    with ledger.write() as session:
        notice = Notice(
            number="2026-0000-T00001",
            platform="sample",
            channel="smtp",
            recipient="notices@shop.invalid",
            state=NoticeState.SENT,
            lang="zh",
            subject="s",
            body="b",
            author_id=analyst.id,
            created_at=now,
            sent_at=now,
        )
        session.add(notice)
        notice.leads = [session.get(Lead, lead.id) for lead in sent]
    for line, state in [
        ("2026-0000-01001,,下架,,", NoticeState.SENT),
        ("2026-0000-01002,,有异议,,", NoticeState.ANSWERED),
    ]:
        hand_in(line)
        with ledger.read() as session:
            assert session.get(Notice, notice.id).state is state


@pytest.mark.parametrize(("content", "complaint"), [(b"", "empty"), (b"a,b\n1,2\n", "names a known column")])
def test_a_file_that_holds_nothing_of_ours_is_refused(sqlite_ledger, hand_in, tmp_path, content, complaint):
    (tmp_path / "reply.csv").write_bytes(content)
    with pytest.raises(FileError, match=complaint):
        hand_in()


def test_a_workbook_with_macros_is_refused_by_name(sqlite_ledger, hand_in, tmp_path):
    path = tmp_path / "reply.xlsm"
    book = openpyxl.Workbook()
    book.active.append(HEADER.split(","))
    book.save(path)
    with zipfile.ZipFile(path, "a") as archive:
        archive.writestr("xl/vbaProject.bin", b"\xd0\xcf\x11\xe0")
    with pytest.raises(FileError, match=r"reply.xlsm: holds macros"):
        hand_in(name="reply.xlsm")


def test_characters_that_no_database_takes_are_shown_in_the_kept_text(
    ledger, sent, tmp_path, hand_in, claims
):
    (tmp_path / "reply.jsonl").write_text(
        '{"线索编号": "2026-0000-01001", "处置措施": "已下架", "备注": "a\\u0000b\\ud800"}\n'
        '{"线索编号": "\\u0000", "处置措施": "x\\ud800"}\n',
        encoding="utf-8",
    )
    result = hand_in(name="reply.jsonl")
    assert (result.accepted, result.strays) == (1, 1)
    assert claims()[0].text == r"a\u0000b\ud800"


def test_a_flood_of_wrong_rows_fills_neither_the_tray_nor_the_result(sqlite_ledger, sent, hand_in, strays):
    wrong = [f"2026-0000-9{number:05},,下架,," for number in range(3_000)]
    result = hand_in(*wrong, "2026-0000-01001,,下架,,")
    assert (result.accepted, result.refused) == (1, 3_000)
    assert len(result.errors) == importing.ERRORS_AT_MOST
    assert len(strays()) == importing.STRAYS_AT_MOST + 1
    assert strays()[-1].reason.startswith("2800 more rows")


def test_a_workbook_of_200_000_rows_that_fit_nothing_is_left_in_bounded_time(
    sqlite_ledger, sent, hand_in, strays, tmp_path
):
    book = openpyxl.Workbook()
    book.active.append(HEADER.split(","))
    book.save(tmp_path / "small.xlsx")
    _write_large(tmp_path / "small.xlsx", tmp_path / "reply.xlsx", 200_000)
    result = hand_in(name="reply.xlsx")
    assert result.refused == importing.REFUSED_AT_MOST + 1
    assert strays()[-1].reason.startswith("line Sheet:20002: nothing was read from here on")
    assert len(strays()) == importing.STRAYS_AT_MOST + 2
    assert "nothing was read from here on" in result.errors[-1]


def _write_large(small, large, rows):
    """Rows after the header of ``small``, as text: writing them by a library takes most of a test's time."""
    cell = '<c r="{column}{row}" t="inlineStr"><is><t>{text}</t></is></c>'
    added = "".join(
        f'<row r="{row}">{cell.format(column="A", row=row, text=f"2026-9999-{row:06}")}'
        f"{cell.format(column='C', row=row, text='已下架')}</row>"
        for row in range(2, rows + 2)
    )
    with zipfile.ZipFile(small) as read, zipfile.ZipFile(large, "w", zipfile.ZIP_DEFLATED) as written:
        for name in read.namelist():
            data = read.read(name)
            if name.endswith("sheet1.xml"):
                data = data.replace(b"</sheetData>", added.encode() + b"</sheetData>")
            written.writestr(name, data)
