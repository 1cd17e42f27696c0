"""``config/law.yml``: what a notice cites, by kind of violation, each clause with where it was checked."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Annotated, Self

from pydantic import BaseModel, ConfigDict, Field, model_validator

from classifiers import yamlfile
from classifiers.verdict import Label

NonEmpty = Annotated[str, Field(min_length=1)]
ClauseIds = Annotated[tuple[NonEmpty, ...], Field(min_length=1)]


class Model(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class Clause(Model):
    zh: NonEmpty
    en: NonEmpty
    source: NonEmpty = Field(description="text in which the article's number and content were checked")


class Kind(Model):
    """One category of violation, as it is called in a notice."""

    zh: NonEmpty
    en: NonEmpty
    violates: ClauseIds


class Law(Model):
    clauses: dict[NonEmpty, Clause]
    kinds: dict[Label, Kind]
    platform_duty: ClauseIds
    record_keeping: ClauseIds
    cooperation: ClauseIds

    @model_validator(mode="after")
    def _is_complete(self) -> Self:
        if missing := [label for label in Label if label is not Label.BENIGN and label not in self.kinds]:
            raise ValueError(f"kinds lacks {', '.join(missing)}")
        if unknown := sorted(set(self._cited()) - set(self.clauses)):
            raise ValueError(f"clauses lacks {', '.join(unknown)}, which others cite")
        return self

    def _cited(self) -> Iterator[str]:
        yield from (*self.platform_duty, *self.record_keeping, *self.cooperation)
        for kind in self.kinds.values():
            yield from kind.violates


def load(path: Path) -> Law:
    """Raises classifiers.yamlfile.ConfigError."""
    return yamlfile.load(path, Law)
