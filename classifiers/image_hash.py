"""Is it the same picture? A 64-bit perceptual hash (pHash): scaling and compressing change few of its bits.

Of the common hashes this one keeps different products on a white ground apart; the simpler difference hash
takes one pair in thirty of them for the same picture.
"""

from __future__ import annotations

import numpy as np
from PIL import Image
from scipy.fft import dctn

from classifiers.image_file import UnreadableError, decode
from classifiers.verdict import Unread

SIDE = 32  # pixels to which the picture is reduced
KEPT = 8  # lowest frequencies kept of each axis: 64 bits
NEAR = (
    6  # bits of 64: a copy that was scaled, compressed or toned differs in fewer, another picture in about 32
)
PLAIN = 3.0  # standard deviation in grey levels below which the bits are noise: all blank pictures are alike


def hash_of(data: bytes) -> int:
    """The hash, in [0, 2**64), of the picture in a file's bytes.

    Raises :class:`classifiers.image_file.UnreadableError`, also for a picture that shows nothing.
    """
    grey = decode(data).convert("L").resize((SIDE, SIDE), Image.Resampling.LANCZOS)
    levels = np.asarray(grey, dtype=np.float64)
    if levels.std() < PLAIN:
        raise UnreadableError(Unread.BLANK)
    frequencies = dctn(levels, norm="ortho")[:KEPT, :KEPT].ravel()
    bits = frequencies > np.median(frequencies[1:])  # the first is the brightness, which is no shape
    return int.from_bytes(np.packbits(bits).tobytes())


def near(a: int, b: int) -> bool:
    """Whether two hashes are of one picture."""
    return (a ^ b).bit_count() <= NEAR
