from __future__ import annotations

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from crawlers.prices import parse_currency, parse_price


@pytest.mark.parametrize(
    ("raw", "amount"),
    [
        ("19.9", "19.9"),
        ("1.299", "1.299"),
        ("¥19.90", "19.90"),
        ("¥1,299.00", "1299.00"),
        ("1 299,00 €", "1299.00"),
        ("19.9元起", "19.9"),
        ("￥5", "5"),
        ("面议", None),
        ("", None),
        ("9" * 40, None),
        ("NaN", None),
        ("-5", None),
    ],
)
def test_prices_are_read_as_people_read_them(raw, amount):
    assert parse_price(raw) == (Decimal(amount) if amount else None)


@pytest.mark.parametrize(
    ("raw", "code"),
    [("19元", "CNY"), ("CNY", "CNY"), ("HK$5", "HKD"), ("€5", "EUR"), ("¥5", None), ("$5", None), ("", None)],
)
def test_a_shared_sign_names_no_currency(raw, code):
    assert parse_currency(raw) == code


@given(st.text())
def test_no_text_breaks_the_reader(raw):
    amount = parse_price(raw)
    assert amount is None or 0 <= amount < 10**12
