"""The units of work, each callable from the command line, the scheduler, the desk and the demo alike."""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

import sqlalchemy as sa

from crawlers import rundir, sampling
from crawlers.listing import Presence
from crawlers.permission import Permission
from crawlers.platforms import Platform
from crawlers.resuming import WHOLE_CATALOGUE
from takedowns import (
    accounts,
    configuration,
    control,
    intake,
    linking,
    relistings,
    removals,
    reports,
    sellers,
)
from takedowns.context import Context
from takedowns.crawling import admission, work
from takedowns.crawling.admission import NotNowError
from takedowns.crawling.crawl import OVERRAN, Progress, crawl, job_of, new_run_id
from takedowns.crawling.taking_in import collect_leftovers, take_in
from takedowns.evidence import captures
from takedowns.ledger.tables import CrawlRun, Listing, Sighting
from takedowns.ledger.vocabulary import VerificationOutcome

Taken = Mapping[str, tuple[dict[str, Any], str | None]]
"""Subject → its detail, and the earlier run to take up."""


@dataclass(frozen=True)
class CrawlResult:
    """``run`` is what the child left behind, ``intake`` what of it was new, ``row`` what the ledger says."""

    run: rundir.Run
    intake: intake.IntakeResult
    row: CrawlRun

    @property
    def outcome(self) -> rundir.Outcome:
        return rundir.Outcome(self.row.state)

    @property
    def broke_off(self) -> bool:
        """Whether the child died; one that was ended for its time is not begun again at once."""
        return self.run.stats is None and OVERRAN not in {issue.code for issue in self.run.issues}

    def followed_by(self, later: CrawlResult) -> CrawlResult:
        """Both as one: what the later run came to, and what both brought."""
        return CrawlResult(later.run, self.intake.plus(later.intake), later.row)

    @property
    def first_problem(self) -> str | None:
        """The sentence to show first: the first error, else the first warning."""
        ordered = sorted(self.row.stats["issues"], key=lambda issue: issue["level"] != "error")
        return str(ordered[0]["message"]) if ordered else None


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
    chosen = tuple(terms) or profile.terms or (WHOLE_CATALOGUE,)
    return _crawl(context, profile, rundir.RunKind.SWEEP, {term: {} for term in chosen}, progress)


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
    wanted = {target.item_id: target.model_dump(exclude={"item_id"}) for target in targets}
    return _crawl(context, profile, rundir.RunKind.RECHECK, wanted, progress)


def recheck_sellers(context: Context, platform: str, progress: Progress | None = None) -> CrawlResult | None:
    """Look at the pages of the sellers of ``platform`` that are due; None when none is."""
    profile = _crawlable(context, platform)
    rule = context.settings.removal
    with context.ledger.read() as session:
        targets = sellers.due(session, profile, rule=rule, now=context.clock())
    if not targets:
        return None
    shuffled = random.sample(targets, len(targets))
    wanted = {target.item_id: target.model_dump(exclude={"item_id"}) for target in shuffled}
    return _crawl(context, profile, rundir.RunKind.SELLERS, wanted, progress)


def capture(context: Context, platform: str, progress: Progress | None = None) -> CrawlResult | None:
    """Photograph the listings of ``platform`` that were flagged or changed since; None when none has."""
    _crawlable(context, platform)
    if platform not in with_pages(context):
        raise NotCrawledError(f"{platform} has no pages of its own to look at")
    profile = context.platforms[platform]
    with context.ledger.read() as session:
        wanted = captures.due(session, context.evidence, platform, now=context.clock())
    return _crawl(context, profile, rundir.RunKind.CAPTURE, wanted, progress) if wanted else None


def with_pages(context: Context) -> list[str]:
    """The platforms whose listings can be photographed: those that we crawl by their own pages."""
    return [
        name
        for name, profile in context.platforms.items()
        if profile.road == "page" and not profile.marketplace
    ]


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
    """Judge every open lead by what was seen so far, and link relistings; return the changed outcomes.

    The control group is brought up to date as well.
    """
    now = context.clock()
    with context.ledger.write() as session:
        changed = removals.settle_all(session, now=now, settings=context.settings)
    with context.ledger.read() as session:
        found = relistings.search(session, now=now)
    with context.ledger.write() as session:
        relistings.record(session, found, now=now)
        control.leave(session, now=now)
        control.draw(session, now=now, settings=context.settings)
    return changed


def networks(context: Context) -> linking.Refreshed:
    """Find anew what sellers share, and which of them may have one operator."""
    return linking.refresh(context.ledger, now=context.clock())


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


def sample(
    context: Context, platform: str, slot: datetime | None = None, progress: Progress | None = None
) -> CrawlResult:
    """Draw and look at the random arm's sample of ``platform`` that is planned for ``slot`` (now, if None).

    Raises NotCrawledError for a platform without a panel.
    """
    profile = _crawlable(context, platform)
    if profile.road != "page":
        raise NotCrawledError(f"{platform} has no result pages to draw from: its road is {profile.road}")
    if platform not in context.panels:
        raise NotCrawledError(f"{platform} has no query panel: write config/panels/{platform}.yml")
    planned = slot or context.clock()
    return _crawl(context, profile, rundir.RunKind.SAMPLE, {planned.isoformat(): {}}, progress)


def resume(context: Context) -> list[CrawlResult]:
    """Take in what dead parents left, and do what broken-off runs left undone, where it is permitted now."""
    collect_leftovers(context)
    with context.ledger.read() as session:
        waiting = work.open_work(session, now=context.clock())
    results = []
    for (platform, kind), subjects in waiting.items():
        profile = context.platforms.get(platform)
        if profile is None or profile.road == "import":
            continue  # the profile was taken away meanwhile
        if kind is rundir.RunKind.SAMPLE and platform not in context.panels:
            continue  # as was its panel
        if kind is rundir.RunKind.SELLERS and profile.sellers is None:
            continue  # as was that part of it
        with suppress(NotNowError):  # it stays open for the next time
            results.append(_do(context, profile, kind, subjects, None))
    return results


def _crawlable(context: Context, platform: str) -> Platform:
    profile = configuration.platform_named(context.platforms, platform)
    if profile.road == "import":
        raise NotCrawledError(
            f"{platform} is not crawled: use `vapewatch import` for its files, `vapewatch add` for links"
        )
    return profile


def _crawl(
    context: Context,
    profile: Platform,
    kind: rundir.RunKind,
    wanted: Mapping[str, dict[str, Any]],
    progress: Progress | None,
) -> CrawlResult:
    """Plan the subjects (→ detail), and do them.

    Raises NotNowError when the platform may not be crawled now: then the work stays open.
    """
    with context.ledger.write() as session:
        admission.take_turn(session)
        work.plan(session, profile.name, kind, wanted, now=context.clock())
    try:
        return _do(context, profile, kind, list(wanted), progress)
    except NotNowError as refused:
        if refused.permission.refusal != "busy" or not collect_leftovers(context):
            raise
    return _do(context, profile, kind, list(wanted), progress)  # a dead run had stood in the way


def _do(
    context: Context,
    profile: Platform,
    kind: rundir.RunKind,
    subjects: Sequence[str],
    progress: Progress | None,
) -> CrawlResult:
    """Crawl for planned subjects; what a crawl that died left undone is taken up at once."""
    result = _run(context, profile, kind, subjects, progress)
    for _ in range(work.BREAK_OFFS - 1):
        left = _left(context, profile, kind, subjects) if result.broke_off else []
        if not left:
            break
        with suppress(NotNowError):  # what is left stays open
            result = result.followed_by(_run(context, profile, kind, left, progress))
    return result


def _left(context: Context, profile: Platform, kind: rundir.RunKind, subjects: Sequence[str]) -> list[str]:
    with context.ledger.read() as session:
        waiting = work.waiting(session, profile.name, kind)
    return [subject for subject in subjects if subject in waiting]


def _run(
    context: Context,
    profile: Platform,
    kind: rundir.RunKind,
    subjects: Sequence[str],
    progress: Progress | None,
) -> CrawlResult:
    now = context.clock()
    run_id = new_run_id(kind, profile.name, now)
    allowed, taken = _let_start(context, profile, kind, run_id, subjects, now)
    with accounts.failing(context, run_id):
        what = _assignment(context, profile, kind, subjects, taken)
        view = profile.of_sellers() if kind is rundir.RunKind.SELLERS else profile
        job = job_of(context, view, kind, run_id, allowed, now, **what)
        run = crawl(job, context.runs, context.settings.crawl, progress)
    stored = take_in(context, run)
    with context.ledger.read() as session:
        return CrawlResult(run, stored, session.get_one(CrawlRun, run_id))


def _let_start(
    context: Context,
    profile: Platform,
    kind: rundir.RunKind,
    run_id: str,
    subjects: Sequence[str],
    now: datetime,
) -> tuple[Permission, Taken]:
    """The run's row is written, and the work that waits is in its hands."""
    with context.ledger.write() as session:
        panel = context.panels.get(profile.name)
        allowed = admission.admit(
            session, profile, kind, run_id, panel=panel, simulated=context.simulated, now=now
        )
        items = work.take(session, profile.name, kind, run_id, only=subjects, now=now)
        if not items:  # without a word of what to do, a sweep would search for everything
            raise NotNowError(profile.name, Permission(0, None, "busy"))
        return allowed, {item.subject: (item.detail, begun_by) for item, begun_by in items}


def _assignment(
    context: Context, profile: Platform, kind: rundir.RunKind, subjects: Sequence[str], taken: Taken
) -> dict[str, Any]:
    """The part of a job that says what to do, in the order of ``subjects``."""
    order = [subject for subject in subjects if subject in taken]
    if kind.looks:
        return {"targets": tuple(rundir.Target(item_id=item, **taken[item][0]) for item in order)}
    if kind is rundir.RunKind.SAMPLE:
        panel = context.panels[profile.name]
        return {"panel": panel, "seed": sampling.seed_for(panel, datetime.fromisoformat(order[0]))}
    rests, handled = work.how_far(context.runs, {term: by for term, (_, by) in taken.items() if by})
    terms = tuple(term for term in order if term != WHOLE_CATALOGUE)
    return {"terms": terms, "rests": rests, "handled": handled}
