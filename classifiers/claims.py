"""Licence and product numbers: found, parsed, checked against the published form and against the listing.

A number that passes is no proof, and one that fails is no forgery: a finding says "does not fit the
published format" or "does not fit the goods", and a person looks it up in the register. Where a form or a
rule is known from use only, the number ends as ``needs_register_lookup``. A missing number is no finding.
That the same number stands on other shops as well is found in the ledger, not here.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import islice

from classifiers.claim_grammars import GRAMMARS, KINDS, OFFICIAL, WORTH_A_LOOK, Grammar, Status, digits_of
from classifiers.claim_page import Context, Page
from classifiers.claim_rules import BROKEN, CONTRADICTS, REASONS, RULES, of_any_kind
from classifiers.normalize import normalize

__all__ = ["KINDS", "REASONS", "WORTH_A_LOOK", "Context", "Found", "find", "number"]

MOST = 100  # numbers of one form in one listing; no honest one shows more, and each costs time
LONGEST = 40  # characters of a number; what is longer is no number but the text of a whole field


@dataclass(frozen=True, slots=True)
class Found:
    """A claim at ``[start, end)`` of the canonical text, with reason codes such as ``MR2``."""

    kind: str
    start: int
    end: int
    status: Status
    reasons: tuple[str, ...] = ()


def find(text: str, context: Context) -> Iterator[Found]:
    """Numbers in canonical ``text`` whose grammar is known, in order of the grammars; ``MOST`` of each."""
    if not WORTH_A_LOOK.search(text):
        return
    page = Page(text, context)
    ends: set[tuple[str, int]] = set()
    for grammar in GRAMMARS:
        for match in islice(grammar.pattern.finditer(text), MOST):
            if (grammar.kind, match.end()) not in ends:
                ends.add((grammar.kind, match.end()))
                yield _found(grammar, match, page)


def number(kind: str, written: str) -> str | None:
    """The number in a claim as the seller wrote it, so that equal ones compare equal; None if there is none.

    Half width, simplified, in capitals, without blanks, brackets and what stands around it.
    """
    text = normalize(written).text
    of_kind = (grammar.pattern.search(text) for grammar in GRAMMARS if grammar.kind == kind)
    match = next(filter(None, of_kind), None)
    bare = _bare(match) if match else text
    plain = re.sub(r"[^0-9a-z一-龥]|[第号]|(?<=械注.)字|(?<=械备)字", "", bare).upper()
    if len(plain) > LONGEST or not re.search(r"\d", plain):
        return None
    return plain[:1].translate(OFFICIAL) + plain[1:]


def _bare(match: re.Match[str]) -> str:
    groups = match.re.groupindex
    start, end = match.span("number" if "number" in groups else 0)
    if "digits" not in groups:
        return match.string[start:end]
    first, last = match.span("digits")
    return match.string[start:first] + digits_of(match) + match.string[last:end]


def _found(grammar: Grammar, match: re.Match[str], page: Page) -> Found:
    rule = RULES.get(grammar.name)
    codes = (*(rule(match, page) if rule else ()), *of_any_kind(match, page))
    return Found(grammar.kind, match.start(), match.end(), _status(codes, grammar.best), codes)


def _status(codes: tuple[str, ...], best: Status) -> Status:
    if not BROKEN.isdisjoint(codes):
        return "format_bad"
    if not CONTRADICTS.isdisjoint(codes):
        return "inconsistent"
    return "needs_register_lookup" if codes else best
