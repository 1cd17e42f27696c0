from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from takedowns import states
from takedowns.states import (
    HandoverState,
    InvalidTransitionError,
    LeadState,
    NoticeState,
    TaskState,
    TipState,
    step,
)

TABLES = {
    "task": (states.TASK, TaskState, states.TaskEvent, TaskState.QUEUED),
    "lead": (states.LEAD, LeadState, states.LeadEvent, LeadState.READY),
    "notice": (states.NOTICE, NoticeState, states.NoticeEvent, NoticeState.DRAFT),
    "tip": (states.TIP, TipState, states.TipEvent, TipState.NEW),
    "handover": (states.HANDOVER, HandoverState, states.HandoverEvent, HandoverState.PACKED),
}
every_table = pytest.mark.parametrize(
    ("table", "all_states", "all_events", "start"), TABLES.values(), ids=TABLES
)


@every_table
def test_only_the_listed_steps_succeed(
    table: Mapping[Any, Any], all_states: type[StrEnum], all_events: type[StrEnum], start: StrEnum
) -> None:
    for state in all_states:
        for event in all_events:
            if (state, event) in table:
                assert step(table, state, event) is table[state, event]
            else:
                with pytest.raises(InvalidTransitionError, match=f"'{event.value}' is not possible"):
                    step(table, state, event)


@every_table
def test_every_state_is_reachable_and_every_event_is_of_use(
    table: Mapping[Any, Any], all_states: type[StrEnum], all_events: type[StrEnum], start: StrEnum
) -> None:
    reached = {start}
    while more := {after for (before, _), after in table.items() if before in reached} - reached:
        reached |= more
    assert reached == set(all_states)
    assert {event for _, event in table} == set(all_events)


@given(st.lists(st.sampled_from(states.LeadEvent)))
def test_a_withdrawn_lead_never_comes_back_and_a_closed_one_only_when_its_finding_fell(
    events: list[states.LeadEvent],
) -> None:
    state = LeadState.READY
    for event in events:
        before = state
        try:
            state = step(states.LEAD, state, event)
        except InvalidTransitionError:
            continue
        assert before is not LeadState.WITHDRAWN
        assert before is not LeadState.CLOSED or state is LeadState.CLOSED or event is states.LeadEvent.REOPEN


@given(st.lists(st.sampled_from(states.NoticeEvent)))
def test_no_notice_is_sent_without_an_approval_before_and_none_is_sent_twice(
    events: list[states.NoticeEvent],
) -> None:
    state, done = NoticeState.DRAFT, []
    for event in events:
        try:
            state = step(states.NOTICE, state, event)
        except InvalidTransitionError:
            continue
        done.append(event)
    if states.NoticeEvent.SEND in done:
        assert done[0] is states.NoticeEvent.APPROVE
        assert done.count(states.NoticeEvent.SEND) == 1
