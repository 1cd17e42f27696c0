"""The tables of what comes in from outside; :mod:`takedowns.ledger.tables` holds all together."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import ForeignKey, Index, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from classifiers.verdict import Label
from takedowns.ledger.vocabulary import Base, Cleaned, TrayState
from takedowns.states import TipState


class InboxMessage(Base):
    """A mail or call of a web hook that was taken in; the same one is never taken in twice."""

    __tablename__ = "inbox_message"
    __table_args__ = (UniqueConstraint("inbox", "key"),)
    id: Mapped[int] = mapped_column(primary_key=True)
    # the mailbox or the hook it came by
    inbox: Mapped[str]
    # SHA-256 of the mail as received, or of the key under which a hook was called
    key: Mapped[str]
    sender: Mapped[str]
    subject: Mapped[str]
    received_at: Mapped[datetime]
    recorded_at: Mapped[datetime]
    # whether the sender is who may speak for the platform
    trusted: Mapped[bool]
    platform: Mapped[str | None]
    # what became of it, in numbers; or why nothing
    outcome: Mapped[dict[str, Any]]


class StrayResponse(Base):
    """An answer that fits no lead, or whose sender may not give it: it waits in the tray for a person."""

    __tablename__ = "stray_response"
    __table_args__ = (Index("ix_stray_response_state", "state", "id"),)
    id: Mapped[int] = mapped_column(primary_key=True)
    # file and row, or message and part, it was read from
    source: Mapped[str] = mapped_column(unique=True)
    platform: Mapped[str | None]
    cells: Mapped[dict[str, Any]]
    reason: Mapped[str]
    received_at: Mapped[datetime]
    recorded_at: Mapped[datetime]
    state: Mapped[TrayState]
    # what a person made of it
    lead_id: Mapped[int | None] = mapped_column(ForeignKey("lead.id"))
    handled_by_id: Mapped[int | None] = mapped_column(ForeignKey("app_user.id"))
    handled_at: Mapped[datetime | None]
    note: Mapped[str] = mapped_column(default="")
    version: Mapped[int] = mapped_column()
    __mapper_args__ = {"version_id_col": version}  # noqa: RUF012  (an instance attribute in SQLAlchemy's typing)


class CleaningReport(Base):
    """What a platform says it cleaned beyond the listing of a lead: so many of a kind. A claim."""

    __tablename__ = "cleaning_report"
    __table_args__ = (UniqueConstraint("source", "cleaned"),)
    id: Mapped[int] = mapped_column(primary_key=True)
    platform: Mapped[str] = mapped_column(index=True)
    # the lead it was done upon; null for what a platform did of its own accord
    lead_id: Mapped[int | None] = mapped_column(ForeignKey("lead.id"), index=True)
    cleaned: Mapped[Cleaned]
    quantity: Mapped[int]
    # whether the same file names each one (CleanedItem): then those are counted, not the quantity
    listed: Mapped[bool]
    claimed_at: Mapped[datetime | None]
    received_at: Mapped[datetime] = mapped_column(index=True)
    recorded_at: Mapped[datetime]
    source: Mapped[str]


class CleanedItem(Base):
    """One thing that a platform names as cleaned; named twice, it counts once."""

    __tablename__ = "cleaned_item"
    __table_args__ = (UniqueConstraint("platform", "cleaned", "identifier"),)
    id: Mapped[int] = mapped_column(primary_key=True)
    report_id: Mapped[int] = mapped_column(ForeignKey("cleaning_report.id"), index=True)
    platform: Mapped[str]
    cleaned: Mapped[Cleaned]
    identifier: Mapped[str]


class Tip(Base):
    """Something that the hotline, the public or another office told us. Nothing of who told it is kept."""

    __tablename__ = "tip"
    __table_args__ = (Index("ix_tip_order", "state", "due_at", "id"),)
    id: Mapped[int] = mapped_column(primary_key=True)
    number: Mapped[str] = mapped_column(unique=True)
    # hotline, public, bureau, police
    origin: Mapped[str]
    # the origin's own number, or the hash of what it says
    source: Mapped[str] = mapped_column(unique=True)
    text: Mapped[str]
    url: Mapped[str | None]
    platform: Mapped[str | None]
    item_id: Mapped[str | None]
    shop: Mapped[str | None]
    minors: Mapped[bool]
    # the kind of goods, where it says one
    category: Mapped[Label | None]
    received_at: Mapped[datetime]
    recorded_at: Mapped[datetime]
    due_at: Mapped[datetime]
    state: Mapped[TipState]
    listing_id: Mapped[int | None] = mapped_column(ForeignKey("listing.id"), index=True)
    handled_by_id: Mapped[int | None] = mapped_column(ForeignKey("app_user.id"))
    handled_at: Mapped[datetime | None]
    note: Mapped[str] = mapped_column(default="")
    version: Mapped[int] = mapped_column()
    __mapper_args__ = {"version_id_col": version}  # noqa: RUF012  (an instance attribute in SQLAlchemy's typing)
