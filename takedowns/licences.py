"""The licence numbers of verdicts, in rows of their own so that the same one is found on other listings."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Session

from classifiers import claims
from takedowns.ledger.tables import LicenceClaim

Row = dict[str, Any]


def store(session: Session, verdicts: Iterable[tuple[int, Mapping[str, Any]]]) -> None:
    """Write the numbers of new verdicts, each given by its id and as JSON."""
    if rows := [row for verdict_id, payload in verdicts for row in rows_of(verdict_id, payload)]:
        session.execute(sa.insert(LicenceClaim), rows)


def rows_of(verdict_id: int, payload: Mapping[str, Any]) -> list[Row]:
    """Each number of a verdict once, with the status that it has where it stands first."""
    rows: dict[tuple[str, str], Row] = {}
    for claim in payload.get("claims", ()):
        kind, number = claim["kind"], claims.number(claim["kind"], claim["text"])
        if number is not None:
            row = {"verdict_id": verdict_id, "kind": kind, "number": number, "status": claim["status"]}
            rows.setdefault((kind, number), row)
    return list(rows.values())
