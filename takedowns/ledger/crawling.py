"""The tables of crawls, their work and their samples; :mod:`takedowns.ledger.tables` holds all together."""

from __future__ import annotations

from datetime import datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy import ForeignKey, Index, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from crawlers.listing import Presence
from crawlers.rundir import Arm
from takedowns.ledger.vocabulary import Base, Errand, RunState, WorkState


class CrawlRun(Base):
    __tablename__ = "crawl_run"
    run_id: Mapped[str] = mapped_column(primary_key=True)
    kind: Mapped[str]
    platform: Mapped[str] = mapped_column(index=True)
    state: Mapped[RunState]
    started_at: Mapped[datetime]
    finished_at: Mapped[datetime | None]
    recorded_at: Mapped[datetime]
    simulated: Mapped[bool] = mapped_column(default=False)
    arm: Mapped[Arm] = mapped_column(default=Arm.TARGETED)
    # False: the run failed or its canary pair did, so nothing may be inferred from its sightings
    trusted: Mapped[bool] = mapped_column(default=True)
    # made by the run; while it is running, what it may make at most
    requests: Mapped[int] = mapped_column(default=0)
    # answers that refused us: 403 and 429
    refusals: Mapped[int] = mapped_column(default=0)
    # the end of the longest silence that an answer asked for
    silent_until: Mapped[datetime | None]
    # the machine that has it; null in rows of earlier releases
    host: Mapped[str | None]
    stats: Mapped[dict[str, Any]]


class WorkItem(Base):
    """One thing that a crawl has to do: search a term, look at a listing, draw a sample.

    It stays open until a run has done it, whatever becomes of the runs in between.
    """

    __tablename__ = "work_item"
    __table_args__ = (
        # the same thing is never waiting twice
        Index(
            "uq_work_item_open",
            "platform",
            "kind",
            "subject",
            unique=True,
            sqlite_where=sa.text("state IN ('open', 'running')"),
            postgresql_where=sa.text("state IN ('open', 'running')"),
        ),
        Index("ix_work_item_run", "run_id"),
        Index("ix_work_item_subject", "platform", "kind", "subject"),
    )
    id: Mapped[int] = mapped_column(primary_key=True)
    arm: Mapped[Arm]
    kind: Mapped[str]
    platform: Mapped[str]
    # a search term, an item id, or the planned time of a sample
    subject: Mapped[str]
    state: Mapped[WorkState]
    # the run that has it or had it last
    run_id: Mapped[str | None] = mapped_column(ForeignKey("crawl_run.run_id"))
    # runs that broke off with it in hand
    attempts: Mapped[int] = mapped_column(default=0)
    # of a target: crawlers.rundir.Target without its item id; of anything else: empty
    detail: Mapped[dict[str, Any]]
    created_at: Mapped[datetime]
    finished_at: Mapped[datetime | None]
    version: Mapped[int] = mapped_column()
    __mapper_args__ = {"version_id_col": version}  # noqa: RUF012  (an instance attribute in SQLAlchemy's typing)


class ListingDraw(Base):
    """A result position that the random arm drew, with how likely that was, and what was seen there."""

    __tablename__ = "listing_draw"
    __table_args__ = (UniqueConstraint("run_id", "query", "position"),)
    id: Mapped[int] = mapped_column(primary_key=True)
    run_id: Mapped[str] = mapped_column(ForeignKey("crawl_run.run_id"))
    stratum: Mapped[str]
    query: Mapped[str]
    # from 1
    position: Mapped[int]
    item_id: Mapped[str]
    # null where the page could not be read and the listing is not known otherwise
    listing_id: Mapped[int | None] = mapped_column(ForeignKey("listing.id"), index=True)
    # what its page said then; null unless it was up
    snapshot_id: Mapped[int | None] = mapped_column(ForeignKey("listing_snapshot.id"))
    # of this position; see crawlers.sampling.Draw for all three
    probability: Mapped[float]
    multiplicity: Mapped[int]
    listing_probability: Mapped[float]
    # blocked and error are non-response
    state: Mapped[Presence]
    reason: Mapped[str]
    observed_at: Mapped[datetime]
    recorded_at: Mapped[datetime]
    evidence: Mapped[str | None]


class PersonTask(Base):
    """Something about a platform that only a person can do, e.g. look why it walled us off."""

    __tablename__ = "person_task"
    __table_args__ = (
        # one of a kind and platform at a time
        Index(
            "uq_person_task_open",
            "platform",
            "kind",
            unique=True,
            sqlite_where=sa.text("done_at IS NULL"),
            postgresql_where=sa.text("done_at IS NULL"),
        ),
    )
    id: Mapped[int] = mapped_column(primary_key=True)
    platform: Mapped[str]
    kind: Mapped[Errand]
    run_id: Mapped[str] = mapped_column(ForeignKey("crawl_run.run_id"))
    # for the person, in English as all messages of runs are
    message: Mapped[str]
    created_at: Mapped[datetime]
    done_at: Mapped[datetime | None]
    done_by_id: Mapped[int | None] = mapped_column(ForeignKey("app_user.id"))
