"""The tables of what listings and sellers share; :mod:`takedowns.ledger.tables` holds all together."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import CheckConstraint, ForeignKey, Index, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from crawlers.listing import Presence
from takedowns.ledger.vocabulary import Base, LinkReason


class Picture(Base):
    """A picture in the evidence store; the same bytes once."""

    __tablename__ = "picture"
    sha256: Mapped[str] = mapped_column(primary_key=True)
    media_type: Mapped[str]
    size: Mapped[int]
    # of classifiers.image_hash, in hex; null for what could not be read, with the reason in ``unread``
    perceptual_hash: Mapped[str | None] = mapped_column(index=True)
    unread: Mapped[str | None]
    recorded_at: Mapped[datetime]


class PictureAddress(Base):
    """Where a picture was fetched."""

    __tablename__ = "picture_address"
    # SHA-256 of the address, in hex: addresses can be longer than an index takes
    digest: Mapped[str] = mapped_column(primary_key=True)
    url: Mapped[str]
    sha256: Mapped[str] = mapped_column(ForeignKey("picture.sha256"), index=True)
    fetched_at: Mapped[datetime]
    run_id: Mapped[str]


class ListingPicture(Base):
    """A listing showed a picture."""

    __tablename__ = "listing_picture"
    listing_id: Mapped[int] = mapped_column(ForeignKey("listing.id"), primary_key=True)
    sha256: Mapped[str] = mapped_column(ForeignKey("picture.sha256"), primary_key=True, index=True)
    observed_at: Mapped[datetime]


class ContactHash(Base):
    """A private handle that a listing shows, as a keyed hash: it links, and tells nobody the handle."""

    __tablename__ = "contact_hash"
    __table_args__ = (Index("ix_contact_hash_digest", "kind", "digest"),)
    listing_id: Mapped[int] = mapped_column(ForeignKey("listing.id"), primary_key=True)
    # by its form: phone, number, name, qr
    kind: Mapped[str] = mapped_column(primary_key=True)
    # HMAC-SHA-256 of the handle, in hex
    digest: Mapped[str] = mapped_column(primary_key=True)
    observed_at: Mapped[datetime]


class SellerLink(Base):
    """A reason to think that one operator stands behind two sellers; the smaller id comes first."""

    __tablename__ = "seller_link"
    __table_args__ = (
        UniqueConstraint("seller_id", "other_id", "reason", "value"),
        CheckConstraint("seller_id < other_id", name="order"),
        Index("ix_seller_link_other", "other_id"),
    )
    id: Mapped[int] = mapped_column(primary_key=True)
    seller_id: Mapped[int] = mapped_column(ForeignKey("seller.id"))
    other_id: Mapped[int] = mapped_column(ForeignKey("seller.id"))
    reason: Mapped[LinkReason]
    # what they share, fit to be shown: a licence number, a picture's or contact's hash
    value: Mapped[str]
    # 0..1: how much it says of one operator
    strength: Mapped[float]
    # the listings it was seen on
    basis: Mapped[dict[str, Any]]
    recorded_at: Mapped[datetime]


class SellerSighting(Base):
    """A look at the page of a shop, an account or a mini-program."""

    __tablename__ = "seller_sighting"
    __table_args__ = (
        UniqueConstraint("run_id", "seller_id"),
        Index("ix_seller_sighting_seller", "seller_id", "observed_at"),
    )
    id: Mapped[int] = mapped_column(primary_key=True)
    seller_id: Mapped[int] = mapped_column(ForeignKey("seller.id"))
    run_id: Mapped[str] = mapped_column(ForeignKey("crawl_run.run_id"))
    state: Mapped[Presence]
    reason: Mapped[str]
    vantage: Mapped[str]
    observed_at: Mapped[datetime]
    recorded_at: Mapped[datetime]
    evidence: Mapped[str | None]


class Control(Base):
    """A flagged listing that is watched and not reported: how many vanish by themselves.

    Drawn by chance, so that those drawn are like those reported; a violation found in review is reported
    all the same, and ends its part in the group.
    """

    __tablename__ = "control"
    listing_id: Mapped[int] = mapped_column(ForeignKey("listing.id"), primary_key=True)
    # what put it among those that are drawn from
    flag_id: Mapped[int] = mapped_column(ForeignKey("flag.id"), index=True)
    drawn_at: Mapped[datetime]
    # with which it was drawn
    probability: Mapped[float]
    # when it was reported after all, or found lawful
    left_at: Mapped[datetime | None]
