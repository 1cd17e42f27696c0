"""Commands around the classifier: classify, lexicon, train, evaluate.

spaCy takes a second to import, so it is imported by the commands that need it.
"""

from __future__ import annotations

import io
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

import classifiers
from classifiers import lexicon, lexicon_check
from takedowns import configuration
from takedowns.cli.output import ERROR, PARTIAL, Json, complain, write_json, write_rows, write_text
from takedowns.context import Context, open_context

if TYPE_CHECKING:
    from classifiers.classifier import Classifier
    from classifiers.evaluation import Rate
    from classifiers.labelled import Row
    from takedowns.learning.decisions import Decided

app = typer.Typer()


@app.command()
def classify(
    file: Annotated[Path | None, typer.Argument(help="JSON Lines; none or - reads stdin.")] = None,
    as_json: Json = False,
) -> None:
    """Judge listings given as JSON Lines; one JSON line comes out for each line that went in."""
    from classifiers.classifier import classify_lines

    del as_json  # the result is JSON in any case
    classifier = _classifier()
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
    problems = lexicon_check.check(configuration.folder() / "lexicon")
    for problem in problems:
        complain(str(problem))
    if as_json:
        write_json({"problems": [str(problem) for problem in problems]})
    elif not problems:
        write_text("every example holds")
    if problems:
        raise typer.Exit(ERROR)


@lexicons.command("emerging")
def emerging_terms(as_json: Json = False) -> None:
    """Words of confirmed listings that the lexicon does not know yet, with examples."""
    from takedowns.learning import decisions, emerging

    context = open_context(configuration.folder())
    decided = _decided(context)
    confirmed = decisions.confirmed_texts(decided)
    lawful = decisions.lawful_texts(decided, context.ledger)
    if not confirmed:
        complain("no violation has been confirmed yet: there is nothing to learn words from")
    found = emerging.emerging(confirmed, lawful, lexicon.load(context.config / "lexicon"))
    rows = [{**asdict(term), "z": round(term.z, 1)} for term in found]
    write_rows(rows if as_json else _with_examples_joined(rows), as_json)


def _with_examples_joined(rows: list[dict[str, Any]]) -> Iterator[dict[str, Any]]:
    return ({**row, "examples": " | ".join(row["examples"])} for row in rows)


@lexicons.command("add")
def add_term(
    term: str,
    concept: Annotated[str, typer.Option(help="What it speaks of: a key of config/lexicon/concepts.yml.")],
    weight: Annotated[lexicon.WeightHint, typer.Option(help="strong is worth a look on its own.")],
    note: Annotated[str, typer.Option(help="Why, or where it was met.")] = "",
    force: Annotated[bool, typer.Option(help="Add it although lawful listings have it too.")] = False,
    as_json: Json = False,
) -> None:
    """Add a term to config/lexicon/learned.yml, unless lawful listings have it or the lexicon check fails."""
    from takedowns.learning import decisions, learned_terms

    context = open_context(configuration.folder())
    folder = context.config / "lexicon"
    decided = _decided(context)
    confirmed = [text.text for text in decisions.confirmed_texts(decided)]
    source = f"added {context.clock():%Y-%m-%d}" + (f"; {note}" if note else "")
    entry = learned_terms.entry_for(term, concept, weight, note=source, confirmed=confirmed, directory=folder)
    if not force:
        learned_terms.refuse_common(entry, decisions.known_lawful(decided), confirmed)
    path = learned_terms.add(entry, folder)
    result = {"file": str(path), "entry": entry.model_dump(mode="json")}
    write_json(result) if as_json else write_text(f"{path}: {entry.id}")
    complain("running processes see it when they start anew; `vapewatch rescan` looks for it in the archive")


def _decided(context: Context) -> list[Decided]:
    from takedowns.learning import decisions

    with context.ledger.read() as session:
        return decisions.decided(session)


@app.command()
def train(
    from_ledger: Annotated[bool, typer.Option(help="Learn from the desk's decisions as well.")] = False,
    out: Annotated[
        Path | None, typer.Option(help="Folder for the model; none: model, beside the ledger.")
    ] = None,
    as_json: Json = False,
) -> None:
    """Train a model on the corpus that ships; with the desk's decisions, compare it to the one in use."""
    from classifiers.classifier import MODEL
    from takedowns.learning import retraining

    config = configuration.folder()
    settings = configuration.settings(config)
    folder = out or settings.var / "model"
    own, in_use = _desk() if from_ledger else ([], None)
    result = retraining.retrain(own, in_use, folder, lexicon_dir=config / "lexicon")
    write_json(asdict(result)) if as_json else write_text(retraining.render(result))
    if folder.resolve() != (settings.classifier.model or MODEL).resolve():
        complain(f"to use it, set classifier.model to {folder} in {config / 'vapewatch.yml'}")


def _desk() -> tuple[list[Row], Classifier]:
    """Rows to learn from, which are also written beside the ledger, and the classifier in use."""
    from classifiers import labelled
    from takedowns.learning import decisions

    context = open_context(configuration.folder())
    measured_on = (row for row in labelled.rows() if labelled.split_of(row.id) != "train")
    rows = decisions.training_rows(_decided(context), measured_on)
    if not rows:
        raise LookupError("the ledger holds no decision to learn from")
    decisions.write_rows(rows, context.settings.var / "learning" / "decided.jsonl")
    # Not with the bureau's base rate: both models are measured at that of the corpus.
    return rows, classifiers.load(context.config / "lexicon", context.settings.classifier.model)


@app.command()
def evaluate(
    folds: Annotated[
        bool, typer.Option(help="Train anew on folds, and with each cover left out: twenty minutes.")
    ] = False,
    as_json: Json = False,
) -> None:
    """Measure the model on listings it was not trained on, or with --folds the way it is trained."""
    from classifiers import evaluation, labelled

    if folds:
        _evaluate_training(as_json)
        return
    classifier = _classifier()
    results = {split: evaluation.evaluate(classifier, labelled.rows(split)) for split in ("blind", "test")}
    cost = evaluation.cost_of_tricks(classifier, labelled.rows("test"))
    if as_json:
        figures = {split: asdict(result) for split, result in results.items()}
        write_json(figures | {"tricks": _told(cost)})
        return
    for split, result in results.items():
        write_text(f"{split}: {evaluation.render(result)}\n")
    write_text(evaluation.render_tricks(cost))


def _evaluate_training(as_json: bool) -> None:
    from classifiers import crossvalidation, evaluation, labelled

    lexicon_dir = configuration.folder() / "lexicon"
    rows = labelled.rows("train")
    folded = crossvalidation.folds(rows, lexicon_dir)
    result = evaluation.figures(rows, folded.score, folded.flagged)
    covers = list(crossvalidation.leave_out(rows, crossvalidation.covers, folded, lexicon_dir))
    cost = crossvalidation.cost_of_unknown_tricks(rows, labelled.rows("test"), folded, lexicon_dir)
    if as_json:
        covers_left_out = [asdict(one) for one in covers]
        write_json(
            {"folds": asdict(result), "covers_left_out": covers_left_out, "unknown_tricks": _told(cost)}
        )
        return
    write_text(f"{evaluation.render(result)}\n\n{crossvalidation.render('Cover', covers)}\n")
    write_text(evaluation.render_tricks(cost))


def _told(cost: dict[str, tuple[Rate, Rate]]) -> dict[str, Any]:
    return {
        kind: {"plain": asdict(plain), "evaded": asdict(evaded)} for kind, (plain, evaded) in cost.items()
    }


def _classifier() -> Classifier:
    config = configuration.folder()
    chosen = configuration.settings(config).classifier
    return classifiers.load(config / "lexicon", chosen.model, chosen.base_rate)


@contextmanager
def _lines(file: Path | None) -> Iterator[io.TextIOBase]:
    # A byte that is no UTF-8 must spoil its own line only, so it is carried along as a lone surrogate.
    if file is None or str(file) == "-":
        yield io.TextIOWrapper(sys.stdin.buffer, encoding="utf-8", errors="surrogateescape", newline="\n")
        return
    with file.open(encoding="utf-8", errors="surrogateescape", newline="\n") as lines:
        yield lines
