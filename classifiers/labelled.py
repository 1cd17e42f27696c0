"""The labelled corpus: its rows, and which of them a model may learn from."""

from __future__ import annotations

import hashlib
import re
from pathlib import Path

from pydantic import BaseModel, ConfigDict

from classifiers.verdict import Label, ListingText

CORPUS = Path(__file__).with_name("corpus")
TEST_SHARE = 0.15
BLOCK = 20  # rows that one writer wrote one after the other, and that are therefore alike
CATALOGUE = "catalogue"  # platform of bare titles and search words of ordinary goods
BLIND = "BU"  # ids of the rows of a writer who had seen nothing of this project
WORN = "BT"  # ids of those of an earlier such writer, looked at too often since

# Rows that were read while the lexicon was written: no longer unseen, they would flatter the test split.
READ_BEFOREHAND = frozenset(
    {"TM0029", "TM0119", "TM0427", "TM0435", "TM0549", "TM0694", "TV0015", "TV0132", "TV0135", "TV0214"}
    | {"TV0669", "TV0719", "TV0791", "TV0794", "TV0841", "TV0851"}
    | {"NU0106", "NU0131", "NU0243", "NU0377", "NU0402"}
)


class Row(BaseModel):
    """One line of ``corpus/*.jsonl``: a listing and what a person said about it."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    id: str
    lang: str
    platform: str
    title: str
    description: str
    attributes: dict[str, str]
    price: str
    shop: str
    label: Label
    evasion: tuple[str, ...] = ()
    signals: tuple[str, ...] = ()
    cover: str | None = None
    near: str | None = None
    why: str

    @property
    def listing(self) -> ListingText:
        fields = {"id", "title", "description", "attributes", "price", "shop"}
        return ListingText(**self.model_dump(include=fields))

    @property
    def violating(self) -> bool:
        return self.label is not Label.BENIGN

    @property
    def block(self) -> str:
        """Rows of one block stay together when the corpus is cut into folds."""
        match = re.fullmatch(r"([A-Z]+)(\d+)", self.id)
        return f"{match[1]}{int(match[2]) // BLOCK}" if match else self.id


def rows(split: str | None = None, corpus: Path = CORPUS) -> list[Row]:
    """The rows of one split, or all, in the order of the files."""
    texts = (path.read_text("utf-8") for path in sorted(corpus.glob("*.jsonl")))
    found = [Row.model_validate_json(line) for text in texts for line in text.rstrip("\n").split("\n")]
    if not found:
        raise ValueError(f"{corpus}: no corpus: there is no labelled row here")
    return [row for row in found if split in (None, split_of(row.id))]


def split_of(row_id: str) -> str:
    """``train`` (85 %) or ``test``, by the first four bytes of SHA-256 of the id; ``blind`` by its writer.

    A row keeps its side for ever, whatever is added to the corpus.
    """
    if row_id.startswith(BLIND):
        return "blind"
    if row_id.startswith(WORN):
        return "test"
    # The upper end of the hash has been kept from training since the first model.
    return "train" if row_id in READ_BEFOREHAND or share(row_id) < 1 - TEST_SHARE else "test"


def share(text: str) -> float:
    """A number in [0, 1) that depends on the text alone."""
    return int.from_bytes(hashlib.sha256(text.encode()).digest()[:4]) / 2**32
