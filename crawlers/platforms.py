"""Platform profiles: one marketplace is one YAML file in ``config/platforms/``, loaded into a frozen model.

This package reads no YAML: the parent validates the file and hands the child the profile inside ``job.json``,
which also keeps in the run directory what the run was done with.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Annotated, Self
from urllib.parse import quote_plus, urlsplit

from pydantic import AfterValidator, Field, model_validator

from crawlers.apis.keys import CATALOGUES, KEYS
from crawlers.lead_channel import LeadChannel
from crawlers.listing import Frozen, NonEmpty
from crawlers.profile_types import Css, ElementCss, IdRegex, IdRegexes, Regex, Template, holding

SELLER_FIELDS = {"seller", "seller_id", "seller_kind", "seller_url"}
LABELS = re.compile(r"[\w.-]+")  # of a host name, with those of other scripts
FIELDS = SELLER_FIELDS | {"title", "description", "price", "currency", "images", "attributes", "lang"}


class Marker(Frozen):
    """True when the CSS selector matches something visible and, where given, the text inside matches too."""

    css: ElementCss
    text: Regex | None = None


class Search(Frozen):
    url: Annotated[str, holding("term", "page")] = Field(description="may also hold {home}")
    pages: int = Field(ge=1, le=50, description="most pages to read for a term")
    item_links: ElementCss = Field(description="the links to listings on a result page")
    terms: tuple[NonEmpty, ...] = Field(min_length=1)
    empty: Marker | None = Field(default=None, description="sign of a search that honestly found nothing")


class Discovery(Frozen):
    """Where a shop lists its own pages: robots.txt (for its Sitemap lines), sitemaps, RSS and Atom feeds."""

    sitemaps: tuple[Template, ...] = Field(default=(), description="may hold {home}")
    feeds: tuple[Template, ...] = Field(default=(), description="may hold {home}")
    listings: int = Field(default=300, ge=1, le=5000, description="most to read in a run, the newest first")

    @model_validator(mode="after")
    def _names_something(self) -> Self:
        if not self.sitemaps and not self.feeds:
            raise ValueError("needs sitemaps or feeds")
        return self


def _is_known(interface: str) -> str:
    if interface not in KEYS:
        raise ValueError(f"no such interface; known are {', '.join(sorted(KEYS))}")
    return interface


class Api(Frozen):
    """An official or public interface that is asked instead of pages. Its keys never stand in a profile."""

    interface: Annotated[str, AfterValidator(_is_known)]
    terms: tuple[NonEmpty, ...] = Field(
        default=(), description="none: the whole catalogue, where the interface gives one"
    )
    pages: int = Field(ge=1, le=50, description="most pages to read for a term or of the catalogue")
    market: str | None = Field(
        default=None, pattern="^EBAY_[A-Z]{2,6}$", description="eBay's site, e.g. EBAY_US"
    )

    @model_validator(mode="after")
    def _asks_something(self) -> Self:
        if not self.terms and self.interface not in CATALOGUES:
            raise ValueError(f"{self.interface} needs terms: it gives no catalogue")
        if (self.interface == "ebay") != (self.market is not None):
            raise ValueError("market is for ebay, which needs it")
        return self


class ListingUrl(Frozen):
    """How an item id stands in an address, and the canonical address made of it.

    Where an id is unique in its shop only, a pattern names both: ``(?P<shop>…)`` and ``(?P<id>…)`` make the
    item id ``shop.id``.
    """

    match: IdRegexes = Field(
        min_length=1, description="one or several, tried in turn; searched in the whole address"
    )
    canonical: Annotated[str, holding("id")] = Field(description="may also hold {home}")

    def item_id(self, url: str) -> str | None:
        """The item id that stands in ``url``; None when it is no listing's address."""
        for pattern in self.match:
            if found := re.search(pattern, url):
                parts = found.groupdict().values()
                return ".".join(filter(None, parts))
        return None


class Selector(Frozen):
    """``css`` may end in ``::text`` or ``::attr(name)``; without, the whole visible text of the first match.

    For ``attributes`` it selects the rows: the first cell is the name, the last one the value.
    """

    css: Css
    required: bool = Field(default=False, description="a page without it is reported")


class PresenceRules(Frozen):
    alive: tuple[Marker, ...] = Field(min_length=1, description="positive proof, e.g. a buy control")
    sold_out: tuple[Marker, ...] = ()
    gone: tuple[Marker, ...] = ()
    elsewhere: tuple[Regex, ...] = Field(
        default=(), description="searched in path?query of where a redirect ended: this means, not here"
    )


class Block(Frozen):
    """A sign of a block or login wall: all of the three that are given must hold.

    With ``css`` the text is looked for inside its matches only, so that a seller cannot feign a block by
    writing its words into a description.
    """

    reason: NonEmpty = Field(description="captcha | login_wall | access_denied | rate_limited …")
    url: Regex | None = Field(default=None, description="searched in the final address")
    css: ElementCss | None = None
    text: Regex | None = Field(default=None, description="searched in the visible text")

    @model_validator(mode="after")
    def _says_something(self) -> Self:
        if self.url is self.css is self.text is None:
            raise ValueError("needs at least one of url, css, text")
        if self.text and self.url is self.css is None:
            raise ValueError("text needs css or url beside it: sellers can write any words anywhere")
        return self


class Politeness(Frozen):
    """May only be slower than the floor in ``crawlers.politeness``, never faster."""

    delay_s: float = Field(default=3.0, ge=0)
    daily_requests: int = Field(default=2000, ge=1, description="in all runs of a day together")
    window: str | None = Field(
        default=None,
        pattern=r"^([01]\d|2[0-3]):[0-5]\d-([01]\d|2[0-3]):[0-5]\d$",
        description="when we may come, in Shanghai, e.g. 01:00-06:00; may cross midnight",
    )
    cool_off_hours: float = Field(
        default=0, ge=0, le=720, description="of silence after a blocked run; never below the floor"
    )


class Assertions(Frozen):
    min_listings: int = Field(default=1, ge=0)
    fill_rate: dict[str, Annotated[float, Field(ge=0, le=1)]] = Field(
        default_factory=dict, description="field of Listing → lowest share of non-empty"
    )


class Canary(Frozen):
    """A page that must be up and an id that must be gone; checked in every run."""

    alive: Template = Field(description="may hold {home}")
    absent: Template = Field(description="may hold {home}")


class SellerPages(Frozen):
    """The pages of shops, accounts or mini-programs, by which it is seen that one was closed.

    The id in an address is the seller's ``external_id``; where a page names another one, the seller is not
    looked at.
    """

    url: ListingUrl
    presence: PresenceRules
    canary: Canary | None = Field(
        default=None, description="without it, what is seen of sellers proves nothing"
    )


class Saying(Frozen):
    """What a platform's page says in place of a listing, for a person who looks; it proves no removal."""

    text: NonEmpty
    means: NonEmpty = Field(pattern="^(removed|sold_out|walled_off)$")
    verified: bool = Field(default=False, description="False: hearsay, and said so wherever it is shown")


class Platform(Frozen):
    name: NonEmpty = Field(pattern=r"^[a-z0-9][a-z0-9_-]*$")
    title: NonEmpty
    title_en: NonEmpty
    verified: bool = Field(description="False until tried on the real platform; said so wherever it is shown")
    road: NonEmpty = Field(
        pattern="^(page|api|import)$",
        description="page: we crawl it; api: we ask its interface; import: files and pasted links only",
    )
    home: str | None = Field(
        default=None,
        pattern=r"^https?://[^/?#\s@]+(/[^?#\s]*[^/?#\s])?$",
        description="no trailing slash; required for road page, and for road api: where the interface is",
    )
    marketplace: str | None = Field(
        default=None,
        description="the profile whose listings these are, when this one is but another road to them",
    )
    render: NonEmpty = Field(default="http", pattern="^(http|browser)$")
    render_reason: str | None = Field(default=None, description="required when render is browser")
    hosts: tuple[NonEmpty, ...] = Field(
        default=(),
        description="hosts whose links belong here, lower case; *.x.y means any below x.y. home's is implied",
    )
    media_hosts: tuple[NonEmpty, ...] = Field(
        default=(), description="hosts that serve its pictures and styles, for captures; written like hosts"
    )
    short_links: tuple[Regex, ...] = Field(
        default=(),
        description="addresses that lead to a listing only by a redirect; followed on request only",
    )
    share_texts: tuple[IdRegex, ...] = Field(
        default=(), description="what stands in a share text in place of an address, with the id in it"
    )
    listing_url: ListingUrl
    currency: str | None = Field(
        default=None, pattern="^[A-Z]{3}$", description="of prices that do not name theirs"
    )
    search: Search | None = None
    discovery: Discovery | None = None
    api: Api | None = None
    fields: dict[str, Selector] = Field(
        default_factory=dict, description="only what structured data does not give"
    )
    presence: PresenceRules | None = None
    sayings: tuple[Saying, ...] = ()
    blocks: tuple[Block, ...] = ()
    politeness: Politeness = Politeness()
    assertions: Assertions = Assertions()
    canary: Canary | None = None
    sellers: SellerPages | None = Field(default=None, description="of road page: their own pages")
    lead: LeadChannel

    @model_validator(mode="after")
    def _is_complete(self) -> Self:
        if complaints := list(self._complaints()):
            raise ValueError("; ".join(complaints))
        return self

    def _complaints(self) -> Iterator[str]:
        needed: dict[str, dict[str, object]] = {
            "page": {
                "home": self.home,
                "search or discovery": self.search or self.discovery,
                "presence": self.presence,
            },
            "api": {"home": self.home, "api": self.api},
            "import": {"hosts or share_texts, for what is pasted": self.hosts or self.share_texts or None},
        }
        lacking = (name for name, value in needed[self.road].items() if value is None)
        yield from (f"road {self.road} needs {name}" for name in lacking)
        if self.api and KEYS[self.api.interface] and not _keeps_secrets(self.home or ""):
            yield "home must be https: what is sent there is signed with a key or holds it"
        if self.render == "browser" and not self.render_reason:
            yield "render browser needs render_reason: a browser page costs eighty times as much"
        if unknown := sorted(self.fields.keys() - FIELDS):
            yield f"unknown fields {', '.join(unknown)}; known are {', '.join(sorted(FIELDS))}"
        if self.home is None and "{home}" in self.listing_url.canonical:
            yield "listing_url.canonical holds {home}, but there is no home"

    @property
    def lists(self) -> str:
        """The platform that the listings belong to: part of their identity."""
        return self.marketplace or self.name

    @property
    def vantage(self) -> str:
        """From where we look: what is seen by an interface and on pages is not compared."""
        return f"api-{self.api.interface}" if self.road == "api" and self.api else "anonymous-http"

    @property
    def terms(self) -> tuple[str, ...]:
        """What is searched for when a job names nothing; none where a whole catalogue is read."""
        asked = self.search or self.api
        return asked.terms if asked else ()

    def of_sellers(self) -> Platform:
        """The profile by which its sellers' pages are looked at as listings are, with a canary of their own.

        Raises ValueError for a platform that does not say where its sellers' pages are.
        """
        if self.sellers is None:
            raise ValueError(f"{self.name} does not say where its sellers' pages are")
        pages = self.sellers
        seen_as = {"listing_url": pages.url, "presence": pages.presence, "canary": pages.canary}
        return self.model_copy(update={**seen_as, "fields": {}, "sellers": None})

    def owns_host(self, url: str) -> bool:
        """Whether the host (with its port) of ``url`` is one of this platform's."""
        return _is_at(url, (*self.hosts, urlsplit(self.home or "").netloc))

    def serves_media(self, url: str) -> bool:
        """Whether a picture at ``url`` may be fetched: from one of its media hosts, or of its own."""
        return self.owns_host(url) or _is_at(url, self.media_hosts)

    def canonical_url(self, item_id: str) -> str:
        return self._at_home(self.listing_url.canonical).replace("{id}", item_id)

    def search_url(self, term: str, page: int) -> str:
        """Raises ValueError for a platform without search."""
        if self.search is None:
            raise ValueError(f"{self.name} has no search")
        url = self._at_home(self.search.url)
        return url.replace("{term}", quote_plus(term)).replace("{page}", str(page))

    def discovery_urls(self) -> tuple[tuple[str, str], ...]:
        """(``sitemap`` or ``feed``, address)"""
        if self.discovery is None:
            return ()
        found = [("sitemap", url) for url in self.discovery.sitemaps]
        found += [("feed", url) for url in self.discovery.feeds]
        return tuple((kind, self._at_home(url)) for kind, url in found)

    def canary_urls(self) -> tuple[str, str] | None:
        """(must be up, must be gone)"""
        if self.canary is None:
            return None
        return self._at_home(self.canary.alive), self._at_home(self.canary.absent)

    def _at_home(self, template: str) -> str:
        return template.replace("{home}", self.home or "")


def _is_at(url: str, hosts: tuple[str, ...]) -> bool:
    try:
        netloc = urlsplit(url).netloc.lower()
    except ValueError:  # no address at all, e.g. http://[
        return False
    return any(netloc == host or _is_below(netloc, host) for host in hosts if host)


def _is_below(netloc: str, host: str) -> bool:
    """Whether ``host`` is ``*.name`` and ``netloc`` such a name.

    With a user or a second port in it, it is none: we would check another host than Twisted connects to.
    """
    below = netloc.removesuffix(host[1:])
    return host.startswith("*.") and below != netloc and LABELS.fullmatch(below) is not None


def _keeps_secrets(home: str) -> bool:
    """Https, or a host of this very machine, which is where tests are served from."""
    parts = urlsplit(home)
    return parts.scheme == "https" or parts.hostname in {"127.0.0.1", "localhost"}
