"""A crawl is one process and one run directory. These are the files in it and their shapes.

``job.json``         written by the parent before the start: what to do (:class:`CrawlJob`)
``items.jsonl``      one :class:`~crawlers.listing.Listing` a line
``sightings.jsonl``  one :class:`~crawlers.listing.Sighting` a line
``issues.jsonl``     one :class:`Issue` a line
``requests.jsonl``   one :class:`Asked` a line: what was asked of the platform, robots.txt included
``pages.jsonl``      targeted arm: one :class:`~crawlers.resuming.SearchPage` a line
``handled.jsonl``    targeted arm: one :class:`Handled` a line
``frame.jsonl``      random arm: one :class:`~crawlers.sampling.Position` a line
``draws.jsonl``      random arm: one :class:`~crawlers.sampling.DrawnLook` a line
``captures.jsonl``   a capture or look: one :class:`~crawlers.captures.Capture` a line
``pictures.jsonl``   a capture: one :class:`~crawlers.captures.Picture` a line
``evidence/``        ``*.warc.gz``, and of a capture ``pictures/<SHA-256>``
``stats.json``       written last by the child; its presence means a clean end (:class:`RunStats`)
"""

from __future__ import annotations

import fcntl
import hashlib
from collections import Counter
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from pathlib import Path
from typing import Self, TypeVar

from pydantic import AwareDatetime, Field, ValidationError, model_validator

from crawlers.captures import PICTURES_AT_MOST, Capture, Picture
from crawlers.listing import Frozen, Listing, NonEmpty, Sighting
from crawlers.platforms import Platform
from crawlers.resuming import Rest, SearchPage
from crawlers.run_kinds import Arm as Arm
from crawlers.run_kinds import RunKind as RunKind
from crawlers.sampling import DrawnLook, Panel, Position

Shape = TypeVar("Shape", bound=Frozen)


REFUSALS = frozenset({403, 429})  # answers after which we stay away for a while
# Issues of a run whose files do not hold all that it wrote.
DAMAGE = frozenset({"broken_line", "torn_line", "count_mismatch"})


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
    cause: str | None = Field(default=None, description="of a capture: see crawlers.captures.Capture")
    pictures: tuple[NonEmpty, ...] = Field(
        default=(), max_length=PICTURES_AT_MOST, description="of a capture: addresses still to be fetched"
    )


class CrawlJob(Frozen):
    run_id: NonEmpty
    kind: RunKind
    platform: Platform
    terms: tuple[str, ...] = ()
    targets: tuple[Target, ...] = ()
    rests: tuple[Rest, ...] = Field(default=(), description="of terms that an earlier run has begun")
    handled: tuple[str, ...] = Field(default=(), description="item ids that it has dealt with")
    panel: Panel | None = Field(default=None, description="what a sample draws from")
    seed: str | None = Field(default=None, min_length=1, description="of the draw")
    requests_at_most: int | None = Field(
        default=None, ge=1, description="what is left of the day's budget; never more than that budget"
    )
    seconds_at_most: float | None = Field(default=None, gt=0, description="until the time window closes")
    follow: bool = Field(default=True, description="whether a look goes where redirects lead")
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
        if self.platform.road == "import":
            raise ValueError(f"{self.platform.name} cannot be crawled: its road is {self.platform.road}")
        if self.platform.road == "api" and self.kind not in (RunKind.SWEEP, RunKind.RECHECK):
            raise ValueError(f"{self.platform.name} is asked by its interface, which has no {self.kind}")
        if self.kind.looks and not self.targets:
            raise ValueError(f"a {self.kind} needs targets")
        self._keep_the_arms_apart()
        counts = Counter(target.item_id for target in self.targets)
        if twice := sorted(item_id for item_id, count in counts.items() if count > 1):
            raise ValueError(f"targets named twice: {', '.join(twice)}")
        return self

    @property
    def scope(self) -> str | None:
        """Names what is searched, so that only runs of the same search are compared; None: no search."""
        if self.panel is not None:
            return self.panel.digest
        if self.kind.looks:
            return None
        terms = self.terms or self.platform.terms
        return hashlib.sha256("\n".join(sorted(set(terms))).encode()).hexdigest()

    def _keep_the_arms_apart(self) -> None:
        drawn = self.panel is not None and self.seed is not None
        if drawn != (self.kind.arm is Arm.RANDOM) or (self.panel is None) != (self.seed is None):
            raise ValueError("a sample, and nothing else, has a panel and a seed")
        if drawn and (self.terms or self.targets or self.rests):
            raise ValueError("a sample searches its panel only")
        if self.panel is not None and self.panel.platform != self.platform.name:
            raise ValueError(f"the panel is of {self.panel.platform}, the profile of {self.platform.name}")


class Handled(Frozen):
    """A listing behind a search result that was dealt with: read, or looked at and found not to be one."""

    item_id: NonEmpty


class Asked(Frozen):
    """One request and what came of it; ``status`` None: no answer."""

    at: AwareDatetime
    url: str = Field(max_length=500, description="its beginning")
    status: int | None = None
    pause_s: float = Field(default=0, ge=0, description="seconds of silence that the answer asked for")
    limited: bool = Field(default=False, description="an interface said 'too often', under whatever status")


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
    scope: str | None = Field(default=None, description="see CrawlJob.scope")
    resumed: bool = Field(default=False, description="took up what an earlier run had begun")
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


def requests_file(run: Path) -> Path:
    return run / "requests.jsonl"


def pages_file(run: Path) -> Path:
    return run / "pages.jsonl"


def handled_file(run: Path) -> Path:
    return run / "handled.jsonl"


def frame_file(run: Path) -> Path:
    return run / "frame.jsonl"


def draws_file(run: Path) -> Path:
    return run / "draws.jsonl"


def captures_file(run: Path) -> Path:
    return run / "captures.jsonl"


def pictures_file(run: Path) -> Path:
    return run / "pictures.jsonl"


def pictures_dir(run: Path) -> Path:
    return evidence_dir(run) / "pictures"


def evidence_dir(run: Path) -> Path:
    return run / "evidence"


def add_issue(run: Path, issue: Issue) -> None:
    """For the parent, after the child has ended; a line that was torn then stays a line of its own."""
    path = issues_file(run)
    torn = path.exists() and path.read_bytes()[-1:] not in (b"", b"\n")
    with path.open("ab") as lines:
        lines.write(b"\n" * torn + issue.model_dump_json().encode() + b"\n")


@contextmanager
def alive(run: Path) -> Iterator[None]:
    """The child's side: a lock that the kernel takes back when the child is gone, however it went."""
    with job_file(run).open("rb") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        yield


def is_alive(run: Path) -> bool:
    """Whether a child works on ``run`` at this moment; one that was just started may not have begun yet."""
    try:
        with alive(run):
            return False
    except BlockingIOError:
        return True


@dataclass(frozen=True)
class RequestTally:
    """What a run asked of its platform. ``silent_until``: the longest silence that an answer asked for."""

    requests: int = 0
    refusals: int = 0
    silent_until: datetime | None = None


@dataclass(frozen=True)
class Run:
    """A finished or broken-off run as it lies on the disk. ``stats`` is None when it did not end cleanly."""

    path: Path
    stats: RunStats | None
    listings: tuple[Listing, ...]
    sightings: tuple[Sighting, ...]
    issues: tuple[Issue, ...]
    requests: RequestTally = RequestTally()
    pages: tuple[SearchPage, ...] = ()
    handled: frozenset[str] = frozenset()
    frame: tuple[Position, ...] = ()
    draws: tuple[DrawnLook, ...] = ()
    captures: tuple[Capture, ...] = ()
    pictures: tuple[Picture, ...] = ()

    @property
    def damaged(self) -> bool:
        """Whether lines are missing: what they said is unknown, so nothing may be inferred from the rest."""
        return any(issue.code in DAMAGE for issue in self.issues)


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
    before = len(found)
    asked = list(_shapes(requests_file(run), Asked, found))
    unread = len(found) - before
    pages = tuple(_shapes(pages_file(run), SearchPage, found))
    handled = {line.item_id for line in _shapes(handled_file(run), Handled, found)}
    handled |= {listing.item_id for listing in listings}  # killed between the two lines
    frame = tuple(_shapes(frame_file(run), Position, found))
    draws = tuple(_drawn_once(_shapes(draws_file(run), DrawnLook, found), found))
    captures = tuple(_shapes(captures_file(run), Capture, found))
    pictures = tuple(_shapes(pictures_file(run), Picture, found))
    stats = _read_stats(run, found)
    if stats and (stats.items, stats.sightings) != (len(listings), len(sightings)):
        counts = f"{len(listings)} items and {len(sightings)} sightings"
        told = f"{stats.items} and {stats.sightings}"
        found.append(_broken("count_mismatch", f"The run holds {counts}, its stats tell of {told}."))
    return Run(
        path=run,
        stats=stats,
        listings=listings,
        sightings=sightings,
        issues=(*issues, *found),
        requests=_tally(asked, unread + (stats is None)),
        pages=pages,
        handled=frozenset(handled),
        frame=frame,
        draws=draws,
        captures=captures,
        pictures=pictures,
    )


def _drawn_once(looks: Iterable[DrawnLook], found: list[Issue]) -> Iterator[DrawnLook]:
    """The first line of each position that was drawn."""
    known: set[tuple[str, int]] = set()
    for look in looks:
        place = (look.query, look.position)
        if place in known:
            message = f"{look.query!r}, position {look.position}, stands twice in draws.jsonl."
            found.append(_broken("repeated_draw", message))
        else:
            known.add(place)
            yield look


def _tally(asked: list[Asked], untold: int) -> RequestTally:
    """``untold``: lines that cannot be read, and the one that a run which broke off may not have written."""
    pauses = (one.at + timedelta(seconds=one.pause_s) for one in asked if one.pause_s)
    return RequestTally(
        requests=len(asked) + untold,
        refusals=sum(one.limited or one.status in REFUSALS for one in asked),
        silent_until=max(pauses, default=None),
    )


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
