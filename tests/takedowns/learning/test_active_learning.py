from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from takedowns.learning.active_learning import Candidate, boundary, most_telling_first


def test_what_lies_next_to_the_threshold_comes_first() -> None:
    titles = ["果萃", "茶杯", "风扇", "雨伞"]
    candidates = [
        Candidate(n, score, n, title)
        for n, (score, title) in enumerate(zip((0.99, 0.62, 0.3, 0.55), titles, strict=True))
    ]
    assert most_telling_first(candidates, 0.6) == [1, 3, 2, 0]


def test_ten_near_copies_do_not_fill_the_top() -> None:
    copies = [Candidate(n, 0.6, n, f"西瓜味助眠雾化棒 一次性 {n}号") for n in range(10)]
    others = [
        Candidate(10 + n, 0.8, 10 + n, title)
        for n, title in enumerate(("便携小喇叭", "户外保温杯", "亲肤毛巾"))
    ]
    order = most_telling_first([*copies, *others], 0.6)
    assert order[0] in range(10)
    assert set(order[1:4]) == {10, 11, 12}


def test_one_seller_does_not_fill_the_top() -> None:
    titles = ["果萃棒", "茶杯盖", "小风扇", "晴雨伞", "钥匙扣"]
    candidates = [Candidate(n, 0.6, 1, title) for n, title in enumerate(titles)]
    other = Candidate(9, 0.75, 2, "保温壶")
    assert most_telling_first([*candidates, other], 0.6)[:2] == [0, 9]


def test_unknown_sellers_are_not_taken_for_one() -> None:
    candidates = [
        Candidate(1, 0.6, None, "果萃棒"),
        Candidate(2, 0.61, None, "小风扇"),
        Candidate(3, 0.9, 1, "雨伞"),
    ]
    assert most_telling_first(candidates, 0.6) == [1, 2, 3]


def test_a_title_without_letters_is_not_put_last_for_it() -> None:
    assert most_telling_first([Candidate(1, 0.9, 1, "雨伞"), Candidate(2, 0.6, 2, "①②③")], 0.6) == [2, 1]


def test_the_boundary_lies_between_flagged_and_unflagged_scores() -> None:
    assert boundary([(0.9, True), (0.7, True), (0.5, False), (0.1, False)]) == 0.6
    assert boundary([(0.9, True), (0.7, True)]) == 0.7
    assert boundary([(0.3, False)]) == 0.3
    assert boundary([]) == 0.5


@given(
    st.lists(
        st.builds(
            Candidate,
            st.integers(),
            st.floats(0, 1),
            st.none() | st.integers(0, 3),
            st.text("西瓜味雾化棒ab1 ", max_size=8),
        ),
        unique_by=lambda candidate: candidate.task_id,
    ),
    st.floats(0.01, 0.99),
)
def test_every_task_comes_once_whatever_the_order_they_are_given_in(
    candidates: list[Candidate], threshold: float
) -> None:
    order = most_telling_first(candidates, threshold)
    assert sorted(order) == sorted(candidate.task_id for candidate in candidates)
    assert most_telling_first(reversed(candidates), threshold) == order
