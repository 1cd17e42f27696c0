"""Product pictures drawn from a seed, so that a relisted offer shows the very same one."""

from __future__ import annotations

import io
from functools import lru_cache

from PIL import Image, ImageDraw

from takedowns.sample_market.draw import between

SIDE = 240


@lru_cache(maxsize=512)
def photo(seed: str) -> bytes:
    """A PNG of ``SIDE`` × ``SIDE`` pixels: a few parcels on a plain ground."""
    image = Image.new("RGB", (SIDE, SIDE), _colour(seed, "ground", 190))
    pen = ImageDraw.Draw(image)
    for part in range(between(2, 5, seed, "parts")):
        left, top = (between(10, SIDE // 2, seed, part, axis) for axis in "xy")
        width, height = (between(24, SIDE // 2 - 12, seed, part, axis) for axis in "wh")
        box = (left, top, left + width, top + height)
        pen.rounded_rectangle(box, radius=between(0, 24, seed, part, "r"), fill=_colour(seed, part, 30))
    buffer = io.BytesIO()
    image.save(buffer, "PNG")
    return buffer.getvalue()


def _colour(seed: str, part: object, darkest: int) -> tuple[int, int, int]:
    red, green, blue = (between(darkest, 250, seed, part, channel) for channel in ("red", "green", "blue"))
    return red, green, blue
