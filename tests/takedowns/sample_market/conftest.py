from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import httpx
import pytest

from takedowns.sample_market.client import RunningMarket, running_market

Find = Callable[[str], dict[str, Any]]


@pytest.fixture(scope="session")
def market() -> Iterator[RunningMarket]:
    """One market for every test that talks HTTP or SMTP; each test uses listings of its own."""
    with running_market(seed=11, listings=240) as running:
        yield running


@pytest.fixture(scope="session")
def web(market: RunningMarket) -> Iterator[httpx.Client]:
    with httpx.Client(base_url=market.base_url, timeout=10, trust_env=False) as client:
        yield client


@pytest.fixture(scope="session")
def used() -> set[str]:
    return set()


@pytest.fixture
def fresh(market: RunningMarket, used: set[str]) -> Find:
    """Gives a listing of a theme that is up, not hostile, and that no other test has been given."""

    def find(theme: str) -> dict[str, Any]:
        for listing in market.truth()["listings"]:
            ordinary = listing["mode"] == "up" and not listing["corpus_id"].startswith("H")
            if ordinary and listing["theme"] == theme and listing["item_id"] not in used:
                used.add(listing["item_id"])
                return dict(listing)
        raise LookupError(f"no listing left in {theme}")

    return find
