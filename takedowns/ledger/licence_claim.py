"""The table of licence numbers, which :mod:`takedowns.ledger.tables` holds with all others."""

from __future__ import annotations

from sqlalchemy import ForeignKey, Index, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from takedowns.ledger.vocabulary import Base


class LicenceClaim(Base):
    """A licence or product number that a verdict found on its snapshot. Append-only, as verdicts are."""

    __tablename__ = "licence_claim"
    __table_args__ = (
        UniqueConstraint("verdict_id", "kind", "number"),
        Index("ix_licence_claim_number", "kind", "number", "id"),
    )
    id: Mapped[int] = mapped_column(primary_key=True)
    verdict_id: Mapped[int] = mapped_column(ForeignKey("verdict.id"))
    # as in classifiers.verdict.Claim
    kind: Mapped[str]
    # as classifiers.claims.number writes it: equal ones compare equal
    number: Mapped[str]
    status: Mapped[str]
