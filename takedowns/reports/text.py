"""How a report writes values, changes, times and other people's words, in Chinese and English (pure)."""

from __future__ import annotations

import unicodedata
from datetime import datetime

from takedowns.reports.definitions import Kind, Lang, wording
from takedowns.reports.figures import Figure, Reason
from takedowns.reports.period import ZONE
from takedowns.statistics import NOT_REACHED, Change, ChangeKind

NONE = "—"
LONGEST = 500  # characters of a seller's text; a spreadsheet cell holds 32,767
_INVISIBLE = ("Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp")


def visible(text: str) -> str:
    """Somebody else's text on one line; what is unseen or turns the writing is shown by number: ⟨U+202E⟩."""
    cut = text if len(text) <= LONGEST else f"{text[:LONGEST]}…"
    return "".join(f"⟨U+{ord(c):04X}⟩" if unicodedata.category(c) in _INVISIBLE else c for c in cut)


def local(moment: datetime | None) -> str:
    """Beijing time to the minute; empty when it never came."""
    return moment.astimezone(ZONE).strftime("%Y-%m-%d %H:%M") if moment else ""


def number(kind: Kind, value: float) -> str:
    """1,234 or 64.7% or 42.4 or 0.81."""
    if kind is Kind.COUNT:
        return f"{value:,.0f}"
    if kind is Kind.SHARE:
        return f"{value:.1%}"
    return f"{value:,.1f}" if kind is Kind.HOURS else f"{value:.2f}"


def value(figure: Figure, lang: Lang) -> str:
    """The value as printed, or the reason why there is none."""
    if figure.value is None:
        return note(figure, lang)
    return number(figure.definition.kind, figure.value)


def note(figure: Figure, lang: Lang) -> str:
    return wording().notes[figure.note].in_(lang) if figure.note else ""


def interval(figure: Figure, lang: Lang) -> str:
    if figure.interval is None:
        return ""
    low, high = (_bound(figure, bound, lang) for bound in (figure.interval.low, figure.interval.high))
    return f"{low}–{high}"


def _bound(figure: Figure, bound: float, lang: Lang) -> str:
    if bound == NOT_REACHED:
        return wording().notes["not_reached"].in_(lang)
    return number(figure.definition.kind, bound)


def change(told: Change | None, lang: Lang) -> str:
    """+5.2%, +3 (a difference), −1.2 points, ±0; a dash where there is no base or nothing is compared."""
    if told is None or told.value is None:
        return NONE
    if told.value == 0:
        return "±0"
    if told.kind is ChangeKind.DIFFERENCE:
        return _signed(f"{told.value:+,.0f}")
    if told.kind is ChangeKind.PERCENT:
        return _signed(f"{told.value:+.1%}")
    gap = " " if lang == "en" else ""
    return _signed(f"{told.value * 100:+.1f}{gap}{wording().labels['points'].in_(lang)}")


def _signed(text: str) -> str:
    return text.replace("-", "−")  # a minus sign, which no line break or formula takes for a hyphen


def clause_zh(told: Change, unit: str, *, yearly: bool) -> str:
    """The change as bulletins put it: 环比上升5.2%."""
    name, base = ("同比", "上年同期") if yearly else ("环比", "上期")
    if told.value is None:
        return f"{base}为0"
    if told.value == 0:
        return f"{name}持平"
    if told.kind is ChangeKind.DIFFERENCE:
        return f"较{base}{'增加' if told.value > 0 else '减少'}{abs(told.value):,.0f}{unit}"
    return f"{name}{'上升' if told.value > 0 else '下降'}{abs(told.value):.1%}"


def clause_en(told: Change, *, yearly: bool) -> str:
    """The same in English: up 5.2% on the previous period."""
    base = "the same period last year" if yearly else "the previous period"
    if told.value is None:
        return f"0 in {base}"
    if told.value == 0:
        return f"as many as in {base}"
    if told.kind is ChangeKind.DIFFERENCE:
        return f"{abs(told.value):,.0f} {'more' if told.value > 0 else 'fewer'} than in {base}"
    return f"{'up' if told.value > 0 else 'down'} {abs(told.value):.1%} on {base}"


def reason(told: Reason, lang: Lang) -> str:
    """A sentence about what is missing."""
    said: dict[str, object] = {"count": told.count}
    if told.run:
        said["run"] = visible(told.run.run_id)
        said["platform"] = visible(told.run.platform or NONE)
        said["at"] = local(told.run.started_at)
        said["state"] = wording().run_states[told.run.state].in_(lang)
    return wording().reasons[told.code].in_(lang).format(**said)
