"""What a page shows of its listing beyond structured data: selectors for it, guessed by look and word."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator

from lxml import etree

from crawlers.answer import Answer
from crawlers.drafting.elements import selector_of, words_of
from crawlers.listing import SellerKind
from crawlers.prices import parse_price
from crawlers.selectors import elements, text_of

Found = dict[str, str]  # field → CSS

PRICE = re.compile(r"(?:[¥￥$€£]|\b(?:CNY|RMB|USD|EUR|GBP)\b)\s*\d|\d\s*元")
OLD_PRICE = re.compile(r"(?i)old|was|origin|market|list-?price|strike|before|compare|unit")
SHOP = re.compile(
    r"(?i)(?:^|[\s_-])(?:shop|seller|store|vendor|merchant)[_-]?(?:name|title|link|info)?(?:$|[\s_-])"
)
SHOP_LABEL = re.compile(
    r"(?i)(卖家|店铺|商家|店铺名称|卖家名称|商家名称|seller|sold by|shop|store|vendor)\s*[:：]?"
)
DESCRIPTION = re.compile(r"(?i)desc|detail|intro|(?:^|[\s_-])content(?:$|[\s_-])")
GALLERY = re.compile(
    r"(?i)galler|photo|carousel|zoom|product[_-]?(?:image|img|pic|media)|main[_-]?(?:image|img|pic)|album"
)
FURNITURE = frozenset({"header", "footer", "nav", "aside"})
BESIDE = re.compile(r"(?i)recommend|related|similar|beside|recent|also|upsell|guess|sponsor")
SHORT = 60  # code points: a shop's name or a price, not a paragraph
LEAST_DESCRIPTION = 8  # code points


def fields_on(answer: Answer, silent: Iterable[str]) -> Found:
    """A selector for each field of ``silent`` (what structured data leaves out) that can be seen."""
    page = _Page(answer)
    finders: dict[str, Callable[[_Page], str | None]] = {
        "title": _title,
        "price": _price,
        "seller": _seller,
        "description": _description,
        "attributes": _attributes,
        "images": _images,
    }
    found = {name: finders[name](page) for name in finders if name in set(silent)}
    return {name: css for name, css in found.items() if css} | _about_seller(page, set(silent))


class _Page:
    """The page in reading order: what is in sight and belongs to the listing, not what stands beside it."""

    def __init__(self, answer: Answer) -> None:
        self.tree = answer.tree
        self.heading = _heading(answer)
        self.body = [element for element in elements_in_sight(answer.tree) if not is_beside(element)]
        start = self.body.index(self.heading) if self.heading in self.body else 0
        self.below = self.body[start:]


def elements_in_sight(tree: etree._Element) -> Iterator[etree._Element]:
    """All of the page's body that is no furniture and not hidden, at most a few thousand."""
    for block in elements(tree, "body"):
        yield from (node for node in elements(block, "*") if node is not block)


def is_beside(element: etree._Element) -> bool:
    """Whether it belongs to the site's furniture or to other goods that are recommended."""
    around = (element, *element.iterancestors())
    return any(node.tag in FURNITURE or BESIDE.search(words_of(node)) for node in around)


def _heading(answer: Answer) -> etree._Element | None:
    """The h1 that says most of what the page's title says, else the first one; those of the site at last."""
    headings = sorted((one for one in elements(answer.tree, "h1") if text_of(one)), key=is_beside)
    told = [one for one in headings if text_of(one) in answer.page_title and not is_beside(one)]
    return max(told, key=lambda one: len(text_of(one)), default=next(iter(headings), None))


def _title(page: _Page) -> str | None:
    return selector_of(page.heading, page.tree) if page.heading is not None else None


def _price(page: _Page) -> str | None:
    shown = [element for element in page.below if _is_price(element)]
    named = [element for element in shown if "price" in words_of(element).lower()]
    return _first_selector([*named, *shown], page.tree)


def _is_price(element: etree._Element) -> bool:
    text = text_of(element)
    if len(text) > SHORT or not PRICE.search(text) or parse_price(text) is None:
        return False
    struck = element.tag in ("del", "s", "strike") or OLD_PRICE.search(words_of(element))
    return not struck and element.find(".//del") is None


def _seller(page: _Page) -> str | None:
    if (shop := _shop(page)) is not None:
        return selector_of(shop, page.tree)
    for row in elements(page.tree, "tr"):
        cells = [text_of(cell) for cell in row.iter("th", "td")]
        if len(cells) == 2 and cells[1] and (label := SHOP_LABEL.fullmatch(cells[0])):
            return f'tr:contains("{label[1]}") td'
    return None


def _shop(page: _Page) -> etree._Element | None:
    named = [
        element
        for element in page.body
        if SHOP.search(words_of(element)) and 0 < len(text_of(element)) <= SHORT and element.tag != "button"
    ]
    links = [element for element in named if element.tag == "a"]
    return next(iter([*links, *named]), None)


def _about_seller(page: _Page, silent: set[str]) -> Found:
    """What stands in the attributes of the seller's own element."""
    shop = _shop(page)
    css = selector_of(shop, page.tree) if shop is not None else None
    if shop is None or css is None:
        return {}
    found = {}
    if "seller_url" in silent and shop.get("href", "").strip():
        found["seller_url"] = f"{css}::attr(href)"
    for name, value in shop.items():
        if name.startswith("data-") and name.endswith("-id") and "seller_id" in silent:
            found["seller_id"] = f"{css}::attr({name})"
        if name.startswith("data-") and value in set(SellerKind):
            found["seller_kind"] = f"{css}::attr({name})"
    return found


def _description(page: _Page) -> str | None:
    named = [element for element in page.below if DESCRIPTION.search(words_of(element))]
    for element in named:
        if len(_text_without_headings(element)) >= LEAST_DESCRIPTION:
            return selector_of(element, page.tree)
        following = element.getnext() if text_of(element) else None  # a heading, and the text behind it
        css = selector_of(element, page.tree)
        if css and following is not None and following.tag in ("p", "div", "section"):
            return f"{css} + {following.tag}"
    return None


def _text_without_headings(element: etree._Element) -> str:
    headings = [text_of(node) for node in element.iter("h1", "h2", "h3", "h4")]
    text = text_of(element)
    for heading in headings:
        text = text.replace(heading, "", 1)
    return text.strip()


def _attributes(page: _Page) -> str | None:
    for table in elements(page.tree, "table"):
        rows = [[cell for cell in row if cell.tag in ("th", "td")] for row in table.iter("tr")]
        paired = rows and all(len(row) == 2 for row in rows)
        if paired and (len(rows) > 1 or rows[0][0].tag == "th") and not is_beside(table):
            css = selector_of(table, page.tree)
            return f"{css} tr" if css else None
    return None


def _images(page: _Page) -> str | None:
    for element in page.body:
        if element.tag != "img" or not (element.get("src") or element.get("data-src")):
            continue
        source = "src" if element.get("src") else "data-src"
        frames = [node for node in element.iterancestors() if GALLERY.search(words_of(node))]
        if frames and (css := selector_of(frames[0], page.tree)):
            return f"{css} img::attr({source})"
        if GALLERY.search(words_of(element)) and (css := selector_of(element, page.tree)):
            return f"{css}::attr({source})"
    return None


def _first_selector(candidates: Iterable[etree._Element], tree: etree._Element) -> str | None:
    found = (selector_of(element, tree) for element in candidates)
    return next(filter(None, found), None)
