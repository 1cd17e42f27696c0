from __future__ import annotations

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from takedowns.reports import csvfile, text
from takedowns.reports.definitions import Kind
from takedowns.statistics import Change, ChangeKind


@given(st.text())
def test_visible_text_has_nothing_unseen(hostile: str) -> None:
    shown = text.visible(hostile)
    assert not [c for c in shown if unicodedata.category(c) in ("Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp")]
    shown.encode()


@given(st.text(st.characters(categories=["L", "N", "P", "S", "Zs"]), max_size=text.LONGEST))
def test_ordinary_text_is_shown_as_it_is(ordinary: str) -> None:
    assert text.visible(ordinary) == ordinary


def test_a_title_of_a_megabyte_is_cut_and_shows_it() -> None:
    assert text.visible("烟" * 1_000_000) == "烟" * text.LONGEST + "…"


@pytest.mark.parametrize("start", csvfile.FORMULA_STARTS)
def test_text_that_would_run_in_a_spreadsheet_is_quoted(start: str) -> None:
    assert csvfile.safe(f"{start}1+1") == f"'{start}1+1"


def test_our_own_negative_numbers_stay_numbers() -> None:
    assert csvfile.safe(-5) == -5


@pytest.mark.parametrize(
    ("kind", "value", "shown"),
    [
        (Kind.COUNT, 1234, "1,234"),
        (Kind.SHARE, 0.6471, "64.7%"),
        (Kind.HOURS, 42.44, "42.4"),
        (Kind.SCORE, 0.8, "0.80"),
    ],
)
def test_values_are_written_by_kind(kind: Kind, value: float, shown: str) -> None:
    assert text.number(kind, value) == shown


@pytest.mark.parametrize(
    ("change", "zh", "en"),
    [
        (Change(ChangeKind.PERCENT, -0.0521, 100), "−5.2%", "−5.2%"),
        (Change(ChangeKind.DIFFERENCE, 3, 10), "+3", "+3"),
        (Change(ChangeKind.POINTS, 0.012, 0.5), "+1.2个百分点", "+1.2 points"),
        (Change(ChangeKind.DIFFERENCE, 0, 10), "±0", "±0"),
        (Change(ChangeKind.NO_BASE, None, 0), "—", "—"),
        (None, "—", "—"),
    ],
)
def test_changes_are_written_with_their_sign(change: Change | None, zh: str, en: str) -> None:
    assert (text.change(change, "zh"), text.change(change, "en")) == (zh, en)


@pytest.mark.parametrize(
    ("change", "zh", "en"),
    [
        (Change(ChangeKind.PERCENT, -0.0521, 100), "环比下降5.2%", "down 5.2% on the previous period"),
        (Change(ChangeKind.PERCENT, 0.0, 100), "环比持平", "as many as in the previous period"),
        (Change(ChangeKind.DIFFERENCE, -3, 10), "较上期减少3条", "3 fewer than in the previous period"),
        (
            Change(ChangeKind.NO_BASE, None, 0),
            "上期为0",
            "0 in the previous period",
        ),
    ],
)
def test_changes_are_told_as_bulletins_tell_them(change: Change, zh: str, en: str) -> None:
    assert text.clause_zh(change, "条", yearly=False) == zh
    assert text.clause_en(change, yearly=False) == en
