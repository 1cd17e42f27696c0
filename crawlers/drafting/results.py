"""The links to listings on a result page, and a selector for them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable

from lxml import etree

from crawlers.answer import Answer
from crawlers.drafting.addresses import IdPlace
from crawlers.drafting.elements import ANCESTORS, names_of
from crawlers.selectors import elements

TRIED = 80  # selectors tried for a page, those that stand for the most links first


def links_on(answer: Answer) -> dict[etree._Element, str]:
    """Every link in sight → its address."""
    found = {
        element: answer.absolute(element.get("href", "")) for element in elements(answer.tree, "a[href]")
    }
    return {element: url.partition("#")[0] for element, url in found.items() if url}


def item_links(answer: Answer, place: IdPlace) -> str | None:
    """The selector that finds the most listings and, of those, the fewest other links; None without any."""
    links = links_on(answer)
    ours = [element for element, url in links.items() if place.ids([url])]
    counts = Counter(css for element in ours for css in dict.fromkeys(_selectors(element)))
    tried = [css for css, _ in counts.most_common(TRIED)]
    return max(tried, key=lambda css: _worth(css, answer, links, place), default=None)


def _worth(
    css: str, answer: Answer, links: dict[etree._Element, str], place: IdPlace
) -> tuple[int, int, bool, int]:
    """Listings, then few strangers, then a name over a bare tag, then shortness."""
    found = elements(answer.tree, css)
    addresses = [links[element] for element in found if element in links]
    listings = sum(bool(place.ids([url])) for url in addresses)
    strangers = len(found) - listings
    return len(place.ids(addresses)), -strangers, "." in css or "#" in css, -len(css)


def _selectors(link: etree._Element) -> Iterable[str]:
    yield from names_of(link)
    above = [node for node in link.iterancestors() if isinstance(node.tag, str)][:ANCESTORS]
    for ancestor in above:
        yield from (f"{name} a" for name in names_of(ancestor))
        if ancestor.tag in ("article", "h2", "h3", "h4", "li"):
            yield f"{ancestor.tag} a"
