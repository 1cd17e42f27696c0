"""Numbers with units, each judged by the world it belongs to: e-cigarette, nebuliser, drink or other goods.

A puff count or a coil resistance belongs to e-cigarettes only; a droplet size, an output rate or a noise
level is what the maker of a real nebuliser states; a drink comes in bottles of 200 ml and more, an e-liquid
in a few. Sellers who avoid the puff count say how many days one lasts or how many packs it stands for.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence, Set
from dataclasses import dataclass

from classifiers.literals import DIGIT, Prefilter
from classifiers.measure_phrases import PHRASES

_DIGITS = {char: n for n, char in enumerate("零一二三四五六七八九")} | {"两": 2}
_POWERS = {"十": 10, "百": 100, "千": 1000, "万": 10_000}
_MULTIPLIER = {"k": 1000, "千": 1000, "w": 10_000, "万": 10_000}

_NUMBER = r"(?<![\d.])\d{1,6}(?:\.\d{1,3})?|[一二两三四五六七八九十百千万]{2,9}"
_PUFF_UNIT = (
    r"口(?![径罩腔岸红味感气服井袋杯碗锅香琴令才语福腹鼻])|[扣蔻](?![子除分眼件具])|kou\b|puffs?\b"
    r"|次?抽(?![屉纸绳油水烟机承卷*]| ?(?:面巾|纸|盒|\d|多少钱))|嘬|饮(?![料品用水茶食])"
    r"|次?吸(?![尘管盘顶收水力附铁湿汗油奶音声光嘴热盖])"
    r"|(?:hits|draws|pulls|drags|inhales|inhalations|sniffs|blows|breaths?|rituals|sips|gulps?)\b"
)
_USE_UNIT = r"[下次](?![单午载方数抛水])|发(?![货票布条行射动热电机护])|息(?![税差])|times?\b"
_UNITS = (
    r"ml/min|毫升/分|l/min|升/分|ml/h|毫升/小时|ml|毫升|mg/ml|mg/g|mg|毫克|mah|毫安|kpa|ohms?\b|ω|欧(?![美洲莱式姆]|姆龙)"
    r"|μm|um\b|微米|db\b|dba|分贝|%|w(?![a-z\d])|瓦(?![片楞罐])|l(?![a-z\d])|升(?![降级职学])"
)
QUANTITY = re.compile(
    rf"(?P<number>{_NUMBER})(?P<times>[k千万w])?[+多余来约]?(?:左右)? ?"
    rf"(?:(?P<puffs>{_PUFF_UNIT})|(?P<uses>{_USE_UNIT})|(?P<unit>{_UNITS}))"
)
# What a match of QUANTITY that says anything ends its figure with: draws and uses count from 100 on.
_WRITTEN = "一二两三四五六七八九十百千万"
_COUNTED = (
    "口 扣 蔻 kou puff 抽 嘬 饮 吸 hits draws pulls drags inhales inhalations sniffs blows breath rituals"
    " sips gulp 下 次 发 息 time"
)
_MEASURED = "ml 毫升 l/min 升 ml/h mg 毫克 mah 毫安 kpa ohm ω 欧 μm um 微米 db 分贝 % w 瓦 l"
_TIMES = f"[k千万w] [{DIGIT}{_WRITTEN}kw][+多余来约] 左右 [{_WRITTEN}][{_WRITTEN}]"
_NEEDS = " ".join(
    before + unit
    for units, least in ((_COUNTED, f"[{DIGIT}.][{DIGIT}.][{DIGIT}]"), (_MEASURED, f"[{DIGIT}]"))
    for unit in units.split()
    for before in f"{least} {_TIMES}".split()
)
_QUANTITIES = "quantities"
_MAY_MATCH = Prefilter({_QUANTITIES: _NEEDS} | {concept: phrase.needs for concept, phrase in PHRASES.items()})
_SALINE = re.compile(r" ?(?:高渗|氯化|盐水|生理|葡萄糖|酒精|乙醇|水杨|过氧|棉|羊毛|折|off)")


@dataclass(frozen=True, slots=True)
class Measure:
    """A quantity at ``[start, end)`` of the canonical text; ``concept`` as in ``concepts.yml``."""

    concept: str
    value: float | None
    start: int
    end: int


def find_many(texts: Sequence[str]) -> list[list[Measure]]:
    """For each canonical text all judged quantities; quantities that say nothing are left out."""
    # The automaton leaves one expression in twenty to be run: a seventh of the time.
    may_match = _MAY_MATCH.possible(texts)
    return [list(_find(text, names)) if names else [] for text, names in zip(texts, may_match, strict=True)]


def possible(texts: Sequence[str]) -> list[Set[str]]:
    """For each canonical text the concepts of all that ``find_many`` finds in it, and more."""
    return [names | _BANDS if _QUANTITIES in names else names for names in _MAY_MATCH.possible(texts)]


def _find(text: str, names: Set[str]) -> Iterator[Measure]:
    if _QUANTITIES in names:
        yield from quantities(text)
    for concept, phrase in PHRASES.items():
        if concept in names:
            yield from (Measure(concept, None, m.start(), m.end()) for m in phrase.pattern.finditer(text))


def quantities(text: str) -> Iterator[Measure]:
    """Figures with units."""
    for match in QUANTITY.finditer(text):
        value = _number(match["number"]) * _MULTIPLIER.get(match["times"] or "", 1)
        judge = _JUDGES[match["unit"]] if match["unit"] else _PUFFS if match["puffs"] else _USES
        concept = judge(value, text[match.end() : match.end() + 4])
        if concept:
            yield Measure(concept, value, match.start(), match.end())


def _number(written: str) -> float:
    """12, 1.5, 三百五十, 五千, 一万二千."""
    if written[0].isdigit():
        return float(written)
    total, section, digit = 0, 0, 0
    for char in written:
        if char in _DIGITS:
            digit = _DIGITS[char]
        elif char == "万":
            total, section, digit = (total + section + digit or 1) * 10_000, 0, 0
        else:
            section, digit = section + (digit or 1) * _POWERS[char], 0
    return float(total + section + digit)


def _band(*bands: tuple[float, str]) -> Callable[[float, str], str | None]:
    """The concept of the first band whose upper limit (inclusive) the value does not pass."""

    def judge(value: float, _after: str) -> str | None:
        return next((f"measure.{name}" if name else None for limit, name in bands if value <= limit), None)

    return judge


def _percent(value: float, after: str) -> str | None:
    return "measure.percent_low" if value <= 6 and not _SALINE.match(after) else None


_PUFFS = _band((99, ""), (100_000, "puffs"))
_USES = _band((99, ""), (100_000, "uses"))
_MILLILITRES = _band((20, "volume_tiny"), (99, "volume_small"), (199, ""), (5000, "volume_drink"))
_BATTERY = _band((149, ""), (1100, "battery_small"), (100_000, "battery_large"))
_OHM = _band((0.05, ""), (2.5, "resistance"))
_MICROMETRES = _band((0.2, ""), (20, "droplet_size"))
_NOISE = _band((9, ""), (120, "noise"))
_WATT = _band((4, ""), (100, "power_low"), (100_000, "power_high"))
_LITRES = _band((0.19, ""), (20, "volume_drink"))
_STRENGTH = _band((0, ""), (60, "milligrams"))
_RATE = _band((5, "output_rate"))
_JUDGES: dict[str, Callable[[float, str], str | None]] = {
    "ml/min": _RATE, "毫升/分": _RATE, "l/min": _band((200, "air_flow")), "升/分": _band((200, "air_flow")),
    "ml/h": _band((2000, "room_output")), "毫升/小时": _band((2000, "room_output")),
    "ml": _MILLILITRES, "毫升": _MILLILITRES, "l": _LITRES, "升": _LITRES,
    "mg/ml": _band((0, ""), (60, "strength_per_ml")), "mg/g": _band((0, ""), (60, "strength_per_ml")),
    "mg": _STRENGTH, "毫克": _STRENGTH, "mah": _BATTERY, "毫安": _BATTERY, "kpa": _band((1000, "pressure")),
    "ohm": _OHM, "ohms": _OHM, "ω": _OHM, "欧": _OHM, "μm": _MICROMETRES, "um": _MICROMETRES,
    "微米": _MICROMETRES,
    "db": _NOISE, "dba": _NOISE, "分贝": _NOISE, "%": _percent, "w": _WATT, "瓦": _WATT,
}  # fmt: skip

_BANDS = frozenset(
    f"measure.{band}"
    for band in {"puffs", "uses", "percent_low", "milligrams", "strength_per_ml"}
    | {"volume_tiny", "volume_small", "volume_drink"}
    | {"battery_small", "battery_large", "power_low", "power_high"}
    | {"resistance", "droplet_size", "noise", "output_rate", "air_flow", "room_output", "pressure"}
)
CONCEPTS = _BANDS | frozenset(PHRASES)
