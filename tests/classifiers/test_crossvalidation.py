from __future__ import annotations

import numpy as np
import pytest

from classifiers import crossvalidation, labelled, training
from classifiers.crossvalidation import Folded
from classifiers.labelled import Row


@pytest.fixture(scope="module")
def rows() -> list[Row]:
    """Enough to train on, quick to train on: 200 listings of each side and as many bare titles."""
    learnt = labelled.rows("train")
    catalogue = [row for row in learnt if row.platform == labelled.CATALOGUE]
    listings = [row for row in learnt if row.platform != labelled.CATALOGUE]
    return [
        *[row for row in listings if row.violating][:200],
        *[row for row in listings if not row.violating][:200],
        *catalogue[:200],
    ]


@pytest.fixture(scope="module")
def folded(rows: list[Row]) -> Folded:
    return crossvalidation.folds(rows)


def test_every_row_is_scored_and_better_than_by_chance(rows: list[Row], folded: Folded) -> None:
    y = np.array([row.violating for row in rows])
    assert np.all((folded.score > 0) & (folded.score < 1))
    assert folded.flagged[y].mean() > 0.5
    assert folded.flagged[~y].mean() < 0.1


def test_no_block_is_in_two_folds(rows: list[Row]) -> None:
    fold = training.folds_of(rows)
    folds_of_block = {(row.block, int(k)) for row, k in zip(rows, fold, strict=True)}
    assert len(folds_of_block) == len({row.block for row in rows})


def test_a_cover_left_out_is_judged_by_a_model_that_has_not_seen_it(rows: list[Row], folded: Folded) -> None:
    table = list(crossvalidation.leave_out(rows, lambda row: [row.label.value], folded))
    assert {one.group for one in table} <= {row.label.value for row in rows if row.violating}
    for one in table:
        members = [row for row in rows if row.violating and row.label.value == one.group]
        assert one.known.total == one.left_out.total == len(members)
    assert sum(one.left_out.hits for one in table) < sum(one.known.hits for one in table)
