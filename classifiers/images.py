"""The text in a listing's pictures, read only where its own text leaves the verdict open.

Reading a picture costs ten thousand times what judging a text does. It needs the optional extra ``images``;
without it every picture that should have been read is named as unread.
"""

from __future__ import annotations

import hashlib
import subprocess
import sys
import weakref
from collections import OrderedDict
from collections.abc import Iterator, Sequence
from importlib.util import find_spec
from multiprocessing import Pipe
from multiprocessing.connection import Connection
from pathlib import Path

from scipy.special import logit

from classifiers.image_file import UnreadableError, load
from classifiers.verdict import ImageText, ListingText, Signal, Unread, Verdict

# Log-odds on either side of the threshold within which a verdict is open: beyond them no usual picture text
# turns it. Log-odds, because they stay when another base rate is set.
BAND = 2.0
SHORT = 8  # characters of title and description below which the words say too little to acquit
MOST_IMAGES = 6  # of one listing: what a buyer sees first
SECONDS = 30.0  # for one picture; the reader begins nothing after ten
START_SECONDS = 60.0  # a busy machine loads the models in five
REMEMBERED = 10_000  # texts of pictures, some 10 MB
QR_CODE = "contact.qr_code"
_ROOT = Path(__file__).parents[1]


class Images:
    """Reads pictures in a process that starts with the first one and ends with this object.

    One instance serves one thread. A picture that was read before, wherever, is not read again.
    """

    def __init__(self, *, band: float = BAND, seconds: float = SECONDS) -> None:
        self.band = band
        self.seconds = seconds
        self._known: OrderedDict[bytes, ImageText] = OrderedDict()
        self._process: _Process | None = None

    def wanted(self, listing: ListingText, verdict: Verdict, threshold: float) -> bool:
        """Whether ``verdict``, on the words of ``listing`` alone, leaves anything for its pictures to say."""
        if not listing.images:
            return False
        written = len("".join((listing.title + listing.description).split()))
        too_short = written < SHORT and not verdict.flagged
        return too_short or bool(abs(logit(verdict.score) - logit(threshold)) < self.band)

    def read(self, addresses: Sequence[str]) -> tuple[ImageText, ...]:
        """One answer for each address, in order; those after ``MOST_IMAGES`` share one."""
        answers = [self._read(address) for address in addresses[:MOST_IMAGES]]
        if len(addresses) > MOST_IMAGES:
            answers.append(ImageText(unread=Unread.TOO_MANY))
        return tuple(answers)

    def _read(self, address: str) -> ImageText:
        if not installed():
            return ImageText(unread=Unread.NOT_INSTALLED)
        try:
            return self._recall(load(address))
        except UnreadableError as error:
            return ImageText(unread=error.reason)

    def _recall(self, data: bytes) -> ImageText:
        key = hashlib.sha256(data).digest()
        if key not in self._known:
            self._known[key] = self._ask(data)
        self._known.move_to_end(key)
        if len(self._known) > REMEMBERED:
            self._known.popitem(last=False)
        return self._known[key]

    def _ask(self, data: bytes) -> ImageText:
        try:
            self._process = self._process or _Process()
            return ImageText.model_validate_json(self._process.ask(data, self.seconds))
        except TimeoutError:
            reason = Unread.TIMEOUT
        except (EOFError, OSError):
            reason = Unread.CRASHED
        self._process = None  # the next picture gets a new one
        return ImageText(unread=reason)


class _Process:
    """:mod:`classifiers.image_reader` behind a pipe. Raises UnreadableError when it does not start."""

    def __init__(self) -> None:
        self.connection, theirs = Pipe()
        with theirs:
            command = [sys.executable, "-m", "classifiers.image_reader", str(theirs.fileno())]
            self.process = subprocess.Popen(  # noqa: S603
                command,
                cwd=_ROOT,
                pass_fds=[theirs.fileno()],
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,  # ours may be where verdicts are written
                start_new_session=True,  # Ctrl-C is for us, who then end it
            )
        weakref.finalize(self, _end, self.process, self.connection)
        try:
            self._answer(START_SECONDS)
        except (EOFError, OSError) as error:
            raise UnreadableError(Unread.READER_FAILED) from error

    def ask(self, data: bytes, seconds: float) -> bytes:
        """Raises TimeoutError, and EOFError or another OSError when the process dies."""
        self.connection.send_bytes(data)
        return self._answer(seconds)

    def _answer(self, seconds: float) -> bytes:
        if not self.connection.poll(seconds):
            raise TimeoutError
        return self.connection.recv_bytes()


def _end(process: subprocess.Popen[bytes], connection: Connection) -> None:
    connection.close()
    process.kill()
    process.wait()


def installed() -> bool:
    """Whether the extra ``images`` is."""
    return all(find_spec(name) for name in ("rapidocr", "onnxruntime"))


def fields(images: Sequence[ImageText]) -> dict[str, str]:
    """Field name → text, as signals name the field; pictures without text are left out."""
    return {f"images.{n}": image.text for n, image in enumerate(images) if image.text}


def contacts(images: Sequence[ImageText]) -> Iterator[Signal]:
    """A signal on the content of each QR code: it leads off the platform. The model gives it no weight."""
    for n, image in enumerate(images):
        end = len(image.text)
        for code in reversed(image.qr):
            start = end - len(code)
            yield Signal(
                kind="contact",
                concept=QR_CODE,
                text=code,
                field=f"images.{n}",
                start=start,
                end=end,
                contribution=0.0,
                why=QR_CODE,
            )
            end = start - 1
