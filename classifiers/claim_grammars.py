"""The forms of licence and product numbers, as patterns for canonical text.

Where a form is known from use only and not from a published rule, the pattern is loose and ``best`` leaves
the number to the register. Digits may be parted into groups; letters that look like digits are read as those.
"""

from __future__ import annotations

import re
from typing import Literal, NamedTuple

Status = Literal["format_ok", "format_bad", "inconsistent", "needs_register_lookup"]

# GB/T 2260
PROVINCES = {
    "11": "北京", "12": "天津", "13": "河北", "14": "山西", "15": "内蒙古", "21": "辽宁", "22": "吉林",
    "23": "黑龙江", "31": "上海", "32": "江苏", "33": "浙江", "34": "安徽", "35": "福建", "36": "江西",
    "37": "山东", "41": "河南", "42": "湖北", "43": "湖南", "44": "广东", "45": "广西", "46": "海南",
    "50": "重庆", "51": "四川", "52": "贵州", "53": "云南", "54": "西藏", "61": "陕西", "62": "甘肃",
    "63": "青海", "64": "宁夏", "65": "新疆",
}  # fmt: skip
UNOFFICIAL = "蜀黔滇秦陇"
OFFICIAL = str.maketrans(UNOFFICIAL, "川贵云陕甘")
_DIGIT_LIKE = str.maketrans("oilb", "0118")

_PLACE = f"[京津冀晋蒙辽吉黑沪苏浙皖闽赣鲁豫鄂湘粤桂琼渝川贵云藏陕甘青宁新{UNOFFICIAL}]"
_YEAR = r"[(\[]?(?P<year>(?:19|20)\d{2})[)\]]?"
_COLON = r"(?: ?:)?"
_CODE_TAIL = r"[0-9a-hj-npqrtuwxy]"
_CODE_PROVINCE = rf"(?:10|{'|'.join(PROVINCES)})"
_TOBACCO = r"[1-6]\d{5}[12]\d{5}"


class Grammar(NamedTuple):
    """One form of one kind of number.

    Text that ``pattern`` matches is matched by ``hint`` as well, which is cheap to look for: each of its
    alternatives begins with a plain character, so that the search jumps from one of those to the next. Groups
    ``digits``, ``number`` (all of it, where the match holds more), ``place`` and ``year`` mean what they say.
    ``best`` is the best status that a match can reach.
    """

    name: str
    kind: str
    hint: str
    pattern: re.Pattern[str]
    best: Status


def _digits(length: int) -> str:
    """``length`` digits, some like letters, or in groups; else what people make of them: one short …"""
    group = r"\d(?:[ .·_-]?\d)"
    return (
        rf"(?P<digits>\d{{{length}}}(?!\d)|(?:\d|[il](?=\d))[\doilb]{{{length - 1}}}(?![\da-z])"
        rf"|{group}{{{length - 1}}}(?!\d)|{group}{{2,19}})"
    )


def _grammar(
    name: str, kind: str, hint: str, pattern: str, best: Status = "needs_register_lookup"
) -> Grammar:
    return Grammar(name, kind, hint, re.compile(pattern, re.ASCII), best)


GRAMMARS = (
    _grammar(
        "MD_REG",
        "device_registration",
        "械注",
        rf"(?P<place>国|{_PLACE})械注(?P<form>[准进许])[字号]?{_COLON} ?{_digits(11)}",
        "format_ok",
    ),
    _grammar(
        "MD_OLD",
        "device_registration",
        r"械\(?[准进许试]",
        rf"(?:国|{_PLACE})\S{{0,2}}食?药?[监管]?械\(?[准进许试]\)?字{_YEAR}第?\d{{7}}号?",
    ),
    _grammar(
        "MD_FILE",
        "device_filing",
        "械备",
        rf"(?P<place>国|{_PLACE})(?P<city>[一-龥]{{0,3}}?)(?<!网)械备[字号]?{_COLON} ?{_digits(8)}号?",
        "format_ok",
    ),
    _grammar(
        "LIC_MAKE",
        "device_maker",
        "械生产[许备]",
        rf"(?P<place>{_PLACE})[一-龥]{{0,3}}?食?药监械生产[许备](?P<year>20\d{{2}})\d{{4,6}}(?!\d)号?",
    ),
    _grammar(
        "LIC_TRADE",
        "device_trading",
        "械经营[许备]",
        rf"(?P<place>{_PLACE})[一-龥]{{0,3}}?食?药监械经营[许备](?P<year>20\d{{2}})\d{{4,6}}(?!\d)号?",
    ),
    _grammar(
        "LIC_ONLINE",
        "device_online",
        "网络销售备案",
        r"网络销售备案(?:凭证)?(?:编?号)?[: ]{0,3}(?P<number>[^\s,;:]{0,16}?\d{4,12}号?)",
    ),
    _grammar(
        "AD_MD",
        "device_advert",
        "械广审",
        rf"(?:国|{_PLACE})械广审\(?[视声文]\)?第?(?:(?P<expiry>\d{{6}})-?\d{{5}}|\d{{10}})(?!\d)号?",
    ),
    _grammar(
        "SC", "food_licence", r"sc ?:? ?[il]?\d", rf"(?<![a-z])sc ?:? ?(?P<number>{_digits(14)})", "format_ok"
    ),
    _grammar("QS", "food_licence", r"qs ?\d{4}", r"(?<![a-z])(?P<number>qs ?\d{4} ?\d{4} ?\d{4})(?!\d)"),
    _grammar("HF_REG", "health_food", "国食健注", rf"国食健注(?P<origin>[gj]) ?{_digits(8)}"),
    _grammar("HF_FILE", "health_food", "食健备", rf"食健备(?P<origin>[gj]) ?{_digits(12)}"),
    _grammar("HF_OLD", "health_food", "国食健字", r"国食健字[gj] ?(?P<year>20\d{2})\d{4}(?!\d)"),
    _grammar("HF_MOH", "health_food", "食健", rf"卫进?食健进?字{_YEAR}第? ?\d{{3,4}}号"),
    _grammar("DRUG", "drug_approval", "药准字", rf"国药准字 ?(?P<letters>[a-z]{{0,2}}) ?{_digits(8)}"),
    _grammar(
        "IMPORT_OLD",
        "drug_approval",
        "进口药品|医药产品",
        rf"(?:进口药品|医药产品)注册证号{_COLON} ?(?P<number>[hzsb]c? ?(?:19|20)\d{{6}})(?!\d)",
    ),
    _grammar("COS_G", "cosmetics", "妆网备", rf"{_PLACE}g妆网备字 ?(?P<year>20\d{{2}})\d{{6}}(?!\d)"),
    _grammar("COS_J", "cosmetics", "妆网备", r"国妆网备进字\(?[一-龥]\)? ?(?P<year>20\d{2})\d{6}(?!\d)"),
    _grammar("COS_S", "cosmetics", "妆特", r"国妆特进?字\(?[gj]?\)? ?(?P<year>20\d{2})\d{4}(?!\d)"),
    _grammar("COS_M", "cosmetics", r"妆 ?20\d", rf"(?P<place>{_PLACE})妆 ?(?P<year>20\d{{2}})\d{{4}}(?!\d)"),
    _grammar(
        "DIS",
        "disinfectant",
        "卫消",
        rf"(?:国|{_PLACE})?卫消(?:证|新准)字 ?{_YEAR}(?:-\d{{2}}-)?第? ?\d{{3,4}}号",
    ),
    _grammar(
        "USCC",
        "credit_code",
        "信用代码|营业执照",
        rf"(?:信用代码|营业执照)证?编?号?[: ]{{0,3}}"
        rf"(?P<number>[159y]{_CODE_TAIL}\d{{6}}{_CODE_TAIL}{{10}})(?![0-9a-z])",
        "format_ok",
    ),
    # Where nothing calls it so, only a firm's with a letter in it: parcels and people have 18 digits as well.
    _grammar(
        "USCC_BARE",
        "credit_code",
        rf"9[123]{_CODE_PROVINCE}\d{{4}}{_CODE_TAIL}{{10}}",
        rf"(?<![0-9a-z])(?=\d{{8,17}}[a-y])(?P<number>9[123]{_CODE_PROVINCE}\d{{4}}{_CODE_TAIL}{{10}})(?![0-9a-z])",
        "format_ok",
    ),
    _grammar(
        "EAN13",
        "bar_code",
        "|".join(rf"{word}[-13 :号]{{0,8}}\d" for word in ("条码", "条形码", "barcode", "ean", "69码")),
        r"(?:条形?码|barcode|ean(?:-?13)?|69码)号?[: ]{0,3}(?P<number>(?P<digits>\d{13}))(?!\d)",
        "format_ok",
    ),
    _grammar(
        "TOB",
        "tobacco_licence",
        "烟草|专卖|零售许可",
        rf"(?:烟草|专卖|零售许可)[^\n\d]{{0,16}}(?P<number>(?P<digits>{_TOBACCO}))(?!\d)",
    ),
    _grammar(
        "TOB_ODD",
        "tobacco_licence",
        "烟草|专卖|零售许可",
        rf"(?:(?:烟草|专卖)[^\n\d]{{0,8}}|零售)许可证[^\n\d]{{0,6}}(?!{_TOBACCO}(?!\d))"
        r"(?P<number>(?P<digits>\d{9,15}))(?!\d)",
    ),
    _grammar(
        "CARTON",
        "carton_code",
        r"烟[^\n\d]{0,24}\d{16}|码[^\n\d]{0,24}\d{16}",
        r"[烟码][^\n\d]{0,24}(?P<number>\d(?P<month>\d\d)(?P<day>\d\d)\d{11}"
        rf"[ \n]?[a-z]{{4}}[ \n]?{_TOBACCO})(?!\d)",
    ),
)


def digits_of(match: re.Match[str]) -> str:
    """The digits of a number alone, without what parts them and with those that were written as letters."""
    return re.sub(r"\D", "", match["digits"].translate(_DIGIT_LIKE))


KINDS = frozenset(grammar.kind for grammar in GRAMMARS)
WORTH_A_LOOK = re.compile("|".join(dict.fromkeys(grammar.hint for grammar in GRAMMARS)), re.ASCII)
