"""A case file from one office to another and back, each with its own ledger, in one test."""

from __future__ import annotations

import dataclasses
import io
import json
import sqlite3
import time
import zipfile
from contextlib import closing
from datetime import timedelta

import pypdfium2
import pytest
import sqlalchemy as sa
from typer.testing import CliRunner

from takedowns import review
from takedowns.cli import app
from takedowns.cli import handover as commands
from takedowns.handing_over import answering, handovers, package, packing, receiving, sending
from takedowns.handing_over.handovers import HandoverError, HandoverStateError, ReceiptError
from takedowns.handing_over.package import PackageError
from takedowns.handing_over.packing import Order
from takedowns.ledger import audit
from takedowns.ledger.engine import Ledger
from takedowns.ledger.tables import Dispatch, Handover, HandoverLead, ReviewTask, Tip
from takedowns.ledger.vocabulary import DispatchState, Finding, Role
from takedowns.roles import NotAllowedError
from takedowns.states import HandoverState, TipState

TO = "乙市烟草专卖局"
REASON = "发货地在贵辖区，请协助核查"


@pytest.fixture
def packed(here):
    return packing.pack(here.context, Order(TO, "bureau", REASON, ["L-1", "L-2"]), here.supervisor)


@pytest.fixture
def carried(here, there, packed, bytes_of):
    """The package on the other office's disk."""
    path = there.folder / "x.zip"
    path.write_bytes(bytes_of(here, packed))
    return path


def receive(office, path, **given):
    return receiving.receive(office.context, office.house, path, office.supervisor, **given)


def the_only(office):
    with office.context.ledger.read() as session:
        return session.scalars(sa.select(Handover)).one()


def test_a_case_file_goes_there_and_its_result_comes_back(here, there, monkeypatch):
    began = time.monotonic()
    with monkeypatch.context() as at:
        run = _commands(at, here)
        run("pack", "L-1", "L-2", "--to", TO, "--reason", REASON, "--by", "supervisor")
        run("send", "2026-1100-X00001", "--out", str(there.folder / "case.zip"), "--by", "supervisor")
    with monkeypatch.context() as at:
        run = _commands(at, there)
        run("receive", str(there.folder / "case.zip"), "--by", "supervisor")
        listed = json.loads(run("list", "--json"))
    (row,) = listed
    assert (row["direction"], row["office"], row["their number"]) == (
        "in",
        "甲市烟草专卖局",
        "2026-1100-X00001",
    )
    receipt = there.folder / "2026-1100-X00001.receipt.json"
    with monkeypatch.context() as at:
        run = _commands(at, here)
        assert run("receipt", str(receipt), "--by", "supervisor") == "2026-1100-X00001 received\n"
    with there.context.ledger.write() as session:  # the other office's reviewer finds the same
        task = session.scalars(sa.select(ReviewTask)).one()
        analyst, settings = there.people[Role.ANALYST], there.context.settings
        now = there.context.clock()
        task = review.next_task(session, analyst, now=now, settings=settings)
        review.decide(
            session, task.id, analyst, task.version, Finding.NOT_VIOLATION, reason="not_for_sale",
            now=now, settings=settings,
        )  # fmt: skip
    with monkeypatch.context() as at:
        run = _commands(at, there)
        back = [
            "--result",
            "已核查，店铺已关闭",
            "--out",
            str(here.folder / "back.zip"),
            "--by",
            "supervisor",
        ]
        assert run("answer", "2026-3300-X00001", *back) == "2026-3300-X00001 closed\n"
    with monkeypatch.context() as at:
        run = _commands(at, here)
        run("receive", str(here.folder / "back.zip"), "--by", "supervisor")
        run("close", "2026-1100-X00001", "--by", "supervisor")
    assert time.monotonic() - began < 120  # minutes, on a busy machine
    handover = the_only(here)
    assert (handover.state, handover.result) == (HandoverState.CLOSED, "已核查，店铺已关闭")
    assert "2026-3300-X00001" in handover.receipt
    with here.context.ledger.read() as session:
        first, second = session.scalars(sa.select(HandoverLead).order_by(HandoverLead.number))
        assert (first.answer["tip_state"], first.answer["decision"]) == ("linked", "not_violation")
        assert (second.answer["tip"], second.answer["leads"]) == (None, [])
    for office in (here, there):
        with office.context.ledger.read() as session:
            assert list(audit.verify(session)) == []


def _commands(at, office):
    at.setattr(commands, "open_context", lambda _: office.context)
    at.setattr(commands.tips, "house", lambda _: office.house)

    def run(*words):
        done = CliRunner().invoke(app, ["handover", *words])
        assert done.exit_code == 0, f"{done.stderr}{done.exception}"
        return done.stdout

    return run


def test_the_package_holds_letter_facts_and_evidence_and_no_name_of_staff(here, packed, bytes_of):
    found = package.read(bytes_of(here, packed), at_most=10**8)
    number = packed.number
    assert sorted(found.files) == [
        *(f"{number}.{ending}" for ending in ("docx", "pdf", "txt")),
        "case.json",
        "evidence/L-1.zip",
    ]
    case = json.loads(found.files["case.json"])
    first, second = case["leads"]
    assert (case["to"], case["reason"], case["office"]["code"]) == (TO, REASON, "1100")
    assert (first["evidence"], second["evidence"]) == ("evidence/L-1.zip", None)
    assert (first["claims"][0]["measure"], first["sightings"][0]["state"]) == ("deleted", "up")
    assert "analyst" not in found.files["case.json"].decode()
    text = found.files[f"{number}.txt"].decode()
    letter = pypdfium2.PdfDocument(found.files[f"{number}.pdf"])
    printed = "".join(page.get_textpage().get_text_bounded() for page in letter)
    for form in (text, printed):
        assert "涉嫌" in form
        assert "L-1" in form
    assert found.files[f"{number}.docx"][:2] == b"PK"
    with zipfile.ZipFile(io.BytesIO(found.files["evidence/L-1.zip"])) as pack:
        assert "metadata.json" in pack.namelist()


def test_what_came_in_waits_as_tips_of_the_sender_with_their_clock(there, carried, now):
    taken = receive(there, carried, kind="police")
    with there.context.ledger.read() as session:
        (tip,) = session.scalars(sa.select(Tip))
        (task,) = session.scalars(sa.select(ReviewTask))
        leads = session.scalars(sa.select(HandoverLead).order_by(HandoverLead.number)).all()
        assert (task.snapshot.title, task.priority) == ("医用雾化器 学生党 L-1", 1.0)
    assert (tip.origin, tip.state, tip.minors) == ("police", TipState.LINKED, True)  # 学生 in the title
    assert tip.due_at == now + timedelta(hours=24)
    assert [lead.tip_id for lead in leads] == [tip.id, None]  # its platform has no profile here
    assert leads[1].facts["url"] == "https://elsewhere.invalid/9"
    assert (taken.handover.counterpart_kind, taken.handover.state) == ("police", HandoverState.RECEIVED)


def test_the_same_package_twice_adds_nothing_and_gives_the_same_receipt(there, carried):
    first, again = receive(there, carried), receive(there, carried)
    assert (first.is_new, again.is_new, again.receipt) == (True, False, first.receipt)
    assert the_only(there).number == first.handover.number


def test_a_tampered_package_is_refused_and_leaves_nothing(there, carried):
    whole = carried.read_bytes()
    carried.write_bytes(whole.replace("已删除".encode(), "未删除".encode(), 1))
    with pytest.raises(PackageError, match=r"x\.zip: "):
        receive(there, carried)
    carried.write_bytes(whole[:-1])
    with pytest.raises(PackageError):
        receive(there, carried)
    carried.write_bytes(whole)
    with pytest.raises(PackageError, match="announced"):
        receive(there, carried, sha256="0" * 64)
    with there.context.ledger.read() as session:
        assert session.scalars(sa.select(Handover)).all() == []
        assert session.scalars(sa.select(Tip)).all() == []


def test_another_content_under_the_same_number_is_refused(there, carried):
    receive(there, carried)
    carried.write_bytes(_altered(carried, lambda case: case.update(reason="另一个事由")))
    with pytest.raises(PackageError, match="came before with another content"):
        receive(there, carried)


def _altered(path, change):
    """The package made anew by somebody who knows how, with another case."""
    found = package.read(path.read_bytes(), at_most=10**8)
    case = json.loads(found.files["case.json"])
    change(case)
    files = {**found.files, "case.json": json.dumps(case).encode()}
    return package.write("case", found.number, files)


NONSENSE = [
    (lambda case: case.update(number="other"), "is of other"),
    (lambda case: case.pop("office"), "case.json: office"),
    (lambda case: case["leads"][0].update(evidence="evidence/none.zip"), "evidence that is missing"),
    (lambda case: case["leads"].append(case["leads"][0]), "one number"),
    (lambda case: case.update(leads=[]), "case.json: leads"),
    (lambda case: case.update(due_at="0001-01-01T00:00:00+08:00"), "no year for a case"),
    (lambda case: case.update(due_at="2026-10-12T00:00:00"), "timezone"),
    (lambda case: case["leads"][0].update(title="长" * 20_001), "case.json: leads.0.title"),
    (lambda case: case["leads"][0].update(more="x"), "leads.0.more"),
]


def test_a_case_that_says_nonsense_is_refused_by_its_key(there, carried):
    altered = [(_altered(carried, change), complaint) for change, complaint in NONSENSE]
    for data, complaint in altered:
        carried.write_bytes(data)
        with pytest.raises(PackageError, match=complaint):
            receive(there, carried)


def test_hostile_words_in_a_case_are_words(there, carried):
    def hostile(case):
        case["leads"][0].update(title="=cmd|' /C calc'!A0\x00<script>\u202e", url="javascript:alert(1)")

    carried.write_bytes(_altered(carried, hostile))
    taken = receive(there, carried)
    assert taken.receipt.tips == 0
    assert "\\u0000" in taken.handover.leads[0].facts["title"]


def test_a_receipt_of_something_else_is_refused(here, there, packed, carried):
    receipt = receive(there, carried).receipt
    supervisor = here.supervisor
    for forged in (
        receipt.model_copy(update={"leads": 3}),
        receipt.model_copy(update={"seal": "0" * 64}),
        receipt.sealed("0" * 64),
    ):
        with pytest.raises(ReceiptError):
            receiving.take_receipt(here.context, package.written(forged), supervisor)
    with pytest.raises(handovers.UnknownHandoverError):
        receiving.take_receipt(
            here.context, package.written(receipt.model_copy(update={"number": "X"})), supervisor
        )
    assert the_only(here).state is HandoverState.PACKED
    for _ in range(2):  # the same one again changes nothing
        assert receiving.take_receipt(here.context, package.written(receipt), supervisor).receipt
    with here.context.ledger.read() as session:
        assert list(audit.verify(session)) == []


def test_an_answer_to_another_package_is_refused(here, there, packed, carried):
    number = receive(there, carried).handover.number
    with there.context.ledger.write() as session:
        _, data = answering.answer(there.context, session, number, there.supervisor, "已核查")
    answer = package.read(data, at_most=10**6)
    told = json.loads(answer.files["answer.json"])
    path = here.folder / "back.zip"
    for change in ({"package_sha256": "0" * 64}, {"leads": told["leads"][:1]}):
        forged = {"answer.json": json.dumps({**told, **change}).encode()}
        path.write_bytes(package.write("answer", answer.number, forged))
        with pytest.raises((ReceiptError, HandoverStateError)):
            receive(here, path)
    with there.context.ledger.write() as session, pytest.raises(HandoverStateError):  # it is closed there
        answering.answer(there.context, session, number, there.supervisor, "再次")


def test_it_goes_by_mail_once_and_by_folder(here, packed, mailing, tmp_path, mail_server):
    here.context.settings = here.context.settings.model_copy(update={"mail": mailing.mail})
    with here.context.ledger.write() as session:
        dispatch = sending.put(
            here.context, session, packed.number, here.supervisor, "smtp", "x@bureau.invalid"
        )
    assert [one.state for one in sending.send_due(here.context)] == [DispatchState.SENT]
    assert sending.send_due(here.context) == []
    (mail,) = mail_server.mails
    assert mail["Message-ID"] == dispatch.idempotency_key
    (attached,) = mail.iter_attachments()
    assert attached.get_filename() == f"{packed.number}.zip"
    assert the_only(here).state is HandoverState.SENT
    second = packing.pack(here.context, Order("丙市烟草专卖局", "bureau", REASON, ["L-3"]), here.supervisor)
    with here.context.ledger.write() as session:
        sending.put(here.context, session, second.number, here.supervisor, "folder", str(tmp_path))
    sending.send_due(here.context)
    assert (tmp_path / f"{second.number}-1" / f"{second.number}.zip").exists()


def test_what_could_not_be_sent_goes_another_way(here, packed):
    with here.context.ledger.write() as session:  # nothing listens on that mail server
        sending.put(here.context, session, packed.number, here.supervisor, "smtp", "x@bureau.invalid")
    (tried,) = sending.send_due(here.context)
    assert (tried.state, bool(tried.failure)) == (DispatchState.WAITING, True)
    with here.context.ledger.write() as session:
        sending.put(here.context, session, packed.number, here.supervisor, "folder", str(here.folder))
        states = session.scalars(sa.select(Dispatch.state).order_by(Dispatch.id)).all()
    assert states == [DispatchState.CANCELLED, DispatchState.WAITING]


def test_what_must_not_be_packed_is_refused_by_name(here, packed):
    for order, complaint in [
        (Order(TO, "bureau", REASON, ["L-9"]), "no lead 'L-9'"),
        (Order(TO, "bureau", REASON, ["L-1"]), "handed over to"),
        (Order(TO, "bureau", " ", ["L-3"]), "reason"),
        (Order(" ", "bureau", REASON, ["L-3"]), "office"),
        (Order(TO, "shop", REASON, ["L-3"]), "bureau or police"),
        (Order(TO, "bureau", REASON, []), "from 1 to"),
    ]:
        with pytest.raises(HandoverError, match=complaint):
            packing.pack(here.context, order, here.supervisor)
    with pytest.raises(NotAllowedError):
        packing.pack(here.context, Order(TO, "bureau", REASON, ["L-3"]), here.people[Role.ANALYST])


def test_who_found_a_lead_does_not_hand_it_over_alone(here):
    reviewer = here.people[Role.ANALYST]
    reviewer.role = Role.SUPERVISOR  # promoted since
    with pytest.raises(handovers.TwoPersonError, match="L-3"):
        packing.pack(here.context, Order(TO, "bureau", REASON, ["L-3"]), reviewer)
    with here.context.ledger.read() as session:
        assert session.scalars(sa.select(Handover)).all() == []


def test_deadlines_and_closing(here, packed, now):
    assert not handovers.is_overdue(packed, now)
    assert handovers.is_overdue(packed, packed.due_at)
    assert packed.due_at > now + timedelta(days=13)  # ten working days
    with here.context.ledger.write() as session:
        with pytest.raises(HandoverError, match="note"):
            handovers.close(session, packed.number, here.supervisor, "", now=now)
        with pytest.raises(HandoverError, match="receipt"):
            handovers.record_by_hand(session, packed.number, here.supervisor, " ", at=now, now=now)
        handovers.record_by_hand(session, packed.number, here.supervisor, "机要交换 17号", at=now, now=now)
        handovers.close(session, packed.number, here.supervisor, "对方不予受理", now=now)
        assert handovers.open_ones(session) == []
        assert [one.result for one in handovers.closed_ones(session)] == ["对方不予受理"]
        with pytest.raises(HandoverStateError):
            handovers.close(session, packed.number, here.supervisor, "x", now=now)


def test_both_kinds_of_database_take_in_a_package_and_answer_it(ledger, make, here, there, carried):
    with ledger.write() as session:
        user = make.user(session, login="chief", role=Role.SUPERVISOR)
    context = dataclasses.replace(there.context, ledger=ledger)
    first = receiving.receive(context, there.house, carried, user)
    again = receiving.receive(context, there.house, carried, user)
    assert (first.is_new, again.is_new) == (True, False)
    with ledger.write() as session:
        answering.answer(context, session, first.handover.number, user, "已核查")
        assert list(audit.verify(session)) == []


def test_the_same_rows_make_the_same_package(here, packed, tmp_path):
    here.context.ledger.close()
    copied = tmp_path / "copied.db"
    with (
        closing(sqlite3.connect(here.folder / "ledger.db")) as source,
        closing(sqlite3.connect(copied)) as copy,
    ):
        source.backup(copy)
        # as if it had not been packed yet
        for table in ("handover_lead", "handover"):
            copy.execute(f"DELETE FROM {table}")
        copy.execute("DELETE FROM number_series WHERE kind = 'handover'")
        copy.commit()
    twin = dataclasses.replace(here.context, ledger=Ledger(f"sqlite:///{copied}"))
    again = packing.pack(twin, Order(TO, "bureau", REASON, ["L-2", "L-1"]), here.supervisor)
    twin.ledger.close()
    assert (again.number, again.package_sha256) == (packed.number, packed.package_sha256)
