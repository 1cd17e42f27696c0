"""Whether a tip concerns minors: by the words of those who tell it, or by a seller's that aim at them."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from functools import lru_cache
from pathlib import Path
from typing import Any

from classifiers import lexicon, signals

# Left out: minors.design and minors.harmless, which stand on many ordinary goods and for adults, too.
CONCEPTS = frozenset({"minors.school", "minors.hiding", "minors.age"})
# Of the law and of parents; sellers seldom use them, so the lexicon has few.
PLAIN = re.compile(
    r"未成年|小学|中学|初中|高中|学生|校园|学校|校门|孩子|小孩|儿童|少年|儿子|女儿|"
    r"\b(?:minors?|under-?age|pupils?|school\w*|teen\w*|child(?:ren)?|kids?)\b",
    re.IGNORECASE,
)

Concerns = Callable[[str], bool]


@lru_cache(maxsize=2)
def by_words(directory: Path) -> Concerns:
    """The test of a text, with the lexicon in ``directory``, which is read once.

    Raises classifiers.yamlfile.ConfigError.
    """
    known = lexicon.load(directory)

    def concerns(text: str) -> bool:
        if PLAIN.search(text):
            return True
        return any(found.concept in CONCEPTS for found in signals.find(text, known).signals)

    return concerns


def in_verdict(payload: Mapping[str, Any]) -> bool:
    """The same of a listing, by what the classifier said of it (a verdict as JSON)."""
    return any(signal["concept"] in CONCEPTS for signal in payload["signals"])
