"""A package: a zip of stored files with ``manifest.json``, which has the SHA-256 of each. Pure.

The same files make the same bytes, and only those bytes are read: whatever was added, changed, packed anew or
cut off is refused. Nothing is unpacked to a disk, and nothing in it is compressed, so nothing can blow up.
"""

from __future__ import annotations

import hashlib
import io
import zipfile
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Annotated, Literal, TypeVar

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from takedowns.evidence.packing import harmless, zipped

MANIFEST = "manifest.json"
MEDIA_TYPE = "application/zip"
FILES_AT_MOST = 2000
NAME_AT_MOST = 200
JSON_AT_MOST = 20_000_000  # bytes of a file that is parsed

Kind = Literal["case", "answer"]
Sha256 = Annotated[str, Field(pattern="^[0-9a-f]{64}$")]
# What the reader of zips raises for damaged or hostile ones; it wraps nothing.
ZIP_FAULTS = (zipfile.BadZipFile, OSError, EOFError, LookupError, ValueError, ArithmeticError, RuntimeError)


class PackageError(ValueError):
    """The package is not taken in; ``code`` names the reason for programs, the text the file in it."""

    code = "package"


class Strict(BaseModel):
    """Unknown keys, and texts where numbers belong, are refused."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)


class PackedFile(Strict):
    sha256: Sha256
    size: int = Field(ge=0)


class Manifest(Strict):
    format: Literal["vapewatch-handover"]
    version: Literal[1]
    kind: Kind
    number: Annotated[str, Field(min_length=1, max_length=60)]
    files: Annotated[dict[str, PackedFile], Field(max_length=FILES_AT_MOST)]


@dataclass(frozen=True)
class Package:
    """``files`` are all but the manifest; ``sha256`` is of the package as a whole."""

    kind: Kind
    number: str
    files: Mapping[str, bytes]
    sha256: str


Document = TypeVar("Document", bound=BaseModel)


def write(kind: Kind, number: str, files: Mapping[str, bytes]) -> bytes:
    """Raises ValueError for a file name that is not made of plain ASCII names."""
    listed = {
        name: PackedFile(sha256=hashlib.sha256(data).hexdigest(), size=len(data))
        for name, data in sorted(files.items())
    }
    manifest = Manifest(format="vapewatch-handover", version=1, kind=kind, number=number, files=listed)
    return zipped({**files, MANIFEST: written(manifest)})


def written(document: BaseModel) -> bytes:
    """As it stands in a package."""
    return document.model_dump_json(indent=1).encode("utf-8", "replace") + b"\n"


def read(data: bytes, *, at_most: int) -> Package:
    """The package in ``data``, of up to ``at_most`` bytes. Raises PackageError, whatever the bytes are."""
    if len(data) > at_most:
        raise PackageError(f"the package has more than {at_most:,} bytes")
    files = _unpacked(data)
    if MANIFEST not in files:
        raise PackageError(f"{MANIFEST}: is missing: this is no package of a case file")
    manifest = parsed(files.pop(MANIFEST), MANIFEST, Manifest)
    _check(files, manifest)
    if zipped({**files, MANIFEST: written(manifest)}) != data:
        raise PackageError("the package was changed or packed anew: it is not as its sender made it")
    return Package(manifest.kind, manifest.number, files, hashlib.sha256(data).hexdigest())


def parsed(data: bytes, name: str, shape: type[Document]) -> Document:
    """A JSON file of a package. Raises PackageError, which names the file and the key."""
    if len(data) > JSON_AT_MOST:
        raise PackageError(f"{name}: has more than {JSON_AT_MOST:,} bytes")
    try:
        return shape.model_validate_json(data)
    except ValidationError as error:
        fault = error.errors(include_url=False, include_context=False, include_input=False)[0]
        place = ".".join(str(part) for part in fault["loc"])
        raise PackageError(f"{name}: {place[:200] or 'JSON'}: {fault['msg']}") from None


def _unpacked(data: bytes) -> dict[str, bytes]:
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            entries = archive.infolist()
            _check_entries(entries, len(data))
            return {entry.filename: archive.read(entry) for entry in entries}
    except PackageError:
        raise
    except ZIP_FAULTS as error:
        raise PackageError(f"the package is damaged, or no zip: {type(error).__name__}") from error


def _check_entries(entries: list[zipfile.ZipInfo], size: int) -> None:
    """Before anything is read."""
    if len(entries) > FILES_AT_MOST:
        raise PackageError(f"the package holds more than {FILES_AT_MOST:,} files")
    if len({entry.filename for entry in entries}) < len(entries):
        raise PackageError("the package holds two files of one name")
    for entry in entries:
        _check_name(entry.filename)
        if entry.compress_type != zipfile.ZIP_STORED or entry.file_size != entry.compress_size:
            raise PackageError(f"{entry.filename}: is compressed, which nothing in a package is")
    if sum(entry.file_size for entry in entries) > size:
        raise PackageError("the package claims to hold more than it has bytes")


def _check_name(name: str) -> None:
    try:
        harmless(name)
    except ValueError:
        raise PackageError(f"{ascii(name)[:NAME_AT_MOST]}: is no name for a file in a package") from None
    if len(name) > NAME_AT_MOST:
        raise PackageError(f"{name[:NAME_AT_MOST]}…: has too long a name")


def _check(files: Mapping[str, bytes], manifest: Manifest) -> None:
    for name in sorted(files.keys() | manifest.files.keys()):
        if name not in files:
            raise PackageError(f"{ascii(name)[:NAME_AT_MOST]}: stands in the manifest and is missing")
        if name not in manifest.files:
            raise PackageError(f"{name}: does not stand in the manifest")
        if hashlib.sha256(files[name]).hexdigest() != manifest.files[name].sha256:
            raise PackageError(f"{name}: was changed after it was packed")
