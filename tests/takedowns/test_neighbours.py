"""What the index finds is what comparing every pair finds."""

from __future__ import annotations

import random
from itertools import combinations, pairwise

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from takedowns import neighbours
from takedowns.neighbours import Index, canonical, numbered, shingled, similarity

TEXT = st.text("雾化器医用便携大容量西瓜味0123", max_size=12)


def everything_alike(texts, least):
    runs = [set(pairwise(f"{text}\0")) if text else set() for text in texts]
    return {
        (one, other)
        for one, other in combinations(range(len(texts)), 2)
        if runs[one]
        and 2 * len(runs[one] & runs[other]) >= (least - 1e-9) * (len(runs[one]) + len(runs[other]))
    }


def found(parts):
    return {
        (int(one), int(other)): float(likeness)
        for pairs in parts
        for one, other, likeness in zip(*pairs, strict=True)
    }


@given(st.lists(TEXT, max_size=12), st.sampled_from([0.5, 0.8, 0.9, 1.0]))
@example([], 0.8)
@example(["", "", "雾"], 0.8)
@example(["雾化", "雾化"], 1.0)
@settings(max_examples=150, deadline=None)
def test_what_is_found_is_that_alike_and_equal_texts_are_always_found(texts, least):
    alike = found(Index(shingled(texts), least).pairs())
    assert alike.keys() <= everything_alike(texts, least)
    assert all(
        likeness == pytest.approx(similarity(texts[a], texts[b])) for (a, b), likeness in alike.items()
    )
    assert {pair for pair in everything_alike(texts, 1.0) if texts[pair[0]] == texts[pair[1]]} <= alike.keys()


@given(st.lists(TEXT, max_size=8), st.lists(TEXT, max_size=8))
@settings(max_examples=60, deadline=None)
def test_a_query_finds_in_the_index_what_both_as_one_index_find(known, asked):
    together = found(Index(shingled(known + asked), 0.7).pairs())
    across = {(b - len(known), a): s for (a, b), s in together.items() if a < len(known) <= b}
    assert found(Index(shingled(known), 0.7).query(shingled(asked))) == pytest.approx(across)


@given(st.text(max_size=60), st.text(max_size=60))
def test_similarity_is_a_symmetric_share(one, other):
    likeness = similarity(one, other)
    assert 0 <= likeness <= 1
    assert likeness == similarity(other, one)
    assert similarity(one, one) == 1


@given(st.lists(st.text(max_size=30), max_size=5))
@settings(deadline=None)
def test_texts_with_anything_in_them_are_taken(texts):
    list(Index(shingled(canonical(texts)), 0.8).pairs())


def varied(number, seed=5, length=40):
    """Texts, two in five of them copies of another with one or two characters changed."""
    chance = random.Random(seed)
    letters = [chr(code) for code in range(0x4E00, 0x4E00 + 2000)]
    texts = []
    for _ in range(number):
        text = chance.choices(letters, k=length)
        if texts and chance.random() < 0.4:
            text = list(chance.choice(texts))
            for _ in range(chance.randint(1, 2)):
                text[chance.randrange(length)] = chance.choice(letters)
        texts.append("".join(text))
    return texts


@pytest.mark.parametrize("least", [0.8, 0.9])
def test_nearly_all_that_are_alike_are_found(least):
    texts = varied(800)
    alike = everything_alike(texts, least)
    there = found(Index(shingled(texts), least).pairs()).keys()
    assert len(alike) > 150
    assert len(there & alike) >= 0.95 * len(alike)
    assert there <= alike


def test_long_texts_are_compared_by_a_part_of_them():
    texts = varied(300, length=600)
    likenesses = found(Index(shingled(texts), 0.9).pairs())
    alike = everything_alike(texts, 0.9)
    assert len(alike) > 50
    assert len(alike & likenesses.keys()) >= 0.95 * len(alike)
    assert all(
        abs(likeness - similarity(texts[a], texts[b])) < 0.1 for (a, b), likeness in likenesses.items()
    )


def test_what_stands_behind_the_longest_text_does_not_count():
    long = "医用雾化器便携" * neighbours.LONGEST
    assert [len(text) for text in canonical([long])] == [neighbours.LONGEST]


def test_a_crowd_costs_no_square_and_stays_connected():
    texts = ["医用雾化器便携大容量一次性西瓜味"] * 3000
    alike = found(Index(shingled(texts), 0.9).pairs())
    assert len(alike) <= neighbours.MOST * len(texts)
    assert {one for one, _ in alike} | {other for _, other in alike} == set(range(3000))


def test_sets_of_numbers_are_compared_like_texts():
    sets = [{199, 299, 399, 499}, {199, 299, 399, 499}, {5, 6, 7}, set()]
    assert found(Index(numbered(sets), 0.8).pairs()) == {(0, 1): 1.0}


@pytest.mark.parametrize("least", [0, -1, 1.5, float("nan")])
def test_a_threshold_that_is_none_is_refused(least):
    with pytest.raises(ValueError, match="Dice"):
        Index([], least)


def test_blanks_and_tricks_of_spelling_do_not_count():
    assert list(canonical(["医-用-雾*化*器 便携", "医用雾化器便携"])) == ["医用雾化器便携"] * 2


def test_batches_are_one_index(monkeypatch):
    monkeypatch.setattr(neighbours, "BATCH", 7)
    texts = varied(50)
    there = Index(shingled(texts), 0.8)
    monkeypatch.undo()
    whole = Index(shingled(texts), 0.8)
    assert found(there.pairs()) == found(whole.pairs())
    assert len(there) == 50
    assert np.array_equal(there._sets.hashes, whole._sets.hashes)
