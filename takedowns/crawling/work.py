"""Work items: what crawls have to do, open until a run has done it, whatever becomes of the runs in between.

How far a broken-off search had come stands in its run directory; here stands which run to ask.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import sqlalchemy as sa
from pydantic import ValidationError
from sqlalchemy.orm import Session

from crawlers import rundir
from crawlers.listing import Presence
from crawlers.resuming import Rest, rest_of
from crawlers.rundir import RunKind
from takedowns.crawling import errands
from takedowns.ledger.tables import WorkItem
from takedowns.ledger.vocabulary import Errand, WorkState

WAITING = (WorkState.OPEN, WorkState.RUNNING)
BREAK_OFFS = 3  # runs that died with an item in hand, before a person is asked
# Endings that an hour later are the same: the next planned run is the next try.
VAIN = frozenset({"site_changed", "dead_host", "crashed", "closespider_errorcount"})
RESUME_WITHIN = timedelta(hours=24)  # results of yesterday are not continued today, but searched anew


def plan(
    session: Session, platform: str, kind: RunKind, wanted: Mapping[str, dict[str, Any]], *, now: datetime
) -> None:
    """Add an item for each subject (→ its detail); one that is open already takes the new detail over."""
    found = {
        item.subject: item for item in session.scalars(sa.select(WorkItem).where(*_waiting(platform, kind)))
    }
    there = set(found)
    for subject in there & wanted.keys():
        if found[subject].state is WorkState.OPEN:
            found[subject].detail = wanted[subject]
    if kind is RunKind.SAMPLE:  # the hour of an earlier one is over
        _give_up(session, platform, kind, there - wanted.keys(), now)
    session.add_all(
        WorkItem(
            arm=kind.arm,
            kind=kind,
            platform=platform,
            subject=subject,
            state=WorkState.OPEN,
            detail=detail,
            created_at=now,
        )
        for subject, detail in wanted.items()
        if subject not in there
    )
    session.flush()


def waiting(session: Session, platform: str, kind: RunKind) -> set[str]:
    """The subjects that are open or in the hands of a run."""
    return set(session.scalars(sa.select(WorkItem.subject).where(*_waiting(platform, kind))))


def _give_up(session: Session, platform: str, kind: RunKind, subjects: set[str], now: datetime) -> None:
    session.execute(
        sa.update(WorkItem)
        .where(*_waiting(platform, kind), WorkItem.state == WorkState.OPEN, WorkItem.subject.in_(subjects))
        .values(state=WorkState.GIVEN_UP, finished_at=now, version=WorkItem.version + 1)
    )


def take(
    session: Session, platform: str, kind: RunKind, run_id: str, *, only: Iterable[str], now: datetime
) -> list[tuple[WorkItem, str | None]]:
    """Give the open items among ``only`` to a run; each with the earlier run to take up, if it is fresh."""
    found = session.scalars(
        sa.select(WorkItem)
        .where(*_waiting(platform, kind), WorkItem.state == WorkState.OPEN)
        .order_by(WorkItem.id)
    ).all()
    wanted = set(only)
    taken = [(item, _begun_by(item, now)) for item in found if item.subject in wanted]
    for item, begun_by in taken:
        item.state, item.run_id = WorkState.RUNNING, run_id
        if begun_by is None:
            item.created_at = now
    session.flush()
    return taken


def end(session: Session, run: rundir.Run, *, now: datetime) -> None:
    """Close what ``run`` has done of its items, and open the rest again unless another try is in vain."""
    items = session.scalars(
        sa.select(WorkItem).where(WorkItem.run_id == run.path.name, WorkItem.state == WorkState.RUNNING)
    ).all()
    done = _done(run, items)
    for item in items:
        item.attempts += run.stats is None
        if item.subject in done:
            item.state, item.finished_at = WorkState.DONE, now
        elif item.attempts >= BREAK_OFFS or (run.stats and run.stats.finish_reason in VAIN):
            item.state, item.finished_at = WorkState.GIVEN_UP, now
        else:
            item.state = WorkState.OPEN
    if given_up := [item for item in items if item.state is WorkState.GIVEN_UP and run.stats is None]:
        message = (
            f"{BREAK_OFFS} runs broke off over {len(given_up)} pieces of work, {given_up[0].subject!r} first."
        )
        errands.raise_errand(session, given_up[0].platform, Errand.GIVEN_UP, run.path.name, message, now=now)
    session.flush()


def open_work(session: Session, *, now: datetime) -> dict[tuple[str, RunKind], list[str]]:
    """(platform, kind) → subjects that wait for another try.

    Of searches, those that a run had in hand within :data:`RESUME_WITHIN`: the others have their own time.
    A listing to be looked at has none, so it waits until it was looked at, also when no run was let start.
    """
    found: defaultdict[tuple[str, RunKind], list[str]] = defaultdict(list)
    rows = session.scalars(
        sa.select(WorkItem)
        .where(
            WorkItem.state == WorkState.OPEN,
            sa.or_(
                WorkItem.kind.in_([kind for kind in RunKind if kind.judges]),
                sa.and_(WorkItem.run_id.is_not(None), WorkItem.created_at > now - RESUME_WITHIN),
            ),
        )
        .order_by(WorkItem.id)
    )
    for item in rows:
        found[item.platform, RunKind(item.kind)].append(item.subject)
    return found


def how_far(runs: Path, begun: Mapping[str, str]) -> tuple[tuple[Rest, ...], tuple[str, ...]]:
    """What is left of each term (→ the run that began it), and the listings that those runs dealt with.

    A run whose directory is gone or cannot be read leaves its terms to be searched from the beginning.
    """
    rests: list[Rest] = []
    handled: set[str] = set()
    for run_id in sorted(set(begun.values())):
        job = _job(runs / run_id)
        if job is None:
            continue
        run = rundir.read_run(runs / run_id)
        dealt_with = run.handled | set(job.handled)
        before = {rest.term: rest for rest in job.rests}
        terms = [term for term, by in begun.items() if by == run_id]
        rests += [rest_of(before.get(term) or Rest(term=term), run.pages, dealt_with) for term in terms]
        handled |= dealt_with
    return tuple(rests), tuple(sorted(handled))


def _done(run: rundir.Run, items: Sequence[WorkItem]) -> set[str]:
    subjects = {item.subject for item in items}
    if items and items[0].kind == RunKind.CAPTURE:  # a wall is no picture of the listing
        shown = (one for one in run.captures if one.view and one.state is not Presence.BLOCKED)
        return {capture.item_id for capture in shown}
    if run.stats and run.stats.finish_reason == "finished":
        return subjects
    job = _job(run.path)
    kind = RunKind(items[0].kind) if items else None
    if kind is RunKind.SAMPLE:  # a sample cannot be continued: the results move on
        return subjects if run.stats else set()
    if kind is not None and kind.judges:
        return {sighting.item_id for sighting in run.sightings if _was_reached(sighting.reason)}
    if kind is None or job is None:
        return set()
    before = {rest.term: rest for rest in job.rests}
    dealt_with = run.handled | set(job.handled)
    rests = (rest_of(before.get(term) or Rest(term=term), run.pages, dealt_with) for term in subjects)
    return {rest.term for rest in rests if rest.finished}


def _was_reached(reason: str) -> bool:
    return reason != "not_reached" and not reason.startswith("crawl_")


def _begun_by(item: WorkItem, now: datetime) -> str | None:
    return item.run_id if now - item.created_at < RESUME_WITHIN else None


def _waiting(platform: str, kind: RunKind) -> list[sa.ColumnElement[bool]]:
    return [WorkItem.platform == platform, WorkItem.kind == kind, WorkItem.state.in_(WAITING)]


def _job(run: Path) -> rundir.CrawlJob | None:
    try:
        return rundir.CrawlJob.model_validate_json(rundir.job_file(run).read_bytes())
    except (OSError, ValidationError):
        return None
