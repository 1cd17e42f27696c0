"""The ``vapewatch responses`` commands: results, complaints and exit codes."""

from __future__ import annotations

import json

import pytest
from typer.testing import CliRunner

from takedowns.cli import app
from takedowns.cli import replying as commands
from takedowns.replies.mailbox import MailboxError
from tests.takedowns.replies.conftest import HEADER
from tests.takedowns.replies.test_mailbox import mail


@pytest.fixture
def run(sqlite_ledger, bureau, sent, monkeypatch):
    """Runs a command on the bureau of the test; gives its JSON."""
    monkeypatch.setattr(commands, "open_context", lambda _: bureau)

    def ran(*arguments, code=0):
        done = CliRunner().invoke(app, ["responses", *arguments, "--json"])
        if done.exception and not isinstance(done.exception, SystemExit):
            raise done.exception
        assert done.exit_code == code, done.output
        return json.loads(done.stdout)

    return ran


@pytest.fixture
def reply(tmp_path):
    path = tmp_path / "reply.csv"
    lines = (f"{HEADER},清理信息条数", "2026-0000-01001,,已下架,,,12", "9999,,屏蔽,,\x1b[31m,")
    path.write_text("\n".join(lines), encoding="utf-8")
    return str(path)


def test_a_file_is_imported_and_what_fits_no_lead_is_shown_matched_and_gone(run, reply, claims):
    taken = run("import", reply, code=3)
    assert (taken["accepted"], taken["reports"], taken["errors"], taken["strays"]) == (1, 1, 1, 1)
    (stray,) = run("tray")
    assert "no lead has the number" in stray["reason"]
    assert run("match", str(stray["stray"]), "2026-0000-01002", "--by", "analyst")["claims"] == 1
    assert run("tray") == []
    assert [claim.measure.value for claim in claims()] == ["deleted", "blocked"]


def test_a_stray_is_dismissed_with_a_note(run, reply):
    run("import", reply, code=3)
    assert run("dismiss", "1", "广告", "--by", "analyst")["dismissed"]
    assert run("tray") == []


def test_what_was_cleaned_is_counted(run, reply):
    run("import", reply, code=3)
    row = {"platform": "sample", "cleaned": "information", "items": 0, "told": 12, "quantity": 12}
    assert run("cleaned") == [row]
    assert run("cleaned", "2026-10") == [row]
    assert run("cleaned", "2025") == []


def test_the_mailbox_is_read(run, mail_folder, monkeypatch):
    mail_folder.put(mail("2026-0000-01001 已删除"))
    assert run("poll")["accepted"] == 1
    assert run("poll")["mails"] == 0
    mail_folder.put(mail("您好"))
    assert run("poll", code=3)["strays"] == 1
    monkeypatch.delenv("INBOX_PASSWORD")
    with pytest.raises(MailboxError):
        run("poll")
