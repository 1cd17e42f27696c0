from __future__ import annotations

from collections.abc import Sequence

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from classifiers import labelled
from classifiers.classifier import Classifier
from classifiers.evasion import TRICKS, evade
from classifiers.verdict import ListingText

PIECES = st.sampled_from(
    [
        "电子烟",
        "烟dan",
        "雾化",
        "8000口",
        "西瓜味",
        "衣架",
        "火因",
        "v4pe",
        "dianziyan",
        "烟子电",
        "🍉",
        "\u200b",
        "sc",
        " ",
        "\n",
    ]
)


def lost(classifier: Classifier, listings: Sequence[ListingText]) -> list[str]:
    """Titles that the first look lets pass although the verdict would flag them."""
    verdicts, looks = classifier.classify_many(listings), classifier.screen(listings)
    return [v.id for v, look in zip(verdicts, looks, strict=True) if v.flagged and not look]


def test_the_first_look_loses_no_flag_of_the_corpus(classifier: Classifier) -> None:
    assert lost(classifier, [row.listing for row in labelled.rows()]) == []


@pytest.mark.parametrize("kind", sorted(TRICKS))
def test_nor_one_of_a_listing_that_was_evaded(classifier: Classifier, kind: str) -> None:
    rows = [row for row in labelled.rows("test") if row.violating]
    assert lost(classifier, [evade(row.listing, row.signals or [row.title], kind) for row in rows]) == []


@given(st.lists(st.lists(PIECES, max_size=6).map("".join), min_size=1, max_size=4))
@settings(max_examples=150, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_nor_one_of_any_text(classifier: Classifier, titles: list[str]) -> None:
    assert lost(classifier, [ListingText(id=str(n), title=title) for n, title in enumerate(titles)]) == []


def test_a_tag_left_open_does_not_hide_the_next_listing(classifier: Classifier) -> None:
    titles = ["家用水壶 <a href=", "".join(f"&#{ord(char)};" for char in "悦刻烟弹") + ">"]
    assert lost(classifier, [ListingText(id=title, title=title) for title in titles]) == []


def test_most_of_the_ordinary_catalogue_passes(classifier: Classifier) -> None:
    catalogue = [row.listing for row in labelled.rows("test") if row.platform == labelled.CATALOGUE]
    looks = list(classifier.screen(catalogue))
    assert sum(looks) < 0.15 * len(looks)
