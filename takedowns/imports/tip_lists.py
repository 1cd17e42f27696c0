"""A file of tips into the ledger: the good rows, and a sentence with file, line and column for each other."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from itertools import islice
from pathlib import Path

from sqlalchemy.orm import Session

from takedowns import tips
from takedowns.imports import tabular, tip_rows
from takedowns.imports.tabular import Record, RowError
from takedowns.ledger.engine import Ledger
from takedowns.ledger.tables import Tip, User
from takedowns.replies.columns import CellError
from takedowns.roles import REVIEWERS, require
from takedowns.states import TipState

PORTION = 200  # rows of one transaction: while it writes, nobody else can


@dataclass
class Result:
    """``added`` are new; ``dropped`` names the columns that were not read, since they may say who told it."""

    added: list[Tip] = field(default_factory=list)
    known: int = 0
    dropped: list[str] = field(default_factory=list)
    errors: list[str] = field(default_factory=list)

    @property
    def numbers(self) -> dict[str, int]:
        return {
            "new": len(self.added),
            "known": self.known,
            "linked": sum(tip.state is TipState.LINKED for tip in self.added),
            "minors": sum(tip.minors for tip in self.added),
            "errors": len(self.errors),
        }


def import_file(
    ledger: Ledger, path: Path, user: User, house: tips.House, *, origin: str, now: datetime
) -> Result:
    """Take in a .csv, .xlsx or .jsonl; ``origin`` is for rows that name none.

    Some hundred rows are one transaction: the rest of a file that broke off is taken in by doing it again.
    Raises tabular.FileError when nothing can be read, roles.NotAllowedError.
    """
    require(user, REVIEWERS)
    result = Result()
    rows = tabular.read_records(path, tip_rows.FIELD_OF)
    while portion := list(islice(rows, PORTION)):
        with ledger.write() as session:
            for row in portion:
                _take(session, row, result, path, user, house, origin, now)
    return result


def _take(
    session: Session, row: Record | RowError, result: Result, path: Path, user: User, house: tips.House,
    origin: str, now: datetime,
) -> None:  # fmt: skip
    if isinstance(row, RowError):
        result.errors.append(_sentence(path, row, row.field, row.message))
        return
    result.dropped = tip_rows.dropped([*result.dropped, *row.fields])
    try:
        told = tip_rows.read(row.fields, now=now, origin=origin)
        tip, is_new = tips.add(session, told, user, house, now=now)
    except CellError as error:
        result.errors.append(_sentence(path, row, _header(row.fields, error.field), str(error)))
    except tips.TipError as error:
        result.errors.append(_sentence(path, row, "(row)", str(error)))
    else:
        result.known += not is_new
        result.added += [tip] if is_new else []


def _header(fields: Mapping[str, str], field: str) -> str:
    """The column's name as it stands in the file."""
    return next((name for name in fields if tip_rows.FIELD_OF.get(tabular.plain_name(name)) == field), field)


def _sentence(path: Path, row: Record | RowError, field: str, message: str) -> str:
    return f"{path.name}:{f'{row.sheet}:' if row.sheet else ''}{row.line}: {field}: {message}"
