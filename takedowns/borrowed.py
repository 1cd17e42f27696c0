"""The same licence number on several shops, among the numbers that listings show today.

It says nothing of who may use the number: dealers show that of the maker, and so does who copied it. A bar
code stands wherever its goods are sold, so it counts only on goods that have nothing in common.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import groupby, pairwise
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Session

from classifiers.normalize import normalize
from takedowns.learning import archive
from takedowns.ledger.tables import (
    LicenceClaim,
    Listing,
    ListingSnapshot,
    ReviewTask,
    Seller,
    Verdict,
)

BAR_CODE = "bar_code"
_CHINESE = re.compile("[一-龥]")
MOST = 500  # listings with one number that the desk looks at; it says so when there may be more


@dataclass(frozen=True, slots=True)
class Shown:
    """A number on a listing; ``task_id``: the newest review task of that listing."""

    kind: str
    number: str
    listing_id: int
    platform: str
    item_id: str
    url: str
    title: str
    seller_id: int | None
    shop: str | None
    task_id: int | None


@dataclass(frozen=True, slots=True)
class Borrowed:
    """A number that stands on several ``shops``: one group of listings for each."""

    kind: str
    number: str
    shops: tuple[tuple[Shown, ...], ...]


@dataclass(frozen=True, slots=True)
class Elsewhere:
    """The other ``shops`` that a listing's number also stands on, by one listing each; ``more``: not all."""

    shops: tuple[Shown, ...]
    more: bool


def borrowed(shown: Iterable[Shown]) -> list[Borrowed]:
    """The numbers that stand on more than one known shop, those on the most shops first."""
    found = []
    for (kind, number), same in groupby(sorted(shown, key=_order), key=lambda one: (one.kind, one.number)):
        known = [one for one in same if one.seller_id is not None]
        if kind == BAR_CODE and known:
            first = known[0]
            known = [first, *elsewhere(known, kind, first.title, first.seller_id)]
        shops = tuple(tuple(group) for _, group in groupby(known, key=lambda one: one.seller_id))
        if len(shops) > 1:
            found.append(Borrowed(kind, number, shops))
    return sorted(found, key=lambda one: -len(one.shops))


def elsewhere(shown: Iterable[Shown], kind: str, title: str, seller_id: int | None) -> list[Shown]:
    """Of the listings that show one number, those of known shops other than ``seller_id``."""
    others = (one for one in shown if one.seller_id not in (None, seller_id))
    return [one for one in others if kind != BAR_CODE or _other_goods(title, one.title)]


def _order(one: Shown) -> tuple[str, str, int, int]:
    return one.kind, one.number, one.seller_id or 0, one.listing_id


def _other_goods(title: str, other: str) -> bool:
    """Whether two Chinese titles have no two characters in a row in common."""
    here, there = _pairs(title), _pairs(other)
    return bool(here and there) and here.isdisjoint(there)


def _pairs(title: str) -> set[tuple[str, str]]:
    return set(pairwise(_CHINESE.findall(normalize(title).text)))


def everywhere(session: Session) -> list[Borrowed]:
    """Every borrowed number of the ledger."""
    several = (
        sa.select(LicenceClaim.kind, LicenceClaim.number)
        .join(Verdict, Verdict.id == LicenceClaim.verdict_id)
        .join(ListingSnapshot, ListingSnapshot.id == Verdict.snapshot_id)
        .join(Listing, Listing.id == ListingSnapshot.listing_id)
        .group_by(LicenceClaim.kind, LicenceClaim.number)
        .having(sa.func.count(Listing.seller_id.distinct()) > 1)
    )
    return borrowed(_shown(session, sa.tuple_(LicenceClaim.kind, LicenceClaim.number).in_(several)))


def of_listing(session: Session, snapshot: ListingSnapshot, kind: str, number: str) -> Elsewhere | None:
    """Where else a number that ``snapshot`` shows stands; None if nowhere."""
    same = sa.and_(LicenceClaim.kind == kind, LicenceClaim.number == number)
    shown = list(_shown(session, same, most=MOST))
    others = elsewhere(shown, kind, snapshot.title, snapshot.listing.seller_id)
    one_each = {one.seller_id: one for one in reversed(others)}
    return Elsewhere(tuple(one_each.values()), more=len(shown) == MOST) if one_each else None


def _shown(session: Session, which: sa.ColumnElement[bool], most: int | None = None) -> Iterator[Shown]:
    """From what each listing says now, by its newest verdict; what was judged last comes first."""
    task = sa.select(sa.func.max(ReviewTask.id)).where(ReviewTask.listing_id == Listing.id).scalar_subquery()
    query: sa.Select[Any] = (
        sa.select(
            LicenceClaim.kind,
            LicenceClaim.number,
            Listing.id,
            Listing.platform,
            Listing.item_id,
            Listing.url,
            ListingSnapshot.title,
            Listing.seller_id,
            Seller.name,
            task,
        )
        .join(Verdict, Verdict.id == LicenceClaim.verdict_id)
        .join(ListingSnapshot, ListingSnapshot.id == Verdict.snapshot_id)
        .join(Listing, Listing.id == ListingSnapshot.listing_id)
        .outerjoin(Seller, Seller.id == Listing.seller_id)
        .where(
            which,
            ListingSnapshot.id == archive.current_snapshot_id(),
            Verdict.id == archive.newest_verdict_id(),
        )
        .order_by(LicenceClaim.id.desc())
        .limit(most)
    )
    rows: Sequence[Any] = session.execute(query).all()
    return (Shown(*row) for row in rows)
