"""What a page says about its product in JSON-LD, microdata, RDFa or OpenGraph: values, each with its source.

All are brought into JSON-LD's shape and read by one set of functions, the next one only while something is
missing. Hostile input is bounded: a script that is broken, too deep or too large is left out, and its
neighbours are read.
"""

from __future__ import annotations

import html
import json
import re
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field

from lxml import etree

from crawlers.answer import Answer
from crawlers.markup import LIST_LIMIT, MICRODATA, NODE_LIMIT, RDFA, Node, marked_up_products, names_product
from crawlers.platforms import ListingUrl
from crawlers.selectors import clean

DOORS = ("@graph", "mainEntity")  # where a page's own product may stand inside another node
MAIN = ("title", "description", "price", "currency", "seller", "images")  # when all are found, reading ends
IDENTITIES = ("sku", "productID", "productGroupID", "identifier")
OF_VARIANTS_OWN = frozenset({"hasVariant", "url", "@id", "offers", "@type", *IDENTITIES})  # never the group's
SCRIPT_LIMIT = 2 * 1024 * 1024  # code points of one JSON-LD script
TEXT_LIMIT = 100_000  # code points of one value
LD_SCRIPTS = etree.XPath(
    "//script[contains(translate(@type, 'LDJSON', 'ldjson'), 'ld+json')]"  # mime types have no case
)
OPENING = re.compile(r"(?<!<!)(?<!CDATA)[\[{]")  # what shops put around it: comment and CDATA signs
DECODER = json.JSONDecoder(strict=False, parse_int=str, parse_float=str, parse_constant=str)
CANONICAL = etree.XPath("string(//link[@rel='canonical']/@href)", smart_strings=False)
META = etree.XPath("//meta[@content and (@property or @name)]")


@dataclass(frozen=True)
class Facts:
    """``values``: title, description, price, currency, availability, seller, seller_id, seller_url, lang
    (texts), images (a tuple of absolute addresses), attributes (a dict); only those found. ``sources``: the
    same keys → jsonld | microdata | rdfa | opengraph. ``ids``: the item ids that the page gives itself.
    """

    values: dict[str, object] = field(default_factory=dict)
    sources: dict[str, str] = field(default_factory=dict)
    ids: frozenset[str] = frozenset()


def read_structured(answer: Answer, listing_url: ListingUrl, item_id: str) -> Facts:
    """The facts about the product ``item_id``; recommended products beside it are passed over."""
    values: dict[str, object] = {}
    sources: dict[str, str] = {}
    ids: set[str] = set()
    for source, read in READERS.items():
        product = _choose(read(answer), listing_url, item_id)
        if product is None:
            continue
        ids |= _ids(product, answer, listing_url, item_id)
        for name, value in _fields(product, answer).items():
            if value and name not in values:
                values[name], sources[name] = value, source
        if item_id in ids and all(map(values.get, MAIN)):
            return Facts(values, sources, frozenset(ids))
    return Facts(values, sources, frozenset(ids | _ids_of_page(answer, listing_url)))


def jsonld_products(answer: Answer) -> list[Node]:
    """Every product that stands on its own in a JSON-LD script, in document order, groups before variants."""
    scripts = answer.scan.ld_scripts if answer.scan else _ld_scripts(answer.tree)
    found = [node for script in scripts for node in _nodes(_load(script)) if _is_product(node)]
    return [one for product in found for one in (product, *_variants(product))]


def microdata_products(answer: Answer) -> list[Node]:
    return marked_up_products(answer, MICRODATA)


def rdfa_products(answer: Answer) -> list[Node]:
    return marked_up_products(answer, RDFA)


def opengraph_products(answer: Answer) -> list[Node]:
    """None unless the page says that it is about a product: every home page has an og:title."""
    meta = _meta(answer)
    price = meta.get("product:price:amount") or meta.get("og:price:amount")
    if price is None and "product" not in meta.get("og:type", ""):
        return []
    offer = {
        "price": price,
        "priceCurrency": meta.get("product:price:currency") or meta.get("og:price:currency"),
        "availability": meta.get("product:availability") or meta.get("og:availability"),
    }
    names = {"name": "og:title", "description": "og:description", "image": "og:image", "url": "og:url"}
    return [{key: meta.get(name) for key, name in names.items()} | {"offers": offer}]


READERS: Mapping[str, Callable[[Answer], list[Node]]] = {
    "jsonld": jsonld_products,
    "microdata": microdata_products,
    "rdfa": rdfa_products,
    "opengraph": opengraph_products,
}


def _load(script: str) -> object:
    """None for a script that is no JSON. Numbers stay as written; raw line breaks in texts are forgiven.

    So is what shops put around it: comment and CDATA signs, a semicolon.
    """
    opening = OPENING.search(script)
    if opening is None or len(script) > SCRIPT_LIMIT:
        return None
    try:
        return DECODER.raw_decode(script, opening.start())[0]
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
    return any(isinstance(name, str) and names_product(name) for name in _list(node.get("@type")))


def _variants(product: Node) -> Iterator[Node]:
    """What a group is sold as, each with all that it shares with the group."""
    shared = {name: value for name, value in product.items() if name not in OF_VARIANTS_OWN}
    for variant in _list(product.get("hasVariant"))[:LIST_LIMIT]:
        if isinstance(variant, dict):
            yield shared | variant | {"isVariantOf": product}


def _ld_scripts(tree: etree._Element) -> list[str]:
    return [script.text or "" for script in LD_SCRIPTS(tree)]


def _choose(products: list[Node], listing_url: ListingUrl, item_id: str) -> Node | None:
    """The product of this page: by address, else by code, else the only one unless it names another id."""
    ids = [listing_url.item_id(_address(product) or "") for product in products]
    if item_id in ids:
        return products[ids.index(item_id)]
    if coded := [product for product in products if item_id in _codes(product)]:
        return coded[0]
    anonymous = [product for product, found in zip(products, ids, strict=True) if found is None]
    whole = [product for product in anonymous if "isVariantOf" not in product]
    return whole[0] if len(whole) == 1 else None


def _ids(product: Node, answer: Answer, listing_url: ListingUrl, item_id: str) -> set[str]:
    """The item ids that the product gives itself."""
    coded = item_id if item_id in _codes(product) else None
    addressed = listing_url.item_id(answer.absolute(_address(product) or ""))
    return set(filter(None, (coded, addressed)))


def _ids_of_page(answer: Answer, listing_url: ListingUrl) -> set[str]:
    """Those that the page gives itself in its head."""
    addresses = [
        CANONICAL(answer.tree) if answer.may_hold("[rel=canonical]") else "",
        _meta(answer).get("og:url"),
    ]
    ids = (listing_url.item_id(answer.absolute(str(url))) for url in addresses if url)
    return set(filter(None, ids))


def _address(product: Node) -> str | None:
    places = [*_list(product.get("url")), *_list(product.get("@id")), *_offers(product, "url")]
    return next((place for place in places if isinstance(place, str) and place), None)


def _codes(product: Node) -> set[str]:
    return {_text(product.get(name)) for name in IDENTITIES} - {""}


def _fields(product: Node, answer: Answer) -> dict[str, object]:
    seller = _seller(product)
    return {
        "title": _text(product.get("name")),
        "description": _text(product.get("description")),
        "price": _first(product, "price", "lowPrice"),
        "currency": _first(product, "priceCurrency"),
        "availability": _first(product, "availability").rstrip("/").rpartition("/")[2],
        "seller": _text(seller.get("name")),
        "seller_id": _text(seller.get("identifier")),
        "seller_url": answer.absolute(_text(seller.get("url"))),
        "lang": _text(product.get("inLanguage")),
        "images": tuple(_images(product, answer)),
        "attributes": _attributes(product),
    }


def _first(product: Node, *keys: str) -> str:
    return next(filter(None, map(_text, _offers(product, *keys))), "")


def _offers(product: Node, *keys: str) -> Iterator[object]:
    """The values of ``keys`` in each offer, its own offers and its price specification, the outer ones first.

    A group without an offer of its own is offered as its variants are.
    """
    waiting = deque(_list(product.get("offers"))[:LIST_LIMIT])
    if not waiting:
        variants = (each for each in _list(product.get("hasVariant"))[:LIST_LIMIT] if isinstance(each, dict))
        waiting.extend(offer for variant in variants for offer in _list(variant.get("offers"))[:LIST_LIMIT])
    for _ in range(LIST_LIMIT):
        if not waiting:
            return
        offer = waiting.popleft()
        if isinstance(offer, dict):
            yield from (offer[key] for key in keys if offer.get(key))
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


def _meta(answer: Answer) -> dict[str, str]:
    """Names of the meta elements (lower case) → content, the first of each."""
    if "og:" not in answer.html and "product:" not in answer.html:
        return {}
    pairs: Iterable[tuple[str, str]] = (
        (str(element.get("property") or element.get("name")).lower(), str(element.get("content")))
        for element in reversed(META(answer.tree))
    )
    return dict(pairs)


def _list(value: object) -> list[object]:
    if isinstance(value, list):
        return value
    return [] if value is None else [value]
