"""The pictures of listings: fetched once from an address, kept once by hash, compared by perceptual hash.

What is known of them stands in small files beside the store, because the ledger has no table for it.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator
from pathlib import Path

from pydantic import AwareDatetime, Field

from crawlers import rundir
from crawlers.captures import PICTURES_AT_MOST, Picture
from crawlers.listing import Frozen, NonEmpty
from takedowns.evidence.store import Store, place

LOOKED_AT = 50  # addresses of a listing that are looked through


class PictureFacts(Frozen):
    """``perceptual_hash``: of :mod:`classifiers.image_hash`, in hex; None with the reason in ``unread``."""

    sha256: str
    size: int
    media_type: str
    perceptual_hash: str | None = Field(default=None, pattern="^[0-9a-f]{16}$")
    unread: str | None = None


class Origin(Frozen):
    """Where a picture came from first."""

    url: NonEmpty
    sha256: str
    fetched_at: AwareDatetime
    run_id: NonEmpty


def keep(store: Store, run: rundir.Run) -> None:
    """Keep and remember the pictures that a capture brought.

    Before the intake's transaction: looking into hundreds of them takes a minute, which the desk must not
    wait for, and doing it again changes nothing.
    """
    for picture in run.pictures:
        file = rundir.pictures_dir(run.path) / (picture.sha256 or "none")
        if picture.sha256 and file.is_file() and store.adopt(file) == picture.sha256:
            _note(store, picture, picture.sha256, run.path.name)


def _note(store: Store, picture: Picture, sha256: str, run_id: str) -> None:
    facts = _facts_file(store, sha256)
    if not facts.exists():
        place(facts, _facts(store, sha256, picture).model_dump_json().encode())
    origin = Origin(url=picture.url, sha256=sha256, fetched_at=picture.fetched_at, run_id=run_id)
    if not _origin_file(store, picture.url).exists():
        place(_origin_file(store, picture.url), origin.model_dump_json().encode())


def wanted(store: Store, addresses: Iterable[str]) -> list[str]:
    """Which of a listing's pictures are still to be fetched: the first ones, each address once."""
    http = [url for url in list(addresses)[:LOOKED_AT] if url.startswith(("http://", "https://"))]
    first = list(dict.fromkeys(http))[:PICTURES_AT_MOST]
    return [url for url in first if not _origin_file(store, url).exists()]


def known(store: Store, addresses: Iterable[str]) -> Iterator[tuple[Origin, PictureFacts]]:
    """What is known of the pictures at those addresses; those never fetched are left out."""
    for url in dict.fromkeys(list(addresses)[:LOOKED_AT]):
        path = _origin_file(store, url)
        if path.exists():
            origin = Origin.model_validate_json(path.read_bytes())
            yield origin, PictureFacts.model_validate_json(_facts_file(store, origin.sha256).read_bytes())


def _facts(store: Store, sha256: str, picture: Picture) -> PictureFacts:
    # Loads scipy, which only a capture needs.
    from classifiers.image_file import UnreadableError
    from classifiers.image_hash import hash_of

    told = {"sha256": sha256, "size": picture.size, "media_type": picture.media_type}
    try:
        return PictureFacts(**told, perceptual_hash=f"{hash_of(store.read(sha256)):016x}")
    except UnreadableError as error:
        return PictureFacts(**told, unread=error.reason.value)


def _facts_file(store: Store, sha256: str) -> Path:
    return store.root / "pictures" / sha256[:2] / f"{sha256[2:]}.json"


def _origin_file(store: Store, url: str) -> Path:
    name = hashlib.sha256(url.encode("utf-8", "surrogatepass")).hexdigest()
    return store.root / "addresses" / name[:2] / f"{name[2:]}.json"
