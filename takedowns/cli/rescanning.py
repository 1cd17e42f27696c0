"""The command that judges the archive anew."""

from __future__ import annotations

from dataclasses import asdict
from typing import Annotated

import typer

from takedowns import configuration
from takedowns.cli.output import Json, complain, progress, write_json, write_rows, write_text
from takedowns.context import open_context
from takedowns.learning import rescan, workers
from takedowns.learning.archive import Standing
from takedowns.learning.rescan import Change, Example, Rescan

app = typer.Typer()


@app.command("rescan")
def rescan_archive(
    preview: Annotated[bool, typer.Option("--preview", help="Only tell what would change.")] = False,
    processes: Annotated[int, typer.Option(min=1, help="Each takes a core and about 250 MB.")] = 2,
    as_json: Json = False,
) -> None:
    """Judge the archive with the model and lexicon of today; what is newly flagged goes to review."""
    context = open_context(configuration.folder())
    with (
        workers.judging(context.load_classifier, processes) as judge,
        progress("rescan") as done,
    ):
        result = rescan.rescan(
            context.ledger,
            judge,
            model_version=context.classifier.model_version,
            lexicon_version=context.classifier.lexicon_version,
            now=context.clock(),
            preview=preview,
            progress=done,
        )
    write_json(asdict(result)) if as_json else _write(result)
    if not result.judged:
        complain(_why_nothing(result))


def _why_nothing(result: Rescan) -> str:
    if not result.archived:
        return "the ledger holds no listing to judge"
    return f"all {result.archived} listings have been judged by this model and lexicon already"


def _write(result: Rescan) -> None:
    changes = {change.value: count for change, count in result.changes.items()}
    totals = {"archived": result.archived, "judged": result.judged, "passed": result.passed}
    figures = {**totals, **changes, "tasks": result.tasks}
    for name, value in figures.items():
        write_text(f"{name:<14} {value}")
    examples = [_line(change, one) for change, kept in result.examples.items() for one in kept]
    if examples:
        write_rows(examples, as_json=False)


def _line(change: Change, one: Example) -> dict[str, str]:
    return {
        "change": change.value,
        "listing": f"{one.platform} {one.item_id}",
        "title": one.title[:40],
        "before": _short(one.before),
        "after": _short(one.after),
        "reasons": " ".join(one.reasons),
    }


def _short(standing: Standing | None) -> str:
    return f"{standing.label.value} {standing.score:.2f}" if standing else "never judged"
