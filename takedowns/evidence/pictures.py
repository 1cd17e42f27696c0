"""The pictures of listings: fetched once from an address, kept once by hash, compared by perceptual hash.

The bytes are in the evidence store, what is known of them in the ledger.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime

import sqlalchemy as sa
from pydantic import AwareDatetime, Field
from sqlalchemy.orm import Session

from crawlers import captures, rundir
from crawlers.captures import PICTURES_AT_MOST
from crawlers.listing import Frozen, NonEmpty
from takedowns import listings
from takedowns.content import storable
from takedowns.evidence.store import Store
from takedowns.ledger.engine import Ledger
from takedowns.ledger.tables import CrawlRun, Listing, ListingPicture, Picture, PictureAddress

LOOKED_AT = 50  # addresses of a listing that are looked through


class PictureFacts(Frozen):
    """``perceptual_hash``: of :mod:`classifiers.image_hash`, in hex; None with the reason in ``unread``."""

    sha256: str
    size: int
    media_type: str
    perceptual_hash: str | None = Field(default=None, pattern="^[0-9a-f]{16}$")
    unread: str | None = None


class Origin(Frozen):
    """Where a picture that is kept came from first."""

    url: NonEmpty
    sha256: str
    fetched_at: AwareDatetime
    run_id: NonEmpty


@dataclass(frozen=True)
class Brought:
    """A picture that a run fetched and the store has; ``facts``: None where the ledger has them already."""

    picture: captures.Picture
    sha256: str
    facts: PictureFacts | None


def keep(ledger: Ledger, store: Store, run: rundir.Run) -> list[Brought]:
    """Keep the pictures that a capture brought, and look into those that are new.

    Before the intake's transaction: looking into hundreds of them takes a minute, which the desk must not
    wait for, and doing it again changes nothing.
    """
    kept = [(one, one.sha256) for one in run.pictures if one.sha256 and _adopted(store, run, one.sha256)]
    with ledger.read() as session:
        wanted = sa.select(Picture.sha256).where(Picture.sha256.in_({sha256 for _, sha256 in kept}))
        known = set(session.scalars(wanted))
    facts = {
        sha256: looked_into(store, sha256, one.media_type) for one, sha256 in kept if sha256 not in known
    }
    return [Brought(one, sha256, facts.get(sha256)) for one, sha256 in kept]


def record(session: Session, run: rundir.Run, brought: Sequence[Brought], *, now: datetime) -> None:
    """Write what :func:`keep` found, and which listings show it: those that the run photographed.

    A listing may show what was fetched for another one. Doing it again changes nothing.
    """
    for one in brought:
        if one.facts is not None:
            add_facts(session, one.facts, now)
    session.flush()
    for one in brought:
        _add_address(session, one, run.path.name)
    session.flush()
    if row := session.get(CrawlRun, run.path.name):
        items = {seen.item_id: seen.observed_at for seen in run.captures}
        items = {one.item_id: one.fetched_at for one in run.pictures} | items
        for item_id, at in sorted(items.items()):
            if listing := listings.find(session, row.platform, item_id):
                link(session, listing, at)


def wanted(session: Session, store: Store, addresses: Iterable[str]) -> list[str]:
    """Which of a listing's pictures are still to be fetched: the first ones, each address once."""
    http = [url for url in list(addresses)[:LOOKED_AT] if url.startswith(("http://", "https://"))]
    first = list(dict.fromkeys(http))[:PICTURES_AT_MOST]
    there = {origin.url for origin, _ in known(session, store, first)}
    return [url for url in first if url not in there]


def known(session: Session, store: Store, addresses: Iterable[str]) -> list[tuple[Origin, PictureFacts]]:
    """What is known of the pictures at those addresses; those never fetched, or given up, are left out."""
    return [
        (_origin(at), _facts(picture)) for at, picture in _rows(session, addresses) if store.holds(at.sha256)
    ]


def link(session: Session, listing: Listing, at: datetime) -> None:
    """Say that ``listing`` shows the pictures that are known at the addresses it shows now."""
    snapshot = listings.current_snapshot(listing)
    shown = {row.sha256 for row, _ in _rows(session, snapshot.images if snapshot else ())}
    linked = sa.select(ListingPicture.sha256).where(ListingPicture.listing_id == listing.id)
    for sha256 in sorted(shown - set(session.scalars(linked))):
        session.add(ListingPicture(listing_id=listing.id, sha256=sha256, observed_at=at))
    session.flush()


def looked_into(store: Store, sha256: str, media_type: str) -> PictureFacts:
    # Loads scipy, which only a capture needs.
    from classifiers.image_file import UnreadableError
    from classifiers.image_hash import hash_of

    data = store.read(sha256)
    try:
        perceptual_hash, unread = f"{hash_of(data):016x}", None
    except UnreadableError as error:
        perceptual_hash, unread = None, error.reason.value
    return PictureFacts(
        sha256=sha256, size=len(data), media_type=media_type, perceptual_hash=perceptual_hash, unread=unread
    )


def add_facts(session: Session, facts: PictureFacts, now: datetime) -> None:
    if session.get(Picture, facts.sha256) is None:
        told = facts.model_dump() | {"media_type": storable(facts.media_type)}
        session.add(Picture(**told, recorded_at=now))


def digest_of(url: str) -> str:
    """The key of an address: it can be longer than an index takes."""
    return hashlib.sha256(url.encode("utf-8", "surrogatepass")).hexdigest()


def _adopted(store: Store, run: rundir.Run, sha256: str) -> bool:
    """False for bytes that are missing, or not what the run says they are."""
    file = rundir.pictures_dir(run.path) / sha256
    return file.is_file() and store.adopt(file) == sha256


def _add_address(session: Session, one: Brought, run_id: str) -> None:
    """Of an address whose picture was given up meanwhile, what was fetched last counts."""
    session.merge(
        PictureAddress(
            digest=digest_of(one.picture.url),
            url=storable(one.picture.url),
            sha256=one.sha256,
            fetched_at=one.picture.fetched_at,
            run_id=run_id,
        )
    )


def _rows(session: Session, addresses: Iterable[str]) -> Iterator[tuple[PictureAddress, Picture]]:
    """In the order of ``addresses``."""
    digests = [digest_of(url) for url in dict.fromkeys(list(addresses)[:LOOKED_AT])]
    found = session.execute(
        sa.select(PictureAddress, Picture)
        .join(Picture, Picture.sha256 == PictureAddress.sha256)
        .where(PictureAddress.digest.in_(digests))
    )
    by_digest = {at.digest: (at, picture) for at, picture in found}
    return (by_digest[digest] for digest in digests if digest in by_digest)


def _origin(row: PictureAddress) -> Origin:
    return Origin(url=row.url, sha256=row.sha256, fetched_at=row.fetched_at, run_id=row.run_id)


def _facts(row: Picture) -> PictureFacts:
    return PictureFacts(
        sha256=row.sha256,
        size=row.size,
        media_type=row.media_type,
        perceptual_hash=row.perceptual_hash,
        unread=row.unread,
    )
