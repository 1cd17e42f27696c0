from __future__ import annotations

import sys

from hypothesis import given
from hypothesis import strategies as st

from classifiers.normalize_folding import FOLD, BatchFolder, fold, fold_batch

TEXTS = st.lists(
    st.text(
        st.one_of(st.characters(exclude_categories=()), st.sampled_from("\0Ａ電é\u0301ﷺ🍉\u200b\ud800烟"))
    )
)


@given(TEXTS)
def test_a_batch_folds_as_its_texts_do_one_by_one(texts: list[str]) -> None:
    assert fold_batch(texts) == ["".join(FOLD[char] for char in text) for text in texts]


def test_every_code_point_folds_alike_in_a_batch() -> None:
    texts = [chr(code) for code in range(sys.maxunicode + 1) if code < 0x30000 or code % 97 == 0]
    assert fold_batch(texts) == list(map(fold, texts))


@given(st.lists(st.text("ΑΣ烟\0")))
def test_characters_that_depend_on_their_neighbours_send_the_text_to_the_slow_way(texts: list[str]) -> None:
    def lower(text: str) -> str:  # a sigma at the end of a word becomes another letter than inside
        return text.replace("\0", "").lower()

    assert BatchFolder(lower, frozenset("Σ"))(texts) == list(map(lower, texts))


def test_a_nul_is_known_as_a_trick_though_it_parts_the_texts_of_a_batch() -> None:
    asked: set[str] = set()

    def note(text: str) -> str:
        asked.add(text)
        return text.replace("\0", "")

    BatchFolder(note)(["烟\0弹"])
    assert "\0" in asked


@given(st.characters(exclude_categories=()))
def test_folding_a_character_again_changes_nothing(char: str) -> None:
    assert fold(fold(char)) == fold(char)
