"""What a server answered, as a value: the one input of blocks, presence, structured and pages."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from itertools import tee
from urllib.parse import urljoin, urlsplit

from lxml import etree
from w3lib.encoding import html_to_unicode

from crawlers import source
from crawlers.selectors import (
    MATCH_LIMIT,
    clean,
    may_match,
    names_word,
    tag_selector,
    values,
    visible_text,
)

MAX_BODY = 8 * 1024 * 1024  # bytes; product pages seen in the wild stay below 3 MB
MAX_ATTRIBUTES = 2_000  # in one tag; libxml2 takes quadratic time for them, minutes for a page full
HARMLESS_LENGTH = 64 * 1024  # code points; a shorter page cannot hold enough attributes to take a second
PLAIN_PATH = re.compile(r"(?:/[A-Za-z0-9_-][A-Za-z0-9_.-]*+)++/?")  # nothing to resolve in it
RAW_TEXT = re.compile(r"<(?:script|style)\b.*?(?:</(?:script|style)|\Z)|<!--.*?(?:-->|\Z)", re.I | re.S)
TAG = re.compile(r"""<[a-z](?:[^"'>]++|"[^"]*+(?:"|\Z)|'[^']*+(?:'|\Z))*+""", re.I)
QUOTED = re.compile(r""""[^"]*+"?|'[^']*+'?""")


@dataclass(frozen=True)
class Answer:
    """One final HTTP response, redirects followed. ``headers`` have lower-case names.

    ``rendered``: the body is the document that a browser made of the response.
    """

    requested_url: str
    url: str
    status: int
    body: bytes = field(repr=False)
    headers: Mapping[str, str] = field(default_factory=dict, repr=False)
    redirects: tuple[str, ...] = ()
    rendered: bool = False
    asked: str = ""  # what the body of a request to an interface said, keys and signature left out

    @cached_property
    def html(self) -> str:
        """The source as text, without the NULs that no parser keeps."""
        _, text = self._decoded
        return text.replace("\x00", "") if "\x00" in text else text  # looking is cheaper than replacing

    @cached_property
    def _decoded(self) -> tuple[str, str]:
        return decode(self.body, self.headers.get("content-type"))

    @cached_property
    def _coded(self) -> bytes:
        """What holds the ASCII words of :attr:`html`: mostly the body as it came."""
        encoding, _ = self._decoded
        is_same = encoding == "utf-8" and b"\x00" not in self.body
        return self.body if is_same else self.html.encode("utf-8", "replace")

    @cached_property
    def data(self) -> object:
        """The JSON that the body is, or None; see :func:`load_json`. UTF-8 whatever the label (RFC 8259)."""
        return load_json(self.body.decode("utf-8-sig", "replace"))

    @cached_property
    def is_bomb(self) -> bool:
        """True when parsing the page would take minutes: no listing looks like that."""
        return is_bomb(self.html)

    @cached_property
    def tree(self) -> etree._Element:
        """The parsed page; an empty document where there is nothing to parse."""
        return parse("" if self.is_bomb else self.html)

    @cached_property
    def text(self) -> str:
        """The visible text of the page."""
        return visible_text(self.tree)

    @cached_property
    def scan(self) -> source.Scan | None:
        """What the source tells without a tree; None when only the tree can tell."""
        return source.scan(self.html)

    @cached_property
    def page_title(self) -> str:
        """The text of the title element."""
        if self.scan:
            return clean(self.scan.title)
        found = self.tree.find(".//title")
        return "" if found is None else clean("".join(found.itertext()))

    def may_hold(self, css: str) -> bool:
        """False when the source shows that ``css`` matches nothing, so that the tree need not be asked."""
        known = self._may_hold.get(css)
        if known is None:
            named = not self._hides_words and names_word(css, self._coded)
            known = self._may_hold[css] = self._hides_words or (named and may_match(css, self.html))
        return known

    def first_value(self, css: str) -> str | None:
        """The first non-empty text that ``css`` yields: read from the source where that can tell."""
        wanted = tag_selector(css)
        if wanted is None or self._hides_words:
            return next(values(self.tree, css), None)
        for place, tag in enumerate(self._tags_with(wanted.word)):
            if tag is None or place == MATCH_LIMIT:  # a page made of such tags would be kept tag by tag
                return next(values(self.tree, css), None)
            if value := wanted.value(tag):
                return value
        return None

    def _tags_with(self, word: str) -> Iterator[source.Tag | None]:
        """As the source tells them; what was read for one selector is not read again for the next one."""
        known = self._tags.get(word) or source.tags_with(self.html, word)
        self._tags[word], tags = tee(known)
        return tags

    @cached_property
    def walls(self) -> dict[object, str | None]:
        """What :func:`crawlers.blocks.detect_block` found, by what it looked for: three of us ask."""
        return {}

    @cached_property
    def _may_hold(self) -> dict[str, bool]:
        """Answers of :meth:`may_hold`: politeness, presence and reading ask for the same."""
        return {}

    @cached_property
    def _tags(self) -> dict[str, Iterator[source.Tag | None]]:
        return {}

    @cached_property
    def _hides_words(self) -> bool:
        return source.hides_words(self.html)

    def absolute(self, address: str) -> str:
        """The http address that ``address`` means on this page, or "": pages also name data: and the like."""
        if PLAIN_PATH.fullmatch(address):
            return self._origin + address
        try:
            url = urljoin(self.url, address) if address else ""
        except ValueError:  # no address at all, e.g. http://[
            return ""
        return url if url.startswith(("http://", "https://")) else ""

    @cached_property
    def _origin(self) -> str:
        parts = urlsplit(self.url)
        return f"{parts.scheme}://{parts.netloc}"

    @property
    def is_html(self) -> bool:
        """False for pictures, JSON and the like; a missing label counts as a page."""
        label = self.headers.get("content-type", "text/html").lower()
        return "html" in label or "xml" in label


def load_json(text: str) -> object:
    """None for what is no JSON, or nested to exhaust the stack. Numbers stay as written, as texts."""
    try:
        return json.loads(text, strict=False, parse_int=str, parse_float=str, parse_constant=str)
    except (ValueError, RecursionError):
        return None


def decode(body: bytes, content_type: str | None) -> tuple[str, str]:
    """The encoding and the text of a page by its BOM, label or look; a label that does not fit the bytes is
    not believed.
    """
    labelled, text = html_to_unicode(content_type, body, auto_detect_fun=_encoding_that_fits)
    if "\N{REPLACEMENT CHARACTER}" in text and (encoding := _encoding_that_fits(body)):
        return encoding, body.decode(encoding)
    return labelled, text


def _encoding_that_fits(body: bytes) -> str | None:
    for encoding in ("utf-8", "gb18030"):  # Chinese pages without a label are one of the two
        try:
            body.decode(encoding)
        except UnicodeDecodeError:
            continue
        return encoding
    return None


def is_bomb(html: str) -> bool:
    """Whether some tag has more than :data:`MAX_ATTRIBUTES`; linear in the length of the page."""
    if len(html) < HARMLESS_LENGTH:
        return False
    tags = (found[0] for found in TAG.finditer(RAW_TEXT.sub("", html)))
    return any(len(tag) > MAX_ATTRIBUTES and _words(tag) > MAX_ATTRIBUTES for tag in tags)


def _words(tag: str) -> int:
    return len(QUOTED.sub("", tag).replace("/", " ").split())


def parse(html: str) -> etree._Element:
    """An lxml tree of any text whatever.

    ``huge_tree`` stays off: libxml2 then stops at 256 levels instead of following a nesting bomb down.
    """
    parser = etree.HTMLParser(
        encoding="utf-8", huge_tree=False, remove_comments=True, no_network=True, collect_ids=False
    )
    encoded = html.replace("\x00", "").encode("utf-8", "replace")
    tree = etree.fromstring(encoded or b"<html/>", parser)
    return etree.Element("html") if tree is None else tree
