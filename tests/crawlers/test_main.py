"""The child process as its parent sees it: exit codes, signals, and what lies in the run directory."""

from __future__ import annotations

import signal
import time

import pytest

from crawlers.rundir import CrawlJob, Outcome, RunKind, job_file, read_run, sightings_file, stats_file
from tests.crawlers.shop import Page, said, shop_profile, start, targets, verdicts


def write_job(folder, platform, **job):
    described = CrawlJob(
        run_id="r1", kind=RunKind.RECHECK, platform=platform, contact="ops@bureau.example", **job
    )
    job_file(folder).write_text(described.model_dump_json(), encoding="utf-8")


def test_a_finished_run_is_complete(shop, profile, tmp_path):
    shop.item("1")
    write_job(tmp_path, profile, targets=targets(shop.home, "1", "2"))
    child = start(tmp_path)
    assert child.wait(60) == 0
    names = {str(path.relative_to(tmp_path)) for path in tmp_path.rglob("*") if path.is_file()}
    lines = {"items.jsonl", "sightings.jsonl", "issues.jsonl", "requests.jsonl"}
    assert names == {"job.json", "stats.json", "evidence/pages.warc.gz"} | lines
    newest = max(path.stat().st_mtime_ns for path in tmp_path.rglob("*") if path.is_file())
    assert stats_file(tmp_path).stat().st_mtime_ns == newest


def test_a_run_happens_once(shop, profile, tmp_path):
    write_job(tmp_path, profile, targets=targets(shop.home, "1"))
    assert start(tmp_path).wait(60) == 0
    before = stats_file(tmp_path).read_bytes()
    assert start(tmp_path).wait(60) == 2
    assert "was started before" in said(tmp_path).read_text()
    assert stats_file(tmp_path).read_bytes() == before


@pytest.mark.parametrize("text", ["", "{", '{"run_id": "r1"}', "[]"])
def test_a_job_that_cannot_be_read_is_refused_in_one_sentence(tmp_path, text):
    job_file(tmp_path).write_text(text)
    assert start(tmp_path).wait(60) == 2
    complaint = said(tmp_path).read_text()
    assert complaint.startswith("cannot run ")
    assert "Traceback" not in complaint
    assert not stats_file(tmp_path).exists()


def test_a_missing_directory_is_refused(tmp_path):
    assert start(tmp_path / "nowhere").wait(60) == 2
    complaint = said(tmp_path / "nowhere").read_text()
    assert "nowhere" in complaint


def test_a_run_told_to_stop_ends_cleanly_and_owes_nothing(shop, tmp_path):
    ids = [str(number) for number in range(100)]
    shop.pages |= {f"/item/{i}.html": Page('<button class="add-cart">b</button>') for i in ids}
    write_job(
        tmp_path,
        shop_profile(shop.home, politeness={"delay_s": 0.2}),
        targets=targets(shop.home, *ids),
    )
    child = start(tmp_path)
    wait_for_line(tmp_path)
    child.send_signal(signal.SIGTERM)
    assert child.wait(30) == 0
    run = read_run(tmp_path)
    assert run.stats.outcome is Outcome.PARTIAL
    assert run.stats.finish_reason == "shutdown"
    assert len(verdicts(run)) == 100
    assert ("error", "not_reached") in verdicts(run).values()


def test_a_killed_run_leaves_whole_lines_and_no_stats(shop, tmp_path):
    ids = [str(number) for number in range(100)]
    for item_id in ids:
        shop.item(item_id)
    write_job(
        tmp_path,
        shop_profile(shop.home, politeness={"delay_s": 0.1}),
        targets=targets(shop.home, *ids),
    )
    child = start(tmp_path)
    wait_for_line(tmp_path)
    child.kill()
    child.wait(10)
    run = read_run(tmp_path)
    assert run.stats is None
    assert 1 <= len(run.sightings) < 100
    assert {issue.code for issue in run.issues} <= {"no_stats", "torn_line"}


def test_a_missing_browser_is_a_named_failure(shop, tmp_path, monkeypatch):
    monkeypatch.setenv("VAPEWATCH_CHROMIUM", "/nonexistent/chromium")
    profile = shop_profile(shop.home, render="browser", render_reason="scripts only")
    write_job(tmp_path, profile, targets=targets(shop.home, "1"))
    assert start(tmp_path).wait(60) == 0
    run = read_run(tmp_path)
    assert run.stats.outcome is Outcome.FAILED
    assert any("/nonexistent/chromium" in issue.message for issue in run.issues)
    assert verdicts(run) == {"1": ("error", "not_reached")}


def wait_for_line(folder) -> None:
    deadline = time.monotonic() + 30
    while time.monotonic() < deadline:
        if sightings_file(folder).exists() and sightings_file(folder).stat().st_size:
            return
        time.sleep(0.05)
    pytest.fail("the child wrote no sighting within 30 s")
