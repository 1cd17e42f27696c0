from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from classifiers.evasion import TRICKS, evade
from classifiers.verdict import ListingText

LISTING = ListingText(
    id="x", title="新款电子烟 vape 西瓜味", description="烟弹三颗", attributes={"口味": "西瓜味"}
)


@pytest.mark.parametrize(
    ("kind", "title"),
    [
        ("pinyin", "新款dianziyan vape xiguawei"),
        ("split_char", "新款电子火因 vape 西瓜口未"),
        ("traditional", "新款電子煙 vape 西瓜味"),
        ("fullwidth", "新款电子烟 ｖａｐｅ 西瓜味"),
        ("lookalike", "新款电子烟 νаре 西瓜味"),
        ("leetspeak", "新款电子烟 v4p3 西瓜味"),
        ("emoji", "新款电子🚬 vape 🍉味"),
        ("reversal", "新款烟子电 epav 味瓜西"),
        ("repeated", "新款电电电子子子烟烟烟 vape 西西西瓜瓜瓜味味味"),
        ("spaces_inserted", "新款电 子 烟 v a p e 西 瓜 味"),
    ],
)
def test_each_trick_does_what_its_name_says(kind: str, title: str) -> None:
    assert evade(LISTING, ["电子烟", "vape", "西瓜味"], kind).title == title


def test_only_the_words_given_are_touched_and_in_every_field() -> None:
    evaded = evade(LISTING, ["西瓜味", "烟弹"], "traditional")
    assert evaded.title == LISTING.title
    assert (evaded.description, evaded.attributes) == ("煙彈三顆".replace("顆", "颗"), {"口味": "西瓜味"})


def test_a_homophone_sounds_alike_and_leaves_something_to_read() -> None:
    evaded = evade(LISTING, ["电子烟"], "homophone").title
    assert evaded != LISTING.title
    assert evaded.startswith("新款")
    assert len(evaded) == len(LISTING.title)


@given(st.sampled_from(sorted(TRICKS)), st.text(max_size=20))
def test_any_text_can_be_evaded_and_the_same_seed_plays_the_same_trick(kind: str, text: str) -> None:
    listing = ListingText(id="x", title=text)
    assert evade(listing, [text], kind) == evade(listing, [text], kind)


def test_an_unknown_trick_is_refused() -> None:
    with pytest.raises(KeyError):
        evade(LISTING, ["电子烟"], "telepathy")
