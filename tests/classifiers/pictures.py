"""Pictures with Chinese text, as sellers draw them."""

from __future__ import annotations

import io
import subprocess
from functools import cache
from typing import Any

import cv2
from PIL import Image, ImageDraw, ImageFont

GROUND = {"RGB": (250, 248, 240), "RGBA": (0, 0, 0, 0), "L": 250}


@cache
def font() -> str:
    command = ["fc-match", "-f", "%{file}", ":lang=zh-cn"]
    return subprocess.run(command, capture_output=True, text=True, check=True).stdout


def drawn(
    *lines: str, size: int = 40, shape: tuple[int, int] = (640, 320), top: int = 40, mode: str = "RGB"
) -> Image.Image:
    """The first line is ``top`` pixels from the upper edge."""
    image = Image.new(mode, shape, GROUND[mode])
    pen = ImageDraw.Draw(image)
    for number, line in enumerate(lines):
        pen.text((50, top + number * size * 2), line, "black", ImageFont.truetype(font(), size))
    return image


def with_qr(image: Image.Image, content: str | bytes) -> Image.Image:
    code = Image.fromarray(cv2.QRCodeEncoder.create().encode(content))
    image.paste(code.resize((180, 180), Image.Resampling.NEAREST), (440, 120))
    return image


def saved(image: Image.Image, kind: str = "PNG", **options: Any) -> bytes:
    file = io.BytesIO()
    image.save(file, kind, **options)
    return file.getvalue()
