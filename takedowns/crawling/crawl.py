"""One crawl as seen from outside: spawn it, bound its time, end its process group, collect its files."""

from __future__ import annotations

import os
import secrets
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from datetime import datetime
from pathlib import Path
from typing import Any

from crawlers import rundir
from crawlers.permission import Permission
from crawlers.platforms import Platform
from takedowns.context import Context
from takedowns.crawling.interface_keys import environment_for
from takedowns.settings import Crawl

POLL_SECONDS = 0.2
OVERRAN = "overran"  # the issue of a run that was ended for its time

Progress = Callable[[int], None]
"""Called now and then with the number of finished listings or targets."""


def new_run_id(kind: rundir.RunKind, platform: str, at: datetime) -> str:
    """Sortable and unique, also when two runs start in the same second."""
    return f"{at:%Y%m%dT%H%M%S}-{kind.value}-{platform}-{secrets.token_hex(3)}"


def job_of(
    context: Context,
    platform: Platform,
    kind: rundir.RunKind,
    run_id: str,
    allowed: Permission,
    now: datetime,
    **what: Any,
) -> rundir.CrawlJob:
    """The job of a run that was let start; ``what``: its fields that say what there is to do."""
    return rundir.CrawlJob(
        run_id=run_id,
        kind=kind,
        platform=platform,
        vantage=platform.vantage,
        contact=context.settings.office.contact,
        clock=now if context.simulated else None,
        requests_at_most=allowed.requests,
        seconds_at_most=(allowed.until - now).total_seconds() if allowed.until else None,
        **what,
    )


def crawl(job: rundir.CrawlJob, folder: Path, limits: Crawl, progress: Progress | None = None) -> rundir.Run:
    """Do ``job`` in a child process under ``folder/<run id>`` and return what it left there.

    Never raises for a failed crawl: a child that dies or overruns leaves no ``stats.json``, and the run
    says so.
    """
    run = folder / job.run_id
    run.mkdir(parents=True)
    rundir.job_file(run).write_text(job.model_dump_json(indent=1), encoding="utf-8")
    with _child(run, limits, environment_for(job.platform, limits.keys)) as process:
        deadline = time.monotonic() + limits.wall_clock_minutes * 60
        while process.poll() is None and time.monotonic() < deadline:
            time.sleep(POLL_SECONDS)
            if progress:
                progress(_finished(run, job.kind))
        overran = process.poll() is None
    if progress:
        progress(_finished(run, job.kind))
    if overran:
        rundir.add_issue(run, _overran(limits))
    return rundir.read_run(run)


def _overran(limits: Crawl) -> rundir.Issue:
    message = f"The run was ended because it took more than {limits.wall_clock_minutes:g} minutes."
    return rundir.Issue(level="error", code=OVERRAN, message=message)


@contextmanager
def _child(run: Path, limits: Crawl, environment: Mapping[str, str]) -> Iterator[subprocess.Popen[bytes]]:
    with (run / "crawler.log").open("wb") as log:
        process = subprocess.Popen(  # noqa: S603  (our own module, no shell)
            [sys.executable, "-m", "crawlers", str(run)],
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            env=environment,
            start_new_session=True,  # a process group of its own, with the browser in it
        )
        try:
            yield process
        finally:
            _end(process, limits.grace_seconds)


def _end(process: subprocess.Popen[bytes], grace_seconds: float) -> None:
    """Ask the child to stop, then kill what is left of its group: a browser may outlive its crawler."""
    if process.poll() is None:
        process.terminate()
        with suppress(subprocess.TimeoutExpired):  # killed below
            process.wait(grace_seconds)
    with suppress(ProcessLookupError):  # nothing was left
        os.killpg(process.pid, signal.SIGKILL)
    process.wait()


def _finished(run: Path, kind: rundir.RunKind) -> int:
    looks = {
        rundir.RunKind.RECHECK: rundir.sightings_file,
        rundir.RunKind.SELLERS: rundir.sightings_file,
        rundir.RunKind.CAPTURE: rundir.captures_file,
        rundir.RunKind.LOOK: rundir.captures_file,
    }
    name = looks.get(kind, rundir.items_file)(run)
    if not name.exists():
        return 0
    with name.open("rb") as lines:
        return sum(chunk.count(b"\n") for chunk in iter(lambda: lines.read(1 << 20), b""))
