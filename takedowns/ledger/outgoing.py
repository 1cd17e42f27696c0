"""The tables of what leaves the house; :mod:`takedowns.ledger.tables` holds all together."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import JSON, CheckConstraint, ForeignKey, Index, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column, relationship

from takedowns.ledger.vocabulary import Base, DispatchKind, DispatchState
from takedowns.states import HandoverState


class Dispatch(Base):
    """One thing that leaves the house once, as its receiver sees it: the outbox.

    Written in the transaction that decides it, delivered afterwards. Whoever gets it twice, because we died
    between delivery and commit, knows it by ``idempotency_key``.
    """

    __tablename__ = "dispatch"
    __table_args__ = (
        CheckConstraint("(notice_id IS NULL) <> (handover_id IS NULL)", name="one_subject"),
        Index("ix_dispatch_due", "state", "not_before"),
    )
    id: Mapped[int] = mapped_column(primary_key=True)
    kind: Mapped[DispatchKind]
    notice_id: Mapped[int | None] = mapped_column(ForeignKey("notice.id"), index=True)
    handover_id: Mapped[int | None] = mapped_column(ForeignKey("handover.id"), index=True)
    channel: Mapped[str]
    recipient: Mapped[str]
    subject: Mapped[str]
    body: Mapped[str]
    # the Message-ID of a mail, the header of a web hook, the file name of a drop
    idempotency_key: Mapped[str] = mapped_column(unique=True)
    state: Mapped[DispatchState]
    created_at: Mapped[datetime]
    # the end of the hold, or of the wait after a failed attempt; always in office hours
    not_before: Mapped[datetime]
    # since it last began to wait: a person who sends it again starts anew
    attempts: Mapped[int] = mapped_column(default=0)
    # start of the attempt under way; stays when that died, until the next one is done
    attempted_at: Mapped[datetime | None]
    # an attempt ended without word from the receiver: from then on it can only be sent again as it is
    may_have_arrived: Mapped[bool] = mapped_column(default=False)
    sent_at: Mapped[datetime | None]
    # what the receiver answered when it took it
    receipt: Mapped[str | None]
    failure: Mapped[str | None]
    version: Mapped[int] = mapped_column()
    files: Mapped[list[DispatchFile]] = relationship(
        order_by="DispatchFile.name", cascade="all, delete-orphan"
    )
    __mapper_args__ = {"version_id_col": version}  # noqa: RUF012  (an instance attribute in SQLAlchemy's typing)


class DispatchFile(Base):
    """An attachment, by its hash in the evidence store."""

    __tablename__ = "dispatch_file"
    dispatch_id: Mapped[int] = mapped_column(ForeignKey("dispatch.id"), primary_key=True)
    name: Mapped[str] = mapped_column(primary_key=True)
    sha256: Mapped[str]
    media_type: Mapped[str]
    size: Mapped[int]


class NoticeStep(Base):
    """A reminder or an escalation of an unanswered notice: each rung of its ladder is climbed once."""

    __tablename__ = "notice_step"
    __table_args__ = (UniqueConstraint("notice_id", "rung"),)
    id: Mapped[int] = mapped_column(primary_key=True)
    notice_id: Mapped[int] = mapped_column(ForeignKey("notice.id"))
    # 0 for the first
    rung: Mapped[int]
    dispatch_id: Mapped[int] = mapped_column(ForeignKey("dispatch.id"), unique=True)
    created_at: Mapped[datetime]


class Handover(Base):
    """A case file given to another bureau or the police, or got from one."""

    __tablename__ = "handover"
    __table_args__ = (
        # what another office sent under its number is taken in once
        UniqueConstraint("counterpart", "their_number"),
    )
    id: Mapped[int] = mapped_column(primary_key=True)
    number: Mapped[str] = mapped_column(unique=True)
    incoming: Mapped[bool]
    counterpart: Mapped[str]
    # bureau or police
    counterpart_kind: Mapped[str]
    their_number: Mapped[str | None]
    reason: Mapped[str]
    state: Mapped[HandoverState]
    # of the package, in the evidence store
    package_sha256: Mapped[str]
    created_at: Mapped[datetime]
    created_by_id: Mapped[int] = mapped_column(ForeignKey("app_user.id"))
    due_at: Mapped[datetime]
    sent_at: Mapped[datetime | None]
    # the other side's confirmation that it has the package
    receipt: Mapped[str | None]
    receipt_at: Mapped[datetime | None]
    result: Mapped[str | None]
    # of the package with the result, in the evidence store
    result_sha256: Mapped[str | None]
    closed_at: Mapped[datetime | None]
    version: Mapped[int] = mapped_column()
    leads: Mapped[list[HandoverLead]] = relationship(order_by="HandoverLead.number")
    __mapper_args__ = {"version_id_col": version}  # noqa: RUF012  (an instance attribute in SQLAlchemy's typing)


class HandoverLead(Base):
    """A lead in a case file: of ours, or with its ``facts`` as the other office wrote them."""

    __tablename__ = "handover_lead"
    handover_id: Mapped[int] = mapped_column(ForeignKey("handover.id"), primary_key=True)
    # ours or theirs
    number: Mapped[str] = mapped_column(primary_key=True)
    lead_id: Mapped[int | None] = mapped_column(ForeignKey("lead.id"), index=True)
    tip_id: Mapped[int | None] = mapped_column(ForeignKey("tip.id"), index=True)
    facts: Mapped[dict[str, Any]]
    # what came of it, as the office that has it says
    answer: Mapped[dict[str, Any] | None] = mapped_column(JSON(none_as_null=True))
