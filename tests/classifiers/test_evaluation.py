from __future__ import annotations

import numpy as np
import pytest

from classifiers import evaluation, training
from classifiers.classifier import Classifier


@pytest.fixture(scope="module")
def result(classifier: Classifier) -> evaluation.Evaluation:
    return evaluation.evaluate(classifier)


def test_a_model_is_not_judged_by_what_it_has_learnt_from(classifier: Classifier) -> None:
    with pytest.raises(ValueError, match="training split"):
        evaluation.evaluate(classifier, training.rows("train"))


def test_no_rows_give_no_rate() -> None:
    with pytest.raises(ValueError, match="no rows"):
        evaluation.wilson(0, 0)


def test_wilson_intervals_are_those_of_the_textbook() -> None:
    rate = evaluation.wilson(8, 10)
    assert (rate.low, rate.high) == (pytest.approx(0.4902, abs=1e-3), pytest.approx(0.9433, abs=1e-3))


def test_a_perfectly_calibrated_score_has_no_calibration_error() -> None:
    score = np.repeat([0.05, 0.25, 0.75], [20, 20, 20])
    y = np.concatenate([np.arange(20) < 1, np.arange(20) < 5, np.arange(20) < 15])
    assert evaluation.calibration_error(score, y) == pytest.approx(0)
    assert evaluation.calibration_error(1 - score, y) > 0.4


def test_the_shipped_model_does_not_fall_behind_its_card(result: evaluation.Evaluation) -> None:
    assert result.f1[0] >= 0.90
    assert result.precision.value >= 0.94
    assert result.calibration_error <= 0.05


def test_the_model_card_states_these_very_figures(result: evaluation.Evaluation) -> None:
    assert evaluation.render(result) in (training.MODEL / "README.md").read_text("utf-8")


def test_groups_cover_every_held_out_row(result: evaluation.Evaluation) -> None:
    lawful = sum(rate.total for rate in result.flagged_by_lookalike.values())
    assert lawful + sum(rate.total for rate in result.recall_by_label.values()) == result.rows
