"""The operator's lexicon: ``config/lexicon/*.yml`` compiled into one automaton over canonical text."""

from __future__ import annotations

import hashlib
import re
from bisect import bisect_right
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property, partial
from itertools import islice, takewhile
from pathlib import Path
from typing import Annotated, Literal, NamedTuple

from ahocorasick_rs import AhoCorasick
from pydantic import BaseModel, ConfigDict, Field, RootModel

from classifiers import respelling, yamlfile
from classifiers.normalize import Normalized, normalize
from classifiers.yamlfile import ConfigError

DIRECTORY = Path(__file__).resolve().parents[1] / "config" / "lexicon"
CONCEPTS_FILE = "concepts.yml"

Text = Annotated[str, Field(min_length=1)]
WeightHint = Literal["strong", "medium", "weak"]
Via = Literal["plain", "listed", "sound", "pinyin", "initials", "reordered"]

# Violating concepts whose words are worth hiding. Of "use" only strong words: 可以吸 sounds like 可以洗.
_HIDDEN_CONCEPTS = ("product.", "brand.", "cover.", "device.kit", "use.", "flavour.")
_CHINESE = re.compile("[\u4e00-\u9fff]")
_Match = tuple[int, int, int]  # pattern, start, end
_MOST = 1000  # places looked at for each sort of respelling: hostile text must not take long
# Latin words that are looked for backwards, too: strong ones and longer ones, for backwards gulp is plug.
_LATIN_BACKWARDS = {"strong": re.compile("[a-z -]{4,}"), "medium": re.compile("[a-z -]{6,}")}


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
    sounds: bool | None = Field(
        default=None,
        description="whether to look for spellings that nobody listed: same sound, pinyin, initials, other "
        "order. By default for strong and medium words of three and more Chinese characters that name goods, "
        "brands, covers or kits, and for strong ones of use. true: for two characters and weak words too, as "
        "a faint sign; false: for none, because ordinary words sound the same.",
    )
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


class Hit(NamedTuple):
    """An entry found at ``[start, end)`` of the canonical text.

    ``via``: as the entry spells it (plain), in a spelling that it lists as disguised (listed), or respelled
    in a way that nobody listed. ``word``: the spelling of the entry that was read. ``faint``: ordinary text
    has this by chance too, so that it needs a second reason.
    """

    entry: Entry
    start: int
    end: int
    via: Via
    word: str
    faint: bool = False

    @property
    def disguised(self) -> bool:
        return self.via != "plain"


Suspect = tuple[int, Entry, Via, bool]  # number of the text, what it may be, how it is spelt, whether faint


@dataclass(frozen=True, slots=True)
class _Pattern:
    entry: Entry
    text: str
    via: Via
    word: str
    faint: bool = False

    def at(self, start: int, end: int) -> Hit:
        return Hit(self.entry, start, end, self.via, self.word, self.faint)


class Lexicon:
    """Finds every entry in linear time, the longer of two nested ones: 电子烟探测器 is no 电子烟."""

    def __init__(self, entries: Iterable[Entry]) -> None:
        self.entries = tuple(entries)
        given = list(_patterns(self.entries))
        self._given = len(given)
        self._patterns = [*given, *_respelled(given)]
        self._automaton = AhoCorasick([pattern.text for pattern in self._patterns])
        self._has_edges = [_has_edges(pattern.text) for pattern in self._patterns]
        self._sounded = [pattern for pattern in given if _is_sounded(pattern)]
        self._ear = respelling.Ear([pattern.text for pattern in self._sounded])

    @cached_property
    def version(self) -> str:
        """First 12 hex digits of a SHA-256 over all entries."""
        canonical = "\n".join(sorted(entry.model_dump_json() for entry in self.entries))
        return hashlib.sha256(canonical.encode()).hexdigest()[:12]

    def find(self, norm: Normalized) -> list[Hit]:
        """Hits in order of their start; a hit inside a longer one is left out.

        Latin words match as whole words (a plural s may follow), numbers as whole numbers. Respelled hits
        stand where neither a given spelling nor an everyday word does.
        """
        return next(self.find_many([norm]))

    def find_many(self, norms: Sequence[Normalized]) -> Iterator[list[Hit]]:
        """What ``find`` gives for each of ``norms``."""
        texts = [norm.text for norm in norms]
        sounding = self._ear.rows(texts)
        for row, matches in enumerate(_by_text(self._automaton, texts)):
            yield self._hits(texts[row], matches, self._heard(texts[row]) if row in sounding else ())

    def _hits(self, text: str, matches: list[_Match], heard: Iterable[Hit]) -> list[Hit]:
        given = self._as_given(text, matches)
        respelled = [*self._reordered(text, matches), *heard]
        if any(_is_backwards(text, hit) for hit in respelled):
            respelled += self._mirrored(text)
        return _longest([*given, *_unexplained(respelled, given)]) if respelled else given

    def suspects(self, texts: Sequence[str]) -> Iterator[Suspect]:
        """Which entries canonical ``texts`` might hold: all that ``find`` finds in them, and more."""
        for row, matches in enumerate(_by_text(self._automaton, texts)):
            for index, start, end in matches:
                if not self._has_edges[index] or _stands_alone(texts[row], start, end):
                    pattern = self._patterns[index]
                    yield row, pattern.entry, pattern.via, pattern.faint
        for row in self._ear.rows(texts):
            for found in self._ear.find(texts[row]):
                pattern = self._sounded[found.index]
                yield row, pattern.entry, found.via, _is_faint(pattern)

    def _as_given(self, text: str, matches: list[_Match]) -> list[Hit]:
        """Plain and listed spellings."""
        spans = sorted((start, -end, index) for index, start, end in matches if index < self._given)
        hits: list[Hit] = []
        reach = 0
        for start, minus_end, index in spans:
            end = -minus_end
            if end > reach and not (self._has_edges[index] and not _stands_alone(text, start, end)):
                hits.append(self._patterns[index].at(start, end))
                reach = end
        return hits

    def _reordered(self, text: str, matches: list[_Match]) -> Iterator[Hit]:
        """Other orders and abbreviations."""
        for index, start, end in islice((match for match in matches if match[0] >= self._given), _MOST):
            if _stands_alone(text, start, end):
                hit = self._patterns[index].at(start, end)
                if _is_token(text, hit) and not respelling.is_everyday(text, start, end, range(start, end)):
                    yield hit

    def _heard(self, text: str) -> Iterator[Hit]:
        for found in islice(self._ear.find(text), _MOST):
            pattern = self._sounded[found.index]
            if _is_credible(text, found, pattern.text):
                yield Hit(pattern.entry, found.start, found.end, found.via, pattern.word, _is_faint(pattern))

    def _mirrored(self, text: str) -> Iterator[Hit]:
        """Every word of a text that was turned round."""
        backwards, size = text[::-1], len(text)
        matches = self._automaton.find_matches_as_indexes(backwards, overlapping=True)
        for hit in self._as_given(backwards, matches)[:_MOST]:
            yield hit._replace(start=size - hit.end, end=size - hit.start, via="reordered")


def _by_text(automaton: AhoCorasick, texts: Sequence[str]) -> Iterator[list[_Match]]:
    """The matches in each text, from one pass over all of them."""
    matches = automaton.find_matches_as_indexes("\n".join(texts), overlapping=True)
    last = [end for _, _, end in matches]  # which ascends
    start = done = 0
    for text in texts:
        until = bisect_right(last, start + len(text), done)
        yield [(index, first - start, end - start) for index, first, end in matches[done:until]]
        start, done = start + len(text) + 1, until


def _is_credible(text: str, found: respelling.Sounding, word: str) -> bool:
    if len(word) == 2 and found.via == "sound" and len(found.changed) == 2:
        return False  # 晓燕 is not 小烟
    latin_edge = word[0].isascii() or word[-1].isascii()
    if latin_edge and not _stands_alone(text, found.start, found.end):
        return False
    return not respelling.is_everyday(text, found.start, found.end, found.changed)


def _longest(hits: list[Hit]) -> list[Hit]:
    """In order of their start, without those inside another; of equal spans the first of ``hits``."""
    kept: list[Hit] = []
    reach = 0
    for hit in sorted(hits, key=lambda hit: (hit.start, -hit.end)):
        if hit.end > reach:
            kept.append(hit)
            reach = hit.end
    return kept


def _unexplained(respelled: list[Hit], given: list[Hit]) -> Iterator[Hit]:
    """Those that touch only shorter words inside them: 雾化旦 holds 雾化, but 电子研究 has its own 研究."""
    ends = [hit.end for hit in given]
    for hit in respelled:
        onwards = map(given.__getitem__, range(bisect_right(ends, hit.start), len(given)))
        touching = takewhile(partial(_starts_before, hit.end), onwards)
        if all(_is_part(word, hit) for word in touching):
            yield hit


def _starts_before(end: int, hit: Hit) -> bool:
    return hit.start < end


def _is_part(word: Hit, of: Hit) -> bool:
    inside = of.start <= word.start and word.end <= of.end and word.end - word.start < of.end - of.start
    return inside and not of.faint and not word.entry.concept.startswith("ordinary.")


def _is_backwards(text: str, hit: Hit) -> bool:
    return hit.via == "reordered" and len(hit.word) > 2 and text[hit.start : hit.end] == hit.word[::-1]


def _is_token(text: str, hit: Hit) -> bool:
    """Whether an abbreviation is no part of a model number: DZY-200."""
    around = text[max(hit.start - 1, 0) : hit.start] + text[hit.end : hit.end + 1]
    return hit.via != "initials" or not any(c == "-" or (c.isascii() and c.isalnum()) for c in around)


def _has_edges(word: str) -> bool:
    """Whether what stands around ``word`` matters: Chinese needs no room."""
    return any(_latin(char) or char.isdigit() for char in (word[0], word[-1]))


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
        spellings: list[tuple[str, Via]] = [(text, "plain") for text in (entry.term, *entry.variants)]
        for text, via in [*spellings, *((text, "listed") for text in entry.disguised)]:
            canonical = normalize(text).text
            if canonical and canonical not in seen:
                seen.add(canonical)
                word = canonical if via == "plain" else entry.term
                yield _Pattern(entry, canonical, via, word)


def _is_sounded(pattern: _Pattern) -> bool:
    """Whether respellings of this word are looked for."""
    entry, chinese = pattern.entry, len(_CHINESE.findall(pattern.text))
    if pattern.via != "plain" or chinese < 2 or entry.sounds is not None:
        return pattern.via == "plain" and chinese >= 2 and bool(entry.sounds)
    medium = entry.weight_hint == "medium" and not entry.concept.startswith("use.")
    named = entry.concept.startswith(_HIDDEN_CONCEPTS) and (entry.weight_hint == "strong" or medium)
    return named and chinese >= 3


def _is_faint(pattern: _Pattern) -> bool:
    entry = pattern.entry
    return entry.weight_hint == "weak" or entry.concept.startswith("flavour.") or len(pattern.text) == 2


def _respelled(patterns: list[_Pattern]) -> Iterator[_Pattern]:
    """Other orders and abbreviations of the words of ``patterns``, each once, none of them itself a word."""
    known = {pattern.text for pattern in patterns}
    seen = set(known)
    for pattern in patterns:
        for text, via in _spelled_out(pattern, known):
            if text not in seen:
                seen.add(text)
                faint = via == "initials" or _is_faint(pattern)
                yield _Pattern(pattern.entry, text, via, pattern.word, faint)


def _spelled_out(pattern: _Pattern, known: set[str]) -> Iterator[tuple[str, Via]]:
    word = pattern.text
    if _is_sounded(pattern):
        yield from ((text, "initials") for text in respelling.abbreviations(word))
        if len(word) > 2:
            yield from ((text, "reordered") for text in respelling.reorderings(word, known))
    if _is_told_backwards(pattern):
        yield word[::-1], "reordered"


def _is_told_backwards(pattern: _Pattern) -> bool:
    """Whether this word read backwards shows that someone turned the text round."""
    latin = _LATIN_BACKWARDS.get(pattern.entry.weight_hint)
    long = len(_CHINESE.findall(pattern.text)) >= 3 or bool(latin and latin.fullmatch(pattern.text))
    return (long and not pattern.entry.concept.startswith("ordinary.")) or _is_sounded(pattern)


def load(directory: Path = DIRECTORY) -> Lexicon:
    """Read every ``*.yml`` of ``directory`` but ``concepts.yml``; raises :class:`ConfigError`."""
    return Lexicon(read_entries(directory))


def concepts(directory: Path = DIRECTORY) -> dict[str, Concept]:
    """What people read for each concept and reason code; raises :class:`ConfigError`."""
    return yamlfile.load(directory / CONCEPTS_FILE, ConceptFile).root


def read_entries(directory: Path) -> list[Entry]:
    """What stands in the files of ``directory``; raises :class:`ConfigError`."""
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
