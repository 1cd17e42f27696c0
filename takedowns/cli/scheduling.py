"""Commands about crawls beyond a single sweep: sample, resume, plan, and what is left for a person."""

from __future__ import annotations

import typer

from classifiers import yamlfile
from crawlers.rundir import Outcome
from takedowns import configuration, jobs
from takedowns import schedule as scheduling
from takedowns.cli.following import By, acting_user
from takedowns.cli.output import ERROR, PARTIAL, Json, progress, write_rows
from takedowns.context import Context, open_context
from takedowns.crawling import errands

app = typer.Typer()
errands_app = typer.Typer(help="What only a person can do about a platform.")
app.add_typer(errands_app, name="errands")


@app.command()
def sample(platform: str, as_json: Json = False) -> None:
    """Draw from a platform's query panel at random and look at what was drawn: to measure, not to hunt."""
    context = open_context(configuration.folder())
    with progress(f"sample {platform}") as done:
        result = jobs.sample(context, platform, progress=done)
    _show([result], as_json)


@app.command()
def resume(as_json: Json = False) -> None:
    """Take in what was left behind, and do what broken-off runs left undone."""
    _show(jobs.resume(open_context(configuration.folder())), as_json)


@app.command()
def plan(as_json: Json = False) -> None:
    """Show when today's samples and patrols come, for what, and why."""
    context = open_context(configuration.folder())
    jobs_planned = yamlfile.load(context.config / "schedule.yml", scheduling.Schedule).jobs
    rows = [row for job in jobs_planned for row in _planned(context, job)]
    write_rows(sorted(rows, key=lambda row: row["time"]), as_json)


@errands_app.command("list")
def list_errands(as_json: Json = False) -> None:
    """Show what waits for a person."""
    context = open_context(configuration.folder())
    with context.ledger.read() as session:
        found = errands.open_errands(session)
    write_rows(
        (
            {
                "id": one.id,
                "platform": one.platform,
                "kind": one.kind.value,
                "since": one.created_at,
                "message": one.message,
            }
            for one in found
        ),
        as_json,
    )


@errands_app.command("done")
def finish_errand(number: int, by: By) -> None:
    """Say that one is done."""
    context = open_context(configuration.folder())
    with context.ledger.write() as session:
        errands.finish(session, number, acting_user(session, by), now=context.clock())


def _planned(context: Context, job: scheduling.Job) -> list[dict[str, str]]:
    now = context.clock()
    if job.work == "sample" and job.platform:
        hour = scheduling.hour_of_sample(context, job.platform, now)
        why = "an hour drawn by chance" if hour is not None else "no panel: nothing is drawn"
        time = "never" if hour is None else f"{hour:02}:{job.at.minute:02}"
        return [_row(time, job, job.platform, (), why)]
    if job.work == "patrol":
        visits = scheduling.visits_of(context, job, now)
        return [_row(f"{v.hour:02}:{job.at.minute:02}", job, v.platform, v.terms, v.why) for v in visits]
    return []


def _row(time: str, job: scheduling.Job, platform: str, terms: tuple[str, ...], why: str) -> dict[str, str]:
    return {"time": time, "job": job.name, "platform": platform, "terms": " ".join(terms), "why": why}


def _show(results: list[jobs.CrawlResult], as_json: bool) -> None:
    write_rows(
        (
            {
                "run_id": result.row.run_id,
                "outcome": result.outcome.value,
                "listings": result.intake.listings,
                "sightings": result.intake.sightings,
                "draws": len(result.run.draws),
                "problem": result.first_problem,
            }
            for result in results
        ),
        as_json,
    )
    outcomes = {result.outcome for result in results}
    if outcomes - {Outcome.OK}:
        raise typer.Exit(ERROR if Outcome.FAILED in outcomes else PARTIAL)
