"""The market's state and its transitions: values in, values out; the network is elsewhere.

Time here is the market's own clock, which only :func:`advance` moves.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from types import MappingProxyType

from takedowns.sample_market.catalogue import Offer, new_item_id
from takedowns.sample_market.modes import GONE, Mode
from takedowns.sample_market.notices import LeadLine, Notice
from takedowns.sample_market.policy import Action, Deed, Policy, plan, policy_for


@dataclass(frozen=True)
class Change:
    at: datetime
    mode: Mode
    cause: str
    """Who or what did it: ``opening``, ``control`` or ``policy``."""


@dataclass(frozen=True)
class Entry:
    """A listing, how it answers now, and how it came to that."""

    offer: Offer
    history: tuple[Change, ...]
    relisted_from: str | None = None

    @property
    def mode(self) -> Mode:
        return self.history[-1].mode

    @property
    def was_gone(self) -> bool:
        return any(change.mode in GONE for change in self.history)


@dataclass(frozen=True)
class Lead:
    """A lead that reached the market, and its answer once there is one."""

    number: str
    item_id: str
    policy: Policy
    noticed_at: datetime
    answered_at: datetime | None = None


@dataclass(frozen=True)
class Event:
    """One line of the market's log: what happened when, by the market's clock."""

    at: datetime
    kind: str
    item_id: str = ""
    lead: str = ""
    detail: str = ""


@dataclass(frozen=True)
class Market:
    seed: int
    now: datetime
    entries: Mapping[str, Entry]
    leads: tuple[Lead, ...] = ()
    pending: tuple[Action, ...] = ()
    events: tuple[Event, ...] = ()
    message_ids: tuple[str, ...] = ()
    """Of every notice received, in order; a notice sent twice stands here twice."""
    shops: Mapping[str, Mode] = field(default_factory=lambda: MappingProxyType({}))
    """How the pages of shops answer; one that is not named is up."""


class UnknownItem(LookupError):  # noqa: N818 - a name a reader of the control API's answer understands
    """No listing has this id, or no shop."""


class ClockError(ValueError):
    """The market's clock never runs backwards."""


def opening(offers: Iterable[Offer], seed: int, now: datetime) -> Market:
    """A market in which every offer is up and nothing has happened yet."""
    up = (Change(now, Mode.UP, "opening"),)
    entries = {offer.item_id: Entry(offer, up) for offer in offers}
    return Market(seed=seed, now=now, entries=MappingProxyType(entries))


def entry_of(market: Market, item_id: str) -> Entry:
    if item_id not in market.entries:
        raise UnknownItem(f"no listing {item_id!r}")
    return market.entries[item_id]


def set_mode(market: Market, item_id: str, mode: Mode, cause: str = "control") -> Market:
    """The listing answers in ``mode`` from now on."""
    entry = entry_of(market, item_id)
    changed = replace(entry, history=(*entry.history, Change(market.now, mode, cause)))
    return _put(market, changed, Event(market.now, mode.value, item_id, detail=cause))


def set_shop(market: Market, shop_id: str, mode: Mode) -> Market:
    """The shop's page answers in ``mode`` from now on; in one that is gone, so do all its listings."""
    items = [item for item, entry in market.entries.items() if entry.offer.shop.shop_id == shop_id]
    if not items:
        raise UnknownItem(f"no shop {shop_id!r}")
    market = replace(market, shops=MappingProxyType({**market.shops, shop_id: mode}))
    for item_id in items if mode in GONE else ():
        market = set_mode(market, item_id, mode)
    return _log(market, Event(market.now, "shop", detail=f"{shop_id} {mode.value}"))


def relist(market: Market, item_id: str, cause: str = "control") -> tuple[Market, str]:
    """The same goods under a new id: same shop, text and picture. Returns the market and that id."""
    source = entry_of(market, item_id).offer
    new_id = new_item_id(market.entries, market.seed, item_id, "relisted")
    change = Change(market.now, Mode.UP, cause)
    entry = Entry(replace(source, item_id=new_id), (change,), relisted_from=item_id)
    return _put(market, entry, Event(market.now, "relisted", item_id, detail=new_id)), new_id


def receive(market: Market, notice: Notice) -> Market:
    """Log a notice and plan what becomes of each of its leads.

    A repeated message id is logged as ``duplicate_notice`` and its leads are left alone.
    """
    seen = notice.message_id in market.message_ids
    kind = "duplicate_notice" if seen else "notice"
    market = replace(market, message_ids=(*market.message_ids, notice.message_id))
    market = _log(market, Event(market.now, kind, detail=notice.message_id))
    if not seen:
        for line in notice.leads:
            market = _take_up(market, line)
    return market


def advance(market: Market, to: datetime) -> Market:
    """Move the clock; whatever falls due on the way happens in order, each at its own time.

    Raises :class:`ClockError` when ``to`` lies before the market's time.
    """
    if to < market.now:
        raise ClockError(
            f"the market's clock stands at {market.now.isoformat()}, {to.isoformat()} is before it"
        )
    while market.pending and market.pending[0].due <= to:
        action, rest = market.pending[0], market.pending[1:]
        market = _perform(replace(market, now=action.due, pending=rest), action)
    return replace(market, now=to)


def _take_up(market: Market, line: LeadLine) -> Market:
    if line.item_id not in market.entries:
        return _log(market, Event(market.now, "unknown_lead", line.item_id, line.number, line.url))
    policy = policy_for(market.seed, line.item_id)
    lead = Lead(line.number, line.item_id, policy, market.now)
    actions = plan(policy, market.seed, line, market.now)
    pending = sorted((*market.pending, *actions), key=lambda action: action.due)
    market = replace(market, leads=(*market.leads, lead), pending=tuple(pending))
    return _log(market, Event(market.now, "noticed", line.item_id, line.number, policy.value))


def _perform(market: Market, action: Action) -> Market:
    match action.deed:
        case Deed.ANSWER:
            return _answer(market, action)
        case Deed.RELIST:
            return relist(market, action.item_id, "policy")[0]
        case Deed.SET_MODE:
            return set_mode(market, action.item_id, action.mode, "policy")


def _answer(market: Market, action: Action) -> Market:
    leads = tuple(
        replace(lead, answered_at=market.now)
        if lead.answered_at is None and (lead.number, lead.item_id) == (action.lead, action.item_id)
        else lead
        for lead in market.leads
    )
    event = Event(market.now, "replied", action.item_id, action.lead)
    return _log(replace(market, leads=leads), event)


def _put(market: Market, entry: Entry, event: Event) -> Market:
    entries = MappingProxyType({**market.entries, entry.offer.item_id: entry})
    return _log(replace(market, entries=entries), event)


def _log(market: Market, event: Event) -> Market:
    return replace(market, events=(*market.events, event))
