"""From a reference in the ledger to the record that it names."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Self

from pydantic import ValidationError

from crawlers import warc
from crawlers.captures import Capture
from crawlers.warc import Record
from takedowns.evidence import manifest
from takedowns.evidence.store import Store


@dataclass(frozen=True)
class Reference:
    """``<run id>/<file>#<record id>``, as snapshots, sightings and captures carry it."""

    run_id: str
    file: str
    record_id: str

    @classmethod
    def parse(cls, text: str) -> Self:
        """Raises ValueError for anything else."""
        place, _, record_id = text.partition("#")
        run_id, _, file = place.partition("/")
        if not (run_id and file and record_id):
            raise ValueError(f"{text!r} is no reference: it must read <run>/<file>#<record>")
        return cls(run_id, file, record_id)

    def __str__(self) -> str:
        return f"{self.run_id}/{self.file}#{self.record_id}"


def file_of(store: Store, reference: Reference) -> Path:
    """The WARC file that holds the record. Raises LookupError when it was not kept."""
    sha256 = _hash_of(store, reference)
    if not store.holds(sha256):
        raise LookupError(f"{reference.run_id}/{reference.file} is missing in the store: {sha256}")
    return store.path(sha256)


def vouch(store: Store, reference: Reference) -> None:
    """Raises ValueError when the record's file was changed, LookupError when it was not kept."""
    file_of(store, reference)
    if not store.is_whole(_hash_of(store, reference)):
        raise ValueError(f"{reference.run_id}/{reference.file} was changed; see `vapewatch evidence verify`")


def _hash_of(store: Store, reference: Reference) -> str:
    return manifest.load(store, reference.run_id).file(reference.file).sha256


def record(store: Store, reference: Reference) -> Record:
    """Raises LookupError when it is not in the store."""
    return warc.find(file_of(store, reference), reference.record_id)


def beside(store: Store, reference: Reference) -> list[Record]:
    """What was kept together with the record: the way to it, its screenshot …"""
    return warc.beside(file_of(store, reference), reference.record_id)


def captures(store: Store, run_id: str) -> Iterator[Capture]:
    """What the run photographed; nothing unless it was kept. Raises ValueError when the file was changed."""
    try:
        kept = manifest.load(store, run_id).file("captures.jsonl")
    except LookupError:
        return
    for line in store.read(kept.sha256).splitlines():
        try:
            yield Capture.model_validate_json(line)
        except ValidationError:
            continue  # the last line of a run that was killed; intake has reported it
