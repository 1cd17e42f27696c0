"""Licence and product numbers: found, parsed, checked against the published grammar and against the listing.

A number that passes is no proof, and one that fails is no forgery: a finding says "does not fit the
published format" or "does not fit the goods", and a person looks it up in the register. Formats that are
known only from use are read tolerantly and end as ``needs_register_lookup``. A missing number is no finding.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Literal, NamedTuple

Status = Literal["format_ok", "format_bad", "inconsistent", "needs_register_lookup"]
Match = re.Match[str]

_PLACE = "[京津冀晋蒙辽吉黑沪苏浙皖闽赣鲁豫鄂湘粤桂琼渝川贵云藏陕甘青宁新]"
_MUNICIPALITIES = "京津沪渝"
_SC_PROVINCES = re.compile(r"1[1-5]|2[1-3]|3[1-7]|4[1-6]|5[0-4]|6[1-5]")  # GB/T 2260
_SC_DRINKS = frozenset({"106", "114"})  # drinks; tea and tea substitutes
_SC_FLAVOURING = "202"
_USCC_ALPHABET = "0123456789ABCDEFGHJKLMNPQRTUWXY"
_USCC_WEIGHTS = (1, 3, 9, 27, 19, 26, 16, 17, 20, 29, 25, 13, 8, 24, 10, 30, 28)
_ORG_WEIGHTS = (3, 7, 9, 10, 5, 8, 4, 2)


@dataclass(frozen=True, slots=True)
class Context:
    """What the rest of the listing says, as far as a number has to fit it."""

    inhaled: bool = False  # e-cigarette parts, puffs or inhaling
    nebuliser: bool = False  # the goods are called a nebuliser or something that nebulises
    flavoured: bool = False
    drink: bool = False  # the goods are called a drink
    this_year: int = 2026


@dataclass(frozen=True, slots=True)
class Found:
    """A claim at ``[start, end)`` of the canonical text, with reason codes such as ``MR2``."""

    kind: str
    start: int
    end: int
    status: Status
    reasons: tuple[str, ...] = ()


Reasons = Callable[[Match, Context], Iterator[str]]


def find(text: str, context: Context) -> Iterator[Found]:
    """Every number in canonical ``text`` whose grammar is known, in order of the grammars."""
    if not _WORTH_A_LOOK.search(text):
        return
    for pattern, grammar in _COMPILED:
        for match in pattern.finditer(text):
            codes = tuple(grammar.reasons(match, context))
            bad = any(code.endswith("_FORMAT") for code in codes)
            status: Status = "format_bad" if bad else "inconsistent" if codes else grammar.best
            yield Found(grammar.kind, match.start(), match.end(), status, codes)


def mod_11_10(digits: str) -> int:
    """Check digit of ISO 7064 MOD 11,10 (GB/T 17710) for a string of digits."""
    p = 10
    for digit in digits:
        p = (2 * ((p + int(digit)) % 10 or 10)) % 11
    return (11 - p) % 10


def uscc_check(code: str) -> str:
    """18th character of a unified social credit code (GB 32100) from its first 17."""
    total = sum(_USCC_ALPHABET.index(c) * w for c, w in zip(code[:17], _USCC_WEIGHTS, strict=True))
    return _USCC_ALPHABET[-total % 31]


def organisation_check(code: str) -> str:
    """17th character of a unified social credit code (GB 11714) from characters 9 to 16."""
    total = sum(int(c, 36) * w for c, w in zip(code[8:16], _ORG_WEIGHTS, strict=True))
    return "0123456789X"[-total % 11]


def ean13_check(digits: str) -> int:
    """13th digit of an EAN-13 bar code from its first 12."""
    return -sum(int(d) * (3 if n % 2 else 1) for n, d in enumerate(digits[:12])) % 10


def _device_registration(match: Match, context: Context) -> Iterator[str]:
    digits = re.sub(r"\D", "", match["digits"])
    if len(digits) != 11:
        yield "MD_FORMAT"
        return
    year, level, category, serial = int(digits[:4]), digits[4], digits[5:7], digits[7:]
    if level not in "23":
        yield "MR1"
    elif not _right_authority(match["place"], match["form"], level):
        yield "MR2"
    if not 2014 <= year <= context.this_year:
        yield "MR3"
    if not _known_category(year, category):
        yield "MR4"
    elif context.nebuliser and category not in _nebuliser_categories(year):
        yield "MR5"
    if serial == "0000":
        yield "MR6"


def _right_authority(place: str, form: str, level: str) -> bool:
    return place == "国" if form in "进许" or level == "3" else place != "国"


def _known_category(year: int, category: str) -> bool:
    """Sub-catalogues 01 to 22 and 40; numbers of 2018 and before may carry an old 68xx code."""
    number = int(category)
    return 1 <= number <= 22 or number == 40 or (year <= 2018 and 1 <= number <= 77)


def _nebuliser_categories(year: int) -> frozenset[str]:
    old = {"21", "23", "54", "56", "66"} if year <= 2018 else set()
    return frozenset({"08"} | old)


def _device_filing(match: Match, context: Context) -> Iterator[str]:
    digits = re.sub(r"\D", "", match["digits"])
    if not 7 <= len(digits) <= 9 or not 2014 <= int(digits[:4]) <= context.this_year:
        yield "MF_FORMAT"
    if context.nebuliser or context.inhaled:
        yield "MF1"
    if match["place"] not in f"国{_MUNICIPALITIES}" and not match["city"]:
        yield "MF2"
    if context.flavoured:
        yield "MF4"


def _trading_licence(_match: Match, context: Context) -> Iterator[str]:
    if context.inhaled:
        yield "MT1"


def _food_licence(match: Match, context: Context) -> Iterator[str]:
    digits = re.sub(r"\D", "", match["digits"])
    if len(digits) != 14 or digits[0] not in "12":
        yield "SC_FORMAT"
    else:
        yield from _food_number(digits, context)
    if context.inhaled:
        yield "SC5"


def _food_number(digits: str, context: Context) -> Iterator[str]:
    if mod_11_10(digits[:13]) != int(digits[13]):
        yield "SC1"
    if not _SC_PROVINCES.fullmatch(digits[3:5]):
        yield "SC2"
    wrong_goods = context.drink and digits[:3] not in _SC_DRINKS
    if wrong_goods or (digits[:3] == _SC_FLAVOURING and context.inhaled):
        yield "SC3"


def _credit_code(match: Match, _context: Context) -> Iterator[str]:
    code = match[0].upper()
    if uscc_check(code) != code[17]:
        yield "US1"
    if organisation_check(code) != code[16]:
        yield "US2"


def _bar_code(match: Match, _context: Context) -> Iterator[str]:
    if ean13_check(match["digits"]) != int(match["digits"][12]):
        yield "EA1"


def _when_inhaled(code: str) -> Reasons:
    def reasons(_match: Match, context: Context) -> Iterator[str]:
        if context.inhaled:
            yield code

    return reasons


def _always(code: str) -> Reasons:
    def reasons(_match: Match, _context: Context) -> Iterator[str]:
        yield code

    return reasons


def _digits(length: int) -> str:
    """``length`` digits in a row, else what people make of them: parted groups, one digit short …"""
    return rf"(?P<digits>\d{{{length}}}(?!\d)|\d(?:[ .·_-]?\d){{2,19}})"


_BRACKETED_YEAR = r"[(\[]?(?:19|20)\d{2}[)\]]?"
_WORTH_A_LOOK = re.compile(
    r"械|sc ?[:号]? ?\d|药准字|食健|妆|卫消|烟草|专卖|条码|条形码|barcode|ean|9[123]\d{6}"
)


class _Grammar(NamedTuple):
    """``pattern`` is for canonical text; ``best`` is the best status that a match can reach."""

    kind: str
    pattern: str
    reasons: Reasons
    best: Status = "needs_register_lookup"


_DRUG_NUMBER = r"[hzsbtfj][cj]? ?\d{8}(?!\d)"
_GRAMMARS = [
    _Grammar(
        "device_registration",
        rf"(?P<place>国|{_PLACE})械注(?P<form>[准进许])(?:字|号)? ?{_digits(11)}",
        _device_registration,
        "format_ok",
    ),
    _Grammar(
        "device_registration",
        rf"(?:国|{_PLACE})\S{{0,2}}食?药?监?管?械\(?[准进许试]\)?字{_BRACKETED_YEAR}第?\d{{7}}号?",
        _always("MD_OLD_ERA"),
    ),
    _Grammar(
        "device_filing",
        rf"(?P<place>国|{_PLACE})(?P<city>[一-龥]{{0,3}}?)械备(?:字|号)? ?{_digits(8)}号?",
        _device_filing,
        "format_ok",
    ),
    _Grammar(
        "device_trading",
        rf"{_PLACE}[一-龥]{{0,3}}食?药监械(?:生产|经营)[许备]20\d{{2}}\d{{4,6}}号?",
        _trading_licence,
    ),
    _Grammar("food_licence", rf"(?<![a-z])sc ?[:号]? ?{_digits(14)}", _food_licence, "format_ok"),
    _Grammar("health_food", r"国食健[注字][gj] ?\d{8}(?!\d)", _when_inhaled("HF1")),
    _Grammar("health_food", r"食健备[gj] ?\d{12}(?!\d)", _when_inhaled("HF1")),
    _Grammar("health_food", rf"卫进?食健进?字{_BRACKETED_YEAR}第? ?\d{{3,4}}号", _when_inhaled("HF1")),
    _Grammar("drug_approval", rf"国药准字 ?{_DRUG_NUMBER}", _when_inhaled("DR1")),
    _Grammar("drug_approval", rf"国药准字 ?(?!{_DRUG_NUMBER})[a-z]{{0,2}} ?\d{{1,12}}", _always("DR_FORMAT")),
    _Grammar("cosmetics", rf"{_PLACE}g妆网备字 ?20\d{{8}}(?!\d)", _when_inhaled("CO1")),
    _Grammar("cosmetics", r"国妆网备进字\(?[一-龥]\)? ?20\d{8}(?!\d)", _when_inhaled("CO1")),
    _Grammar("cosmetics", r"国妆特进?字[gj]? ?20\d{6}(?!\d)", _when_inhaled("CO1")),
    _Grammar("cosmetics", rf"{_PLACE}妆 ?20\d{{6}}(?!\d)", _when_inhaled("CO1")),
    _Grammar(
        "disinfectant",
        rf"(?:国|{_PLACE})?卫消(?:证|新准)字 ?{_BRACKETED_YEAR}(?:-\d{{2}}-)?第? ?\d{{3,4}}号",
        _when_inhaled("DI1"),
    ),
    _Grammar(
        "credit_code",
        r"(?<![0-9a-z])[0-9a-hj-npqrtuwxy]{2}\d{6}[0-9a-hj-npqrtuwxy]{10}(?![0-9a-z])",
        _credit_code,
        "format_ok",
    ),
    _Grammar(
        "bar_code",
        r"(?:条形?码|barcode|ean)(?:-?13)? ?[:号]? ?(?P<digits>\d{13})(?!\d)",
        _bar_code,
        "format_ok",
    ),
    _Grammar(
        "tobacco_licence",
        r"(?:烟草|专卖|零售许可)[^\n\d]{0,12}[1-6]\d{5}[12]\d{5}(?!\d)",
        _always("TB1"),
    ),
]
_COMPILED = [(re.compile(grammar.pattern), grammar) for grammar in _GRAMMARS]

KINDS = frozenset(grammar.kind for grammar in _GRAMMARS)
REASONS = frozenset(
    {
        "MD_FORMAT",
        "MR1",
        "MR2",
        "MR3",
        "MR4",
        "MR5",
        "MR6",
        "MD_OLD_ERA",
        "MF_FORMAT",
        "MF1",
        "MF2",
        "MF4",
        "MT1",
    }
    | {
        "SC_FORMAT",
        "SC1",
        "SC2",
        "SC3",
        "SC5",
        "HF1",
        "DR1",
        "DR_FORMAT",
        "CO1",
        "DI1",
        "US1",
        "US2",
        "EA1",
        "TB1",
    }
)
