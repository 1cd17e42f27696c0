"""Products that a page marks up in its elements: microdata and RDFa, read into JSON-LD's shape."""

from __future__ import annotations

from collections import deque
from collections.abc import Mapping
from dataclasses import dataclass
from itertools import islice

from lxml import etree

from crawlers.answer import Answer
from crawlers.selectors import text_of

Node = Mapping[str, object]

PRODUCT_TYPES = frozenset({"product", "productgroup", "individualproduct", "productmodel"})
NODE_LIMIT = 20_000  # elements looked at in one product, nodes in one JSON-LD script
LIST_LIMIT = 100  # products of one page; pictures, attributes or offers of one product
URL_ATTRIBUTES = {
    "a": "href",
    "link": "href",
    "area": "href",
    "img": "src",
    "time": "datetime",
    "data": "value",
}


@dataclass(frozen=True)
class Marking:
    """The attributes that make an element a thing of some type, or a property of the thing around it.

    ``products``: the outermost things; what stands inside a product is a part of it or recommended by it.
    """

    thing: str
    type: str
    property: str
    products: etree.XPath


MICRODATA = Marking(
    "itemscope",
    "itemtype",
    "itemprop",
    etree.XPath("//*[@itemscope and @itemtype and not(ancestor::*[contains(@itemtype, '/Product')])]"),
)
RDFA = Marking(
    "typeof",
    "typeof",
    "property",
    etree.XPath("//*[@typeof and not(ancestor::*[contains(@typeof, 'Product')])]"),
)


def marked_up_products(answer: Answer, marking: Marking) -> list[Node]:
    """In document order; none, without a tree, when the page does not use the marking."""
    if marking.thing not in answer.html:
        return []
    things = marking.products(answer.tree)
    products = (element for element in things if names_product(element.get(marking.type, "")))
    return [_thing(element, marking) for element in islice(products, LIST_LIMIT)]


def names_product(types: str) -> bool:
    """Whether one of ``types`` is schema.org's for goods: an address, a bare term or ``schema:Product``."""
    names = (name.rstrip("/").replace(":", "/").rpartition("/")[2].lower() for name in types.split())
    return any(name in PRODUCT_TYPES for name in names)


def _thing(scope: etree._Element, marking: Marking) -> Node:
    """Depth is bounded by the parser."""
    node: dict[str, list[object]] = {}
    waiting = deque(scope)
    for _ in range(NODE_LIMIT):
        if not waiting:
            break
        element = waiting.popleft()
        nested = element.get(marking.thing) is not None
        for name in element.get(marking.property, "").split():
            value = _thing(element, marking) if nested else _value(element)
            node.setdefault(name.rpartition(":")[2], []).append(value)
        if not nested:
            waiting.extendleft(reversed(element))
    return node


def _value(element: etree._Element) -> str:
    attribute = "content" if "content" in element.attrib else URL_ATTRIBUTES.get(str(element.tag))
    return str(element.get(attribute, "")) if attribute else text_of(element)
