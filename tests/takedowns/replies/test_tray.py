from __future__ import annotations

from datetime import timedelta

import pytest

from takedowns.ledger.tables import Lead
from takedowns.ledger.vocabulary import Measure, Role, TrayState
from takedowns.replies import claims as said
from takedowns.replies import tray
from takedowns.replies.claims import ReplyError
from takedowns.replies.columns import Reply
from takedowns.replies.tray import Answer, StrayStateError, UnknownStrayError
from takedowns.roles import NotAllowedError
from takedowns.states import LeadState


def test_a_stray_that_a_person_matches_becomes_a_claim_of_that_lead(
    ledger, sent, hand_in, claims, strays, analyst, now
):
    hand_in("9999,,已下架,2026-10-11,看备注")
    with ledger.write() as session:
        assert tray.match(session, 1, "2026-0000-01001", analyst, now=now + timedelta(hours=1)) == 1
    (claim,) = claims()
    assert (claim.lead_id, claim.measure, claim.text) == (sent[0].id, Measure.DELETED, "看备注")
    assert (claim.received_at, claim.recorded_at) == (now, now + timedelta(hours=1))
    (stray,) = strays()
    assert (stray.state, stray.lead_id, stray.handled_by_id) == (TrayState.MATCHED, sent[0].id, analyst.id)
    assert claim.source == stray.source


def test_where_its_own_words_are_not_clear_the_person_says_what_they_mean(
    sqlite_ledger, sent, hand_in, claims, strays, analyst, now
):
    hand_in("2026-0000-01001,,看心情,,嗯")
    with pytest.raises(ReplyError, match="name the measure"), sqlite_ledger.write() as session:
        tray.match(session, 1, "2026-0000-01001", analyst, now=now)
    with sqlite_ledger.write() as session:
        answer = Answer((Measure.REFUSED,), "电话确认")
        tray.match(session, 1, "2026-0000-01001", analyst, answer, now=now)
    assert claims()[0].measure is Measure.REFUSED
    assert strays()[0].note == "电话确认"


def test_what_is_dismissed_needs_a_reason_and_stays_to_be_read(
    ledger, sent, hand_in, claims, strays, analyst, now
):
    hand_in("9999,,已下架,,")
    with pytest.raises(ReplyError, match="why"), ledger.write() as session:
        tray.dismiss(session, 1, analyst, " ", now=now)
    with ledger.write() as session:
        tray.dismiss(session, 1, analyst, "不是我局的线索", now=now)
        assert tray.waiting(session) == []
    assert claims() == []
    assert (strays()[0].state, strays()[0].note) == (TrayState.DISMISSED, "不是我局的线索")


def test_of_two_people_the_second_is_told(ledger, sent, hand_in, claims, analyst, now):
    hand_in("9999,,已下架,,", "9998,,已下架,,")
    with ledger.write() as session:
        tray.dismiss(session, 1, analyst, "x", now=now)
    with pytest.raises(StrayStateError), ledger.write() as session:
        tray.match(session, 1, "2026-0000-01001", analyst, now=now)
    with pytest.raises(StrayStateError), ledger.write() as session:
        tray.dismiss(session, 2, analyst, "x", now=now, version=7)
    with pytest.raises(UnknownStrayError), ledger.write() as session:
        tray.dismiss(session, 3, analyst, "x", now=now)
    assert claims() == []


@pytest.mark.parametrize("change", [{"state": LeadState.WITHDRAWN}, {"sent_at": None}])
def test_no_answer_is_matched_or_entered_where_none_can_be(
    sqlite_ledger, sent, hand_in, analyst, now, change
):
    hand_in("9999,,已下架,,")
    with sqlite_ledger.write() as session:
        lead = session.get_one(Lead, sent[0].id)
        for column, value in change.items():
            setattr(lead, column, value)
    for number in ("2026-0000-01001", "2026-0000-77777"):
        with pytest.raises(ReplyError), sqlite_ledger.write() as session:
            tray.match(session, 1, number, analyst, now=now)
        with pytest.raises(ReplyError), sqlite_ledger.write() as session:
            said.enter(session, number, Reply((Measure.DELETED,), None, "", {}), analyst, now=now)


def test_an_answer_by_telephone_is_a_claim_like_any_other(ledger, sent, claims, analyst, now):
    with ledger.write() as session:
        reply = Reply((Measure.DELETED, Measure.SHOP_CLOSED), now, " 电话\x00 ", {})
        assert said.enter(session, "2026-0000-01001", reply, analyst, now=now) == 2
    assert [claim.text for claim in claims()] == [r"电话\u0000"] * 2
    assert claims()[0].source.startswith("desk:analyst:")


@pytest.mark.parametrize(
    ("reply", "complaint"),
    [(Reply((), None, "x", {}), "what the platform did"), (None, "future")],
)
def test_what_cannot_be_entered_is_said(sqlite_ledger, sent, analyst, now, reply, complaint):
    reply = reply or Reply((Measure.DELETED,), now + timedelta(days=1), "", {})
    with pytest.raises(ReplyError, match=complaint), sqlite_ledger.write() as session:
        said.enter(session, "2026-0000-01001", reply, analyst, now=now)


def test_only_reviewers_handle_the_tray(sqlite_ledger, sent, hand_in, make, now):
    hand_in("9999,,已下架,,")
    with sqlite_ledger.write() as session:
        operator = make.user(session, role=Role.OPERATOR)
        with pytest.raises(NotAllowedError):
            tray.match(session, 1, "2026-0000-01001", operator, now=now)
        with pytest.raises(NotAllowedError):
            tray.dismiss(session, 1, operator, "x", now=now)
        with pytest.raises(NotAllowedError):
            said.enter(session, "2026-0000-01001", Reply((Measure.NONE,), None, "", {}), operator, now=now)


def test_a_flood_of_mails_by_strangers_hides_no_other_answer(sqlite_ledger, make, now):
    received = [("mail#1:whole", None), ("mail#2:whole", None), ("a.csv#3:2", None), ("mail#4:7", "sample")]
    with sqlite_ledger.write() as session:
        for source, platform in received:
            tray.put(session, said.Received(source, now, now), {"a": "b"}, "why", platform)
        shown = [stray.source for stray in tray.waiting(session, at_most=3)]
    assert shown == ["a.csv#3:2", "mail#4:7", "mail#1:whole"]
