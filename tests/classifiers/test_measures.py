from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from classifiers import measures
from classifiers.normalize import normalize


def found(text: str) -> dict[str, float | None]:
    return {m.concept.removeprefix("measure."): m.value for m in measures.find(normalize(text).text)}


@pytest.mark.parametrize(
    ("text", "puffs"),
    [
        ("8000口", 8000),
        ("三百来口", 300),
        ("一万吸", 10_000),
        ("1.2万口", 12_000),
        ("8k puffs", 8000),
        ("５０００口", 5000),
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
    ],
)
def test_a_quantity_is_judged_by_the_world_it_belongs_to(text: str, concept: str) -> None:
    assert set(found(text)) == {concept}


def test_saline_and_discounts_are_no_nicotine() -> None:
    assert "percent_low" not in found("3%高渗盐水 0.9%氯化钠 5%葡萄糖 5% off")


def test_a_number_inside_a_longer_number_is_not_read() -> None:
    assert found("型号1234567890口") == {}


@given(st.text())
def test_every_measure_lies_in_the_text_and_has_a_name(text: str) -> None:
    canonical = normalize(text).text
    for measure in measures.find(canonical):
        assert 0 <= measure.start < measure.end <= len(canonical)
        assert measure.concept in measures.CONCEPTS


def test_every_concept_can_be_met() -> None:
    everything = (
        "8000口 一杆三弹 五代通配 12种口味 70/30 5% 50mg 20mg/ml 2ml 60ml 310ml 350mah 5000mah 12w 1400w "
        "0.8ω 3.9μm 45db 0.2ml/min 8l/min 300ml/h 60kpa"
    )
    assert {m.concept for m in measures.find(everything)} == measures.CONCEPTS
