"""What earlier releases wrote of pictures in files beside the store, taken into the ledger."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path
from typing import TypeVar

import sqlalchemy as sa
from pydantic import ValidationError

from takedowns.evidence import pictures
from takedowns.evidence.pictures import Origin, PictureFacts
from takedowns.evidence.store import Store
from takedowns.ledger.engine import Ledger
from takedowns.ledger.tables import Listing, ListingSnapshot, Picture, PictureAddress

Told = TypeVar("Told", PictureFacts, Origin)


def take_in(ledger: Ledger, store: Store, *, now: datetime) -> tuple[int, list[Path]]:
    """Returns how many files were taken in, and those that cannot be read, which stay.

    What was taken in is in the ledger before its file goes, so that doing it again loses nothing.
    """
    facts, broken = _read(store.root / "pictures", PictureFacts)
    origins, torn = _read(store.root / "addresses", Origin)
    with ledger.write() as session:
        for told in facts.values():
            pictures.add_facts(session, told, now)
        session.flush()
        for origin in origins.values():
            digest = pictures.digest_of(origin.url)
            known = session.get(Picture, origin.sha256) is not None
            if known and session.get(PictureAddress, digest) is None:
                session.add(PictureAddress(digest=digest, **origin.model_dump()))
    if origins:
        _link_all(ledger, now)
    for path in (*origins, *facts):
        path.unlink()
    return len(facts) + len(origins), broken + torn


def _read(folder: Path, shape: type[Told]) -> tuple[dict[Path, Told], list[Path]]:
    read: dict[Path, Told] = {}
    broken = []
    for path in sorted(folder.glob("*/*.json")):
        try:
            read[path] = shape.model_validate_json(path.read_bytes())
        except ValidationError:
            broken.append(path)
    return read, broken


def _link_all(ledger: Ledger, now: datetime) -> None:
    """A listing at a time: there can be many."""
    with ledger.read() as session:
        shown = sa.select(ListingSnapshot.listing_id).distinct().order_by(ListingSnapshot.listing_id)
        ids = list(session.scalars(shown))
    for first in range(0, len(ids), 256):
        with ledger.write() as session:
            chosen = sa.select(Listing).where(Listing.id.in_(ids[first : first + 256])).order_by(Listing.id)
            for listing in session.scalars(chosen):
                pictures.link(session, listing, now)
