"""The report for programs: figures with definitions and rows, leads, and the hashes of the other files."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Mapping
from typing import Any

from takedowns.reports.figures import Figure, LeadRow, Report, Section
from takedowns.reports.text import visible
from takedowns.statistics import NOT_REACHED, Change, Interval


def render(report: Report, files: Mapping[str, str]) -> bytes:
    """``files``: name → SHA-256. A bound of null was not reached; shares and changes are fractions of one."""
    content = {
        "period": str(report.period),
        "start": report.period.start.isoformat(),
        "end": report.period.end.isoformat(),
        "as_of": report.as_of.isoformat(),
        "input_digest": report.input_digest,
        "reasons": [reason.code for reason in report.reasons],
        "definitions": [figure.definition.model_dump(mode="json") for figure in report.total.figures],
        "total": _figures(report.total),
        "platforms": {section.platform: _figures(section) for section in report.platforms},
        "leads": [_lead(lead) for lead in report.leads],
        "files": dict(files),
    }
    return (json.dumps(content, ensure_ascii=False, indent=1, allow_nan=False) + "\n").encode()


def _figures(section: Section) -> dict[str, Any]:
    return {figure.id: _figure(figure) for figure in section.figures}


def _figure(figure: Figure) -> dict[str, Any]:
    return {
        "value": figure.value,
        "numerator": figure.numerator,
        "denominator": figure.denominator,
        "interval": _interval(figure.interval),
        "note": figure.note,
        "mom": _change(figure.mom),
        "yoy": _change(figure.yoy),
        "rows": list(figure.rows),
    }


def _interval(bounds: Interval | None) -> list[float | None] | None:
    if bounds is None:
        return None
    return [None if bound == NOT_REACHED else bound for bound in (bounds.low, bounds.high)]


def _change(change: Change | None) -> dict[str, Any] | None:
    return dataclasses.asdict(change) if change else None


def _lead(lead: LeadRow) -> dict[str, Any]:
    times = ("sent_at", "claim_received_at", "outcome_at", "last_look_at")
    theirs = ("platform", "item_id", "url", "seller")
    row = dataclasses.asdict(lead)
    row |= {name: row[name] and row[name].isoformat() for name in times}
    return row | {name: row[name] and visible(row[name]) for name in theirs}
