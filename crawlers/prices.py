"""A price as displayed → an amount in major units and an ISO 4217 currency."""

from __future__ import annotations

import re
from decimal import Decimal

from price_parser import Price

RAW_LIMIT = 100  # code points; longer is a text that holds a number somewhere
AMOUNT_LIMIT = Decimal(10) ** 12  # a larger number on a page is an id or an attack
# Read as amounts these would lose their sign or their exponent.
NO_PRICE = re.compile(r"\W*[-\N{MINUS SIGN}\N{FULLWIDTH HYPHEN-MINUS}][¥￥$€£]?\d|.*\d[eE][+-]?\d")
PLAIN_NUMBER = re.compile(r"\d{1,12}(?:\.\d{1,6})?")
CURRENCIES = {
    "元": "CNY",
    "RMB": "CNY",
    "CN¥": "CNY",
    "HK$": "HKD",
    "NT$": "TWD",
    "€": "EUR",
    "£": "GBP",
    "US$": "USD",
}
ISO_CODE = re.compile(r"\b(CNY|USD|EUR|GBP|HKD|TWD|JPY|KRW|RUB|AUD|CAD|SGD)\b")


def parse_price(raw: str) -> Decimal | None:
    """None when ``raw`` holds no amount that can be a price.

    A plain number is read by schema.org's rule (the point is decimal) before anything is guessed.
    """
    text = raw.strip()[:RAW_LIMIT]
    if NO_PRICE.match(text):
        return None
    amount = Decimal(text) if PLAIN_NUMBER.fullmatch(text) else Price.fromstring(text).amount
    if amount is None or not 0 <= amount < AMOUNT_LIMIT:
        return None
    return amount


def parse_currency(raw: str) -> str | None:
    """None for a sign that several countries share, such as ¥ and $."""
    if code := ISO_CODE.search(raw):
        return code[0]
    return next((code for sign, code in CURRENCIES.items() if sign in raw), None)
