"""What is checked of each form of licence or product number: reason codes, by the published rules."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator

from classifiers import check_digits
from classifiers.claim_grammars import PROVINCES, UNOFFICIAL, digits_of
from classifiers.claim_page import Page

Match = re.Match[str]
Rule = Callable[[Match, Page], Iterator[str]]

_MUNICIPALITIES = "京津沪渝"
_SC_DRINKS = frozenset({"106", "114"})  # drinks; tea and tea substitutes
_SC_FLAVOURING = "202"
_MASKED = re.compile(r" ?(?:[x×*#]|\.\.|…|开头|打头)")

# The published format itself is broken.
BROKEN = frozenset({"MD_FORMAT", "MF_FORMAT", "SC_FORMAT", "HF_FORMAT", "TB_FORMAT", "CC_FORMAT"})
# Weak signs, and rules known from use only: they tell a person what to look up, and contradict nothing.
LOOK_UP = frozenset(
    {"LOOSE", "PARTIAL", "UNUSUAL", "YEAR_AHEAD", "MD_OLD_ERA", "MD_CLASS3", "MF2", "AD_PAST", "SC3", "SC6"}
    | {"QS_OLD", "HF_OLD_ERA", "DR_FORMAT", "US3", "US4"}
)
CONTRADICTS = frozenset(
    {"MR1", "MR2", "MR3", "MR4", "MR5", "MR6", "MD_HEAT", "MF1", "MF3", "MF4", "MT1", "SC1", "SC2", "SC5"}
    | {"SC_CATEGORY", "SC_FLAVOURING", "HF1", "DR1", "CO1", "DI1", "US1", "US2", "EA1", "TB1"}
)
REASONS = BROKEN | LOOK_UP | CONTRADICTS


def of_any_kind(match: Match, page: Page) -> Iterator[str]:
    """What is said of a number of any kind."""
    groups = match.groupdict()
    if (groups.get("place") or "-") in UNOFFICIAL or re.search("[a-z]", groups.get("digits") or ""):
        yield "LOOSE"
    if int(groups.get("year") or 0) > page.context.this_year:
        yield "YEAR_AHEAD"


def _partial(match: Match, length: int) -> bool:
    """Whether a number of ``length`` digits is shown only in part: SC106…, 2021208****, 以SC117开头."""
    shown = len(digits_of(match))
    return shown < length and (shown <= length // 2 or _MASKED.match(match.string, match.end()) is not None)


def _device_registration(match: Match, page: Page) -> Iterator[str]:
    digits = digits_of(match)
    if len(digits) != 11:
        yield "PARTIAL" if _partial(match, 11) else "MD_FORMAT"
        return
    year, level, category, serial = int(digits[:4]), digits[4], digits[5:7], digits[7:]
    if level not in "23":
        yield "MR1"
    elif not _right_authority(match["place"], match["form"], level):
        yield "MR2"
    if not 2014 <= year <= page.context.this_year:
        yield "MR3"
    if not _known_category(year, category):
        yield "MR4"
    if serial == "0000":
        yield "MR6"
    yield from _on_a_nebuliser(year, level, category, page)


def _right_authority(place: str, form: str, level: str) -> bool:
    return place == "国" if form in "进许" or level == "3" else place != "国"


def _known_category(year: int, category: str) -> bool:
    """Sub-catalogues 01 to 22 and 40; numbers of 2018 and before may carry an old 68xx code."""
    value = int(category)
    return 1 <= value <= 22 or value == 40 or (year <= 2018 and 1 <= value <= 77)


def _on_a_nebuliser(year: int, level: str, category: str, page: Page) -> Iterator[str]:
    if page.heated:
        yield "MD_HEAT"
    if not page.context.nebuliser:
        return
    if _known_category(year, category) and category not in _nebuliser_categories(year):
        yield "MR5"
    if level == "3":
        yield "MD_CLASS3"


def _nebuliser_categories(year: int) -> frozenset[str]:
    old = {"21", "23", "54", "56", "66"} if year <= 2018 else set()
    return frozenset({"08"} | old)


def _old_registration(_match: Match, _page: Page) -> Iterator[str]:
    yield "MD_OLD_ERA"


def _device_filing(match: Match, page: Page) -> Iterator[str]:
    digits = digits_of(match)
    if _partial(match, 8):
        yield "PARTIAL"
    elif not 7 <= len(digits) <= 9 or not 2014 <= int(digits[:4]) <= page.context.this_year:
        yield "MF_FORMAT"
    elif len(digits) != 8:
        yield "UNUSUAL"
    if (page.powered or page.second_class) and not page.registered:
        yield "MF1"
    if match["place"] not in f"国{_MUNICIPALITIES}" and not match["city"]:
        yield "MF2"
    if match["place"] == "国" and page.domestic:
        yield "MF3"
    if page.context.flavoured:
        yield "MF4"
    if page.heated:
        yield "MD_HEAT"


def _firm_licence(_match: Match, page: Page) -> Iterator[str]:
    if not page.registered and (page.context.inhaled or page.called_certified):
        yield "MT1"


def _device_advert(match: Match, page: Page) -> Iterator[str]:
    """The first two of its digits are taken for the year in which the approval ends."""
    if match["expiry"] and 2000 + int(match["expiry"][:2]) < page.context.this_year:
        yield "AD_PAST"


def _food_licence(match: Match, page: Page) -> Iterator[str]:
    digits = digits_of(match)
    if len(digits) != 14 or digits[0] not in "12":
        yield "PARTIAL" if _partial(match, 14) else "SC_FORMAT"
    else:
        yield from _food_number(digits, page)
    if page.breathed:
        yield "SC5"
    if page.context.drink and page.tiny:
        yield "SC6"


def _food_number(digits: str, page: Page) -> Iterator[str]:
    context = page.context
    if check_digits.mod_11_10(digits[:13]) != int(digits[13]):
        yield "SC1"
    if digits[3:5] not in PROVINCES:
        yield "SC2"
    category = digits[:3]
    if not 1 <= int(category[1:]) <= (31 if category[0] == "1" else 3):
        yield "SC_CATEGORY"
    elif category == _SC_FLAVOURING and (context.inhaled or (context.drink and not page.flavouring)):
        yield "SC_FLAVOURING"
    elif context.drink and category not in _SC_DRINKS and not page.flavouring:
        yield "SC3"


def _old_food_licence(_match: Match, page: Page) -> Iterator[str]:
    yield "QS_OLD"
    if page.breathed:
        yield "SC5"


def _health_food(match: Match, page: Page) -> Iterator[str]:
    if _partial(match, 8):
        yield "PARTIAL"
    elif len(digits_of(match)) != 8:
        yield "HF_FORMAT" if match["origin"] == "g" else "UNUSUAL"
    elif int(digits_of(match)[:4]) > page.context.this_year:
        yield "YEAR_AHEAD"
    yield from _not_breathed("HF1")(match, page)


def _filed_health_food(match: Match, page: Page) -> Iterator[str]:
    digits = digits_of(match)
    place = digits[4:6]
    if _partial(match, 12):
        yield "PARTIAL"
    elif len(digits) != 12 or not (place in PROVINCES if match["origin"] == "g" else place == "00"):
        yield "UNUSUAL"
    yield from _not_breathed("HF1")(match, page)


def _old_health_food(match: Match, page: Page) -> Iterator[str]:
    yield "HF_OLD_ERA"
    yield from _not_breathed("HF1")(match, page)


def _drug_approval(match: Match, page: Page) -> Iterator[str]:
    """Real medicines are nebulised, and some inhaled: only signs of an e-cigarette contradict one."""
    if _partial(match, 8):
        yield "PARTIAL"
    elif len(digits_of(match)) != 8 or not re.fullmatch("[hzsbtfj][cj]?", match["letters"]):
        yield "DR_FORMAT"
    if page.context.inhaled and not page.medicine:
        yield "DR1"


def _import_approval(_match: Match, page: Page) -> Iterator[str]:
    if page.context.inhaled and not page.medicine:
        yield "DR1"


def _not_breathed(code: str) -> Rule:
    def rule(_match: Match, page: Page) -> Iterator[str]:
        if page.breathed:
            yield code

    return rule


def _credit_code(match: Match, page: Page) -> Iterator[str]:
    code = match["number"].upper()
    if check_digits.credit_code(code) != code[17]:
        yield "US1"
    if check_digits.organisation_code(code) != code[16]:
        yield "US2"
    if page.province and PROVINCES.get(code[2:4], page.province) != page.province:
        yield "US3"
    if code.startswith("92") and page.maker and (page.context.nebuliser or page.second_class):
        yield "US4"


def _bar_code(match: Match, _page: Page) -> Iterator[str]:
    if check_digits.ean13(match["digits"]) != int(match["digits"][12]):
        yield "EA1"


def _tobacco_licence(_match: Match, _page: Page) -> Iterator[str]:
    yield "TB1"


def _odd_tobacco_licence(_match: Match, _page: Page) -> Iterator[str]:
    yield "TB_FORMAT"
    yield "TB1"


def _carton_code(match: Match, _page: Page) -> Iterator[str]:
    if not (1 <= int(match["month"]) <= 12 and 1 <= int(match["day"]) <= 31):
        yield "CC_FORMAT"


RULES: dict[str, Rule] = {
    "MD_REG": _device_registration,
    "MD_OLD": _old_registration,
    "MD_FILE": _device_filing,
    "LIC_MAKE": _firm_licence,
    "LIC_TRADE": _firm_licence,
    "LIC_ONLINE": _firm_licence,
    "AD_MD": _device_advert,
    "SC": _food_licence,
    "QS": _old_food_licence,
    "HF_REG": _health_food,
    "HF_FILE": _filed_health_food,
    "HF_OLD": _old_health_food,
    "HF_MOH": _old_health_food,
    "DRUG": _drug_approval,
    "IMPORT_OLD": _import_approval,
    "COS_G": _not_breathed("CO1"),
    "COS_J": _not_breathed("CO1"),
    "COS_S": _not_breathed("CO1"),
    "COS_M": _not_breathed("CO1"),
    "DIS": _not_breathed("DI1"),
    "USCC": _credit_code,
    "USCC_BARE": _credit_code,
    "EAN13": _bar_code,
    "TOB": _tobacco_licence,
    "TOB_ODD": _odd_tobacco_licence,
    "CARTON": _carton_code,
}
