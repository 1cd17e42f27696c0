"""Offers meet the leads that they may be comebacks of, without every pair being looked at."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from hypothesis import given, settings
from hypothesis import strategies as st

from takedowns.comebacks import Offer, Removed, by_picture, by_text, likeliest
from takedowns.neighbours import MOST

SENT = datetime(2026, 10, 12, tzinfo=UTC)
DAY = timedelta(days=1)
TEXT = "医用雾化器 便携 大容量 一次性 西瓜味"


def lead(number, seller=1, text=TEXT):
    return Removed(number, number, seller, SENT, text)


def offer(number, seller=1, text=TEXT, days=2):
    return Offer(1000 + number, seller, SENT + days * DAY, text)


def chosen(found):
    return {number: one.lead.lead_id for number, one in likeliest(found, lambda _lead: SENT + DAY).items()}


def test_its_own_sellers_lead_comes_before_a_newer_one_of_another():
    assert chosen(by_text([lead(1), lead(2, seller=2)], [offer(1)])) == {1001: 1}
    assert chosen(by_text([lead(1), lead(2)], [offer(1)])) == {1001: 2}
    nearly = TEXT.replace("西瓜", "薄荷")
    assert chosen(by_text([lead(1), lead(2, seller=2, text=nearly)], [offer(1, text=nearly)])) == {1001: 1}


def test_at_another_seller_a_short_or_changed_text_is_not_the_offer():
    short, changed = "雾化器 便携", TEXT.replace("西瓜", "薄荷")
    for words, there in ((TEXT, True), (short, False), (changed, False)):
        leads = [lead(1, text=short if words == short else TEXT)]
        assert bool(list(by_text(leads, [offer(1, seller=2, text=words)]))) is there
        assert list(by_text(leads, [offer(1, text=words)]))


def test_sellers_that_are_not_known_are_not_one():
    assert not list(
        by_text([lead(1, seller=None)], [offer(1, seller=None, text=TEXT.replace("西瓜", "薄荷"))])
    )
    assert not list(by_picture([(lead(1, seller=None), 7)], [(offer(1, seller=None), 7)]))


def test_what_was_there_while_the_old_one_was_up_did_not_come_back():
    assert chosen(by_text([lead(1)], [offer(1, days=1), offer(2, days=-1), offer(3)])) == {1003: 1}
    old = Offer(1, 1, SENT + 2 * DAY, TEXT)
    assert chosen(by_text([lead(1)], [old])) == {}


def test_thousands_of_leads_with_one_text_cost_no_square():
    leads = [lead(number, seller=number % 10) for number in range(3000)]
    found = list(by_text(leads, [offer(number, seller=3) for number in range(300)]))
    assert len(found) <= 2 * MOST * 300
    assert set(chosen(found).values()) == {2993}


@given(st.integers(0, 2**64 - 1), st.sets(st.integers(0, 63), max_size=8), st.integers(1, 2))
@settings(deadline=None)
def test_a_picture_counts_at_the_same_seller_and_within_the_radius(word, bits, seller):
    other = word ^ sum(1 << bit for bit in bits)
    found = list(by_picture([(lead(1), word)], [(offer(1, seller=seller), other)]))
    assert [one.likeness for one in found] == ([1 - len(bits) / 64] if seller == 1 and len(bits) <= 6 else [])
