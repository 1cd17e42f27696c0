"""Where the item id stands in an address, and how a search is asked for: guessed from live addresses."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from urllib.parse import parse_qsl, quote, quote_plus, unquote, urlsplit

EXTENSION = re.compile(r"\.(?:html?|s?html|php|aspx?|jsp)$", re.I)
ID_NAME = re.compile(r"(?i)(?:item|goods|product|offer|sku|prod|p)?[_-]?(?:id|no|sku|code)$")
NUMBER_AT_END = re.compile(r"(.*)([_\-.])(\d+)")
NUMBER_AT_START = re.compile(r"(\d+)([_\-.].+)")
CHARACTERS = (r"\d+", r"[\w-]+")  # of ids, the narrowest first; else anything in a segment
TERM_NAMES = ("q", "query", "keyword", "keywords", "kw", "wd", "k", "s", "search", "text", "term")
PAGE_NAMES = ("page", "p", "pg", "pageno", "page_no", "pagenum", "paged", "pn")
TRACKING = re.compile(r"(?i)utm_|spm$|scm$|gclid|fbclid|msclkid")
ABSENT = {r"\d+": "999999999999"}  # an id of that kind which no shop has given yet
ABSENT_WORD = "no-such-listing-0000000000"


@dataclass(frozen=True)
class IdPlace:
    """``pattern`` and ``canonical`` as in ListingUrl; ``characters`` what an id is made of."""

    pattern: str
    canonical: str
    characters: str

    def ids(self, links: Iterable[str]) -> dict[str, str]:
        """Id → link, of those that hold one."""
        found = ((re.search(self.pattern, link), link) for link in links)
        return {match["id"]: link for match, link in found if match}

    def absent_for(self, item_id: str) -> str:
        """An id like that one which no shop has given."""
        shelf, slash, _ = item_id.rpartition("/")
        return shelf + slash + ABSENT.get(self.characters, ABSENT_WORD)


def place_of_id(listing: str, links: Sequence[str], *, whole_names: bool = False) -> IdPlace | None:
    """Where the id stands in ``listing``, so that most of ``links`` turn out to be other listings.

    ``whole_names``: take names that end in a number as ids themselves. None where nothing looks like an id.
    """
    places = [place for make in _shapes(listing, whole_names) if (place := _fitted(make, listing, links))]
    return max(places, key=lambda place: len(place.ids(links)), default=None)  # the first of equals


def search_template(url: str, links: Iterable[str], term: str | None = None) -> tuple[str, str, bool] | None:
    """(address with {term} and {page}, the term, whether the page's parameter was seen) or None.

    ``term``: what was searched for, where its parameter's name does not tell.
    """
    parts = urlsplit(url)
    pairs = [pair for pair in parse_qsl(parts.query, keep_blank_values=True) if not TRACKING.match(pair[0])]
    named = _term_name(pairs, term)
    if named is None:
        return None
    page = _page_name(url, pairs, links)
    written = [(name, value) for name, value in pairs if name != page]
    query = [f"{quote(name)}={'{term}' if name == named else quote_plus(value)}" for name, value in written]
    template = f"{{home}}{_literal(parts.path)}?{'&'.join([*query, (page or PAGE_NAMES[0]) + '={page}'])}"
    return template, dict(pairs)[named], page is not None


def home_of(url: str) -> str:
    """Scheme and host. Raises ValueError for what is no address of a page."""
    parts = urlsplit(url)
    if parts.scheme not in ("http", "https") or not parts.hostname or parts.username is not None:
        raise ValueError(f"{url} is not the address of a page")
    return f"{parts.scheme}://{parts.netloc.lower()}"


@dataclass(frozen=True)
class _Shape:
    """One guess: the address is ``before`` + what comes before the id + id + ``after``, all as patterns."""

    segments: tuple[str, ...]  # path segments before the one with the id, as written
    before: str  # pattern
    name: str  # the same, as the canonical address has it
    characters: str | None  # None: by what the links have
    after: str  # pattern
    tail: str  # as written
    query: str | None = None  # the parameter's name


def _shapes(listing: str, whole_names: bool) -> Iterator[_Shape]:
    parts = urlsplit(listing)
    segments = tuple(parts.path.split("/")[1:])
    for name, value in parse_qsl(parts.query):
        if ID_NAME.search(name) and re.fullmatch(r"[\w-]{1,64}", value):
            yield _Shape(segments, "", "", None, "", "", name)
    filled = [number for number, segment in enumerate(segments) if segment]
    if not filled:
        return
    last = filled[-1]
    before, segment, slash = segments[:last], segments[last], "/" if last + 1 < len(segments) else ""
    extension = EXTENSION.search(segment)
    tail = (extension[0] if extension else "") + slash
    core = segment.removesuffix(extension[0]) if extension else segment
    after = re.escape(tail.removesuffix("/")) + r"/?(?:[?#]|$)"
    if not whole_names and (found := NUMBER_AT_END.fullmatch(core)):
        yield _Shape(before, rf"[^/?#]*{re.escape(found[2])}", found[2], r"\d+", after, tail)
    if not whole_names and (found := NUMBER_AT_START.fullmatch(core)):
        yield _Shape(before, "", "", r"\d+", r"[_\-.][^/?#]*", found[2] + tail)
    yield _Shape(before, "", "", None, after, tail)


def _fitted(shape: _Shape, listing: str, links: Sequence[str]) -> IdPlace | None:
    """The place as it is in ``listing``; where no link is like it, the id begins where their paths part."""
    known = [listing, *links]
    if shape.query is not None:
        path = _literal(urlsplit(listing).path)
        start = rf"^https?://[^/]+{re.escape(path)}[^#]*[?&]{re.escape(shape.query)}="
        return _narrowed(start, "", "", f"{{home}}{path}?{quote(shape.query)}={{id}}", shape, known)
    exact = _in_path(shape, len(shape.segments), known)
    if exact and len(exact.ids(known)) > 1:
        return exact
    count = len(shape.segments)
    paths = [urlsplit(link).path.split("/")[1:] for link in known]
    alike = [path[:count] for path in paths if len([part for part in path if part]) == count + 1]
    parting = next((place for place in range(count) if len({path[place] for path in alike}) > 1), count)
    return _in_path(shape, parting, known)


def _in_path(shape: _Shape, fixed: int, links: Sequence[str]) -> IdPlace | None:
    """The first ``fixed`` segments are the shop's own, those after them belong to the id."""
    start = "".join(f"/{part}" for part in shape.segments[:fixed])
    inner = "".join("[^/?#]+/" for _ in shape.segments[fixed:])
    lead = rf"^https?://[^/]+{re.escape(start)}/" + ("" if inner else shape.before)
    canonical = f"{{home}}{_literal(start)}/{'' if inner else shape.name}{{id}}{shape.tail}"
    within = inner + shape.before if inner else ""
    return _narrowed(lead, within, shape.after, canonical, shape, links)


def _narrowed(
    start: str, within: str, after: str, canonical: str, shape: _Shape, links: Sequence[str]
) -> IdPlace | None:
    """With the narrowest characters that lose no listing."""
    choices = [shape.characters] if shape.characters else [*CHARACTERS, "[^/?#&]+"]
    places = [
        IdPlace(f"{start}(?P<id>{within}{characters}){after}", canonical, characters)
        for characters in choices
    ]
    fitting = [place for place in places if place.ids(links[:1])]
    return max(fitting, key=lambda place: len(place.ids(links)), default=None)


def _term_name(pairs: Sequence[tuple[str, str]], term: str | None) -> str | None:
    if term is not None:
        return next((name for name, value in pairs if value == term), None)
    named = [name for name, value in pairs if value and name.lower() in TERM_NAMES]
    foreign = [name for name, value in pairs if not value.isascii()]
    return next(iter([*named, *foreign]), None)


def _page_name(url: str, pairs: Sequence[tuple[str, str]], links: Iterable[str]) -> str | None:
    """The parameter that counts pages, in the address itself or in a link to the next page."""
    for name, value in pairs:
        if name.lower() in PAGE_NAMES and value.isdigit():
            return name
    path, own = urlsplit(url).path, set(pairs)
    for link in links:
        if urlsplit(link).path == path:
            more = [pair for pair in parse_qsl(urlsplit(link).query) if pair not in own]
            if len(more) == 1 and more[0][1] == "2":
                return more[0][0]
    return None


def _literal(path: str) -> str:
    """A path that a template may hold: braces there would be its own."""
    return quote(unquote(path), safe="/:@!$&'()*+,;=~-._")
