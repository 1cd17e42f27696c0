"""Which lead a row is about: by its number, the listing's id, or a link. Never by a guess."""

from __future__ import annotations

import unicodedata
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cached_property

import sqlalchemy as sa
from sqlalchemy.orm import Session, contains_eager

from crawlers import links
from crawlers.platforms import Platform
from takedowns.imports.tabular import plain_name
from takedowns.ledger.tables import Lead, Listing
from takedowns.replies.columns import CellError
from takedowns.states import LeadState


@dataclass(frozen=True)
class Speaker:
    """Who answers: the platforms that it may speak for; None is one of us, who enters any platform's word."""

    platforms: frozenset[str] | None = None

    def may_answer_for(self, platform: str) -> bool:
        return self.platforms is None or platform in self.platforms

    @property
    def only(self) -> str | None:
        """The platform meant where none is named."""
        return next(iter(self.platforms)) if self.platforms and len(self.platforms) == 1 else None


ONE_OF_US = Speaker()


@dataclass(frozen=True)
class Named:
    """What a row says of its lead. ``platform`` is a name of ours, or as written where we know none."""

    number: str = ""
    item_id: str = ""
    platform: str = ""


class Directory:
    """Platforms by what replies call them: name, title in Chinese, title in English."""

    def __init__(self, platforms: Mapping[str, Platform]) -> None:
        self.platforms = platforms

    @cached_property
    def _by_title(self) -> dict[str, str]:
        return {
            plain_name(title): profile.lists
            for profile in self.platforms.values()
            for title in (profile.title, profile.title_en, profile.name)
        }

    def platform(self, written: str) -> str:
        return self._by_title.get(plain_name(written), written) if written else ""

    def knows(self, platform: str) -> bool:
        return platform in self.platforms

    def item_of(self, link: str, platform: str = "") -> tuple[str, str] | links.Unrecognised:
        """(platform, item id) of a listing's address; of ``platform`` alone, where that is known."""
        asked = [self.platforms[platform]] if platform in self.platforms else self.platforms.values()
        found = links.recognise(link, asked)
        if isinstance(found, links.Unrecognised):
            return found
        return self.platforms[found.platform].lists, found.item_id


def named(cells: Mapping[str, str], directory: Directory) -> Named:
    """Raises CellError where the cells contradict each other or a link is all there is and leads nowhere."""
    number, item_id = (_plain(cells.get(field, "")) for field in ("lead_number", "item_id"))
    platform = directory.platform(cells.get("platform", ""))
    link = cells.get("link", "")
    found = directory.item_of(link) if link else None
    if isinstance(found, tuple):
        return _joined(number, item_id, platform, found, directory)
    if found and not number and not item_id:
        raise CellError("link", f"leads to no listing that we know ({found.problem.value})")
    return Named(number, item_id, platform)


def _plain(cell: str) -> str:
    """Without the mark that keeps a cell text, and full-width digits as others."""
    written = cell if cell.isascii() else unicodedata.normalize("NFKC", cell)
    return written.removeprefix("'").strip()


def _joined(number: str, item_id: str, platform: str, linked: tuple[str, str], directory: Directory) -> Named:
    if item_id and item_id != linked[1]:
        raise CellError("link", f"leads to item {linked[1]}, not {item_id}")
    if platform != linked[0] and directory.knows(platform):
        raise CellError("link", f"leads to {linked[0]}, not {platform}")
    return Named(number, linked[1], linked[0])


class Leads:
    """The leads that rows may mean, kept from one portion of a file to the next."""

    def __init__(self) -> None:
        self.by_number: dict[str, Lead] = {}
        self.by_item: dict[str, list[Lead]] = {}

    def load(self, session: Session, rows: Iterable[Named]) -> None:
        """Fetch those not here yet, locked in one order: no two imports may wait for each other."""
        rows = list(rows)
        numbers = {row.number for row in rows if row.number} - self.by_number.keys()
        items = {row.item_id for row in rows if row.item_id and not row.number} - self.by_item.keys()
        if not numbers and not items:
            return
        found = (
            sa.select(Lead)
            .join(Lead.listing)
            .options(contains_eager(Lead.listing))
            .where(sa.or_(Lead.number.in_(numbers), Listing.item_id.in_(items)))
            .order_by(Lead.id)
            .with_for_update(of=Lead)
            .execution_options(populate_existing=True)
        )
        for lead in session.scalars(found):
            self.by_number[lead.number] = lead
            if lead.listing.item_id in items:
                self.by_item.setdefault(lead.listing.item_id, []).append(lead)


def match(row: Named, leads: Leads, speaker: Speaker, directory: Directory) -> Lead:
    """The lead that ``row`` means, of those loaded. Raises CellError with the reason why it is none."""
    lead = _by_number(row, leads, directory) if row.number else _by_item(row, leads, speaker)
    if not speaker.may_answer_for(lead.listing.platform):
        who = " or ".join(sorted(speaker.platforms or ()))
        raise CellError("lead_number", f"lead {lead.number} is of {lead.listing.platform}; {who} answered")
    if lead.sent_at is None:
        raise CellError("lead_number", f"lead {lead.number} was never sent to a platform")
    if lead.state is LeadState.WITHDRAWN:
        raise CellError("lead_number", f"lead {lead.number} was withdrawn by us")
    return lead


def _by_number(row: Named, leads: Leads, directory: Directory) -> Lead:
    lead = leads.by_number.get(row.number)
    if lead is None:
        raise CellError("lead_number", f"no lead has the number {row.number[:40]!r}")
    if row.item_id and lead.listing.item_id != row.item_id:
        raise CellError(
            "item_id", f"lead {lead.number} is about item {lead.listing.item_id}, not {row.item_id[:40]}"
        )
    if row.platform != lead.listing.platform and directory.knows(row.platform):
        raise CellError("platform", f"lead {lead.number} is of {lead.listing.platform}, not {row.platform}")
    return lead


def _by_item(row: Named, leads: Leads, speaker: Speaker) -> Lead:
    """The lead sent last for that item; the item ids of two platforms may coincide."""
    if not row.item_id:
        raise CellError("lead_number", "neither a lead number, an item id nor a link is given")
    platform = row.platform or speaker.only or ""
    found = [
        lead
        for lead in leads.by_item.get(row.item_id, ())
        if lead.sent_at is not None and platform in ("", lead.listing.platform)
    ]
    if not found:
        raise CellError("item_id", f"no lead was sent about item {row.item_id[:40]!r}")
    if len({lead.listing.platform for lead in found}) > 1:
        raise CellError(
            "item_id", f"item {row.item_id[:40]!r} has leads on several platforms: give the lead number"
        )
    return max(found, key=lambda lead: (lead.sent_at, lead.id))
