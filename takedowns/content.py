"""What a listing says, as the ledger keeps and hashes it. Pure."""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Mapping
from decimal import Decimal
from typing import Any

from crawlers.listing import Listing

HIGHEST_PRICE = Decimal(10) ** 12  # of the price column; what was displayed is kept in any case
_UNSTORABLE = re.compile("[\x00\ud800-\udfff]")


def storable(text: str) -> str:
    """``text`` with NUL and lone surrogates, which no UTF-8 database takes, written as ``\\uXXXX``.

    So a reviewer sees that they were there; the bytes as received stay in the evidence or the imported file.
    """
    return _UNSTORABLE.sub(lambda found: f"\\u{ord(found[0]):04x}", text)


def storable_or_none(text: str | None) -> str | None:
    return None if text is None else storable(text)


def content_of(listing: Listing) -> dict[str, Any]:
    """The content columns of a snapshot: what the seller shows, nothing of when and how we saw it."""
    price = listing.price
    return {
        "title": storable(listing.title),
        "description": storable(listing.description),
        "attributes": {storable(name): storable(value) for name, value in listing.attributes.items()},
        "price": price if price is None or abs(price) < HIGHEST_PRICE else None,
        "price_raw": storable_or_none(listing.price_raw),
        "currency": storable_or_none(listing.currency),
        "images": [storable(image) for image in listing.images],
        "lang": storable_or_none(listing.lang),
    }


def digest(content: Mapping[str, Any]) -> str:
    """SHA-256 of the canonical JSON of ``content``: the same content has the same hash in every run."""
    price = content["price"]
    plain = {**content, "price": None if price is None else f"{price:.2f}"}  # 9.9 and 9.90 are one price
    canonical = json.dumps(plain, ensure_ascii=False, sort_keys=True, separators=(",", ":"))
    return hashlib.sha256(canonical.encode()).hexdigest()
