"""The units of work, each callable from the command line, the scheduler, the desk and the demo alike."""

from __future__ import annotations

import random
import time
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import sqlalchemy as sa

from crawlers import rundir
from crawlers.listing import Presence
from crawlers.platforms import Platform
from takedowns import configuration, intake, notices, removals, reports
from takedowns.context import Context
from takedowns.crawl import Progress, crawl, new_run_id
from takedowns.ledger.tables import CrawlRun, Listing, Notice, Sighting
from takedowns.ledger.vocabulary import VerificationOutcome


@dataclass(frozen=True)
class CrawlResult:
    """``run`` is what the child left behind; ``intake`` is what of it was new."""

    run: rundir.Run
    intake: intake.IntakeResult

    @property
    def outcome(self) -> rundir.Outcome:
        return self.run.stats.outcome if self.run.stats else rundir.Outcome.FAILED

    @property
    def first_problem(self) -> str | None:
        """The sentence to show first: the first error, else the first warning."""
        ordered = sorted(self.run.issues, key=lambda issue: issue.level != "error")
        return ordered[0].message if ordered else None


class NotCrawledError(ValueError):
    """The platform is served by files and pasted links, not by a crawl."""


def sweep(
    context: Context,
    platform: str,
    terms: Sequence[str] = (),
    progress: Progress | None = None,
) -> CrawlResult:
    """Search ``platform`` for its terms (or ``terms``) and take in what is offered."""
    profile = _crawlable(context, platform)
    chosen = tuple(terms) or (profile.search.terms if profile.search else ())
    return _crawl(context, profile, rundir.RunKind.SWEEP, progress, terms=chosen)


def recheck(
    context: Context,
    platform: str,
    targets: Sequence[rundir.Target] | None = None,
    progress: Progress | None = None,
) -> CrawlResult | None:
    """Look again at ``targets``, or at every lead of ``platform`` that is due; None when nothing is due."""
    profile = _crawlable(context, platform)
    if targets is None:
        with context.ledger.read() as session:
            targets = removals.due_for_recheck(session, platform=platform, now=context.clock())
    if not targets:
        return None
    targets = _blocked_last(context, platform, targets)
    return _crawl(context, profile, rundir.RunKind.RECHECK, progress, targets=tuple(targets))


def send(context: Context, notice_id: int) -> Notice:
    """Look once more at the notice's listings, drop those that are gone already, and send it."""
    with context.ledger.read() as session:
        notice = session.get_one(Notice, notice_id)
        platform = context.platforms.get(notice.platform)
        targets = [removals.target(lead) for lead in notice.leads]
    if platform and platform.road == "page":
        recheck(context, platform.name, targets)
    return notices.send(context.ledger, notice_id, now=context.clock(), settings=context.settings)


def _blocked_last(context: Context, platform: str, targets: Sequence[rundir.Target]) -> list[rundir.Target]:
    """Shuffled, and those that were blocked at their last look at the end.

    Two blocks in a row end a crawl, so in a fixed order the same listings would never be reached.
    """
    newest = sa.select(sa.func.max(Sighting.id)).group_by(Sighting.listing_id)
    walled = (
        sa.select(Listing.item_id)
        .join(Sighting, Sighting.listing_id == Listing.id)
        .where(Listing.platform == platform, Sighting.id.in_(newest), Sighting.state == Presence.BLOCKED)
    )
    with context.ledger.read() as session:
        blocked = set(session.scalars(walled))
    shuffled = random.sample(targets, len(targets))
    return sorted(shuffled, key=lambda target: target.item_id in blocked)


def settle(context: Context) -> Counter[VerificationOutcome]:
    """Judge every open lead by what was seen so far, and link relistings; return the changed outcomes."""
    now = context.clock()
    with context.ledger.write() as session:
        changed = removals.settle_all(session, now=now, settings=context.settings)
        removals.find_relistings(session, now=now)
    return changed


def report(context: Context, period: str) -> dict[str, Path]:
    """Write the report of ``period`` (``2026-10``) into the reports folder; return its files by name."""
    now = context.clock()
    folder = context.reports / period
    office = context.settings.office
    imprint = reports.Imprint(
        office=reports.Phrase(zh=office.name_zh, en=office.name_en),
        titles={
            name: reports.Phrase(zh=profile.title, en=profile.title_en)
            for name, profile in context.platforms.items()
        },
    )
    with context.ledger.write() as session:
        computed = reports.compute(session, reports.Period.parse(period), as_of=now)
        hashes = reports.write_report(computed, folder, imprint=imprint)
        reports.store(session, computed, hashes, now=now)
    return {name: folder / name for name in hashes}


def collect_leftovers(context: Context) -> list[str]:
    """Take in runs whose parent died before it could; return their ids. A run still going is left alone."""
    with context.ledger.read() as session:
        known = set(session.scalars(sa.select(CrawlRun.run_id)))
    leftovers = [
        run for run in sorted(context.runs.glob("*")) if run.name not in known and _ended(context, run)
    ]
    for run in leftovers:
        with context.ledger.write() as session:
            intake.ingest_run(session, rundir.read_run(run), context.classifier, now=context.clock())
    return [run.name for run in leftovers]


def _ended(context: Context, run: Path) -> bool:
    limits = context.settings.crawl
    longest = limits.wall_clock_minutes * 60 + limits.grace_seconds
    return rundir.stats_file(run).exists() or time.time() - run.stat().st_mtime > 2 * longest


def _crawlable(context: Context, platform: str) -> Platform:
    profile = configuration.platform_named(context.platforms, platform)
    if profile.road != "page":
        raise NotCrawledError(
            f"{platform} is not crawled: use `vapewatch import` for its files, `vapewatch add` for links"
        )
    return profile


def _crawl(
    context: Context,
    platform: Platform,
    kind: rundir.RunKind,
    progress: Progress | None,
    *,
    terms: tuple[str, ...] = (),
    targets: tuple[rundir.Target, ...] = (),
) -> CrawlResult:
    now = context.clock()
    job = rundir.CrawlJob(
        run_id=new_run_id(kind, platform.name, now),
        kind=kind,
        platform=platform,
        terms=terms,
        targets=targets,
        contact=context.settings.office.contact,
        clock=now if context.simulated else None,
    )
    run = crawl(job, context.runs, context.settings.crawl, progress)
    with context.ledger.write() as session:
        taken = intake.ingest_run(session, run, context.classifier, now=context.clock())
    return CrawlResult(run, taken)
