from __future__ import annotations

import gzip
import io
import json
import zipfile

import openpyxl
import pypdfium2
import pytest
import sqlalchemy as sa
from typer.testing import CliRunner

from takedowns import enclosures, letters
from takedowns.cli import app, notifying
from takedowns.enclosures import EvidenceChangedError
from takedowns.evidence import keeping, manifest, packs
from takedowns.ledger import audit
from takedowns.ledger.tables import AuditEntry, Dispatch, DispatchFile, Notice
from takedowns.ledger.vocabulary import DispatchKind, DispatchState, Role
from takedowns.states import LeadState, NoticeState
from tests.takedowns.evidence.conftest import NOON, opened, written_run  # noqa: F401  (a fixture)

NUMBER = "2026-0000-T00001"


@pytest.fixture
def house(tmp_path, migrated_sqlite, monkeypatch):
    (tmp_path / "ledger.db").write_bytes(migrated_sqlite.read_bytes())
    made = opened(tmp_path, "http://mall.example")
    monkeypatch.setattr(notifying, "open_context", lambda _: made)
    yield made
    made.ledger.close()


@pytest.fixture
def notice(house, make, written_run):  # noqa: F811
    """A draft with leads 1 and 2, whose pages were kept, and 3, whose link was pasted."""
    run, references = written_run("r1", b"<h1>" + "雾化器".encode() * 100, b"<h1>" + "植物饮料".encode())
    with house.ledger.write() as session:
        user = make.user(session, login="analyst", role=Role.ANALYST)
        make.run(session, run_id="r1")
        leads = []
        for at, evidence in enumerate([*references, None], 1):
            shown = make.snapshot(session, make.listing(session), evidence=evidence)
            make.verdict(session, shown)
            decision = make.decision(session, make.task(session, shown), user)
            leads.append(make.lead(session, decision, number=f"2026-0000-0000{at}", state=LeadState.READY))
        keeping.keep(session, house.evidence, manifest.make(house.evidence, run.path), now=NOON)
        subject, body = letters.render(
            NUMBER, "示例商城", leads, lang="zh", now=NOON, settings=house.settings
        )
        fields = {"platform": "sample", "channel": "manual", "recipient": "某处", "lang": "zh"}
        session.add(
            Notice(
                number=NUMBER,
                state=NoticeState.DRAFT,
                subject=subject,
                body=body,
                author_id=user.id,
                created_at=NOON,
                leads=leads,
                **fields,
            )
        )


def _of(house, packs_at_most_mb=15.0):
    limits = house.settings.notices.model_copy(update={"packs_at_most_mb": packs_at_most_mb})
    settings = house.settings.model_copy(update={"notices": limits})
    with house.ledger.read() as session:
        notice = session.scalars(sa.select(Notice)).one()
        return enclosures.of_notice(session, house.evidence, notice, settings=settings)


def _shown(files):
    (pdf,) = (file.data for file in files if file.name.endswith(".pdf"))
    pages = [page.get_textpage().get_text_bounded() for page in pypdfium2.PdfDocument(pdf)]
    return "".join("".join(pages).split())


def test_a_notice_takes_along_its_letter_the_annex_and_a_pack_for_each_lead(house, notice):
    files = _of(house)
    assert [file.name for file in files] == [
        *(f"{NUMBER}.docx", f"{NUMBER}.pdf", f"{NUMBER}.xlsx"),
        *("2026-0000-00001.zip", "2026-0000-00002.zip"),
    ]
    with zipfile.ZipFile(io.BytesIO(files[3].data)) as pack:
        assert json.loads(pack.read("metadata.json"))["lead"]["number"] == "2026-0000-00001"
    sheet = openpyxl.load_workbook(io.BytesIO(files[2].data)).active
    assert [sheet.cell(row, 1).value for row in (4, 5, 6)] == [f"2026-0000-0000{at}" for at in (1, 2, 3)]
    assert _of(house) == files


def test_a_lead_without_evidence_is_said_so(house, notice):
    shown = _shown(_of(house))
    assert "线索证据包2个" in shown
    assert "证据包一栏为“无”的" in shown
    assert "备索" not in shown


def test_packs_that_are_too_many_for_a_mail_follow_on_request(house, notice):
    everything = _of(house)
    room = len(everything[3].data) + len(everything[4].data) - 1
    files = _of(house, packs_at_most_mb=room / 1e6)
    assert [file.name for file in files[3:]] == ["2026-0000-00001.zip"]
    assert "证据包一栏为“备索”的，因附件总量所限未随附" in _shown(files)
    assert len(_of(house, packs_at_most_mb=0)) == 3


def test_changed_evidence_goes_nowhere(house, notice):
    page = next(
        path
        for path in (house.evidence.root / "sha256").rglob("*")
        if path.is_file() and b"WARC" in _plain(path)
    )
    page.chmod(0o600)
    page.write_bytes(page.read_bytes() + b"!")
    with pytest.raises(EvidenceChangedError, match="evidence of lead 2026-0000-00001 cannot go out"):
        _of(house)


def _plain(path):
    try:
        return gzip.decompress(path.read_bytes())
    except OSError:
        return b""


def _letter(out, code=0):
    done = CliRunner().invoke(
        app, ["leads", "letter", NUMBER, "--by", "analyst", "--out", str(out), "--json"]
    )
    if done.exception and not isinstance(done.exception, SystemExit):
        raise done.exception
    assert done.exit_code == code, done.output
    return json.loads(done.stdout)


def test_the_command_writes_the_files_and_the_chain_tells_who_got_the_packs(house, notice, tmp_path):
    told = _letter(tmp_path / "out")
    made = _of(house)
    assert [row["file"] for row in told] == [str(tmp_path / "out" / file.name) for file in made]
    assert [(tmp_path / "out" / file.name).read_bytes() for file in made] == [file.data for file in made]
    with house.ledger.read() as session:
        entries = session.scalars(sa.select(AuditEntry).where(AuditEntry.action == packs.HANDED_OUT)).all()
        assert [entry.actor for entry in entries] == ["analyst", "analyst"]
        assert list(audit.verify(session)) == []


def test_once_a_notice_is_closed_the_command_writes_what_it_carries(house, notice, tmp_path):
    with house.ledger.write() as session:
        row = session.scalars(sa.select(Notice)).one()
        sha256 = house.evidence.put(b"as it went out")
        session.add(
            Dispatch(
                kind=DispatchKind.NOTICE,
                notice_id=row.id,
                channel="smtp",
                recipient="a@shop.invalid",
                subject=row.subject,
                body=row.body,
                idempotency_key="key",
                state=DispatchState.SENT,
                created_at=NOON,
                not_before=NOON,
                files=[DispatchFile(name="a.pdf", sha256=sha256, media_type="application/pdf", size=14)],
            )
        )
    told = _letter(tmp_path / "out")
    assert told == [{"file": str(tmp_path / "out/a.pdf"), "bytes": 14}]
    assert (tmp_path / "out/a.pdf").read_bytes() == b"as it went out"
