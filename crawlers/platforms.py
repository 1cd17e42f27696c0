"""Platform profiles: one marketplace is one YAML file in ``config/platforms/``, loaded into a frozen model.

This package reads no YAML: the parent validates the file and hands the child the profile inside ``job.json``,
which also keeps in the run directory what the run was done with.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Annotated, Self
from urllib.parse import quote_plus, urlsplit

from pydantic import AfterValidator, BeforeValidator, Field, model_validator

from crawlers.listing import Frozen, NonEmpty
from crawlers.selectors import compiled

SELLER_FIELDS = {"seller", "seller_id", "seller_kind", "seller_url"}
FIELDS = SELLER_FIELDS | {"title", "description", "price", "currency", "images", "attributes", "lang"}


def _compiles(pattern: str) -> str:
    try:
        re.compile(pattern)
    except re.error as error:
        raise ValueError(f"not a regular expression: {error}") from error
    return pattern


def _names_an_id(pattern: str) -> str:
    if "id" not in re.compile(pattern).groupindex:
        raise ValueError("needs a group named id: (?P<id>…)")
    return pattern


def _selects(css: str) -> str:
    compiled(css)
    return css


def _selects_elements(css: str) -> str:
    if "::" in css:
        raise ValueError("must select elements, without ::text or ::attr()")
    return css


def _several(value: object) -> object:
    return (value,) if isinstance(value, str) else value


def _holds(*names: str) -> AfterValidator:
    def check(template: str) -> str:
        found = set(re.findall(r"\{(\w*)\}", template))
        if missing := [name for name in names if name not in found]:
            raise ValueError("needs " + " and ".join(f"{{{name}}}" for name in missing))
        if unknown := found - {*names, "home"}:
            raise ValueError("knows no " + " and ".join(f"{{{name}}}" for name in sorted(unknown)))
        return template

    return AfterValidator(check)


Regex = Annotated[str, AfterValidator(_compiles)]
IdRegex = Annotated[str, AfterValidator(_compiles), AfterValidator(_names_an_id)]
Css = Annotated[str, Field(min_length=1), AfterValidator(_selects)]
ElementCss = Annotated[Css, AfterValidator(_selects_elements)]


class Marker(Frozen):
    """True when the CSS selector matches something visible and, where given, the text inside matches too."""

    css: ElementCss
    text: Regex | None = None


class Search(Frozen):
    url: Annotated[str, _holds("term", "page")] = Field(description="may also hold {home}")
    pages: int = Field(ge=1, le=50, description="most pages to read for a term")
    item_links: ElementCss = Field(description="the links to listings on a result page")
    terms: tuple[NonEmpty, ...] = Field(min_length=1)
    empty: Marker | None = Field(default=None, description="sign of a search that honestly found nothing")


class ListingUrl(Frozen):
    """How an item id stands in an address, and the canonical address made of it."""

    match: Annotated[tuple[IdRegex, ...], BeforeValidator(_several)] = Field(
        min_length=1, description="one or several, tried in turn; searched in the whole address"
    )
    canonical: Annotated[str, _holds("id")] = Field(description="may also hold {home}")

    def item_id(self, url: str) -> str | None:
        """The item id that stands in ``url``; None when it is no listing's address."""
        for pattern in self.match:
            if found := re.search(pattern, url):
                return found["id"]
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
        return self


class Politeness(Frozen):
    """May only be slower than the floor in ``crawlers.politeness``, never faster."""

    delay_s: float = Field(default=3.0, ge=0)
    daily_requests: int = Field(default=2000, ge=1, description="no run makes more requests than this")


class Assertions(Frozen):
    min_listings: int = Field(default=1, ge=0)
    fill_rate: dict[str, Annotated[float, Field(ge=0, le=1)]] = Field(
        default_factory=dict, description="field of Listing → lowest share of non-empty"
    )


class Canary(Frozen):
    """A page that must be up and an id that must be gone; checked in every run."""

    alive: Annotated[str, _holds()] = Field(description="may hold {home}")
    absent: Annotated[str, _holds()] = Field(description="may hold {home}")


class LeadChannel(Frozen):
    channel: NonEmpty = Field(pattern="^(smtp|manual)$")
    recipient: NonEmpty = Field(description="mail address, or the place where a person files it")


class Platform(Frozen):
    name: NonEmpty = Field(pattern=r"^[a-z0-9][a-z0-9_-]*$")
    title: NonEmpty
    title_en: NonEmpty
    verified: bool = Field(description="False until tried on the real platform; said so wherever it is shown")
    road: NonEmpty = Field(
        pattern="^(page|import)$", description="page: we crawl it; import: files and pasted links only"
    )
    home: str | None = Field(
        default=None,
        pattern=r"^https?://[^/?#\s@]+(/[^?#\s]*[^/?#\s])?$",
        description="no trailing slash; required for road page",
    )
    render: NonEmpty = Field(default="http", pattern="^(http|browser)$")
    render_reason: str | None = Field(default=None, description="required when render is browser")
    hosts: tuple[NonEmpty, ...] = Field(
        default=(),
        description="hosts whose links belong here, lower case; *.x.y means any below x.y. home's is implied",
    )
    short_links: tuple[Regex, ...] = Field(
        default=(),
        description="addresses that lead to a listing only by a redirect: recognised, not followed",
    )
    listing_url: ListingUrl
    currency: str | None = Field(
        default=None, pattern="^[A-Z]{3}$", description="of prices that do not name theirs"
    )
    search: Search | None = None
    fields: dict[str, Selector] = Field(
        default_factory=dict, description="only what structured data does not give"
    )
    presence: PresenceRules | None = None
    blocks: tuple[Block, ...] = ()
    politeness: Politeness = Politeness()
    assertions: Assertions = Assertions()
    canary: Canary | None = None
    lead: LeadChannel

    @model_validator(mode="after")
    def _is_complete(self) -> Self:
        if complaints := list(self._complaints()):
            raise ValueError("; ".join(complaints))
        return self

    def _complaints(self) -> Iterator[str]:
        needed = {"home": self.home, "search": self.search, "presence": self.presence}
        if self.road == "page":
            yield from (f"road page needs {name}" for name, value in needed.items() if value is None)
        elif not self.hosts:
            yield "road import needs hosts, or no pasted link can belong to it"
        if self.render == "browser" and not self.render_reason:
            yield "render browser needs render_reason: a browser page costs eighty times as much"
        if unknown := sorted(self.fields.keys() - FIELDS):
            yield f"unknown fields {', '.join(unknown)}; known are {', '.join(sorted(FIELDS))}"
        if self.home is None and "{home}" in self.listing_url.canonical:
            yield "listing_url.canonical holds {home}, but there is no home"

    def owns_host(self, url: str) -> bool:
        """Whether the host (with its port) of ``url`` is one of this platform's."""
        try:
            netloc = urlsplit(url).netloc.lower()
        except ValueError:  # no address at all, e.g. http://[
            return False
        own = (*self.hosts, urlsplit(self.home or "").netloc)
        return any(
            netloc == host or (host.startswith("*.") and netloc.endswith(host[1:])) for host in own if host
        )

    def canonical_url(self, item_id: str) -> str:
        return self._at_home(self.listing_url.canonical).replace("{id}", item_id)

    def search_url(self, term: str, page: int) -> str:
        """Raises ValueError for a platform without search."""
        if self.search is None:
            raise ValueError(f"{self.name} has no search")
        url = self._at_home(self.search.url)
        return url.replace("{term}", quote_plus(term)).replace("{page}", str(page))

    def canary_urls(self) -> tuple[str, str] | None:
        """(must be up, must be gone)"""
        if self.canary is None:
            return None
        return self._at_home(self.canary.alive), self._at_home(self.canary.absent)

    def _at_home(self, template: str) -> str:
        return template.replace("{home}", self.home or "")
