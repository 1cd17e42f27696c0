"""Pictures are kept and looked into before the intake's transaction, under the hash that their bytes have."""

from __future__ import annotations

import hashlib

import pytest

from crawlers.captures import Picture
from crawlers.rundir import Run, pictures_dir
from takedowns.evidence import pictures
from tests.takedowns.evidence.conftest import NOON, drawing

URL = "https://img.invalid/a.png"


@pytest.fixture
def brought(tmp_path):
    """A run with one picture; ``told`` is what it says of the bytes."""

    def write(data: bytes, told: str) -> Run:
        run = tmp_path / "r1"
        pictures_dir(run).mkdir(parents=True)
        (pictures_dir(run) / told).write_bytes(data)
        picture = Picture(item_id="1", url=URL, fetched_at=NOON, sha256=told, media_type="image/png")
        lost = Picture(item_id="1", url=f"{URL}?", fetched_at=NOON, problem="http_404")
        return Run(run, None, (), (), (), pictures=(picture, lost))

    return write


def test_a_picture_is_kept_and_compared_once_however_often_its_run_is_taken_in(store, brought):
    sha256 = hashlib.sha256(drawing()).hexdigest()
    run = brought(drawing(), sha256)
    for _ in range(2):
        pictures.keep(store, run)
    [(origin, facts)] = pictures.known(store, [URL, f"{URL}?"])
    assert (origin.sha256, origin.run_id, bool(facts.perceptual_hash)) == (sha256, "r1", True)
    assert store.read(sha256) == drawing()
    assert pictures.wanted(store, [URL, f"{URL}?"]) == [f"{URL}?"]


def test_bytes_that_are_not_what_the_run_says_are_no_picture_of_that_address(store, brought):
    pictures.keep(store, brought(drawing(), "0" * 64))
    assert list(pictures.known(store, [URL])) == []
