"""What nothing rests on is given up when its time is over, and nothing else ever."""

from __future__ import annotations

from datetime import timedelta

import pytest

from takedowns.evidence import keeping, manifest, retention, verifying
from takedowns.evidence.verifying import Looked, Problem
from takedowns.ledger.tables import Flag, WorkItem
from takedowns.ledger.vocabulary import WorkState
from tests.takedowns.evidence.conftest import NOON

LATER = NOON + timedelta(days=100)
WARC = "evidence/pages.warc.gz"


@pytest.fixture
def runs(sqlite_ledger, store, written_run, make):
    """Three kept runs: of a flagged listing, of another one, and a young one. They share their first file."""
    make.now = NOON
    with sqlite_ledger.write() as session:
        flagged, lawful = make.listing(session), make.listing(session)
        verdict = make.verdict(session, make.snapshot(session, flagged))
        session.add(Flag(listing_id=flagged.id, verdict_id=verdict.id, created_at=NOON))
        for name, listing, at in (("bound", flagged, NOON), ("free", lawful, NOON), ("young", lawful, LATER)):
            run, references = written_run(name, name.encode())
            (run.path / "evidence" / "shared").write_bytes(b"in every run")
            row = make.run(session, run_id=name, recorded_at=at)
            make.sighting(session, listing, run=row, evidence=references[0])
            keeping.keep(session, store, manifest.make(store, run.path), now=at)


def expire(ledger, store, tmp_path):
    with ledger.write() as session:
        leaving = retention.due(session, keep_days=90, now=LATER)
        retention.give_up(session, leaving, keep_days=90, now=LATER)
    with ledger.read() as session:
        return list(retention.remove(session, store, tmp_path / "var/runs"))


def test_only_what_nothing_rests_on_goes_and_the_rest_stays_whole(sqlite_ledger, store, runs, tmp_path):
    gone = manifest.load(store, "free").file(WARC).sha256
    shared = manifest.load(store, "free").file("evidence/shared").sha256
    assert expire(sqlite_ledger, store, tmp_path) == ["free"]
    assert not store.holds(gone)
    assert store.read(shared) == b"in every run"
    assert not (tmp_path / "var/runs/free").exists()
    assert list(store.runs()) == ["bound", "young"]
    with sqlite_ledger.read() as session:
        found = list(verifying.verify(session, store, deeply=True, looked=Looked()))
    assert [(one.problem, one.run_id) for one in found] == [(Problem.EXPIRED, "free")]
    assert expire(sqlite_ledger, store, tmp_path) == []


def test_what_was_given_up_but_not_deleted_is_deleted_the_next_time(sqlite_ledger, store, runs, tmp_path):
    with sqlite_ledger.write() as session:
        retention.give_up(session, ["free"], keep_days=90, now=LATER)  # and then the power went
    assert expire(sqlite_ledger, store, tmp_path) == ["free"]


def test_who_cannot_tell_what_is_shared_deletes_nothing(sqlite_ledger, store, runs, tmp_path):
    store.manifest("bound").chmod(0o600)
    store.manifest("bound").write_text("{}")
    with pytest.raises(manifest.ManifestError):
        expire(sqlite_ledger, store, tmp_path)
    assert list(store.runs()) == ["bound", "free", "young"]


def test_old_work_is_forgotten_unless_it_waits_or_tells_what_was_photographed(ledger):
    cases = [
        ("sweep", WorkState.DONE, 91, False),
        ("recheck", WorkState.GIVEN_UP, 91, False),
        ("sweep", WorkState.DONE, 89, True),
        ("capture", WorkState.DONE, 400, True),
        ("recheck", WorkState.OPEN, None, True),
    ]
    with ledger.write() as session:
        for number, (kind, state, days, _) in enumerate(cases):
            ended = None if days is None else NOON - timedelta(days=days)
            row = {
                "kind": kind,
                "state": state,
                "created_at": NOON - timedelta(days=500),
                "finished_at": ended,
            }
            session.add(WorkItem(arm="targeted", platform="p", subject=str(number), detail={}, **row))
    with ledger.write() as session:
        retention.forget_work(session, now=NOON)
    with ledger.read() as session:
        left = {item.subject for item in session.query(WorkItem)}
    assert left == {str(number) for number, case in enumerate(cases) if case[-1]}
