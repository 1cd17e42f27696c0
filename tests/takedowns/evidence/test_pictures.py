"""Pictures are looked into before the intake's transaction and written in it, under their bytes' hash."""

from __future__ import annotations

import hashlib

import pytest
import sqlalchemy as sa

from crawlers.captures import Capture, Picture
from crawlers.listing import Presence
from crawlers.rundir import Run, RunKind, pictures_dir
from takedowns.evidence import picture_files, pictures
from takedowns.evidence.pictures import Origin, PictureFacts
from takedowns.evidence.store import place
from takedowns.ledger import tables
from tests.takedowns.conftest import Factory
from tests.takedowns.evidence.conftest import NOON, drawing

URL = "https://img.invalid/a.png"
SHA256 = hashlib.sha256(drawing()).hexdigest()
make = Factory(NOON)


@pytest.fixture
def brought(tmp_path):
    """A run that photographed listings 1 and 2, with a picture of the first; it calls its bytes ``told``."""

    def write(data: bytes, told: str) -> Run:
        run = tmp_path / "r1"
        pictures_dir(run).mkdir(parents=True)
        (pictures_dir(run) / told).write_bytes(data)
        picture = Picture(item_id="1", url=URL, fetched_at=NOON, sha256=told, media_type="image/png")
        lost = Picture(item_id="1", url=f"{URL}?", fetched_at=NOON, problem="http_404")
        seen = {"state": Presence.UP, "reason": "item_page", "observed_at": NOON}
        captures = tuple(Capture(item_id=item, url="https://shop.invalid", **seen) for item in "12")
        return Run(run, None, (), (), (), captures=captures, pictures=(picture, lost))

    return write


@pytest.fixture
def shown(ledger):
    """Two listings that show the same address, and one that does not."""
    with ledger.write() as session:
        make.run(session, run_id="r1", kind=RunKind.CAPTURE)
        listings = [make.listing(session, item_id=item) for item in "123"]
        for listing, url in zip(listings, (URL, URL, f"{URL}?"), strict=True):
            make.snapshot(session, listing, images=[url])
        return [listing.id for listing in listings]


def taken_in(ledger, store, run):
    found = pictures.keep(ledger, store, run)
    with ledger.write() as session:
        pictures.record(session, run, found, now=NOON)
    return found


def links(session):
    rows = sa.select(tables.ListingPicture.listing_id, tables.ListingPicture.sha256)
    return sorted((listing, sha256) for listing, sha256 in session.execute(rows))


def test_a_picture_is_looked_into_once_and_linked_to_every_listing_that_shows_it(
    ledger, store, brought, shown
):
    run = brought(drawing(), SHA256)
    first, second = (taken_in(ledger, store, run) for _ in range(2))
    assert [one.facts is not None for one in (*first, *second)] == [True, False]
    with ledger.read() as session:
        [(origin, facts)] = pictures.known(session, store, [URL, f"{URL}?"])
        assert (origin.sha256, origin.run_id, bool(facts.perceptual_hash)) == (SHA256, "r1", True)
        assert pictures.wanted(session, store, [URL, f"{URL}?"]) == [f"{URL}?"]
        assert links(session) == [(listing, SHA256) for listing in shown[:2]]
    assert store.read(SHA256) == drawing()


def test_a_picture_whose_bytes_were_given_up_is_fetched_again(ledger, store, brought, shown):
    taken_in(ledger, store, brought(drawing(), SHA256))
    store.path(SHA256).unlink()
    with ledger.read() as session:
        assert pictures.wanted(session, store, [URL]) == [URL]
        assert pictures.known(session, store, [URL]) == []


def test_what_cannot_be_read_is_kept_with_the_reason(ledger, store, brought, shown):
    sha256 = hashlib.sha256(b"no picture").hexdigest()
    taken_in(ledger, store, brought(b"no picture", sha256))
    with ledger.read() as session:
        row = session.get_one(tables.Picture, sha256)
    assert (row.perceptual_hash, row.unread, row.size) == (None, "no_picture", 10)


def test_bytes_that_are_not_what_the_run_says_are_no_picture_of_that_address(ledger, store, brought, shown):
    assert taken_in(ledger, store, brought(drawing(), "0" * 64)) == []
    with ledger.read() as session:
        assert pictures.known(session, store, [URL]) == []


def test_files_of_earlier_releases_are_taken_in_once_and_broken_ones_stay(ledger, store, shown):
    sha256 = store.put(drawing())
    facts = PictureFacts(sha256=sha256, size=len(drawing()), media_type="image/png", perceptual_hash="0f" * 8)
    origin = Origin(url=URL, sha256=sha256, fetched_at=NOON, run_id="r0")
    place(store.root / "pictures" / sha256[:2] / f"{sha256[2:]}.json", facts.model_dump_json().encode())
    place(store.root / "addresses" / "ab" / "cd.json", origin.model_dump_json().encode())
    broken = store.root / "addresses" / "ab" / "ef.json"
    place(broken, b'{"url": ')
    assert picture_files.take_in(ledger, store, now=NOON) == (2, [broken])
    assert picture_files.take_in(ledger, store, now=NOON) == (0, [broken])
    with ledger.read() as session:
        assert pictures.known(session, store, [URL]) == [(origin, facts)]
        assert links(session) == [(listing, sha256) for listing in shown[:2]]
