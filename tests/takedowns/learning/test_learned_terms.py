from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from classifiers import lexicon, lexicon_check
from classifiers.lexicon import Entry
from classifiers.normalize import normalize
from takedowns import configuration
from takedowns.learning import learned_terms
from takedowns.learning.learned_terms import (
    BreaksLexiconError,
    KnownTermError,
    TermError,
    TooCommonError,
    UnknownConceptError,
)

PRODUCTS = """\
entries:
  - id: dianziyan
    concept: product.ecig
    term: "电子烟"
    weight_hint: strong
    disguised: ["电孑烟"]
"""


@pytest.fixture
def directory(tmp_path: Path) -> Path:
    """A small lexicon with the shipped concepts."""
    shutil.copyfile(configuration.SHIPPED / "lexicon" / "concepts.yml", tmp_path / "concepts.yml")
    (tmp_path / "products.yml").write_text(PRODUCTS, encoding="utf-8")
    return tmp_path


def entry(
    directory: Path, term: str = "果萃棒", concept: str = "cover.stick", confirmed: tuple[str, ...] = ()
) -> Entry:
    return learned_terms.entry_for(
        term, concept, "medium", note="added 2026-10-12", confirmed=confirmed, directory=directory
    )


def test_an_added_term_is_found_from_then_on(directory: Path) -> None:
    path = learned_terms.add(entry(directory), directory)
    assert path == directory / "learned.yml"
    assert lexicon_check.check(directory) == []
    [hit] = lexicon.load(directory).find(normalize("新到 果·萃·棒 冰感"))
    assert (hit.entry.id, hit.entry.concept, hit.entry.note) == (
        "learned_guocuibang",
        "cover.stick",
        "added 2026-10-12",
    )


def test_the_example_is_what_a_seller_wrote(directory: Path) -> None:
    added = entry(directory, confirmed=("茶杯", "夏日上新 果\u200b萃棒 冰感 三支装 全国包邮"))
    assert added.match == ("夏日上新 果\u200b萃棒 冰感 三支装",)
    learned_terms.add(added, directory)
    assert lexicon.load(directory).entries[0].match == added.match


def test_without_a_listing_the_term_is_its_own_example(directory: Path) -> None:
    assert entry(directory, confirmed=("茶杯",)).match == ("果萃棒",)


def test_comments_and_layout_of_the_file_stay(directory: Path) -> None:
    path = learned_terms.add(entry(directory), directory)
    by_hand = path.read_text("utf-8").replace(
        "weight_hint: medium", "weight_hint: strong   # seen in 40 shops"
    )
    path.write_text(by_hand + "  # the next one came from the Harbin case\n", encoding="utf-8")
    before = path.read_text("utf-8")
    learned_terms.add(entry(directory, "闪吸管"), directory)
    after = path.read_text("utf-8")
    assert after.startswith(before)
    assert "闪吸管" in after[len(before) :]


@pytest.mark.parametrize("term", ['a": [x', "果: #萃", "- 果萃", "{果萃}", "\\果萃'"])
def test_a_term_that_looks_like_yaml_is_kept_as_it_is(directory: Path, term: str) -> None:
    learned_terms.add(entry(directory, term), directory)
    assert lexicon.load(directory).entries[0].term == term


@pytest.mark.parametrize("term", ["电子烟", "电孑烟", "電子煙", "电\u200b子烟"])
def test_a_spelling_that_is_known_is_refused(directory: Path, term: str) -> None:
    with pytest.raises(TermError):
        entry(directory, term)


def test_the_refusal_of_a_known_term_names_its_entry(directory: Path) -> None:
    with pytest.raises(KnownTermError, match="dianziyan"):
        entry(directory, "電子煙")


@pytest.mark.parametrize("term", ["", " ", "\u200b", "果\n萃", "果\x1b[31m", "果" * 41])
def test_what_is_no_word_is_refused(directory: Path, term: str) -> None:
    with pytest.raises(TermError):
        entry(directory, term)


@pytest.mark.parametrize("concept", ["product.ecigs", "measure.puffs", "evasion.zero_width", "nonsense"])
def test_a_concept_that_no_term_can_have_is_refused(directory: Path, concept: str) -> None:
    with pytest.raises(UnknownConceptError):
        entry(directory, concept=concept)


def test_a_misspelt_concept_gets_a_guess(directory: Path) -> None:
    with pytest.raises(UnknownConceptError, match=r"did you mean product\.ecig\?"):
        entry(directory, concept="product.ecigs")


def test_a_term_that_lawful_listings_have_is_refused(directory: Path) -> None:
    added = entry(directory, "加湿器")
    lawful = [f"家用加湿器 {n}L" for n in range(learned_terms.HITS_AT_MOST + 1)]
    assert learned_terms.refuse_common(added, lawful[1:], ()) == learned_terms.HITS_AT_MOST
    with pytest.raises(TooCommonError, match="3 lawful listings"):
        learned_terms.refuse_common(added, lawful, ())


def test_an_ordinary_term_must_be_rare_among_the_confirmed(directory: Path) -> None:
    added = entry(directory, "加湿器", "ordinary.goods")
    texts = ["家用加湿器"] * 9
    assert learned_terms.refuse_common(added, texts, ()) == 0
    with pytest.raises(TooCommonError, match="9 confirmed listings"):
        learned_terms.refuse_common(added, (), texts)


def test_a_failing_check_undoes_the_first_term(directory: Path) -> None:
    broken = entry(directory).model_copy(update={"match": ("茶杯",)})
    with pytest.raises(BreaksLexiconError, match="not found in its example"):
        learned_terms.add(broken, directory)
    assert sorted(path.name for path in directory.iterdir()) == ["concepts.yml", "products.yml"]


def test_a_failing_check_leaves_earlier_terms_byte_for_byte(directory: Path) -> None:
    path = learned_terms.add(entry(directory), directory)
    before = path.read_bytes()
    broken = entry(directory, "闪吸管").model_copy(update={"match": ("茶杯",)})
    with pytest.raises(BreaksLexiconError):
        learned_terms.add(broken, directory)
    assert path.read_bytes() == before


def test_a_lexicon_with_faults_is_mended_first(directory: Path) -> None:
    added = entry(directory)
    products = directory / "products.yml"
    products.write_text(PRODUCTS + '    match: ["茶杯"]\n', encoding="utf-8")
    with pytest.raises(BreaksLexiconError, match="mended first"):
        learned_terms.add(added, directory)
    assert not (directory / "learned.yml").exists()


def test_terms_that_sound_alike_get_ids_of_their_own(directory: Path) -> None:
    learned_terms.add(entry(directory), directory)
    assert entry(directory, "果脆棒").id == "learned_guocuibang_2"
