"""What runs left, into the ledger and the evidence store: at their end, or later where their parent died."""

from __future__ import annotations

import logging
import time
from datetime import timedelta
from pathlib import Path

import sqlalchemy as sa
from sqlalchemy.orm import Session

from crawlers import rundir
from takedowns import accounts, intake, tips
from takedowns.context import Context
from takedowns.crawling import admission, looking
from takedowns.evidence import keeping, manifest, pictures
from takedowns.ledger.tables import CrawlRun
from takedowns.ledger.vocabulary import RunState
from takedowns.prejudged import prejudged

log = logging.getLogger(__name__)

START_S = 60  # seconds in which a started run may not have begun yet
# After the time that a run may take: a machine that comes back sooner finds its runs as it left them. After
# it, the platform would be busy for ever if the machine never came back.
LOST_AFTER = timedelta(days=1)


def take_in(context: Context, run: rundir.Run) -> intake.IntakeResult:
    """What the run left, into the ledger and the evidence store; of one that is known, nothing.

    What takes long comes first: while we write, nobody else can.
    """
    brought = pictures.keep(context.ledger, context.evidence, run)
    made = manifest.make(context.evidence, run.path)
    judged = prejudged(context.ledger, intake.shown(run), context.classifier)
    with context.ledger.write() as session:
        stored = intake.ingest_run(session, run, judged, now=context.clock())
        tips.queue_seen(session, context.settings, now=context.clock())
        pictures.record(session, run, brought, now=context.clock())
        keeping.keep(session, context.evidence, made, now=context.clock())
    return stored


def collect_leftovers(context: Context) -> list[str]:
    """Take in runs whose parent died before it could; return their ids. A run still going is left alone.

    So is one of another machine, which alone can tell whether it is going, until :data:`LOST_AFTER`. One that
    cannot be taken in ends as failed, is told of by name, and keeps no other from it.
    """
    with context.ledger.read() as session:
        others, started = _running(session, context)
        known = set(session.scalars(sa.select(CrawlRun.run_id).where(CrawlRun.state != RunState.RUNNING)))
    there = {run.name for run in context.runs.glob("*") if run.is_dir()}
    leftovers = sorted(run_id for run_id in there - known - others if _ended(context.runs / run_id))
    leftovers += sorted(started - there - known)
    for run_id in leftovers:
        (context.runs / run_id).mkdir(parents=True, exist_ok=True)  # its parent may have died before that
        try:
            with accounts.failing(context, run_id):
                _take_in_left(context, run_id)
        except Exception:
            log.exception("what the run %s found was not taken in: it stays in %s", run_id, context.runs)
    return leftovers


def _running(session: Session, context: Context) -> tuple[set[str], set[str]]:
    """Of the runs that did not end: those of other machines, and ours that had the time to begin."""
    now = context.clock()
    lost_before = now - timedelta(minutes=context.settings.crawl.wall_clock_minutes) - LOST_AFTER
    running = session.execute(
        sa.select(CrawlRun.run_id, CrawlRun.host, CrawlRun.started_at).where(
            CrawlRun.state == RunState.RUNNING
        )
    ).all()
    ours = (None, admission.this_host())
    others = {run for run, host, started in running if host not in ours and started > lost_before}
    begun = {run for run, _, started in running if started < now - timedelta(seconds=START_S)}
    return others, begun - others


def _take_in_left(context: Context, run_id: str) -> None:
    run = rundir.read_run(context.runs / run_id)
    with context.ledger.read() as session:
        row = session.get(CrawlRun, run_id)
    if row and row.kind == rundir.RunKind.LOOK:
        looking.close(context, run)
    else:
        take_in(context, run)


def _ended(run: Path) -> bool:
    """Whether nobody will write into ``run`` any more; a parent needs a moment to start its child."""
    job = rundir.job_file(run)
    if rundir.stats_file(run).exists():
        return True
    if not job.exists():
        return time.time() - run.stat().st_mtime > START_S
    return time.time() - job.stat().st_mtime > START_S and not rundir.is_alive(run)
