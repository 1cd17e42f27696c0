"""A run's row in the ledger: how it went, what it asked for, and what it is worth beside its predecessors."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta
from typing import Any

import sqlalchemy as sa
from pydantic import ValidationError
from sqlalchemy.orm import Session

from crawlers import health, rundir
from crawlers.listing import Listing, Sighting
from takedowns.content import storable
from takedowns.context import Context
from takedowns.crawling import errands, work
from takedowns.ledger.tables import CrawlRun
from takedowns.ledger.vocabulary import Errand, RunState

UNKNOWN = "unknown"  # kind or platform of a run whose job.json is broken as well
LONGEST_MESSAGE = 1000  # characters: an error of the ledger may repeat a whole page
LOOK_BACK = timedelta(days=60)  # runs before that say nothing about today's site
# Complaints after which a person has to look at the profile or the site.
SENSELESS = health.FAILING - {"crashed", "internal_error", "zero_items"}
NO_CANARY = "no_canary"
UNREACHABLE = "dead_host"  # where nothing answers, the canary fails as well


def account(session: Session, run: rundir.Run, now: datetime) -> CrawlRun:
    """The row of a run that has ended; the caller adds it.

    A run that broke off, failed, lost lines of its files, or brought far less than those before it is not
    trusted, and neither is a recheck unless its canary pair was seen as it must be.
    """
    stats = run.stats
    if stats is None:
        return _broken_off(run, session.get(CrawlRun, run.path.name), now)
    sudden = health.against_history(stats, _earlier(session, stats))
    outcome = _outcome(stats.outcome, failed=bool(sudden), damaged=run.damaged)
    doubtful = bool(sudden) or run.damaged or outcome is rundir.Outcome.FAILED
    told = (*run.issues, *sudden, *_unproven(stats))
    issues = [issue.model_dump(mode="json") for issue in told]
    return CrawlRun(
        run_id=run.path.name,
        kind=stats.kind,
        arm=stats.kind.arm,
        platform=stats.platform,
        state=RunState(outcome),
        started_at=stats.started_at,
        finished_at=stats.finished_at,
        recorded_at=now,
        simulated=stats.simulated,
        trusted=not doubtful and _canary_held(stats),
        stats={**stats.model_dump(mode="json"), "issues": issues},
        **_asked(run),
    )


def _canary_held(stats: rundir.RunStats) -> bool:
    """Removals rest on rechecks, which therefore need the pair; a search that has none is believed."""
    return bool(stats.canary_ok) if stats.kind.judges else stats.canary_ok is not False


def _unproven(stats: rundir.RunStats) -> Iterator[rundir.Issue]:
    """Says why looks that could tell count for nothing. An interface that cannot tell has said so itself."""
    could_tell = any(stats.counters.get(f"sightings_{state}") for state in health.CONCLUSIVE)
    if stats.kind.judges and stats.canary_ok is None and could_tell:
        message = (
            f"The profile of {stats.platform} names no canary pair, without which nothing tells a removal "
            "from a changed site: what this recheck saw counts for nothing."
        )
        yield rundir.Issue(level="warning", code=NO_CANARY, message=message)


@contextmanager
def failing(context: Context, run_id: str) -> Iterator[None]:
    """Ends the row of an admitted run as failed when it cannot be done or taken in; the error goes on.

    Else its platform would be busy for ever. Its work is open again, and what it found stays where it lies:
    only its requests are counted.
    """
    try:
        yield
    except Exception as error:
        path = context.runs / run_id
        run = rundir.read_run(path) if path.exists() else rundir.Run(path, None, (), (), ())
        with context.ledger.write() as session:
            _fail(session, run, error, context.clock())
        raise


def _fail(session: Session, run: rundir.Run, error: Exception, now: datetime) -> None:
    message = f"{run.path.name} was not taken in: {type(error).__name__}: {error}"[:LONGEST_MESSAGE]
    issue = rundir.Issue(level="error", code="not_taken_in", message=storable(message))
    empty = rundir.Run(run.path, None, (), (), (issue, *run.issues), requests=run.requests)
    session.merge(account(session, empty, now))
    session.flush()
    work.end(session, empty, now=now)


def _outcome(told: rundir.Outcome, *, failed: bool, damaged: bool) -> rundir.Outcome:
    """A wall stays a wall: the silence after it, and what a person is asked, rest on it."""
    if told is rundir.Outcome.BLOCKED:
        return told
    if failed:
        return rundir.Outcome.FAILED
    return rundir.Outcome.PARTIAL if damaged and told is rundir.Outcome.OK else told


def raise_errands(session: Session, row: CrawlRun, *, now: datetime) -> None:
    """Ask a person where the run was walled off, or where what it read makes no sense any more.

    Where it makes none because nothing answered, that is said: no profile can mend it.
    """
    issues: list[dict[str, Any]] = row.stats["issues"]
    senseless = [issue["message"] for issue in issues if issue["code"] in SENSELESS]
    silent = [issue["message"] for issue in issues if issue["code"] == UNREACHABLE]
    blocked = [issue["message"] for issue in issues if issue["code"] == "blocked"]
    if row.state is RunState.BLOCKED:
        message = " ".join(blocked) or f"{row.platform} walled us off."
        errands.raise_errand(session, row.platform, Errand.BLOCKED, row.run_id, message, now=now)
    elif row.state is RunState.FAILED and senseless and silent:
        errands.raise_errand(session, row.platform, Errand.UNREACHABLE, row.run_id, silent[0], now=now)
    elif row.state is RunState.FAILED and senseless:
        errands.raise_errand(session, row.platform, Errand.UNHEALTHY, row.run_id, senseless[0], now=now)


def _earlier(session: Session, stats: rundir.RunStats) -> list[rundir.RunStats]:
    """Those of trusted runs: one that failed beside its own predecessors must not become the measure."""
    rows = session.scalars(
        sa.select(CrawlRun.stats)
        .where(
            CrawlRun.platform == stats.platform,
            CrawlRun.kind == stats.kind,
            CrawlRun.trusted,
            CrawlRun.started_at > stats.started_at - LOOK_BACK,
        )
        .order_by(CrawlRun.started_at.desc())
        .limit(10 * health.HISTORY)  # of other scopes, too
    )
    return [found for row in rows if (found := _stats(row)) is not None]


def _stats(stored: dict[str, Any]) -> rundir.RunStats | None:
    """None for what an earlier release wrote and this one cannot read."""
    try:
        return rundir.RunStats.model_validate({k: v for k, v in stored.items() if k != "issues"})
    except ValidationError:
        return None


def _asked(run: rundir.Run) -> dict[str, Any]:
    tally = run.requests
    return {"requests": tally.requests, "refusals": tally.refusals, "silent_until": tally.silent_until}


def _broken_off(run: rundir.Run, known: CrawlRun | None, now: datetime) -> CrawlRun:
    looks: list[Listing | Sighting] = [*run.listings, *run.sightings]
    try:
        job = rundir.CrawlJob.model_validate_json(rundir.job_file(run.path).read_bytes())
        kind, platform, simulated = job.kind.value, job.platform.name, job.clock is not None
    except (OSError, ValidationError):
        kind, platform, simulated = UNKNOWN, looks[0].platform if looks else UNKNOWN, False
    if known:  # written by the parent before the start
        kind, platform, simulated = known.kind, known.platform, known.simulated
    return CrawlRun(
        run_id=run.path.name,
        kind=kind,
        arm=rundir.Arm.RANDOM if kind == rundir.RunKind.SAMPLE else rundir.Arm.TARGETED,
        platform=platform,
        state=RunState.FAILED,
        started_at=known.started_at if known else min((look.observed_at for look in looks), default=now),
        recorded_at=now,
        simulated=simulated,
        trusted=False,
        stats={"issues": [issue.model_dump(mode="json") for issue in run.issues]},
        **_asked(run),
    )
