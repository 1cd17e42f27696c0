"""Drops in a folder that the other side reads: a subfolder a parcel, there as a whole or not at all."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

from takedowns.channels.parcel import Parcel, SendError
from takedowns.letters import clean

LETTER = "letter.txt"
REASON_AT_MOST = 300


def deliver(parcel: Parcel) -> str:
    """Returns where it is. One that is there already is not touched: its name is its key."""
    place = Path(parcel.recipient) / parcel.key
    try:
        if not place.is_dir():
            _moved_in(parcel, place)
    except OSError as error:
        reason = clean(error.strerror or type(error).__name__, REASON_AT_MOST)
        raise SendError(f"{place} cannot be written: {reason}", temporary=True) from error
    return str(place)


def contents(parcel: Parcel) -> dict[str, bytes]:
    """File name → bytes, the letter's text among them."""
    letter = f"{parcel.subject}\n\n{parcel.body}".encode()
    return {LETTER: letter} | {file.name: file.data for file in parcel.files}


def _moved_in(parcel: Parcel, place: Path) -> None:
    unfinished = place.with_name(f".{place.name}.part")
    shutil.rmtree(unfinished, ignore_errors=True)  # of an attempt that died
    unfinished.mkdir()
    for name, data in contents(parcel).items():
        with (unfinished / name).open("xb") as file:
            file.write(data)
            os.fsync(file.fileno())
    unfinished.rename(place)
