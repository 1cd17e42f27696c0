"""A picture that somebody else chose: from its address to pixels, within limits."""

from __future__ import annotations

import base64
import binascii
import io
import re
import warnings
from pathlib import Path

from PIL import Image, ImageOps, UnidentifiedImageError

from classifiers.verdict import Unread

# What shops serve; every further decoder is a further way in, and some formats are programs.
FORMATS = ("JPEG", "PNG", "WEBP", "AVIF", "GIF", "BMP")
MOST_BYTES = 10_000_000  # platforms take 3 to 5 MB a picture
MOST_PIXELS = 25_000_000  # 75 MB once decoded; a long picture of details has 8 million
_INLINE = re.compile("data:", re.I)
_ON_THE_WEB = re.compile("([a-z][a-z0-9+.-]*:)?//", re.I)


class UnreadableError(ValueError):
    """``reason`` names why nothing can be read."""

    def __init__(self, reason: Unread) -> None:
        super().__init__(reason.value)
        self.reason = reason


def load(address: str) -> bytes:
    """The bytes of a local file or of a ``data:…;base64,`` address. Raises UnreadableError."""
    if _INLINE.match(address):
        return _within_limit(_inline(address))
    if not is_local(address):
        raise UnreadableError(Unread.NOT_FETCHED)
    try:
        path = Path(address)
        if not path.is_file():  # a pipe or a device could keep us waiting for ever
            raise UnreadableError(Unread.NO_FILE)
        with path.open("rb") as file:
            return _within_limit(file.read(MOST_BYTES + 1))
    except (OSError, ValueError) as error:  # ValueError: a character that no path may have
        if isinstance(error, UnreadableError):
            raise
        raise UnreadableError(Unread.NO_FILE) from error


def is_local(address: str) -> bool:
    """Whether reading ``address`` means opening a file of this machine."""
    return not (_INLINE.match(address) or _ON_THE_WEB.match(address))


def decode(data: bytes) -> Image.Image:
    """The first frame in RGB, upright, on white where it is transparent. Raises UnreadableError.

    The size is checked before any pixel is decoded.
    """
    try:
        with warnings.catch_warnings():
            # Ours is the lower limit; what else decoders remark about a stranger's file helps nobody.
            warnings.simplefilter("ignore")
            image = Image.open(io.BytesIO(data), formats=FORMATS)
            if image.width * image.height > MOST_PIXELS:
                raise UnreadableError(Unread.TOO_MANY_PIXELS)
            return _on_white(ImageOps.exif_transpose(image))
    except UnreadableError:
        raise
    except Image.DecompressionBombError as error:
        raise UnreadableError(Unread.TOO_MANY_PIXELS) from error
    except UnidentifiedImageError as error:
        raise UnreadableError(Unread.NO_PICTURE) from error
    except Exception as error:  # decoders answer broken files with every kind of error
        raise UnreadableError(Unread.BROKEN) from error


def _on_white(image: Image.Image) -> Image.Image:
    if not image.has_transparency_data:
        return image.convert("RGB")
    drawn = image.convert("RGBA")
    return Image.alpha_composite(Image.new("RGBA", drawn.size, "white"), drawn).convert("RGB")


def _inline(address: str) -> bytes:
    header, _, payload = address.partition(",")
    if not header.lower().endswith(";base64"):
        raise UnreadableError(Unread.NO_PICTURE)
    try:
        return base64.b64decode(payload, validate=True)
    except (binascii.Error, ValueError) as error:
        raise UnreadableError(Unread.BROKEN) from error


def _within_limit(data: bytes) -> bytes:
    if len(data) > MOST_BYTES:
        raise UnreadableError(Unread.TOO_MANY_BYTES)
    return data
