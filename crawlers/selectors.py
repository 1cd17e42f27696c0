"""CSS selectors on an lxml tree, compiled once: parsel's dialect (``::text``, ``::attr``), no wrappers."""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import lru_cache

from cssselect import SelectorError
from lxml import etree
from parsel.csstranslator import HTMLTranslator

TEXT_LIMIT = 100_000  # code points of text taken from one element; more is no listing but an attack
MATCH_LIMIT = 500  # elements taken from one selector
UNSEEN_TAGS = frozenset({"script", "style", "template", "noscript"})
SPACE = re.compile(r"[ \t\r\n\f]+")
UNSTORABLE = re.compile("[\x00-\x08\x0b\x0e-\x1f\x7f\ud800-\udfff]")  # databases and JSON refuse some of them
HIDING_STYLE = re.compile(r"display\s*:\s*none|visibility\s*:\s*hidden", re.I)
_UNSEEN = " or ".join(f"ancestor::{tag}" for tag in sorted(UNSEEN_TAGS))
_HIDDEN = "ancestor::*[@hidden or contains(translate(@style, ' ', ''), 'display:none')]"
WRITTEN_TEXT = etree.XPath(f"descendant::text()[not({_UNSEEN})]", smart_strings=False)
VISIBLE_TEXT = etree.XPath(f"descendant::text()[not({_UNSEEN} or {_HIDDEN})]", smart_strings=False)


@lru_cache(maxsize=2048)
def compiled(css: str) -> etree.XPath:
    """Raises ValueError when ``css`` is no selector."""
    try:
        return etree.XPath(HTMLTranslator().css_to_xpath(css), smart_strings=False)
    except (SelectorError, etree.XPathSyntaxError) as error:
        raise ValueError(f"not a CSS selector: {error}") from error


def clean(text: str) -> str:
    """Runs of white space made one blank, what cannot be stored dropped; zero-width and bidi marks stay."""
    return UNSTORABLE.sub("", SPACE.sub(" ", text)).strip(" ")


def elements(tree: etree._Element, css: str) -> list[etree._Element]:
    """The visible matches, in document order."""
    return [
        found for found in compiled(css)(tree)[:MATCH_LIMIT] if not isinstance(found, str) and seen(found)
    ]


def values(tree: etree._Element, css: str) -> Iterator[str]:
    """The non-empty texts of the matches: of the element, or what ``::text`` or ``::attr`` names."""
    for found in compiled(css)(tree)[:MATCH_LIMIT]:
        text = clean(found[:TEXT_LIMIT]) if isinstance(found, str) else text_of(found)
        if text:
            yield text


def seen(element: etree._Element) -> bool:
    """False inside templates, scripts and what its own page hides."""
    for node in (element, *element.iterancestors()):
        hidden = node.get("hidden") is not None or HIDING_STYLE.search(node.get("style", ""))
        if hidden or node.tag in UNSEEN_TAGS:
            return False
    return True


def text_of(element: etree._Element) -> str:
    """The element's text without scripts and styles, cut at :data:`TEXT_LIMIT`."""
    return _joined(WRITTEN_TEXT(element))


def visible_text(tree: etree._Element) -> str:
    """What a reader sees of the page, cut at :data:`TEXT_LIMIT`; text hidden by its own page left out."""
    return _joined(VISIBLE_TEXT(tree))


def _joined(texts: object) -> str:
    if not isinstance(texts, list):
        raise TypeError("text nodes come as a list")
    parts: list[str] = []
    length = 0
    for part in texts:
        parts.append(str(part))
        length += len(part)
        if length >= TEXT_LIMIT:
            break
    return clean("".join(parts)[:TEXT_LIMIT])
