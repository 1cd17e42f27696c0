"""Commands around the classifier: classify, lexicon check, train, evaluate.

spaCy takes a second to import, so it is imported by the commands that need it.
"""

from __future__ import annotations

import io
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict
from pathlib import Path
from typing import Annotated

import typer

import classifiers
from classifiers import lexicon
from takedowns import configuration
from takedowns.cli.output import ERROR, PARTIAL, Json, complain, write_json, write_text

app = typer.Typer()


@app.command()
def classify(
    file: Annotated[Path | None, typer.Argument(help="JSON Lines; none or - reads stdin.")] = None,
    as_json: Json = False,
) -> None:
    """Judge listings given as JSON Lines; one JSON line comes out for each line that went in."""
    from classifiers.classifier import classify_lines

    del as_json  # the result is JSON in any case
    classifier = classifiers.load(configuration.folder() / "lexicon")
    failed = False
    with _lines(file) as lines:
        for line, good in classify_lines(lines, classifier):
            sys.stdout.write(line + "\n")
            failed |= not good
    if failed:
        raise typer.Exit(PARTIAL)


lexicons = typer.Typer(help="The terms in config/lexicon.")
app.add_typer(lexicons, name="lexicon")


@lexicons.command("check")
def check_lexicon(as_json: Json = False) -> None:
    """Run every entry's own match and no-match examples."""
    problems = lexicon.check(configuration.folder() / "lexicon")
    for problem in problems:
        complain(str(problem))
    if as_json:
        write_json({"problems": [str(problem) for problem in problems]})
    elif not problems:
        write_text("every example holds")
    if problems:
        raise typer.Exit(ERROR)


@app.command()
def train(
    output: Annotated[
        Path | None, typer.Option(help="Folder for the model; none: the one that ships.")
    ] = None,
    as_json: Json = False,
) -> None:
    """Train the model anew from the corpus that ships."""
    from classifiers import training

    lexicon_dir = configuration.folder() / "lexicon"
    folder = output or training.MODEL
    training.save(training.train(training.CORPUS, lexicon_dir), folder, lexicon_dir)
    write_json({"model": str(folder)}) if as_json else write_text(str(folder))


@app.command()
def evaluate(as_json: Json = False) -> None:
    """Measure the model on listings it was not trained on."""
    from classifiers import evaluation

    result = evaluation.evaluate(classifiers.load(configuration.folder() / "lexicon"))
    write_json(asdict(result)) if as_json else write_text(evaluation.render(result))


@contextmanager
def _lines(file: Path | None) -> Iterator[io.TextIOBase]:
    # A byte that is no UTF-8 must spoil its own line only, so it is carried along as a lone surrogate.
    if file is None or str(file) == "-":
        yield io.TextIOWrapper(sys.stdin.buffer, encoding="utf-8", errors="surrogateescape", newline="\n")
        return
    with file.open(encoding="utf-8", errors="surrogateescape", newline="\n") as lines:
        yield lines
