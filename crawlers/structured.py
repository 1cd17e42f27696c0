"""What a page says about its product in JSON-LD, microdata or OpenGraph: plain values, each with its source.

All three are brought into JSON-LD's shape and read by one set of functions. Hostile input is bounded: a
script that is broken, too deep or too large is left out, and its neighbours are read.
"""

from __future__ import annotations

import html
import json
from collections import deque
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field

from lxml import etree

from crawlers.answer import Answer
from crawlers.platforms import ListingUrl
from crawlers.selectors import clean, text_of

Node = Mapping[str, object]

PRODUCT_TYPES = frozenset({"product", "productgroup", "individualproduct", "productmodel"})
DOORS = ("@graph", "mainEntity", "hasVariant")  # where a page's own product may stand inside another node
SCRIPT_LIMIT = 2 * 1024 * 1024  # code points of one JSON-LD script
NODE_LIMIT = 20_000  # nodes looked at in one script, properties in one microdata tree
LIST_LIMIT = 100  # pictures, attributes or offers taken from one product
TEXT_LIMIT = 100_000  # code points of one value
LD_SCRIPTS = etree.XPath(
    "//script[contains(translate(@type, 'LDJSON', 'ldjson'), 'ld+json')]"  # mime types have no case
)
ITEMS = etree.XPath("//*[@itemscope and @itemtype and not(ancestor::*[contains(@itemtype, '/Product')])]")
CANONICAL = etree.XPath("string(//link[@rel='canonical']/@href)", smart_strings=False)
META = etree.XPath("//meta[@content and (@property or @name)]")
URL_ATTRIBUTES = {
    "a": "href",
    "link": "href",
    "area": "href",
    "img": "src",
    "time": "datetime",
    "data": "value",
}


@dataclass(frozen=True)
class Facts:
    """``values``: title, description, price, currency, seller, seller_id, seller_url, lang (texts), images (a
    tuple of absolute addresses), attributes (a dict); only those found. ``sources``: the same keys →
    jsonld | microdata | opengraph. ``ids``: the item ids that the page gives itself.
    """

    values: dict[str, object] = field(default_factory=dict)
    sources: dict[str, str] = field(default_factory=dict)
    ids: frozenset[str] = frozenset()


def read_structured(answer: Answer, listing_url: ListingUrl, item_id: str) -> Facts:
    """The facts about the product ``item_id``; recommended products beside it are passed over."""
    meta = _meta(answer.tree)
    chosen = {
        "jsonld": _choose(jsonld_products(answer.tree), listing_url, item_id),
        "microdata": _choose(microdata_products(answer.tree), listing_url, item_id),
        "opengraph": opengraph_product(meta),
    }
    values: dict[str, object] = {}
    sources: dict[str, str] = {}
    for source, product in chosen.items():
        for name, value in _fields(product, answer).items() if product else ():
            if value and name not in values:
                values[name], sources[name] = value, source
    addresses = [CANONICAL(answer.tree), meta.get("og:url"), *map(_address, chosen.values())]
    ids = {listing_url.item_id(answer.absolute(str(url))) for url in addresses if url}
    if any(item_id in _codes(product) for product in chosen.values() if product):
        ids.add(item_id)
    return Facts(values, sources, frozenset(ids - {None}))  # type: ignore[arg-type]


def jsonld_products(tree: etree._Element) -> list[Node]:
    """Every product that stands on its own in a JSON-LD script, in document order."""
    return [
        node for script in LD_SCRIPTS(tree) for node in _nodes(_load(script.text or "")) if _is_product(node)
    ]


def microdata_products(tree: etree._Element) -> list[Node]:
    products = (element for element in ITEMS(tree) if _names_product(element.get("itemtype", "")))
    return [_item(element) for element, _ in zip(products, range(LIST_LIMIT), strict=False)]


def opengraph_product(meta: dict[str, str]) -> Node | None:
    """None unless the page says that it is about a product: every home page has an og:title."""
    price = meta.get("product:price:amount") or meta.get("og:price:amount")
    if price is None and "product" not in meta.get("og:type", ""):
        return None
    currency = meta.get("product:price:currency") or meta.get("og:price:currency")
    offer = {"price": price, "priceCurrency": currency}
    return {
        "name": meta.get("og:title"),
        "description": meta.get("og:description"),
        "image": meta.get("og:image"),
        "url": meta.get("og:url"),
        "offers": offer,
    }


def _load(script: str) -> object:
    """None for a script that is no JSON. Numbers stay as written; raw line breaks in texts are forgiven."""
    if len(script) > SCRIPT_LIMIT:
        return None
    try:
        return json.loads(
            script.strip().rstrip(";"), strict=False, parse_int=str, parse_float=str, parse_constant=str
        )
    except (ValueError, RecursionError):  # broken, or nested to exhaust the stack
        return None


def _nodes(data: object) -> Iterator[Node]:
    waiting = deque([data])
    for _ in range(NODE_LIMIT):
        if not waiting:
            return
        found = waiting.popleft()
        if isinstance(found, list):
            waiting.extend(found[:NODE_LIMIT])
        elif isinstance(found, dict):
            yield found
            waiting.extend(found[door] for door in DOORS if door in found)


def _is_product(node: Node) -> bool:
    return any(isinstance(name, str) and _names_product(name) for name in _list(node.get("@type")))


def _names_product(types: str) -> bool:
    return any(name.rstrip("/").rsplit("/", 1)[-1].lower() in PRODUCT_TYPES for name in types.split())


def _item(scope: etree._Element) -> Node:
    """A microdata item as a node; depth is bounded by the parser."""
    node: dict[str, list[object]] = {}
    waiting = deque(scope)
    for _ in range(NODE_LIMIT):
        if not waiting:
            break
        element = waiting.popleft()
        nested = element.get("itemscope") is not None
        for name in element.get("itemprop", "").split():
            value = _item(element) if nested else _value(element)
            node.setdefault(name, []).append(value)
        if not nested:
            waiting.extendleft(reversed(element))
    return node


def _value(element: etree._Element) -> str:
    attribute = "content" if "content" in element.attrib else URL_ATTRIBUTES.get(str(element.tag))
    return str(element.get(attribute, "")) if attribute else text_of(element)


def _choose(products: list[Node], listing_url: ListingUrl, item_id: str) -> Node | None:
    """The product of this page: by address, else by code, else the only one unless it names another id."""
    ids = [listing_url.item_id(_address(product) or "") for product in products]
    if item_id in ids:
        return products[ids.index(item_id)]
    coded = [product for product in products if item_id in _codes(product)]
    anonymous = [product for product, found in zip(products, ids, strict=True) if found is None]
    if coded:
        return coded[0]
    return anonymous[0] if len(anonymous) == 1 else None


def _address(product: Node | None) -> str | None:
    if product is None:
        return None
    places = [*_list(product.get("url")), *_list(product.get("@id")), *_offers(product, "url")]
    return next((place for place in places if isinstance(place, str) and place), None)


def _codes(product: Node) -> set[str]:
    return {_text(product.get(name)) for name in ("sku", "productID", "identifier")} - {""}


def _fields(product: Node, answer: Answer) -> dict[str, object]:
    seller = _seller(product)
    prices = [*_offers(product, "price"), *_offers(product, "lowPrice")]
    return {
        "title": _text(product.get("name")),
        "description": _text(product.get("description")),
        "price": next(filter(None, map(_text, prices)), ""),
        "currency": next(filter(None, map(_text, _offers(product, "priceCurrency"))), ""),
        "seller": _text(seller.get("name")),
        "seller_id": _text(seller.get("identifier")),
        "seller_url": answer.absolute(_text(seller.get("url"))),
        "lang": _text(product.get("inLanguage")),
        "images": tuple(_images(product, answer)),
        "attributes": _attributes(product),
    }


def _offers(product: Node, key: str) -> Iterator[object]:
    """``key`` of each offer, of its own offers and of its price specification."""
    waiting = deque(_list(product.get("offers"))[:LIST_LIMIT])
    for _ in range(LIST_LIMIT):
        if not waiting:
            return
        offer = waiting.popleft()
        if isinstance(offer, dict):
            if offer.get(key):
                yield offer[key]
            for door in ("offers", "priceSpecification"):
                waiting.extend(_list(offer.get(door))[:LIST_LIMIT])


def _seller(product: Node) -> Node:
    candidates = [*_offers(product, "seller"), product.get("seller")]
    for found in (entry for candidate in candidates for entry in _list(candidate)):
        if isinstance(found, dict):
            return found
        if isinstance(found, str):
            return {"name": found}
    return {}


def _images(product: Node, answer: Answer) -> Iterator[str]:
    for found in _list(product.get("image"))[:LIST_LIMIT]:
        address = found.get("url") or found.get("contentUrl") if isinstance(found, dict) else found
        if url := answer.absolute(_text(address)):
            yield url


def _attributes(product: Node) -> dict[str, str]:
    entries = [
        entry for entry in _list(product.get("additionalProperty"))[:LIST_LIMIT] if isinstance(entry, dict)
    ]
    pairs = [(_text(entry.get("name")), _text(entry.get("value"))) for entry in entries]
    pairs += [(name, _text(product.get(name))) for name in ("brand", "model", "material", "category")]
    return {name: value for name, value in pairs if name and value}


def _text(value: object) -> str:
    """The first text in ``value``; of a nested node its name. Entities are resolved; shops write them."""
    for found in _list(value):
        if isinstance(found, dict):
            found = next((found[key] for key in ("name", "@value", "value") if key in found), None)
        if isinstance(found, str) and (text := clean(html.unescape(found[:TEXT_LIMIT]))):
            return text
    return ""


def _meta(tree: etree._Element) -> dict[str, str]:
    """Names of the meta elements (lower case) → content, the first of each."""
    pairs: Iterable[tuple[str, str]] = (
        (str(element.get("property") or element.get("name")).lower(), str(element.get("content")))
        for element in reversed(META(tree))
    )
    return dict(pairs)


def _list(value: object) -> list[object]:
    if isinstance(value, list):
        return value
    return [] if value is None else [value]
