from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from classifiers.windows import SIZE, windows

TEXT = st.text(st.sampled_from("烟雾a。!;\n "), max_size=700)


def parts(text: str) -> list[str]:
    return [text[start:end] for start, end in windows(text)]


def test_a_lone_title_has_no_windows() -> None:
    assert windows("冰感雾化棒 五千口") == []


def test_the_title_is_a_window_and_so_is_what_follows() -> None:
    assert parts("标题\n说明。还有。") == ["标题", "说明。还有。"]


def test_a_window_ends_with_a_sentence_or_a_word() -> None:
    sentence, words = "一" * 99 + "。", "word " * 20
    assert parts("标题\n" + sentence * 3) == ["标题", sentence, sentence, sentence]
    assert parts(words * 2) == ["word " * (SIZE // 5), "word " * 8]


def test_a_listing_without_a_title_still_has_the_rest() -> None:
    assert windows("\n说明") == [(1, 3)]


@given(TEXT)
def test_the_windows_cover_the_text_and_none_is_too_long(text: str) -> None:
    found = windows(text)
    assert all(0 < end - start <= SIZE for start, end in found)
    assert not found or "".join(parts(text)) in (text, text.replace("\n", "", 1))
