"""CSS selectors on an lxml tree, compiled once: parsel's dialect (``::text``, ``::attr``), no wrappers."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from ahocorasick_rs import MATCHKIND_LEFTMOST_FIRST, BytesAhoCorasick
from cssselect import SelectorError, parser
from lxml import etree
from parsel.csstranslator import HTMLTranslator

from crawlers.source import Tag

TEXT_LIMIT = 100_000  # code points of text taken from one element; more is no listing but an attack
MATCH_LIMIT = 500  # elements taken from one selector
UNSEEN_TAGS = frozenset({"script", "style", "template", "noscript"})
SPACE = re.compile(r"[ \t\r\n\f]+")
UNSTORABLE = re.compile("[\x00-\x08\x0b\x0e-\x1f\x7f\ud800-\udfff]")  # databases and JSON refuse some of them
HIDING_STYLE = re.compile(r"display\s*:\s*none|visibility\s*:\s*hidden", re.I)
PIECE, WORD_LIMIT = 1 << 16, 1 << 8  # bytes of a source that are searched at once; of a word that is sought
CLASS_SPACE = re.compile(r"[ \t\r\n]+")  # XPath's; \f is none
ATTRIBUTE_OF = re.compile(r"::attr\(([a-z][a-z0-9-]*)\)\s*\Z")
PLAIN_NAME = re.compile(r"[\w-]+")
WORD = re.compile(r"[A-Za-z0-9_-]{2,}")  # letters that stand in a tree as they stand in the source
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


@lru_cache(maxsize=2048)
def words_of(css: str) -> tuple[frozenset[str], ...]:
    """For each alternative of ``css``, words that a page's source must hold where it matches; maybe none."""
    return tuple(frozenset(_words(selector.parsed_tree)) for selector in parser.parse(css))


def may_match(css: str, source: str) -> bool:
    """False when the words of ``css`` are not in ``source``: no element can match."""
    return any(all(word in source for word in words) for words in words_of(css))


def names_word(css: str, source: bytes) -> bool:
    """The same, in one pass over the source in UTF-8 and at a tenth of the cost, by one word of each
    alternative: False is certain.
    """
    finder, chunks = _finder(css), memoryview(source)
    if finder is None:
        return True
    # In pieces, each with the next one's beginning: the places of a word that fills a page fill the memory.
    pieces = (chunks[start : start + PIECE + WORD_LIMIT] for start in range(0, len(source), PIECE))
    return any(map(finder.find_matches_as_indexes, pieces))


@lru_cache(maxsize=2048)
def _finder(css: str) -> BytesAhoCorasick | None:
    """None where an alternative has no word."""
    longest = [max(words, key=len, default="")[:WORD_LIMIT].encode() for words in words_of(css)]
    # Leftmost: the library's only kind that passes over what cannot match many bytes at a time.
    return BytesAhoCorasick(longest, matchkind=MATCHKIND_LEFTMOST_FIRST) if all(longest) else None


@dataclass(frozen=True)
class TagSelector:
    """``a.shop[rel=x]::attr(href)`` and the like: an attribute of elements that their start tag alone shows.

    ``word``: stands in the source of each such tag.
    """

    attribute: str
    element: str | None
    classes: frozenset[str]
    values: frozenset[tuple[str, str]]
    word: str

    def value(self, tag: Tag) -> str:
        """What is selected of ``tag``; "" for nothing."""
        of_class = frozenset(CLASS_SPACE.split(tag.attributes.get("class", "")))
        matches = self.element in (None, tag.name) and self.classes <= of_class
        if not matches or not self.values <= tag.attributes.items():
            return ""
        return clean(tag.attributes.get(self.attribute, "")[:TEXT_LIMIT])


@lru_cache(maxsize=2048)
def tag_selector(css: str) -> TagSelector | None:
    """``css`` as one, where it is no more than that."""
    selector, *others = parser.parse(css)
    attribute = ATTRIBUTE_OF.search(css)
    word = max(words_of(css)[0], key=len, default=None)
    *conditions, element = _layers(selector.parsed_tree)
    if others or attribute is None or word is None or "|" in css or not all(map(_is_told_by_tag, conditions)):
        return None
    return TagSelector(
        attribute=attribute[1],
        element=element.element.lower() if element.element else None,
        classes=frozenset(each.class_name for each in conditions if isinstance(each, parser.Class)),
        values=frozenset(_value_of(each) for each in conditions if not isinstance(each, parser.Class)),
        word=word,
    )


def _layers(tree: Any) -> list[Any]:
    """Each condition and combination around the bare element, which is last."""
    layers = [tree]
    while inner := getattr(layers[-1], "selector", None):
        layers.append(inner)
    return layers


def _is_told_by_tag(condition: object) -> bool:
    if isinstance(condition, parser.Class):
        return PLAIN_NAME.fullmatch(condition.class_name) is not None
    equals = isinstance(condition, parser.Attrib) and condition.operator == "=" and condition.value
    return bool(equals) or isinstance(condition, parser.Hash)


def _value_of(condition: Any) -> tuple[str, str]:
    """The attribute and what it must be."""
    if isinstance(condition, parser.Hash):
        return "id", condition.id
    return condition.attrib.lower(), str(condition.value.value)


def _words(tree: object) -> Iterator[str]:
    """Of ids, classes and attributes; what stands inside :not(), :is() and the like may be absent."""
    if isinstance(tree, parser.CombinedSelector):
        yield from _words(tree.selector)
        yield from _words(tree.subselector)
        return
    written = ""
    if isinstance(tree, parser.Hash):
        written = tree.id
    elif isinstance(tree, parser.Class):
        written = tree.class_name
    elif isinstance(tree, parser.Attrib) and tree.operator in ("=", "~=", "^=", "$=", "*=") and tree.value:
        written = tree.value.value or ""
    yield from sorted(WORD.findall(written), key=len)[-1:]
    if inner := getattr(tree, "selector", None):  # what the condition is put on; a bare element has none
        yield from _words(inner)


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
