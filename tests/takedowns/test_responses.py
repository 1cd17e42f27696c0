from __future__ import annotations

import csv
import io
from datetime import UTC, datetime, timedelta

import openpyxl
import pytest
import sqlalchemy as sa
from hypothesis import given
from hypothesis import strategies as st

from takedowns import responses
from takedowns.channels import smtp
from takedowns.imports.tabular import FileError
from takedowns.ledger import audit
from takedowns.ledger.tables import Lead, Notice, PlatformResponse
from takedowns.ledger.vocabulary import Measure, VerificationOutcome
from takedowns.states import LeadState, NoticeState

HEADER = "线索编号,商品ID,处置措施,处置时间,备注"


@pytest.fixture
def sent(ledger, make, analyst, now):
    """Two sent leads, about items 1001 and 1002."""
    with ledger.write() as session:
        found = []
        for item_id in ("1001", "1002"):
            shown = make.snapshot(session, make.listing(session, item_id=item_id))
            decision = make.decision(session, make.task(session, shown), analyst)
            found.append(
                make.lead(
                    session,
                    decision,
                    number=f"2026-0000-0{item_id}",
                    state=LeadState.SENT,
                    sent_at=now - timedelta(days=2),
                )
            )
        return found


def _import(ledger, path, now, *lines, header=HEADER, encoding="utf-8"):
    path.write_bytes("\n".join([header, *lines, ""]).encode(encoding))
    with ledger.write() as session:
        return responses.import_file(session, path, now=now)


def _claims(ledger):
    with ledger.read() as session:
        assert list(audit.verify(session)) == []
        return session.scalars(sa.select(PlatformResponse).order_by(PlatformResponse.id)).all()


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "gb18030"])
def test_claims_are_taken_in_from_text_in_every_usual_encoding(ledger, sent, tmp_path, now, encoding):
    result = _import(
        ledger,
        tmp_path / "reply.csv",
        now,
        "2026-0000-01001,1001,已下架,2026-10-11 09:30,经核实已处理",
        "2026-0000-01002,,不予处置,,商品合规",
        encoding=encoding,
    )
    assert (result.accepted, result.errors) == (2, ())
    deleted, refused = _claims(ledger)
    assert (deleted.measure, deleted.claimed_at) == (
        Measure.DELETED,
        datetime(2026, 10, 11, 1, 30, tzinfo=UTC),
    )
    assert (deleted.text, deleted.source, deleted.received_at) == ("经核实已处理", "reply.csv:2", now)
    assert (refused.measure, refused.claimed_at) == (Measure.REFUSED, None)
    with ledger.read() as session:
        assert {lead.state for lead in session.scalars(sa.select(Lead))} == {LeadState.RESPONDED}


def test_a_workbook_is_read_too(ledger, sent, tmp_path, now):
    book = openpyxl.Workbook()
    book.active.append(["某平台处置反馈表"])
    book.active.append(HEADER.split(","))
    book.active.append(["2026-0000-01001", 1001, "删除、关闭店铺", "2026-10-11 09:30", None])
    book.save(tmp_path / "reply.xlsx")
    with ledger.write() as session:
        result = responses.import_file(session, tmp_path / "reply.xlsx", now=now)
    assert (result.accepted, result.errors) == (2, ())
    assert [claim.measure for claim in _claims(ledger)] == [Measure.DELETED, Measure.SHOP_CLOSED]


def test_the_table_that_we_sent_can_be_sent_back_filled_in(ledger, sent, tmp_path, now):
    table = smtp.leads_csv(Notice(leads=[])).decode("utf-8-sig")
    answered = {
        "线索编号": "2026-0000-01001",
        "商品ID": "1001",
        "处置措施": "已删除",
        "处置时间": "2026-10-11",
    }
    out = io.StringIO()
    writer = csv.DictWriter(out, table.strip().split(","))
    writer.writeheader()
    writer.writerow(answered)
    path = tmp_path / "reply.csv"
    path.write_text(out.getvalue(), encoding="utf-8-sig")
    with ledger.write() as session:
        assert responses.import_file(session, path, now=now).accepted == 1


def test_the_same_file_twice_adds_nothing(ledger, sent, tmp_path, now):
    lines = ["2026-0000-01001,,已下架,2026-10-11,", "2026-0000-01002,,屏蔽,,"]
    assert _import(ledger, tmp_path / "reply.csv", now, *lines).accepted == 2
    again = _import(ledger, tmp_path / "reply.csv", now + timedelta(days=1), *lines)
    assert (again.accepted, again.known, again.errors) == (0, 2, ())
    assert len(_claims(ledger)) == 2


def test_a_platform_may_correct_its_answer_and_both_are_kept(ledger, sent, tmp_path, now):
    _import(ledger, tmp_path / "first.csv", now, "2026-0000-01001,,不予处置,,")
    _import(ledger, tmp_path / "second.csv", now, "2026-0000-01001,,已删除,2026-10-11,")
    assert [claim.measure for claim in _claims(ledger)] == [Measure.REFUSED, Measure.DELETED]


def test_rows_without_lead_number_are_matched_by_item(ledger, sent, tmp_path, now):
    assert _import(ledger, tmp_path / "reply.csv", now, ",1002,下架,,").accepted == 1
    (claim,) = _claims(ledger)
    assert claim.lead_id == sent[1].id


def test_an_item_id_on_two_platforms_needs_the_platform(ledger, make, analyst, sent, tmp_path, now):
    with ledger.write() as session:
        shown = make.snapshot(session, make.listing(session, platform="other", item_id="1001"))
        decision = make.decision(session, make.task(session, shown), analyst)
        twin = make.lead(session, decision, state=LeadState.SENT, sent_at=now)
    result = _import(ledger, tmp_path / "reply.csv", now, ",1001,下架,,")
    assert "reply.csv:2: item_id: " in result.errors[0]
    header = "平台,商品ID,处置措施"
    assert _import(ledger, tmp_path / "reply.csv", now, "other,1001,下架", header=header).accepted == 1
    assert _claims(ledger)[0].lead_id == twin.id


@pytest.mark.parametrize(
    ("row", "complaint"),
    [
        ("2026-0000-77777,,下架,,", "lead_number: no lead has the number '2026-0000-77777'"),
        (",9999,下架,,", "item_id: no lead was sent about item '9999'"),
        (",,下架,,", "lead_number: neither"),
        ("2026-0000-01001,1002,下架,,", "item_id: lead 2026-0000-01001 is about item 1001, not 1002"),
        ("2026-0000-01001,,,,", "measure: is empty"),
        ("2026-0000-01001,,,2026-10-11,", "measure: is empty"),
        ("2026-0000-01001,,未删除,,", "measure: '未删除' is no known measure"),
        ("2026-0000-01001,,下架、看心情,,", "measure: '看心情' is no known measure"),
        ("2026-0000-01001,,下架,2026-02-31,", "claimed_at: '2026-02-31' is no time"),
        ("2026-0000-01001,,下架,0026-10-11,", "claimed_at: '0026-10-11' is no time"),
        ("2026-0000-01001,,下架,昨天,", "claimed_at: '昨天' is no time"),
        ("2026-0000-01001,,下架,2027-01-01,", "claimed_at: '2027-01-01' lies in the future"),
        ('2026-0000-01001,,"下架,,', "(row): its quotation marks do not pair up"),
        ("2026-0000-01001,,下架,,,更多", "(row): has more cells"),
    ],
)
def test_a_row_that_cannot_be_used_is_named_and_the_others_are_kept(
    sqlite_ledger, make, analyst, tmp_path, now, row, complaint
):
    with sqlite_ledger.write() as session:
        for item_id in ("1001", "1002"):
            shown = make.snapshot(session, make.listing(session, item_id=item_id))
            decision = make.decision(session, make.task(session, shown), analyst)
            number = f"2026-0000-0{item_id}"
            make.lead(session, decision, number=number, state=LeadState.SENT, sent_at=now)
    good = "2026-0000-01002,,下架,,"
    result = _import(sqlite_ledger, tmp_path / "reply.csv", now, good, row)
    assert result.accepted == 1
    (error,) = result.errors
    assert error.startswith(f"reply.csv:3: {complaint}")


def test_a_lead_that_never_went_or_was_taken_back_takes_no_answer(ledger, make, sent, analyst, tmp_path, now):
    with ledger.write() as session:
        session.get(Lead, sent[0].id).state = LeadState.WITHDRAWN
        make.lead(session, make.decision(session, make.task(session), analyst), number="2026-0000-00003")
    result = _import(
        ledger, tmp_path / "reply.csv", now, "2026-0000-01001,,下架,,", "2026-0000-00003,,下架,,"
    )
    assert result.accepted == 0
    assert ["withdrawn" in result.errors[0], "never sent" in result.errors[1]] == [True, True]


def test_a_claim_changes_no_finding_and_a_closed_lead_stays_closed(ledger, sent, tmp_path, now):
    with ledger.write() as session:
        lead = session.get(Lead, sent[0].id)
        lead.state, lead.outcome = LeadState.CLOSED, VerificationOutcome.REMOVED_UNCLAIMED
    assert _import(ledger, tmp_path / "reply.csv", now, "2026-0000-01001,,未处置,,").accepted == 1
    with ledger.read() as session:
        lead = session.get(Lead, sent[0].id)
        assert (lead.state, lead.outcome) == (LeadState.CLOSED, VerificationOutcome.REMOVED_UNCLAIMED)
        assert lead.verifications == []


def test_a_notice_is_answered_when_all_its_leads_are(ledger, sent, analyst, tmp_path, now):
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
            message_id="<1@bureau.invalid>",
        )
        session.add(notice)
        notice.leads = [session.get(Lead, lead.id) for lead in sent]
    for line, state in [
        ("2026-0000-01001,,下架,,", NoticeState.SENT),
        ("2026-0000-01002,,有异议,,", NoticeState.ANSWERED),
    ]:
        _import(ledger, tmp_path / "reply.csv", now, line)
        with ledger.read() as session:
            assert session.get(Notice, notice.id).state is state


@pytest.mark.parametrize(("content", "complaint"), [(b"", "empty"), (b"a,b\n1,2\n", "names a known column")])
def test_a_file_that_holds_nothing_of_ours_is_refused(sqlite_ledger, tmp_path, now, content, complaint):
    path = tmp_path / "reply.csv"
    path.write_bytes(content)
    with sqlite_ledger.write() as session, pytest.raises(FileError, match=complaint):
        responses.import_file(session, path, now=now)


@pytest.mark.parametrize(
    ("text", "measures"),
    [
        ("已删除", [Measure.DELETED]),
        ("商品已下架", [Measure.DELETED]),
        ("已经下架了", [Measure.DELETED]),
        ("Removed", [Measure.DELETED]),
        ("屏蔽", [Measure.BLOCKED]),
        ("断开链接", [Measure.LINK_CUT]),
        ("关闭店铺", [Measure.SHOP_CLOSED]),
        ("封禁账号", [Measure.ACCOUNT_CLOSED]),
        ("关闭小程序", [Measure.MINI_PROGRAM_CLOSED]),
        ("未处置", [Measure.NONE]),
        ("不予处置", [Measure.REFUSED]),
        ("有异议", [Measure.DISPUTED]),
        ("下架商品和封号", [Measure.DELETED, Measure.ACCOUNT_CLOSED]),
        (" 下架 ；下架 ", [Measure.DELETED]),
        ("account_closed", [Measure.ACCOUNT_CLOSED]),
    ],
)
def test_the_words_of_platforms(text, measures):
    assert responses.measures(text) == measures


def test_every_measure_reads_its_own_name_and_no_word_has_two_meanings():
    for measure, words in responses.WORDS.items():
        assert responses.measures(measure.value) == [measure]
        for word in words:
            assert responses.measures(word) == [measure]


@given(
    st.sampled_from(["未", "没有", "无法", "拒绝", "尚未", "暂不", "不"]),
    st.sampled_from(responses.WORDS[Measure.DELETED]),
)
def test_a_denied_measure_is_never_read_as_done(denial, word):
    with pytest.raises(ValueError, match="no known measure"):
        responses.measures(denial + word)


@pytest.mark.parametrize(
    "text",
    [
        "2026-10-11 09:30",
        "2026/10/11 9:30:00",
        "2026年10月11日 9时30分",
        "2026年10月11日9:30",
        "2026.10.11 09:30",
        "２０２６-１０-１１ ０９：３０",
        "2026-10-11T09:30:00+08:00",
        "2026-10-11T01:30:00Z",
    ],
)
def test_times_as_platforms_write_them(text):
    assert responses.claimed_time(text) == datetime(2026, 10, 11, 1, 30, tzinfo=UTC)


def test_a_date_alone_is_its_beginning_in_shanghai():
    assert responses.claimed_time("2026年10月11日") == datetime(2026, 10, 10, 16, tzinfo=UTC)
    assert responses.claimed_time(" ") is None


@given(st.text())
def test_any_text_is_a_time_or_a_value_error(text):
    try:
        found = responses.claimed_time(text)
    except ValueError:
        return
    assert found is None or found.tzinfo is not None


@given(st.text())
def test_any_text_is_measures_or_a_value_error(text):
    try:
        found = responses.measures(text)
    except ValueError:
        return
    assert found


def test_characters_that_no_database_takes_are_shown_in_the_kept_text(ledger, sent, tmp_path, now):
    path = tmp_path / "reply.jsonl"
    path.write_text(
        '{"线索编号": "2026-0000-01001", "处置措施": "已下架", "备注": "a\\u0000b\\ud800"}\n',
        encoding="utf-8",
    )
    with ledger.write() as session:
        assert responses.import_file(session, path, now=now).accepted == 1
    assert _claims(ledger)[0].text == r"a\u0000b\ud800"
