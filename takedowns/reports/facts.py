"""The one query layer of the report: everything the ledger knew at a moment, as plain frozen values.

Known at ``as_of`` means written down by then (``recorded_at``), whatever time it speaks of. Rows are
append-only, so asking again later for the same ``as_of`` gives the same facts.
"""

from __future__ import annotations

import hashlib
from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Any, TypeVar

import sqlalchemy as sa
from pydantic import TypeAdapter
from sqlalchemy.orm import Session, aliased

from classifiers.verdict import Label
from crawlers.listing import Presence, SellerKind
from takedowns import relistings
from takedowns.ledger import tables as t
from takedowns.ledger.vocabulary import Finding, Measure, RelistingKind, RunState, VerificationOutcome
from takedowns.states import LeadState

T = TypeVar("T")

SEARCHING = ("sweep", "patrol")  # work of scheduled jobs that leaves runs of sweeps


@dataclass(frozen=True, slots=True)
class Seller:
    kind: SellerKind
    external_id: str
    name: str


@dataclass(frozen=True, slots=True)
class Look:
    """One look after dispatch; ``trusted`` is False when the run's canaries failed."""

    state: Presence
    observed_at: datetime
    trusted: bool


@dataclass(frozen=True, slots=True)
class Claim:
    """What a platform answered; ``claimed_at`` is when it says it acted."""

    measure: Measure
    claimed_at: datetime | None
    received_at: datetime


@dataclass(frozen=True, slots=True)
class Verified:
    """One verification: ``observed_at`` is the time of the event it found.

    ``gone_at``, of a relisting only: the first of the looks that had found it gone before it came back.
    """

    outcome: VerificationOutcome
    observed_at: datetime
    gone_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class Return:
    """A removed listing seen again, at its seller, as ``item_id``."""

    kind: RelistingKind
    item_id: str
    observed_at: datetime


@dataclass(frozen=True, slots=True)
class LeadFacts:
    """A lead's life as known; ``sent_at`` is None while unsent.

    Lists are in the order of their times, verifications in the order written.
    """

    number: str
    platform: str
    item_id: str
    url: str
    category: Label | None
    seller: Seller | None
    created_at: datetime
    sent_at: datetime | None
    withdrawn_at: datetime | None
    looks: tuple[Look, ...]
    claims: tuple[Claim, ...]
    verifications: tuple[Verified, ...]
    returns: tuple[Return, ...]


@dataclass(frozen=True, slots=True)
class Batch:
    number: str
    platform: str
    sent_at: datetime


@dataclass(frozen=True, slots=True)
class Run:
    """``kind`` is sweep or recheck. A missed firing of the schedule has state MISSED and no platform."""

    run_id: str
    kind: str
    platform: str | None
    state: RunState
    started_at: datetime
    finished_at: datetime | None


@dataclass(frozen=True, slots=True)
class Review:
    """One answer to a review task that more than one person answered."""

    task_id: int
    platform: str
    reviewer_id: int
    finding: Finding
    decided_at: datetime
    decision_id: int
    overrides_id: int | None


@dataclass(frozen=True, slots=True)
class Facts:
    leads: tuple[LeadFacts, ...]
    batches: tuple[Batch, ...]
    runs: tuple[Run, ...]
    reviews: tuple[Review, ...]

    def digest(self) -> str:
        """SHA-256 of the facts as canonical JSON: equal digests, equal figures."""
        return hashlib.sha256(TypeAdapter(Facts).dump_json(self)).hexdigest()

    def of(self, platform: str) -> Facts:
        """Only what concerns one platform; a missed firing concerns none."""
        return Facts(
            leads=tuple(lead for lead in self.leads if lead.platform == platform),
            batches=tuple(batch for batch in self.batches if batch.platform == platform),
            runs=tuple(run for run in self.runs if run.platform == platform),
            reviews=tuple(review for review in self.reviews if review.platform == platform),
        )

    def platforms(self) -> tuple[str, ...]:
        crawled = {run.platform for run in self.runs if run.platform}
        return tuple(sorted(crawled | {lead.platform for lead in self.leads}))


def read(session: Session, as_of: datetime) -> Facts:
    """Read what was known at ``as_of`` (aware)."""
    return Facts(
        leads=_leads(session, as_of),
        batches=_batches(session, as_of),
        runs=(*_runs(session, as_of), *_missed(session, as_of)),
        reviews=_reviews(session, as_of),
    )


def _leads(session: Session, as_of: datetime) -> tuple[LeadFacts, ...]:
    looks, claims = _looks(session, as_of), _claims(session, as_of)
    verifications, returns = _verifications(session, as_of), _returns(session, as_of)
    return tuple(
        LeadFacts(
            number=row.number,
            platform=row.platform,
            item_id=row.item_id,
            url=row.url,
            category=row.category,
            seller=Seller(row.kind, row.external_id, row.name) if row.external_id else None,
            created_at=row.created_at,
            sent_at=_known(row.sent_at, as_of),
            withdrawn_at=_known(_withdrawn_at(row), as_of),
            looks=tuple(looks[row.id]),
            claims=tuple(claims[row.id]),
            verifications=tuple(verifications[row.id]),
            returns=tuple(returns[row.id]),
        )
        for row in session.execute(_lead_rows(as_of))
    )


def _lead_rows(as_of: datetime) -> sa.Select[Any]:
    lead, listing, seller = t.Lead, t.Listing, t.Seller
    return (
        sa.select(lead.id, lead.number, lead.created_at, lead.sent_at, lead.state, lead.closed_at)
        .add_columns(listing.platform, listing.item_id, listing.url, t.Decision.category)
        .add_columns(seller.kind, seller.external_id, seller.name)
        .join(lead.listing)
        .join(lead.decision)
        .outerjoin(listing.seller)
        .where(lead.created_at <= as_of)
        .order_by(lead.number)
    )


def _withdrawn_at(row: Any) -> datetime | None:
    if row.state is not LeadState.WITHDRAWN:
        return None
    if row.closed_at is None:
        raise ValueError(f"lead {row.number} is withdrawn, but nothing says when")
    withdrawn_at: datetime = row.closed_at
    return withdrawn_at


def _known(moment: datetime | None, as_of: datetime) -> datetime | None:
    return moment if moment is not None and moment <= as_of else None


def _looks(session: Session, as_of: datetime) -> dict[int, list[Look]]:
    rows = session.execute(
        sa.select(t.Lead.id, t.Sighting.state, t.Sighting.observed_at, t.CrawlRun.trusted)
        .join(t.Sighting, t.Sighting.listing_id == t.Lead.listing_id)
        .join(t.Sighting.run)
        .where(t.Sighting.recorded_at <= as_of, t.Sighting.observed_at > t.Lead.sent_at)
        .order_by(t.Sighting.observed_at, t.Sighting.id)
    )
    return _grouped((lead, Look(state, at, trusted)) for lead, state, at, trusted in rows)


def _claims(session: Session, as_of: datetime) -> dict[int, list[Claim]]:
    response = t.PlatformResponse
    rows = session.execute(
        sa.select(response.lead_id, response.measure, response.claimed_at, response.received_at)
        .where(response.recorded_at <= as_of)
        .order_by(response.received_at, response.id)
    )
    return _grouped((lead, Claim(measure, claimed, received)) for lead, measure, claimed, received in rows)


def _verifications(session: Session, as_of: datetime) -> dict[int, list[Verified]]:
    """As written down, not judged anew: a report says what the desk said, and the rule may have changed."""
    row, first_look = t.Verification, aliased(t.Sighting)
    rests_on = row.basis[("sightings", 0)].as_integer()
    back_up = row.outcome == VerificationOutcome.RELISTED
    rows = session.execute(
        sa.select(row.lead_id, row.outcome, row.observed_at, first_look.observed_at)
        .outerjoin(first_look, sa.and_(back_up, first_look.id == rests_on))
        .where(row.recorded_at <= as_of)
        .order_by(row.id)
    )
    return _grouped((lead, Verified(outcome, at, gone_at)) for lead, outcome, at, gone_at in rows)


def _returns(session: Session, as_of: datetime) -> dict[int, list[Return]]:
    """Without those at another seller: that is no removal undone."""
    row = t.Relisting
    rows = session.execute(
        sa.select(row.lead_id, row.kind, t.Listing.item_id, row.observed_at)
        .join(row.listing)
        .where(row.recorded_at <= as_of, relistings.is_of_its_seller())
        .order_by(row.observed_at, row.id)
    )
    return _grouped((lead, Return(kind, item_id, at)) for lead, kind, item_id, at in rows)


def _grouped(pairs: Iterable[tuple[int, T]]) -> dict[int, list[T]]:
    groups: dict[int, list[T]] = defaultdict(list)
    for key, value in pairs:
        groups[key].append(value)
    return groups


def _batches(session: Session, as_of: datetime) -> tuple[Batch, ...]:
    notice = t.Notice
    rows = session.execute(
        sa.select(notice.number, notice.platform, notice.sent_at)
        .where(notice.sent_at <= as_of)
        .order_by(notice.number)
    )
    return tuple(Batch(number, platform, sent_at) for number, platform, sent_at in rows if sent_at)


def _runs(session: Session, as_of: datetime) -> tuple[Run, ...]:
    run = t.CrawlRun
    rows = session.execute(
        sa.select(run.run_id, run.kind, run.platform, run.state, run.started_at, run.finished_at)
        .where(run.recorded_at <= as_of, run.state != RunState.RUNNING)
        .order_by(run.started_at, run.run_id)
    )
    return tuple(Run(*columns) for columns in rows)


def _missed(session: Session, as_of: datetime) -> tuple[Run, ...]:
    """Planned sweeps that never ran: they leave a firing and no run. What patrols do is a sweep as well.

    Firings of earlier releases do not tell their work: by custom their name does.
    """
    firing = t.JobFiring
    named = sa.and_(firing.work.is_(None), firing.job.startswith("sweep"))
    searching = sa.or_(firing.work.in_(SEARCHING), named)
    rows = session.execute(
        sa.select(firing.id, firing.job, firing.slot)
        .where(firing.state == RunState.MISSED, firing.started_at <= as_of, searching)
        .order_by(firing.id)
    )
    return tuple(
        Run(f"{job}@{slot.isoformat()}", "sweep", None, RunState.MISSED, slot, None) for _, job, slot in rows
    )


def _reviews(session: Session, as_of: datetime) -> tuple[Review, ...]:
    decision = t.Decision
    answered_twice = (
        sa.select(decision.task_id)
        .where(decision.decided_at <= as_of)
        .group_by(decision.task_id)
        .having(sa.func.count(decision.reviewer_id.distinct()) > 1)
    )
    rows = session.execute(
        sa.select(decision.task_id, t.Listing.platform, decision.reviewer_id, decision.finding)
        .add_columns(decision.decided_at, decision.id, decision.overrides_id)
        .join(decision.listing)
        .where(decision.decided_at <= as_of, decision.task_id.in_(answered_twice))
        .order_by(decision.id)
    )
    return tuple(Review(*columns) for columns in rows)
