"""``definitions.yml`` and ``wording.yml`` as models: what each figure means, in Chinese and English."""

from __future__ import annotations

from enum import StrEnum
from functools import cache
from pathlib import Path
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field

from classifiers import yamlfile

HERE = Path(__file__).parent
Lang = Literal["zh", "en"]
LANGS: tuple[Lang, ...] = ("zh", "en")
NonEmpty = Annotated[str, Field(min_length=1)]


class Model(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class Kind(StrEnum):
    """How a value is written and how its change is told."""

    COUNT = "count"
    SHARE = "share"
    HOURS = "hours"
    SCORE = "score"


class Phrase(Model):
    zh: NonEmpty
    en: NonEmpty

    def in_(self, lang: Lang) -> str:
        return self.zh if lang == "zh" else self.en


class Definition(Model):
    """One figure. ``part_of`` names the figure that it is a share of (其中)."""

    id: NonEmpty
    kind: Kind
    name: Phrase
    unit: Phrase
    meaning: Phrase
    part_of: str | None = None
    compared: bool = Field(
        description="False where last month's value had longer to settle, so that a change would mislead"
    )


class Definitions(Model):
    figures: tuple[Definition, ...]


class Wording(Model):
    """Everything else that a report says, by code."""

    labels: dict[str, Phrase]
    notes: dict[str, Phrase]
    reasons: dict[str, Phrase]
    outcomes: dict[str, Phrase]
    measures: dict[str, Phrase]
    categories: dict[str, Phrase]
    sellers: dict[str, Phrase]
    presence: dict[str, Phrase]
    run_states: dict[str, Phrase]


@cache
def definitions() -> dict[str, Definition]:
    """By id, in the order in which a report shows them."""
    loaded = yamlfile.load(HERE / "definitions.yml", Definitions)
    return {definition.id: definition for definition in loaded.figures}


@cache
def wording() -> Wording:
    return yamlfile.load(HERE / "wording.yml", Wording)
