from __future__ import annotations

import re
import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from classifiers import claims
from classifiers.claim_grammars import GRAMMARS, Grammar
from classifiers.claim_rules import RULES
from classifiers.claims import Context, Found
from classifiers.normalize import normalize

PLAIN = Context(this_year=2026)
NEBULISER = Context(nebuliser=True, this_year=2026)
INHALED = Context(inhaled=True, this_year=2026)
DRINK = Context(drink=True, this_year=2026)
# What numbers are made of, so that many are near one.
PIECES = re.findall(
    "[^ ]+",
    "械注准 械备 药监械 生产许 械广审 卫消证字 食健备g 国食健字j 国药准字 妆网备字 烟草专卖 许可证 2021"
    " 440106 网络销售备案 信用代码 9111 进口药品注册证号 第0001号 经营备",
)
TEXT = st.lists(st.sampled_from([*"粤国械注准号sc()0123456789 ·-:XHgOl消妆条码\n", *PIECES])).map("".join)


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
        ("国械注许20203080007", ("MD_CLASS3",)),
        ("国械注准20222080001", ("MR2",)),
        ("粤械注准20233080001", ("MR2", "MD_CLASS3")),
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
    special = {(): "format_ok", ("MD_FORMAT",): "format_bad", ("MD_CLASS3",): "needs_register_lookup"}
    assert claim.status == special.get(expected, "inconsistent")


def test_a_number_of_other_goods_is_not_measured_by_the_category_of_nebulisers() -> None:
    assert reasons("湘械注准20212200012") == ()


def test_a_class_one_filing_does_not_cover_a_powered_nebuliser() -> None:
    assert reasons("粤穗械备20210012号") == ()
    assert reasons("粤穗械备20210012号", NEBULISER) == ("MF1",)
    assert reasons("口腔给药器 粤穗械备20210012号") == ()
    assert reasons("口腔给药器 可充电 粤穗械备20210012号") == ("MF1",)
    assert reasons("二类医疗器械 粤穗械备20210012号") == ("MF1",)
    assert reasons("第二类医疗器械经营备案齐全 粤穗械备20210012号") == ()


def test_a_filing_beside_a_registration_is_not_the_only_number() -> None:
    machine, mask = find("雾化器 苏械注准20182080123 面罩 苏苏械备20180233号", NEBULISER)
    assert (machine.reasons, mask.reasons) == ((), ())


def test_a_filing_is_compared_with_what_the_page_says() -> None:
    assert reasons("沪械备20210012号", Context(flavoured=True, this_year=2026)) == ("MF4",)
    assert reasons("国械备20210012号 产地 德国") == ()
    assert reasons("国械备20210012号 产地 广东") == ("MF3",)
    assert reasons("粤穗械备20990012号") == ("MF_FORMAT",)


@pytest.mark.parametrize("number", ["粤械备20210012号", "粤穗械备202100123", "黔贵械备20210012"])
def test_a_filing_written_as_few_are_is_left_to_the_register(number: str) -> None:
    (claim,) = find(number)
    assert claim.status == "needs_register_lookup"
    assert claim.reasons


def test_a_heated_nebuliser_has_a_number_of_a_withdrawn_category() -> None:
    assert reasons("医用加热雾化器 粤械注准20212080012", NEBULISER) == ("MD_HEAT",)
    assert "MD_HEAT" in reasons("加热雾化棒 粤穗械备20210012号", NEBULISER)


def test_an_old_registration_is_left_to_the_register() -> None:
    (claim,) = find("国食药监械（准）字2012第3210001号")
    assert (claim.status, claim.reasons) == ("needs_register_lookup", ("MD_OLD_ERA",))


@pytest.mark.parametrize("number", ["11351090100010", "10741018302531", "12434017430075", "10744030704994"])
def test_printed_food_licences_pass_their_check_digit(number: str) -> None:
    (claim,) = find(f"SC{number}")
    assert (claim.kind, claim.status) == ("food_licence", "format_ok")


def test_food_licences_that_do_not_fit_say_why() -> None:
    assert reasons("SC10633010800083") == ("SC1",)
    assert reasons("SC12345678901234") == ("SC1",)
    assert "SC2" in reasons("SC10699010800083")
    assert reasons("SC1063301080008") == ("SC_FORMAT",)
    assert reasons("SC14535109010001") == ("SC1", "SC_CATEGORY")
    assert reasons("SC11351090100010", INHALED) == ("SC5",)
    assert reasons("医用电子雾化器 SC11351090100010", NEBULISER) == ("SC5",)
    assert reasons("SC20244010600010", DRINK)[-1] == "SC_FLAVOURING"
    assert reasons("食品用香精 饮料专用 SC20244010600010", DRINK) == ("SC1",)


@pytest.mark.parametrize(("text", "code"), [("SC11351090100010", "SC3"), ("SC10633010800088 10ml*3", "SC6")])
def test_a_weak_sign_leaves_a_food_licence_to_the_register(text: str, code: str) -> None:
    (claim,) = find(text, DRINK)
    assert (claim.status, claim.reasons) == ("needs_register_lookup", (code,))


def test_the_older_food_licence_is_left_to_the_register() -> None:
    (claim,) = find("QS4401 0601 1234")
    assert (claim.kind, claim.status, claim.reasons) == ("food_licence", "needs_register_lookup", ("QS_OLD",))


def test_grouped_digits_and_full_width_are_read() -> None:
    assert reasons("ＳＣ：113 5109 0100 010") == ()
    assert reasons("SC11351090100010 30包") == ()
    assert reasons("粤械注准2021 208 0012 30片装", NEBULISER) == ()


@pytest.mark.parametrize("number", ["粤械注准2O21208OO12", "粤械注准2021208001l", "SCl1351O901OOOlO"])
def test_letters_that_look_like_digits_are_read_as_those_and_it_is_said(number: str) -> None:
    (claim,) = find(number)
    assert (claim.status, claim.reasons) == ("needs_register_lookup", ("LOOSE",))


@pytest.mark.parametrize(
    "text", ["SC106开头的证", "SC11444xxxx", "国药准字H2019××××号", "粤械注准2021208****"]
)
def test_part_of_a_number_is_left_to_the_register(text: str) -> None:
    (claim,) = find(text)
    assert (claim.status, claim.reasons) == ("needs_register_lookup", ("PARTIAL",))


def test_a_number_is_never_joined_with_the_one_on_the_next_line() -> None:
    assert reasons("粤械注准2021208\n0012") == ("MD_FORMAT",)


def test_an_unofficial_name_of_a_province_is_said() -> None:
    assert reasons("蜀械注准20212140012") == ("LOOSE",)


@pytest.mark.parametrize(
    ("text", "kind", "code"),
    [
        ("国药准字H20203063", "drug_approval", "DR1"),
        ("国食健注G20200012", "health_food", "HF1"),
        ("粤G妆网备字2021012345", "cosmetics", "CO1"),
        ("粤卫消证字〔2020〕-01-第0001号", "disinfectant", "DI1"),
        ("粤深食药监械经营备20180001号", "device_trading", "MT1"),
        ("粤药监械生产许20220001号", "device_maker", "MT1"),
        ("粤深药监械生产备20220001号", "device_maker", "MT1"),
        ("医疗器械网络销售备案编号：粤深网械备202100123", "device_online", "MT1"),
        ("食健备G201944000123", "health_food", "HF1"),
        ("食健备J201900000123", "health_food", "HF1"),
        ("国妆网备进字（沪）2021001234", "cosmetics", "CO1"),
        ("国妆特字(G)20201234", "cosmetics", "CO1"),
        ("粤妆20160001", "cosmetics", "CO1"),
        ("卫消新准字（2019）第0001号", "disinfectant", "DI1"),
        ("进口药品注册证号 H20160001", "drug_approval", "DR1"),
    ],
)
def test_a_number_for_other_goods_contradicts_inhaling_only(text: str, kind: str, code: str) -> None:
    (honest,) = find(text)
    assert (honest.kind, honest.status, honest.reasons) == (kind, "needs_register_lookup", ())
    (inhaled,) = find(text, INHALED)
    assert (inhaled.status, inhaled.reasons) == ("inconsistent", (code,))


@pytest.mark.parametrize("text", ["国食健字G20100012", "卫食健字(2002)第0123号"])
def test_an_older_health_food_number_is_left_to_the_register(text: str) -> None:
    (claim,) = find(text)
    assert (claim.status, claim.reasons) == ("needs_register_lookup", ("HF_OLD_ERA",))


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("国药准字X20203063", "DR_FORMAT"),
        ("国食健注J2020001", "UNUSUAL"),
        ("食健备G201999000123", "UNUSUAL"),
        ("粤药监械生产许20990001号", "YEAR_AHEAD"),
        ("粤G妆网备字2099012345", "YEAR_AHEAD"),
        ("粤械广审（文）第240131-00123号", "AD_PAST"),
    ],
)
def test_a_rule_known_from_use_only_leaves_the_number_to_the_register(text: str, code: str) -> None:
    (claim,) = find(text)
    assert (claim.status, claim.reasons) == ("needs_register_lookup", (code,))


def test_the_published_health_food_format_is_told_from_what_does_not_fit_it() -> None:
    (claim,) = find("国食健注G2020001")
    assert (claim.status, claim.reasons) == ("format_bad", ("HF_FORMAT",))


def test_an_advertisement_that_still_runs_is_no_finding() -> None:
    assert reasons("粤械广审(文)第270131-00123号") == ()


def test_a_medicine_for_inhaling_may_be_inhaled() -> None:
    assert reasons("吸入用布地奈德混悬液 国药准字H20203063", INHALED) == ()


def test_a_medical_nebuliser_that_shows_other_numbers_only_contradicts_itself() -> None:
    assert reasons("医用雾化器 粤妆20160001", NEBULISER) == ("CO1",)
    assert reasons("雾化吸入 粤卫消证字(2020)第0001号", NEBULISER) == ("DI1",)
    assert reasons("雾化消毒机 粤卫消证字(2020)第0001号", NEBULISER) == ()
    assert reasons("雾化吸入 国药准字H20203063", NEBULISER) == ()


def test_a_licence_of_the_firm_is_no_certificate_of_the_goods() -> None:
    filing = "粤深药监械经营备20180001号"
    assert reasons(f"医疗器械认证 {filing}") == ("MT1",)
    assert [c.reasons for c in find(f"医疗器械认证 苏械注准20182080123 {filing}")] == [(), ()]


def test_credit_codes_have_two_check_characters() -> None:
    assert reasons("91110000600037341L") == ()
    assert reasons("91110000600037341M") == ("US1",)
    assert reasons("统一社会信用代码：91110000600037342L") == ("US1", "US2")


def test_a_credit_code_is_compared_with_the_seat_and_the_trade_that_the_page_names() -> None:
    assert reasons("91110000600037341L 所在地：北京") == ()
    assert reasons("91110000600037341L 所在地：广东省深圳市") == ("US3",)
    assert "US4" in reasons("生产企业 营业执照 92110000600037341L", NEBULISER)


def test_the_number_of_a_person_or_a_parcel_is_no_credit_code() -> None:
    assert find("身份证 510901199001011234 运单 921101234567890123") == []


def test_bar_codes_are_read_only_where_they_are_called_so() -> None:
    assert reasons("条码 6921168509256") == ()
    assert reasons("条码 6921168509257") == ("EA1",)
    assert find("电话 6921168509257") == []


def test_even_a_right_tobacco_licence_allows_no_online_sale() -> None:
    assert reasons("烟草专卖零售许可证号 440106112345") == ("TB1",)
    assert reasons("烟草专卖零售许可证号 44010611234") == ("TB_FORMAT", "TB1")
    assert find("烟草专卖举报电话 12313") == []
    assert find("订单 440106112345") == []


def test_the_code_on_a_carton_of_cigarettes_is_read_in_two_lines() -> None:
    (claim,) = find("卷烟32位码：5123112345678901\nYCYC440106112345")
    assert (claim.kind, claim.status) == ("carton_code", "needs_register_lookup")
    assert reasons("条烟喷码 5133112345678901 YCYC440106112345") == ("CC_FORMAT",)


def test_a_missing_number_is_never_a_finding() -> None:
    assert find("医用雾化器 二类医疗器械 植物饮料", INHALED) == []


@pytest.mark.parametrize(
    ("kind", "written", "number"),
    [
        ("device_registration", "粤械注准20212080012", "粤械注准20212080012"),
        ("device_registration", "粵械註準２０２１ ２０８ ００１２", "粤械注准20212080012"),
        ("device_registration", "粤 械 注 准 字 2021-208-0012", "粤械注准20212080012"),
        ("device_registration", "粤械注准2O21208OO12", "粤械注准20212080012"),
        ("device_registration", "黔械注准20212080012", "贵械注准20212080012"),
        ("device_registration", "国食药监械（准）字2012第3210001号", "国食药监械准字20123210001"),
        ("device_registration", "国食药监械(准)字 2012 第 3210001", "国食药监械准字20123210001"),
        ("device_filing", "粤穗械备20210012号", "粤穗械备20210012"),
        ("food_licence", "ＳＣ：113 5109 0100 010", "11351090100010"),
        ("food_licence", "11351090100010", "11351090100010"),  # the letters stand in the attribute's name
        ("cosmetics", "粤G妆网备字2021012345", "粤G妆网备字2021012345"),
        ("credit_code", "统一社会信用代码：91110000600037341L", "91110000600037341L"),
        ("bar_code", "条码: 6921168509256", "6921168509256"),
        ("tobacco_licence", "烟草专卖零售许可证号 440106112345", "440106112345"),
        ("disinfectant", "粤卫消证字〔2020〕-01-第0001号", "粤卫消证字2020010001"),
        ("device_registration", "一次性", None),
    ],
)
def test_equal_numbers_compare_equal_however_they_are_written(
    kind: str, written: str, number: str | None
) -> None:
    assert claims.number(kind, written) == number


@given(st.sampled_from(GRAMMARS).flatmap(lambda g: st.tuples(st.just(g), st.from_regex(g.pattern))))
def test_whatever_text_has_a_number_is_worth_a_look(example: tuple[Grammar, str]) -> None:
    grammar, text = example
    assert grammar.pattern.search(text)
    assert claims.WORTH_A_LOOK.search(text)


@given(TEXT)
def test_so_it_is_in_any_text(text: str) -> None:
    canonical = normalize(text).text
    if any(grammar.pattern.search(canonical) for grammar in GRAMMARS):
        assert claims.WORTH_A_LOOK.search(canonical)


@given(TEXT)
def test_any_text_is_read_without_a_fault(text: str) -> None:
    canonical = normalize(text).text
    for claim in claims.find(canonical, NEBULISER):
        assert 0 <= claim.start < claim.end <= len(canonical)
        assert claim.kind in claims.KINDS
        assert set(claim.reasons) <= claims.REASONS
        assert claims.number(claim.kind, canonical[claim.start : claim.end])


def test_every_form_has_its_rule() -> None:
    assert {grammar.name for grammar in GRAMMARS} == set(RULES)


@pytest.mark.parametrize(
    "piece",
    [
        "粤械注准20212080012 ",
        "粤械注准2",
        "1 2-3.",
        "sc1 1",
        "烟草专卖",
        "9111000060",
        "国药准字h",
        "信用代码",
        "网络销售备案1",
    ],
)
def test_a_hundred_thousand_characters_of_numbers_are_read_in_no_time(piece: str) -> None:
    text = piece * (100_000 // len(piece))
    began = time.process_time()
    list(claims.find(text, NEBULISER))
    assert time.process_time() - began < 3  # quadratic work would take minutes
