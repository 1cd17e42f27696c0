"""The operator's lexicon: ``config/lexicon/*.yml`` compiled into one automaton over canonical text."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Annotated, Literal

from ahocorasick_rs import AhoCorasick
from pydantic import BaseModel, ConfigDict, Field, RootModel

from classifiers import yamlfile
from classifiers.normalize import Normalized, normalize
from classifiers.yamlfile import ConfigError

DIRECTORY = Path(__file__).resolve().parents[1] / "config" / "lexicon"
CONCEPTS_FILE = "concepts.yml"

Text = Annotated[str, Field(min_length=1)]
WeightHint = Literal["strong", "medium", "weak"]


class Entry(BaseModel):
    """One thing that sellers name, and the ways in which they spell it."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    id: Annotated[str, Field(pattern=r"^[a-z0-9][a-z0-9_]*$")]
    concept: Annotated[str, Field(pattern=r"^[a-z]+\.[a-z_]+$", description="a key of concepts.yml")]
    term: Text
    weight_hint: WeightHint = Field(
        description="strong: worth a look on its own; weak: only in context. Concepts named ordinary.* "
        "speak for harmless goods, and there the hint is the strength of that."
    )
    variants: tuple[Text, ...] = Field(default=(), description="other words for the same thing")
    disguised: tuple[Text, ...] = Field(default=(), description="spellings that only hide the term")
    note: str = ""
    match: tuple[Text, ...] = Field(default=(), description="texts in which this entry must be found")
    no_match: tuple[Text, ...] = Field(default=(), description="texts in which it must not")


class EntryFile(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")

    entries: Annotated[tuple[Entry, ...], Field(min_length=1)]


class Bilingual(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")

    zh: Text
    en: Text


class Concept(BaseModel):
    """How the desk names a reason: a short name and one sentence, each in both languages."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    name: Bilingual
    sentence: Bilingual


class ConceptFile(RootModel[dict[str, Concept]]):
    """Concept, evasion, measure and claim reason code → what people read."""


@dataclass(frozen=True, slots=True)
class Hit:
    """An entry found at ``[start, end)`` of the canonical text. ``disguised``: through a hiding spelling."""

    entry: Entry
    start: int
    end: int
    disguised: bool


@dataclass(frozen=True, slots=True)
class _Pattern:
    entry: Entry
    text: str
    disguised: bool


class Lexicon:
    """Finds every entry in linear time, the longer of two nested ones: 电子烟探测器 is no 电子烟."""

    def __init__(self, entries: Iterable[Entry]) -> None:
        self.entries = tuple(entries)
        self._patterns = list(_patterns(self.entries))
        self._automaton = AhoCorasick([pattern.text for pattern in self._patterns])

    @cached_property
    def version(self) -> str:
        """First 12 hex digits of a SHA-256 over all entries."""
        canonical = "\n".join(sorted(entry.model_dump_json() for entry in self.entries))
        return hashlib.sha256(canonical.encode()).hexdigest()[:12]

    def find(self, norm: Normalized) -> list[Hit]:
        """Hits in order of their start; a hit inside a longer one is left out.

        Latin words match as whole words (a plural s may follow), numbers as whole numbers.
        """
        found = self._automaton.find_matches_as_indexes(norm.text, overlapping=True)
        spans = sorted((start, -end, index) for index, start, end in found)
        hits: list[Hit] = []
        reach = 0
        for start, minus_end, index in spans:
            end = -minus_end
            if end > reach and _stands_alone(norm.text, start, end):
                pattern = self._patterns[index]
                hits.append(Hit(pattern.entry, start, end, pattern.disguised))
                reach = end
        return hits


def _stands_alone(text: str, start: int, end: int) -> bool:
    first, last, before = text[start], text[end - 1], text[start - 1 : start]
    if _latin(first) and _latin(before):
        return False
    if first.isdigit() and (before.isdigit() or before == "."):
        return False
    after = text[end : end + 2]
    plural = after[:1] == "s" and not _latin(after[1:])
    return not _latin(last) or not _latin(after[:1]) or plural


def _latin(char: str) -> bool:
    return "a" <= char <= "z"


def _patterns(entries: Iterable[Entry]) -> Iterator[_Pattern]:
    """Canonical spellings, each once: of equal ones the first entry's wins (``check`` tells)."""
    seen: set[str] = set()
    for entry in entries:
        plain = [(text, False) for text in (entry.term, *entry.variants)]
        for text, disguised in [*plain, *((text, True) for text in entry.disguised)]:
            canonical = normalize(text).text
            if canonical and canonical not in seen:
                seen.add(canonical)
                yield _Pattern(entry, canonical, disguised)


def load(directory: Path = DIRECTORY) -> Lexicon:
    """Read every ``*.yml`` of ``directory`` but ``concepts.yml``; raises :class:`ConfigError`."""
    return Lexicon(_entries(directory))


def concepts(directory: Path = DIRECTORY) -> dict[str, Concept]:
    """What people read for each concept and reason code; raises :class:`ConfigError`."""
    return yamlfile.load(directory / CONCEPTS_FILE, ConceptFile).root


def check(directory: Path = DIRECTORY) -> list[str]:
    """Every problem of a lexicon, one sentence each; empty when there is none."""
    try:
        entries, known = _entries(directory), concepts(directory)
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


def _entries(directory: Path) -> list[Entry]:
    paths = [path for path in sorted(directory.glob("*.yml")) if path.name != CONCEPTS_FILE]
    if not paths:
        raise ConfigError([f"{directory}:1:1: (lexicon): no entries: there is no lexicon file here"])
    entries: list[Entry] = []
    problems: list[str] = []
    for path in paths:
        try:
            entries += yamlfile.load(path, EntryFile).entries
        except ConfigError as error:
            problems += error.problems
    if problems:
        raise ConfigError(problems)
    return entries


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
