"""Reads the labelled listings that the market's goods are drawn from."""

from __future__ import annotations

from importlib.resources import files
from importlib.resources.abc import Traversable

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from classifiers.labelled import split_of
from classifiers.verdict import Label


class CorpusRow(BaseModel):
    """What the market needs of a corpus row; annotations for training (signals, why …) are left aside."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    id: str = Field(min_length=1)
    lang: str
    title: str = Field(min_length=1)
    description: str
    attributes: dict[str, str]
    price: str
    shop: str
    label: Label

    @property
    def violating(self) -> bool:
        return self.label is not Label.BENIGN


class CorpusError(ValueError):
    """A corpus file cannot be read; the message names file and line."""


def read_corpus() -> tuple[CorpusRow, ...]:
    """The rows of ``classifiers/corpus/*.jsonl`` that the model was not trained on, in their order.

    Goods that it was trained on would flatter it. Rows without a shop or a price are no offers.
    """
    folder = files("classifiers") / "corpus"
    if not folder.is_dir():
        raise CorpusError("classifiers/corpus is missing: the sample market has nothing to sell")
    found = sorted((f for f in folder.iterdir() if f.name.endswith(".jsonl")), key=lambda f: f.name)
    unseen = (row for file in found for row in _read(file) if split_of(row.id) != "train")
    return tuple(row for row in unseen if row.shop and row.price)


def read_hostile() -> tuple[CorpusRow, ...]:
    """The market's own rows: listings written to break whoever reads them."""
    return _read(files(__package__) / "hostile.jsonl")


def _read(file: Traversable) -> tuple[CorpusRow, ...]:
    # Split at line feeds only: listing text may hold U+2028 and its like, which splitlines() would cut at.
    lines = file.read_text(encoding="utf-8").split("\n")
    return tuple(_parse(line, f"{file.name}:{n}") for n, line in enumerate(lines, 1) if line.strip())


def _parse(line: str, place: str) -> CorpusRow:
    try:
        return CorpusRow.model_validate_json(line)
    except ValidationError as error:
        raise CorpusError(f"{place}: {error}") from error
