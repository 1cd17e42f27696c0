"""The truth about the market, counted: what a takedown report on it has to agree with."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from takedowns.sample_market.modes import GONE, UNREACHABLE, Mode
from takedowns.sample_market.state import Entry, Market


class Outcome(StrEnum):
    """Where a listing stands now; the five exclude each other."""

    UP = "up"
    REMOVED = "removed"
    RELISTED = "relisted"
    """It was gone and is back, under its own or a new id."""
    ALTERED = "altered"
    UNREACHABLE = "unreachable"


@dataclass(frozen=True)
class Figures:
    """At the market's current time. All but the first three count noticed listings, each once.

    ``noticed == really_removed + relisted + still_up + altered + unreachable``, and ``lied`` is a part of
    ``still_up``.
    """

    listings: int
    """Every listing ever offered, relisted ones included."""
    violating: int
    noticed: int
    replied_removed: int
    really_removed: int
    lied: int
    """The platform said removed, but the listing never left."""
    still_up: int
    relisted: int
    altered: int
    unreachable: int


def outcome(market: Market, entry: Entry) -> Outcome:
    if entry.mode in UNREACHABLE:
        return Outcome.UNREACHABLE
    if entry.mode is Mode.ALTERED:
        return Outcome.ALTERED
    if entry.mode in GONE:
        return Outcome.RELISTED if _has_live_successor(market, entry) else Outcome.REMOVED
    return Outcome.RELISTED if entry.was_gone else Outcome.UP


def figures(market: Market) -> Figures:
    answered = {lead.item_id for lead in market.leads if lead.answered_at is not None}
    noticed = {lead.item_id for lead in market.leads}
    outcomes = {item_id: outcome(market, market.entries[item_id]) for item_id in noticed}
    still_up = {item_id for item_id, found in outcomes.items() if found is Outcome.UP}
    found = list(outcomes.values())
    return Figures(
        listings=len(market.entries),
        violating=sum(entry.offer.violating for entry in market.entries.values()),
        noticed=len(noticed),
        replied_removed=len(answered),
        really_removed=found.count(Outcome.REMOVED),
        lied=len(still_up & answered),
        still_up=len(still_up),
        relisted=found.count(Outcome.RELISTED),
        altered=found.count(Outcome.ALTERED),
        unreachable=found.count(Outcome.UNREACHABLE),
    )


def _has_live_successor(market: Market, entry: Entry) -> bool:
    twins = (other for other in market.entries.values() if other.relisted_from == entry.offer.item_id)
    return any(twin.mode not in GONE for twin in twins)
