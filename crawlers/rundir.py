"""A crawl is one process and one run directory. These are the files in it and their shapes.

``job.json``         written by the parent before the start: what to do (:class:`CrawlJob`)
``items.jsonl``      one :class:`~crawlers.listing.Listing` a line
``sightings.jsonl``  one :class:`~crawlers.listing.Sighting` a line
``issues.jsonl``     one :class:`Issue` a line
``evidence/``        ``*.warc.gz``
``stats.json``       written last by the child; its presence means a clean end (:class:`RunStats`)
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import IO, Self, TypeVar

from pydantic import AwareDatetime, Field, ValidationError, model_validator

from crawlers.listing import Frozen, Listing, NonEmpty, Sighting
from crawlers.platforms import Platform

Shape = TypeVar("Shape", bound=Frozen)


class RunKind(StrEnum):
    SWEEP = "sweep"
    RECHECK = "recheck"


class Outcome(StrEnum):
    """How a run ended. A failing run is kept, but nothing is inferred from it."""

    OK = "ok"
    PARTIAL = "partial"
    BLOCKED = "blocked"
    FAILED = "failed"


class Target(Frozen):
    """A listing to look at again; ``title`` is what was last seen, None when it never was."""

    item_id: NonEmpty
    url: NonEmpty
    title: str | None = None


class CrawlJob(Frozen):
    run_id: NonEmpty
    kind: RunKind
    platform: Platform
    terms: tuple[str, ...] = ()
    targets: tuple[Target, ...] = ()
    vantage: NonEmpty = "anonymous-http"
    contact: NonEmpty = Field(
        pattern=r"^[!-'*-~]+$", description="address that stands in the user agent; ASCII, no blanks"
    )
    timeout_s: float = Field(default=30.0, gt=0, le=300, description="longest wait for one page")
    clock: AwareDatetime | None = Field(
        default=None,
        description="simulated start time of a demo run; elapsed time is added to it. None = real time",
    )

    @model_validator(mode="after")
    def _is_complete(self) -> Self:
        if self.platform.road != "page":
            raise ValueError(f"{self.platform.name} cannot be crawled: its road is {self.platform.road}")
        if self.kind is RunKind.RECHECK and not self.targets:
            raise ValueError("a recheck needs targets")
        ids = [target.item_id for target in self.targets]
        if twice := sorted({item_id for item_id in ids if ids.count(item_id) > 1}):
            raise ValueError(f"targets named twice: {', '.join(twice)}")
        return self


class Issue(Frozen):
    level: NonEmpty = Field(pattern="^(warning|error)$")
    code: NonEmpty = Field(description="snake_case, e.g. robots_disallowed, site_changed, dead_host")
    message: NonEmpty = Field(description="one sentence for the person on call")
    url: str | None = None


class RunStats(Frozen):
    run_id: NonEmpty
    kind: RunKind
    platform: NonEmpty
    outcome: Outcome
    finish_reason: NonEmpty
    started_at: AwareDatetime
    finished_at: AwareDatetime
    simulated: bool = False
    canary_ok: bool | None = Field(default=None, description="None: the platform has no canary pair")
    items: int = 0
    sightings: int = 0
    counters: dict[str, int] = Field(default_factory=dict)


def items_file(run: Path) -> Path:
    return run / "items.jsonl"


def sightings_file(run: Path) -> Path:
    return run / "sightings.jsonl"


def issues_file(run: Path) -> Path:
    return run / "issues.jsonl"


def job_file(run: Path) -> Path:
    return run / "job.json"


def stats_file(run: Path) -> Path:
    return run / "stats.json"


def evidence_dir(run: Path) -> Path:
    return run / "evidence"


class RunWriter:
    """The child's side: every line is flushed, so that a killed crawl loses at most the page in flight."""

    def __init__(self, run: Path) -> None:
        """Raises FileExistsError when the directory already holds results: a run happens once."""
        for taken in filter(Path.exists, (items_file(run), sightings_file(run), stats_file(run))):
            raise FileExistsError(f"{taken} is already there: this run was started before")
        self._stats = stats_file(run)
        self._items = _appending(items_file(run))
        self._sightings = _appending(sightings_file(run))
        self._issues = _appending(issues_file(run))

    def item(self, listing: Listing) -> None:
        _write(self._items, listing)

    def sighting(self, sighting: Sighting) -> None:
        _write(self._sightings, sighting)

    def issue(self, issue: Issue) -> None:
        _write(self._issues, issue)

    def finish(self, stats: RunStats) -> None:
        """Closes the files and, last, puts ``stats.json`` in its place in one step."""
        for lines in (self._items, self._sightings, self._issues):
            lines.close()
        unfinished = self._stats.with_suffix(".part")
        unfinished.write_text(stats.model_dump_json(indent=1) + "\n", encoding="utf-8")
        unfinished.replace(self._stats)


def _appending(path: Path) -> IO[str]:
    return path.open("a", encoding="utf-8", newline="\n")


def _write(lines: IO[str], shape: Frozen) -> None:
    lines.write(shape.model_dump_json() + "\n")
    lines.flush()


@dataclass(frozen=True)
class Run:
    """A finished or broken-off run as it lies on the disk. ``stats`` is None when it did not end cleanly."""

    path: Path
    stats: RunStats | None
    listings: tuple[Listing, ...]
    sightings: tuple[Sighting, ...]
    issues: tuple[Issue, ...]


def read_run(run: Path) -> Run:
    """The parent's side: all whole lines; each torn or broken one becomes an issue that names file and line.

    Raises FileNotFoundError when there is no such directory.
    """
    if not run.is_dir():
        raise FileNotFoundError(f"no run directory {run}")
    found: list[Issue] = []
    issues = tuple(_shapes(issues_file(run), Issue, found))
    listings = tuple(_shapes(items_file(run), Listing, found))
    sightings = tuple(_shapes(sightings_file(run), Sighting, found))
    stats = _read_stats(run, found)
    if stats and (stats.items, stats.sightings) != (len(listings), len(sightings)):
        counts = f"{len(listings)} items and {len(sightings)} sightings"
        told = f"{stats.items} and {stats.sightings}"
        found.append(_broken("count_mismatch", f"The run holds {counts}, its stats tell of {told}."))
    return Run(run, stats, listings, sightings, (*issues, *found))


def _read_stats(run: Path, found: list[Issue]) -> RunStats | None:
    path = stats_file(run)
    if not path.exists():
        found.append(_broken("no_stats", "The run broke off: it has no stats.json."))
        return None
    try:
        return RunStats.model_validate_json(path.read_bytes())
    except ValidationError as error:
        found.append(_broken("broken_stats", f"stats.json: {_first(error)}"))
        return None


def _shapes(path: Path, shape: type[Shape], found: list[Issue]) -> Iterator[Shape]:
    if not path.exists():
        return
    with path.open("rb") as lines:
        for number, line in enumerate(lines, start=1):
            try:
                yield shape.model_validate_json(line)
            except ValidationError as error:
                code = "broken_line" if line.endswith(b"\n") else "torn_line"
                found.append(_broken(code, f"{path.name}, line {number}: {_first(error)}"))


def _broken(code: str, message: str) -> Issue:
    return Issue(level="error", code=code, message=message)


def _first(error: ValidationError) -> str:
    first = error.errors(include_input=False, include_url=False)[0]
    return ": ".join(filter(None, (".".join(map(str, first["loc"])), first["msg"])))
