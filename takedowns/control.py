"""The control group: flagged listings that are watched while nobody reports them (对照组).

Listings vanish without us, too. How many do is told by flagged ones that were not reported: a random share
of them is looked at as often as leads are, and judged by the same rule. Nothing is withheld from reporting
because of it: a listing of the group goes through review as any other does, and leaves the group when its
lead is sent or a person finds it lawful.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

import sqlalchemy as sa
from sqlalchemy.orm import InstrumentedAttribute, Session

from crawlers.listing import Presence
from crawlers.rundir import Target
from takedowns import looks
from takedowns.judging import Look, proof_of_removal, tells
from takedowns.ledger import audit
from takedowns.ledger.tables import Control, Decision, Flag, Lead, Listing, ListingSnapshot, Verdict
from takedowns.ledger.vocabulary import Finding
from takedowns.settings import Removal, Settings

ACTOR = "system:control"
HORIZONS = (2, 7, 30)  # days
WATCHED = timedelta(days=max(HORIZONS) + 3)  # a removal on the last day takes some more looks to be proved
FRESH = timedelta(days=7)  # flags of that age are drawn from: an earlier one had its chance


@dataclass(frozen=True)
class Member:
    """A listing of the group and all looks at it; ``left_at`` when it was reported or found lawful."""

    listing_id: int
    drawn_at: datetime
    probability: float
    left_at: datetime | None
    looks: tuple[Look, ...]


@dataclass(frozen=True)
class Horizon:
    """Of ``n`` listings, those that had vanished within ``days``, and those not watched as long.

    ``weight`` and ``weight_gone`` count each listing as the ``1 / probability`` flagged ones it stands for.
    """

    days: int
    n: int
    gone: int
    censored: int
    weight: float
    weight_gone: float


def vanished(member: Member, rule: Removal, *, as_of: datetime) -> datetime | None:
    """When it was first seen gone, if the rule of removals proves that it went while it was in the group."""
    until = min(as_of, member.left_at) if member.left_at else as_of
    proof = proof_of_removal(member.looks, rule, since=member.drawn_at, until=until)
    return proof[0].observed_at if proof else None


def spontaneous(
    members: Iterable[Member], rule: Removal, *, as_of: datetime, days: Sequence[int] = HORIZONS
) -> tuple[Horizon, ...]:
    """How many vanished by themselves within each number of days.

    A listing is censored at a horizon when it was neither gone by then nor seen there then or later: that it
    was not seen is no proof of staying.
    """
    group = [(m, vanished(m, rule, as_of=as_of)) for m in members if m.drawn_at <= as_of]
    return tuple(_horizon(group, number, as_of) for number in days)


def members(
    session: Session, *, drawn_from: datetime, drawn_until: datetime, known_at: datetime | None = None
) -> list[Member]:
    """Those drawn from ``drawn_from`` on and before ``drawn_until``, with looks written down until then."""
    rows = session.scalars(
        sa.select(Control)
        .where(Control.drawn_at >= drawn_from, Control.drawn_at < drawn_until)
        .order_by(Control.listing_id)
    ).all()
    seen = looks.at_listings(session, [row.listing_id for row in rows], known_at=known_at)
    return [
        Member(row.listing_id, row.drawn_at, row.probability, row.left_at, tuple(seen[row.listing_id]))
        for row in rows
    ]


def draw(session: Session, *, now: datetime, settings: Settings) -> list[Control]:
    """Draw from the listings that were flagged lately and neither reported nor found lawful.

    Whether a listing is drawn hangs on a hash of its identity alone: asking again draws nobody twice or anew.
    """
    share, seed = settings.review.control_share, settings.office.code
    drawn = [
        Control(
            listing_id=listing.id,
            drawn_at=now,
            probability=share,
            flag_id=flag_id,
        )
        for listing, flag_id in _eligible(session, now)
        if lot_of(seed, listing.platform, listing.item_id) < share
    ]
    session.add_all(drawn)
    session.flush()
    for row in drawn:
        _record(session, row, "control.draw", now, probability=share, seed=seed, flag=row.flag_id)
    return drawn


def lot_of(seed: str, platform: str, item_id: str) -> float:
    """A number in [0, 1) that anyone can compute again.

    >>> lot_of("0000", "sample", "1001") == lot_of("0000", "sample", "1001")
    True
    """
    digest = hashlib.sha256("\n".join((seed, platform, item_id)).encode()).digest()
    return int.from_bytes(digest[:6], "big") / 2**48


def leave(session: Session, *, now: datetime) -> list[Control]:
    """End the part of those that were reported or found lawful since, at the time of that."""
    sent = sa.select(sa.func.min(Lead.sent_at)).where(Lead.listing_id == Control.listing_id)
    rows = session.execute(
        sa.select(Control, sent.scalar_subquery(), _found_lawful(Control.listing_id).scalar_subquery()).where(
            Control.left_at.is_(None)
        )
    ).all()
    left = []
    for row, sent_at, lawful_at in rows:
        ends = [(at, why) for at, why in ((sent_at, "reported"), (lawful_at, "lawful")) if at is not None]
        if ends:
            row.left_at, why = min(ends)
            _record(session, row, "control.leave", now, why=why)
            left.append(row)
    return left


def targets(session: Session, platform: str, *, now: datetime) -> dict[int, Target]:
    """Listing id → what to look at, of the members still watched, with the title that was flagged."""
    rows = session.execute(
        sa.select(Listing.id, Listing.item_id, Listing.url, ListingSnapshot.title)
        .join(Control, Control.listing_id == Listing.id)
        .join(Flag, Control.flag_id == Flag.id)
        .join(Verdict, Flag.verdict_id == Verdict.id)
        .join(ListingSnapshot, Verdict.snapshot_id == ListingSnapshot.id)
        .where(
            Listing.platform == platform,
            Control.left_at.is_(None),
            Control.drawn_at > now - WATCHED,
        )
        .order_by(Listing.id)
    )
    return {listing: Target(item_id=item, url=url, title=title) for listing, item, url, title in rows}


def _horizon(group: Sequence[tuple[Member, datetime | None]], days: int, as_of: datetime) -> Horizon:
    gone, known = [], []
    for member, gone_at in group:
        end = member.drawn_at + timedelta(days=days)
        if gone_at is not None and gone_at <= end:
            gone.append(member)
        elif gone_at is not None or _seen_there_at(member, as_of) >= end:
            known.append(member)
    return Horizon(
        days=days,
        n=len(group),
        gone=len(gone),
        censored=len(group) - len(gone) - len(known),
        weight=sum(1 / member.probability for member, _ in group),
        weight_gone=sum(1 / member.probability for member in gone),
    )


def _seen_there_at(member: Member, as_of: datetime) -> datetime:
    """When a look of its time in the group last found something there; the beginning when none did."""
    until = min(as_of, member.left_at) if member.left_at else as_of
    there = (look for look in _while(member, until) if tells(look) and look.state is not Presence.GONE)
    return max((look.observed_at for look in there), default=member.drawn_at)


def _while(member: Member, until: datetime) -> list[Look]:
    return [look for look in member.looks if member.drawn_at < look.observed_at <= until]


def _eligible(session: Session, now: datetime) -> list[tuple[Listing, int]]:
    """Each with its newest flag."""
    rows = session.execute(
        sa.select(Listing, sa.func.max(Flag.id))
        .join(Flag, Flag.listing_id == Listing.id)
        .where(
            Flag.created_at > now - FRESH,
            ~sa.exists().where(Control.listing_id == Listing.id),
            ~sa.exists().where(Lead.listing_id == Listing.id, Lead.sent_at.is_not(None)),
            _found_lawful(Listing.id).scalar_subquery().is_(None),
        )
        .group_by(Listing.id)
        .order_by(Listing.id)
    )
    return [(listing, flag) for listing, flag in rows]


def _found_lawful(listing_id: InstrumentedAttribute[int]) -> sa.Select[datetime]:
    return sa.select(sa.func.min(Decision.decided_at)).where(
        Decision.listing_id == listing_id, Decision.finding == Finding.NOT_VIOLATION
    )


def _record(session: Session, row: Control, action: str, now: datetime, **payload: object) -> None:
    session.flush()
    audit.record(
        session, at=now, actor=ACTOR, action=action, subject=f"control:{row.listing_id}", payload=payload
    )
