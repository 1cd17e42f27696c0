"""Human numbers of documents: ``<year>-<office code>-<serial>``, without gaps and given out once."""

from __future__ import annotations

from datetime import datetime

import sqlalchemy as sa
from sqlalchemy.orm import Session

from takedowns.deadlines import SHANGHAI

# One statement on both databases: it locks the row, so a second transaction waits for the first to end.
_NEXT = sa.text(
    "INSERT INTO number_series (kind, year, last) VALUES (:kind, :year, 1) "
    "ON CONFLICT (kind, year) DO UPDATE SET last = number_series.last + 1 RETURNING last"
)


def next_lead_number(session: Session, office_code: str, *, now: datetime) -> str:
    """Such as ``2026-0000-00012``; the year is that of Shanghai."""
    year, serial = _next(session, "lead", now)
    return f"{year}-{office_code}-{serial:05}"


def next_notice_number(session: Session, office_code: str, *, now: datetime) -> str:
    """Such as ``2026-0000-T00003`` (T for 通知), never to be taken for a lead's number."""
    year, serial = _next(session, "notice", now)
    return f"{year}-{office_code}-T{serial:05}"


def next_tip_number(session: Session, office_code: str, *, now: datetime) -> str:
    """Such as ``2026-0000-J00003`` (J for 举报)."""
    year, serial = _next(session, "tip", now)
    return f"{year}-{office_code}-J{serial:05}"


def next_handover_number(session: Session, office_code: str, *, now: datetime) -> str:
    """Such as ``2026-0000-X00003`` (X for 协查), also of what another office handed to us."""
    year, serial = _next(session, "handover", now)
    return f"{year}-{office_code}-X{serial:05}"


def _next(session: Session, kind: str, now: datetime) -> tuple[int, int]:
    year = now.astimezone(SHANGHAI).year
    return year, session.execute(_NEXT, {"kind": kind, "year": year}).scalar_one()
