"""Whether a lexicon holds together: no doubles, no unknown concept, and every example of an entry true."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from classifiers.lexicon import CONCEPTS_FILE, DIRECTORY, Entry, Lexicon, concepts, read_entries
from classifiers.normalize import normalize
from classifiers.yamlfile import ConfigError


def check(directory: Path = DIRECTORY) -> list[str]:
    """Every problem of a lexicon, one sentence each; empty when there is none."""
    try:
        entries, known = read_entries(directory), concepts(directory)
    except ConfigError as error:
        return error.problems
    return [
        *_doubles(entries),
        *(
            f"{e.id}: concept {e.concept} is not in {CONCEPTS_FILE}"
            for e in entries
            if e.concept not in known
        ),
        *_failing_examples(Lexicon(entries)),
    ]


def _doubles(entries: list[Entry]) -> Iterator[str]:
    ids: set[str] = set()
    owner: dict[str, str] = {}
    for entry in entries:
        if entry.id in ids:
            yield f"{entry.id}: this id is used twice"
        ids.add(entry.id)
        for text in (entry.term, *entry.variants, *entry.disguised):
            first = owner.setdefault(normalize(text).text, entry.id)
            if first != entry.id:
                yield f"{entry.id}: {text!r} is already a spelling of {first}"
            if not normalize(text).text:
                yield f"{entry.id}: {text!r} is nothing once hidden characters are removed"


def _failing_examples(lexicon: Lexicon) -> Iterator[str]:
    for entry in lexicon.entries:
        for text, wanted in [*((t, True) for t in entry.match), *((t, False) for t in entry.no_match)]:
            found = any(hit.entry.id == entry.id for hit in lexicon.find(normalize(text)))
            if found != wanted:
                yield f"{entry.id}: {'not found' if wanted else 'found'} in its example {text!r}"
