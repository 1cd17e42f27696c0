"""The fonts that letters are set in: a missing one is an error, and what they lack is told by its number.

So a letter never holds an empty box, and is the same on every machine, whatever other fonts that has.
"""

from __future__ import annotations

import shutil
import subprocess
from functools import cache

from fontTools.ttLib import TTFont

from takedowns.letters import LetterError

TEXT, HEADINGS = FAMILIES = ("Noto Serif CJK SC", "Noto Sans CJK SC")


class MissingFontError(LetterError):
    """One sentence says which font, and what to install."""


def printable(text: str) -> str:
    """``text`` with each character that the fonts lack, such as most emoji, as ``[U+1F349]``.

    Raises MissingFontError when the fonts themselves are not there.
    """
    return "".join(one if ord(one) in _characters() else f"[U+{ord(one):04X}]" for one in text)


@cache
def _characters() -> frozenset[int]:
    """The code points that every one of the fonts has."""
    return frozenset.intersection(*(frozenset(_map_of(*_file_of(family))) for family in FAMILIES))


def _map_of(path: str, index: int) -> dict[int, str]:
    with TTFont(path, fontNumber=index, lazy=True) as font:
        return dict(font.getBestCmap())


def _file_of(family: str) -> tuple[str, int]:
    """File and index in it, as fontconfig finds them, which the printer asks too."""
    fc_match = shutil.which("fc-match")
    if fc_match is None:
        raise MissingFontError("fontconfig is missing: install fontconfig and fonts-noto-cjk")
    command = [fc_match, "--format=%{family}\n%{file}\n%{index}", family]
    found = subprocess.run(command, capture_output=True, text=True, check=True).stdout  # noqa: S603
    names, path, index = found.splitlines()
    if family not in names.split(","):
        raise MissingFontError(f"the font {family} is missing: install fonts-noto-cjk")
    return path, int(index)
