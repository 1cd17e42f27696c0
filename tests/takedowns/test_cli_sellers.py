"""``vapewatch sellers``, in process."""

from __future__ import annotations

import json
import shutil
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from takedowns import cli, configuration
from takedowns.context import Context, open_context
from takedowns.ledger.vocabulary import Measure
from takedowns.states import LeadState


@pytest.fixture
def house(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Context:
    shutil.copytree(configuration.SHIPPED, tmp_path / "config")
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("VAPEWATCH_CONFIG", raising=False)
    return open_context(configuration.folder())


def run(*arguments: str) -> Any:
    return CliRunner().invoke(cli.app, ["sellers", *arguments])


def said(*arguments: str) -> Any:
    ended = run(*arguments, "--json")
    assert ended.exit_code == 0, ended.output
    return json.loads(ended.stdout)


@pytest.fixture
def seller(house: Context, make: Any) -> int:
    """A shop with a name that would steer a terminal, one finding, and a claim that it was closed."""
    now = datetime.now(UTC)
    with house.ledger.write() as session:
        shop = make.seller(session, name="康康\x1b[2J店")
        listing = make.listing(session, seller=shop)
        reviewer = make.user(session)
        task = make.task(session, make.snapshot(session, listing))
        decision = make.decision(session, task, reviewer, decided_at=now)
        lead = make.lead(session, decision, state=LeadState.SENT, sent_at=now)
        make.response(session, lead, measure=Measure.SHOP_CLOSED, received_at=now, recorded_at=now)
        return int(shop.id)


def test_sellers_are_listed_by_tier_with_what_is_on_record(seller: int) -> None:
    (row,) = said("list")
    assert (row["number"], row["tier"], row["findings"]) == (seller, "B", 1)
    assert said("list", "--tier", "D") == said("list", "--platform", "other") == []
    assert "\x1b" not in run("list").stdout


def test_one_is_shown_with_the_reasons_for_its_tier(seller: int) -> None:
    assert said("show", str(seller))["reasons"] == [{"reason": "one_finding", "count": 1}]
    shown = run("show", str(seller)).stdout
    assert "one_finding (1)" in shown
    assert "\x1b" not in shown


def test_an_unknown_number_is_told_so(house: Context) -> None:
    assert "no seller has the number 7" in str(run("show", "7").exception)


def test_what_was_claimed_closed_is_counted_apart_from_what_was_seen(seller: int) -> None:
    counted = {row["kind"]: row for row in said("handled", f"{datetime.now(UTC):%Y-%m}")}
    assert counted["merchant"] == {
        "kind": "merchant",
        "claimed": 1,
        "verified": 0,
        "false": 0,
        "unverifiable": 1,
    }
    assert counted["account"]["claimed"] == 0
