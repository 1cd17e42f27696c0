"""What a run left, file by file: the list that the audit chain vouches for."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from pathlib import Path

from pydantic import Field, ValidationError

from crawlers import rundir
from crawlers.listing import Frozen, NonEmpty
from takedowns.evidence.store import Store

WARC = "evidence/pages.warc.gz"


class KeptFile(Frozen):
    path: NonEmpty = Field(description="in the run directory, with slashes")
    sha256: str = Field(pattern="^[0-9a-f]{64}$")
    size: int = Field(ge=0, description="bytes")


class Manifest(Frozen):
    run_id: NonEmpty
    files: tuple[KeptFile, ...]

    def file(self, path: str) -> KeptFile:
        """Raises LookupError for a file that the run did not have."""
        for kept in self.files:
            if kept.path == path:
                return kept
        raise LookupError(f"the run {self.run_id} has no file {path}")

    @property
    def canonical(self) -> bytes:
        return self.model_dump_json(indent=1).encode() + b"\n"

    @property
    def sha256(self) -> str:
        return hashlib.sha256(self.canonical).hexdigest()


class ManifestError(ValueError):
    """The manifest's file is not what this program wrote."""


def make(store: Store, run: Path) -> Manifest:
    """Put every file of the run directory into the store, and tell what was put; doing it again is harmless.

    Before the transaction that keeps it: hashing a run's files takes seconds. Evidence is shared with the run
    directory, not copied; the small files beside it are copied, because whoever resumes a run may still write
    there.
    """
    files = tuple(
        KeptFile(
            path=path.relative_to(run).as_posix(), sha256=_keep(store, run, path), size=path.stat().st_size
        )
        for path in _files(run)
    )
    return Manifest(run_id=run.name, files=files)


def load(store: Store, run_id: str) -> Manifest:
    """Raises LookupError when the run was not kept, ManifestError when its manifest cannot be read."""
    try:
        text = store.manifest(run_id).read_bytes()
    except FileNotFoundError as error:
        raise LookupError(f"the run {run_id} is not in the evidence store") from error
    try:
        manifest = Manifest.model_validate_json(text)
    except ValidationError as error:
        raise ManifestError(f"{store.manifest(run_id)} was changed: it is no manifest any more") from error
    if manifest.canonical != text or manifest.run_id != run_id:
        raise ManifestError(f"{store.manifest(run_id)} was changed")
    return manifest


def _files(run: Path) -> Iterator[Path]:
    """Without links, which may lead anywhere."""
    for path in sorted(run.rglob("*")):
        if path.is_file() and not path.is_symlink():
            yield path


def _keep(store: Store, run: Path, path: Path) -> str:
    if rundir.evidence_dir(run) in path.parents:
        return store.adopt(path)
    return store.put(path.read_bytes())
