"""The evidence commands: both languages, JSON, and the exit codes that scripts rely on."""

from __future__ import annotations

import json
import zipfile
from datetime import timedelta

import pytest
from typer.testing import CliRunner

from takedowns import roles
from takedowns.cli import app, main
from takedowns.cli import evidence as commands
from takedowns.cli.evidence_words import PHRASES, PROBLEMS, Lang, sentence
from takedowns.cli.following import UnknownRowError
from takedowns.evidence import keeping, manifest
from takedowns.evidence.verifying import Finding, Problem
from takedowns.ledger import audit
from takedowns.ledger.tables import WorkItem
from takedowns.ledger.vocabulary import Role, WorkState
from tests.takedowns.evidence.conftest import HOSTILE, NOON, opened

WARC = "evidence/pages.warc.gz"


@pytest.fixture
def house(tmp_path, migrated_sqlite, monkeypatch):
    (tmp_path / "ledger.db").write_bytes(migrated_sqlite.read_bytes())
    made = opened(tmp_path, "http://mall.example")
    monkeypatch.setattr(commands, "open_context", lambda _: made)
    yield made
    made.ledger.close()


@pytest.fixture
def lead(house, make, written_run):
    """A lead's number and the reference of its page."""
    run, (reference,) = written_run("r1", f"<h1 class='title'>{HOSTILE}</h1>".encode())
    with house.ledger.write() as session:
        reviewer = make.user(session, login="analyst", role=Role.ANALYST)
        make.user(session, login="operator", role=Role.OPERATOR)
        make.run(session, run_id="r1")
        snapshot = make.snapshot(session, make.listing(session, item_id="1"), evidence=reference, run_id="r1")
        made = make.lead(session, make.decision(session, make.task(session, snapshot), reviewer))
        keeping.keep(session, house.evidence, manifest.make(house.evidence, run.path), now=NOON)
    return made.number, reference


def run(*arguments, code=0):
    done = CliRunner().invoke(app, ["evidence", *arguments])
    if done.exception and not isinstance(done.exception, SystemExit):
        raise done.exception
    assert done.exit_code == code, done.output
    return done


def test_a_lead_a_listing_and_a_reference_are_shown(house, lead):
    number, reference = lead
    for name in (number, "sample:1"):
        told = json.loads(run("show", name, "--json").stdout)
        assert [(one["what"], one["sound"], one["reference"]) for one in told["exhibits"]] == [
            ("snapshot", "whole", reference)
        ]
    assert "快照" in run("show", number).stdout
    assert "snapshot" in run("show", number, "--lang", "en").stdout
    (record,) = json.loads(run("show", reference, "--json").stdout)
    assert (record["kind"], record["sound"]) == ("response", "whole")


def test_a_record_is_saved_as_it_was(house, lead, tmp_path):
    run("show", lead[1], "--save", str(tmp_path / "page.html"))
    assert HOSTILE.encode() in (tmp_path / "page.html").read_bytes()


@pytest.mark.parametrize(
    "name", ["0000-2026-000000", "sample:9", "nothing", "r1/x#y", "r9/evidence/x#y", "../x/y#z"]
)
def test_an_unknown_name_is_an_error_of_one_sentence(house, lead, name):
    with pytest.raises((LookupError, ValueError)) as caught:
        run("show", name)
    assert "\n" not in str(caught.value)


def test_an_empty_store_proves_nothing(house):
    assert "证据库为空" in run("verify", code=3).stdout


def test_whole_evidence_is_said_to_be_whole(house, lead):
    assert "完好" in run("verify", "--all").stdout
    told = json.loads(run("verify", "--all", "--json").stdout)
    assert (told["runs"], told["records"], told["references"], told["findings"]) == (1, 2, 1, [])


def test_damage_is_named_in_both_languages_and_exits_with_1(house, lead):
    path = house.evidence.path(manifest.load(house.evidence, "r1").file(WARC).sha256)
    path.chmod(0o600)
    path.write_bytes(path.read_bytes()[:-20])
    chinese = run("verify", code=1)
    assert "文件被改动" in chinese.output
    english = run("verify", "--all", "--lang", "en", code=1)
    assert f"r1/{WARC} @" in english.output.replace("\n", " ")
    assert "cut off" in english.output
    run("show", lead[0], code=3)
    with pytest.raises(ValueError, match="was changed"):
        run("pack", lead[0], "--by", "analyst")


@pytest.mark.parametrize("name", ["reference", "number"])
@pytest.mark.parametrize(
    "change",
    [lambda text: b"\xff{", lambda text: text.replace(b'"size"', b'"sizes"'), lambda text: forged(text)],
)
def test_what_a_changed_manifest_lists_is_neither_shown_nor_handed_out(house, lead, name, change):
    path = house.evidence.manifest("r1")
    path.chmod(0o600)
    path.write_bytes(change(path.read_bytes()))
    with pytest.raises(manifest.ManifestError, match=r"r1\.json (was changed|is not the manifest)") as caught:
        run("show", lead[1] if name == "reference" else lead[0])
    assert "\n" not in str(caught.value)
    with pytest.raises(manifest.ManifestError):
        run("pack", lead[0], "--by", "analyst")


def forged(text):
    """A manifest as this program writes them, that says something else."""
    return manifest.Manifest.model_validate_json(text).model_copy(update={"files": ()}).canonical


def test_a_changed_manifest_is_one_sentence_and_exit_code_1(house, lead, monkeypatch, capsys):
    house.evidence.manifest("r1").chmod(0o600)
    house.evidence.manifest("r1").write_text("{}")
    monkeypatch.setattr("sys.argv", ["vapewatch", "evidence", "show", lead[0]])
    with pytest.raises(SystemExit) as ended:
        main()
    assert ended.value.code == 1
    assert "was changed: it is no manifest any more" in capsys.readouterr().err


def test_a_pack_is_handed_out_by_a_named_person_and_the_chain_says_so(house, lead, tmp_path):
    file = tmp_path / "pack.zip"
    told = json.loads(run("pack", lead[0], "--by", "analyst", "--out", str(file), "--json").stdout)
    first = file.read_bytes()
    assert zipfile.is_zipfile(file)
    run("pack", lead[0], "--by", "analyst", "--out", str(file))
    assert file.read_bytes() == first
    with house.ledger.read() as session:
        entries = session.scalars(audit.sa.select(audit.AuditEntry).filter_by(action="evidence.pack")).all()
        assert list(audit.verify(session)) == []
    assert [(entry.actor, entry.payload["sha256"]) for entry in entries] == [("analyst", told["sha256"])] * 2
    with pytest.raises(UnknownRowError):
        run("pack", lead[0], "--by", "nobody")
    with pytest.raises(roles.NotAllowedError):
        run("pack", lead[0], "--by", "operator")


def test_runs_of_earlier_releases_are_kept_afterwards(house, make, written_run):
    written_run("old", b"<p>")
    with house.ledger.write() as session:
        make.run(session, run_id="old")
        make.run(session, run_id="without a directory")
    assert json.loads(run("keep", "--json").stdout) == {"kept": 1}
    assert json.loads(run("keep", "--json").stdout) == {"kept": 0}
    run("verify", "--all")


def test_without_a_term_nothing_expires(house, lead):
    assert "全部保留" in run("expire").stdout


def test_old_work_is_forgotten_also_without_a_term(house):
    ended = {"arm": "targeted", "kind": "sweep", "platform": "p", "detail": {}, "state": WorkState.DONE}
    old = NOON - timedelta(days=100)
    with house.ledger.write() as session:
        session.add(WorkItem(subject="x", created_at=old, finished_at=old, **ended))
    for arguments, left in ((("--preview",), 1), ((), 0)):
        run("expire", *arguments)
        with house.ledger.read() as session:
            assert session.query(WorkItem).count() == left


def test_nothing_to_photograph_is_said(house):
    assert json.loads(run("capture", "corner", "--json").stdout) == {"captures": 0}


def test_every_problem_has_words_in_both_languages():
    assert PROBLEMS.keys() == set(Problem)
    assert all(chinese and english and chinese != english for chinese, english in PHRASES.values())
    told = sentence(Finding(Problem.RECORD_CHANGED, "r", "f", "urn:uuid:1", 7), Lang.EN)
    assert told == "r/f#urn:uuid:1 @7: the record was changed"
