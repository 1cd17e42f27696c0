"""A zip whose bytes depend on nothing but the files in it, and whose names lead nowhere."""

from __future__ import annotations

import hashlib
import io
import re
import zipfile
from collections.abc import Mapping

MANIFEST = "MANIFEST.sha256"
NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]*(\.[A-Za-z0-9][A-Za-z0-9_-]*)*")
EPOCH = (1980, 1, 1, 0, 0, 0)  # the earliest that a zip can say; times stand inside the files
PLAIN_FILE = 0o100644 << 16


def packed(files: Mapping[str, bytes]) -> bytes:
    """The zip of ``files`` (path → bytes) with their manifest, in the order of ``sha256sum``.

    Raises ValueError for a path that is not made of plain ASCII names.
    """
    return zipped({**files, MANIFEST: manifest_of(files)})


def zipped(files: Mapping[str, bytes]) -> bytes:
    """The zip of these files alone. Raises ValueError as :func:`packed` does."""
    packing = io.BytesIO()
    # Stored, not deflated: another version of zlib would make other bytes of the same pack.
    with zipfile.ZipFile(packing, "w", zipfile.ZIP_STORED) as pack:
        for path in sorted(files):
            entry = zipfile.ZipInfo(harmless(path), EPOCH)
            entry.external_attr = PLAIN_FILE
            entry.create_system = 3  # the same on every system
            pack.writestr(entry, files[path])
    return packing.getvalue()


def manifest_of(files: Mapping[str, bytes]) -> bytes:
    """As ``sha256sum -c`` reads it."""
    lines = (f"{hashlib.sha256(files[path]).hexdigest()}  {path}\n" for path in sorted(files))
    return "".join(lines).encode()


def harmless(path: str) -> str:
    """``path``. Raises ValueError unless it is made of plain ASCII names, with slashes between them."""
    if not all(NAME.fullmatch(part) for part in path.split("/")):
        raise ValueError(f"{path!r} is no name for a file in a pack")
    return path
