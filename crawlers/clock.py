"""The time that stands on sightings: the real one, or a demo's simulated start plus what really passed."""

from __future__ import annotations

import time
from datetime import UTC, datetime, timedelta


class Clock:
    def __init__(self, start: datetime | None) -> None:
        """``start`` None means real time."""
        self._start = start
        self._began = time.monotonic()

    def now(self) -> datetime:
        """Aware, in UTC."""
        if self._start is None:
            return datetime.now(UTC)
        return self._start.astimezone(UTC) + timedelta(seconds=time.monotonic() - self._began)
