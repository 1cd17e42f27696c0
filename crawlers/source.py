"""What a page's source tells without a tree: a tree costs more than all the rest of reading a page.

Only what the parser would say as well is told. Where a tag is written so that it could be taken for
something else, the answer is None, and the tree decides.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from html import unescape

RAW_TEXT = "script|style|title|textarea"  # no tags inside them
# Parsers do not agree about what is inside them; what follows </html> may stand outside of the tree.
UNSURE = "iframe|noembed|noframes|xmp|plaintext|(?<=/)html"
ATTRIBUTES = r"""[^<>"']*+(?:"[^"<>]*+"[^<>"']*+|'[^'<>]*+'[^<>"']*+)*+"""
COMMENT = r"<!--(?!-?>)(?:[^-]++|-(?!-)|--(?![!>]))*+-->"
NAME_START = rf"/?(?:[a-gj-moqru-wyzA-GJ-MOQRU-WYZ]|(?!(?i:{RAW_TEXT}|{UNSURE})[\s/>])[a-zA-Z])"
MARK = re.compile(
    rf"<{NAME_START}{ATTRIBUTES}>|<!(?!-)[a-zA-Z][^<>]*+>|{COMMENT}"
)  # tag, declaration, comment
ORDINARY = re.compile(rf"(?:[^<]++|{MARK.pattern})*+")
RAW_ELEMENT = re.compile(
    rf"<({RAW_TEXT})(?=[ \t\n\r\f/>])({ATTRIBUTES})>((?:[^<]++|<(?!/\1[\s/>]))*+)</\1[ \t\n]*>", re.I | re.A
)
LD_TYPE = re.compile(r"\+[jJ][sS][oO][nN]")
ENCODED_LD_TYPE = re.compile(r"&(?:#[xX]2[bB]|#43|plus);[jJ]")
TITLE = re.compile(r"<[tT][iI][tT][lL][eE][\s/>]")
# A letter, digit, hyphen or underscore written as a number, &#97; and the like, or by its name.
ENCODED_WORD = re.compile(
    r"&(?:#(?:[xX]0*(?:2[dD]|[3-7][0-9a-fA-F])(?![0-9a-fA-F])|0*(?:4[589]|[5-9]\d|1[012]\d)(?!\d))"
    r"|lowbar;|UnderBar;|fjlig;)"
)
BLANK = r"[ \t\n]"
PLAIN_VALUE = r"""(?:"([^"&\r]*+)"|'([^'&\r]*+)'|([^\s"'<>=`&]++))"""
PLAIN_ATTRIBUTE = re.compile(
    rf"{BLANK}++([a-zA-Z_][a-zA-Z0-9_.-]*+)(?:{BLANK}*+={BLANK}*+{PLAIN_VALUE})?(?=[ \t\n/>])"
)
PLAIN_TAG = re.compile(rf"<([a-zA-Z][a-zA-Z0-9-]*+)((?:{PLAIN_ATTRIBUTE.pattern})*+){BLANK}*+/?>")
MERGED = frozenset({"html", "head", "body"})  # a parser keeps one of each, and not always the first


@dataclass(frozen=True)
class Scan:
    """``title``: of the page, entities resolved; ``ld_scripts``: the texts of its JSON-LD scripts."""

    title: str
    ld_scripts: tuple[str, ...]


@dataclass(frozen=True)
class Tag:
    """A start tag: its name and the names of its attributes in lower case, their values as they stand."""

    name: str
    attributes: Mapping[str, str]


def scan(html: str) -> Scan | None:
    """Reads as far as the title and the last JSON-LD script; None where only a parser can tell."""
    if ENCODED_LD_TYPE.search(html):
        return None
    last_script, next_title = _last_script(html), _find_title(html, 0)
    title: str | None = None
    scripts: list[str] = []
    position = 0
    while True:
        if title is None and -1 < next_title < position:  # that one stood inside a script
            next_title = _find_title(html, position)
        end = last_script if title is not None else max(last_script, next_title)
        place = ORDINARY.match(html, position, end + 1)
        position = place.end() if place else position
        if position > end:
            return Scan(title or "", tuple(scripts))
        element = RAW_ELEMENT.match(html, position)
        if element is None or _is_ambiguous(element[3]):
            return None
        kind, attributes, text = element[1].lower(), element[2], element[3]
        if kind == "title" and title is None:
            title = unescape(text)
        elif kind == "script" and "ld+json" in attributes.lower():
            scripts.append(text)
        position = element.end()


def tags_with(html: str, word: str) -> Iterator[Tag | None]:
    """The start tags in whose source ``word`` stands, in document order; None, last, where only a parser can
    tell. ``word`` is of letters, digits, hyphens and underscores.

    No parser follows more than some hundred levels of nesting; tags that stand deeper are told all the same.
    """
    position = searched = 0
    while (found := html.find(word, searched)) >= 0:
        place = ORDINARY.match(html, position, found)
        position = place.end() if place else position
        if position == found:  # in a text between tags
            searched = found + len(word)
            continue
        mark = MARK.match(html, position) or RAW_ELEMENT.match(html, position)
        if mark is None or (mark.re is RAW_ELEMENT and (_is_ambiguous(mark[3]) or found < mark.start(3))):
            yield None
            return
        if mark.re is MARK and html[position + 1].isalpha():
            yield (tag := _tag(mark[0]))
            if tag is None:
                return
        position = searched = mark.end()


def hides_words(html: str) -> bool:
    """Whether a word may stand in the tree that does not stand in the source."""
    return ENCODED_WORD.search(html) is not None


def _find_title(html: str, position: int) -> int:
    found = TITLE.search(html, position)
    return found.start() if found else -1


def _last_script(html: str) -> int:
    """Where the last tag begins that may be a JSON-LD script's; -1 without any."""
    types = [found.start() for found in LD_TYPE.finditer(html)]
    return html.rfind("<", 0, types[-1]) if types else -1


def _tag(written: str) -> Tag | None:
    plain = PLAIN_TAG.fullmatch(written)
    if plain is None or plain[1].lower() in MERGED:
        return None
    attributes: dict[str, str] = {}
    for name, *values in PLAIN_ATTRIBUTE.findall(written, plain.start(2)):
        attributes.setdefault(name.lower(), "".join(values))  # of two with one name the first counts
    return Tag(plain[1].lower(), attributes)


def _is_ambiguous(text: str) -> bool:
    """A comment inside a raw text changes where it ends."""
    return "<!--" in text
