"""Commands that set up and run the house: init, up, desk, scheduler, jobs, users, doctor, demo."""

from __future__ import annotations

import logging
import shutil
import sys
from pathlib import Path
from typing import Annotated, Any

import sqlalchemy as sa
import typer
import uvicorn
from apscheduler.schedulers.background import BackgroundScheduler
from apscheduler.schedulers.blocking import BlockingScheduler

from classifiers import yamlfile
from takedowns import configuration, users
from takedowns import demo as demonstration
from takedowns import doctor as examination
from takedowns.cli.output import ERROR, Json, complain, stderr, write_json, write_rows, write_text
from takedowns.context import Context, open_context, real_time
from takedowns.crawling.taking_in import collect_leftovers
from takedowns.desk.app import create_app
from takedowns.ledger.tables import JobFiring, User
from takedowns.ledger.vocabulary import Role
from takedowns.schedule import Schedule, add_jobs

app = typer.Typer()


@app.command()
def init(folder: Annotated[Path, typer.Argument()] = Path("config")) -> None:
    """Copy the shipped configuration into FOLDER for an operator to edit."""
    if folder.exists():
        raise FileExistsError(f"{folder} is there already and is left as it is")
    shutil.copytree(configuration.SHIPPED, folder)
    write_text(str(folder))


@app.command()
def demo(
    once: Annotated[
        bool, typer.Option("--once", help="End after the summary instead of keeping the desk open.")
    ] = False,
    folder: Annotated[Path | None, typer.Option(help="Where to keep its files; must not exist.")] = None,
    as_json: Json = False,
) -> None:
    """Show the whole loop on the sample market, over a simulated month."""
    with demonstration.played(folder or _demo_folder()) as played:
        _show_summary(played.summary, as_json)
        if once or not sys.stdout.isatty():
            return
        complain(f"sign in as {', '.join(demonstration.PEOPLE)} with the password {played.password}")
        _serve(played.context)


def _demo_folder() -> Path:
    return Path("var") / f"demo-{real_time():%Y%m%dT%H%M%S}"


def _show_summary(summary: dict[str, Any], as_json: bool) -> None:
    if as_json:
        write_json(summary)
        return
    for key, value in summary.items():
        if isinstance(value, dict):
            for name, count in value.items():
                write_text(f"  {name:<22} {count:>6}")
        elif isinstance(value, list):
            write_text("report files")
            for line in value:
                write_text(f"  {line}")
        else:
            write_text(f"{key.replace('_', ' '):<24} {value:>6}")


@app.command()
def desk() -> None:
    """Serve the review desk."""
    _serve(open_context(configuration.folder()))


@app.command()
def scheduler() -> None:
    """Run the scheduled jobs in the foreground."""
    context = open_context(configuration.folder())
    timer = BlockingScheduler()
    add_jobs(timer, context, _schedule())
    _start_logging()
    timer.start()


@app.command()
def up() -> None:
    """Serve the desk and run the scheduled jobs."""
    context = open_context(configuration.folder())
    collect_leftovers(context)
    timer = BackgroundScheduler()
    add_jobs(timer, context, _schedule())
    _start_logging()
    timer.start()
    try:
        _serve(context)
    finally:
        timer.shutdown(wait=False)


@app.command("jobs")
def show_jobs(as_json: Json = False) -> None:
    """Show the latest firings of the scheduled jobs."""
    context = open_context(configuration.folder())
    with context.ledger.read() as session:
        firings = session.scalars(sa.select(JobFiring).order_by(JobFiring.slot.desc()).limit(50)).all()
    write_rows(
        (
            {"job": one.job, "slot": one.slot, "state": one.state.value, "message": one.message}
            for one in firings
        ),
        as_json,
    )


users_app = typer.Typer(help="Who may sign in at the desk.")
app.add_typer(users_app, name="users")


@users_app.command("add")
def add_user(
    login: str,
    role: Role,
    name: Annotated[str, typer.Option(prompt="Name as shown")],
    password: Annotated[str, typer.Option(prompt=True, confirmation_prompt=True, hide_input=True)],
) -> None:
    """Add a person."""
    context = open_context(configuration.folder())
    with context.ledger.write() as session:
        users.create(session, login, name, role, password, now=context.clock())


@users_app.command("list")
def list_users(as_json: Json = False) -> None:
    """Show everybody who may sign in."""
    context = open_context(configuration.folder())
    with context.ledger.read() as session:
        found = session.scalars(sa.select(User).order_by(User.login)).all()
    write_rows(
        (
            {"login": user.login, "name": user.display_name, "role": user.role.value, "active": user.active}
            for user in found
        ),
        as_json,
    )


@app.command()
def doctor(as_json: Json = False) -> None:
    """Check the configuration, ledger, mail server, browser, model and fonts, and say what to mend."""
    checks = examination.examine(configuration.folder())
    if as_json:
        write_json([check._asdict() for check in checks])
    else:
        for check in checks:
            write_text(f"{'ok ' if check.ok else 'BAD'}  {check.name:<12} {check.detail}")
    if not all(check.ok for check in checks):
        raise typer.Exit(ERROR)


def _schedule() -> Schedule:
    return yamlfile.load(configuration.folder() / "schedule.yml", Schedule)


def _serve(context: Context) -> None:
    with context.ledger.read() as session:
        if not session.scalar(sa.select(sa.func.count()).select_from(User)):
            complain("nobody can sign in yet: add a person with `vapewatch users add`")
    where = context.settings.desk
    stderr.print(f"the desk is open at http://{where.host}:{where.port}/ (Ctrl-C ends it)")
    desk_app = create_app(context.ledger, context.settings, context.platforms, clock=context.clock)
    uvicorn.run(desk_app, host=where.host, port=where.port, log_level="warning")


def _start_logging() -> None:
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(levelname)s %(name)s: %(message)s")
