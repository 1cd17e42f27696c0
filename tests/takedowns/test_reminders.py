from __future__ import annotations

from collections import Counter
from datetime import UTC, date, datetime, timedelta

import pytest
import sqlalchemy as sa
from hypothesis import given
from hypothesis import strategies as st

from crawlers.lead_channel import Rung
from crawlers.listing import Presence
from takedowns import configuration, deadlines, dispatches, notices, outbox, reminders
from takedowns.ledger import audit
from takedowns.ledger.tables import Dispatch, Lead, Listing, Notice, NoticeStep
from takedowns.ledger.vocabulary import DispatchKind, DispatchState
from takedowns.reminders import due_rung
from takedowns.settings import Notices
from takedowns.states import LeadState, NoticeState

DAY = timedelta(days=1)
LADDER = (Rung(after_working_days=4), Rung(after_working_days=8, kind="escalation"))
CALENDAR = deadlines.load(configuration.SHIPPED / "holidays.yml")
MONDAY = datetime(2026, 10, 12, 1, 30, tzinfo=UTC)  # 09:30 in Shanghai


def _at(day: int) -> datetime:
    return MONDAY + (day - 12) * DAY


@pytest.mark.parametrize(
    ("day", "climbed", "due"),
    [
        (16, [], None),  # Friday, the fourth working day: not over yet
        (17, [], 0),
        (17, [0], None),
        (22, [0], None),
        (23, [0], 1),
        (23, [], 1),  # the first one was slept through, and is passed over
        (23, [1], None),
        (30, [0, 1], None),
    ],
)
def test_a_rung_is_due_once_when_its_working_days_are_over(day: int, climbed: list[int], due: int) -> None:
    assert due_rung(LADDER, MONDAY, climbed, now=_at(day), calendar=CALENDAR) == due


def test_holidays_are_no_working_days() -> None:
    before = datetime(2026, 9, 30, 1, 30, tzinfo=UTC)  # the National Day is from 1 to 7 October
    first = next(
        d for d in range(60) if due_rung(LADDER, before, [], now=before + d * DAY, calendar=CALENDAR) == 0
    )
    assert (before + first * DAY).date() == date(2026, 10, 13)


@given(
    st.lists(st.integers(1, 40), min_size=1, max_size=5, unique=True).map(sorted),
    st.lists(st.integers(0, 90), min_size=1, max_size=12).map(sorted),
)
def test_whenever_one_looks_each_rung_is_climbed_at_most_once_and_never_downwards(
    after: list[int], looks: list[int]
) -> None:
    ladder = [Rung(after_working_days=days) for days in after]
    climbed: list[int] = []
    for look in looks:
        rung = due_rung(ladder, MONDAY, climbed, now=MONDAY + look * DAY, calendar=CALENDAR)
        if rung is not None:
            assert deadlines.due(MONDAY, after[rung], CALENDAR) <= MONDAY + look * DAY
            climbed.append(rung)
    assert climbed == sorted(set(climbed))


@pytest.fixture
def sent(ledger, make, analyst, supervisor, platform, bureau):
    """A notice of two leads that went on Monday; the ladder is the default one."""
    settings, now = bureau.settings, bureau.clock()
    bureau.settings = settings.model_copy(update={"notices": Notices(hold_minutes=0, two_person=True)})
    with ledger.write() as session:
        found = [make.lead(session, make.decision(session, make.task(session), analyst)) for _ in range(2)]
        notice = notices.draft(session, platform, found, analyst, now=now, settings=settings)
        notices.approve(session, notice.id, supervisor, notice.version, now=now, settings=settings)
        dispatches.succeed(session.scalars(sa.select(Dispatch)).one(), "250 OK", sent_at=now)
        notices.mark_sent(session, notice, "system:test", sent_at=now, now=now)
        return notice


def _climb(bureau, day: int) -> Counter[str]:
    bureau.clock.now = _at(day)
    return reminders.climb(bureau)


def _reminders(ledger) -> list[Dispatch]:
    with ledger.read() as session:
        assert list(audit.verify(session)) == []
        rows = sa.select(Dispatch).where(Dispatch.kind != DispatchKind.NOTICE).order_by(Dispatch.id)
        return list(session.scalars(rows))


def test_a_reminder_is_written_once_and_goes_in_the_thread_of_its_notice(bureau, ledger, sent, mail_server):
    assert _climb(bureau, 16) == {}
    assert _climb(bureau, 17) == {}  # Saturday
    assert _climb(bureau, 19) == {"reminder": 1}
    assert _climb(bureau, 19) == {}
    (reminder,) = _reminders(ledger)
    with ledger.read() as session:
        step = session.scalars(sa.select(NoticeStep)).one()
    assert (step.notice_id, step.rung, step.dispatch_id) == (sent.id, 0, reminder.id)
    outbox.send_due(bureau)
    (mail,) = mail_server.mails
    with ledger.read() as session:
        first = session.scalars(sa.select(Dispatch).where(Dispatch.kind == DispatchKind.NOTICE)).one()
    assert (mail["Message-ID"], mail["In-Reply-To"]) == (reminder.idempotency_key, first.idempotency_key)
    assert mail["To"] == "notices@shop.invalid"


def test_the_ladder_ends_with_a_lapse_that_closes_no_lead(bureau, ledger, sent):
    done = []
    for day in range(12, 60):
        done += [(day, kind) for kind in _climb(bureau, day).elements()]
        outbox.send_due(bureau)
    # 19 October is the Monday after the fourth working day; three days after the escalation it lapses
    assert done == [(19, "reminder"), (23, "escalation"), (29, "lapse")]
    with ledger.read() as session:
        assert session.get_one(Notice, sent.id).state is NoticeState.LAPSED
        assert set(session.scalars(sa.select(Lead.state))) == {LeadState.SENT}


def test_a_notice_does_not_lapse_while_its_last_letter_did_not_leave(bureau, ledger, sent):
    for day in (19, 23, 30, 33):
        assert "lapse" not in _climb(bureau, day)
    assert [one.state for one in _reminders(ledger)] == [DispatchState.WAITING] * 2


def test_only_unanswered_leads_are_named_and_always_as_suspected(bureau, ledger, make, sent):
    answered, silent = _leads(ledger)
    with ledger.write() as session:
        make.response(session, session.get_one(Lead, answered.id))
        session.get_one(Lead, answered.id).state = LeadState.RESPONDED
        make.sighting(
            session, session.get_one(Listing, silent.listing_id), state=Presence.UP, observed_at=_at(18)
        )
    _climb(bureau, 19)
    body = _reminders(ledger)[0].body
    assert (answered.number in body, silent.number in body) == (False, True)
    assert "其中 1 条线索已收到贵平台反馈" in body
    assert "2026-10-18 09:30（北京时间），该页面仍可访问" in body
    assert body.count("涉嫌") >= 3


@pytest.mark.parametrize("seen", [Presence.GONE, Presence.BLOCKED, Presence.ERROR, None])
def test_a_page_that_was_not_seen_up_is_not_said_to_be_up(bureau, ledger, make, sent, seen):
    with ledger.write() as session:
        for lead in session.scalars(sa.select(Lead)):
            if seen:
                make.sighting(
                    session, session.get_one(Listing, lead.listing_id), state=seen, observed_at=_at(18)
                )
    _climb(bureau, 19)
    assert "仍可访问" not in _reminders(ledger)[0].body


def test_what_is_answered_meanwhile_is_not_reminded_of(bureau, ledger, sent, mail_server):
    _climb(bureau, 19)
    with ledger.write() as session:
        session.get_one(Notice, sent.id).state = NoticeState.ANSWERED
    outbox.send_due(bureau)
    assert [one.state for one in _reminders(ledger)] == [DispatchState.CANCELLED]
    assert mail_server.mails == []


def test_a_reminder_that_a_person_stopped_is_not_written_again(bureau, ledger, sent, analyst):
    _climb(bureau, 19)
    with ledger.write() as session:
        outbox.stop(
            session, notices.locked(session, sent.id), analyst, reason="telephoned", now=bureau.clock()
        )
    assert _climb(bureau, 20) == {}
    assert [one.state for one in _reminders(ledger)] == [DispatchState.CANCELLED]


def test_a_notice_whose_leads_are_all_settled_is_not_reminded_of(bureau, ledger, sent):
    with ledger.write() as session:
        for lead in session.scalars(sa.select(Lead)):
            lead.state = LeadState.CLOSED
    assert _climb(bureau, 19) == {}


def test_a_platform_has_its_own_ladder_and_an_escalation_its_own_recipient(bureau, ledger, platform, sent):
    rungs = (Rung(after_working_days=2, kind="escalation", to="legal@shop.invalid"),)
    own = platform.model_copy(update={"lead": platform.lead.model_copy(update={"ladder": rungs})})
    bureau.platforms[platform.name] = own
    assert _climb(bureau, 15) == {"escalation": 1}
    (escalation,) = _reminders(ledger)
    assert (escalation.kind, escalation.recipient) == (DispatchKind.ESCALATION, "legal@shop.invalid")


def test_both_languages_are_there(bureau, ledger, sent):
    with ledger.write() as session:
        session.get_one(Notice, sent.id).lang = "en"
    _climb(bureau, 19)
    (reminder,) = _reminders(ledger)
    assert reminder.subject.startswith("Reminder")
    assert "suspected" in reminder.body


def _leads(ledger):
    with ledger.read() as session:
        return session.scalars(sa.select(Lead).order_by(Lead.number)).all()


@pytest.fixture
def ledger(sqlite_ledger):
    return sqlite_ledger
