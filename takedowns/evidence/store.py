"""A content-addressed store: every file under its SHA-256, identical bytes once, and a manifest for each run.

``sha256/ab/cdef…``         the bytes, read-only
``manifests/<run>.json``    which file of the run has which hash
"""

from __future__ import annotations

import errno
import hashlib
import os
import re
import secrets
import shutil
from collections.abc import Iterator
from pathlib import Path

READ_ONLY = 0o444
SHA256 = re.compile(r"[0-9a-f]{64}")
RUN_ID = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,199}")
NO_LINK = (errno.EXDEV, errno.EPERM, errno.EMLINK, errno.EOPNOTSUPP)  # another disk, or one without links


class Store:
    """Files come in and are never changed; they leave by :mod:`takedowns.evidence.retention` alone."""

    def __init__(self, root: Path) -> None:
        self.root = root

    def put(self, data: bytes) -> str:
        """Keep the bytes; return their SHA-256."""
        sha256 = hashlib.sha256(data).hexdigest()
        if not self.path(sha256).exists():
            place(self.path(sha256), data)
        return sha256

    def adopt(self, path: Path) -> str:
        """Keep a file that nobody writes to any more: the file and the object become one on the disk."""
        with path.open("rb") as file:
            sha256 = hashlib.file_digest(file, "sha256").hexdigest()
        kept = self.path(sha256)
        if not kept.exists():
            _link(path, kept)
        elif not kept.samefile(path):
            _link(kept, path)
        return sha256

    def path(self, sha256: str) -> Path:
        """Where those bytes are, if they are there. Raises ValueError for what is no hash."""
        if not SHA256.fullmatch(sha256):
            raise ValueError(f"{sha256!r} is no SHA-256")
        return self.root / "sha256" / sha256[:2] / sha256[2:]

    def holds(self, sha256: str) -> bool:
        return self.path(sha256).is_file()

    def read(self, sha256: str) -> bytes:
        """Raises OSError when the object is missing, ValueError when its bytes were changed."""
        data = self.path(sha256).read_bytes()
        if hashlib.sha256(data).hexdigest() != sha256:
            raise ValueError(f"{self.path(sha256)} was changed")
        return data

    def is_whole(self, sha256: str) -> bool:
        """Whether the object's bytes still have its hash. Raises OSError when it cannot be read."""
        with self.path(sha256).open("rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest() == sha256

    def manifest(self, run_id: str) -> Path:
        """Raises ValueError for a name that could lead out of the store."""
        if not RUN_ID.fullmatch(run_id):
            raise ValueError(f"{run_id!r} is no run's name")
        return self.root / "manifests" / f"{run_id}.json"

    def runs(self) -> Iterator[str]:
        """The runs that have a manifest, in order of their names."""
        yield from sorted(path.stem for path in (self.root / "manifests").glob("*.json"))


def place(path: Path, data: bytes) -> None:
    """Write a read-only file in one step."""
    path.parent.mkdir(parents=True, exist_ok=True)
    unfinished = _beside(path)
    unfinished.write_bytes(data)
    unfinished.chmod(READ_ONLY)
    unfinished.replace(path)


def _link(source: Path, place: Path) -> None:
    """Make ``place`` the same file as ``source``, or a copy of it where the disk has no links."""
    place.parent.mkdir(parents=True, exist_ok=True)
    unfinished = _beside(place)
    try:
        os.link(source, unfinished)
    except OSError as error:
        if error.errno not in NO_LINK:
            raise
        shutil.copyfile(source, unfinished)
    unfinished.chmod(READ_ONLY)
    unfinished.replace(place)


def _beside(path: Path) -> Path:
    return path.with_name(f".{path.name}.{secrets.token_hex(4)}.part")
