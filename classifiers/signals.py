"""Everything in a listing's text that a person can see and name: the reasons a verdict is made of."""

from __future__ import annotations

from bisect import bisect_left
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import NamedTuple

from classifiers import claims, measures
from classifiers.judge import Evidence
from classifiers.lexicon import Entry, Hit, Lexicon
from classifiers.normalize import EVASION_KINDS, Evasion, Normalized, normalize_many

# Tricks that nobody plays inside a word by accident; full-width letters, emoji and traditional characters are
# also the honest habit of many sellers.
HIDING = frozenset(
    {"zero_width", "bidi", "control", "combining", "homoglyph", "split_char", "symbols_inserted"}
    | {"shape_alike", "leetspeak", "repeated", "html"}
)
HIDDEN_WORD = "evasion.hidden_word"
# Elsewhere they are none: a list of colours, red/green/blue, a remnant of a page, a row of 灯灯灯.
ONLY_IN_WORDS = frozenset({"symbols_inserted", "shape_alike", "leetspeak", "repeated", "html"})

# Every concept that code, not the lexicon, can put on a signal; concepts.yml names them all.
CONCEPTS = frozenset(
    {f"evasion.{kind}" for kind in (*EVASION_KINDS, "respelled", "overlong")}
    | {f"claim.{code}" for code in (*claims.REASONS, *claims.KINDS)}
    | {"text.wording"}
    | measures.CONCEPTS
)
SOME = 10  # of the same reason; a title of ten thousand times the same word needs no ten thousand marks

_KINDS = {"measure", "evasion", "contact", "minors", "claim", "price", "text"}
_INHALED = ("use.", "product.", "brand.", "cover.stick", "device.kit")


class Finding(NamedTuple):
    """One signal at ``[start, end)`` of the text as written; the model has a weight for its ``feature``."""

    concept: str
    start: int
    end: int
    feature: str
    why: str


@dataclass(frozen=True, slots=True)
class Findings:
    norm: Normalized
    signals: list[Finding]
    claims: list[claims.Found] = field(default_factory=list)  # spans in the text as written

    @property
    def evidence(self) -> Evidence:
        places = [bisect_left(self.norm.starts, signal.start) for signal in self.signals]
        return Evidence(self.norm.text, [signal.feature for signal in self.signals], places)


def kind_of(concept: str) -> str:
    """The ``kind`` of the verdict contract for a concept id."""
    theme = concept.partition(".")[0]
    return theme if theme in _KINDS else "lexicon"


def find(text: str, lexicon: Lexicon, this_year: int | None = None) -> Findings:
    """All signals and claims of ``text`` as written."""
    return next(find_many([text], lexicon, this_year))


def find_many(texts: Sequence[str], lexicon: Lexicon, this_year: int | None = None) -> Iterator[Findings]:
    """What ``find`` gives for each of ``texts``, at two fifths of the time."""
    norms = normalize_many(texts)
    found = measures.find_many([norm.text for norm in norms])
    year = this_year or datetime.now(UTC).year
    for norm, hits, quantities in zip(norms, lexicon.find_many(norms), found, strict=True):
        yield _findings(norm, hits, quantities, year)


def _findings(norm: Normalized, hits: list[Hit], found: list[measures.Measure], this_year: int) -> Findings:
    licences: list[claims.Found] = []
    if claims.WORTH_A_LOOK.search(norm.text):
        context = _context(hits, found, norm.text, this_year)
        licences = [_as_written(norm, claim) for claim in claims.find(norm.text, context)]
    signals = [
        *(_of_hit(norm, hit) for hit in hits),
        *_hidden_words(norm, hits),
        *_tricks(norm.evasions),
        *(_of_measure(norm, measure) for measure in found),
        *(signal for claim in licences for signal in _of_claim(claim)),
    ]
    in_order = sorted(signals, key=lambda s: (s.start, s.end, s.concept))
    return Findings(norm, list(_some_of_each(in_order)), licences[:SOME])


def _some_of_each(signals: Iterable[Finding]) -> Iterator[Finding]:
    seen: Counter[str] = Counter()
    for signal in signals:
        seen[signal.feature] += 1
        if seen[signal.feature] <= SOME:
            yield signal


def features_of(entry: Entry) -> tuple[str, str]:
    """The features that an entry can have: spelt so that there is no doubt, and only faintly recognised."""
    return f"{entry.concept}/{entry.weight_hint}", f"{entry.concept}/faint"


def _of_hit(norm: Normalized, hit: Hit) -> Finding:
    entry = hit.entry
    why = f"read_as:{hit.word}" if hit.disguised else entry.concept
    start, end = norm.original_span(hit.start, hit.end)
    return Finding(entry.concept, start, end, features_of(entry)[hit.faint], why)


def _hidden_words(norm: Normalized, hits: list[Hit]) -> Iterator[Finding]:
    """A word of the trade that is read only after undoing a trick weighs more than the plain word."""
    tricks = sorted((e for e in norm.evasions if e.kind in HIDING), key=lambda e: e.start)
    starts = [trick.start for trick in tricks]
    for hit in hits:
        if hit.faint or hit.entry.concept.startswith("ordinary."):
            continue
        start, end = norm.original_span(hit.start, hit.end)
        inside = tricks[bisect_left(starts, start) : bisect_left(starts, end)]
        kinds = {trick.kind for trick in inside}
        if hit.disguised:
            kinds.add("respelled")
        for kind in sorted(kinds):
            yield Finding(f"evasion.{kind}", start, end, HIDDEN_WORD, f"read_as:{hit.word}")


def _tricks(evasions: list[Evasion]) -> Iterator[Finding]:
    """The first trick of each kind; a hundred emoji are one habit, not a hundred reasons."""
    first = {evasion.kind: evasion for evasion in reversed(evasions) if evasion.kind not in ONLY_IN_WORDS}
    for kind, evasion in first.items():
        concept = f"evasion.{kind}"
        yield Finding(concept, evasion.start, evasion.end, concept, concept)


def _of_measure(norm: Normalized, measure: measures.Measure) -> Finding:
    start, end = norm.original_span(measure.start, measure.end)
    return Finding(measure.concept, start, end, measure.concept, measure.concept)


def _of_claim(claim: claims.Found) -> Iterator[Finding]:
    for code in claim.reasons or (claim.kind,):
        concept = f"claim.{code}"
        yield Finding(concept, claim.start, claim.end, concept, concept)


def _as_written(norm: Normalized, claim: claims.Found) -> claims.Found:
    start, end = norm.original_span(claim.start, claim.end)
    return claims.Found(claim.kind, start, end, claim.status, claim.reasons)


def _context(hits: list[Hit], found: list[measures.Measure], text: str, this_year: int) -> claims.Context:
    plain = [hit.entry for hit in hits if not hit.faint and hit.entry.weight_hint != "weak"]
    concepts = {entry.concept for entry in plain} | {measure.concept for measure in found}
    # One may suck at jelly, and smoked bacon tastes of smoke: only what leaves no doubt makes goods inhaled.
    certain = {entry.concept for entry in plain if entry.weight_hint == "strong"} - {"product.nicotine"}
    return claims.Context(
        inhaled=any(concept.startswith(_INHALED) for concept in certain) or "measure.puffs" in concepts,
        nebuliser="雾化" in text,
        flavoured=any(c.startswith("flavour.") or c == "measure.flavour_count" for c in concepts),
        drink="cover.drink" in concepts or "饮料" in text,
        this_year=this_year,
    )
