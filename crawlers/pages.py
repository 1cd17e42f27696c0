"""A page → a Listing: whether it is one at all, then structured data, then the profile's selectors."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from lxml import etree

from crawlers.answer import Answer
from crawlers.listing import Listing, Presence, Seller, SellerKind
from crawlers.platforms import Platform
from crawlers.presence import Judgement, judge
from crawlers.prices import parse_currency, parse_price
from crawlers.selectors import clean, elements, text_of, values
from crawlers.structured import Facts

LIMITS = {"title": 2_000, "description": 50_000, "price": 100, "seller": 300, "seller_id": 300, "lang": 35}
NAME_LIMIT, VALUE_LIMIT = 200, 2_000  # code points of an attribute
LIST_LIMIT = 100  # pictures or attributes of one listing


@dataclass(frozen=True)
class Reading:
    """``listing`` only when the page shows one. ``missing``: the required fields that it did not give."""

    judgement: Judgement
    listing: Listing | None = None
    missing: tuple[str, ...] = ()


def read_page(
    answer: Answer,
    platform: Platform,
    item_id: str,
    observed_at: datetime,
    evidence: str | None = None,
    found_by: str | None = None,
) -> Reading:
    """Judges the page and, only where it shows the listing, reads it. A page without a title yields none."""
    judgement = judge(answer, platform, item_id)
    if judgement.state is not Presence.UP or judgement.facts is None:
        return Reading(judgement)
    found = _with_profile(judgement.facts, answer, platform)
    missing = tuple(sorted(_missing(found, platform)))
    return Reading(judgement, listing_of(found, platform, item_id, observed_at, evidence, found_by), missing)


def listing_of(
    found: Facts,
    platform: Platform,
    item_id: str,
    observed_at: datetime,
    evidence: str | None = None,
    found_by: str | None = None,
) -> Listing | None:
    """The listing that ``found`` tells of, bounded and cleaned; None without a title."""
    title = _text(found, "title")
    if not title:  # nothing, or blanks only
        return None
    return Listing(
        platform=platform.lists,
        item_id=item_id,
        url=platform.canonical_url(item_id),
        title=title,
        description=_text(found, "description"),
        attributes=_bounded(found.values.get("attributes")),
        price=parse_price(_text(found, "price")),
        price_raw=_text(found, "price") or None,
        currency=_currency(found, platform),
        seller=_seller(found),
        images=_images(found),
        lang=_text(found, "lang") or None,
        sources=_sources(found),
        observed_at=observed_at,
        evidence=evidence,
        found_by=found_by,
    )


def _with_profile(facts: Facts, answer: Answer, platform: Platform) -> Facts:
    """``facts``, and what the profile's selectors find where structured data was silent."""
    found, sources = dict(facts.values), dict(facts.sources)
    for name, selector in platform.fields.items():
        silent = name not in found and answer.may_hold(selector.css)
        value = _selected(name, selector.css, answer) if silent else None
        if value:
            found[name], sources[name] = value, "profile"
    return Facts(found, sources, facts.ids)


def _selected(name: str, css: str, answer: Answer) -> object:
    if name == "attributes":
        return dict(filter(all, map(_row, elements(answer.tree, css)[:LIST_LIMIT])))
    if name == "images":
        return tuple(filter(None, map(answer.absolute, values(answer.tree, css))))
    first = answer.first_value(css)
    return answer.absolute(first) if first and name == "seller_url" else first


def _row(row: etree._Element) -> tuple[str, str]:
    cells = [text_of(cell) for cell in row.iter("th", "td", "dt", "dd", "span")]
    return (cells[0].rstrip(":： "), cells[-1]) if len(cells) > 1 else ("", "")


def _missing(found: Facts, platform: Platform) -> set[str]:
    required = {name for name, selector in platform.fields.items() if selector.required}
    unread = {"seller_kind"} if found.values.get("seller_kind") and _kind(found) is None else set()
    return unread | {name for name in required if not found.values.get(name)}


def _text(found: Facts, name: str) -> str:
    value = found.values.get(name, "")
    return str(value)[: LIMITS[name]].strip()


def _currency(found: Facts, platform: Platform) -> str | None:
    named = parse_currency(str(found.values.get("currency", ""))) or parse_currency(_text(found, "price"))
    return named or (platform.currency if _text(found, "price") else None)


def _seller(found: Facts) -> Seller | None:
    name = _text(found, "seller")
    if not name:
        return None
    address = found.values.get("seller_url")
    return Seller(
        external_id=_text(found, "seller_id") or name,
        name=name,
        kind=_kind(found) or SellerKind.MERCHANT,
        url=str(address) if address else None,
    )


def _kind(found: Facts) -> SellerKind | None:
    """None when the page names none, or one that we do not know (then reported as missing)."""
    written = str(found.values.get("seller_kind", "")).lower()
    return SellerKind(written) if written in set(SellerKind) else None


def _bounded(attributes: object) -> dict[str, str]:
    pairs = list(attributes.items())[:LIST_LIMIT] if isinstance(attributes, dict) else []
    return {clean(name)[:NAME_LIMIT]: value[:VALUE_LIMIT] for name, value in pairs}


def _images(found: Facts) -> tuple[str, ...]:
    addresses = found.values.get("images", ())
    if not isinstance(addresses, tuple):
        return ()
    usable = (url for url in addresses if len(url) <= VALUE_LIMIT)
    return tuple(dict.fromkeys(usable))[:LIST_LIMIT]


def _sources(found: Facts) -> dict[str, str]:
    """Per field of Listing; a price's source is that of its raw text."""
    return {
        name: source
        for name, source in found.sources.items()
        if name in LISTING_FIELDS and found.values.get(name)
    }


LISTING_FIELDS = frozenset(Listing.model_fields)
