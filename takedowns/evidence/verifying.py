"""Is the evidence what it was? Every finding names the run, the file and, inside a WARC file, the record."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Set
from dataclasses import dataclass
from enum import StrEnum

import sqlalchemy as sa
from sqlalchemy.orm import Session

from crawlers import warc
from crawlers.warc import Damage
from takedowns.evidence import keeping, manifest
from takedowns.evidence.manifest import KeptFile, Manifest, ManifestError
from takedowns.evidence.reading import Reference
from takedowns.evidence.store import Store
from takedowns.ledger.tables import CrawlRun, ListingDraw, ListingSnapshot, Sighting
from takedowns.ledger.vocabulary import RunState

WARC_ENDING = ".warc.gz"


class Problem(StrEnum):
    """What is wrong. The first two are no damage: there is nothing that could be verified."""

    NOT_KEPT = "not_kept"
    EXPIRED = "expired"
    MANIFEST_MISSING = "manifest_missing"
    MANIFEST_CHANGED = "manifest_changed"
    FILE_MISSING = "file_missing"
    FILE_CHANGED = "file_changed"
    RECORD_CHANGED = "record_changed"
    RECORD_UNREADABLE = "record_unreadable"
    RECORD_MISSING = "record_missing"

    @property
    def is_damage(self) -> bool:
        return self not in (Problem.NOT_KEPT, Problem.EXPIRED)


@dataclass(frozen=True)
class Finding:
    """``record``: its id; ``offset``: where it begins in the file; ``detail``: for the expert, in English."""

    problem: Problem
    run_id: str
    file: str | None = None
    record: str | None = None
    offset: int | None = None
    detail: str | None = None


@dataclass
class Looked:
    """How much was verified."""

    runs: int = 0
    files: int = 0
    records: int = 0
    references: int = 0


def verify(session: Session, store: Store, *, deeply: bool, looked: Looked) -> Iterator[Finding]:
    """Every run that was kept: its manifest by the audit chain, its files by the manifest.

    ``deeply``: also every record's digests, and whether each reference of the ledger leads to one.
    """
    expired = keeping.expired(session)
    for run_id, sha256 in keeping.all_vouched(session).items():
        if run_id in expired:
            continue
        looked.runs += 1
        yield from _verify_run(store, run_id, sha256, deeply=deeply, looked=looked)
    if deeply:
        yield from _references(session, store, expired, looked)


def _verify_run(store: Store, run_id: str, sha256: str, *, deeply: bool, looked: Looked) -> Iterator[Finding]:
    """``sha256``: what the audit chain says of the manifest."""
    try:
        kept = manifest.load(store, run_id)
    except LookupError:
        yield Finding(Problem.MANIFEST_MISSING, run_id)
        return
    except ManifestError as error:
        yield Finding(Problem.MANIFEST_CHANGED, run_id, detail=str(error))
        return
    if kept.sha256 != sha256:
        yield Finding(Problem.MANIFEST_CHANGED, run_id, detail="its hash is not the one in the audit chain")
    for file in kept.files:
        looked.files += 1
        yield from _verify_file(store, run_id, file, deeply, looked)


def _verify_file(
    store: Store, run_id: str, file: KeptFile, deeply: bool, looked: Looked
) -> Iterator[Finding]:
    try:
        whole = store.is_whole(file.sha256)
    except OSError as error:
        yield Finding(Problem.FILE_MISSING, run_id, file.path, detail=error.strerror)
        return
    if not whole:
        yield Finding(Problem.FILE_CHANGED, run_id, file.path, detail=f"no longer has SHA-256 {file.sha256}")
    if file.path.endswith(WARC_ENDING) and (deeply or not whole):
        yield from _verify_records(store, run_id, file, looked)


def _verify_records(store: Store, run_id: str, file: KeptFile, looked: Looked) -> Iterator[Finding]:
    for one in warc.records(store.path(file.sha256)):
        looked.records += 1
        if isinstance(one, Damage):
            yield Finding(Problem.RECORD_UNREADABLE, run_id, file.path, None, one.offset, one.problem)
        elif one.problems:
            detail = "; ".join((one.uri, *one.problems))
            yield Finding(Problem.RECORD_CHANGED, run_id, file.path, one.record_id, one.offset, detail)


def _references(session: Session, store: Store, expired: Set[str], looked: Looked) -> Iterator[Finding]:
    by_run: defaultdict[str, set[Reference]] = defaultdict(set)
    for reference in references(session):
        by_run[reference.run_id].add(reference)
    for run_id, wanted in sorted(by_run.items()):
        looked.references += len(wanted)
        if run_id in expired:
            yield Finding(Problem.EXPIRED, run_id, detail=f"{len(wanted)} references")
            continue
        try:
            kept = manifest.load(store, run_id)
        except (LookupError, ManifestError):
            if keeping.vouched(session, run_id) is None:
                yield Finding(Problem.NOT_KEPT, run_id, detail=f"{len(wanted)} references")
            continue  # else it was named above
        yield from _missing(store, kept, wanted)


def _missing(store: Store, kept: Manifest, wanted: set[Reference]) -> Iterator[Finding]:
    files = {file.path: file for file in kept.files}
    for path in sorted({reference.file for reference in wanted}):
        there: set[str] = set()
        if path in files and store.holds(files[path].sha256):
            records = warc.records(store.path(files[path].sha256))
            there = {one.record_id for one in records if isinstance(one, warc.Record)}
        lost = {reference.record_id for reference in wanted if reference.file == path} - there
        for record_id in sorted(lost):
            yield Finding(Problem.RECORD_MISSING, kept.run_id, path, record_id)


def references(session: Session) -> Iterator[Reference]:
    """Every reference of the ledger to a record of a run that was taken in."""
    columns = (ListingSnapshot.evidence, Sighting.evidence, ListingDraw.evidence)
    taken_in = set(session.scalars(sa.select(CrawlRun.run_id).where(CrawlRun.state != RunState.RUNNING)))
    for column in columns:
        for text in session.scalars(sa.select(column).where(column.is_not(None)).distinct()):
            try:
                reference = Reference.parse(text or "")
            except ValueError:
                continue  # a workbook's row names its line instead
            if reference.run_id in taken_in:
                yield reference
