"""The ledger's vocabulary: the enums that columns hold, the time type, and the declarative base."""

from __future__ import annotations

from datetime import UTC, datetime
from decimal import Decimal
from enum import StrEnum
from typing import Any, ClassVar

import sqlalchemy as sa
from sqlalchemy.orm import DeclarativeBase

from classifiers.verdict import Label
from crawlers.listing import Presence, SellerKind
from crawlers.rundir import Arm
from takedowns.states import HandoverState, LeadState, NoticeState, TaskState, TipState


class UtcDateTime(sa.TypeDecorator[datetime]):
    """An aware UTC time on both databases; a naive one is refused."""

    impl = sa.DateTime(timezone=True)
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: sa.Dialect) -> datetime | None:  # noqa: ARG002
        if value is None:
            return None
        if value.tzinfo is None:
            raise ValueError(f"a time without zone would be ambiguous: {value.isoformat()}")
        return value.astimezone(UTC)

    def process_result_value(self, value: datetime | None, dialect: sa.Dialect) -> datetime | None:  # noqa: ARG002
        if value is None:
            return None
        return value.replace(tzinfo=UTC) if value.tzinfo is None else value.astimezone(UTC)


class Finding(StrEnum):
    """What a reviewer holds to be so."""

    VIOLATION = "violation"
    NOT_VIOLATION = "not_violation"
    UNDETERMINED = "undetermined"
    INVALID = "invalid"


class Measure(StrEnum):
    """What a platform says it did."""

    DELETED = "deleted"
    BLOCKED = "blocked"
    LINK_CUT = "link_cut"
    SHOP_CLOSED = "shop_closed"
    ACCOUNT_CLOSED = "account_closed"
    MINI_PROGRAM_CLOSED = "mini_program_closed"
    NONE = "none"
    REFUSED = "refused"
    DISPUTED = "disputed"


REMOVAL_CLAIMS = frozenset(
    {
        Measure.DELETED,
        Measure.BLOCKED,
        Measure.LINK_CUT,
        Measure.SHOP_CLOSED,
        Measure.ACCOUNT_CLOSED,
        Measure.MINI_PROGRAM_CLOSED,
    }
)


class VerificationOutcome(StrEnum):
    """What we found ourselves about a lead."""

    REMOVED_VERIFIED = "removed_verified"
    REMOVED_UNCLAIMED = "removed_unclaimed"
    GONE_BEFORE = "gone_before"
    ALTERED = "altered"
    FALSE_CLAIM = "false_claim"
    NOT_REMOVED = "not_removed"
    UNVERIFIABLE = "unverifiable"
    RELISTED = "relisted"


class RelistingKind(StrEnum):
    SAME_URL = "same_url"
    SAME_TEXT = "same_text"
    SAME_IMAGE = "same_image"


class LinkReason(StrEnum):
    """What two sellers share."""

    LICENCE = "licence"
    CONTACT = "contact"
    PICTURE = "picture"
    TEXT = "text"
    PRICE = "price"


class DispatchKind(StrEnum):
    NOTICE = "notice"
    REMINDER = "reminder"
    ESCALATION = "escalation"
    HANDOVER = "handover"


class DispatchState(StrEnum):
    WAITING = "waiting"
    SENT = "sent"
    FAILED = "failed"  # given up: a person has to look
    CANCELLED = "cancelled"


class TrayState(StrEnum):
    OPEN = "open"
    MATCHED = "matched"
    DISMISSED = "dismissed"


class Cleaned(StrEnum):
    """What platforms count when they tell what they cleaned."""

    INFORMATION = "information"
    MERCHANT = "merchant"
    ACCOUNT = "account"
    MINI_PROGRAM = "mini_program"


class RunState(StrEnum):
    RUNNING = "running"
    OK = "ok"
    PARTIAL = "partial"
    BLOCKED = "blocked"
    FAILED = "failed"
    MISSED = "missed"


class WorkState(StrEnum):
    OPEN = "open"
    RUNNING = "running"
    DONE = "done"
    GIVEN_UP = "given_up"


class Errand(StrEnum):
    """Why a person has to look at a platform."""

    BLOCKED = "blocked"  # it walled us off: listings have to be sampled by hand, or access agreed on
    UNHEALTHY = "unhealthy"  # what we read there makes no sense any more: the profile has to be mended
    UNREACHABLE = "unreachable"  # nothing answered: the address or the network is to be looked at
    GIVEN_UP = "given_up"  # the same work broke off again and again


class Role(StrEnum):
    OPERATOR = "operator"
    ANALYST = "analyst"
    SUPERVISOR = "supervisor"
    ADMIN = "admin"


class Base(DeclarativeBase):
    # Names every constraint, so that migrations can alter them on both databases.
    metadata = sa.MetaData(
        naming_convention={
            "ix": "ix_%(table_name)s_%(column_0_N_name)s",
            "uq": "uq_%(table_name)s_%(column_0_N_name)s",
            "ck": "ck_%(table_name)s_%(constraint_name)s",
            "fk": "fk_%(table_name)s_%(column_0_N_name)s",
            "pk": "pk_%(table_name)s",
        }
    )
    type_annotation_map: ClassVar[dict[Any, Any]] = {
        datetime: UtcDateTime(),
        dict[str, Any]: sa.JSON(),
        list[Any]: sa.JSON(),
        Decimal: sa.Numeric(14, 2),
        **{
            enum: sa.Enum(enum, native_enum=False, length=32, values_callable=lambda e: [m.value for m in e])
            for enum in (
                Arm,
                Cleaned,
                DispatchKind,
                DispatchState,
                Errand,
                Finding,
                HandoverState,
                Label,
                LeadState,
                LinkReason,
                Measure,
                NoticeState,
                Presence,
                RelistingKind,
                Role,
                RunState,
                SellerKind,
                TaskState,
                TipState,
                TrayState,
                VerificationOutcome,
                WorkState,
            )
        },
    }
