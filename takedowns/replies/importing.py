"""Rows of a reply, by whatever road: claims, numbers and lists out of them, and the rest to the tray."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime, time
from functools import lru_cache
from itertools import islice
from pathlib import Path

from sqlalchemy.orm import Session

from crawlers.platforms import Platform
from takedowns.content import storable
from takedowns.deadlines import SHANGHAI
from takedowns.imports import tabular
from takedowns.imports.tabular import Record, RowError
from takedowns.ledger.tables import CleaningReport, Lead
from takedowns.replies import claims, cleaning, columns, matching, tray
from takedowns.replies.claims import ACTOR, Received
from takedowns.replies.columns import LISTS, CellError
from takedowns.replies.matching import ONE_OF_US, Directory, Named, Speaker

PORTION = 5_000  # rows looked up and written at a time
STRAYS_AT_MOST = 200  # of one file or mail: nobody handles more by hand, and a flood would hide all others
ERRORS_AT_MOST = 1_000  # sentences in a result
REFUSED_AT_MOST = 20_000  # then reading ends: it is no reply to us, and nobody else can write meanwhile


@dataclass(frozen=True)
class Origin:
    """The file, mail or call that rows come from; ``key`` tells two of the same name apart."""

    name: str
    key: str
    received_at: datetime
    speaker: Speaker = ONE_OF_US
    actor: str = ACTOR

    def __str__(self) -> str:
        return f"{self.name}#{self.key}"

    def received(self, place: str, now: datetime) -> Received:
        return Received(f"{self}:{place}", self.received_at, now, self.actor)


@dataclass
class Result:
    """What became of the rows. ``errors`` has a sentence with file, line and column for those refused."""

    accepted: int = 0  # claims that are new
    known: int = 0
    reports: int = 0  # quantities that are new
    cleaned: int = 0  # single things that are new
    strays: int = 0  # rows in the tray that were not there before
    refused: int = 0
    errors: list[str] = field(default_factory=list)

    def plus(self, other: Result) -> Result:
        numbers = {name: value + getattr(other, name) for name, value in self.numbers().items()}
        return Result(**numbers, errors=[*self.errors, *other.errors][:ERRORS_AT_MOST])

    def numbers(self) -> dict[str, int]:
        return {name: value for name, value in vars(self).items() if name != "errors"}


def import_file(session: Session, path: Path, *, platforms: Mapping[str, Platform], now: datetime) -> Result:
    """Take in the claims of a .csv, .xlsx or .jsonl file that one of us was given; known ones add nothing.

    Raises tabular.FileError when nothing can be read.
    """
    data = tabular.read(path)
    origin = Origin(storable(path.name), hashlib.sha256(data).hexdigest()[:12], now)
    rows = tabular.records_in(path, data, columns.FIELD_OF)
    return take(session, rows, origin, Directory(platforms), now=now)


def take(
    session: Session,
    rows: Iterable[Record | RowError],
    origin: Origin,
    directory: Directory,
    *,
    now: datetime,
) -> Result:
    """Write down what ``rows`` say, some thousand of them at a time."""
    taking = _Taking(session, origin, directory, now)
    rows = iter(rows)
    while (portion := list(islice(rows, PORTION))) and taking.result.refused < REFUSED_AT_MOST:
        taking.portion(portion)
    return taking.close(portion[0] if portion else None)


@dataclass(frozen=True)
class _Row:
    record: Record
    place: str
    cells: Mapping[str, str]
    named: Named


class _Taking:
    def __init__(self, session: Session, origin: Origin, directory: Directory, now: datetime) -> None:
        self.session = session
        self.origin = origin
        self.directory = directory
        self.now = now
        self.result = Result()
        self.lists = cleaning.Lists(session, Received(str(origin), origin.received_at, now, origin.actor))
        self.told: list[CleaningReport] = []
        self.leads = matching.Leads()

    def portion(self, records: Iterable[Record | RowError]) -> None:
        rows = list(self._named(records))
        self.leads.load(self.session, [row.named for row in rows])
        for row in rows:
            try:
                self._take(row)
            except CellError as error:
                self._refuse(row.record, row.place, error)
        self.result.cleaned += self.lists.flush()

    def close(self, unread: Record | RowError | None) -> Result:
        """``unread`` is the first row that was not looked at any more."""
        self.lists.close(self.told)
        if self.result.refused > STRAYS_AT_MOST:
            rest = self.result.refused - STRAYS_AT_MOST
            reason = f"{rest} more rows could not be used: have the sender mend the file, or import it again"
            self._put("rest", {}, reason)
        if unread:
            why = f"nothing was read from here on: {self.result.refused} rows before could not be used"
            self.result.refused += 1
            self.result.errors.append(f"{self.origin.name}:{_place(unread)}: (row): {why}")
            self._put("unread", {}, f"line {_place(unread)}: {why}")
        return self.result

    def _named(self, records: Iterable[Record | RowError]) -> Iterator[_Row]:
        for record in records:
            place = _place(record)
            try:
                if isinstance(record, RowError):
                    raise CellError(record.field, record.message)
                cells = columns.cells_of(record.fields)
                columns.refuse_formulas(cells)
                yield _Row(record, place, cells, matching.named(cells, self.directory))
            except CellError as error:
                self._refuse(record, place, error)

    def _take(self, row: _Row) -> None:
        if LISTS.keys() & row.cells.keys():
            self._list(row)
            return
        reply = columns.read(row.cells, now=self.now)
        received = self.origin.received(row.place, self.now)
        if not reply.measures and not (row.named.number or row.named.item_id):
            self._tell(self._platform(row), None, reply, received)
            return
        lead = self._lead(row)
        new = claims.store(self.session, lead, reply, received)
        self.result.accepted += new
        self.result.known += len(reply.measures) - new
        self._tell(lead.listing.platform, lead, reply, received)

    def _tell(self, platform: str, lead: Lead | None, reply: columns.Reply, received: Received) -> None:
        new = cleaning.report(self.session, platform, lead, reply, received)
        self.told += new
        self.result.reports += len(new)

    def _list(self, row: _Row) -> None:
        lead = self._lead(row) if row.named.number else None
        platform = lead.listing.platform if lead else self._platform(row)
        claimed_at = _day(row.cells.get("claimed_at", ""), self.now)
        for name in LISTS.keys() & row.cells.keys():
            thing = self._identifier(name, row.cells[name], platform)
            self.lists.add(platform, lead, LISTS[name], thing, claimed_at)

    def _identifier(self, name: str, cell: str, platform: str) -> str:
        """A listing's address is its item id, so that it counts once however it is written."""
        if len(cell) > cleaning.IDENTIFIER_AT_MOST:
            raise CellError(name, f"is longer than {cleaning.IDENTIFIER_AT_MOST} characters")
        if not cell.startswith(("http://", "https://")):
            return cell
        found = self.directory.item_of(cell, platform)
        return found[1] if isinstance(found, tuple) and found[0] == platform else cell

    def _lead(self, row: _Row) -> Lead:
        return matching.match(row.named, self.leads, self.origin.speaker, self.directory)

    def _platform(self, row: _Row) -> str:
        platform = row.named.platform or self.origin.speaker.only or ""
        if not platform:
            raise CellError("platform", "neither a lead nor a platform is named")
        if not self.directory.knows(platform):
            raise CellError("platform", f"no platform is called {platform[:40]!r}")
        if not self.origin.speaker.may_answer_for(platform):
            raise CellError("platform", f"the sender may not answer for {platform}")
        return platform

    def _refuse(self, record: Record | RowError, place: str, error: CellError) -> None:
        self.result.refused += 1
        sentence = f"{self.origin.name}:{place}: {error.field}: {error}"
        if len(self.result.errors) < ERRORS_AT_MOST:
            self.result.errors.append(sentence)
        if self.result.refused <= STRAYS_AT_MOST:
            given = record.raw if isinstance(record, RowError) else record.fields
            self._put(place, given, f"{error.field}: {error}")

    def _put(self, place: str, cells: Mapping[str, str], reason: str) -> None:
        received = self.origin.received(place, self.now)
        self.result.strays += tray.put(self.session, received, cells, reason, self.origin.speaker.only)


def _place(record: Record | RowError) -> str:
    return f"{record.sheet}:{record.line}" if record.sheet else str(record.line)


@lru_cache(maxsize=1000)
def _day(text: str, now: datetime) -> datetime | None:
    """The beginning of the day: a list names a time for each row, and is one report a day."""
    claimed_at = columns.time_in(text, now)
    return claimed_at and datetime.combine(claimed_at.astimezone(SHANGHAI), time(), SHANGHAI)
