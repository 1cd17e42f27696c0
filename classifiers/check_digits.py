"""Check digits and characters of the numbers that have some, each by its published standard."""

from __future__ import annotations

_USCC_ALPHABET = "0123456789ABCDEFGHJKLMNPQRTUWXY"
_USCC_WEIGHTS = (1, 3, 9, 27, 19, 26, 16, 17, 20, 29, 25, 13, 8, 24, 10, 30, 28)
_ORG_WEIGHTS = (3, 7, 9, 10, 5, 8, 4, 2)


def mod_11_10(digits: str) -> int:
    """Check digit of ISO 7064 MOD 11,10 (GB/T 17710) for a string of digits."""
    p = 10
    for digit in digits:
        p = (2 * ((p + int(digit)) % 10 or 10)) % 11
    return (11 - p) % 10


def credit_code(code: str) -> str:
    """18th character of a unified social credit code (GB 32100) from its first 17, in capitals."""
    total = sum(_USCC_ALPHABET.index(c) * w for c, w in zip(code[:17], _USCC_WEIGHTS, strict=True))
    return _USCC_ALPHABET[-total % 31]


def organisation_code(code: str) -> str:
    """17th character of a unified social credit code (GB 11714) from characters 9 to 16."""
    total = sum(int(c, 36) * w for c, w in zip(code[8:16], _ORG_WEIGHTS, strict=True))
    return "0123456789X"[-total % 11]


def ean13(digits: str) -> int:
    """13th digit of an EAN-13 bar code from its first 12."""
    return -sum(int(d) * (3 if n % 2 else 1) for n, d in enumerate(digits[:12])) % 10
