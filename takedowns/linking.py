"""What sellers share, out of the ledger, and the links that this makes, into it."""

from __future__ import annotations

import hashlib
from array import array
from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import asdict, dataclass
from datetime import datetime
from decimal import Decimal
from itertools import chain
from typing import NamedTuple

import numpy as np
import sqlalchemy as sa
from sqlalchemy.orm import Session

from takedowns import borrowed, networks
from takedowns.comebacks import NEAR_ELSEWHERE, SHORT
from takedowns.learning import archive
from takedowns.ledger import audit
from takedowns.ledger.engine import Ledger
from takedowns.ledger.tables import (
    ContactHash,
    Decision,
    Flag,
    Listing,
    ListingPicture,
    ListingSnapshot,
    Picture,
    Seller,
    SellerLink,
)
from takedowns.ledger.vocabulary import Finding, LinkReason
from takedowns.lookalikes import Lookalikes
from takedowns.neighbours import Index, Ints, canonical, numbered, shingled
from takedowns.networks import Link, Network, Shown

ACTOR = "system:networks"
CHUNK = 5_000  # rows that are in memory at once
DIGITS = 16  # of a hash that stands for a value: enough to tell values apart
HELD = 2_000_000  # pairs that are in memory at once
PRICES_AT_LEAST = 5  # different ones; fewer are shared by chance
PRICES_ALIKE = 0.8  # Dice index of two price lists
PRICES_SHOWN = 8
Key = tuple[int, int, LinkReason, str]


@dataclass(frozen=True, slots=True)
class Refreshed:
    """What a refresh came to; ``links`` and ``networks`` are what there is now."""

    links: int
    networks: int
    new: int
    changed: int
    gone: int


def refresh(ledger: Ledger, *, now: datetime) -> Refreshed:
    """Find all links anew and write what differs. What takes long only reads."""
    with ledger.read() as session:
        found = {_key(link): link for link in networks.links(shared(session), suspects(session))}
        before, differing = _stamp(session), _difference(session, found)
    made = len(networks.networks(found.values()))
    with ledger.write() as session:
        if _stamp(session) != before:  # somebody else refreshed meanwhile
            differing = _difference(session, found)
        return _write(session, differing, len(found), made, now)


def known(session: Session) -> list[Network]:
    """The networks that the links of the newest refresh make."""
    return networks.networks(_known_links(session).values())


def _known_links(session: Session) -> dict[int, Link]:
    """By the id of its row; plain columns, for there can be a hundred thousand."""
    row = SellerLink
    rows = session.execute(
        sa.select(
            row.id, row.seller_id, row.other_id, row.reason, row.value, row.strength, row.basis
        ).order_by(row.id)
    )
    return {
        number: Link(seller, other, reason, value, strength, tuple(basis["listings"]))
        for number, seller, other, reason, value, strength, basis in rows
    }


def suspects(session: Session) -> set[int]:
    """Sellers of flagged listings that nobody has found lawful."""
    lawful = sa.exists().where(Decision.listing_id == Listing.id, Decision.finding == Finding.NOT_VIOLATION)
    flagged = sa.select(Listing.seller_id).join(Flag, Flag.listing_id == Listing.id)
    return {seller for seller in session.scalars(flagged.where(~lawful).distinct()) if seller is not None}


def shared(session: Session) -> Iterator[Shown]:
    """Everything that sellers show and that others may show as well."""
    yield from _licences(session)
    yield from _contacts(session)
    yield from _pictures(session)
    yield from _texts_and_prices(session)


def _licences(session: Session) -> Iterator[Shown]:
    for number in borrowed.everywhere(session):
        value = f"{number.kind} {number.number}"
        for one in (one for shop in number.shops for one in shop):
            if one.seller_id is not None:
                yield Shown(LinkReason.LICENCE, value, one.seller_id, one.listing_id)


def _contacts(session: Session) -> Iterator[Shown]:
    rows = session.execute(
        sa.select(ContactHash.kind, ContactHash.digest, Seller.id, Listing.id)
        .select_from(ContactHash)
        .join(Listing, Listing.id == ContactHash.listing_id)
        .join(Seller, Seller.id == Listing.seller_id)
        .order_by(ContactHash.listing_id)
    )
    for kind, digest, seller_id, listing_id in rows:
        yield Shown(LinkReason.CONTACT, f"{kind} {digest[:DIGITS]}", seller_id, listing_id)


def _pictures(session: Session) -> Iterator[Shown]:
    """Those that look alike are one, which is called by the smallest of their hashes."""
    rows = session.execute(
        sa.select(Picture.perceptual_hash, Seller.id, Listing.id)
        .select_from(Picture)
        .join(ListingPicture, ListingPicture.sha256 == Picture.sha256)
        .join(Listing, Listing.id == ListingPicture.listing_id)
        .join(Seller, Seller.id == Listing.seller_id)
        .where(Picture.perceptual_hash.is_not(None))
        .order_by(Listing.id)
    ).all()
    names = sorted({row.perceptual_hash for row in rows})
    hashes = np.array([int(name, 16) for name in names], np.uint64)
    first = _first_of_each(len(names), Lookalikes(hashes).query(hashes))
    called = {name: names[first[n]] for n, name in enumerate(names)}
    for name, seller_id, listing_id in rows:
        yield Shown(LinkReason.PICTURE, called[name], seller_id, listing_id)


class _Said(NamedTuple):
    listing_id: int
    seller_id: int
    title: str
    description: str
    price: Decimal | None


def _texts_and_prices(session: Session) -> Iterator[Shown]:
    """In one pass over what all listings say: only hashes and prices of them stay in memory."""
    listings, sellers, names = array("q"), array("q"), array("Q")
    prices: dict[int, dict[int, int]] = defaultdict(dict)

    def texts() -> Iterator[str]:
        words = []
        for said in _said(session):
            listings.append(said.listing_id)
            sellers.append(said.seller_id)
            if said.price is not None:
                prices[said.seller_id].setdefault(int(said.price * 100), said.listing_id)
            words.append(f"{said.title}\n{said.description}")
            if len(words) == CHUNK:
                yield from canonical(words)
                words.clear()
        yield from canonical(words)

    index = Index(shingled(_own(text, names) for text in texts()), NEAR_ELSEWHERE)
    first_of = _first_of_each(len(index), (pair[:2] for pair in index.pairs()))
    # Most texts stand on one listing: they are no link, and a million of them would not fit into memory.
    several = np.bincount(first_of)[first_of] > 1
    for number in np.flatnonzero(several & (np.frombuffer(names, np.uint64) > 0)).tolist():
        yield Shown(LinkReason.TEXT, f"{names[first_of[number]]:016x}", sellers[number], listings[number])
    yield from _prices(prices)


def _own(text: str, names: array[int]) -> str:
    """``text``, or nothing where it is too short to be anybody's own; its name is added to ``names``."""
    own = text if len(text) >= SHORT else ""
    digest = hashlib.blake2b(own.encode(errors="surrogatepass"), digest_size=8).digest()
    names.append(int.from_bytes(digest) if own else 0)
    return own


def _said(session: Session) -> Iterator[_Said]:
    rows = session.execute(
        sa.select(
            Listing.id,
            Seller.id,
            ListingSnapshot.title,
            ListingSnapshot.description,
            ListingSnapshot.price,
        )
        .select_from(Listing)
        .join(ListingSnapshot, ListingSnapshot.id == archive.current_snapshot_id())
        .join(Seller, Seller.id == Listing.seller_id)
        .order_by(Listing.id)
        .execution_options(yield_per=CHUNK)
    )
    return (_Said(*row) for row in rows)


def _prices(prices: dict[int, dict[int, int]]) -> Iterator[Shown]:
    """Price lists that are nearly the same; ``prices``: seller → price in hundredths → a listing with it."""
    sellers = sorted(seller for seller, listed in prices.items() if len(listed) >= PRICES_AT_LEAST)
    index = Index(numbered((price % 2**32 for price in prices[seller]) for seller in sellers), PRICES_ALIKE)
    for number, first in enumerate(_first_of_each(len(index), (pair[:2] for pair in index.pairs()))):
        named = sorted(prices[sellers[first]])[:PRICES_SHOWN]
        value = " ".join(f"{price / 100:.2f}" for price in named)
        for listing_id in prices[sellers[number]].values():
            yield Shown(LinkReason.PRICE, value, sellers[number], listing_id)


def _first_of_each(number: int, pairs: Iterable[tuple[Ints, Ints]]) -> Ints:
    """For each of ``number`` things the first one that is like it, directly or by way of others."""
    first = itself = np.arange(number)
    waiting: list[tuple[Ints, Ints]] = []
    for pair in chain(pairs, [None]):
        waiting += [pair] if pair else []
        if pair is None or sum(len(ones) for ones, _ in waiting) > HELD:
            ones, others = (np.concatenate(ends) for ends in zip((itself, first), *waiting, strict=True))
            group = np.array(networks.groups(number, ones, others), np.int64)
            first = np.unique(group, return_index=True)[1][group] if number else itself
            waiting.clear()
    return first


class _Difference(NamedTuple):
    """Between the links of the ledger and those found; ``gone`` and ``changed`` by the ids of rows."""

    gone: list[int]
    new: list[Link]
    changed: dict[int, Link]


def _difference(session: Session, found: dict[Key, Link]) -> _Difference:
    known = {_key(link): (number, link) for number, link in _known_links(session).items()}
    gone = [number for key, (number, _) in known.items() if key not in found]
    new = [link for key, link in found.items() if key not in known]
    changed = {number: found[key] for key, (number, link) in known.items() if found.get(key, link) != link}
    return _Difference(gone, new, changed)


def _stamp(session: Session) -> tuple[int, int | None]:
    """Another one when rows were added or taken away."""
    rows, newest = session.execute(sa.select(sa.func.count(SellerLink.id), sa.func.max(SellerLink.id))).one()
    return rows, newest


def _write(session: Session, differing: _Difference, links: int, made: int, now: datetime) -> Refreshed:
    gone, new, changed = differing
    for first in range(0, len(gone), CHUNK):
        session.execute(sa.delete(SellerLink).where(SellerLink.id.in_(gone[first : first + CHUNK])))
    if new:
        session.execute(sa.insert(SellerLink), [_columns(link, now) for link in new])
    if changed:
        rows = [{"id": number, **_columns(link, now)} for number, link in changed.items()]
        session.execute(sa.update(SellerLink), rows)
    result = Refreshed(links, made, len(new), len(changed), len(gone))
    audit.record(
        session, at=now, actor=ACTOR, action="networks.refresh", subject="seller_link", payload=asdict(result)
    )
    return result


def _key(link: Link) -> Key:
    return link.seller_id, link.other_id, link.reason, link.value


def _columns(link: Link, now: datetime) -> dict[str, object]:
    return {
        "seller_id": link.seller_id,
        "other_id": link.other_id,
        "reason": link.reason,
        "value": link.value,
        "strength": link.strength,
        "basis": {"listings": list(link.listings)},
        "recorded_at": now,
    }
