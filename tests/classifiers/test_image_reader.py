from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from classifiers import image_reader
from classifiers.image_file import UnreadableError
from classifiers.image_reader import LEAST_SIDE, MOST_TILES, OVERLAP, SIDE, Reader, tiles
from classifiers.verdict import Unread
from tests.classifiers.pictures import drawn, saved, with_qr

# Audit events of CPython that tell of something leaving the process.
AUDITED = """
import json, pathlib, sys
seen = []
leaving = ("socket.connect", "socket.get", "socket.send", "subprocess.", "os.exec", "os.posix", "os.system")
sys.addaudithook(lambda event, _: seen.append(event) if event.startswith(leaving) else None)
from classifiers import image_reader
text = image_reader.load().read(pathlib.Path(sys.argv[1]).read_bytes()).text
print(json.dumps([text, seen]))
"""


@pytest.fixture(scope="module")
def reader() -> Reader:
    return image_reader.load()


@pytest.mark.parametrize("size", [14, 22, 36, 60])
def test_text_is_read_in_every_usual_size(reader: Reader, size: int) -> None:
    lines = ("一次性电子烟8000口", "装饰摆件北欧风")
    assert reader.read(saved(drawn(*lines, size=size, top=30))).text.split("\n") == list(lines)


def test_characters_put_together_for_the_eye_are_read_as_the_eye_reads_them(reader: Reader) -> None:
    assert "电子烟" in reader.read(saved(drawn("电 孑 烟"))).text.replace("\n", "")


def test_light_text_on_a_dark_ground_is_read(reader: Reader) -> None:
    inverted = drawn("电子烟通配").convert("L").point(lambda level: 255 - level)
    assert reader.read(saved(inverted)).text == "电子烟通配"


def test_upside_down_text_is_read(reader: Reader) -> None:
    assert reader.read(saved(drawn("电子烟通配").rotate(180))).text == "电子烟通配"


def test_text_far_down_a_long_picture_is_read(reader: Reader) -> None:
    image = drawn("电子烟通配", shape=(750, 4500), top=4000)
    assert reader.read(saved(image)).text == "电子烟通配"


def test_a_line_on_the_edge_of_a_tile_is_read_whole_and_once(reader: Reader) -> None:
    image = drawn("电子烟通配", shape=(640, 2000), top=SIDE - OVERLAP + 2)
    assert reader.read(saved(image)).text.count("电子烟通配") == 1


def test_a_picture_that_is_longer_than_we_read_says_so(reader: Reader) -> None:
    found = reader.read(saved(drawn("电子烟通配", shape=(200, MOST_TILES * SIDE), size=24)))
    assert (found.text, found.unread) == ("电子烟通配", Unread.IN_PART)


def test_a_picture_that_takes_long_is_read_as_far_as_time_allows(
    reader: Reader, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(image_reader, "PATIENCE", 0.01)
    found = reader.read(saved(drawn("电子烟通配", shape=(640, 2 * SIDE))))
    assert (found.text, found.unread) == ("电子烟通配", Unread.IN_PART)


def test_a_picture_without_text_has_none(reader: Reader) -> None:
    assert reader.read(saved(drawn())).text == ""


def test_qr_codes_are_the_last_lines(reader: Reader) -> None:
    found = reader.read(saved(with_qr(drawn("扫码看货"), "https://u.example/A1b2")))
    assert found.qr == ("https://u.example/A1b2",)
    assert found.text == "扫码看货\nhttps://u.example/A1b2"


@pytest.mark.parametrize("content", ["加微信".encode("gbk"), b"\xff\xfe\x00", "加微信 abc".encode()])
def test_a_qr_code_of_any_bytes_spoils_no_picture(reader: Reader, content: bytes) -> None:
    found = reader.read(saved(with_qr(drawn("扫码看货"), content)))
    assert found.text.startswith("扫码看货")
    assert len(found.qr) == 1


@pytest.mark.parametrize("shape", [(1, 1), (1, 3000), (3000, 1), (20_000, 1000), (2, 2)])
def test_odd_shapes_are_read_like_any(reader: Reader, shape: tuple[int, int]) -> None:
    assert reader.read(saved(Image.new("RGB", shape, "white"))).text == ""


@pytest.mark.parametrize(
    ("height", "count"), [(SIDE - 1, 1), (SIDE, 1), (2 * SIDE - OVERLAP, 2), (2 * SIDE, 3)]
)
def test_tiles_show_every_row(height: int, count: int) -> None:
    rows = np.arange(height, dtype=np.int32)[:, None]
    levels = np.repeat(np.stack([rows % 251, rows // 251, rows * 0], axis=-1), LEAST_SIDE, axis=1)
    found = list(tiles(Image.fromarray(levels.astype(np.uint8))))
    assert len(found) == count
    seen = {int(row[2]) + 251 * int(row[1]) for tile in found for row in tile[:, 0] if row[0] == 0}
    assert seen == set(range(height))


@pytest.mark.parametrize("shape", [(1, 1), (1, 3000), (3000, 1), (20_000, 1000), (SIDE + 1, SIDE + 1)])
def test_no_tile_is_so_thin_or_so_large_that_it_fills_the_memory(shape: tuple[int, int]) -> None:
    for tile in tiles(Image.new("RGB", shape)):
        assert all(LEAST_SIDE <= side <= SIDE for side in tile.shape[:2])


def test_what_is_no_picture_is_said_to_be_none(reader: Reader) -> None:
    with pytest.raises(UnreadableError):
        reader.read(b"no picture")


def test_reading_opens_no_connection_and_runs_no_program(tmp_path: Path) -> None:
    path = tmp_path / "picture.png"
    path.write_bytes(saved(with_qr(drawn("电子烟通配"), "https://u.example/A1b2")))
    command = [sys.executable, "-c", AUDITED, str(path)]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    text, left = json.loads(done.stdout)
    assert "电子烟通配" in text
    assert left == []
