"""Leads with what is claimed and seen of them, and notices."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Session, contains_eager, joinedload, selectinload

from takedowns import relistings
from takedowns.desk.reads.common import ROWS, Page, title_only
from takedowns.ledger.tables import (
    Decision,
    Dispatch,
    Lead,
    Listing,
    Notice,
    Relisting,
    Sighting,
)
from takedowns.ledger.vocabulary import DispatchState, VerificationOutcome
from takedowns.states import LeadState, NoticeState


@dataclass(frozen=True)
class TrackerFilter:
    state: LeadState | None = None
    outcome: VerificationOutcome | None = None
    platform: str | None = None
    page: int = 1


@dataclass(frozen=True)
class TrackerRow:
    lead: Lead
    title: str
    sighting: Sighting | None
    relisted: bool


def tracker_page(session: Session, wanted: TrackerFilter) -> Page[TrackerRow]:
    query = sa.select(Lead).join(Lead.listing).options(contains_eager(Lead.listing))
    if wanted.state:
        query = query.where(Lead.state == wanted.state)
    if wanted.outcome:
        query = query.where(Lead.outcome == wanted.outcome)
    if wanted.platform:
        query = query.where(Listing.platform == wanted.platform)
    total = session.scalar(sa.select(sa.func.count()).select_from(query.subquery())) or 0
    leads = session.scalars(
        query.options(selectinload(Lead.responses))
        .options(joinedload(Lead.decision).joinedload(Decision.snapshot).options(*title_only()))
        .order_by(Lead.sent_at.desc().nulls_first(), Lead.id.desc())
        .limit(ROWS)
        .offset((wanted.page - 1) * ROWS)
    ).all()
    sightings = last_sightings(session, [lead.listing_id for lead in leads])
    relisted = set(
        session.scalars(
            sa.select(Relisting.lead_id).where(
                Relisting.lead_id.in_([lead.id for lead in leads]), relistings.is_of_its_seller()
            )
        )
    )
    rows = [
        TrackerRow(lead, lead.decision.snapshot.title, sightings.get(lead.listing_id), lead.id in relisted)
        for lead in leads
    ]
    return Page(rows, total, wanted.page)


def lead_numbered(session: Session, number: str) -> Lead | None:
    return session.scalars(
        sa.select(Lead)
        .where(Lead.number == number)
        .options(
            joinedload(Lead.listing).joinedload(Listing.seller),
            joinedload(Lead.decision).joinedload(Decision.reviewer),
            joinedload(Lead.decision).joinedload(Decision.snapshot),
            selectinload(Lead.notices).joinedload(Notice.author),
            selectinload(Lead.notices).joinedload(Notice.approver),
        )
    ).one_or_none()


def last_sightings(session: Session, listings: Iterable[int]) -> dict[int, Sighting]:
    newest_first = sa.func.row_number().over(
        partition_by=Sighting.listing_id, order_by=(Sighting.observed_at.desc(), Sighting.id.desc())
    )
    ranked = (
        sa.select(Sighting.id, newest_first.label("rank"))
        .where(Sighting.listing_id.in_(list(listings)))
        .subquery()
    )
    rows = session.scalars(
        sa.select(Sighting).join(ranked, Sighting.id == ranked.c.id).where(ranked.c.rank == 1)
    )
    return {sighting.listing_id: sighting for sighting in rows}


def open_notices(session: Session) -> Sequence[Notice]:
    """Those of which something still waits here, if only a reminder, oldest first."""
    waiting = Notice.state.in_((NoticeState.DRAFT, NoticeState.APPROVED, NoticeState.SEND_FAILED))
    unsent = Notice.dispatches.any(Dispatch.state.in_((DispatchState.WAITING, DispatchState.FAILED)))
    return _notices(session, sa.or_(waiting, unsent), Notice.id)


def sent_notices(session: Session, at_most: int = 20) -> Sequence[Notice]:
    return _notices(session, Notice.sent_at.is_not(None), Notice.sent_at.desc())[:at_most]


def _notices(session: Session, which: sa.ColumnElement[bool], order: Any) -> Sequence[Notice]:
    people = (joinedload(Notice.author), joinedload(Notice.approver), selectinload(Notice.leads))
    return session.scalars(sa.select(Notice).where(which).options(*people).order_by(order)).all()
