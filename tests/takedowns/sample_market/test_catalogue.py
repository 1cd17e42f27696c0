from __future__ import annotations

from collections import Counter

import pytest

from classifiers.verdict import Label
from takedowns.sample_market.catalogue import CatalogueError, Theme, build_catalogue, new_item_id
from takedowns.sample_market.corpus import CorpusRow, read_corpus, read_hostile

CORPUS, HOSTILE = read_corpus(), read_hostile()


def test_the_same_seed_gives_the_same_market():
    assert build_catalogue(CORPUS, HOSTILE, 5, 320) == build_catalogue(CORPUS, HOSTILE, 5, 320)


def test_another_seed_gives_another_market():
    ids = [{offer.item_id for offer in build_catalogue(CORPUS, HOSTILE, seed, 320)} for seed in (5, 6)]
    assert not ids[0] & ids[1]


def test_a_new_corpus_row_moves_no_other_listing_to_another_id():
    before = {o.corpus_id: o.item_id for o in build_catalogue(CORPUS, HOSTILE, 5, 320)}
    row = CorpusRow.model_validate({**CORPUS[0].model_dump(), "id": "NEW1"})
    after = {o.corpus_id: o.item_id for o in build_catalogue([row, *CORPUS], HOSTILE, 5, 320)}
    kept = before.keys() & after.keys()
    assert len(kept) >= 319
    assert all(before[key] == after[key] for key in kept)


def test_the_market_is_filled_as_asked():
    offers = build_catalogue(CORPUS, HOSTILE, 1, 320)
    assert len({offer.item_id for offer in offers}) == 320
    assert all(len(offer.item_id) == 10 and offer.item_id.isdigit() for offer in offers)
    assert 0.27 < sum(offer.violating for offer in offers) / 320 < 0.36
    assert {offer.label for offer in offers} == set(Label)
    assert {row.id for row in HOSTILE} <= {offer.corpus_id for offer in offers}


def test_every_theme_has_violating_and_clean_shops_of_every_kind():
    offers = build_catalogue(CORPUS, HOSTILE, 1, 320)
    bad = {offer.shop for offer in offers if offer.violating}
    for theme in Theme:
        shops = {offer.shop for offer in offers if offer.theme is theme}
        assert shops & bad
        assert shops - bad
    assert len(Counter(offer.shop.kind for offer in offers)) == 3
    ids = [shop.shop_id for shop in {offer.shop for offer in offers}]
    assert len(ids) == len(set(ids))


def test_a_corpus_too_small_is_refused_with_a_reason():
    with pytest.raises(CatalogueError, match="rows with violating=True wanted, the corpus has"):
        build_catalogue(CORPUS, HOSTILE, 1, 100_000)


def test_a_market_too_small_for_its_themes_is_refused():
    with pytest.raises(CatalogueError, match="at least 30 listings, not 29"):
        build_catalogue(CORPUS, HOSTILE, 1, 29)


@pytest.mark.parametrize("seed", range(20))
def test_even_the_smallest_market_has_a_shop_in_every_theme(seed: int):
    assert {offer.theme for offer in build_catalogue(CORPUS, HOSTILE, seed, 30)} == set(Theme)


def test_an_id_that_is_taken_is_not_given_again():
    first = new_item_id(set(), "same", "question")
    assert new_item_id({first}, "same", "question") != first
