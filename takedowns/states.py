"""The state machines as transition tables, and the one pure function that reads them.

A finding (what we hold true of a listing) is never a state: a lead may be answered and still up.
"""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum
from typing import TypeVar


class TaskState(StrEnum):
    QUEUED = "queued"
    LEASED = "leased"
    ON_HOLD = "on_hold"
    ESCALATED = "escalated"
    SECOND_REVIEW = "second_review"
    DECIDED = "decided"


class TaskEvent(StrEnum):
    LEASE = "lease"
    RELEASE = "release"
    HOLD = "hold"
    ESCALATE = "escalate"
    DECIDE = "decide"
    REQUEST_SECOND = "request_second"
    REOPEN = "reopen"


class LeadState(StrEnum):
    READY = "ready"
    SENT = "sent"
    ACKNOWLEDGED = "acknowledged"
    RESPONDED = "responded"
    CLOSED = "closed"
    WITHDRAWN = "withdrawn"


class LeadEvent(StrEnum):
    SEND = "send"
    ACKNOWLEDGE = "acknowledge"
    RESPOND = "respond"
    CLOSE = "close"
    REOPEN = "reopen"
    WITHDRAW = "withdraw"


class NoticeState(StrEnum):
    DRAFT = "draft"
    APPROVED = "approved"
    SENT = "sent"
    SEND_FAILED = "send_failed"
    ACKNOWLEDGED = "acknowledged"
    ANSWERED = "answered"
    LAPSED = "lapsed"
    CANCELLED = "cancelled"


class NoticeEvent(StrEnum):
    APPROVE = "approve"
    RECALL = "recall"
    RETRY = "retry"
    SEND = "send"
    FAIL = "fail"
    ACKNOWLEDGE = "acknowledge"
    ANSWER = "answer"
    LAPSE = "lapse"
    CANCEL = "cancel"


class TipState(StrEnum):
    NEW = "new"
    LINKED = "linked"  # it led to a listing, which goes its own way
    DISMISSED = "dismissed"


class TipEvent(StrEnum):
    LINK = "link"
    DISMISS = "dismiss"


class HandoverState(StrEnum):
    PACKED = "packed"
    SENT = "sent"
    RECEIVED = "received"
    CLOSED = "closed"


class HandoverEvent(StrEnum):
    SEND = "send"
    CONFIRM = "confirm"
    ANSWER = "answer"  # we, what was handed to us
    LEARN = "learn"  # from the other office, what came of what we handed over
    CLOSE = "close"


TASK: Mapping[tuple[TaskState, TaskEvent], TaskState] = {
    (TaskState.QUEUED, TaskEvent.LEASE): TaskState.LEASED,
    (TaskState.LEASED, TaskEvent.LEASE): TaskState.LEASED,
    (TaskState.LEASED, TaskEvent.RELEASE): TaskState.QUEUED,
    (TaskState.LEASED, TaskEvent.HOLD): TaskState.ON_HOLD,
    (TaskState.LEASED, TaskEvent.ESCALATE): TaskState.ESCALATED,
    (TaskState.LEASED, TaskEvent.DECIDE): TaskState.DECIDED,
    (TaskState.ON_HOLD, TaskEvent.RELEASE): TaskState.QUEUED,
    (TaskState.ON_HOLD, TaskEvent.DECIDE): TaskState.DECIDED,
    (TaskState.ESCALATED, TaskEvent.DECIDE): TaskState.DECIDED,
    (TaskState.DECIDED, TaskEvent.REQUEST_SECOND): TaskState.SECOND_REVIEW,
    (TaskState.SECOND_REVIEW, TaskEvent.DECIDE): TaskState.DECIDED,
    (TaskState.DECIDED, TaskEvent.REOPEN): TaskState.QUEUED,
}

LEAD: Mapping[tuple[LeadState, LeadEvent], LeadState] = {
    (LeadState.READY, LeadEvent.SEND): LeadState.SENT,
    (LeadState.READY, LeadEvent.WITHDRAW): LeadState.WITHDRAWN,
    # gone before it was sent: nothing to ask of the platform
    (LeadState.READY, LeadEvent.CLOSE): LeadState.CLOSED,
    (LeadState.SENT, LeadEvent.ACKNOWLEDGE): LeadState.ACKNOWLEDGED,
    (LeadState.SENT, LeadEvent.RESPOND): LeadState.RESPONDED,
    (LeadState.SENT, LeadEvent.CLOSE): LeadState.CLOSED,
    (LeadState.SENT, LeadEvent.WITHDRAW): LeadState.WITHDRAWN,
    (LeadState.ACKNOWLEDGED, LeadEvent.RESPOND): LeadState.RESPONDED,
    (LeadState.ACKNOWLEDGED, LeadEvent.CLOSE): LeadState.CLOSED,
    (LeadState.ACKNOWLEDGED, LeadEvent.WITHDRAW): LeadState.WITHDRAWN,
    # a platform may correct its answer
    (LeadState.RESPONDED, LeadEvent.RESPOND): LeadState.RESPONDED,
    (LeadState.RESPONDED, LeadEvent.CLOSE): LeadState.CLOSED,
    (LeadState.RESPONDED, LeadEvent.WITHDRAW): LeadState.WITHDRAWN,
    # a late answer is kept, and changes nothing that we found
    (LeadState.CLOSED, LeadEvent.RESPOND): LeadState.CLOSED,
    # what it was closed for fell: looks that came in late speak against it
    (LeadState.CLOSED, LeadEvent.REOPEN): LeadState.SENT,
}

NOTICE: Mapping[tuple[NoticeState, NoticeEvent], NoticeState] = {
    (NoticeState.DRAFT, NoticeEvent.APPROVE): NoticeState.APPROVED,
    (NoticeState.DRAFT, NoticeEvent.CANCEL): NoticeState.CANCELLED,
    (NoticeState.APPROVED, NoticeEvent.RECALL): NoticeState.DRAFT,
    (NoticeState.APPROVED, NoticeEvent.CANCEL): NoticeState.CANCELLED,
    (NoticeState.APPROVED, NoticeEvent.SEND): NoticeState.SENT,
    (NoticeState.APPROVED, NoticeEvent.FAIL): NoticeState.SEND_FAILED,
    (NoticeState.SEND_FAILED, NoticeEvent.RECALL): NoticeState.DRAFT,
    # a person tries again what was given up
    (NoticeState.SEND_FAILED, NoticeEvent.RETRY): NoticeState.APPROVED,
    (NoticeState.SEND_FAILED, NoticeEvent.SEND): NoticeState.SENT,
    (NoticeState.SEND_FAILED, NoticeEvent.CANCEL): NoticeState.CANCELLED,
    (NoticeState.SENT, NoticeEvent.ACKNOWLEDGE): NoticeState.ACKNOWLEDGED,
    (NoticeState.SENT, NoticeEvent.ANSWER): NoticeState.ANSWERED,
    (NoticeState.SENT, NoticeEvent.LAPSE): NoticeState.LAPSED,
    (NoticeState.ACKNOWLEDGED, NoticeEvent.ANSWER): NoticeState.ANSWERED,
    (NoticeState.ACKNOWLEDGED, NoticeEvent.LAPSE): NoticeState.LAPSED,
    (NoticeState.ANSWERED, NoticeEvent.ANSWER): NoticeState.ANSWERED,
    (NoticeState.LAPSED, NoticeEvent.ANSWER): NoticeState.ANSWERED,
}

TIP: Mapping[tuple[TipState, TipEvent], TipState] = {
    (TipState.NEW, TipEvent.LINK): TipState.LINKED,
    (TipState.NEW, TipEvent.DISMISS): TipState.DISMISSED,
    # it was another listing, or a person read the title that no crawl could
    (TipState.LINKED, TipEvent.LINK): TipState.LINKED,
    # its page went before anybody saw it
    (TipState.LINKED, TipEvent.DISMISS): TipState.DISMISSED,
    # the link turned up after all
    (TipState.DISMISSED, TipEvent.LINK): TipState.LINKED,
}

HANDOVER: Mapping[tuple[HandoverState, HandoverEvent], HandoverState] = {
    (HandoverState.PACKED, HandoverEvent.SEND): HandoverState.SENT,
    # somebody carried the file there: whoever confirms it has it
    (HandoverState.PACKED, HandoverEvent.CONFIRM): HandoverState.RECEIVED,
    (HandoverState.PACKED, HandoverEvent.CLOSE): HandoverState.CLOSED,
    (HandoverState.SENT, HandoverEvent.CONFIRM): HandoverState.RECEIVED,
    (HandoverState.SENT, HandoverEvent.LEARN): HandoverState.RECEIVED,
    (HandoverState.SENT, HandoverEvent.CLOSE): HandoverState.CLOSED,
    (HandoverState.RECEIVED, HandoverEvent.ANSWER): HandoverState.CLOSED,
    (HandoverState.RECEIVED, HandoverEvent.LEARN): HandoverState.RECEIVED,
    (HandoverState.RECEIVED, HandoverEvent.CLOSE): HandoverState.CLOSED,
    # a late answer is kept
    (HandoverState.CLOSED, HandoverEvent.LEARN): HandoverState.CLOSED,
}

S = TypeVar("S", bound=StrEnum)
E = TypeVar("E", bound=StrEnum)


class InvalidTransitionError(ValueError):
    """The step is not allowed from the present state."""

    def __init__(self, state: StrEnum, event: StrEnum) -> None:
        super().__init__(f"{event.value!r} is not possible while {state.value!r}")
        self.state = state
        self.event = event


def step(table: Mapping[tuple[S, E], S], state: S, event: E) -> S:
    """Return the state after ``event``; raise :class:`InvalidTransitionError` where the table has none."""
    try:
        return table[state, event]
    except KeyError:
        raise InvalidTransitionError(state, event) from None
