"""Tips (举报线索): what the 12313 hotline, the public, another bureau or the police told us.

A tip that names a link leads to a listing, which is put before a reviewer; one without waits for a person.
Those about minors come first and have a clock of their own. Of who told it nothing is kept.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from types import MappingProxyType
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Session

from classifiers.verdict import Label
from crawlers import links
from crawlers import listing as seen
from crawlers.platforms import Platform
from takedowns import configuration, deadlines, intake, listings, minors
from takedowns.content import storable
from takedowns.context import Context
from takedowns.imports.pasted import LINK_PROBLEMS, PRIORITY, QUOTED
from takedowns.imports.tabular import plain_name
from takedowns.ledger import audit
from takedowns.ledger.tables import Listing, ListingSnapshot, ReviewTask, Tip, User, Verdict
from takedowns.masking import masked
from takedowns.minors import Concerns
from takedowns.numbers import next_tip_number
from takedowns.replies.columns import CLOCK_SKEW
from takedowns.roles import REVIEWERS, require
from takedowns.settings import Settings
from takedowns.states import TIP, InvalidTransitionError, TaskState, TipEvent, TipState, step

ACTOR = "system:tips"
ORIGINS = ("hotline", "public", "bureau", "police")
QUEUE = "tip"
FIRST = 1.0  # no verdict is so sure: a tip about minors goes before all else
TEXT_AT_MOST = 10_000
AT_MOST: Mapping[str, int] = MappingProxyType(
    {"number": 100, "url": 2000, "platform": 100, "item_id": 255, "title": 500, "shop": 200}
)


class TipError(ValueError):
    """``code`` names the reason for programs, the text for people."""

    code = "tip"


class UnknownTipError(TipError):
    code = "unknown_tip"


class TipStateError(TipError):
    code = "tip_state"


class NoListingError(TipError):
    """The link that was given leads to no listing of a known platform."""

    code = "no_listing"


class OtherTipError(TipError):
    """The same number came before, with another text."""

    code = "other_tip"


@dataclass(frozen=True)
class Told:
    """What somebody told, as it came; ``number`` is the origin's own, ``received_at`` None: now."""

    origin: str
    text: str
    number: str | None = None
    received_at: datetime | None = None
    url: str | None = None
    platform: str | None = None
    item_id: str | None = None
    title: str | None = None
    shop: str | None = None
    minors: bool = False
    category: Label | None = None


@dataclass(frozen=True)
class House:
    """What taking in a tip needs of the house; ``concerns`` tells of a text whether minors are concerned."""

    settings: Settings
    platforms: Mapping[str, Platform]
    concerns: Concerns


def house(context: Context) -> House:
    """The lexicon is read for it. Raises classifiers.yamlfile.ConfigError."""
    return House(context.settings, context.platforms, minors.by_words(context.config / "lexicon"))


def add(session: Session, told: Told, user: User, house: House, *, now: datetime) -> tuple[Tip, bool]:
    """Write a tip down, and whether it is new: the same one again changes nothing.

    Raises TipError for a value that no tip can have, OtherTipError, roles.NotAllowedError.
    """
    require(user, REVIEWERS)
    intake.take_turn(session)
    told = _kept(told, now)
    source = _source(told)
    known = session.scalar(sa.select(Tip).where(Tip.source == source))
    if known:
        if known.text != told.text:
            raise OtherTipError(f"{source} came before with another text: it is tip {known.number}")
        return known, False
    tip = _row(session, told, source, house, now)
    link = _link_of(told, house.platforms)
    if link:
        _lead_to(session, tip, link, told.title or _quoted(told.text), house.settings, now)
    payload = {"source": source, "origin": tip.origin, "minors": tip.minors, "listing": tip.listing_id}
    _record(session, tip, user.login, "tip.add", now, **payload)
    return tip, True


def link(
    session: Session,
    tip_id: int,
    user: User,
    address: str,
    house: House,
    *,
    title: str = "",
    note: str = "",
    now: datetime,
    version: int | None = None,
) -> Tip:
    """Say which listing a tip is about. Raises NoListingError, TipStateError, UnknownTipError."""
    intake.take_turn(session)
    tip = _taken(session, tip_id, user, version)
    found = links.recognise(address, house.platforms.values())
    if isinstance(found, links.Unrecognised):
        raise NoListingError(f"{address[:200]!r} {LINK_PROBLEMS[found.problem]}")
    _lead_to(session, tip, found, title.strip() or _quoted(address), house.settings, now)
    _handled(tip, user, note, now)
    _record(session, tip, user.login, "tip.link", now, listing=tip.listing_id, note=tip.note)
    return tip


def dismiss(
    session: Session, tip_id: int, user: User, note: str, *, now: datetime, version: int | None = None
) -> Tip:
    """Say that nothing has to come of a tip, and why. Raises TipError without a reason."""
    tip = _taken(session, tip_id, user, version)
    if not note.strip():
        raise TipError("say in a note why nothing has to come of it")
    _move(tip, TipEvent.DISMISS)
    _handled(tip, user, note, now)
    _record(session, tip, user.login, "tip.dismiss", now, note=tip.note)
    return tip


def waiting(session: Session, at_most: int | None = None) -> Sequence[Tip]:
    """Those that wait for a person, about minors first, then by what is due: new ones, and those whose page
    nobody has seen yet.
    """
    seen_page = sa.exists().where(ListingSnapshot.listing_id == Tip.listing_id)
    unseen = sa.and_(Tip.state == TipState.LINKED, ~seen_page)
    found = sa.select(Tip).where(sa.or_(Tip.state == TipState.NEW, unseen))
    return session.scalars(found.order_by(Tip.minors.desc(), Tip.due_at, Tip.id).limit(at_most)).all()


def numbered(session: Session, number: str) -> Tip:
    """Raises UnknownTipError."""
    tip = session.scalar(sa.select(Tip).where(Tip.number == number))
    if tip is None:
        raise UnknownTipError(f"there is no tip {number[:40]!r}")
    return tip


def queue_seen(session: Session, settings: Settings, *, now: datetime) -> int:
    """Put those linked listings before a reviewer whose page has been seen since; returns how many.

    One that the classifier put there already comes first if minors are concerned.
    """
    of_listing = ReviewTask.listing_id == Tip.listing_id
    no_task = ~sa.exists().where(of_listing)
    later = sa.exists().where(of_listing, ReviewTask.state == TaskState.QUEUED, ReviewTask.priority < FIRST)
    linked = sa.select(Tip, Listing).join(Listing, Listing.id == Tip.listing_id)
    found = session.execute(linked.where(Tip.state == TipState.LINKED, sa.or_(no_task, later))).all()
    return sum(_queued(session, tip, listing, settings, now) for tip, listing in found)


def due_at(received_at: datetime, settings: Settings, *, concerns_minors: bool) -> datetime:
    """Raises classifiers.yamlfile.ConfigError when the holiday table cannot be read."""
    if concerns_minors:
        return received_at + timedelta(hours=settings.tips.minors_hours)
    calendar = deadlines.load(configuration.folder() / "holidays.yml")
    return deadlines.due(received_at, settings.tips.working_days, calendar)


def _kept(told: Told, now: datetime) -> Told:
    """What is stored of it: storable, masked, within bounds. A title stands in the text, too."""
    if told.origin not in ORIGINS:
        raise TipError(f"origin: {told.origin!r} is none of {', '.join(ORIGINS)}")
    given = {name: storable(getattr(told, name) or "").strip() for name in ("text", *AT_MOST)}
    for name, most in AT_MOST.items():
        if len(given[name]) > most:
            raise TipError(f"{name}: is longer than {most} characters")
    if given["title"] not in given["text"]:
        given["text"] = f"{given['title']}\n{given['text']}".strip()
    for name in ("text", "url", "shop"):
        given[name] = masked(given[name])
    if len(given["text"]) > TEXT_AT_MOST or not (given["text"] or given["url"] or given["item_id"]):
        raise TipError(f"text: has from 1 to {TEXT_AT_MOST:,} characters")
    received = told.received_at or now
    if received > now + CLOCK_SKEW:
        raise TipError("received_at: lies in the future")
    kept: dict[str, Any] = {name: value or None for name, value in given.items() if name != "text"}
    return replace(told, **kept, text=given["text"], received_at=received)


def _source(told: Told) -> str:
    """The same for the same tip; without a number of its own, one told on another day is another one."""
    if told.number:
        plain = masked(told.number) == told.number  # else it could be read as a telephone's
        return f"{told.origin}:{told.number if plain else _hash(told.number)}"
    day = told.received_at.astimezone(deadlines.SHANGHAI).date() if told.received_at else None
    said = [told.text, told.url, told.platform, told.item_id, told.title, told.shop, str(day)]
    return f"{told.origin}:{_hash(json.dumps(said))}"


def _hash(text: str) -> str:
    return f"sha256:{hashlib.sha256(text.encode()).hexdigest()[:32]}"


def _row(session: Session, told: Told, source: str, house: House, now: datetime) -> Tip:
    received = told.received_at or now
    about_minors = told.minors or house.concerns(told.text)
    tip = Tip(
        number=next_tip_number(session, house.settings.office.code, now=now),
        origin=told.origin,
        source=source,
        text=told.text,
        url=told.url,
        platform=told.platform,
        item_id=told.item_id,
        shop=told.shop,
        minors=about_minors,
        category=told.category,
        received_at=received,
        recorded_at=now,
        due_at=due_at(received, house.settings, concerns_minors=about_minors),
        state=TipState.NEW,
    )
    session.add(tip)
    session.flush()
    return tip


def _link_of(told: Told, platforms: Mapping[str, Platform]) -> links.Link | None:
    """The listing it names: by link, in its text, or by platform and item id."""
    found = links.recognise(f"{told.url or ''}\n{told.text}", platforms.values())
    if isinstance(found, links.Link):
        return found if len(found.item_id) <= listings.LONGEST_ID else None
    for platform in platforms.values():
        names = {plain_name(name) for name in (platform.name, platform.title, platform.title_en)}
        if told.item_id and plain_name(told.platform or "") in names:
            address = platform.canonical_url(told.item_id)
            if platform.listing_url.item_id(address) == told.item_id:
                return links.Link(platform.name, told.item_id, address)
    return None


def _quoted(text: str) -> str:
    """The title that a share text gives."""
    found = QUOTED.search(text)
    return found[1] if found else ""


def _lead_to(
    session: Session, tip: Tip, found: links.Link, title: str, settings: Settings, now: datetime
) -> None:
    """Make the listing known, and put it before a reviewer unless that was done."""
    if len(found.item_id) > listings.LONGEST_ID:
        raise NoListingError(f"an item id of {len(found.item_id)} characters is none")
    _move(tip, TipEvent.LINK)
    row, _ = listings.find_or_add(session, found.platform, found.item_id, found.url, road=QUEUE, now=now)
    tip.listing_id, tip.platform, tip.item_id, tip.url = row.id, row.platform, row.item_id, row.url
    if title and not row.snapshots:
        shown = seen.Listing(
            platform=found.platform,
            item_id=found.item_id,
            url=found.url,
            title=storable(title),
            sources={"title": QUEUE},
            observed_at=now,
        )
        listings.find_or_add_snapshot(session, row, shown, now=now)
        session.flush()
    _queued(session, tip, row, settings, now)


def _queued(session: Session, tip: Tip, listing: Listing, settings: Settings, now: datetime) -> bool:
    """Whether a task was added. One that is open keeps its queue, and comes sooner."""
    session.refresh(listing, ["snapshots"])
    snapshot = listings.current_snapshot(listing)
    if snapshot is None:
        return False
    _heed_verdict(session, tip, snapshot, settings)
    priority = FIRST if tip.minors else PRIORITY
    # No new version of the task: whoever has it before them may go on.
    session.execute(
        sa.update(ReviewTask)
        .where(ReviewTask.listing_id == listing.id, ReviewTask.state != TaskState.DECIDED)
        .where(ReviewTask.priority < priority)
        .values(priority=priority)
    )
    if not intake.needs_review(session, snapshot):
        return False
    intake.add_task(session, snapshot, queue=QUEUE, priority=priority, now=now)
    return True


def _heed_verdict(session: Session, tip: Tip, snapshot: ListingSnapshot, settings: Settings) -> None:
    """A listing that aims at minors makes the tip one about minors."""
    newest = sa.select(Verdict).where(Verdict.snapshot_id == snapshot.id).order_by(Verdict.id.desc())
    verdict = session.scalars(newest.limit(1)).first()
    if verdict and not tip.minors and minors.in_verdict(verdict.payload):
        tip.minors = True
        tip.due_at = min(tip.due_at, due_at(tip.received_at, settings, concerns_minors=True))


def _taken(session: Session, tip_id: int, user: User, version: int | None) -> Tip:
    """The tip, locked, for a person to handle."""
    require(user, REVIEWERS)
    tip = session.get(Tip, tip_id, with_for_update=True, populate_existing=True)
    if tip is None:
        raise UnknownTipError(f"there is no tip {tip_id}")
    if version not in (None, tip.version):
        raise TipStateError(f"tip {tip.number} was handled meanwhile: it is {tip.state.value}")
    return tip


def _move(tip: Tip, event: TipEvent) -> None:
    try:
        tip.state = step(TIP, tip.state, event)
    except InvalidTransitionError as error:
        raise TipStateError(f"tip {tip.number}: {error}") from error


def _handled(tip: Tip, user: User, note: str, now: datetime) -> None:
    tip.handled_by_id, tip.handled_at = user.id, now
    tip.note = masked(storable(note.strip()))[:2000]


def _record(session: Session, tip: Tip, actor: str, action: str, now: datetime, **payload: object) -> None:
    session.flush()
    audit.record(session, at=now, actor=actor, action=action, subject=f"tip:{tip.id}", payload=payload)
