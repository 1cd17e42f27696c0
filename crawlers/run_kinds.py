"""What a crawl is for."""

from __future__ import annotations

from enum import StrEnum


class Arm(StrEnum):
    """Why a run looks: to find leads, or to measure. What one arm saw never counts for the other."""

    TARGETED = "targeted"
    RANDOM = "random"


class RunKind(StrEnum):
    SWEEP = "sweep"
    RECHECK = "recheck"
    SAMPLE = "sample"
    CAPTURE = "capture"
    LOOK = "look"  # for a person at a profile: pages are kept, and nothing is taken in
    SELLERS = "sellers"  # a recheck of sellers' own pages; the profile is Platform.of_sellers()

    @property
    def judges(self) -> bool:
        """Whether it brings a sighting of each target, which findings may rest on."""
        return self in (RunKind.RECHECK, RunKind.SELLERS)

    @property
    def looks(self) -> bool:
        """Whether it looks at given addresses instead of searching for some."""
        return self.judges or self in (RunKind.CAPTURE, RunKind.LOOK)

    @property
    def arm(self) -> Arm:
        return Arm.RANDOM if self is RunKind.SAMPLE else Arm.TARGETED
