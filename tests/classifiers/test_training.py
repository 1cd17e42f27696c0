from __future__ import annotations

from collections import Counter
from pathlib import Path

import numpy as np
import pytest

from classifiers import training
from classifiers.judge import Model
from classifiers.lexicon import Lexicon
from classifiers.split import READ_BEFOREHAND, split_of


def small(folder: Path) -> Path:
    """A corpus of 240 rows: enough to train on, quick to train on."""
    corpus = folder / "corpus"
    corpus.mkdir()
    for name in ("benign_zh.jsonl", "violating_zh.jsonl"):
        lines = (training.CORPUS / name).read_text("utf-8").split("\n")[:120]
        (corpus / name).write_text("\n".join(lines) + "\n", "utf-8")
    return corpus


def test_the_corpus_is_whole_and_its_ids_are_unique() -> None:
    rows = training.rows()
    assert len(rows) == 3096
    assert len({row.id for row in rows}) == len(rows)


def test_the_split_is_fixed_and_disjoint() -> None:
    counts = Counter(split_of(row.id) for row in training.rows())
    assert counts == {"train": 2190, "dev": 457, "test": 449}
    assert split_of("TB0001") == split_of("TB0001")


def test_rows_read_while_writing_the_lexicon_are_no_test_rows() -> None:
    assert not {row.id for row in training.rows("test")} & READ_BEFOREHAND


def test_a_corpus_without_rows_is_an_error_with_a_name(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="no corpus"):
        training.rows(corpus=tmp_path)


def test_the_same_corpus_gives_the_same_bytes(tmp_path: Path) -> None:
    corpus = small(tmp_path)
    for name in ("one", "two"):
        training.save(training.train(corpus), tmp_path / name)
    files = sorted(
        path.relative_to(tmp_path / "one") for path in (tmp_path / "one").rglob("*") if path.is_file()
    )
    assert len(files) == 5
    for file in files:
        assert (tmp_path / "one" / file).read_bytes() == (tmp_path / "two" / file).read_bytes()


def test_a_saved_model_judges_like_the_one_in_memory(tmp_path: Path, lexicon: Lexicon) -> None:
    model = training.train(small(tmp_path))
    model.to_disk(tmp_path / "judge")
    rows = training.rows("test")[:50]
    evidence = [training.evidence_of(row.listing, lexicon) for row in rows]
    there, back = model.judge(evidence), Model.from_disk(tmp_path / "judge").judge(evidence)
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
    assert {f"{entry.concept}/{entry.weight_hint}" for entry in lexicon.entries} <= set(model.features)


def test_the_shipped_model_stays_small() -> None:
    assert sum(path.stat().st_size for path in training.MODEL.rglob("*") if path.is_file()) < 5_000_000


def test_f1_is_the_harmonic_mean() -> None:
    flagged, y = np.array([True, True, False, False]), np.array([True, False, True, False])
    assert training.f1(flagged, y) == 0.5
