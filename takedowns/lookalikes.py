"""Pictures that look alike, among many: perceptual hashes that differ in few of their 64 bits. Pure.

Of two hashes at most six bits apart, one of the four quarters differs in at most one bit: those are looked
up, and only what they bring is compared (multi-index hashing: M. Norouzi, A. Punjani, D. Fleet, 2012).
"""

from __future__ import annotations

from collections.abc import Iterator
from itertools import product

import numpy as np
from numpy.typing import NDArray

from classifiers.image_hash import NEAR
from takedowns.neighbours import Ints, spread

BATCH = 4096
PAIRS = 1 << 20  # compared together: some 50 MB, however many pictures share a quarter
BITS, QUARTER = 64, 16
APART = NEAR // 4  # bits in which some quarter differs at most
_VALUES = 1 << QUARTER
Words = NDArray[np.uint64]


class Lookalikes:
    """Finds which of ``hashes``, each given once, are at most NEAR bits from others."""

    def __init__(self, hashes: Words) -> None:
        self._hashes = hashes
        self._quarters = []
        for quarter in range(4):
            values = _quarter(hashes, quarter)
            first = np.concatenate(([0], np.cumsum(np.bincount(values, minlength=_VALUES))))
            self._quarters.append((np.argsort(values, kind="stable"), first))

    def query(self, hashes: Words) -> Iterator[tuple[Ints, Ints]]:
        """Numbers in ``hashes`` and of what is like them, each pair once, a batch at a time."""
        for first in range(0, len(hashes), BATCH):
            ones, others = self._alike(hashes[first : first + BATCH])
            yield ones + first, others

    def _alike(self, hashes: Words) -> tuple[Ints, Ints]:
        found = [np.empty((2, 0), np.int64)]
        for quarter, mask in product(range(4), _masks()):
            for ones, others in self._sharing(_quarter(hashes, quarter) ^ mask, quarter):
                near = np.bitwise_count(hashes[ones] ^ self._hashes[others]) <= NEAR
                found.append(np.stack((ones[near], others[near])))
        ones, others = np.unique(np.concatenate(found, axis=1), axis=1)
        return ones, others

    def _sharing(self, values: Ints, quarter: int) -> Iterator[tuple[Ints, Ints]]:
        """The numbers of ``values``, each with what is in the index under it, about PAIRS at a time."""
        order, first = self._quarters[quarter]
        starts, ends = first[values], first[values + 1]
        total = np.cumsum(ends - starts)
        cuts = np.searchsorted(total, np.arange(PAIRS, total[-1], PAIRS))
        for part in np.split(np.arange(len(values)), cuts):
            yield np.repeat(part, ends[part] - starts[part]), order[spread(starts[part], ends[part])]


def _quarter(hashes: Words, number: int) -> Ints:
    return (hashes >> np.uint64(QUARTER * number) & np.uint64(_VALUES - 1)).astype(np.int64)


def _masks() -> tuple[int, ...]:
    """What a quarter is to be changed by: nothing, or any one bit."""
    assert APART == 1  # noqa: S101  (the method below rests on it)
    return 0, *(1 << bit for bit in range(QUARTER))
