from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import sparse

from classifiers import linear

TEXTS = st.lists(st.text(max_size=12), min_size=1, max_size=6)


def expected(text: str) -> int:
    """N-grams of a text; of a row of one character, digits apart, only the first begins any."""
    begins = [i for i, c in enumerate(text) if i == 0 or c != text[i - 1] or c in "0123456789"]
    return sum(i + n < len(text) for i in begins for n in range(linear.ORDERS))


@given(TEXTS)
def test_a_batch_has_all_ngrams_of_each_text_and_none_across_texts(texts: list[str]) -> None:
    grams = linear.ngrams(texts)
    found = np.bincount(grams.row, minlength=len(texts)).tolist()
    assert found == [expected(text) for text in texts]


@given(TEXTS)
def test_the_company_in_a_batch_changes_nothing(texts: list[str]) -> None:
    together = linear.ngrams(texts)
    for row, text in enumerate(texts):
        alone = linear.ngrams([text])
        assert sorted(together.bucket[together.row == row]) == sorted(alone.bucket)


def test_digits_count_as_one_digit() -> None:
    assert linear.ngrams(["8000口"]).bucket.tolist() == linear.ngrams(["1234口"]).bucket.tolist()


def test_a_row_of_one_character_weighs_no_more_the_longer_it_is() -> None:
    assert set(linear.ngrams(["坏了……………"]).bucket) == set(linear.ngrams(["坏了………………………………"]).bucket)


@given(TEXTS)
def test_spreading_to_characters_loses_nothing(texts: list[str]) -> None:
    grams = linear.ngrams(texts)
    values = np.linspace(-1, 1, len(grams.bucket))
    assert linear.spread(values, grams).sum() == pytest.approx(values.sum(), abs=1e-9)


def test_logistic_regression_learns_keeps_its_bounds_and_is_deterministic() -> None:
    random = np.random.default_rng(1)
    x = sparse.csr_matrix(random.normal(size=(400, 3)))
    y = (x @ np.array([2.0, -2.0, 0.0]) + random.normal(size=400) > 0).astype(float)
    arguments = (x, y, np.ones(400), np.full(3, 0.1), np.zeros(3), [(None, None), (0.0, None), (None, None)])
    weights, intercept = linear.fit_logistic(*arguments)
    assert weights[0] > 1
    assert weights[1] == 0  # the data say negative, the bound says no
    again, _ = linear.fit_logistic(*arguments)
    assert weights.tobytes() == again.tobytes()
    assert abs(intercept) < 0.5


def test_a_column_without_data_keeps_its_prior() -> None:
    x = sparse.csr_matrix(np.array([[1.0, 0.0], [-1.0, 0.0]]))
    weights, _ = linear.fit_logistic(
        x, np.array([1.0, 0.0]), np.ones(2), np.ones(2), np.array([0.0, 0.8]), [(None, None)] * 2
    )
    assert weights[1] == pytest.approx(0.8)


def test_softmax_regression_tells_classes_apart() -> None:
    x = sparse.csr_matrix(np.eye(3).repeat(20, axis=0))
    y = np.arange(3).repeat(20)
    weights, intercepts = linear.fit_softmax(x, y, 3, np.full(3, 0.01))
    assert (np.argmax(x @ weights + intercepts, axis=1) == y).all()


def test_platt_scaling_recovers_a_stretched_scale() -> None:
    random = np.random.default_rng(2)
    logits = random.normal(scale=3, size=5000)
    y = (random.random(5000) < 1 / (1 + np.exp(-(0.5 * logits + 1)))).astype(float)
    slope, offset = linear.fit_platt(logits, y)
    assert slope == pytest.approx(0.5, abs=0.1)
    assert offset == pytest.approx(1.0, abs=0.15)
