"""How commands speak: results on stdout (text or ``--json``), everything else on stderr, and exit codes."""

from __future__ import annotations

import json
import sys
import unicodedata
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from typing import Annotated, Any

import typer
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn
from rich.table import Table
from rich.text import Text

OK, ERROR, USAGE, PARTIAL, COVERAGE, INTERRUPTED = 0, 1, 2, 3, 4, 130

Json = Annotated[bool, typer.Option("--json", help="Write the result as JSON on stdout.")]

stderr = Console(stderr=True, highlight=False)


def complain(message: str) -> None:
    """One sentence for the person at the terminal, on stderr."""
    for line in message.splitlines():
        stderr.print(Text(f"vapewatch: {harmless(line)}"), soft_wrap=True)


def harmless(text: str) -> str:
    """``text`` with control and format characters made visible: sellers' words must not steer a terminal."""
    return "".join(
        f"\\u{ord(char):04x}" if unicodedata.category(char) in ("Cc", "Cf", "Cs", "Zl", "Zp") else char
        for char in text
    )


def write_json(value: Any) -> None:
    sys.stdout.write(json.dumps(value, ensure_ascii=False, default=str) + "\n")


def write_text(text: str) -> None:
    sys.stdout.write(text + "\n")


def write_rows(rows: Iterable[Mapping[str, Any]], as_json: bool) -> None:
    """A table for people, or one JSON array. All rows have the keys of the first one."""
    rows = list(rows)
    if as_json:
        write_json(rows)
        return
    if not rows:
        complain("nothing to show")
        return
    table = Table(box=None, pad_edge=False)
    for name in rows[0]:
        table.add_column(name)
    for row in rows:
        table.add_row(*(Text(harmless("" if value is None else str(value))) for value in row.values()))
    Console(highlight=False).print(table)


@contextmanager
def progress(title: str, total: int | None = None) -> Iterator[Callable[[int], None]]:
    """Yield a function that is told how much is done; draws a bar on a terminal and nothing elsewhere."""
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
    with Progress(*columns, console=stderr, disable=not stderr.is_terminal) as bar:
        task = bar.add_task(title, total=total)
        yield lambda done: bar.update(task, completed=done)
