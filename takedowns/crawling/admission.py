"""Letting a run start: what its platform permits now, found out and written down in one transaction.

The row of a running run holds the requests that it may make, so that two that start at once can neither spend
the same budget nor knock at one platform together.
"""

from __future__ import annotations

import socket
from datetime import datetime

import sqlalchemy as sa
from sqlalchemy.orm import Session

from crawlers.permission import LONGEST_RETRY_AFTER, PastRun, Permission, day_start, permission
from crawlers.platforms import Platform
from crawlers.rundir import Arm, RunKind
from crawlers.sampling import Panel
from takedowns.ledger.tables import CrawlRun
from takedowns.ledger.vocabulary import RunState

REASONS = {
    "busy": "another run on it is under way",
    "cool_off": "it refused us lately, so we keep away",
    "outside_window": "its time window is closed",
    "budget_spent": "the day's requests are spent",
}


class NotNowError(ValueError):
    """The platform may not be crawled at this moment; ``permission`` says why and when to ask again."""

    def __init__(self, platform: str, refused: Permission) -> None:
        until = f" until {refused.until:%Y-%m-%d %H:%M %Z}" if refused.until else ""
        super().__init__(f"{platform} is not crawled now{until}: {REASONS[refused.refusal or 'busy']}")
        self.permission = refused


def admit(
    session: Session,
    platform: Platform,
    kind: RunKind,
    run_id: str,
    *,
    panel: Panel | None,
    simulated: bool,
    now: datetime,
) -> Permission:
    """Write the row of the run that may start now. Raises NotNowError when none may.

    ``panel``: the platform's own, if it has one; what a sample needs is kept for it until it was drawn.
    """
    take_turn(session)
    past = past_runs(session, platform.name, now)
    kept = _set_aside(session, platform, kind, panel, now)
    allowed = permission(platform, past, now, set_aside=kept)
    if allowed.refusal:
        raise NotNowError(platform.name, allowed)
    session.add(
        CrawlRun(
            run_id=run_id,
            kind=kind,
            arm=kind.arm,
            platform=platform.name,
            state=RunState.RUNNING,
            started_at=now,
            recorded_at=now,
            simulated=simulated,
            trusted=False,
            requests=allowed.requests,
            host=this_host(),
            stats={},
        )
    )
    session.flush()
    return allowed


def take_turn(session: Session) -> None:
    """Two that ask at once must see each other; SQLite has one writer anyway."""
    if session.get_bind().dialect.name == "postgresql":
        session.execute(sa.text("LOCK TABLE crawl_run IN SHARE ROW EXCLUSIVE MODE"))


def this_host() -> str:
    """The machine that a run is on: where its directory lies, and where alone it shows that it has died."""
    return socket.gethostname()


def past_runs(session: Session, platform: str, now: datetime) -> list[PastRun]:
    """What the permission rests on: the runs of the last month, and whatever still runs."""
    run = CrawlRun
    recent = sa.or_(run.started_at > now - LONGEST_RETRY_AFTER, run.state == RunState.RUNNING)
    rows = session.scalars(sa.select(run).where(run.platform == platform, recent).order_by(run.started_at))
    return [
        PastRun(
            started_at=row.started_at,
            ended_at=None if row.state is RunState.RUNNING else row.finished_at or row.recorded_at,
            requests=row.requests,
            refusals=row.refusals,
            blocked=row.state is RunState.BLOCKED,
            silent_until=row.silent_until,
        )
        for row in rows
    ]


def _set_aside(
    session: Session, platform: Platform, kind: RunKind, panel: Panel | None, now: datetime
) -> int:
    """The random arm's requests of today, which the targeted arm leaves alone."""
    if panel is None or platform.road != "page" or platform.search is None or kind.arm is Arm.RANDOM:
        return 0
    drawn = sa.select(CrawlRun.run_id).where(
        CrawlRun.platform == platform.name,
        CrawlRun.arm == Arm.RANDOM,
        CrawlRun.state != RunState.FAILED,
        CrawlRun.started_at >= day_start(now),
    )
    return 0 if session.scalars(drawn.limit(1)).first() else panel.cost(platform.search.pages)
