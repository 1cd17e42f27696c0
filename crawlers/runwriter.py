"""The child's side of a run directory: lines that are on the disk as soon as they are written."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import ExitStack
from pathlib import Path
from typing import IO

from crawlers.captures import Capture, Picture
from crawlers.listing import Frozen, Listing, Sighting
from crawlers.resuming import SearchPage
from crawlers.rundir import (
    Asked,
    Handled,
    Issue,
    RunStats,
    captures_file,
    draws_file,
    frame_file,
    handled_file,
    issues_file,
    items_file,
    pages_file,
    pictures_file,
    requests_file,
    sightings_file,
    stats_file,
)
from crawlers.sampling import DrawnLook, Position

FileOf = Callable[[Path], Path]  # a file of a run directory


class RunWriter:
    """The child's side: every line is flushed, so that a killed crawl loses at most the page in flight."""

    def __init__(self, run: Path) -> None:
        """Raises FileExistsError when the directory already holds results: a run happens once."""
        for taken in filter(Path.exists, (items_file(run), sightings_file(run), stats_file(run))):
            raise FileExistsError(f"{taken} is already there: this run was started before")
        self._run = run
        self._open: dict[FileOf, IO[str]] = {}
        self._closing = ExitStack()
        for always in (items_file, sightings_file, issues_file):
            self._lines(always)

    def item(self, listing: Listing) -> None:
        self._write(items_file, listing)

    def sighting(self, sighting: Sighting) -> None:
        self._write(sightings_file, sighting)

    def issue(self, issue: Issue) -> None:
        self._write(issues_file, issue)

    def asked(self, asked: Asked) -> None:
        self._write(requests_file, asked)

    def searched(self, page: SearchPage) -> None:
        self._write(pages_file, page)

    def handled(self, item_id: str) -> None:
        self._write(handled_file, Handled(item_id=item_id))

    def position(self, position: Position) -> None:
        self._write(frame_file, position)

    def drawn(self, look: DrawnLook) -> None:
        self._write(draws_file, look)

    def captured(self, capture: Capture) -> None:
        self._write(captures_file, capture)

    def picture(self, picture: Picture) -> None:
        self._write(pictures_file, picture)

    def finish(self, stats: RunStats) -> None:
        """Closes the files and, last, puts ``stats.json`` in its place in one step."""
        self._closing.close()
        unfinished = stats_file(self._run).with_suffix(".part")
        unfinished.write_text(stats.model_dump_json(indent=1) + "\n", encoding="utf-8")
        unfinished.replace(stats_file(self._run))

    def _lines(self, file_of: FileOf) -> IO[str]:
        if file_of not in self._open:
            opened = file_of(self._run).open("a", encoding="utf-8", newline="\n")
            self._open[file_of] = self._closing.enter_context(opened)
        return self._open[file_of]

    def _write(self, file_of: FileOf, shape: Frozen) -> None:
        lines = self._lines(file_of)
        lines.write(shape.model_dump_json() + "\n")
        lines.flush()
