"""Damage is named by run, file, record and place; what the audit chain vouches for is not replaced unseen."""

from __future__ import annotations

import gzip
import itertools

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from crawlers import warc
from takedowns.evidence import keeping, manifest, reading, verifying
from takedowns.evidence.reading import Reference
from takedowns.evidence.verifying import Looked, Problem
from takedowns.ledger import audit
from tests.takedowns.evidence.conftest import NOON

BODIES = [f"<h1 class='title'>雾化器 {number}</h1>".encode() for number in range(3)]
WARC = "evidence/pages.warc.gz"


@pytest.fixture
def kept(sqlite_ledger, store, written_run):
    run, references = written_run("r1", *BODIES)
    with sqlite_ledger.write() as session:
        keeping.keep(session, store, manifest.make(store, run.path), now=NOON)
    return references


def findings(ledger, store, *, deeply=True):
    with ledger.read() as session:
        return list(verifying.verify(session, store, deeply=deeply, looked=Looked()))


def warc_path(store):
    return store.path(manifest.load(store, "r1").file(WARC).sha256)


def overwrite(path, data):
    path.chmod(0o600)
    path.write_bytes(data)


def test_kept_evidence_is_whole_and_every_reference_finds_its_page(sqlite_ledger, store, kept):
    assert findings(sqlite_ledger, store) == []
    pages = [warc.answer_in(reading.record(store, Reference.parse(reference))) for reference in kept]
    assert [page.body for page in pages] == BODIES
    with sqlite_ledger.read() as session:
        assert list(audit.verify(session)) == []


def test_a_run_is_kept_once(sqlite_ledger, store, kept, tmp_path):
    made = manifest.make(store, tmp_path / "var/runs/r1")
    with sqlite_ledger.write() as session:
        again = keeping.keep(session, store, made, now=NOON)
    assert again == manifest.load(store, "r1")
    with sqlite_ledger.read() as session:
        assert len(keeping.all_vouched(session)) == 1


def test_a_changed_page_is_named_with_its_record_and_place(sqlite_ledger, store, kept):
    path = warc_path(store)
    offsets = [one.offset for one in warc.records(path)]
    data = path.read_bytes()
    parts = [data[start:end] for start, end in itertools.pairwise([*offsets, len(data)])]
    parts[2] = gzip.compress(gzip.decompress(parts[2]).replace("雾化器".encode(), "加湿器".encode()))
    overwrite(path, b"".join(parts))
    file, record = findings(sqlite_ledger, store, deeply=False)
    assert (file.problem, file.run_id, file.file) == (Problem.FILE_CHANGED, "r1", WARC)
    assert (record.problem, record.offset) == (Problem.RECORD_CHANGED, offsets[2])
    assert record.record == Reference.parse(kept[1]).record_id
    assert "http://mall.example/item/1.html" in record.detail


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(place=st.floats(0, 1, exclude_max=True), bit=st.integers(0, 7))
def test_no_single_bit_changes_unnoticed_and_the_other_records_stay_readable(
    sqlite_ledger, store, kept, place, bit
):
    path = warc_path(store)
    whole = path.read_bytes()
    at = int(place * len(whole))
    changed = bytearray(whole)
    changed[at] ^= 1 << bit
    overwrite(path, bytes(changed))
    try:
        problems = [finding.problem for finding in findings(sqlite_ledger, store)]
        assert Problem.FILE_CHANGED in problems
        assert sum(isinstance(one, warc.Record) and not one.problems for one in warc.records(path)) >= 3
    finally:
        overwrite(path, whole)


def test_a_file_that_was_cut_off_is_named(sqlite_ledger, store, kept):
    path = warc_path(store)
    overwrite(path, path.read_bytes()[:-40])
    problems = {finding.problem: finding for finding in findings(sqlite_ledger, store)}
    assert "cut off" in problems[Problem.RECORD_UNREADABLE].detail


def test_a_missing_file_and_a_missing_manifest_are_named(sqlite_ledger, store, kept):
    warc_path(store).unlink()
    assert [(one.problem, one.file) for one in findings(sqlite_ledger, store)] == [
        (Problem.FILE_MISSING, WARC)
    ]
    store.manifest("r1").unlink()
    assert [one.problem for one in findings(sqlite_ledger, store)] == [Problem.MANIFEST_MISSING]


def test_a_manifest_that_fits_forged_files_does_not_fit_the_audit_chain(sqlite_ledger, store, kept):
    forged = manifest.load(store, "r1")
    bent = store.put(b"forged")
    files = tuple(
        file.model_copy(update={"sha256": bent}) if file.path == WARC else file for file in forged.files
    )
    overwrite(store.manifest("r1"), forged.model_copy(update={"files": files}).canonical)
    assert Problem.MANIFEST_CHANGED in [one.problem for one in findings(sqlite_ledger, store)]


@pytest.mark.parametrize("text", [b"", b"{}", b'{"run_id": "r1", "files": [{"path": "x"}]}', b"\xff"])
def test_a_manifest_that_is_none_is_named(sqlite_ledger, store, kept, text):
    overwrite(store.manifest("r1"), text)
    assert [one.problem for one in findings(sqlite_ledger, store)] == [Problem.MANIFEST_CHANGED]


def test_a_reference_of_the_ledger_to_no_record_is_named(sqlite_ledger, store, kept, make):
    with sqlite_ledger.write() as session:
        run = make.run(session, run_id="r1")
        other = make.run(session, run_id="r2")
        make.sighting(session, make.listing(session), run=run, evidence=f"r1/{WARC}#urn:uuid:lost")
        make.sighting(session, make.listing(session), run=run, evidence=kept[0])
        make.sighting(session, make.listing(session), run=other, evidence=f"r2/{WARC}#urn:uuid:old")
    found = {one.problem: one for one in findings(sqlite_ledger, store)}
    assert found.keys() == {Problem.RECORD_MISSING, Problem.NOT_KEPT}
    assert found[Problem.RECORD_MISSING].record == "urn:uuid:lost"
    assert found[Problem.NOT_KEPT].run_id == "r2"
    assert not Problem.NOT_KEPT.is_damage


@pytest.mark.parametrize("text", ["", "r1", "r1#x", "#", "r1/#x", "/a#x", "r1/a#"])
def test_what_is_no_reference_is_refused(text):
    with pytest.raises(ValueError, match="is no reference"):
        Reference.parse(text)
