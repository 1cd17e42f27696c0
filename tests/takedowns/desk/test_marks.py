from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from takedowns.desk.marks import Span, hidden_name, marked, shortened

TEXTS = st.text(max_size=60)
SPANS = st.lists(
    st.builds(Span, st.integers(-5, 70), st.integers(-5, 70), st.integers(1, 9), st.booleans()), max_size=8
)


@given(TEXTS, SPANS)
def test_every_visible_character_is_shown_once_and_in_order(text: str, spans: list[Span]) -> None:
    unmasked = [Span(span.start, span.end, span.reason) for span in spans]
    shown = "".join(piece.text for piece in marked(text, unmasked, at_most=100).pieces)
    assert shown == "".join(char for char in text if hidden_name(char) is None)


@given(TEXTS, SPANS, st.integers(1, 60))
def test_a_piece_carries_exactly_the_reasons_whose_spans_cover_it(
    text: str, spans: list[Span], at_most: int
) -> None:
    at = 0
    fitting = [span for span in spans if 0 <= span.start < span.end <= len(text)]
    for piece in marked(text, spans, at_most=at_most).pieces:
        covering = {span.reason for span in fitting if span.start <= at < span.end}
        assert set(piece.reasons) == covering
        at += 1 if piece.hidden else len(piece.text)
    assert at == min(len(text), at_most)


@given(TEXTS, SPANS)
def test_each_mark_ends_with_its_number_exactly_once_a_span(text: str, spans: list[Span]) -> None:
    fitting = {span for span in spans if 0 <= span.start < span.end <= len(text)}
    closings = [number for piece in marked(text, spans, at_most=100).pieces for number in piece.closing]
    by_end = {(span.end, span.reason) for span in fitting}
    assert len(closings) == len(by_end)


def test_a_mark_that_runs_past_the_cut_still_ends_with_its_number() -> None:
    pieces = marked("abcdef", [Span(1, 6, 7)], at_most=3).pieces
    assert [(piece.text, piece.closing) for piece in pieces] == [("a", ()), ("bc", (7,))]


def test_a_title_of_a_megabyte_is_cut_and_says_so() -> None:
    found = marked("雾" * 1_000_000, [Span(0, 1_000_000, 1)], at_most=400)
    assert (found.total, found.left_out) == (1_000_000, 999_600)
    assert sum(len(piece.text) for piece in found.pieces) == 400


@pytest.mark.parametrize(
    ("char", "name"),
    [
        ("\u200b", "ZWSP"),
        ("\u202e", "RLO"),
        ("\x1b", "U+001B"),
        ("\u3164", "U+3164"),
        ("\ud800", "U+D800"),
        ("\U000e0041", "U+E0041"),
        ("\u2028", "U+2028"),
    ],
)
def test_a_character_that_shows_nothing_has_a_name(char: str, name: str) -> None:
    (piece,) = marked(char, [], at_most=10).pieces
    assert (piece.text, piece.hidden) == ("", name)


@pytest.mark.parametrize("char", ["雾", "a", " ", "\n", "\t", "é", "🍉", "\ufe0f"])
def test_ordinary_characters_are_shown_as_they_are(char: str) -> None:
    assert hidden_name(char) is None


@pytest.mark.parametrize(
    ("text", "words", "shown"),
    [
        ("加微信 vapor_king88 咨询", "微信", "加微信 va•••••••••• 咨询"),
        ("加vking12345问", "加v", "加vk••••••••问"),
        ("微信号：abc12345", "微信号：abc12345", "微信号：ab••••••"),
        ("加微信 8000口 大容量", "微信", "加微信 8000口 大容量"),
    ],
)
def test_a_private_handle_in_or_behind_its_mark_is_covered(text: str, words: str, shown: str) -> None:
    start = text.index(words)
    found = marked(text, [Span(start, start + len(words), 1, mask=True)], at_most=100)
    assert "".join(piece.text for piece in found.pieces) == shown


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("微❤bxt_000abc 登记", "微❤bx•••••••• 登记"),
        ("VX：abc12345", "VX：ab••••••"),
        ("QQ 123456789", "QQ 12•••••••"),
        ("微孔雾化 110000次", "微孔雾化 110000次"),
        ("UWELL 小烟", "UWELL 小烟"),
        ("康康雾化店13812345678", "康康雾化店13•••••••••"),
        ("139 1234 5678 批发", "13••••••••••• 批发"),
        ("13812345678", "13812345678"),
        (
            "https://shop.invalid/13812345678?id=13812345678",
            "https://shop.invalid/13812345678?id=13812345678",
        ),
        ("6921381234567", "6921381234567"),
    ],
)
def test_a_handle_that_names_itself_is_covered_without_any_mark(text: str, shown: str) -> None:
    assert "".join(piece.text for piece in marked(text, [], at_most=100).pieces) == shown
    assert shortened(text, 100) == shown


@given(st.text(max_size=30), st.integers(2, 20))
def test_a_shortened_text_is_one_line_within_its_limit(text: str, at_most: int) -> None:
    line = shortened(text, at_most)
    assert len(line) <= at_most
    assert "\n" not in line
    assert all(hidden_name(char) is None for char in line)
