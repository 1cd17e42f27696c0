from __future__ import annotations

import math

import pytest

from classifiers.lexicon import Entry, Lexicon
from classifiers.normalize import normalize
from takedowns.learning import emerging
from takedowns.learning.emerging import Term, Text, log_odds_z


@pytest.fixture(scope="module")
def lexicon() -> Lexicon:
    return Lexicon(
        [
            Entry(id="ecig", concept="product.ecig", term="电子烟", weight_hint="strong"),
            Entry(id="mist", concept="cover.nebulise", term="雾化", weight_hint="weak"),
            Entry(id="humidifier", concept="ordinary.goods", term="加湿器", weight_hint="strong"),
        ]
    )


def texts(*wordings: str) -> list[Text]:
    """Each of a seller of its own."""
    return [Text(wording, f"seller {n}") for n, wording in enumerate(wordings)]


LAWFUL = texts(*(f"{noun}{n} 静音加湿器" for noun in ("卧室", "办公室", "客厅") for n in range(20)))


def found(confirmed: list[Text], lexicon: Lexicon, lawful: list[Text] = LAWFUL) -> dict[str, Term]:
    return {term.term: term for term in emerging.emerging(confirmed, lawful, lexicon)}


def test_the_score_is_that_of_a_case_reckoned_by_hand() -> None:
    # 8 of 10 against 1 of 90: rate 0.09, so 0.9 and 9.1 are added;
    # ln(8.9/11.1) - ln(1.9/98.1) = -0.2209 + 3.9442 = 3.7233; variance 1/8.9 + 1/1.9 = 0.6387
    assert log_odds_z(8, 10, 1, 90) == pytest.approx(3.7233 / math.sqrt(0.6387), abs=1e-3)
    assert log_odds_z(8, 10, 1, 90) == pytest.approx(4.659, abs=1e-3)


def test_equal_shares_score_nothing() -> None:
    assert log_odds_z(5, 50, 5, 50) == pytest.approx(0)
    assert log_odds_z(0, 50, 0, 50) == log_odds_z(50, 50, 50, 50) == 0


def test_the_rarer_side_scores_below_nought() -> None:
    assert log_odds_z(1, 90, 8, 10) == pytest.approx(-log_odds_z(8, 10, 1, 90))


def test_a_new_word_is_found_whole_with_counts_and_examples(lexicon: Lexicon) -> None:
    confirmed = texts("新到果萃棒 冰感", "果萃棒 三支装", "办公室果萃棒", "送礼 果萃棒 礼盒", "果 萃 棒")
    term = found(confirmed, lexicon)["果萃棒"]
    assert (term.confirmed, term.lawful) == (5, 0)
    assert len(term.examples) == 3
    assert all("果萃棒" in example for example in term.examples)
    assert not {"果萃", "萃棒"} & found(confirmed, lexicon).keys()


def test_a_latin_word_is_found_and_never_cut(lexicon: Lexicon) -> None:
    terms = found(texts("Airxo 新品", "airxo 冰感", "ＡＩＲＸＯ 现货", "买airxo送"), lexicon)
    assert terms["airxo"].confirmed == 4
    assert not any(term != "airxo" and term in "airxo" for term in terms)


def test_what_the_lexicon_knows_is_not_offered(lexicon: Lexicon) -> None:
    confirmed = texts("电子烟批发", "新款电子烟", "电子烟现货", "电子烟雾化", "雾化款", "雾化型")
    assert not any(set("电子烟雾化") & set(term) for term in found(confirmed, lexicon))


def test_a_new_word_around_a_weak_one_is_offered(lexicon: Lexicon) -> None:
    confirmed = texts("一支雾化饮", "雾化饮三支", "冰感雾化饮", "新到雾化饮")
    assert "雾化饮" in found(confirmed, lexicon)


def test_words_that_lawful_listings_use_as_well_are_not_offered(lexicon: Lexicon) -> None:
    assert found(texts("静音卧室", "静音客厅", "静音办公", "静音书房"), lexicon) == {}


def test_the_words_of_one_seller_are_style(lexicon: Lexicon) -> None:
    wordings = ("闪电发货一", "闪电发货二", "闪电发货三", "闪电发货四")
    assert found([Text(wording, "one") for wording in wordings], lexicon) == {}
    assert "闪电发货" in found(texts(*wordings), lexicon)


def test_the_same_text_many_times_counts_once(lexicon: Lexicon) -> None:
    assert found(texts(*["果萃棒"] * 20), lexicon) == {}


def test_a_long_phrase_is_offered_once(lexicon: Lexicon) -> None:
    phrase = "成年人士专享秘密口味"
    terms = found(texts(*(f"{number}号{phrase}" for number in "一二三四五")), lexicon)
    assert len(terms) == 1


def test_nothing_confirmed_gives_nothing(lexicon: Lexicon) -> None:
    assert emerging.emerging([], LAWFUL, lexicon) == []


def test_nothing_lawful_known_gives_no_error(lexicon: Lexicon) -> None:
    assert found(texts("果萃棒一", "果萃棒二", "果萃棒三"), lexicon, lawful=[]) == {}


def test_grams_leave_out_what_touches_a_telling_word(lexicon: Lexicon) -> None:
    assert emerging.grams(normalize("好电子烟棒棒"), lexicon) == {"棒棒"}
