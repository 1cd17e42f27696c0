"""The two shapes of a capture: how a listing looked in a browser, and the pictures that it shows."""

from __future__ import annotations

from pydantic import AwareDatetime, Field

from crawlers.listing import Frozen, NonEmpty, Presence

PICTURES_AT_MOST = 6  # of a listing: as many as are ever looked into


class Capture(Frozen):
    """One deliberate look at one known listing, kept to be shown. It is no sighting and counts for nothing:
    it is made with another browser window than the sightings that a removal rests on.
    """

    item_id: NonEmpty
    url: NonEmpty
    cause: str | None = Field(default=None, description="why it was made, e.g. flag:12 or sighting:345")
    state: Presence
    reason: NonEmpty
    observed_at: AwareDatetime
    http_status: int | None = None
    final_url: str | None = None
    evidence: str | None = Field(default=None, description="reference to the page as the browser left it")
    view: bool = Field(default=False, description="whether a screenshot lies beside the page")


class Picture(Frozen):
    """One picture of a listing. The bytes lie in the run's ``evidence/pictures/`` under their hash."""

    item_id: NonEmpty
    url: NonEmpty
    fetched_at: AwareDatetime
    sha256: str | None = Field(default=None, pattern="^[0-9a-f]{64}$", description="None: not fetched")
    media_type: str = Field(default="", max_length=100, description="as the server calls it")
    size: int = Field(default=0, ge=0, description="bytes")
    problem: str | None = Field(default=None, description="reason code of a picture that was not fetched")
