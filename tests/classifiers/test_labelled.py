from __future__ import annotations

from collections import Counter
from pathlib import Path

import pytest

from classifiers import labelled
from classifiers.labelled import READ_BEFOREHAND, split_of


def test_ids_and_texts_are_unique() -> None:
    rows = labelled.rows()
    assert len({row.id for row in rows}) == len(rows)
    texts = Counter((row.title, row.description, str(row.attributes), row.price) for row in rows)
    assert [text for text, count in texts.items() if count > 1] == []


def test_no_text_stands_on_both_sides_of_the_split() -> None:
    learnt = {(row.title, row.description) for row in labelled.rows("train")}
    assert not [
        r.id for r in labelled.rows() if split_of(r.id) != "train" and (r.title, r.description) in learnt
    ]


def test_the_split_is_fixed_and_about_one_in_seven_is_kept_from_training() -> None:
    counts = Counter(split_of(row.id) for row in labelled.rows())
    assert 0.13 < counts["test"] / (counts["test"] + counts["train"]) < 0.17
    assert [split_of(name) for name in ("TB0001", "TB0013", "BU0001", "BT0001")] == [
        "test",
        "train",
        "blind",
        "test",
    ]


def test_rows_read_while_writing_the_lexicon_are_no_test_rows() -> None:
    assert {split_of(name) for name in READ_BEFOREHAND} == {"train"}


def test_rows_written_one_after_the_other_share_a_block() -> None:
    rows = {row.id: row.block for row in labelled.rows()}
    assert rows["TB0020"] == rows["TB0039"] != rows["TB0040"]


def test_a_corpus_without_rows_is_an_error_with_a_name(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="no corpus"):
        labelled.rows(corpus=tmp_path)
