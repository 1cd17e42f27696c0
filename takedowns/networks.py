"""Networks (团伙): sellers behind whom one operator may stand, over platforms, with the reasons for it. Pure.

A link is one thing that two sellers share. How much it says depends on what it is, and on how many sellers
share it: a stock photo or a bar code says nothing once it stands everywhere. Links of several kinds add up to
a tie; ties that are strong enough hold a network together. All of it is suspicion, for a person to judge.
"""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass
from itertools import combinations
from types import MappingProxyType

import numpy as np
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components

from takedowns.ledger.vocabulary import LinkReason
from takedowns.neighbours import Ints

TOGETHER = 0.6  # strength from which a tie holds: a private contact does, of the others it takes two or three
BASIS = 10  # listings of each seller that a link names


@dataclass(frozen=True, slots=True)
class Weight:
    """``between_two``: strength of what two sellers share; it falls with the number of those who share it.

    It is ``between_two · (2/n) ** fall`` for ``n`` sellers; above ``most`` of them it is no link at all.
    """

    between_two: float
    fall: float
    most: int

    def strength(self, sellers: int) -> float:
        return self.between_two * (2 / sellers) ** self.fall if 2 <= sellers <= self.most else 0.0


# Estimates; nothing was measured on networks that are known to be one. By them a contact makes a network
# alone, two of the same text, picture and licence number do among few shops, a price pattern only helps.
WEIGHTS: Mapping[LinkReason, Weight] = MappingProxyType(
    {
        LinkReason.CONTACT: Weight(0.95, 0.1, 50),
        LinkReason.TEXT: Weight(0.5, 0.3, 20),
        LinkReason.PICTURE: Weight(0.45, 0.3, 20),  # goods of one maker come with the maker's pictures
        LinkReason.LICENCE: Weight(0.4, 0.3, 20),  # dealers show that of the maker, and so does who copied it
        LinkReason.PRICE: Weight(0.25, 0.5, 5),
    }
)


@dataclass(frozen=True, slots=True)
class Shown:
    """A seller showed ``value``, which is fit to be shown, on a listing."""

    reason: LinkReason
    value: str
    seller_id: int
    listing_id: int


@dataclass(frozen=True, slots=True)
class Link:
    """``seller_id`` is smaller than ``other_id``; ``listings`` are those it was seen on."""

    seller_id: int
    other_id: int
    reason: LinkReason
    value: str
    strength: float
    listings: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Tie:
    """All links between two sellers, the strongest first, and what they come to together."""

    seller_id: int
    other_id: int
    strength: float
    links: tuple[Link, ...]


@dataclass(frozen=True, slots=True)
class Network:
    """``id`` is its smallest seller's, which it keeps as long as that one belongs to it."""

    sellers: tuple[int, ...]
    ties: tuple[Tie, ...]

    @property
    def id(self) -> int:
        return self.sellers[0]


def links(shown: Iterable[Shown], suspects: Collection[int]) -> Iterator[Link]:
    """What two sellers share of whom one at least is among ``suspects``; others are none of our business.

    A value of ``n`` sellers gives at most ``n²/2`` links, and none above its reason's bound.
    """
    listings: dict[tuple[LinkReason, str], dict[int, set[int]]] = defaultdict(lambda: defaultdict(set))
    for one in shown:
        listings[one.reason, one.value][one.seller_id].add(one.listing_id)
    for (reason, value), of_seller in sorted(listings.items()):
        strength = WEIGHTS[reason].strength(len(of_seller))
        if strength == 0:
            continue
        for seller, other in combinations(sorted(of_seller), 2):
            if seller in suspects or other in suspects:
                seen = (*sorted(of_seller[seller])[:BASIS], *sorted(of_seller[other])[:BASIS])
                yield Link(seller, other, reason, value, strength, seen)


def ties(found: Iterable[Link]) -> list[Tie]:
    """One for each two sellers that share anything."""
    between: dict[tuple[int, int], list[Link]] = defaultdict(list)
    for link in found:
        between[link.seller_id, link.other_id].append(link)
    return [Tie(*pair, _together(several), _ordered(several)) for pair, several in sorted(between.items())]


def networks(found: Iterable[Link]) -> list[Network]:
    """Sellers that strong ties hold together, directly or by way of others; the largest first."""
    strong = [tie for tie in ties(found) if tie.strength >= TOGETHER]
    sellers = sorted({seller for tie in strong for seller in (tie.seller_id, tie.other_id)})
    number = {seller: n for n, seller in enumerate(sellers)}
    ends = np.array([(number[tie.seller_id], number[tie.other_id]) for tie in strong], int).reshape(-1, 2)
    group = groups(len(sellers), ends[:, 0], ends[:, 1])
    members: dict[int, list[int]] = defaultdict(list)
    for seller, at in zip(sellers, group, strict=True):
        members[at].append(seller)
    held: dict[int, list[Tie]] = defaultdict(list)
    for tie in strong:
        held[group[number[tie.seller_id]]].append(tie)
    made = [Network(tuple(of_group), tuple(held[at])) for at, of_group in members.items()]
    return sorted(made, key=lambda network: (-len(network.sellers), network.id))


def groups(number: int, ones: Ints, others: Ints) -> list[int]:
    """For each of ``number`` things, the number of the group that pairs hold it in."""
    if number == 0:
        return []
    joined = coo_array((np.ones(len(ones), bool), (ones, others)), shape=(number, number))
    _, labels = connected_components(joined, directed=False)
    return [int(label) for label in labels]


def _together(several: Iterable[Link]) -> float:
    """The chance that one kind of reason at least is right, of each kind by its strongest link.

    More links of one kind are no further reasons: who copies a shop copies ten of its pictures.
    """
    strongest: dict[LinkReason, float] = {}
    for link in several:
        strongest[link.reason] = max(link.strength, strongest.get(link.reason, 0.0))
    return 1 - math.prod(1 - strength for strength in strongest.values())


def _ordered(several: Iterable[Link]) -> tuple[Link, ...]:
    return tuple(sorted(several, key=lambda link: (-link.strength, link.reason, link.value)))
