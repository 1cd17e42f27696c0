from __future__ import annotations

import random

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from classifiers.image_hash import NEAR, near
from takedowns import lookalikes
from takedowns.lookalikes import Lookalikes

WORD = st.integers(0, 2**64 - 1)


def found(hashes, others):
    index = Lookalikes(np.array(others, np.uint64))
    parts = index.query(np.array(hashes, np.uint64))
    return {(int(a), int(b)) for ones, others in parts for a, b in zip(ones, others, strict=True)}


@given(st.lists(WORD, max_size=6), st.lists(WORD, max_size=6))
@settings(deadline=None)
def test_none_is_found_that_is_not_near(hashes, others):
    assert all(near(hashes[a], others[b]) for a, b in found(hashes, others))


@given(WORD, st.sets(st.integers(0, 63), max_size=NEAR + 2))
@settings(deadline=None)
def test_every_hash_within_the_radius_is_found_and_none_beyond(word, bits):
    other = word ^ sum(1 << bit for bit in bits)
    assert found([word], [other]) == ({(0, 0)} if len(bits) <= NEAR else set())


def test_many_with_a_quarter_in_common_are_compared_a_part_at_a_time(monkeypatch):
    monkeypatch.setattr(lookalikes, "PAIRS", 50)
    chance = random.Random(2)
    hashes = [chance.getrandbits(48) for _ in range(60)]
    copies = [word ^ (1 << chance.randrange(64)) for word in hashes]
    assert found(copies, hashes) == {(n, n) for n in range(60)}


@pytest.mark.parametrize("number", [0, 1, 5000])
def test_many_are_found_as_by_comparing_every_pair(number):
    chance = random.Random(1)
    hashes = [chance.getrandbits(64) for _ in range(number)]
    copies = [word ^ (1 << chance.randrange(64)) for word in hashes]
    assert found(copies, hashes) == {(n, n) for n in range(number)}
