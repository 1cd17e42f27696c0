"""All that is kept of one listing, in order of time: its snapshots, sightings, captures and pictures."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime

import sqlalchemy as sa
from sqlalchemy.orm import Session

from crawlers.captures import Capture
from takedowns import listings
from takedowns.evidence import captures, pictures, reading
from takedowns.evidence.pictures import Origin, PictureFacts
from takedowns.evidence.reading import Reference
from takedowns.evidence.store import Store
from takedowns.ledger.tables import Lead, Listing, ListingSnapshot


@dataclass(frozen=True)
class Exhibit:
    """One page that was kept. ``what``: snapshot, sighting, capture; ``view``: a screenshot is beside it."""

    what: str
    at: datetime
    state: str
    reason: str
    reference: Reference | None
    view: bool = False
    cause: str | None = None
    snapshot_id: int | None = None


class UnknownError(LookupError):
    """Neither a reference, nor a listing, nor a lead has this name."""


def listing_named(session: Session, name: str) -> Listing:
    """The listing that ``PLATFORM:ITEM`` or a lead's number names. Raises UnknownError."""
    lead = session.scalar(sa.select(Lead).where(Lead.number == name))
    if lead:
        return lead.listing
    platform, _, item_id = name.partition(":")
    found = listings.find(session, platform, item_id) if item_id else None
    if found is None:
        raise UnknownError(f"{name!r} is no lead's number, and no listing either (PLATFORM:ITEM)")
    return found


def exhibits(session: Session, store: Store, listing: Listing) -> list[Exhibit]:
    """Oldest first."""
    found = [*_snapshots(listing.snapshots), *_sightings(listing), *_captures(session, store, listing)]
    return sorted(found, key=lambda exhibit: (exhibit.at, exhibit.what))


def pictures_of(session: Session, store: Store, listing: Listing) -> list[tuple[Origin, PictureFacts]]:
    """Those that were fetched, of everything that the listing ever showed."""
    addresses = [str(url) for snapshot in listing.snapshots for url in snapshot.images]
    return pictures.known(session, store, addresses)


def _snapshots(found: Sequence[ListingSnapshot]) -> Iterator[Exhibit]:
    for snapshot in found:
        place = _reference(snapshot.evidence)
        yield Exhibit(
            "snapshot", snapshot.observed_at, "up", snapshot.sha256[:12], place, snapshot_id=snapshot.id
        )


def _sightings(listing: Listing) -> Iterator[Exhibit]:
    for look in listing.sightings:
        yield Exhibit("sighting", look.observed_at, look.state, look.reason, _reference(look.evidence))


def _captures(session: Session, store: Store, listing: Listing) -> Iterator[Exhibit]:
    for run_id in captures.captured_in(session, listing.platform, listing.item_id):
        for capture in reading.captures(store, run_id):
            if capture.item_id == listing.item_id:
                yield _exhibit(run_id, capture)


def _exhibit(run_id: str, capture: Capture) -> Exhibit:
    place = Reference.parse(f"{run_id}/{capture.evidence}") if capture.evidence else None
    return Exhibit(
        what="capture",
        at=capture.observed_at,
        state=capture.state,
        reason=capture.reason,
        reference=place,
        view=capture.view,
        cause=capture.cause,
    )


def _reference(text: str | None) -> Reference | None:
    """None for what came by a workbook or a pasted link."""
    try:
        return Reference.parse(text or "")
    except ValueError:
        return None
