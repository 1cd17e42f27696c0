"""Commands around the ledger as a whole: export, forget."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from takedowns import configuration, export, retention
from takedowns.cli.output import Json, complain, write_json, write_rows
from takedowns.context import open_context
from takedowns.reports.period import Period

app = typer.Typer()


@app.command("export")
def export_rows(
    period: Annotated[str | None, typer.Argument(help="2026-10, 2026-Q4 or 2026; without it all.")] = None,
    out: Annotated[Path | None, typer.Option(help="The zip to write.")] = None,
    as_json: Json = False,
) -> None:
    """Write everything that was recorded in a period into one zip, every table row by row."""
    context = open_context(configuration.folder())
    path = out or Path(f"vapewatch-{period or 'all'}.zip")
    with context.ledger.read() as session:
        told = export.write(session, path, Period.parse(period) if period else None)
    shown = [{"file": name, "rows": rows} for name, rows in told.items()]
    write_json({"zip": str(path), "files": shown}) if as_json else write_rows(shown, as_json=False)
    complain(f"written to {path}")


@app.command()
def forget(as_json: Json = False) -> None:
    """Delete listings older than `retention.non_hit_days` that nothing and nobody suspected."""
    context = open_context(configuration.folder())
    days = context.settings.retention.non_hit_days
    if days is None:
        complain("retention.non_hit_days is not set: everything is kept")
        gone = {}
    else:
        gone = dict(retention.forget(context.ledger, non_hit_days=days, now=context.clock()))
    rows = [{"table": name, "deleted": count} for name, count in gone.items()]
    write_json(gone) if as_json else write_rows(rows, as_json=False)
