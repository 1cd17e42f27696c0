"""Commands that tell what came of it: report, audit."""

from __future__ import annotations

from typing import Annotated

import sqlalchemy as sa
import typer
from sqlalchemy.orm import Session

from takedowns import configuration, jobs
from takedowns.cli.output import ERROR, Json, complain, write_json, write_text
from takedowns.context import open_context
from takedowns.ledger import audit as chain
from takedowns.ledger.tables import User

app = typer.Typer()

By = Annotated[str, typer.Option("--by", help="Login of the person who does it.")]

audit_app = typer.Typer(help="The audit chain.")
app.add_typer(audit_app, name="audit")


class UnknownRowError(LookupError):
    """Nothing in the ledger has this name or number."""


@app.command()
def report(period: str, as_json: Json = False) -> None:
    """Write the report of a month such as 2026-10 as html, xlsx, csv and json."""
    context = open_context(configuration.folder())
    files = jobs.report(context, period)
    write_json({name: str(path) for name, path in files.items()}) if as_json else write_text(
        "\n".join(str(path) for path in files.values())
    )


@audit_app.command()
def verify(as_json: Json = False) -> None:
    """Read the audit chain from its first entry and name every break."""
    context = open_context(configuration.folder())
    with context.ledger.read() as session:
        breaks = list(chain.verify(session))
    for sentence in breaks:
        complain(sentence)
    if as_json:
        write_json({"breaks": breaks})
    elif not breaks:
        write_text("the chain is whole")
    if breaks:
        raise typer.Exit(ERROR)


def acting_user(session: Session, login: str) -> User:
    """The active user of this login. Raises UnknownRowError when there is none."""
    user = session.scalar(sa.select(User).where(User.login == login, User.active))
    if user is None:
        raise UnknownRowError(f"no active user has the login {login!r}")
    return user
