"""A run directory that broke off, was torn or was tampered with is read as far as it goes, and says so."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from crawlers.listing import Listing, Presence, Sighting
from crawlers.rundir import (
    Asked,
    Issue,
    Outcome,
    RunKind,
    RunStats,
    draws_file,
    items_file,
    read_run,
    requests_file,
    sightings_file,
    stats_file,
)
from crawlers.runwriter import RunWriter
from crawlers.sampling import DrawnLook

NOW = datetime(2026, 10, 1, tzinfo=UTC)
LISTING = Listing(
    platform="p", item_id="1", url="http://a.example/1", title="雾\u200b化\u2028器", observed_at=NOW
)
SIGHTING = Sighting(
    platform="p",
    item_id="1",
    url="http://a.example/1",
    state=Presence.GONE,
    reason="http_404",
    vantage="anonymous-http",
    observed_at=NOW,
)
STATS = RunStats(
    run_id="r",
    kind=RunKind.SWEEP,
    platform="p",
    outcome=Outcome.OK,
    finish_reason="finished",
    started_at=NOW,
    finished_at=NOW,
    items=1,
    sightings=1,
)


def write(run, stats=STATS):
    writer = RunWriter(run)
    writer.item(LISTING)
    writer.sighting(SIGHTING)
    writer.issue(Issue(level="warning", code="x", message="y"))
    writer.finish(stats)


def codes(run) -> list[str]:
    return [issue.code for issue in read_run(run).issues]


def test_what_was_written_is_read_back(tmp_path):
    write(tmp_path)
    run = read_run(tmp_path)
    assert (run.stats, run.listings, run.sightings) == (STATS, (LISTING,), (SIGHTING,))
    assert codes(tmp_path) == ["x"]


def test_a_torn_last_line_costs_that_line_only(tmp_path):
    write(tmp_path)
    stats_file(tmp_path).unlink()
    with items_file(tmp_path).open("ab") as lines:
        lines.write(LISTING.model_dump_json().encode()[:40])
    run = read_run(tmp_path)
    assert run.listings == (LISTING,)
    assert run.stats is None
    assert {"torn_line", "no_stats"} <= set(codes(tmp_path))
    assert any("items.jsonl, line 2" in issue.message for issue in run.issues)


@given(st.binary(min_size=1, max_size=80).filter(lambda line: b"\n" not in line))
def test_any_broken_line_is_named_and_its_neighbours_are_kept(tmp_path_factory, junk):
    run = tmp_path_factory.mktemp("run")
    write(run)
    good = SIGHTING.model_dump_json().encode()
    sightings_file(run).write_bytes(good + b"\n" + junk + b"\n" + good + b"\n")
    assert len(read_run(run).sightings) == 2
    assert read_run(run).damaged
    assert "broken_line" in codes(run)


def test_stats_that_tell_of_more_than_there_is_are_not_believed(tmp_path):
    write(tmp_path, STATS.model_copy(update={"items": 5}))
    assert "count_mismatch" in codes(tmp_path)


@pytest.mark.parametrize("torn", [b"", b"\n"])
def test_a_request_whose_line_cannot_be_read_was_made_all_the_same(tmp_path, torn):
    write(tmp_path)
    told = Asked(at=NOW, url="http://a.example/1", status=200).model_dump_json().encode()
    requests_file(tmp_path).write_bytes(told + b"\n{\x00\n" + told + b"\n" + told[:30] + torn)
    run = read_run(tmp_path)
    assert run.requests.requests == 4
    assert run.damaged


def test_a_whole_run_is_not_damaged(tmp_path):
    write(tmp_path)
    assert not read_run(tmp_path).damaged


def test_a_position_that_stands_twice_was_drawn_once(tmp_path):
    write(tmp_path)
    place = {"stratum": "all", "query": "雾化", "position": 3, "item_id": "1", "url": "http://a.example/1"}
    chances = {"probability": 0.3, "multiplicity": 1, "listing_probability": 0.3}
    look = DrawnLook(**place, **chances, state=Presence.UP, reason="add_to_cart", observed_at=NOW)
    draws_file(tmp_path).write_text((look.model_dump_json() + "\n") * 2)
    run = read_run(tmp_path)
    assert run.draws == (look,)
    assert [issue.message for issue in run.issues if issue.code == "repeated_draw"] == [
        "'雾化', position 3, stands twice in draws.jsonl."
    ]


def test_broken_stats_are_no_clean_end(tmp_path):
    write(tmp_path)
    stats_file(tmp_path).write_text("{")
    assert read_run(tmp_path).stats is None
    assert "broken_stats" in codes(tmp_path)


def test_a_directory_is_written_once(tmp_path):
    write(tmp_path)
    with pytest.raises(FileExistsError, match="started before"):
        RunWriter(tmp_path)


def test_an_empty_directory_is_a_run_that_broke_off(tmp_path):
    assert codes(tmp_path) == ["no_stats"]


def test_a_missing_directory_is_an_error(tmp_path):
    with pytest.raises(FileNotFoundError):
        read_run(tmp_path / "nowhere")
