"""Networks with what is known of their shops, and a graph of each."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass

import sqlalchemy as sa
from sqlalchemy.orm import Session

from takedowns import linking, members
from takedowns.desk.drawing import layout
from takedowns.desk.reads.common import ROWS, Page
from takedowns.learning import archive
from takedowns.ledger.tables import Listing, ListingSnapshot
from takedowns.ledger.vocabulary import LinkReason
from takedowns.members import Member
from takedowns.networks import Network, Tie

DRAWN_AT_MOST = 60  # shops; more make a picture that nobody can read
TOLD_AT_MOST = 300  # ties; fifty shops with one contact have 1,225
TITLES = 2  # of the listings of a reason


@dataclass(frozen=True, slots=True)
class NetworkRow:
    network: Network
    shops: Sequence[Member]
    reasons: Sequence[LinkReason]

    @property
    def platforms(self) -> Sequence[str]:
        return sorted({shop.platform for shop in self.shops})

    @property
    def leads(self) -> int:
        return sum(shop.leads for shop in self.shops)


@dataclass(frozen=True, slots=True)
class Node:
    """A shop; ``number`` names it in graph and tables, ``x`` and ``y`` are in [0, 1]."""

    number: int
    shop: Member
    x: float
    y: float


@dataclass(frozen=True, slots=True)
class Edge:
    one: Node
    other: Node
    tie: Tie


@dataclass(frozen=True, slots=True)
class NetworkView:
    """``told``: the strongest of ``edges``; ``titles``: of the listings that their reasons rest on."""

    row: NetworkRow
    nodes: Sequence[Node]
    edges: Sequence[Edge]
    told: Sequence[Edge]
    titles: Mapping[int, str]

    @property
    def drawn(self) -> bool:
        return len(self.nodes) <= DRAWN_AT_MOST

    def examples(self, listings: Sequence[int]) -> list[str]:
        return [self.titles[listing] for listing in listings if listing in self.titles][:TITLES]


def networks_page(session: Session, number: int) -> Page[NetworkRow]:
    found = linking.known(session)
    shown = found[(number - 1) * ROWS : number * ROWS]
    known = members.members(session, [seller for network in shown for seller in network.sellers])
    return Page([_row(network, known) for network in shown], len(found), number)


def network_view(session: Session, network_id: int) -> NetworkView:
    """Raises members.UnknownNetworkError."""
    network = members.network_numbered(session, network_id)
    row = _row(network, members.members(session, network.sellers))
    at = {seller: n for n, seller in enumerate(network.sellers)}
    ends = [(at[tie.seller_id], at[tie.other_id], tie.strength) for tie in network.ties]
    drawn = len(row.shops) <= DRAWN_AT_MOST
    places = layout(len(row.shops), ends) if drawn else [(0.5, 0.5)] * len(row.shops)
    nodes = [Node(n, shop, *place) for n, (shop, place) in enumerate(zip(row.shops, places, strict=True), 1)]
    edges = [Edge(nodes[at[tie.seller_id]], nodes[at[tie.other_id]], tie) for tie in network.ties]
    told = sorted(edges, key=lambda edge: -edge.tie.strength)[:TOLD_AT_MOST]
    listings = {listing for edge in told for link in edge.tie.links for listing in link.listings}
    return NetworkView(row, nodes, edges, told, _titles(session, listings))


def _row(network: Network, known: Mapping[int, Member]) -> NetworkRow:
    reasons = {link.reason for tie in network.ties for link in tie.links}
    return NetworkRow(network, [known[seller] for seller in network.sellers], sorted(reasons))


def _titles(session: Session, listings: Collection[int]) -> dict[int, str]:
    titles: dict[int, str] = {}
    ids = sorted(listings)
    for first in range(0, len(ids), members.AT_ONCE):
        rows = session.execute(
            sa.select(Listing.id, ListingSnapshot.title)
            .join(ListingSnapshot, ListingSnapshot.id == archive.current_snapshot_id())
            .where(Listing.id.in_(ids[first : first + members.AT_ONCE]))
        )
        titles |= dict(iter(rows))
    return titles
