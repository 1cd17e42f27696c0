"""Few who share something are tied by it, many are not, and the order of rows changes nothing."""

from __future__ import annotations

from itertools import combinations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from takedowns.ledger.vocabulary import LinkReason
from takedowns.networks import TOGETHER, WEIGHTS, Shown, groups, links, networks, ties

SHOWN = st.builds(
    Shown, st.sampled_from(LinkReason), st.sampled_from("abc"), st.integers(1, 8), st.integers(1, 20)
)
EVERYBODY = range(1, 1000)


def made(*shown, suspects=EVERYBODY):
    return [network.sellers for network in networks(links(shown, suspects))]


def shops(reason, value, *sellers):
    return [Shown(reason, value, seller, 100 + seller) for seller in sellers]


def test_one_private_contact_ties_shops_and_one_picture_does_not():
    assert made(*shops(LinkReason.CONTACT, "a", 1, 2, 3)) == [(1, 2, 3)]
    assert made(*shops(LinkReason.PICTURE, "a", 1, 2)) == []


@pytest.mark.parametrize("reason", LinkReason)
def test_what_stands_everywhere_ties_nobody(reason):
    weight = WEIGHTS[reason]
    everywhere = shops(reason, "a", *range(1, weight.most + 2))
    assert list(links(everywhere, EVERYBODY)) == []
    strengths = [weight.strength(sellers) for sellers in range(2, weight.most + 1)]
    assert strengths == sorted(strengths, reverse=True)
    assert 0 < strengths[-1] <= strengths[0] == weight.between_two < 1


@pytest.mark.parametrize("reason", set(LinkReason) - {LinkReason.CONTACT})
def test_no_other_reason_makes_a_network_alone_however_often_it_is_found(reason):
    often = [one for value in "abcdefgh" for one in shops(reason, value, 1, 2)]
    assert made(*often) == []


def test_weak_reasons_of_two_kinds_add_up():
    both = [*shops(LinkReason.PICTURE, "a", 1, 2), *shops(LinkReason.TEXT, "b", 1, 2)]
    assert made(*both) == [(1, 2)]
    (tie,) = ties(links(both, EVERYBODY))
    assert tie.strength == pytest.approx(1 - 0.55 * 0.5)
    assert [link.reason for link in tie.links] == [LinkReason.TEXT, LinkReason.PICTURE]
    assert tie.links[0].listings == (101, 102)


def test_what_two_blameless_shops_share_is_none_of_our_business():
    shared = shops(LinkReason.CONTACT, "a", 1, 2, 3)
    assert made(*shared, suspects={2}) == [(1, 2, 3)]
    assert made(*shared, suspects={9}) == []
    assert {(link.seller_id, link.other_id) for link in links(shared, {2})} == {(1, 2), (2, 3)}


def test_the_largest_network_comes_first_and_is_called_by_its_first_shop():
    shared = [*shops(LinkReason.CONTACT, "a", 7, 5), *shops(LinkReason.CONTACT, "b", 9, 8, 6)]
    found = networks(links(shared, EVERYBODY))
    assert [(network.id, network.sellers) for network in found] == [(6, (6, 8, 9)), (5, (5, 7))]


@given(st.lists(SHOWN, max_size=40), st.randoms(use_true_random=False))
def test_the_order_of_what_is_shown_changes_nothing(shown, chance):
    mixed = chance.sample(shown, len(shown))
    assert networks(links(shown, EVERYBODY)) == networks(links(mixed, EVERYBODY))


@given(st.lists(SHOWN, max_size=40), st.sets(st.integers(1, 8)))
def test_networks_are_apart_and_their_ties_hold(shown, suspects):
    found = networks(links(shown, suspects))
    assert all(not set(a.sellers) & set(b.sellers) for a, b in combinations(found, 2))
    for network in found:
        assert set(network.sellers) & suspects
        assert {end for tie in network.ties for end in (tie.seller_id, tie.other_id)} == set(network.sellers)
        assert all(TOGETHER <= tie.strength < 1 for tie in network.ties)


def test_nothing_has_no_groups():
    nothing = np.empty(0, np.int64)
    assert groups(0, nothing, nothing) == []
    assert networks([]) == []
