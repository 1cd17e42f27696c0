from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from crawlers.listing import Presence
from takedowns import control, removals
from takedowns.control import Member
from takedowns.judging import Look
from takedowns.ledger import audit, tables
from takedowns.ledger.vocabulary import Finding
from takedowns.settings import Removal
from takedowns.states import LeadState

HOUR, DAY = timedelta(hours=1), timedelta(days=1)
DRAWN = datetime(2026, 10, 12, 1, 30, tzinfo=UTC)
RULE = Removal()
UP, GONE = Presence.UP, Presence.GONE


def _member(*looks: tuple[float, Presence], left_on: float | None = None, probability: float = 0.1) -> Member:
    """Looks as (day, state)."""
    return Member(
        listing_id=1,
        drawn_at=DRAWN,
        probability=probability,
        left_at=None if left_on is None else DRAWN + left_on * DAY,
        looks=tuple(Look(i, state, DRAWN + day * DAY, "http") for i, (day, state) in enumerate(looks, 1)),
    )


def _counted(*members: Member, as_of: float = 40) -> list[tuple[int, int, int]]:
    found = control.spontaneous(members, RULE, as_of=DRAWN + as_of * DAY)
    return [(horizon.n, horizon.gone, horizon.censored) for horizon in found]


def test_what_vanished_counts_by_the_first_look_that_found_it_gone() -> None:
    assert _counted(_member((1, UP), (3, GONE), (5, GONE))) == [(1, 0, 0), (1, 1, 0), (1, 1, 0)]


def test_a_single_look_proves_nothing_and_what_stayed_must_have_been_seen() -> None:
    assert _counted(_member((1, UP), (3, GONE))) == [(1, 0, 1)] * 3
    assert _counted(_member((1, UP), (8, UP))) == [(1, 0, 0), (1, 0, 0), (1, 0, 1)]


def test_what_happens_after_it_was_reported_is_not_by_itself() -> None:
    member = _member((1, UP), (2.5, UP), (4, GONE), (6, GONE), left_on=3)
    assert control.vanished(member, RULE, as_of=DRAWN + 40 * DAY) is None
    assert _counted(member) == [(1, 0, 0), (1, 0, 1), (1, 0, 1)]


def test_each_counts_as_many_as_it_was_drawn_for() -> None:
    gone = _member((1, GONE), (2.5, GONE), probability=0.05)
    (two_days, *_) = control.spontaneous([gone, _member((9, UP))], RULE, as_of=DRAWN + 9 * DAY)
    assert (two_days.weight, two_days.weight_gone) == (pytest.approx(30), pytest.approx(20))


@given(
    st.lists(st.tuples(st.floats(0.1, 39), st.sampled_from([UP, GONE, Presence.BLOCKED])), max_size=12),
    st.none() | st.floats(0.1, 39),
)
def test_gone_stayed_and_unknown_are_all_there_is(looks, left_on) -> None:
    horizons = control.spontaneous([_member(*looks, left_on=left_on)], RULE, as_of=DRAWN + 40 * DAY)
    assert all(0 <= one.gone + one.censored <= one.n == 1 for one in horizons)
    assert [one.gone for one in horizons] == sorted(one.gone for one in horizons)


@pytest.fixture
def drawing(settings):
    return lambda share: settings.model_copy(
        update={"review": settings.review.model_copy(update={"control_share": share})}
    )


def _flagged(session, make, **given):
    task = make.task(session, **given)
    flag = tables.Flag(
        listing_id=task.listing_id, verdict_id=task.snapshot.verdicts[-1].id, created_at=make.now
    )
    session.add(flag)
    session.flush()
    return task


def _draw(ledger, now, settings):
    with ledger.write() as session:
        return {row.listing_id for row in control.draw(session, now=now, settings=settings)}


def test_the_drawn_are_watched_until_they_are_reported(ledger, make, analyst, now, drawing) -> None:
    with ledger.write() as session:
        task = _flagged(session, make)
        make.task(session)  # nobody flagged it
    assert _draw(ledger, now, drawing(1)) == {task.listing_id}
    assert _draw(ledger, now, drawing(1)) == set(), "nobody is drawn twice"
    with ledger.read() as session:
        (target,) = removals.due_for_recheck(session, platform="sample", now=now + DAY)
        assert (target.item_id, target.title) == (task.listing.item_id, task.snapshot.title)
        assert removals.due_for_recheck(session, platform="sample", now=now + 60 * DAY) == []
    with ledger.write() as session:
        decision = make.decision(session, session.get(tables.ReviewTask, task.id), analyst)
        make.lead(session, decision, state=LeadState.SENT, sent_at=now + 2 * DAY)
        (left,) = control.leave(session, now=now + 3 * DAY)
        assert left.left_at == now + 2 * DAY
        assert control.targets(session, "sample", now=now + 3 * DAY) == {}
        assert list(audit.verify(session)) == []


def test_one_found_lawful_leaves_too_and_none_is_drawn_later(ledger, make, analyst, now, drawing) -> None:
    with ledger.write() as session:
        tasks = [_flagged(session, make), _flagged(session, make)]
        make.decision(session, tasks[0], analyst, finding=Finding.NOT_VIOLATION, reason="lawful_drink")
    assert _draw(ledger, now, drawing(1)) == {tasks[1].listing_id}
    with ledger.write() as session:
        task = session.get(tables.ReviewTask, tasks[1].id)
        make.decision(session, task, analyst, finding=Finding.NOT_VIOLATION, reason="lawful_drink")
        assert [row.listing_id for row in control.leave(session, now=now + DAY)] == [tasks[1].listing_id]


def test_a_share_of_nothing_draws_nobody(sqlite_ledger, make, now, drawing) -> None:
    with sqlite_ledger.write() as session:
        _flagged(session, make)
    assert _draw(sqlite_ledger, now, drawing(0)) == set()


def test_the_lots_are_spread_evenly_and_hang_on_the_seed() -> None:
    lots = [control.lot_of("0000", "sample", str(number)) for number in range(2000)]
    assert 0.03 < sum(lot < 0.05 for lot in lots) / len(lots) < 0.07
    assert lots[0] == control.lot_of("0000", "sample", "0") != control.lot_of("0001", "sample", "0")


def test_members_come_with_their_looks(ledger, make, now, drawing) -> None:
    with ledger.write() as session:
        task = _flagged(session, make)
    _draw(ledger, now, drawing(1))
    with ledger.write() as session:
        for day in (1, 3):
            at = now + day * DAY
            make.sighting(
                session, session.get(tables.Listing, task.listing_id), observed_at=at, recorded_at=at
            )
        (member,) = control.members(session, drawn_from=now, drawn_until=now + DAY)
        assert control.vanished(member, RULE, as_of=now + 4 * DAY) == now + DAY
        (known,) = control.members(session, drawn_from=now, drawn_until=now + DAY, known_at=now + 2 * DAY)
        assert control.vanished(known, RULE, as_of=now + 4 * DAY) is None
        assert replace(member, looks=known.looks) == known
