from __future__ import annotations

import shutil
from pathlib import Path

import pytest

import classifiers
from classifiers import labelled
from classifiers.classifier import Classifier
from classifiers.labelled import Row
from classifiers.verdict import Label
from takedowns import configuration
from takedowns.learning import retraining
from takedowns.learning.retraining import NoModelFolderError, Retrained

LEXICON = configuration.SHIPPED / "lexicon"


@pytest.fixture(scope="module")
def corpus(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Every thirtieth row of the shipped corpus: enough to fit, and quick."""
    folder = tmp_path_factory.mktemp("corpus")
    lines = (row.model_dump_json() for row in labelled.rows()[::30])
    (folder / "part.jsonl").write_text("\n".join(lines) + "\n", encoding="utf-8")
    return folder


@pytest.fixture(scope="module")
def classifier() -> Classifier:
    return classifiers.load(LEXICON)


def own_rows() -> list[Row]:
    """Decisions on goods whose name no corpus holds."""
    return [
        Row(id=f"LEDGER-{n:016x}", lang="zh", platform="sample", title=f"溢岚晶芯 {n}号 三支装", price="59",
            description="", attributes={}, shop="", label=Label.DISGUISED_OTHER, why=f"decision {n}")
        for n in range(60)
    ]  # fmt: skip


@pytest.fixture(scope="module")
def retrained(classifier: Classifier, corpus: Path, tmp_path_factory: pytest.TempPathFactory) -> Retrained:
    folder = tmp_path_factory.mktemp("var") / "model"
    return retraining.retrain(own_rows(), classifier, folder, lexicon_dir=LEXICON, corpus=corpus)


def test_the_new_model_can_be_used(retrained: Retrained, classifier: Classifier) -> None:
    new = classifiers.load(LEXICON, retrained.model)
    assert new.model_version != classifier.model_version


def test_some_decisions_are_kept_back_for_ever(retrained: Retrained) -> None:
    kept_back = sum(labelled.split_of(row.id) != "train" for row in own_rows())
    assert (retrained.learnt, retrained.kept_back) == (60 - kept_back, kept_back)
    assert 0 < kept_back < 30


def test_both_models_are_measured_on_the_same_rows(retrained: Retrained) -> None:
    assert retrained.before is not None
    assert retrained.before.corpus.rows == retrained.after.corpus.rows > 0
    assert retrained.before.desk is not None
    assert retrained.after.desk is not None
    assert retrained.before.desk.total == retrained.after.desk.total == retrained.kept_back


def test_the_figures_stand_side_by_side(retrained: Retrained) -> None:
    text = retraining.render(retrained)
    assert str(retrained.model) in text
    assert f"{retrained.learnt} decisions" in text
    assert str(retrained.after.desk) in text


def test_a_folder_of_other_things_is_not_written_to(tmp_path: Path) -> None:
    (tmp_path / "holiday.txt").write_text("sea")
    with pytest.raises(NoModelFolderError):
        retraining.retrain([], None, tmp_path, lexicon_dir=LEXICON)
    assert [path.name for path in tmp_path.iterdir()] == ["holiday.txt"]


def test_a_model_in_place_is_replaced_as_a_whole_and_keeps_its_card(
    retrained: Retrained, corpus: Path, tmp_path: Path
) -> None:
    folder = tmp_path / "model"
    shutil.copytree(retrained.model, folder)
    (folder / "README.md").write_text("card")
    result = retraining.retrain([], None, folder, lexicon_dir=LEXICON, corpus=corpus)
    assert result.before is None
    assert "before" not in retraining.render(result)
    assert (folder / "README.md").read_text() == "card"
    assert [path.name for path in tmp_path.iterdir()] == ["model"]
    before, after = (classifiers.load(LEXICON, path).model_version for path in (retrained.model, folder))
    assert before != after
