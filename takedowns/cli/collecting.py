"""Commands that bring listings in: sweep, recheck, import, add."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated, Any

import typer

from crawlers.rundir import Outcome, Target
from takedowns import configuration, intake, jobs
from takedowns.cli.output import ERROR, PARTIAL, Json, complain, progress, write_json, write_rows, write_text
from takedowns.context import Context, open_context
from takedowns.crawling.admission import NotNowError
from takedowns.crawling.taking_in import collect_leftovers
from takedowns.imports import pasted, short_links, spreadsheets
from takedowns.prejudged import prejudged

app = typer.Typer()

EXIT = {Outcome.OK: 0, Outcome.PARTIAL: PARTIAL, Outcome.BLOCKED: PARTIAL, Outcome.FAILED: ERROR}


@app.command()
def sweep(
    platform: str,
    term: Annotated[
        list[str] | None, typer.Option(help="Search for this instead of the profile's terms.")
    ] = None,
    as_json: Json = False,
) -> None:
    """Search a platform for its terms, take in what is offered and flag what looks disguised."""
    context = open_context(configuration.folder())
    collect_leftovers(context)
    with progress(f"sweep {platform}") as done:
        result = jobs.sweep(context, platform, term or (), done)
    _finish(result, as_json)


@app.command()
def recheck(platform: str, as_json: Json = False) -> None:
    """Look again at every lead and seller of a platform that is due, then judge what was seen."""
    context = open_context(configuration.folder())
    with progress(f"recheck {platform}") as done:
        result = jobs.recheck(context, platform, progress=done)
    with progress(f"sellers of {platform}") as done:
        of_sellers = jobs.recheck_sellers(context, platform, done)
    results = [one for one in (result, of_sellers) if one]
    if not results:
        write_json({"sightings": 0}) if as_json else write_text("nothing is due")
        return
    jobs.settle(context)
    *first, worst = sorted(results, key=lambda one: EXIT[one.outcome])
    _finish(first[0].followed_by(worst) if first else worst, as_json)


@app.command("import")
def import_file(
    file: Path,
    road: Annotated[str, typer.Option(help="Where it comes from: import or tip.")] = "import",
    platform: Annotated[str | None, typer.Option(help="For rows that name no platform.")] = None,
    as_json: Json = False,
) -> None:
    """Take in a .csv, .xlsx or .jsonl of listings. A result file beside it tells what became of each row."""
    context = open_context(configuration.folder())
    rows = list(
        spreadsheets.read_rows(file, context.platforms, default_platform=platform, now=context.clock())
    )
    good = [row.listing for row in rows if isinstance(row, spreadsheets.GoodRow)]
    bad = [row for row in rows if isinstance(row, spreadsheets.RowError)]
    judged = prejudged(context.ledger, good, context.classifier)
    with context.ledger.write() as session:
        taken = intake.store_listings(session, good, judged, road=road, now=context.clock())
    results = file.with_name(f"{file.stem}.result.csv")
    spreadsheets.write_results(results, rows)
    for row in bad:
        complain(f"{file}:{row.line}: {row.field}: {row.message}")
    _report_intake(taken, as_json, {"rows": len(rows), "bad_rows": len(bad), "result_file": str(results)})
    if not good:
        complain(f"{file}: no row could be taken in")
        raise typer.Exit(ERROR)
    if bad:
        raise typer.Exit(PARTIAL)


@app.command()
def add(
    links: Annotated[
        list[str] | None, typer.Argument(help="Links or share texts; none: one a line from stdin.")
    ] = None,
    resolve: Annotated[
        bool, typer.Option("--resolve", help="Ask the hosts of short links where they lead.")
    ] = False,
    as_json: Json = False,
) -> None:
    """Take in pasted links; those of platforms that are crawled are looked at once."""
    context = open_context(configuration.folder())
    texts = links or [line for line in sys.stdin.read().splitlines() if line.strip()]
    texts = [_opened(context, text) for text in texts] if resolve else texts
    with context.ledger.write() as session:
        results = pasted.add_links(session, texts, context.platforms, now=context.clock())
    rows = [result.as_row() for result in results]
    failed = any(not result.recognised for result in results)
    for platform, targets in pasted.targets_by_platform(results).items():
        failed |= not look_at_once(context, platform, targets)
    write_rows(rows, as_json)
    if failed:
        raise typer.Exit(PARTIAL)


def _opened(context: Context, text: str) -> str:
    """``text`` as it is where its short link cannot be opened: it is then told of as one."""
    try:
        return short_links.opened(context, text)
    except (short_links.UnopenedError, NotNowError) as error:
        complain(str(error))
        return text


def look_at_once(context: Context, platform: str, targets: tuple[Target, ...]) -> bool:
    """Whether every one could be looked at; one on a platform that is not crawled counts as that."""
    if context.platforms[platform].road == "import":
        return True
    try:
        result = jobs.recheck(context, platform, targets)
    except NotNowError as refusal:
        complain(str(refusal))
        return False
    if result is None or result.outcome is Outcome.OK:
        return True
    complain(f"{platform}: {result.first_problem or result.outcome.value}")
    return False


def _finish(result: jobs.CrawlResult, as_json: bool) -> None:
    stats = result.run.stats
    extra = {
        "run_id": result.run.path.name,
        "outcome": result.outcome.value,
        "finish_reason": stats.finish_reason if stats else "no clean end",
        "problem": result.first_problem,
    }
    _report_intake(result.intake, as_json, extra)
    if result.outcome is not Outcome.OK:
        complain(result.first_problem or f"the crawl ended as {result.outcome.value}")
        raise typer.Exit(EXIT[result.outcome])


def _report_intake(taken: intake.IntakeResult, as_json: bool, extra: dict[str, Any]) -> None:
    result = {
        "listings": taken.listings,
        "new_listings": taken.new_listings,
        "new_snapshots": taken.new_snapshots,
        "flagged": taken.flagged,
        "sightings": taken.sightings,
        **extra,
    }
    for problem in taken.errors:
        complain(problem)
    if as_json:
        write_json(result)
        return
    for name, value in result.items():
        if value is not None:
            write_text(f"{name:<14} {value}")
