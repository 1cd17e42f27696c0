"""The one place that changes: the current state, the hit counts, and the folder of raw notices."""

from __future__ import annotations

import secrets
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path

from takedowns.sample_market.notices import Notice
from takedowns.sample_market.state import Market, receive


@dataclass
class Runtime:
    """Used from one event loop only, so no lock is needed."""

    market: Market
    state_dir: Path
    token: str = field(default_factory=lambda: secrets.token_urlsafe(24))
    hits: Counter[str] = field(default_factory=Counter)
    raw_notices: int = 0

    def keep_raw(self, raw: bytes, suffix: str) -> Path:
        """Write a notice down as it came, before anyone tries to read it."""
        self.raw_notices += 1
        path = self.state_dir / "notices" / f"{self.raw_notices:05}{suffix}"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(raw)
        return path

    def take_in(self, notice: Notice) -> None:
        self.market = receive(self.market, notice)
