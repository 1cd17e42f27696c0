"""Hashed character n-grams and logistic regression: the arithmetic of the model, nothing about listings."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import optimize, sparse, special

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
Bounds = tuple[float | None, float | None]

ORDERS = 4  # n-grams of 1 to 4 characters; words of Chinese listings have 2 to 4
BUCKET_BITS = 20  # of about 60,000 learned n-grams one unseen in seventeen collides
FLOOR = 80  # shorter texts are not blown up to unit length, else three characters would decide
_MULTIPLIER = np.uint64(0x9E3779B97F4A7C15)  # 2^64 / golden ratio: spreads neighbours over all buckets
_DIGIT_ZERO, _DIGIT_NINE = 48, 57


@dataclass(frozen=True, slots=True)
class NGrams:
    """All n-grams of a batch: ``bucket[i]`` covers ``order[i]`` characters of text ``row[i]``, from character
    ``at[i]`` of the joined batch on. ``starts`` (texts,): where each text begins there. ``scale`` (texts,):
    1 / sqrt(number of n-grams), at most 1 / sqrt(FLOOR). ``size``: characters of the joined batch."""

    row: Ints
    at: Ints
    order: Ints
    bucket: Ints
    starts: Ints
    scale: Floats
    size: int


def ngrams(texts: Sequence[str]) -> NGrams:
    """N-grams of canonical texts; all digits count as one, because figures are judged elsewhere."""
    lengths = np.array([len(text) for text in texts], dtype=np.int64)
    codes = np.frombuffer("".join(texts).encode("utf-32-le"), dtype=np.uint32).astype(np.uint64)
    codes[(codes >= _DIGIT_ZERO) & (codes <= _DIGIT_NINE)] = _DIGIT_ZERO
    row_of_character = np.repeat(np.arange(len(texts)), lengths)
    at, order, bucket = (np.concatenate(part) for part in zip(*_orders(codes, row_of_character), strict=True))
    row = row_of_character[at]
    counts = np.bincount(row, minlength=len(texts))
    scale = 1 / np.sqrt(np.maximum(counts, FLOOR))
    return NGrams(row, at, order, bucket, np.cumsum(lengths) - lengths, scale, len(codes))


def _orders(codes: NDArray[np.uint64], row: Ints) -> Iterator[tuple[Ints, Ints, Ints]]:
    """Places, order and bucket of the n-grams of each order; none reaches into the next text.

    In a row of one character only the first begins n-grams, digits apart: ……… must not weigh more the longer
    it is.
    """
    shift = np.uint64(64 - BUCKET_BITS)
    rolling = np.zeros_like(codes)
    first = np.ones(len(codes), dtype=bool)
    first[1:] = (codes[1:] != codes[:-1]) | (codes[1:] == _DIGIT_ZERO) | (row[1:] != row[:-1])
    for n in range(1, ORDERS + 1):
        usable = max(len(codes) - n + 1, 0)
        rolling = (rolling[:usable] + codes[n - 1 :]) * _MULTIPLIER
        at = np.flatnonzero((row[:usable] == row[n - 1 :]) & first[:usable])
        yield at, np.full(len(at), n), (rolling[at] >> shift).astype(np.int64)


def sum_by_row(values: Floats, row: Ints, rows: int) -> Floats:
    """Column sums of ``values`` (n, columns) for each row number: (rows, columns)."""
    return np.column_stack([np.bincount(row, column, minlength=rows) for column in values.T])


def spread(values: Floats, grams: NGrams) -> Floats:
    """Each n-gram's value (n,) shared out evenly to the characters of the joined batch that it covers."""
    total = np.zeros(grams.size)
    for offset in range(ORDERS):
        reaching = grams.order > offset
        places, parts = grams.at[reaching] + offset, values[reaching] / grams.order[reaching]
        total += np.bincount(places, parts, minlength=grams.size)
    return total


def fit_logistic(
    x: sparse.csr_matrix, y: Floats, weight: Floats, penalty: Floats, prior: Floats, bounds: Sequence[Bounds]
) -> tuple[Floats, float]:
    """Weights and intercept of an L2-penalised logistic regression. Deterministic.

    ``y`` in {0, 1} and row ``weight`` of shape (n,); for each column a ``penalty`` on the distance from its
    ``prior`` weight, and ``bounds``.
    """

    def loss(theta: Floats) -> tuple[float, Floats]:
        coefficients, intercept = theta[:-1], theta[-1]
        z = x @ coefficients + intercept
        away = coefficients - prior
        value = weight @ (np.logaddexp(0, z) - y * z) + 0.5 * (penalty @ away**2)
        residual = weight * (special.expit(z) - y)
        return float(value), np.append(x.T @ residual + penalty * away, residual.sum())

    start = np.append(prior, 0.0)
    options = {"maxiter": 500}
    found = optimize.minimize(
        loss, start, jac=True, method="L-BFGS-B", bounds=[*bounds, (None, None)], options=options
    )
    return found.x[:-1], float(found.x[-1])


def fit_softmax(x: sparse.csr_matrix, y: Ints, classes: int, penalty: Floats) -> tuple[Floats, Floats]:
    """Weights (columns, classes) and intercepts (classes,) of an L2-penalised multinomial regression."""
    wanted = np.eye(classes)[y]

    def loss(theta: Floats) -> tuple[float, Floats]:
        full = theta.reshape(x.shape[1] + 1, classes)
        z = x @ full[:-1] + full[-1]
        log_p = z - special.logsumexp(z, axis=1, keepdims=True)
        value = -(wanted * log_p).sum() + 0.5 * (penalty @ (full[:-1] ** 2).sum(axis=1))
        residual = np.exp(log_p) - wanted
        gradient = np.vstack([x.T @ residual + penalty[:, None] * full[:-1], residual.sum(axis=0)])
        return float(value), gradient.ravel()

    start = np.zeros((x.shape[1] + 1) * classes)
    found = optimize.minimize(loss, start, jac=True, method="L-BFGS-B", options={"maxiter": 300})
    full = found.x.reshape(x.shape[1] + 1, classes)
    return full[:-1], full[-1]


def fit_platt(logits: Floats, y: Floats) -> tuple[float, float]:
    """Slope and offset that make sigmoid(slope * logit + offset) a calibrated probability (Platt)."""
    positives, negatives = y.sum(), len(y) - y.sum()
    target = np.where(y == 1, (positives + 1) / (positives + 2), 1 / (negatives + 2))

    def loss(theta: Floats) -> float:
        z = theta[0] * logits + theta[1]
        return float((np.logaddexp(0, z) - target * z).sum())

    slope, offset = optimize.minimize(loss, np.array([1.0, 0.0]), method="L-BFGS-B").x
    return float(slope), float(offset)
