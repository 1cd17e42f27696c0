from __future__ import annotations

import time

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from classifiers import measures
from classifiers.measure_phrases import PHRASES
from classifiers.normalize import normalize


def read(canonical: str) -> list[measures.Measure]:
    return measures.find_many([canonical])[0]


def found(text: str) -> dict[str, float | None]:
    return {m.concept.removeprefix("measure."): m.value for m in read(normalize(text).text)}


@pytest.mark.parametrize(
    ("text", "puffs"),
    [
        ("8000口", 8000),
        ("三百来口", 300),
        ("一万吸", 10_000),
        ("1.2万口", 12_000),
        ("8k puffs", 8000),
        ("５０００口", 5000),
        ("一千二百嘬", 1200),
        ("3500 sips", 3500),
    ],
)
def test_puffs_are_counted_however_they_are_written(text: str, puffs: float) -> None:
    assert found(text) == {"puffs": puffs}


@pytest.mark.parametrize(
    "text",
    ["3000口罩", "口径300", "3000吸力", "500抽纸", "2800抽屉", "三口之家", "2000口味", "100吸管", "9000口井"],
)
def test_words_that_begin_like_a_puff_are_none(text: str) -> None:
    assert "puffs" not in found(text)


@pytest.mark.parametrize(
    ("text", "concept"),
    [
        ("雾化率≥0.2ml/min", "output_rate"),
        ("粒径3.9µm", "droplet_size"),
        ("噪音≤45dB", "noise"),
        ("0.8Ω", "resistance"),
        ("15ml", "volume_tiny"),
        ("60毫升", "volume_small"),
        ("310ml*24", "volume_drink"),
        ("1L*6", "volume_drink"),
        ("三百五十毫安", "battery_small"),
        ("20000mAh", "battery_large"),
        ("50mg", "milligrams"),
        ("20mg/ml", "strength_per_ml"),
        ("300ml/h", "room_output"),
        ("5% 尼", "percent_low"),
        ("1400W", "power_high"),
        ("一杆三弹", "kit"),
        ("五代通配", "generation"),
        ("12种口味", "flavour_count"),
        ("70/30", "base_ratio"),
        ("约五百下", "uses"),
        ("循环1000次", "uses"),
        ("嘬两口", "draws"),
        ("睡前十口", "draws"),
        ("一颗能抽三天", "lasting"),
        ("一支大概用半个月", "lasting"),
        ("lasts about two weeks", "lasting"),
        ("一根顶三包", "packs"),
        ("三颗装", "pieces"),
        ("一板三粒", "pieces"),
        ("送两颗", "pieces"),
        ("软的 两条", "cartons"),
        ("一条十包", "cartons"),
        ("双杆四芯", "kit"),
        ("一底座六胶囊", "kit"),
        ("五代能用", "generation"),
        ("配件通四五的", "generation"),
        ("十八味", "flavour_count"),
        ("荔枝冰/西瓜", "flavour_list"),
        ("grape and mango", "flavour_list"),
        ("浓淡0/3/5", "strength_grade"),
        ("冰度三", "strength_grade"),
        ("还剩七成", "remaining"),
        ("电99液98", "remaining"),
        ("口数=9000", "puffs"),
        ("吸五百", "puffs"),
        ("每芯两百引", "puffs"),
        ("吸次=550", "puffs"),
        ("标着15000", "thousands"),
        ("9.5k unopened", "thousands"),
        ("桂花味的雾", "flavour_cloud"),
        ("peach fog", "flavour_cloud"),
        ("留香十二味", "flavour_count"),
        ("每次三四下", "draws"),
        ("憋三秒", "draws"),
        ("draw slowly for five", "draws"),
        ("一柱七日", "lasting"),
        ("每芯抵二十根", "packs"),
        ("三毫和五毫都有", "strength_grade"),
    ],
)
def test_a_quantity_is_judged_by_the_world_it_belongs_to(text: str, concept: str) -> None:
    assert set(found(text)) == {concept}


@pytest.mark.parametrize(
    "text",
    [
        "来一口锅",
        "整一口井",
        "一条顶两条裤子",
        "只用一次",
        "六味地黄丸",
        "单人入场",
        "1/2/3",
        "第五代",
        "面膜剩25元",
        "黑的两条裤子",
        "18k金",
        "10000转",
        "售价¥8000",
        "型号x-9000",
        "薄荷雾面口红",
        "rose mist, apple orchard",
        "屏气十秒",
        "一周一次",
        "十二味药",
        "还有半",
    ],
)
def test_ordinary_wording_is_none_of_the_phrases(text: str) -> None:
    assert not set(found(text)) & {concept.removeprefix("measure.") for concept in PHRASES}


@pytest.mark.parametrize("text", ["800发电机", "100下水管", "500发票", "六百次抛", "1000下午茶"])
def test_words_that_begin_like_a_use_are_none(text: str) -> None:
    assert "uses" not in found(text)


@pytest.mark.parametrize("concept", sorted(PHRASES))
@given(data=st.data())
@settings(max_examples=30, suppress_health_check=list(HealthCheck))
def test_no_phrase_is_passed_over(concept: str, data: st.DataObject) -> None:
    pattern = PHRASES[concept].pattern
    text = normalize(data.draw(st.from_regex(pattern))).text
    (possible,) = measures.possible([text])
    assert concept in possible or not pattern.search(text)


@given(st.from_regex(measures.QUANTITY))
@settings(max_examples=300, suppress_health_check=list(HealthCheck))
def test_nor_is_a_quantity(text: str) -> None:
    canonical = normalize(text).text
    (possible,) = measures.possible([canonical])
    assert {one.concept for one in measures.quantities(canonical)} <= possible


def test_texts_read_together_give_what_each_gives_alone() -> None:
    texts = ["800", "口", "", "一杆", "三弹", "2ml 8000口", "西瓜/", "荔枝"]
    assert measures.find_many(texts) == [read(text) for text in texts]
    assert sum(map(len, measures.find_many(texts))) == 2


@pytest.mark.parametrize(
    "repeated", ["西瓜/", "支大概差不多", "0/2/", "一机十", "一二三四五六七八九", "8000口 一颗管三天 "]
)
def test_text_of_any_length_takes_no_more_than_linear_time(repeated: str) -> None:
    text = repeated * (100_000 // len(repeated))
    start = time.process_time()
    read(text)
    assert time.process_time() - start < 4  # a tenth of that on a quiet machine


def test_two_strengths_side_by_side_are_grades_of_one_liquid() -> None:
    assert "strength_grade" in found("3mg / 6mg")
    assert "strength_grade" not in found("3mg*6片")


def test_saline_and_discounts_are_no_nicotine() -> None:
    assert "percent_low" not in found("3%高渗盐水 0.9%氯化钠 5%葡萄糖 5% off")


def test_a_number_inside_a_longer_number_is_not_read() -> None:
    assert found("型号1234567890口") == {}


@given(st.text())
def test_every_measure_lies_in_the_text_and_has_a_name(text: str) -> None:
    canonical = normalize(text).text
    for measure in read(canonical):
        assert 0 <= measure.start < measure.end <= len(canonical)
        assert measure.concept in measures.CONCEPTS


def test_every_concept_can_be_met() -> None:
    everything = (
        "8000口 一杆三弹 五代通配 12种口味 70/30 5% 50mg 20mg/ml 2ml 60ml 310ml 350mah 5000mah 12w 1400w "
        "0.8ω 3.9μm 45db 0.2ml/min 8l/min 300ml/h 60kpa 500下 嘬两口 一颗管三天 一根顶三包 三颗装 荔枝/可乐 "
        "冰度三 剩七成 一条十包 标着15000 桂花雾"
    )
    assert {m.concept for m in read(everything)} == measures.CONCEPTS
