"""The report as one HTML file without script or outside resource: read on screen, printed on A4."""

from __future__ import annotations

from functools import cache, partial
from typing import Any

import jinja2

from takedowns.reports import text
from takedowns.reports.definitions import Lang, wording
from takedowns.reports.figures import Report
from takedowns.reports.imprint import Imprint

CARDS = ("leads_sent", "removed_verified", "merchants", "accounts", "miniprograms")
PLATFORM_COLUMNS = [
    "leads_sent",
    "answered_rate",
    "removed_verified",
    "removed_claimed",
    "false_claim",
    "still_up",
    "unverifiable",
    "reappeared",
    "rate_72h",
    "median_hours",
    "backlog",
]


def render(report: Report, lang: Lang, imprint: Imprint, annex: str) -> bytes:
    """``annex`` is the name of the workbook that lists the leads."""
    page = _templates().get_template("report.html.j2")
    return page.render(
        report=report,
        lang=lang,
        annex=annex,
        office=imprint.office and imprint.office.in_(lang),
        cards=[report.total[name] for name in CARDS],
        columns=[report.total[name].definition for name in PLATFORM_COLUMNS],
        **_helpers(lang, imprint),
    ).encode()


def _helpers(lang: Lang, imprint: Imprint) -> dict[str, Any]:
    return {
        "say": lambda code, **filled: wording().labels[code].in_(lang).format(**filled),
        "title": partial(imprint.title, lang=lang),
        "local": text.local,
        "clause_zh": text.clause_zh,
        "clause_en": text.clause_en,
        **{
            helper.__name__: partial(helper, lang=lang)
            for helper in (text.value, text.note, text.interval, text.change, text.reason)
        },
    }


@cache
def _templates() -> jinja2.Environment:
    return jinja2.Environment(
        loader=jinja2.PackageLoader("takedowns.reports"),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )
