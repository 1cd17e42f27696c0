from __future__ import annotations

from dataclasses import replace

import pytest

from takedowns.channels import folder
from takedowns.channels.parcel import SendError


@pytest.fixture
def parcel(parcel, tmp_path):
    return replace(parcel, recipient=str(tmp_path))


def test_a_drop_is_one_subfolder_with_letter_and_files(parcel, tmp_path):
    receipt = folder.deliver(parcel)
    place = tmp_path / parcel.key
    assert receipt == str(place)
    assert list(tmp_path.iterdir()) == [place]
    assert {file.name: file.read_bytes() for file in place.iterdir()} == folder.contents(parcel)
    assert (place / "letter.txt").read_text(encoding="utf-8").startswith(parcel.subject)


def test_what_is_there_already_is_not_touched(parcel, tmp_path):
    folder.deliver(parcel)
    (tmp_path / parcel.key / "letter.txt").write_text("taken by the other side")
    assert folder.deliver(replace(parcel, body="another")) == str(tmp_path / parcel.key)
    assert (tmp_path / parcel.key / "letter.txt").read_text() == "taken by the other side"


def test_what_a_dead_attempt_left_is_made_anew(parcel, tmp_path):
    left = tmp_path / f".{parcel.key}.part"
    left.mkdir()
    (left / "letter.txt").write_text("half")
    folder.deliver(parcel)
    assert [entry.name for entry in tmp_path.iterdir()] == [parcel.key]
    assert (tmp_path / parcel.key / "letter.txt").read_bytes() == folder.contents(parcel)["letter.txt"]


def test_a_folder_that_is_not_there_is_named_and_may_be_there_later(parcel, tmp_path):
    with pytest.raises(SendError, match=r"not-mounted.*No such file") as failed:
        folder.deliver(replace(parcel, recipient=str(tmp_path / "not-mounted")))
    assert failed.value.temporary
