"""What is known of the sellers in a network, for whoever shows it."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass

import sqlalchemy as sa
from sqlalchemy.orm import Session

from crawlers.listing import SellerKind
from takedowns import linking
from takedowns.ledger.tables import Flag, Lead, Listing, Seller
from takedowns.networks import Network

AT_ONCE = 500  # sellers asked for in one query


@dataclass(frozen=True, slots=True)
class Member:
    """``flagged`` of its ``listings``, and the ``leads`` that they made."""

    seller_id: int
    platform: str
    kind: SellerKind
    name: str
    url: str | None
    listings: int
    flagged: int
    leads: int


Members = Mapping[int, Member]


class UnknownNetworkError(LookupError):
    """No network has this number, or it has none any more."""


def network_numbered(session: Session, number: int) -> Network:
    """Raises UnknownNetworkError."""
    found = next((network for network in linking.known(session) if network.id == number), None)
    if found is None:
        raise UnknownNetworkError(f"there is no network {number}")
    return found


def members(session: Session, sellers: Collection[int]) -> dict[int, Member]:
    """Seller → what is known of it."""
    ids = sorted(sellers)
    found: dict[int, Member] = {}
    for first in range(0, len(ids), AT_ONCE):
        rows = session.execute(_query(ids[first : first + AT_ONCE]))
        found |= {row[0]: Member(*row) for row in rows}
    return found


def _query(sellers: list[int]) -> sa.Select[int, str, SellerKind, str, str | None, int, int, int]:
    count = sa.func.count
    return (
        sa.select(
            Seller.id,
            Seller.platform,
            Seller.kind,
            Seller.name,
            Seller.url,
            count(Listing.id.distinct()),
            count(Flag.listing_id.distinct()),
            count(Lead.id.distinct()),
        )
        .outerjoin(Listing, Listing.seller_id == Seller.id)
        .outerjoin(Flag, Flag.listing_id == Listing.id)
        .outerjoin(Lead, Lead.listing_id == Listing.id)
        .where(Seller.id.in_(sellers))
        .group_by(Seller.id)
    )
