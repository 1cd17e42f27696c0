from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from classifiers import labelled, training
from classifiers.judge import Evidence, Model
from classifiers.lexicon import Lexicon
from classifiers.signals import features_of
from classifiers.verdict import Label


@pytest.fixture(scope="module")
def corpus(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """240 rows: enough to train on, quick to train on."""
    folder = tmp_path_factory.mktemp("corpus")
    for name in ("benign_zh.jsonl", "violating_zh.jsonl"):
        lines = (labelled.CORPUS / name).read_text("utf-8").split("\n")[:120]
        (folder / name).write_text("\n".join(lines) + "\n", "utf-8")
    return folder


@pytest.fixture(scope="module")
def trained(corpus: Path) -> Model:
    return training.train(corpus)


def test_the_same_corpus_gives_the_same_bytes(tmp_path: Path, corpus: Path, trained: Model) -> None:
    training.save(trained, tmp_path / "one")
    training.save(training.train(corpus), tmp_path / "two")
    files = sorted(
        path.relative_to(tmp_path / "one") for path in (tmp_path / "one").rglob("*") if path.is_file()
    )
    assert len(files) == 5
    for file in files:
        assert (tmp_path / "one" / file).read_bytes() == (tmp_path / "two" / file).read_bytes()


def test_a_saved_model_judges_like_the_one_in_memory(
    tmp_path: Path, trained: Model, lexicon: Lexicon
) -> None:
    trained.to_disk(tmp_path / "judge")
    rows = labelled.rows("test")[:50]
    evidence = [training.evidence_of(row.listing, lexicon) for row in rows]
    there, back = trained.judge(evidence), Model.from_disk(tmp_path / "judge").judge(evidence)
    for before, after in zip(there, back, strict=True):
        for label, probability in before.scores.items():
            assert after.scores[label] == pytest.approx(probability, abs=0.01)


def test_a_suspicious_signal_never_speaks_for_a_listing() -> None:
    model = Model.from_disk(training.MODEL / "vapewatch_judge")
    for feature, weights in zip(model.features, model.feature_weights, strict=True):
        low, high = training.limits(feature)
        assert low is None or weights[0] >= low
        assert high is None or weights[0] <= high


def test_the_shipped_model_knows_every_feature_of_the_shipped_lexicon(lexicon: Lexicon) -> None:
    model = Model.from_disk(training.MODEL / "vapewatch_judge")
    assert {f for entry in lexicon.entries for f in features_of(entry)} <= set(model.features)


def test_the_shipped_model_stays_small() -> None:
    assert sum(path.stat().st_size for path in training.MODEL.rglob("*") if path.is_file()) < 15_000_000


def test_the_threshold_lets_hardly_any_ordinary_title_through() -> None:
    rows = labelled.rows("train")
    catalogue = [row for row in rows if row.platform == labelled.CATALOGUE][:500]
    lawful = [row for row in rows if row.platform != labelled.CATALOGUE and not row.violating][:250]
    violating = [row for row in rows if row.violating][:250]
    noise = np.random.default_rng(0).normal(size=500)
    log_odds = np.array([-3.0] * 490 + [1.0] * 10 + [-2.0] * 250 + [2.0] * 250)
    log_odds[500:] += noise
    point = training.operating_point([*catalogue, *lawful, *violating], log_odds)
    assert 1.0 < point.log_odds < 2.0


def test_the_desks_own_rows_are_learnt_too(corpus: Path, trained: Model) -> None:
    row = labelled.rows("train")[0]
    own = [
        row.model_copy(update={"id": f"LEDGER-{n}", "title": "星河小摆件", "label": Label.DISGUISED_OTHER})
        for n in range(40)
    ]
    after = training.train(corpus, extra=own)
    (without,), (with_own,) = (m.judge([Evidence("星河小摆件", [], [])]) for m in (trained, after))
    assert with_own.log_odds > without.log_odds + 1
