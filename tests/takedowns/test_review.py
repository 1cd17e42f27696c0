from __future__ import annotations

import threading
from datetime import datetime, timedelta
from typing import Any

import pytest
import sqlalchemy as sa

from classifiers.verdict import Label
from takedowns import review
from takedowns.ledger import audit
from takedowns.ledger.engine import Ledger
from takedowns.ledger.tables import AuditEntry, Decision, Lead, ReviewTask, User
from takedowns.ledger.vocabulary import Finding, Role
from takedowns.roles import NotAllowedError
from takedowns.settings import Settings
from takedowns.states import LeadState, TaskState

MINUTE = timedelta(minutes=1)


@pytest.fixture
def colleague(ledger: Ledger, make: Any) -> User:
    with ledger.write() as session:
        return make.user(session, login="colleague")


def _queue(ledger: Ledger, make: Any, *priorities: float) -> list[int]:
    with ledger.write() as session:
        return [make.task(session, priority=priority).id for priority in priorities]


def _next(ledger: Ledger, user: User, now: datetime, settings: Settings, **more: Any) -> ReviewTask | None:
    with ledger.write() as session:
        return review.next_task(session, user, now=now, settings=settings, **more)


def _decide(
    ledger: Ledger, task: ReviewTask, user: User, now: datetime, settings: Settings, **given: Any
) -> Decision:
    fields = {"finding": Finding.VIOLATION, "category": Label.DISGUISED_MEDICAL, **given}
    finding = fields.pop("finding")
    version = fields.pop("version", task.version)
    with ledger.write() as session:
        return review.decide(session, task.id, user, version, finding, now=now, settings=settings, **fields)


def test_the_most_urgent_task_comes_first(ledger, make, analyst, now, settings):
    _, urgent, _ = _queue(ledger, make, 0.2, 0.9, 0.5)
    task = _next(ledger, analyst, now, settings)
    assert task.id == urgent
    assert task.state is TaskState.LEASED
    assert task.lease_until == now + 5 * MINUTE


def test_an_empty_queue_gives_nothing(ledger, make, analyst, now, settings):
    _queue(ledger, make, 0.5)
    assert _next(ledger, analyst, now, settings, queue="relisted") is None


def test_two_people_get_two_tasks(ledger, make, analyst, colleague, now, settings):
    _queue(ledger, make, 0.9, 0.5)
    mine, theirs = (_next(ledger, user, now, settings) for user in (analyst, colleague))
    assert mine.id != theirs.id
    assert _next(ledger, colleague, now, settings).id == theirs.id


def test_my_own_leased_task_comes_back_first_and_keeps_its_version(ledger, make, analyst, now, settings):
    _queue(ledger, make, 0.9, 0.5)
    first = _next(ledger, analyst, now, settings)
    again = _next(ledger, analyst, now + MINUTE, settings)
    assert (again.id, again.version) == (first.id, first.version)
    assert again.lease_until == now + 6 * MINUTE


def test_an_expired_lease_returns_to_the_queue(ledger, make, analyst, colleague, now, settings):
    (only,) = _queue(ledger, make, 0.9)
    _next(ledger, analyst, now, settings)
    assert _next(ledger, colleague, now + 4 * MINUTE, settings) is None
    assert _next(ledger, colleague, now + 5 * MINUTE, settings).id == only


def test_a_skipped_task_comes_back_to_me_only_when_nothing_else_waits(ledger, make, analyst, now, settings):
    skipped, other = _queue(ledger, make, 0.9, 0.1)
    task = _next(ledger, analyst, now, settings)
    with ledger.write() as session:
        review.skip(session, task.id, analyst, task.version, now=now)
    task = _next(ledger, analyst, now, settings)
    assert task.id == other
    _decide(ledger, task, analyst, now, settings)
    assert _next(ledger, analyst, now, settings).id == skipped


def test_a_task_that_i_skipped_is_dealt_to_others(ledger, make, analyst, colleague, now, settings):
    skipped, _ = _queue(ledger, make, 0.9, 0.1)
    task = _next(ledger, analyst, now, settings)
    with ledger.write() as session:
        review.skip(session, task.id, analyst, task.version, now=now)
    assert _next(ledger, colleague, now, settings).id == skipped


def test_opening_more_than_one_may_hold_is_refused(ledger, make, analyst, now, settings):
    ids = _queue(ledger, make, *[0.5] * 6)
    with ledger.write() as session:
        for task_id in ids[:5]:
            review.lease(session, task_id, analyst, now=now, settings=settings)
        with pytest.raises(review.TooManyHeldError):
            review.lease(session, ids[5], analyst, now=now, settings=settings)
        review.lease(session, ids[0], analyst, now=now, settings=settings)  # one of mine is no new one


def test_a_task_before_another_cannot_be_opened(ledger, make, analyst, colleague, now, settings):
    _queue(ledger, make, 0.5)
    task = _next(ledger, analyst, now, settings)
    with ledger.write() as session, pytest.raises(review.NotYourTaskError, match="another reviewer"):
        review.lease(session, task.id, colleague, now=now, settings=settings)


def test_a_renewed_lease_is_longer_and_lost_ones_are_not_renewed(
    ledger, make, analyst, colleague, now, settings
):
    _queue(ledger, make, 0.5)
    task = _next(ledger, analyst, now, settings)
    with ledger.write() as session:
        until = review.renew(session, task.id, analyst, now=now + 3 * MINUTE, settings=settings)
    assert until == now + 8 * MINUTE
    assert _next(ledger, colleague, now + 6 * MINUTE, settings) is None
    assert _next(ledger, colleague, now + 9 * MINUTE, settings).id == task.id
    with ledger.write() as session, pytest.raises(review.NotYourTaskError):
        review.renew(session, task.id, analyst, now=now + 9 * MINUTE, settings=settings)


def test_a_violation_makes_a_numbered_lead_in_the_same_transaction(ledger, make, analyst, now, settings):
    _queue(ledger, make, 0.9, 0.5)
    for serial in (1, 2):
        decision = _decide(ledger, _next(ledger, analyst, now, settings), analyst, now, settings)
        with ledger.read() as session:
            lead = session.scalars(sa.select(Lead).where(Lead.decision_id == decision.id)).one()
            assert (lead.number, lead.state) == (f"2026-0000-0000{serial}", LeadState.READY)
            assert decision.verdict_id is not None
    with ledger.read() as session:
        assert list(audit.verify(session)) == []
        last = session.scalars(sa.select(AuditEntry).order_by(AuditEntry.seq.desc())).first()
    assert (last.action, last.actor, last.payload["lead"]) == ("task.decide", "analyst", "2026-0000-00002")


def test_a_lawful_listing_makes_no_lead(ledger, make, analyst, now, settings):
    _queue(ledger, make, 0.9)
    task = _next(ledger, analyst, now, settings)
    _decide(
        ledger,
        task,
        analyst,
        now,
        settings,
        finding=Finding.NOT_VIOLATION,
        category=None,
        reason="lawful_drink",
    )
    with ledger.read() as session:
        assert session.scalars(sa.select(Lead)).all() == []
        assert session.get(ReviewTask, task.id).state is TaskState.DECIDED


@pytest.mark.parametrize(
    ("finding", "category", "reason", "field"),
    [
        (Finding.VIOLATION, None, None, "category"),
        (Finding.VIOLATION, Label.BENIGN, None, "category"),
        (Finding.VIOLATION, Label.ECIG_OVERT, "duplicate", "reason"),
        (Finding.NOT_VIOLATION, Label.ECIG_OVERT, "lawful_drink", "category"),
        (Finding.NOT_VIOLATION, None, None, "reason"),
        (Finding.NOT_VIOLATION, None, "looked fine", "reason"),
        (Finding.UNDETERMINED, None, "because", "reason"),
    ],
)
def test_an_incomplete_decision_is_refused(
    sqlite_ledger, make, analyst, now, settings, finding, category, reason, field
):
    _queue(sqlite_ledger, make, 0.9)
    task = _next(sqlite_ledger, analyst, now, settings)
    with pytest.raises(review.InvalidDecisionError) as refused:
        _decide(
            sqlite_ledger, task, analyst, now, settings, finding=finding, category=category, reason=reason
        )
    assert refused.value.field == field


def test_a_stale_page_decides_nothing(ledger, make, analyst, colleague, now, settings):
    _queue(ledger, make, 0.9)
    mine = _next(ledger, analyst, now, settings)
    theirs = _next(ledger, colleague, now + 6 * MINUTE, settings)
    with pytest.raises(review.StaleTaskError):
        _decide(ledger, mine, analyst, now + 6 * MINUTE, settings)
    _decide(ledger, theirs, colleague, now + 6 * MINUTE, settings)
    with pytest.raises(review.StaleTaskError, match="decided"):
        _decide(ledger, theirs, colleague, now + 6 * MINUTE, settings)


def test_a_decision_needs_the_lease(ledger, make, analyst, colleague, now, settings):
    _queue(ledger, make, 0.9)
    task = _next(ledger, analyst, now, settings)
    with pytest.raises(review.NotYourTaskError):
        _decide(ledger, task, colleague, now, settings)


def test_a_queued_task_cannot_be_decided_unopened(ledger, make, analyst, now, settings):
    (task_id,) = _queue(ledger, make, 0.9)
    with ledger.read() as session:
        task = session.get(ReviewTask, task_id)
    with pytest.raises(review.NotYourTaskError):
        _decide(ledger, task, analyst, now, settings)


def test_an_expired_lease_that_nobody_took_still_counts(ledger, make, analyst, now, settings):
    _queue(ledger, make, 0.9)
    task = _next(ledger, analyst, now, settings)
    assert _decide(ledger, task, analyst, now + 60 * MINUTE, settings).finding is Finding.VIOLATION


@pytest.mark.parametrize("who", [{"role": Role.OPERATOR}, {"role": Role.ADMIN, "active": False}])
def test_operators_and_closed_accounts_decide_nothing(sqlite_ledger, make, now, settings, who):
    _queue(sqlite_ledger, make, 0.9)
    with sqlite_ledger.write() as session:
        user = make.user(session, **who)
    with pytest.raises(NotAllowedError):
        _next(sqlite_ledger, user, now, settings)


def test_undo_overrides_the_decision_withdraws_the_lead_and_brings_the_task_back(
    ledger, make, analyst, now, settings
):
    _queue(ledger, make, 0.9, 0.95)
    decision = _decide(ledger, _next(ledger, analyst, now, settings), analyst, now, settings)
    with ledger.write() as session:
        task = review.undo(session, decision.id, analyst, now=now, settings=settings)
    assert (task.state, task.owner_id) == (TaskState.LEASED, analyst.id)
    again = _decide(ledger, task, analyst, now, settings, category=Label.ECIG_OVERT)
    with ledger.read() as session:
        states = session.scalars(sa.select(Lead.state).order_by(Lead.id)).all()
        findings = session.scalars(sa.select(Decision.finding).order_by(Decision.id)).all()
        assert list(audit.verify(session)) == []
    assert states == [LeadState.WITHDRAWN, LeadState.READY]
    assert findings == [Finding.VIOLATION, Finding.UNDETERMINED, Finding.VIOLATION]
    assert again.overrides_id is not None


def test_a_decision_is_undone_once(ledger, make, analyst, now, settings):
    _queue(ledger, make, 0.9)
    decision = _decide(ledger, _next(ledger, analyst, now, settings), analyst, now, settings)
    with ledger.write() as session:
        review.undo(session, decision.id, analyst, now=now, settings=settings)
    with ledger.write() as session, pytest.raises(review.TooLateToUndoError):
        review.undo(session, decision.id, analyst, now=now, settings=settings)


def test_a_sent_lead_is_not_undone(ledger, make, analyst, now, settings):
    _queue(ledger, make, 0.9)
    decision = _decide(ledger, _next(ledger, analyst, now, settings), analyst, now, settings)
    with ledger.write() as session:
        lead = session.scalars(sa.select(Lead)).one()
        lead.state, lead.sent_at = LeadState.SENT, now
    with ledger.write() as session, pytest.raises(review.TooLateToUndoError, match="sent already"):
        review.undo(session, decision.id, analyst, now=now, settings=settings)


def test_only_a_supervisor_undoes_the_decision_of_another(
    ledger, make, analyst, supervisor, colleague, now, settings
):
    _queue(ledger, make, 0.9)
    decision = _decide(ledger, _next(ledger, analyst, now, settings), analyst, now, settings)
    with ledger.write() as session:
        with pytest.raises(NotAllowedError):
            review.undo(session, decision.id, colleague, now=now, settings=settings)
        assert (
            review.undo(session, decision.id, supervisor, now=now, settings=settings).owner_id
            == supervisor.id
        )


def test_undo_while_new_content_of_the_listing_waits_gives_that_task(ledger, make, analyst, now, settings):
    _queue(ledger, make, 0.9)
    task = _next(ledger, analyst, now, settings)
    decision = _decide(ledger, task, analyst, now, settings)
    with ledger.write() as session:
        listing = session.get(ReviewTask, task.id).listing
        newer = make.task(session, make.snapshot(session, listing, title="电子烟"))
        assert review.undo(session, decision.id, analyst, now=now, settings=settings).id == newer.id


def test_a_held_task_stays_mine_beyond_the_lease(ledger, make, analyst, colleague, now, settings):
    _queue(ledger, make, 0.9)
    task = _next(ledger, analyst, now, settings)
    with ledger.write() as session:
        task = review.hold(session, task.id, analyst, task.version, now=now)
    assert _next(ledger, colleague, now + 600 * MINUTE, settings) is None
    with ledger.write() as session:
        with pytest.raises(NotAllowedError):
            review.release(session, task.id, colleague, task.version, now=now)
        review.release(session, task.id, analyst, task.version, now=now)
    assert _next(ledger, colleague, now, settings).id == task.id


def test_an_escalated_task_is_decided_by_a_supervisor(ledger, make, analyst, supervisor, now, settings):
    _queue(ledger, make, 0.9)
    task = _next(ledger, analyst, now, settings)
    with ledger.write() as session:
        task = review.escalate(session, task.id, analyst, task.version, note="批文真假不明", now=now)
    assert _next(ledger, analyst, now, settings) is None
    with pytest.raises(NotAllowedError):
        _decide(ledger, task, analyst, now, settings)
    decided = _decide(ledger, task, supervisor, now, settings, note="批文\x00真假\ud800不明")
    assert (decided.reviewer_id, decided.note) == (supervisor.id, r"批文\u0000真假\ud800不明")


def test_acts_on_decided_tasks_name_the_state(sqlite_ledger, make, analyst, now, settings):
    _queue(sqlite_ledger, make, 0.9)
    task = _next(sqlite_ledger, analyst, now, settings)
    _decide(sqlite_ledger, task, analyst, now, settings)
    with sqlite_ledger.write() as session, pytest.raises(review.TaskStateError, match="decided"):
        review.lease(session, task.id, analyst, now=now, settings=settings)
    with sqlite_ledger.write() as session, pytest.raises(review.UnknownTaskError):
        review.lease(session, 10**6, analyst, now=now, settings=settings)


def test_people_working_at_once_decide_every_task_exactly_once(ledger, make, now, settings):
    ids = _queue(ledger, make, *[0.5] * 24)
    with ledger.write() as session:
        people = [make.user(session) for _ in range(4)]

    def work(user: User) -> None:
        while (task := _next(ledger, user, now, settings)) is not None:
            _decide(ledger, task, user, now, settings)

    threads = [threading.Thread(target=work, args=(user,)) for user in people]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    with ledger.read() as session:
        decided = session.scalars(sa.select(Decision.task_id)).all()
        numbers = session.scalars(sa.select(Lead.number).order_by(Lead.number)).all()
        assert list(audit.verify(session)) == []
    assert sorted(decided) == sorted(ids)
    assert numbers == [f"2026-0000-{serial:05}" for serial in range(1, 25)]
