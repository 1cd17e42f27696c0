"""The only shapes that leave this package: Seller, Listing, Sighting."""

from __future__ import annotations

from decimal import Decimal
from enum import StrEnum
from typing import Annotated

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field

NonEmpty = Annotated[str, Field(min_length=1)]


class SellerKind(StrEnum):
    """What stands behind an offer; each kind is counted on its own in the monthly report."""

    MERCHANT = "merchant"
    ACCOUNT = "account"
    MINI_PROGRAM = "mini_program"


class Presence(StrEnum):
    """What one look at a listing showed. Only ``GONE`` can ever count towards a removal."""

    UP = "up"
    GONE = "gone"
    ALTERED = "altered"
    BLOCKED = "blocked"
    ERROR = "error"


class Frozen(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class Seller(Frozen):
    """Who offers a listing.

    ``external_id`` is the platform's own id where the page shows one, else the name as displayed.
    """

    external_id: NonEmpty
    name: NonEmpty
    kind: SellerKind = SellerKind.MERCHANT
    url: str | None = None


class Listing(Frozen):
    """One offer as it was seen once. Identity is ``(platform, item_id)``, never the raw URL."""

    platform: NonEmpty
    item_id: NonEmpty
    url: NonEmpty = Field(description="canonical address, tracking parameters dropped")
    title: NonEmpty = Field(description="as the seller wrote it, hidden characters included")
    description: str = ""
    attributes: dict[str, str] = Field(default_factory=dict)
    price: Decimal | None = Field(default=None, description="parsed from price_raw, major currency units")
    price_raw: str | None = Field(default=None, description="as displayed")
    currency: str | None = Field(default=None, description="ISO 4217")
    seller: Seller | None = None
    images: tuple[str, ...] = Field(default=(), description="addresses of the listing's pictures")
    lang: str | None = None
    sources: dict[str, str] = Field(
        default_factory=dict,
        description="field name → jsonld | microdata | opengraph | profile | api | import | pasted",
    )
    observed_at: AwareDatetime
    evidence: str | None = Field(
        default=None, description="<file in the run directory>#<WARC record id> of the page it was read from"
    )
    found_by: str | None = Field(default=None, description="search term or road that led to it")


class Sighting(Frozen):
    """The result of one deliberate look at one known listing."""

    platform: NonEmpty
    item_id: NonEmpty
    url: NonEmpty
    state: Presence
    reason: NonEmpty = Field(description="snake_case code, e.g. http_404, gone_marker, captcha, timeout")
    vantage: NonEmpty = Field(description="from where it was seen, e.g. anonymous-http")
    observed_at: AwareDatetime
    http_status: int | None = None
    final_url: str | None = None
    evidence: str | None = None
    listing: Listing | None = Field(default=None, description="what the page showed, when up or altered")
