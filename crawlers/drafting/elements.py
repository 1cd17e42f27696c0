"""CSS selectors for an element that was found on a page, the plainest that still finds it."""

from __future__ import annotations

import re
from collections.abc import Iterator

from lxml import etree

from crawlers.selectors import elements

NAME = re.compile(r"[A-Za-z][\w-]{1,40}", re.A)
GENERATED = re.compile(r"\d{3}|[a-z]\d[a-z]|^(?:css|sc|jsx|styled)-|__[A-Za-z0-9]{5}$")
# Grids, spacing and states: names that say how a thing looks, not what it is.
LOOKS = re.compile(
    r"(?i)^(?:col|row|grid|flex|d|m[trblxy]?|p[trblxy]?|w|h|text|pull|float|clearfix|active|container|wrapper|btn"
    r"|button|hidden|show|sm|md|lg|left|right)(?:-|$)"
)
ANCESTORS = 5  # levels in which a name may help to tell elements apart


def selector_of(element: etree._Element, tree: etree._Element) -> str | None:
    """The plainest that matches nothing else in sight, else the plainest that matches ``element`` first."""
    return next(selectors_of(element, tree), None)


def selectors_of(element: etree._Element, tree: etree._Element) -> Iterator[str]:
    """All that find ``element`` first, those that find it alone before the others."""
    ambiguous = []
    for css in _candidates(element):
        found = elements(tree, css)
        if found and found[0] is element and len(found) == 1:
            yield css
        elif found and found[0] is element:
            ambiguous.append(css)
    yield from ambiguous


def words_of(element: etree._Element) -> str:
    """The names that its maker gave it: id, classes, name, itemprop and the like."""
    named = (element.get(name) for name in ("id", "class", "name", "itemprop", "data-testid", "data-action"))
    return " ".join(filter(None, named))


def names_of(element: etree._Element) -> Iterator[str]:
    """Simple selectors of it by what it is, the most telling ones first."""
    tag = element.tag
    if _is_usable(element.get("id", "")):
        yield f"{tag}#{element.get('id')}"
    yield from (f"{tag}.{name}" for name in _classes(element) if not LOOKS.match(name))
    for attribute in ("itemprop", "name"):
        if _is_usable(element.get(attribute, "")):
            yield f"{tag}[{attribute}={element.get(attribute)}]"


def _candidates(element: etree._Element) -> Iterator[str]:
    names, tag = list(names_of(element)), element.tag
    yield from names
    if tag in ("h1", "main"):
        yield tag
    above = [node for node in element.iterancestors() if isinstance(node.tag, str)][:ANCESTORS]
    for ancestor in above:
        yield from (f"{name} {mine}" for name in names_of(ancestor) for mine in (tag, *names))
    yield from (f"{tag}.{name}" for name in _classes(element) if LOOKS.match(name))


def _classes(element: etree._Element) -> list[str]:
    return [name for name in element.get("class", "").split() if _is_usable(name)]


def _is_usable(name: str) -> bool:
    return NAME.fullmatch(name) is not None and not GENERATED.search(name)
