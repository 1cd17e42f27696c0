"""Near-duplicates among a million short texts: banded minhash finds candidates, their sets decide. Pure.

A text is the set of its runs of two characters, hashed to 32 bits; alike is what has a high Sørensen-Dice
index. Everything is done for thousands of texts at a time in NumPy. Of a long text only the smallest hashes
are kept: two sets are compared where both are whole, so that the index of long texts is an estimate
(standard error 0.03 at most), of short ones exact.

Method: A. Broder, "On the resemblance and containment of documents" (1997), and bottom-k sketches.
"""

from __future__ import annotations

import math
from array import array
from collections.abc import Iterable, Iterator
from itertools import islice, pairwise
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from classifiers.normalize import normalize_many

Ints = NDArray[np.int64]
Hashes = NDArray[np.uint32]
Codes = NDArray[np.uint64]  # a key or an owner in the upper half, a number or a hash in the lower

BATCH = 4096  # texts: their hashes fit into a processor's cache
SKETCH = 96  # hashes kept of a text: most listings have fewer, and a million of them take 384 MB at most
ROWS = 4  # minhashes in a band: with fewer, texts that share a category's words would be candidates
FOUND = 0.96  # chance that a pair which is only just alike enough is a candidate
MOST = 64  # of one bucket that are looked at: ten thousand copies of a text must not cost their square
PAIRS = 4096  # compared together: some 10 MB
LONGEST = 2_000  # characters of a text that count; a batch of longer ones would take gigabytes
_WHOLE = np.uint32(0xFFFFFFFF)
_LOW = np.uint64(0xFFFFFFFF)
_UP = np.uint64(32)
_ROUNDING = 1e-9
_LAST = np.uint64(0xFFFFFFFFFFFFFFFF)  # behind every code that occurs


class Sets(NamedTuple):
    """Sets of hashes, one behind the other, ascending in each, cut to SKETCH.

    ``sizes`` and ``bits`` (two words a set, a bit for each hash modulo 128) are those of the whole sets.
    """

    hashes: Hashes
    sizes: Ints
    bits: Codes

    @property
    def bounds(self) -> Ints:
        """Set ``i`` is ``hashes[bounds[i]:bounds[i + 1]]``."""
        return np.concatenate(([0], np.cumsum(np.minimum(self.sizes, SKETCH))))


class Pairs(NamedTuple):
    """``similarity[k]``, in [least, 1], of ``ones[k]`` and ``others[k]``."""

    ones: Ints
    others: Ints
    similarity: NDArray[np.float64]


def canonical(texts: Iterable[str]) -> Iterator[str]:
    """Texts as they are compared: the first LONGEST characters, spelling tricks undone, without blanks."""
    remaining = (text[:LONGEST] for text in texts)
    while batch := list(islice(remaining, BATCH)):
        yield from ("".join(norm.text.split()) for norm in normalize_many(batch))


def similarity(one: str, other: str) -> float:
    """The exact Dice index of two canonical texts; of two that are equal 1.0."""
    if one == other:
        return 1.0
    runs, others = set(pairwise(f"{one}\0")), set(pairwise(f"{other}\0"))
    return 2 * len(runs & others) / (len(runs) + len(others))


def shingled(texts: Iterable[str]) -> Iterator[Sets]:
    """The sets of canonical texts, a batch at a time."""
    remaining = iter(texts)
    while batch := list(islice(remaining, BATCH)):
        joined = "".join(batch).encode("utf-32-le", "surrogatepass")
        codes = np.frombuffer(joined, np.uint32)
        lengths = np.fromiter(map(len, batch), np.int64, len(batch))
        following = np.append(codes[1:], np.uint32(0))[: len(codes)]
        following[np.cumsum(lengths)[lengths > 0] - 1] = 0  # no run goes over into the next text
        yield _sets(codes * np.uint32(0x9E3779B1) + following, lengths)


def numbered(sets: Iterable[Iterable[int]]) -> Iterator[Sets]:
    """Sets of whole numbers below 2³², a batch at a time."""
    remaining = iter(sets)
    while batch := [list(numbers) for numbers in islice(remaining, BATCH)]:
        lengths = np.fromiter(map(len, batch), np.int64, len(batch))
        yield _sets(np.array([number for numbers in batch for number in numbers], np.uint32), lengths)


class Index:
    """Finds which of ``sets`` have a Dice index of at least ``least`` with others.

    What is found really is that alike; at least FOUND of what there is to find is found, unless it stands in
    a crowd: of more than MOST texts that nearly all are alike, the last ones are found. Empty sets have no
    neighbours.
    """

    def __init__(self, sets: Iterable[Sets], least: float) -> None:
        if not 0 < least <= 1:
            raise ValueError(f"a Dice index is above 0 and at most 1, not {least}")
        self.least = least
        self._multipliers, self._summands = _permutations(_bands(least) * ROWS)
        hashes, sizes, bits = array("I"), array("q"), array("Q")
        buckets = [array("Q") for _ in range(_bands(least))]
        for batch in sets:
            ids, keys = self._keys(batch)
            for bucket, row in zip(buckets, keys, strict=True):
                bucket.frombytes((row | (ids + len(sizes)).astype(np.uint64)).tobytes())
            hashes.frombytes(batch.hashes.tobytes())
            sizes.frombytes(batch.sizes.tobytes())
            bits.frombytes(batch.bits.tobytes())
        self._sets = Sets(
            np.frombuffer(hashes, np.uint32),
            np.frombuffer(sizes, np.int64),
            np.frombuffer(bits, np.uint64).reshape(-1, 2),
        )
        self._bounds = self._sets.bounds
        self._buckets = [np.frombuffer(bucket, np.uint64) for bucket in buckets]
        for ordered in self._buckets:
            ordered.sort()

    def __len__(self) -> int:
        return len(self._sets.sizes)

    def query(self, sets: Iterable[Sets]) -> Iterator[Pairs]:
        """What of the index is like each of ``sets`` (``ones``: their numbers), a batch at a time."""
        first = 0
        for batch in sets:
            ids, keys = self._keys(batch)
            found = self._alike(batch, *self._candidates(ids, keys, np.zeros(len(ids), np.uint64)))
            yield found._replace(ones=found.ones + first)
            first += len(batch.sizes)

    def pairs(self) -> Iterator[Pairs]:
        """What is alike within the index, each pair once: ``ones`` before ``others``."""
        for first in range(0, len(self), BATCH):
            batch = self._part(first, min(first + BATCH, len(self)))
            ids, keys = self._keys(batch)
            behind_itself = (ids + first + 1).astype(np.uint64)
            found = self._alike(batch, *self._candidates(ids, keys, behind_itself))
            yield found._replace(ones=found.ones + first)

    def _part(self, first: int, end: int) -> Sets:
        hashes = self._sets.hashes[self._bounds[first] : self._bounds[end]]
        return Sets(hashes, self._sets.sizes[first:end], self._sets.bits[first:end])

    def _keys(self, batch: Sets) -> tuple[Ints, list[Codes]]:
        """The numbers of the sets that are not empty, and for each band their keys in the upper 32 bits."""
        ids = np.flatnonzero(batch.sizes)
        starts = batch.bounds[:-1][ids]
        keys: list[Codes] = []
        for band in range(0, len(self._multipliers), ROWS):
            key = np.zeros(len(ids), np.uint32)
            for row in range(band, band + ROWS):
                permuted = batch.hashes * self._multipliers[row] + self._summands[row]
                key = _mixed(key * np.uint32(31) + np.minimum.reduceat(permuted, starts)) if len(ids) else key
            keys.append(key.astype(np.uint64) << _UP)
        return ids, keys

    def _candidates(self, ids: Ints, keys: list[Codes], least: Codes) -> tuple[Ints, Ints]:
        """The sets ``ids``, each with those in the index that share a bucket, from the number ``least``."""
        found = [np.empty(0, np.uint64)]
        for bucket, key in zip(self._buckets, keys, strict=True):
            starts = np.searchsorted(bucket, key | least)
            inside = np.flatnonzero(starts < len(bucket))
            shared = inside[bucket[starts[inside]] >> _UP == key[inside] >> _UP]
            ends = np.searchsorted(bucket, key[shared] | _LOW, side="right")
            starts = np.maximum(starts[shared], ends - MOST)
            ones = np.repeat(ids[shared], ends - starts).astype(np.uint64)
            found.append(ones << _UP | bucket[spread(starts, ends)] & _LOW)
        codes = np.concatenate(found)
        codes.sort()
        codes = codes[_differs(codes)]
        return (codes >> _UP).astype(np.int64), (codes & _LOW).astype(np.int64)

    def _alike(self, batch: Sets, ones: Ints, others: Ints) -> Pairs:
        # Each bit that differs stands for a hash, at least, that only one of them has: far cheaper to count.
        different = np.bitwise_count(batch.bits[ones] ^ self._sets.bits[others]).sum(axis=1, dtype=np.int64)
        possible = different <= (1 - self.least) * (batch.sizes[ones] + self._sets.sizes[others]) + _ROUNDING
        ones, others = ones[possible], others[possible]
        found = np.empty(len(ones))
        bounds = batch.bounds
        for first in range(0, len(ones), PAIRS):
            part = slice(first, first + PAIRS)
            found[part] = _dice((batch, bounds, ones[part]), (self._sets, self._bounds, others[part]))
        alike = found >= self.least - _ROUNDING
        return Pairs(ones[alike], others[alike], found[alike])


def _differs(ascending: Codes) -> NDArray[np.bool_]:
    """From the one before."""
    return np.append(True, ascending[1:] != ascending[:-1])[: len(ascending)]


def spread(starts: Ints, ends: Ints) -> Ints:
    """All whole numbers from each start to before its end, one range behind the other."""
    lengths = ends - starts
    offsets: Ints = np.repeat(np.cumsum(lengths) - lengths - starts, lengths)
    return np.arange(len(offsets)) - offsets


def _bands(least: float) -> int:
    jaccard = least / (2 - least)
    return math.ceil(math.log(1 - FOUND) / math.log(1 - min(jaccard**ROWS, FOUND)))


def _permutations(number: int) -> tuple[Hashes, Hashes]:
    """Of the numbers below 2³²: x → a·x + b with an odd a."""
    drawn = np.random.default_rng(20_261_012).integers(0, 2**32, (2, number), dtype=np.uint32)
    return drawn[0] | np.uint32(1), drawn[1]


def _mixed(values: Hashes) -> Hashes:
    """Every bit of the result depends on every bit given (the finaliser of MurmurHash3)."""
    values = (values ^ values >> np.uint32(16)) * np.uint32(0x85EBCA6B)
    values = (values ^ values >> np.uint32(13)) * np.uint32(0xC2B2AE35)
    return values ^ values >> np.uint32(16)


def _sets(values: Hashes, lengths: Ints) -> Sets:
    """Sets of the hashes of ``values``, which belong to ``len(lengths)`` texts one after the other."""
    owners = np.repeat(np.arange(len(lengths), dtype=np.uint64), lengths)
    codes = owners << _UP | _mixed(values)
    codes.sort()
    codes = codes[_differs(codes)]
    owned = (codes >> _UP).astype(np.int64)
    sizes = np.bincount(owned, minlength=len(lengths)).astype(np.int64)
    starts = np.cumsum(sizes) - sizes
    kept = np.arange(len(codes)) - starts[owned] < SKETCH
    return Sets(codes[kept].astype(np.uint32), sizes, _bits(codes, starts, sizes))


def _bits(codes: Codes, starts: Ints, sizes: Ints) -> Codes:
    """Shape (sets, 2)."""
    found = np.zeros((len(sizes), 2), np.uint64)
    filled = sizes > 0
    if filled.any():
        bit = np.uint64(1) << (codes & np.uint64(63))
        second = (codes & np.uint64(64)).astype(bool)
        for word, here in enumerate((~second, second)):
            found[filled, word] = np.bitwise_or.reduceat(np.where(here, bit, 0), starts[filled])
    return found


Side = tuple[Sets, Ints, Ints]
"""Sets, their bounds, and the numbers of those to be compared."""


def _dice(one: Side, other: Side) -> NDArray[np.float64]:
    """The Dice index of each pair, among the hashes up to which both sets are whole."""
    whole = np.minimum(_whole_up_to(one), _whole_up_to(other))
    here, there = (_members(side, whole) for side in (one, other))
    places = np.searchsorted(there, here)  # both ascend: faster than sorting them together
    shared = here[np.append(there, _LAST)[places] == here]
    members = _counted(here, len(whole)) + _counted(there, len(whole))
    index: NDArray[np.float64] = 2 * _counted(shared, len(whole)) / np.maximum(members, 1)
    return index


def _whole_up_to(side: Side) -> Hashes:
    sets, bounds, numbers = side
    cut = sets.sizes[numbers] > SKETCH
    return np.where(cut, sets.hashes[bounds[numbers + 1] - 1], _WHOLE)


def _members(side: Side, whole: Hashes) -> Codes:
    """The hashes of each pair's set, with the pair's number in the upper 32 bits."""
    sets, bounds, numbers = side
    starts, ends = bounds[numbers], bounds[numbers + 1]
    hashes = sets.hashes[spread(starts, ends)]
    pairs = np.repeat(np.arange(len(numbers), dtype=np.uint64), ends - starts)
    return (pairs << _UP | hashes)[hashes <= np.repeat(whole, ends - starts)]


def _counted(codes: Codes, pairs: int) -> Ints:
    return np.bincount((codes >> _UP).astype(np.int64), minlength=pairs)
