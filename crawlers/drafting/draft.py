"""The parts put together: a profile as it would stand in its file, and what a person must know about it."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any
from urllib.parse import urlsplit

from crawlers.answer import Answer
from crawlers.drafting.addresses import IdPlace, home_of, place_of_id, search_template
from crawlers.drafting.fields import fields_on
from crawlers.drafting.results import item_links, links_on
from crawlers.drafting.signs import absence_on, buy_control
from crawlers.platforms import ListingUrl, Platform
from crawlers.prices import parse_currency
from crawlers.selectors import elements, values
from crawlers.structured import Facts, read_structured

WANTED = ("title", "price", "seller", "seller_id", "seller_url", "description", "attributes", "images")
NEEDED = ("listing_id", "item_links", "search_term", "buy_control")
GUESSED_FILL = 0.8  # share of listings that have a field, until real runs tell
ENOUGH = 2  # listings on a result page that show what addresses of listings look like
NO_NAME = re.compile(r"[^a-z0-9]+")


@dataclass(frozen=True)
class Draft:
    """``profile``: the keys of its file. ``notes``: codes of what to know; ``lacking``: of what it cannot do
    without. With anything lacking, ``profile`` is None: half a profile is none.
    """

    profile: dict[str, Any] | None
    listing_id: str = ""
    notes: tuple[str, ...] = ()
    lacking: tuple[str, ...] = ()
    found: Mapping[str, str] = field(default_factory=dict)

    @property
    def platform(self) -> Platform:
        """The draft as a profile. Raises ValueError when something is lacking."""
        if self.profile is None:
            raise ValueError(f"no profile without {', '.join(self.lacking)}")
        return Platform.model_validate(self.profile)


def draft(
    search: Answer,
    listing: Answer,
    name: str,
    *,
    term: str | None = None,
    whole_names: bool = False,
    render_reason: str | None = None,
) -> Draft:
    """Of a result page and of a listing that is on sale. ``whole_names``: see :func:`place_of_id`."""
    links = list(links_on(search).values())
    place = place_of_id(listing.url, links, whole_names=whole_names)
    asked = search_template(search.requested_url, links, term)
    css = item_links(search, place) if place else None
    control = buy_control(listing, search)
    if place is None or asked is None or css is None or control is None:
        parts = {"listing_id": place and place.pattern, "item_links": css, "buy_control": control}
        found = {code: part for code, part in parts.items() if part}
        known = found.keys() | ({"search_term"} if asked else set())
        return Draft(None, lacking=tuple(code for code in NEEDED if code not in known), found=found)
    rule = ListingUrl(match=(place.pattern,), canonical=place.canonical)
    item_id = rule.item_id(listing.url) or ""
    facts = read_structured(listing, rule, item_id)
    selectors = fields_on(listing, [field for field in WANTED if not facts.values.get(field)])
    seen = {*facts.values, *selectors}
    profile = {
        **_head(name, search, listing, render_reason),
        "listing_url": {"match": place.pattern, "canonical": place.canonical},
        **_currency(facts, listing, selectors),
        "search": {
            "url": _at_its_host(asked[0], search, listing),
            "pages": 3,
            "item_links": css,
            "terms": [asked[1]],
        },
        "fields": {key: {"css": selector} for key, selector in selectors.items()},
        "presence": {"alive": [{"css": control}]},
        "assertions": {
            "fill_rate": {key: GUESSED_FILL for key in ("title", "price", "seller") if key in seen}
        },
        "canary": {
            "alive": place.canonical.replace("{id}", item_id),
            "absent": place.canonical.replace("{id}", place.absent_for(item_id)),
        },
        "lead": {"channel": "manual", "recipient": "（待填写：平台投诉渠道）"},
    }
    notes = _notes(search, place, css, control, page_seen=asked[2], seen=seen)
    return Draft(profile, item_id, tuple(notes))


def _head(name: str, search: Answer, listing: Answer, render_reason: str | None) -> dict[str, Any]:
    home, title = home_of(listing.url), _site_name(listing)
    head = {"name": name, "title": title, "title_en": title, "verified": False, "road": "page", "home": home}
    if home_of(search.url) != home:
        head["hosts"] = [urlsplit(home_of(search.url)).netloc]
    if render_reason:
        head |= {"render": "browser", "render_reason": render_reason}
    return head


def _at_its_host(template: str, search: Answer, listing: Answer) -> str:
    """The home of the profile is that of its listings; some shops search elsewhere."""
    home = home_of(search.requested_url)
    return template if home == home_of(listing.url) else template.replace("{home}", home)


def with_absence(drafted: Draft, absent: Answer, listing: Answer) -> Draft:
    """With what the platform shows for an id that does not exist."""
    if drafted.profile is None:
        return drafted
    absence = absence_on(absent, listing)
    rules = dict(drafted.profile["presence"])
    if absence.gone:
        rules["gone"] = [{"css": absence.gone["css"], "text": re.escape(absence.gone["text"])}]
    if absence.elsewhere:
        rules["elsewhere"] = [absence.elsewhere]
    notes = drafted.notes if absence.understood else (*drafted.notes, "absence_unknown")
    return replace(drafted, profile=drafted.profile | {"presence": rules}, notes=notes)


def for_a_look(name: str, urls: Sequence[str], render_reason: str | None = None) -> Platform:
    """A profile that permits to look at ``urls`` and to tell walls, and knows nothing else of their shop."""
    hosts = sorted({urlsplit(home_of(url)).netloc for url in urls})
    return Platform.model_validate(
        {
            "name": name,
            "title": name,
            "title_en": name,
            "verified": False,
            "road": "page",
            "home": home_of(urls[-1]),
            "hosts": hosts,
            "listing_url": {"match": "^(?P<id>.+)$", "canonical": "{id}"},
            "discovery": {"sitemaps": ["{home}/sitemap.xml"]},  # a profile needs some; a look reads none
            "presence": {"alive": [{"css": "html[data-no-page-has-this]"}]},
            "politeness": {"delay_s": 0, "daily_requests": 200},  # the floor holds
            "lead": {"channel": "manual", "recipient": name},
            **({"render": "browser", "render_reason": render_reason} if render_reason else {}),
        }
    )


def name_for(url: str) -> str:
    """A name for the profile of the shop at ``url``: of its host, without what all hosts have."""
    parts = urlsplit(url)
    host = (parts.hostname or "").removeprefix("www.")
    labels = host.split(".")
    name = labels[-2] if len(labels) > 1 and not labels[-1].isdigit() else f"{host}-{parts.port or ''}"
    return NO_NAME.sub("-", name.lower()).strip("-") or "shop"


def _site_name(listing: Answer) -> str:
    named = next(values(listing.tree, "meta[property='og:site_name']::attr(content)"), "")
    return named[:60] or urlsplit(listing.url).netloc


def _currency(facts: Facts, listing: Answer, selectors: Mapping[str, str]) -> dict[str, str]:
    """Of the price as displayed; ¥ counts as yuan on a page in Chinese."""
    if "price" not in selectors or facts.values.get("currency"):
        return {}
    shown = elements(listing.tree, selectors["price"])
    text = "".join(shown[0].itertext()) if shown else ""
    chinese = listing.tree.get("lang", "").lower().startswith("zh")
    found = parse_currency(text) or ("CNY" if chinese and re.search("[¥￥]", text) else None)
    return {"currency": found} if found else {}


def _notes(
    search: Answer, place: IdPlace, css: str, control: str, *, page_seen: bool, seen: set[str]
) -> list[str]:
    listed = place.ids(links_on(search).values())
    notes = ["one_term_only", "recipient_missing"]
    if not page_seen:
        notes.append("page_parameter_guessed")
    if len(listed) < ENOUGH:
        notes.append("few_listings")
    if elements(search.tree, control):
        notes.append("control_on_results")
    if elements(search.tree, css) and len(elements(search.tree, css)) > 2 * len(listed):
        notes.append("many_other_links")
    return notes + [f"no_{name}" for name in ("title", "price", "seller", "images") if name not in seen]
