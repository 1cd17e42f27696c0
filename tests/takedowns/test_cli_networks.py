from __future__ import annotations

import json

import pytest
from typer.testing import CliRunner

from takedowns.cli import app
from takedowns.ledger.engine import open_ledger
from takedowns.ledger.tables import Flag
from tests.takedowns.conftest import Factory
from tests.takedowns.evidence.conftest import NOON

make = Factory(NOON)
WORDS = "医用雾化器 微信：vapor_king88"


@pytest.fixture
def run(tmp_path, monkeypatch):
    """Runs a command in a house of its own, whose two shops show the same contact."""
    monkeypatch.chdir(tmp_path)
    runner = CliRunner()
    assert runner.invoke(app, ["init"]).exit_code == 0
    (tmp_path / "var").mkdir(exist_ok=True)
    ledger = open_ledger(f"sqlite:///{tmp_path}/var/ledger.db")
    with ledger.write() as session:
        for number in (1, 2):
            listing = make.listing(
                session, seller=make.seller(session, name=f"康康{number}号\x1b[2J店 微信vapor_king88")
            )
            verdict = make.verdict(session, make.snapshot(session, listing, title=f"{WORDS} {number * 7}"))
            session.add(Flag(listing_id=listing.id, verdict_id=verdict.id, created_at=NOON))
    ledger.close()
    return lambda *words: runner.invoke(app, ["networks", *words])


def test_networks_are_found_listed_and_shown(run):
    assert json.loads(run("--json").stdout) == []
    done = run("refresh", "--archive", "--json")
    assert done.exit_code == 0, done.output
    assert json.loads(done.stdout)["networks"] == 1
    (network,) = json.loads(run("--json").stdout)
    reasons = [reason["reason"] for reason in network["ties"][0]["reasons"]]
    assert reasons[0] == "contact"
    shown = run("show", str(network["id"]))
    assert "康康1号‑[2J店 微信va•" in shown.stdout
    assert "vapor_king88" not in shown.stdout + done.output
    assert json.loads(run("show", str(network["id"]), "--json").stdout) == network
    assert "contact" in run().stdout
    assert isinstance(run("show", "999").exception, LookupError)
