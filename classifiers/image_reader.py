"""The process that reads pictures: bytes in, lines of text and contents of QR codes out.

A process of its own, because the decoders and networks that it runs on hostile files are native code: it
can be ended when it takes too long, and its crash or its memory is not the classifier's. Once its models are
loaded it may open nothing more, neither file nor socket. What it cannot cope with crashes it, and its parent
says so.

    python -m classifiers.image_reader FD     FD: a multiprocessing connection
"""

from __future__ import annotations

import io
import resource
import sys
import time
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from multiprocessing.connection import Connection
from pathlib import Path

import cv2
import numpy as np
import rapidocr
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFont
from rapidocr.utils.output import RapidOCROutput

from classifiers.image_file import FORMATS, MOST_BYTES, UnreadableError, decode
from classifiers.verdict import ImageText, Unread

SIDE = 1280  # pixels; wider pictures are reduced, taller ones are cut into tiles
LEAST_SIDE = 320  # the detector enlarges to 736 rows: a strip one row high would become one of gigabytes
OVERLAP = 64  # rows that two tiles share, so that no line of text is cut by both
MOST_TILES = 4  # of one picture: the first five thousand rows of a long one
PATIENCE = 10.0  # seconds after which no further tile is begun; a poster takes one
MOST_MEMORY = 4 << 30  # bytes of address space; four full tiles of small print take half of it


@dataclass(frozen=True, slots=True)
class Reader:
    """The OCR networks that ship inside ``rapidocr``, and OpenCV's reader of QR codes."""

    ocr: rapidocr.RapidOCR
    qr: cv2.QRCodeDetector

    def read(self, data: bytes) -> ImageText:
        """Every line and code once. Raises UnreadableError."""
        lines: dict[str, None] = {}
        codes: dict[str, None] = {}
        until = time.monotonic() + PATIENCE
        for number, tile in enumerate(tiles(decode(data))):
            if number == MOST_TILES or (number and time.monotonic() > until):
                return _image_text(lines, codes, Unread.IN_PART)
            found = self.ocr(tile)
            if isinstance(found, RapidOCROutput):  # otherwise it saw shapes of text, but could read none
                lines |= dict.fromkeys(found.txts or ())
            codes |= dict.fromkeys(self._codes(tile))
        return _image_text(lines, codes)

    def _codes(self, tile: NDArray[np.uint8]) -> Iterator[str]:
        for code in self.qr.detectAndDecodeBytesMulti(tile)[1]:
            if code:  # empty: it was seen, but not made out
                yield code.decode("utf-8", "replace")


def tiles(image: Image.Image) -> Iterator[NDArray[np.uint8]]:
    """``image`` from top to bottom: (rows, columns, BGR), ``LEAST_SIDE`` to ``SIDE`` long and wide."""
    if image.width > SIDE:
        image = image.resize((SIDE, max(1, image.height * SIDE // image.width)))
    for top in range(0, max(1, image.height - OVERLAP), SIDE - OVERLAP):
        part = image.crop((0, top, image.width, min(top + SIDE, image.height)))
        tile = Image.new("RGB", (max(part.width, LEAST_SIDE), max(part.height, LEAST_SIDE)), "white")
        tile.paste(part)
        yield np.ascontiguousarray(np.asarray(tile)[:, :, ::-1])


def load() -> Reader:
    """With every model named by its path: otherwise the library would fetch one that is missing."""
    models = Path(rapidocr.__file__).parent / "models"
    settings = {
        "Global.log_level": "error",
        # One thread: two readers of one thread each read a third more than one of two.
        "EngineConfig.onnxruntime.intra_op_num_threads": 1,
        "EngineConfig.onnxruntime.inter_op_num_threads": 1,
        "Det.model_path": str(models / "PP-OCRv6_det_small.onnx"),
        "Rec.model_path": str(models / "PP-OCRv6_rec_small.onnx"),
        "Cls.model_path": str(models / "ch_ppocr_mobile_v2.0_cls_mobile.onnx"),
    }
    cv2.setNumThreads(1)
    return Reader(rapidocr.RapidOCR(params=settings), cv2.QRCodeDetector())


def main() -> None:
    connection = Connection(int(sys.argv[1]))
    reader = load()
    _warm_up(reader)
    resource.setrlimit(resource.RLIMIT_NOFILE, (0, 0))
    resource.setrlimit(resource.RLIMIT_AS, (MOST_MEMORY, MOST_MEMORY))
    connection.send_bytes(b"")  # ready
    while True:
        try:
            data = connection.recv_bytes(MOST_BYTES)
        except EOFError:  # the classifier is gone
            return
        connection.send_bytes(_answer(reader, data).model_dump_json().encode())


def _answer(reader: Reader, data: bytes) -> ImageText:
    try:
        return reader.read(data)
    except UnreadableError as error:
        return ImageText(unread=error.reason)


def _warm_up(reader: Reader) -> None:
    """Models and decoders load at their first use, which must be now."""
    image = Image.new("RGB", (320, 80), "white")
    ImageDraw.Draw(image).text((20, 20), "ready", "black", ImageFont.load_default(36))
    for kind in FORMATS:
        file = io.BytesIO()
        image.save(file, kind)
        decode(file.getvalue())
    if not reader.read(file.getvalue()).text:
        raise RuntimeError("the OCR models read nothing in a plain picture")


def _image_text(lines: Iterable[str], codes: Iterable[str], unread: Unread | None = None) -> ImageText:
    qr = tuple(codes)
    return ImageText(text="\n".join((*lines, *qr)), qr=qr, unread=unread)


if __name__ == "__main__":
    main()
