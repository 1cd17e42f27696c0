"""Commands for what platforms answer: read it in, handle the tray, count what they say they cleaned."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from takedowns import configuration
from takedowns.cli.following import By, acting_user
from takedowns.cli.output import PARTIAL, Json, complain, write_json, write_rows, write_text
from takedowns.context import open_context
from takedowns.ledger.vocabulary import Measure
from takedowns.replies import cleaning, importing, mailbox, tray
from takedowns.reports import Period

app = typer.Typer()
responses_app = typer.Typer(help="What the platforms say they did: claims, never findings.")
app.add_typer(responses_app, name="responses")


@responses_app.command("import")
def import_responses(file: Path, as_json: Json = False) -> None:
    """Take in a platform's reply workbook; what fits no lead goes to the tray."""
    context = open_context(configuration.folder())
    with context.ledger.write() as session:
        result = importing.import_file(session, file, platforms=context.platforms, now=context.clock())
    _tell(result, as_json)


@responses_app.command()
def poll(as_json: Json = False) -> None:
    """Read the mailbox for what came since the last time; nothing in it is changed."""
    polled = mailbox.poll(open_context(configuration.folder()))
    shown = {"mails": polled.mails, "left": polled.left, **polled.result.numbers()}
    for problem in polled.result.errors:
        complain(problem)
    write_json(shown) if as_json else write_text(str(polled))
    if polled.result.refused:
        raise typer.Exit(PARTIAL)


@responses_app.command("tray")
def show_tray(as_json: Json = False) -> None:
    """Show what fits no lead, or came from a sender who may not speak for the platform."""
    context = open_context(configuration.folder())
    with context.ledger.read() as session:
        rows = [
            {
                "stray": stray.id,
                "received": stray.received_at,
                "platform": stray.platform,
                "source": stray.source,
                "reason": stray.reason,
                "says": "; ".join(f"{name}: {cell}" for name, cell in stray.cells.items() if cell),
            }
            for stray in tray.waiting(session)
        ]
    write_rows(rows, as_json)


@responses_app.command()
def match(
    stray: int,
    lead: str,
    by: By,
    measure: Annotated[
        list[Measure] | None, typer.Option(help="What was done, where its own words do not say.")
    ] = None,
    note: str = "",
    as_json: Json = False,
) -> None:
    """Say which lead an answer in the tray is about: it becomes a claim."""
    context = open_context(configuration.folder())
    with context.ledger.write() as session:
        answer = tray.Answer(tuple(measure or ()), note)
        new = tray.match(session, stray, lead, acting_user(session, by), answer, now=context.clock())
    write_json({"stray": stray, "lead": lead, "claims": new}) if as_json else write_text(
        f"{stray} is about {lead}: {new} claims"
    )


@responses_app.command()
def dismiss(stray: int, by: By, note: str, as_json: Json = False) -> None:
    """Say that nothing has to come of an answer in the tray, and why."""
    context = open_context(configuration.folder())
    with context.ledger.write() as session:
        tray.dismiss(session, stray, acting_user(session, by), note, now=context.clock())
    write_json({"stray": stray, "dismissed": True}) if as_json else write_text(f"{stray} dismissed")


@responses_app.command()
def cleaned(
    period: Annotated[
        str | None, typer.Argument(help="Such as 2026, 2026-Q4 or 2026-10; none: ever.")
    ] = None,
    as_json: Json = False,
) -> None:
    """Count what platforms say they cleaned, by platform and kind."""
    within = Period.parse(period) if period else None
    context = open_context(configuration.folder())
    with context.ledger.read() as session:
        found = cleaning.totals(session, within)
    write_rows(
        (
            {
                "platform": total.platform,
                "cleaned": total.cleaned.value,
                "items": total.items,
                "told": total.told,
                "quantity": total.quantity,
            }
            for total in found
        ),
        as_json,
    )


def _tell(result: importing.Result, as_json: bool) -> None:
    for problem in result.errors:
        complain(problem)
    if result.refused > len(result.errors):
        complain(f"… and {result.refused - len(result.errors)} more")
    shown = {**result.numbers(), "errors": result.refused}
    write_json(shown) if as_json else write_text(f"{result.accepted} replies taken in")
    if result.refused:
        raise typer.Exit(PARTIAL)
