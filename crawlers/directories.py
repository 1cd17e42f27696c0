"""What a shop lists of itself: sitemaps (plain, gzip, index), robots.txt, RSS and Atom. Pure.

Written by others, so bounded: no entity is resolved, nothing is fetched, and a compressed file may unfold to
:data:`UNFOLDED_LIMIT` bytes only.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from email.utils import parsedate_to_datetime
from itertools import islice
from urllib.parse import urljoin

from lxml import etree
from scrapy.exceptions import IgnoreRequest
from scrapy.utils.gz import gunzip
from scrapy.utils.sitemap import Sitemap, sitemap_urls_from_robots

GZIP = b"\x1f\x8b"
UNFOLDED_LIMIT = 50 * 1024 * 1024  # bytes: what sitemaps.org allows one file
ENTRY_LIMIT = 50_000  # addresses: the same


@dataclass(frozen=True)
class Entry:
    """``changed`` is an ISO time that sorts, or "" where the file tells none."""

    url: str
    changed: str = ""


@dataclass(frozen=True)
class Directory:
    """``files``: further sitemaps; ``entries``: pages. Neither: the file is no directory."""

    files: tuple[str, ...] = ()
    entries: tuple[Entry, ...] = ()


def read_directory(body: bytes, url: str) -> Directory:
    """Whatever kind of directory ``body``, which came from ``url``, is."""
    text = _unfolded(body)
    if url.partition("?")[0].endswith("/robots.txt"):
        return Directory(files=tuple(islice(sitemap_urls_from_robots(text, url), ENTRY_LIMIT)))
    try:
        sitemap = Sitemap(text)
        if sitemap.type in {"sitemapindex", "urlset"}:
            return _from_sitemap(sitemap, url)
        return Directory(entries=tuple(islice(_feed_entries(text, url), ENTRY_LIMIT)))
    except (etree.LxmlError, StopIteration):  # no XML at all
        return Directory()


def _unfolded(body: bytes) -> bytes:
    """Empty for a gzip file that is broken or a bomb."""
    if not body.startswith(GZIP):
        return body
    try:
        return gunzip(body, max_size=UNFOLDED_LIMIT)
    except (OSError, EOFError, ValueError, IgnoreRequest):
        return b""


def _from_sitemap(sitemap: Sitemap, url: str) -> Directory:
    found = (
        Entry(_joined(url, entry["loc"]), _time(entry.get("lastmod", "")))
        for entry in islice(sitemap, ENTRY_LIMIT)
    )
    entries = tuple(entry for entry in found if entry.url)
    if sitemap.type == "urlset":
        return Directory(entries=entries)
    return Directory(files=tuple(entry.url for entry in _newest_first(entries)))


def _feed_entries(text: bytes, url: str) -> Iterator[Entry]:
    parser = etree.XMLParser(recover=True, resolve_entities=False, no_network=True, collect_ids=False)
    tree = etree.fromstring(text, parser)
    for element in tree.iter("{*}item", "{*}entry") if tree is not None else ():
        times = (_text(element, f"{{*}}{name}") for name in ("updated", "pubDate", "published", "date"))
        if address := _joined(url, _link(element)):
            yield Entry(address, _time(next(filter(None, times), "")))


def _link(element: etree._Element) -> str:
    """Of RSS and product feeds the text of ``link``, of Atom its address where it leads to the page."""
    for link in element.iterfind("{*}link"):
        if link.get("rel", "alternate") == "alternate" and (link.get("href") or (link.text or "").strip()):
            return str(link.get("href") or link.text).strip()
    return ""


def _text(element: etree._Element, name: str) -> str:
    return (element.findtext(name) or "").strip()


def _joined(base: str, address: str) -> str:
    try:
        url = urljoin(base, address) if address else ""
    except ValueError:  # no address at all, e.g. http://[
        return ""
    return url if url.startswith(("http://", "https://")) else ""


def _time(written: str) -> str:
    """ISO as it is; RFC 822, which RSS uses, made ISO; "" for anything else."""
    for read in (datetime.fromisoformat, parsedate_to_datetime):
        try:
            return read(written).isoformat()
        except ValueError:
            continue
    return ""


def _newest_first(entries: tuple[Entry, ...]) -> list[Entry]:
    return sorted(entries, key=lambda entry: entry.changed, reverse=True)
