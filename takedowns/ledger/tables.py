"""Every table of the ledger. Facts are append-only; only rows with a ``version`` column ever change.

Times: ``observed_at`` when it was so, ``recorded_at`` when we wrote it down, ``sent_at`` when it left the
house, ``received_at`` when the answer came. All are UTC and aware.
"""

from __future__ import annotations

from datetime import datetime
from decimal import Decimal
from typing import Any

import sqlalchemy as sa
from sqlalchemy import ForeignKey, Index, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column, relationship

from classifiers.verdict import Label
from crawlers.listing import Presence, SellerKind
from takedowns.ledger.connections import ContactHash as ContactHash
from takedowns.ledger.connections import Control as Control
from takedowns.ledger.connections import ListingPicture as ListingPicture
from takedowns.ledger.connections import Picture as Picture
from takedowns.ledger.connections import PictureAddress as PictureAddress
from takedowns.ledger.connections import SellerLink as SellerLink
from takedowns.ledger.connections import SellerSighting as SellerSighting
from takedowns.ledger.crawling import CrawlRun as CrawlRun
from takedowns.ledger.crawling import ListingDraw as ListingDraw
from takedowns.ledger.crawling import PersonTask as PersonTask
from takedowns.ledger.crawling import WorkItem as WorkItem
from takedowns.ledger.incoming import CleanedItem as CleanedItem
from takedowns.ledger.incoming import CleaningReport as CleaningReport
from takedowns.ledger.incoming import InboxMessage as InboxMessage
from takedowns.ledger.incoming import StrayResponse as StrayResponse
from takedowns.ledger.incoming import Tip as Tip
from takedowns.ledger.licence_claim import LicenceClaim as LicenceClaim
from takedowns.ledger.outgoing import Dispatch as Dispatch
from takedowns.ledger.outgoing import DispatchFile as DispatchFile
from takedowns.ledger.outgoing import Handover as Handover
from takedowns.ledger.outgoing import HandoverLead as HandoverLead
from takedowns.ledger.outgoing import NoticeStep as NoticeStep
from takedowns.ledger.people import User as User
from takedowns.ledger.people import UserSession as UserSession
from takedowns.ledger.vocabulary import (
    Base,
    Finding,
    Measure,
    RelistingKind,
    RunState,
    VerificationOutcome,
)
from takedowns.states import LeadState, NoticeState, TaskState


class JobFiring(Base):
    """One planned firing of one scheduled job; the unique row forbids a second one."""

    __tablename__ = "job_firing"
    __table_args__ = (UniqueConstraint("job", "slot"),)
    id: Mapped[int] = mapped_column(primary_key=True)
    job: Mapped[str]
    slot: Mapped[datetime]
    state: Mapped[RunState]
    started_at: Mapped[datetime]
    finished_at: Mapped[datetime | None]
    message: Mapped[str | None]
    # what the job does: sweep, recheck, …; null in rows of earlier releases
    work: Mapped[str | None]


class Seller(Base):
    __tablename__ = "seller"
    __table_args__ = (UniqueConstraint("platform", "kind", "external_id"),)
    id: Mapped[int] = mapped_column(primary_key=True)
    platform: Mapped[str]
    kind: Mapped[SellerKind]
    external_id: Mapped[str]
    name: Mapped[str]
    url: Mapped[str | None]


class Listing(Base):
    __tablename__ = "listing"
    __table_args__ = (UniqueConstraint("platform", "item_id"),)
    id: Mapped[int] = mapped_column(primary_key=True)
    platform: Mapped[str]
    item_id: Mapped[str]
    url: Mapped[str]
    seller_id: Mapped[int | None] = mapped_column(ForeignKey("seller.id"), index=True)
    first_seen_at: Mapped[datetime]
    # how it came here: sweep, import, pasted, tip
    road: Mapped[str]
    seller: Mapped[Seller | None] = relationship()
    snapshots: Mapped[list[ListingSnapshot]] = relationship(
        back_populates="listing", order_by="ListingSnapshot.id"
    )
    sightings: Mapped[list[Sighting]] = relationship(order_by="Sighting.observed_at")


class ListingSnapshot(Base):
    """What a listing said, once per distinct content."""

    __tablename__ = "listing_snapshot"
    __table_args__ = (UniqueConstraint("listing_id", "sha256"),)
    id: Mapped[int] = mapped_column(primary_key=True)
    listing_id: Mapped[int] = mapped_column(ForeignKey("listing.id"))
    # SHA-256 of the canonical JSON of the content columns below
    sha256: Mapped[str]
    title: Mapped[str]
    description: Mapped[str]
    attributes: Mapped[dict[str, Any]]
    price: Mapped[Decimal | None]
    price_raw: Mapped[str | None]
    currency: Mapped[str | None]
    images: Mapped[list[Any]]
    lang: Mapped[str | None]
    sources: Mapped[dict[str, Any]]
    observed_at: Mapped[datetime]
    recorded_at: Mapped[datetime]
    run_id: Mapped[str | None] = mapped_column(ForeignKey("crawl_run.run_id"))
    # <run id>/<file>#<WARC record id>
    evidence: Mapped[str | None]
    listing: Mapped[Listing] = relationship(back_populates="snapshots")
    verdicts: Mapped[list[Verdict]] = relationship(back_populates="snapshot", order_by="Verdict.id")


class Sighting(Base):
    __tablename__ = "sighting"
    __table_args__ = (Index(None, "listing_id", "observed_at"), UniqueConstraint("run_id", "listing_id"))
    id: Mapped[int] = mapped_column(primary_key=True)
    listing_id: Mapped[int] = mapped_column(ForeignKey("listing.id"))
    run_id: Mapped[str] = mapped_column(ForeignKey("crawl_run.run_id"))
    state: Mapped[Presence]
    reason: Mapped[str]
    vantage: Mapped[str]
    observed_at: Mapped[datetime]
    recorded_at: Mapped[datetime]
    http_status: Mapped[int | None]
    final_url: Mapped[str | None]
    evidence: Mapped[str | None]
    run: Mapped[CrawlRun] = relationship()


class Verdict(Base):
    """What the classifier said about one snapshot; every version is kept, and the newest holds."""

    __tablename__ = "verdict"
    __table_args__ = (
        # a version judges a snapshot once, unless it comes back and replaces another's verdict
        Index(
            "uq_verdict_first",
            "snapshot_id",
            "model_version",
            "lexicon_version",
            unique=True,
            sqlite_where=sa.text("replaces_id IS NULL"),
            postgresql_where=sa.text("replaces_id IS NULL"),
        ),
        Index("ix_verdict_newest", "snapshot_id", "id"),
    )
    id: Mapped[int] = mapped_column(primary_key=True)
    snapshot_id: Mapped[int] = mapped_column(ForeignKey("listing_snapshot.id"))
    label: Mapped[Label]
    score: Mapped[float]
    flagged: Mapped[bool]
    model_version: Mapped[str]
    lexicon_version: Mapped[str]
    # the whole classifiers.verdict.Verdict as JSON: scores, signals, claims
    payload: Mapped[dict[str, Any]]
    recorded_at: Mapped[datetime]
    # the snapshot's newest verdict until a rescan wrote this one
    replaces_id: Mapped[int | None] = mapped_column(ForeignKey("verdict.id"), unique=True)
    snapshot: Mapped[ListingSnapshot] = relationship(back_populates="verdicts")


class Flag(Base):
    """A listing crossed the threshold. The fact, apart from the verdict that caused it."""

    __tablename__ = "flag"
    id: Mapped[int] = mapped_column(primary_key=True)
    listing_id: Mapped[int] = mapped_column(ForeignKey("listing.id"), index=True)
    verdict_id: Mapped[int] = mapped_column(ForeignKey("verdict.id"), unique=True)
    created_at: Mapped[datetime]


class ReviewTask(Base):
    __tablename__ = "review_task"
    __table_args__ = (
        # one open task per listing
        Index(
            "uq_review_task_open",
            "listing_id",
            unique=True,
            sqlite_where=sa.text("state != 'decided'"),
            postgresql_where=sa.text("state != 'decided'"),
        ),
        Index("ix_review_task_queue", "state", "priority", "id"),
    )
    id: Mapped[int] = mapped_column(primary_key=True)
    listing_id: Mapped[int] = mapped_column(ForeignKey("listing.id"), index=True)
    snapshot_id: Mapped[int] = mapped_column(ForeignKey("listing_snapshot.id"))
    # disguise, relisted, tip, audit …
    queue: Mapped[str]
    # 0..1; the verdict's score for machine flags
    priority: Mapped[float]
    state: Mapped[TaskState]
    owner_id: Mapped[int | None] = mapped_column(ForeignKey("app_user.id"))
    lease_until: Mapped[datetime | None]
    # who skipped it last: it is not dealt to the same person again while others wait
    skipped_by_id: Mapped[int | None] = mapped_column(ForeignKey("app_user.id"))
    created_at: Mapped[datetime]
    version: Mapped[int] = mapped_column()
    listing: Mapped[Listing] = relationship()
    snapshot: Mapped[ListingSnapshot] = relationship()
    owner: Mapped[User | None] = relationship(foreign_keys=owner_id)
    __mapper_args__ = {"version_id_col": version}  # noqa: RUF012  (an instance attribute in SQLAlchemy's typing)


class Decision(Base):
    """A reviewer's immutable finding; a later one may override it."""

    __tablename__ = "decision"
    id: Mapped[int] = mapped_column(primary_key=True)
    task_id: Mapped[int] = mapped_column(ForeignKey("review_task.id"), index=True)
    listing_id: Mapped[int] = mapped_column(ForeignKey("listing.id"), index=True)
    # exactly what the reviewer had before them
    snapshot_id: Mapped[int] = mapped_column(ForeignKey("listing_snapshot.id"))
    verdict_id: Mapped[int | None] = mapped_column(ForeignKey("verdict.id"))
    reviewer_id: Mapped[int] = mapped_column(ForeignKey("app_user.id"))
    finding: Mapped[Finding]
    # the kind of violation; null unless the finding is a violation
    category: Mapped[Label | None]
    # why it is no violation; required for not_violation
    reason: Mapped[str | None]
    note: Mapped[str] = mapped_column(default="")
    decided_at: Mapped[datetime]
    overrides_id: Mapped[int | None] = mapped_column(ForeignKey("decision.id"), unique=True)
    reviewer: Mapped[User] = relationship()
    listing: Mapped[Listing] = relationship()
    snapshot: Mapped[ListingSnapshot] = relationship()


class Lead(Base):
    """One listing × one confirmed finding, with a human number."""

    __tablename__ = "lead"
    id: Mapped[int] = mapped_column(primary_key=True)
    number: Mapped[str] = mapped_column(unique=True)
    listing_id: Mapped[int] = mapped_column(ForeignKey("listing.id"), index=True)
    decision_id: Mapped[int] = mapped_column(ForeignKey("decision.id"), unique=True)
    state: Mapped[LeadState]
    created_at: Mapped[datetime]
    sent_at: Mapped[datetime | None]
    closed_at: Mapped[datetime | None]
    # the newest verification's outcome, for lists; null while nothing can be said yet
    outcome: Mapped[VerificationOutcome | None]
    # until when what was seen and said of it is judged; null: it is to be judged anew
    judged_at: Mapped[datetime | None]
    previous_lead_id: Mapped[int | None] = mapped_column(ForeignKey("lead.id"))
    version: Mapped[int] = mapped_column()
    listing: Mapped[Listing] = relationship()
    decision: Mapped[Decision] = relationship()
    responses: Mapped[list[PlatformResponse]] = relationship(
        order_by="(PlatformResponse.received_at, PlatformResponse.id)"
    )
    verifications: Mapped[list[Verification]] = relationship(order_by="Verification.id")
    notices: Mapped[list[Notice]] = relationship(secondary="notice_lead", back_populates="leads")
    __mapper_args__ = {"version_id_col": version}  # noqa: RUF012  (an instance attribute in SQLAlchemy's typing)


class Notice(Base):
    """One dispatch of leads to one platform."""

    __tablename__ = "notice"
    id: Mapped[int] = mapped_column(primary_key=True)
    number: Mapped[str] = mapped_column(unique=True)
    platform: Mapped[str] = mapped_column(index=True)
    channel: Mapped[str]
    recipient: Mapped[str]
    state: Mapped[NoticeState]
    lang: Mapped[str]
    subject: Mapped[str]
    body: Mapped[str]
    author_id: Mapped[int] = mapped_column(ForeignKey("app_user.id"))
    approver_id: Mapped[int | None] = mapped_column(ForeignKey("app_user.id"))
    created_at: Mapped[datetime]
    approved_at: Mapped[datetime | None]
    sent_at: Mapped[datetime | None]
    # when the platform signed for it (签收)
    acknowledged_at: Mapped[datetime | None]
    version: Mapped[int] = mapped_column()
    leads: Mapped[list[Lead]] = relationship(
        secondary="notice_lead", back_populates="notices", order_by="Lead.number"
    )
    author: Mapped[User] = relationship(foreign_keys=author_id)
    approver: Mapped[User | None] = relationship(foreign_keys=approver_id)
    # the notice itself, once for each approval, and its reminders
    dispatches: Mapped[list[Dispatch]] = relationship(order_by="Dispatch.id")
    __mapper_args__ = {"version_id_col": version}  # noqa: RUF012  (an instance attribute in SQLAlchemy's typing)


class NoticeLead(Base):
    __tablename__ = "notice_lead"
    notice_id: Mapped[int] = mapped_column(ForeignKey("notice.id"), primary_key=True)
    lead_id: Mapped[int] = mapped_column(ForeignKey("lead.id"), primary_key=True, index=True)


class PlatformResponse(Base):
    """What a platform says it did: a claim, never a finding."""

    __tablename__ = "platform_response"
    __table_args__ = (UniqueConstraint("lead_id", "measure", "claimed_at"),)
    id: Mapped[int] = mapped_column(primary_key=True)
    lead_id: Mapped[int] = mapped_column(ForeignKey("lead.id"))
    measure: Mapped[Measure]
    # when the platform says it acted, if it says so
    claimed_at: Mapped[datetime | None]
    received_at: Mapped[datetime]
    recorded_at: Mapped[datetime]
    text: Mapped[str] = mapped_column(default="")
    # file and row, or message id, it was read from
    source: Mapped[str]


class Verification(Base):
    """Our finding about a lead, written each time it changes; the newest holds."""

    __tablename__ = "verification"
    id: Mapped[int] = mapped_column(primary_key=True)
    lead_id: Mapped[int] = mapped_column(ForeignKey("lead.id"), index=True)
    outcome: Mapped[VerificationOutcome]
    # the event's own time: first absent check, first check back up …
    observed_at: Mapped[datetime]
    recorded_at: Mapped[datetime]
    # ids of the sightings and claims it rests on
    basis: Mapped[dict[str, Any]]


class Relisting(Base):
    """A removed listing that came back: at its old address or as another listing."""

    __tablename__ = "relisting"
    __table_args__ = (UniqueConstraint("lead_id", "listing_id", "kind"),)
    id: Mapped[int] = mapped_column(primary_key=True)
    lead_id: Mapped[int] = mapped_column(ForeignKey("lead.id"))
    listing_id: Mapped[int] = mapped_column(ForeignKey("listing.id"), index=True)
    kind: Mapped[RelistingKind]
    # 1.0: the same
    similarity: Mapped[float]
    observed_at: Mapped[datetime]
    recorded_at: Mapped[datetime]
    lead: Mapped[Lead] = relationship()
    listing: Mapped[Listing] = relationship()


class NumberSeries(Base):
    """The last serial given out for a kind of document in a year."""

    __tablename__ = "number_series"
    kind: Mapped[str] = mapped_column(primary_key=True)
    year: Mapped[int] = mapped_column(primary_key=True)
    last: Mapped[int]


class AuditEntry(Base):
    """hash = SHA-256(previous hash + canonical JSON of the other columns)."""

    __tablename__ = "audit_entry"
    seq: Mapped[int] = mapped_column(primary_key=True)
    at: Mapped[datetime]
    actor: Mapped[str]
    action: Mapped[str]
    subject: Mapped[str]
    payload: Mapped[dict[str, Any]]
    previous_hash: Mapped[str] = mapped_column(unique=True)
    hash: Mapped[str] = mapped_column(unique=True)


class ReportRun(Base):
    __tablename__ = "report_run"
    __table_args__ = (UniqueConstraint("period", "version"),)
    id: Mapped[int] = mapped_column(primary_key=True)
    period: Mapped[str]
    version: Mapped[int] = mapped_column()
    as_of: Mapped[datetime]
    created_at: Mapped[datetime]
    input_digest: Mapped[str]
    # file name → SHA-256
    outputs: Mapped[dict[str, Any]]
