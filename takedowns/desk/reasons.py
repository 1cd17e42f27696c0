"""A verdict as a page shows it: numbered reasons in words, and the spans that they mark. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from classifiers.lexicon import Concept
from classifiers.verdict import Claim, Signal
from takedowns.desk.marks import Marked, Span, marked, masked, shortened

QUOTE = 60  # characters of the seller's words in the list of reasons
TITLE_AT_MOST = 400
FIELD_AT_MOST = 20_000
SHOWN_AT_MOST = 60  # reasons; the strongest come first


@dataclass(frozen=True)
class Reason:
    """One numbered line. ``share``: its contribution against the strongest one, -1 … 1."""

    number: int
    name: str
    sentence: str
    quote: str
    field: str
    read_as: str | None
    contribution: float
    share: float


@dataclass(frozen=True)
class Check:
    """A licence or product number with what the check of it found."""

    number: int
    name: str
    claim: Claim
    findings: tuple[str, ...]


@dataclass(frozen=True)
class Explanation:
    reasons: tuple[Reason, ...]
    not_shown: int
    checks: tuple[Check, ...]
    spans: Mapping[str, tuple[Span, ...]]

    def field(self, name: str, text: str, at_most: int = FIELD_AT_MOST) -> Marked:
        return marked(text, self.spans.get(name, ()), at_most=at_most)


NOTHING = Explanation((), 0, (), {})


def explain(payload: Mapping[str, Any], concepts: Mapping[str, Concept], lang: str) -> Explanation:
    """``payload`` is a stored verdict; raises ValidationError when it does not fit the contract."""
    signals = [Signal.model_validate(signal) for signal in payload["signals"]]
    signals.sort(key=lambda signal: -abs(signal.contribution))
    shown = signals[:SHOWN_AT_MOST]
    claims = [Claim.model_validate(claim) for claim in payload["claims"]]
    numbered = enumerate(shown, 1)
    reasons = tuple(_said_once(_reason(number, signal, shown, concepts, lang) for number, signal in numbered))
    checks = tuple(
        Check(
            number,
            _name(f"claim.{claim.kind}", concepts, lang),
            claim,
            tuple(_sentence(f"claim.{code}", concepts, lang) for code in claim.reasons),
        )
        for number, claim in enumerate(claims, len(shown) + 1)
    )
    spans = _by_field([*zip(reasons, shown, strict=True), *((check, check.claim) for check in checks)])
    return Explanation(reasons, len(signals) - len(shown), checks, spans)


def top_names(payload: Mapping[str, Any], concepts: Mapping[str, Concept], lang: str, most: int) -> list[str]:
    """The names of the strongest reasons for suspicion, each once."""
    strongest = sorted(payload["signals"], key=lambda signal: -float(signal["contribution"]))
    names = [_name(signal["concept"], concepts, lang) for signal in strongest if signal["contribution"] > 0]
    return list(dict.fromkeys(names))[:most]


def _reason(
    number: int, signal: Signal, all_shown: Sequence[Signal], concepts: Mapping[str, Concept], lang: str
) -> Reason:
    strongest = max(abs(other.contribution) for other in all_shown) or 1
    private = signal.kind == "contact"
    why, _, read_as = signal.why.partition(":")
    return Reason(
        number=number,
        name=_name(signal.concept, concepts, lang),
        sentence=_sentence(signal.concept if signal.concept in concepts else why, concepts, lang),
        quote=shortened(masked(signal.text) if private else signal.text, QUOTE),
        field=signal.field,
        read_as=shortened(masked(read_as) if private else read_as, QUOTE) if why == "read_as" else None,
        contribution=signal.contribution,
        share=signal.contribution / strongest,
    )


def _said_once(reasons: Iterable[Reason]) -> Iterator[Reason]:
    """A sentence that an earlier reason said already is left out: the list stays short."""
    said: set[str] = set()
    for reason in reasons:
        yield replace(reason, sentence="") if reason.sentence in said else reason
        said.add(reason.sentence)


def _by_field(marks: Sequence[tuple[Reason | Check, Signal | Claim]]) -> dict[str, tuple[Span, ...]]:
    fields: dict[str, list[Span]] = {}
    for line, source in marks:
        span = Span(source.start, source.end, line.number, mask=source.kind == "contact")
        fields.setdefault(source.field, []).append(span)
    return {name: tuple(spans) for name, spans in fields.items()}


def _name(code: str, concepts: Mapping[str, Concept], lang: str) -> str:
    known = concepts.get(code)
    return getattr(known.name, lang) if known else code


def _sentence(code: str, concepts: Mapping[str, Concept], lang: str) -> str:
    known = concepts.get(code)
    return getattr(known.sentence, lang) if known else code
