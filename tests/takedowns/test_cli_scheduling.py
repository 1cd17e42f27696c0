"""Commands about crawls beyond a sweep, in process; and what a refusal to crawl looks like."""

from __future__ import annotations

import json
import shutil
import sys
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from crawlers.rundir import Outcome, Run
from takedowns import cli, configuration, jobs
from takedowns.context import Context, open_context
from takedowns.crawling import errands
from takedowns.intake import IntakeResult
from takedowns.jobs import CrawlResult
from takedowns.ledger.vocabulary import Errand, Role, RunState


@pytest.fixture
def house(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Context:
    shutil.copytree(configuration.SHIPPED, tmp_path / "config")
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("VAPEWATCH_CONFIG", raising=False)
    return open_context(configuration.folder())


def said(*arguments: str) -> Any:
    ended = CliRunner().invoke(cli.app, [*arguments, "--json"])
    assert ended.exit_code == 0, ended.output
    return json.loads(ended.stdout)


def test_the_plan_tells_when_the_random_arm_and_the_patrols_come_and_why(house: Context) -> None:
    rows = said("plan")
    assert {row["job"] for row in rows} == {"sample-sample", "patrol"}
    [sample] = [row for row in rows if row["job"] == "sample-sample"]
    assert (sample["why"], sample["time"][2:]) == ("an hour drawn by chance", ":10")
    patrols = [row for row in rows if row["job"] == "patrol"]
    assert len(patrols) == 4
    assert all("0 from 0 searches" in row["why"] for row in patrols)


def test_what_waits_for_a_person_is_listed_until_somebody_has_done_it(house: Context, make: Any) -> None:
    with house.ledger.write() as session:
        make.user(session, login="li", role=Role.OPERATOR)
        run = make.run(session, state=RunState.BLOCKED)
        errands.raise_errand(session, "sample", Errand.BLOCKED, run.run_id, "walled off", now=make.now)
    [row] = said("errands", "list")
    assert (row["platform"], row["kind"], row["message"]) == ("sample", "blocked", "walled off")
    done = CliRunner().invoke(cli.app, ["errands", "done", str(row["id"]), "--by", "li"])
    assert done.exit_code == 0
    assert said("errands", "list") == []


def test_with_nothing_left_undone_a_resume_does_nothing(house: Context) -> None:
    assert said("resume") == []


@pytest.mark.parametrize(
    ("outcomes", "code"),
    [([], 0), ([Outcome.OK], 0), ([Outcome.OK, Outcome.BLOCKED], 3), ([Outcome.PARTIAL, Outcome.FAILED], 1)],
)
def test_the_worst_of_several_runs_is_the_exit_code(
    house: Context, make: Any, monkeypatch: pytest.MonkeyPatch, outcomes: list[Outcome], code: int
) -> None:
    with house.ledger.write() as session:
        stats = {"issues": []}
        made = [make.run(session, state=RunState(outcome), stats=stats) for outcome in outcomes]
    run = Run(house.runs, None, (), (), ())
    results = [CrawlResult(run, IntakeResult(), row) for row in made]
    monkeypatch.setattr(jobs, "resume", lambda _: results)
    assert CliRunner().invoke(cli.app, ["resume", "--json"]).exit_code == code


def test_a_platform_that_may_not_be_crawled_now_is_a_sentence_and_exit_code_3(
    house: Context, make: Any, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    with house.ledger.write() as session:
        make.run(session, state=RunState.RUNNING, started_at=house.clock())
    run = house.runs / "run1"
    run.mkdir(parents=True)  # its parent has just begun
    monkeypatch.setattr(sys, "argv", ["vapewatch", "sweep", "sample"])
    with pytest.raises(SystemExit) as ended:
        cli.main()
    assert ended.value.code == 3
    assert "sample is not crawled now: another run on it is under way" in capsys.readouterr().err
