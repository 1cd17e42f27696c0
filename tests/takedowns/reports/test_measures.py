from __future__ import annotations

from datetime import timedelta

import pytest

from takedowns.ledger.vocabulary import Finding
from takedowns.reports import measures
from takedowns.reports.definitions import definitions, wording
from takedowns.reports.facts import Facts, Review
from takedowns.reports.measures import MEASURES, Scope
from tests.takedowns.reports.conftest import AS_OF, OCTOBER

YES, NO = Finding.VIOLATION, Finding.NOT_VIOLATION


def scope(*reviews: Review) -> Scope:
    return Scope(Facts(leads=(), batches=(), runs=(), reviews=reviews), OCTOBER, AS_OF)


def review(
    task: int, reviewer: int, finding: Finding, *, decision: int = 0, overrides: int | None = None
) -> Review:
    decided_at = OCTOBER.start + timedelta(days=task % 20, hours=decision)
    number = decision or task * 100 + reviewer
    return Review(task, "sample", reviewer, finding, decided_at, number, overrides)


def pairs(yes_yes: int, yes_no: int, no_no: int) -> Scope:
    answers = [(YES, YES)] * yes_yes + [(YES, NO)] * yes_no + [(NO, NO)] * no_no
    return scope(
        *(review(task, who, pair[who - 1]) for task, pair in enumerate(answers, 1) for who in (1, 2))
    )


def test_every_figure_has_a_definition_in_both_languages_and_a_measure() -> None:
    assert list(MEASURES) == list(definitions())


def test_every_part_names_a_figure_of_the_same_unit() -> None:
    for definition in definitions().values():
        if definition.part_of:
            assert definitions()[definition.part_of].kind is definition.kind


def test_every_figure_of_nothing_says_why_it_has_no_value() -> None:
    for figure_id, measure in MEASURES.items():
        measured = measure(scope())
        if definitions()[figure_id].kind == "count":
            assert measured.value == 0
        else:
            assert measured.value is None
            assert measured.note in wording().notes


def test_agreement_is_the_share_of_double_reviews_that_found_the_same() -> None:
    measured = measures.agreement(pairs(30, 10, 20))
    assert (measured.numerator, measured.denominator, measured.value) == (50, 60, 0.833333)


def test_kappa_is_shown_from_fifty_double_reviews_on() -> None:
    assert measures.kappa(pairs(20, 9, 20)).note == "few_pairs"
    assert measures.kappa(pairs(20, 10, 20)).value == pytest.approx(0.615385)


def test_kappa_is_hidden_when_nearly_all_answers_are_alike() -> None:
    measured = measures.kappa(pairs(98, 2, 0))
    assert (measured.value, measured.note) == (None, "one_class")


def test_an_answer_that_overrides_another_is_no_independent_review() -> None:
    assert not measures.double_reviews(
        scope(review(1, 1, YES, decision=1), review(1, 2, NO, decision=2, overrides=1))
    )


def test_an_answer_taken_back_by_its_author_does_not_count() -> None:
    found = measures.double_reviews(
        scope(
            review(1, 1, YES, decision=1),
            review(1, 1, Finding.UNDETERMINED, decision=2, overrides=1),
            review(1, 1, NO, decision=3),
            review(1, 2, NO, decision=4),
        )
    )
    assert found == {1: (NO, NO)}
