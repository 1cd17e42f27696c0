"""Looks for a person who writes, checks or tries a profile: crawled like all else, and nothing is taken in.

The run stands in the ledger and the audit chain, so that its requests count towards the platform's day and
its silences hold. Its pages are nobody's evidence, so they go as soon as they were read.
"""

from __future__ import annotations

import dataclasses
import shutil
from collections.abc import Sequence
from dataclasses import dataclass

from crawlers import evidence, rundir
from crawlers.answer import Answer
from crawlers.captures import Capture
from crawlers.platforms import Platform
from takedowns import accounts
from takedowns.context import Context
from takedowns.crawling import admission
from takedowns.crawling.crawl import crawl, job_of, new_run_id
from takedowns.ledger import audit
from takedowns.ledger.vocabulary import RunState

ACTOR = "system:look"


@dataclass(frozen=True)
class Seen:
    """One address that was looked at; ``answer`` None: no page came, and ``capture.reason`` says why."""

    capture: Capture
    answer: Answer | None

    @property
    def place(self) -> str:
        """Where the look ended."""
        return self.capture.final_url or self.capture.url


class NothingSeenError(RuntimeError):
    """The crawl broke off, so that nothing can be said about the pages."""


def look(
    context: Context, profile: Platform, targets: Sequence[rundir.Target], *, follow: bool = True
) -> list[Seen]:
    """What is at each target, in their order. ``follow``: whether redirects are followed.

    Raises NotNowError when the platform may not be asked now, NothingSeenError when the crawl died.
    """
    now, kind, panel = context.clock(), rundir.RunKind.LOOK, context.panels.get(profile.name)
    run_id = new_run_id(kind, profile.name, now)
    with context.ledger.write() as session:
        allowed = admission.admit(
            session, profile, kind, run_id, panel=panel, simulated=context.simulated, now=now
        )
    with accounts.failing(context, run_id):
        job = job_of(context, profile, kind, run_id, allowed, now, targets=tuple(targets), follow=follow)
        run = crawl(job, context.runs, context.settings.crawl)
    try:
        seen = _seen(run, targets)
    finally:
        close(context, run)
    shutil.rmtree(run.path)
    return seen


def close(context: Context, run: rundir.Run) -> None:
    """Account for a look that has ended, and delete its pages."""
    now = context.clock()
    with context.ledger.write() as session:
        row = session.merge(accounts.account(session, run, now))
        if row.state is RunState.BLOCKED and row.platform in context.platforms:
            accounts.raise_errands(session, row, now=now)
        asked = [capture.url for capture in run.captures]
        payload = {
            "platform": row.platform,
            "state": row.state.value,
            "requests": row.requests,
            "asked": asked,
        }
        audit.record(
            session, at=now, actor=ACTOR, action="look", subject=f"crawl_run:{row.run_id}", payload=payload
        )
    if rundir.evidence_dir(run.path).exists():
        shutil.rmtree(rundir.evidence_dir(run.path))


def _seen(run: rundir.Run, targets: Sequence[rundir.Target]) -> list[Seen]:
    captures = {capture.item_id: capture for capture in run.captures}
    if missing := [target.url for target in targets if target.item_id not in captures]:
        raise NothingSeenError(f"the crawl broke off before {missing[0]}; see {run.path / 'crawler.log'}")
    return [_with_page(run, captures[target.item_id]) for target in targets]


def _with_page(run: rundir.Run, capture: Capture) -> Seen:
    if capture.evidence is None:
        return Seen(capture, None)
    answer = evidence.read_evidence(run.path, capture.evidence)
    came_by = (capture.url,) if answer.url != capture.url else ()
    status = capture.http_status or answer.status
    return Seen(
        capture, dataclasses.replace(answer, requested_url=capture.url, redirects=came_by, status=status)
    )
