"""The targeted arm goes where violations were found, within its visits, and says why."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from takedowns.crawling.adaptive import Choice, Find, Search, plan

ALL_DAY = Choice(range(24), ("mist", "tea", "vape"))
CHOICES = {"corner": ALL_DAY, "mall": ALL_DAY}


def searches(times: int = 30, platforms=("corner", "mall"), terms=("mist", "tea", "vape")) -> list[Search]:
    """Each term in each hour, ``times`` times."""
    return [Search(p, hour, term) for p in platforms for hour in range(24) for term in terms] * times


def test_the_hours_and_terms_that_gave_most_come_first():
    finds = [Find(Search("corner", 3, "tea"))] * 9 + [Find(Search("mall", 22, "vape"))] * 6
    visits = plan(CHOICES, searches(), finds, visits=2, terms=1)
    assert [(v.platform, v.hour, v.terms) for v in visits] == [
        ("corner", 3, ("tea",)),
        ("mall", 22, ("vape",)),
    ]


def test_a_visit_says_why_it_is_there():
    finds = [Find(Search("corner", 3, "tea"))] * 9
    [visit] = plan(CHOICES, searches(), finds, visits=1, terms=1)
    assert visit.why.startswith("corner at 03:00 gave 9 from 90 searches")
    assert "0.082 a search, 0.002 on average" in visit.why


def test_a_find_of_a_seller_with_a_record_weighs_more():
    finds = [Find(Search("corner", 3, "tea"))] * 3 + [Find(Search("corner", 5, "tea"), record=2)] * 2
    [visit] = plan(CHOICES, searches(), finds, visits=1, terms=1)
    assert visit.hour == 5
    assert (
        Find(Search("corner", 5, "tea"), record=1000).weight
        == Find(Search("corner", 5, "tea"), record=3).weight
    )


def test_a_single_lucky_find_in_a_new_hour_does_not_beat_a_long_record():
    known = [Search("corner", 3, "tea")] * 100
    finds = [Find(Search("corner", 3, "tea"))] * 60 + [Find(Search("corner", 9, "tea"))]
    [visit] = plan({"corner": ALL_DAY}, [*known, Search("corner", 9, "tea")], finds, visits=1, terms=1)
    assert visit.hour in {3, 9}
    barren = [*known, *[Search("corner", hour, "tea") for hour in range(24) if hour != 3] * 40]
    [visit] = plan({"corner": ALL_DAY}, [*barren, Search("corner", 9, "tea")], finds, visits=1, terms=1)
    assert visit.hour == 3


def test_without_any_history_the_plan_is_there_and_spends_no_more_than_it_may():
    visits = plan(CHOICES, [], [], visits=3, terms=2)
    assert len(visits) == 3
    assert all(len(visit.terms) == 2 for visit in visits)


HISTORY = st.lists(
    st.builds(Search, st.sampled_from(["corner", "mall", "gone"]), st.integers(0, 23), st.text(max_size=2))
)


@given(
    HISTORY, st.lists(st.integers(0, 5)), st.integers(1, 24), st.integers(1, 4), st.sets(st.integers(0, 23))
)
def test_the_bounds_hold_whatever_happened_and_the_same_history_gives_the_same_plan(
    history, records, visits, terms, hours
):
    choices = {"corner": Choice(sorted(hours), ("mist", "tea", "vape")), "mall": ALL_DAY}
    finds = [Find(search, record) for search, record in zip(history, records, strict=False)]
    planned = plan(choices, history, finds, visits=visits, terms=terms)
    assert len(planned) <= visits
    assert len({(visit.platform, visit.hour) for visit in planned}) == len(planned)
    for visit in planned:
        assert visit.hour in choices[visit.platform].hours
        assert set(visit.terms) <= {"mist", "tea", "vape"}
        assert len(visit.terms) == min(terms, 3)
    assert planned == plan(
        choices, list(reversed(history)), list(reversed(finds)), visits=visits, terms=terms
    )
