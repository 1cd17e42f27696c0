"""The report as flat tables: the same cells go into the workbook and the CSV file (pure)."""

from __future__ import annotations

from collections.abc import Iterator

from takedowns.reports.definitions import LANGS, Phrase, definitions, wording
from takedowns.reports.figures import Figure, LeadRow, Report
from takedowns.reports.imprint import Imprint
from takedowns.reports.text import local, visible
from takedowns.statistics import NOT_REACHED, Change, ChangeKind

Cell = str | float | None
Row = tuple[Cell, ...]

FIGURE_COLUMNS = [
    "scope",
    "id",
    "figure",
    "value",
    "unit",
    "numerator",
    "denominator",
    "low",
    "high",
    "mom",
    "mom_unit",
    "yoy",
    "yoy_unit",
    "note",
]
LEAD_COLUMNS = [
    "number",
    "platform",
    "item_id",
    "url",
    "category",
    "seller_kind",
    "seller",
    "sent_at",
    "claim",
    "claim_received_at",
    "outcome",
    "outcome_at",
    "last_look",
    "last_look_at",
    "counted_in",
]
DEFINITION_COLUMNS = ["id", "figure", "unit", "meaning"]


def headings(columns: list[str]) -> Row:
    return tuple(both(wording().labels[column]) for column in columns)


def both(phrase: Phrase) -> str:
    return phrase.zh if phrase.zh == phrase.en else f"{phrase.zh} {phrase.en}"


def figure_rows(report: Report, imprint: Imprint) -> Iterator[Row]:
    """One row for each figure: of all platforms, then platform by platform. Shares are fractions of one."""
    for section in report.sections:
        zh, en = (imprint.title(section.platform, lang) for lang in LANGS)
        scope = both(Phrase(zh=zh, en=en))
        for figure in section.figures:
            yield (scope, *_figure_row(figure))


def _figure_row(figure: Figure) -> Row:
    bounds = figure.interval
    return (
        figure.id,
        both(figure.definition.name),
        figure.value,
        both(figure.definition.unit),
        figure.numerator,
        figure.denominator,
        _bound(bounds.low) if bounds else None,
        _bound(bounds.high) if bounds else None,
        *_change(figure.mom, figure),
        *_change(figure.yoy, figure),
        _named(wording().notes, figure.note),
    )


def _bound(bound: float) -> Cell:
    return both(wording().notes["not_reached"]) if bound == NOT_REACHED else bound


def _change(told: Change | None, figure: Figure) -> tuple[Cell, Cell]:
    if told is None or told.value is None:
        return None, None
    if told.kind is ChangeKind.DIFFERENCE:
        return told.value, both(figure.definition.unit)
    # in hundredths, as their unit says
    return round(told.value * 100, 4), "%" if told.kind is ChangeKind.PERCENT else both(
        wording().labels["points"]
    )


def platform_rows(report: Report) -> Iterator[Row]:
    """One row for each figure, one column for all platforms and one for each platform."""
    for figure_id, definition in definitions().items():
        values = (section[figure_id].value for section in report.sections)
        yield (both(definition.name), both(definition.unit), *values)


def lead_rows(report: Report, imprint: Imprint) -> Iterator[Row]:
    for lead in report.leads:
        yield _lead_row(lead, imprint)


def _lead_row(lead: LeadRow, imprint: Imprint) -> Row:
    words = wording()
    return (
        lead.number,
        imprint.title(lead.platform, "zh"),
        visible(lead.item_id),
        visible(lead.url),
        _named(words.categories, lead.category),
        _named(words.sellers, lead.seller_kind),
        visible(lead.seller or ""),
        local(lead.sent_at),
        _named(words.measures, lead.claim),
        local(lead.claim_received_at),
        _named(words.outcomes, lead.outcome),
        local(lead.outcome_at),
        _named(words.presence, lead.last_look),
        local(lead.last_look_at),
        " ".join(lead.counted_in),
    )


def _named(phrases: dict[str, Phrase], code: str | None) -> str:
    return both(phrases[code]) if code else ""


def definition_rows() -> Iterator[Row]:
    for definition in definitions().values():
        yield (
            definition.id,
            both(definition.name),
            both(definition.unit),
            f"{definition.meaning.zh}\n{definition.meaning.en}",
        )
