"""Writing and checking profiles against live pages: what the commands `platforms new|check|snap` do."""

from __future__ import annotations

import dataclasses
import io
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ruamel.yaml import YAML

from crawlers import saved_pages, scrubbing
from crawlers.answer import Answer
from crawlers.checking import FieldReport, fields_of, signs_on
from crawlers.drafting.draft import Draft, draft, for_a_look, with_absence
from crawlers.listing import Listing, Presence, SellerKind
from crawlers.pages import read_page
from crawlers.platforms import Platform
from crawlers.rundir import Target
from takedowns.context import Context
from takedowns.crawling.looking import Seen, look

COMPARED = ("title", "price", "currency", "images", "sources")  # what a saved page must still give


class AddressError(ValueError):
    """The command was given an address that it cannot use, or none where it needs one."""


class NoPageError(RuntimeError):
    """The page that was needed did not come, or was a wall; ``seen`` says how."""

    def __init__(self, seen: Seen) -> None:
        super().__init__(f"{seen.capture.url}: {seen.capture.state.value}, {seen.capture.reason}")
        self.seen = seen

    @property
    def is_wall(self) -> bool:
        return self.seen.capture.state is Presence.BLOCKED


@dataclass(frozen=True)
class PageReport:
    """One page against a profile. ``must_be`` None: whatever it is."""

    seen: Seen
    must_be: Presence | None
    fields: tuple[FieldReport, ...]
    signs: tuple[str, ...]

    @property
    def as_expected(self) -> bool:
        return self.must_be is None or self.seen.capture.state is self.must_be

    @property
    def missing(self) -> list[str]:
        """Fields that the profile counts on and the page does not give; only of a listing that is there."""
        is_up = self.seen.capture.state is Presence.UP
        return [field.name for field in self.fields if is_up and field.wanted and field.missing]


@dataclass(frozen=True)
class Drafted:
    """``pages``: the listing and an id that does not exist, read with it; none when it lacks something."""

    draft: Draft
    pages: tuple[PageReport, ...] = ()


def check(context: Context, platform: Platform, url: str | None = None) -> list[PageReport]:
    """The canary pair as it is now, or the listing at ``url``.

    Raises AddressError for a platform without a canary and no ``url``.
    """
    if url is not None:
        wanted: list[tuple[str, Presence | None]] = [(url, Presence.UP)]
    else:
        canary = platform.canary_urls()
        if canary is None:
            raise AddressError(f"{platform.name} has no canary: give the address of a listing with --url")
        wanted = [(canary[0], Presence.UP), (canary[1], Presence.GONE)]
    targets = [Target(item_id=item_id_at(platform, address), url=address) for address, _ in wanted]
    pages = look(context, platform, targets)
    return [_report(seen, platform, must_be) for seen, (_, must_be) in zip(pages, wanted, strict=True)]


def new(
    context: Context,
    search_url: str,
    listing_url: str,
    name: str,
    *,
    term: str | None = None,
    render_reason: str | None = None,
) -> Drafted:
    """Look at both, draft, and try the draft on the listing and on an id that does not exist.

    Raises AddressError for what is no address, NoPageError when a page did not come.
    """
    try:
        profile = for_a_look(name, [search_url, listing_url], render_reason)
    except ValueError as error:
        raise AddressError(str(error)) from error
    targets = [Target(item_id=url, url=url) for url in (search_url, listing_url)]
    search, listing = (_page(seen) for seen in look(context, profile, targets))
    for whole_names in (False, True):
        drafted = draft(
            search, listing, name, term=term, whole_names=whole_names, render_reason=render_reason
        )
        if drafted.profile is None:
            return Drafted(drafted)
        alive, absent = _tried(context, drafted)
        if alive.capture.state is Presence.UP:  # else the shop wants the name before the number as well
            break
    if absent.answer is not None and absent.capture.state is not Presence.BLOCKED:
        drafted = with_absence(drafted, absent.answer, listing)
    platform = drafted.platform
    pages = [_report(alive, platform, Presence.UP), _report(absent, platform, Presence.GONE)]
    return Drafted(drafted, tuple(pages))


def as_yaml(drafted: Draft, source: Sequence[str]) -> str:
    """The draft as its file will be, with where it comes from."""
    yaml = YAML()
    yaml.default_flow_style, yaml.width, yaml.allow_unicode = False, 4096, True
    text = io.StringIO()
    yaml.dump(drafted.profile, text)
    pages = "".join(f"#   {' '.join(url.split())}\n" for url in source)
    head = "# Drafted by `vapewatch platforms new`, and not yet tried by a person, from\n"
    return head + pages + text.getvalue()


def snap(
    context: Context, platform: Platform, url: str, folder: Path
) -> tuple[saved_pages.Expected, Counter[str]]:
    """Look at ``url`` and keep the page, scrubbed, as a test case; tell what was taken out.

    Raises NoPageError when no page came, ValueError when it cannot be scrubbed without changing its verdict.
    """
    if folder.exists():
        raise FileExistsError(f"{folder} is there already and is left as it is")
    item_id = item_id_at(platform, url)
    (seen,) = look(context, platform, [Target(item_id=item_id, url=url)])
    if seen.answer is None:
        raise NoPageError(seen)
    at = seen.capture.observed_at
    before = read_page(seen.answer, platform, item_id, at)
    answer, taken = scrubbing.scrubbed(seen.answer, item_id, _persons(before.listing))
    after = read_page(answer, platform, item_id, at)
    if (before.judgement.state, before.judgement.reason) != (after.judgement.state, after.judgement.reason):
        raise ValueError(f"{url} is {before.judgement.reason}, but {after.judgement.reason} once scrubbed")
    expected = saved_pages.Expected(
        item_id=item_id,
        state=after.judgement.state,
        reason=after.judgement.reason,
        listing=_fields(after.listing),
    )
    saved_pages.save(folder, answer, expected)
    return expected, taken


def item_id_at(platform: Platform, url: str) -> str:
    """Raises AddressError when ``url`` is no listing of the platform."""
    item_id = platform.listing_url.item_id(url) if platform.owns_host(url) else None
    if item_id is None:
        raise AddressError(f"{url} is not the address of a listing of {platform.name}")
    return item_id


def _tried(context: Context, drafted: Draft) -> tuple[Seen, Seen]:
    """The listing at the address that the draft would make of its id, and an id that does not exist."""
    platform = drafted.platform
    hurried = platform.model_copy(
        update={"politeness": platform.politeness.model_copy(update={"delay_s": 0})}
    )
    alive, absent = platform.canary_urls() or ("", "")
    targets = [
        Target(item_id=drafted.listing_id, url=alive),
        Target(item_id=item_id_at(platform, absent), url=absent),
    ]
    first, second = look(context, hurried, targets)  # the floor holds all the same
    return first, second


def _report(seen: Seen, platform: Platform, must_be: Presence | None) -> PageReport:
    """Judged anew with ``platform``, which may know more than when the page was fetched."""
    if seen.answer is None:
        return PageReport(seen, must_be, (), ())
    capture = seen.capture
    reading = read_page(seen.answer, platform, capture.item_id, capture.observed_at)
    judged = {"state": reading.judgement.state, "reason": reading.judgement.reason}
    fields = fields_of(reading, seen.answer, platform) if reading.listing else []
    return PageReport(
        dataclasses.replace(seen, capture=capture.model_copy(update=judged)),
        must_be,
        tuple(fields),
        tuple(signs_on(seen.answer, platform)),
    )


def _page(seen: Seen) -> Answer:
    if seen.answer is None or seen.capture.state is Presence.BLOCKED or seen.answer.status >= 400:
        raise NoPageError(seen)
    return seen.answer


def _persons(listing: Listing | None) -> tuple[str, ...]:
    """A seller that is an account is a person."""
    seller = listing.seller if listing else None
    return (seller.name,) if seller and seller.kind is SellerKind.ACCOUNT else ()


def _fields(listing: Listing | None) -> dict[str, Any]:
    if listing is None:
        return {}
    values = listing.model_dump(mode="json", include=set(COMPARED))
    return {name: value for name, value in values.items() if value}
