from __future__ import annotations

import base64
import contextlib
import os
import struct
import zlib
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from classifiers.image_file import FORMATS, MOST_BYTES, UnreadableError, decode, load
from classifiers.verdict import Unread
from tests.classifiers.pictures import drawn, saved

SMALL = saved(drawn("电子烟", size=20, shape=(90, 60), top=10))


def reason_for(data: bytes) -> Unread:
    with pytest.raises(UnreadableError) as raised:
        decode(data)
    return raised.value.reason


def not_loaded(address: str) -> Unread:
    with pytest.raises(UnreadableError) as raised:
        load(address)
    return raised.value.reason


def chunk(kind: bytes, data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))


def png_that_claims(width: int, height: int) -> bytes:
    header = chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0))
    rows = chunk(b"IDAT", zlib.compress(bytes(1000)))
    return b"\x89PNG\r\n\x1a\n" + header + rows + chunk(b"IEND", b"")


@pytest.mark.parametrize("kind", FORMATS)
def test_every_format_that_shops_serve_is_decoded(kind: str) -> None:
    image = decode(saved(drawn("电子烟"), kind))
    assert (image.mode, image.size) == ("RGB", (640, 320))


@pytest.mark.parametrize("kind", ["TIFF", "EPS", "PPM", "ICO", "PDF", "PCX"])
def test_other_formats_are_not_even_tried(kind: str) -> None:
    assert reason_for(saved(drawn("电子烟"), kind)) is Unread.NO_PICTURE


def test_a_picture_is_turned_upright_as_its_camera_says() -> None:
    exif = Image.Exif()
    exif[0x0112] = 6  # orientation: to be turned by a quarter
    assert decode(saved(drawn("电子烟"), "JPEG", exif=exif)).size == (320, 640)


@pytest.mark.parametrize("mode", ["RGBA", "LA", "P", "1", "I;16", "CMYK", "YCbCr"])
def test_every_colour_mode_comes_out_in_rgb(mode: str) -> None:
    kind = "JPEG" if mode in ("CMYK", "YCbCr") else "PNG"
    assert decode(saved(drawn("电子烟").convert("L").convert(mode), kind)).mode == "RGB"


def test_what_is_transparent_is_white() -> None:
    assert decode(saved(drawn("电子烟", mode="RGBA"))).getpixel((0, 0)) == (255, 255, 255)


@pytest.mark.parametrize("shape", [(60_000, 60_000), (5001, 5000), (2**31 - 1, 2**31 - 1), (30_000_000, 1)])
def test_a_decompression_bomb_is_refused_before_it_is_decoded(shape: tuple[int, int]) -> None:
    assert reason_for(png_that_claims(*shape)) is Unread.TOO_MANY_PIXELS


@pytest.mark.parametrize(
    "data", [b"", b"\x00", b"<svg onload='x'/>", b"%!PS-Adobe", b"GIF8", "电子烟".encode(), bytes(5000)]
)
def test_what_is_no_picture_is_named_so(data: bytes) -> None:
    assert reason_for(data) is Unread.NO_PICTURE


@pytest.mark.parametrize("kind", FORMATS)
def test_a_picture_cut_in_half_is_named_broken(kind: str) -> None:
    data = saved(drawn("电子烟"), kind)
    assert reason_for(data[: len(data) // 2]) in {Unread.BROKEN, Unread.NO_PICTURE}


@given(st.binary(max_size=2000) | st.binary(max_size=300).map(SMALL[:16].__add__))
def test_no_bytes_raise_anything_else(data: bytes) -> None:
    with contextlib.suppress(UnreadableError):
        decode(data)


@given(st.sampled_from(FORMATS), st.data())
def test_no_damaged_picture_raises_anything_else(kind: str, choose: st.DataObject) -> None:
    data = bytearray(saved(drawn("烟", size=20, shape=(60, 40), top=5), kind))
    for _ in range(choose.draw(st.integers(1, 8))):
        data[choose.draw(st.integers(0, len(data) - 1))] = choose.draw(st.integers(0, 255))
    with contextlib.suppress(UnreadableError):
        decode(bytes(data))


def test_a_local_file_is_loaded(tmp_path: Path) -> None:
    path = tmp_path / "主图.png"
    path.write_bytes(SMALL)
    assert load(str(path)) == SMALL


def test_an_inline_picture_is_loaded() -> None:
    assert load("data:image/png;base64," + base64.b64encode(SMALL).decode()) == SMALL


@pytest.mark.parametrize(
    ("address", "reason"),
    [
        ("https://shop.example/1.jpg", Unread.NOT_FETCHED),
        ("//shop.example/1.jpg", Unread.NOT_FETCHED),
        ("file:///etc/passwd", Unread.NOT_FETCHED),
        ("", Unread.NO_FILE),
        (".", Unread.NO_FILE),
        ("no such file", Unread.NO_FILE),
        ("a\x00b", Unread.NO_FILE),
        ("a\ud800b", Unread.NO_FILE),
        ("x" * 100_000, Unread.NO_FILE),
        ("/dev/zero", Unread.NO_FILE),
        ("data:", Unread.NO_PICTURE),
        ("data:text/html,<script>", Unread.NO_PICTURE),
        ("data:image/png;base64,*", Unread.BROKEN),
        ("data:image/png;base64,电子烟", Unread.BROKEN),
    ],
)
def test_what_cannot_be_loaded_is_named(address: str, reason: Unread) -> None:
    assert not_loaded(address) is reason


def test_a_pipe_does_not_keep_us_waiting(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe.png")
    assert not_loaded(str(tmp_path / "pipe.png")) is Unread.NO_FILE


def test_a_file_of_too_many_bytes_is_not_read_to_its_end(tmp_path: Path) -> None:
    path = tmp_path / "big.png"
    with path.open("wb") as file:
        file.truncate(MOST_BYTES * 1000)
    assert not_loaded(str(path)) is Unread.TOO_MANY_BYTES
    assert not_loaded("data:;base64," + "A" * (MOST_BYTES * 2)) is Unread.TOO_MANY_BYTES
