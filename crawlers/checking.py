"""What a page gives for a profile, field by field: for the person who writes it. Pure."""

from __future__ import annotations

from dataclasses import dataclass

from crawlers import selectors
from crawlers.answer import Answer
from crawlers.listing import Listing
from crawlers.pages import Reading
from crawlers.platforms import Platform
from crawlers.presence import marks

SHOWN = (  # in the order in which a person reads them
    "title",
    "price",
    "currency",
    "seller",
    "seller_id",
    "seller_kind",
    "seller_url",
    "description",
    "attributes",
    "images",
    "lang",
)


@dataclass(frozen=True)
class FieldReport:
    """``value`` "" where there is none. ``wanted``: the profile counts on it.

    ``source``: as in Listing.sources, ``default`` for what the page does not say, None without a value.
    """

    name: str
    value: str
    source: str | None
    wanted: bool

    @property
    def missing(self) -> bool:
        return self.source is None


def fields_of(reading: Reading, answer: Answer, platform: Platform) -> list[FieldReport]:
    """One for each field that a listing can have; all missing where the page shows no listing."""
    wanted = {name for name, selector in platform.fields.items() if selector.required}
    wanted |= platform.assertions.fill_rate.keys() | {"title"}
    values = {name: _shown(reading.listing, name) for name in SHOWN}
    return [
        FieldReport(name, value, _source(name, reading, answer, platform) if value else None, name in wanted)
        for name, value in values.items()
    ]


def signs_on(answer: Answer, platform: Platform) -> list[str]:
    """The presence rules that hold on this page, e.g. ``alive button.add-cart``."""
    rules = platform.presence
    if rules is None:
        return []
    kinds = {"alive": rules.alive, "sold_out": rules.sold_out, "gone": rules.gone}
    return [
        f"{kind} {marker.css}"
        for kind, markers in kinds.items()
        for marker in markers
        if marks(marker, answer)
    ]


def _source(name: str, reading: Reading, answer: Answer, platform: Platform) -> str:
    facts = reading.judgement.facts
    if facts and name in facts.sources:
        return facts.sources[name]
    selector = platform.fields.get(name)
    found = selector is not None and any(selectors.values(answer.tree, selector.css))
    return "profile" if found else "default"


def _shown(listing: Listing | None, name: str) -> str:
    if listing is None:
        return ""
    seller = listing.seller
    values: dict[str, object] = {
        "price": listing.price if listing.price is not None else listing.price_raw,
        "seller": seller and seller.name,
        "seller_id": seller and seller.external_id,
        "seller_kind": seller and seller.kind.value,
        "seller_url": seller and seller.url,
        "attributes": "; ".join(f"{key}: {value}" for key, value in listing.attributes.items()),
        "images": " ".join(listing.images),
    }
    value = values[name] if name in values else getattr(listing, name)
    return "" if value is None else str(value)
