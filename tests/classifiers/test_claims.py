from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from classifiers import claims
from classifiers.claims import Context, Found
from classifiers.normalize import normalize

PLAIN = Context(this_year=2026)
NEBULISER = Context(nebuliser=True, this_year=2026)
INHALED = Context(inhaled=True, this_year=2026)


def find(text: str, context: Context = PLAIN) -> list[Found]:
    return list(claims.find(normalize(text).text, context))


def reasons(text: str, context: Context = PLAIN) -> tuple[str, ...]:
    (claim,) = find(text, context)
    return claim.reasons


@pytest.mark.parametrize(
    ("number", "expected"),
    [
        ("苏械注准20182080123", ()),
        ("粤械注准20152230456", ()),  # old code 6823
        ("国械注进20192080099", ()),
        ("国械注许20203080007", ()),
        ("国械注准20222080001", ("MR2",)),
        ("粤械注准20233080001", ("MR2",)),
        ("粤械注准20211080001", ("MR1",)),
        ("湘械注准20212200012", ("MR5",)),
        ("粤械注准20992080012", ("MR3",)),
        ("粤械注准20212990012", ("MR4",)),
        ("粤械注准20212080000", ("MR6",)),
        ("粤械注准2021208123", ("MD_FORMAT",)),
    ],
)
def test_a_device_registration_follows_the_published_rules(number: str, expected: tuple[str, ...]) -> None:
    (claim,) = find(number, NEBULISER)
    assert claim.reasons == expected
    assert claim.status == (
        "format_ok" if not expected else "format_bad" if "MD_FORMAT" in expected else "inconsistent"
    )


def test_a_number_of_other_goods_is_not_measured_by_the_category_of_nebulisers() -> None:
    assert reasons("湘械注准20212200012") == ()


def test_a_class_one_filing_does_not_cover_a_powered_nebuliser() -> None:
    assert reasons("粤穗械备20210012号") == ()
    assert reasons("粤穗械备20210012号", NEBULISER) == ("MF1",)
    assert reasons("粤械备20210012号") == ("MF2",)
    assert reasons("沪械备20210012号", Context(flavoured=True, this_year=2026)) == ("MF4",)


def test_an_old_registration_is_left_to_the_register() -> None:
    (claim,) = find("国食药监械（准）字2012第3210001号")
    assert claim.reasons == ("MD_OLD_ERA",)


@pytest.mark.parametrize("number", ["11351090100010", "10741018302531", "12434017430075", "10744030704994"])
def test_printed_food_licences_pass_their_check_digit(number: str) -> None:
    (claim,) = find(f"SC{number}")
    assert (claim.kind, claim.status) == ("food_licence", "format_ok")


def test_food_licences_that_do_not_fit_say_why() -> None:
    assert reasons("SC10633010800083") == ("SC1",)
    assert reasons("SC12345678901234") == ("SC1",)
    assert "SC2" in reasons("SC10699010800083")
    assert reasons("SC1063301080008") == ("SC_FORMAT",)
    assert reasons("SC11351090100010", Context(drink=True, this_year=2026)) == ("SC3",)
    assert reasons("SC11351090100010", INHALED) == ("SC5",)


def test_grouped_digits_and_full_width_are_read() -> None:
    assert reasons("ＳＣ：113 5109 0100 010") == ()
    assert reasons("SC11351090100010 30包") == ()


@pytest.mark.parametrize(
    ("text", "kind", "code"),
    [
        ("国药准字H20203063", "drug_approval", "DR1"),
        ("国食健注G20200012", "health_food", "HF1"),
        ("粤G妆网备字2021012345", "cosmetics", "CO1"),
        ("粤卫消证字〔2020〕-01-第0001号", "disinfectant", "DI1"),
        ("粤深食药监械经营备20180001号", "device_trading", "MT1"),
    ],
)
def test_a_number_for_other_goods_contradicts_inhaling_only(text: str, kind: str, code: str) -> None:
    (honest,) = find(text)
    assert (honest.kind, honest.status, honest.reasons) == (kind, "needs_register_lookup", ())
    (inhaled,) = find(text, INHALED)
    assert (inhaled.status, inhaled.reasons) == ("inconsistent", (code,))


def test_a_drug_number_of_the_wrong_shape_is_said_so() -> None:
    assert reasons("国药准字X123") == ("DR_FORMAT",)


def test_credit_codes_have_two_check_characters() -> None:
    assert reasons("91110000600037341L") == ()
    assert reasons("91110000600037341M") == ("US1",)
    assert reasons("91110000600037342L") == ("US1", "US2")


def test_bar_codes_are_read_only_where_they_are_called_so() -> None:
    assert reasons("条码 6921168509256") == ()
    assert reasons("条码 6921168509257") == ("EA1",)
    assert find("电话 6921168509257") == []


def test_even_a_right_tobacco_licence_allows_no_online_sale() -> None:
    assert reasons("烟草专卖零售许可证号 440106112345") == ("TB1",)
    assert find("订单 440106112345") == []


def test_a_missing_number_is_never_a_finding() -> None:
    assert find("医用雾化器 二类医疗器械 植物饮料", INHALED) == []


@given(st.text(st.sampled_from("粤国械注准备字号第sc()0123456789 ·-XHg卫消证药食健妆条码烟草许可证\n")))
def test_any_text_is_read_without_a_fault(text: str) -> None:
    canonical = normalize(text).text
    for claim in claims.find(canonical, NEBULISER):
        assert 0 <= claim.start < claim.end <= len(canonical)
        assert claim.kind in claims.KINDS
        assert set(claim.reasons) <= claims.REASONS
