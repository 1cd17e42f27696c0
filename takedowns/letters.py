"""The text of a notice: plain text from ``config/notices/lead.<lang>.j2``, its facts and its law.

What sellers wrote is quoted without control and invisible characters, each quotation on one line, so that no
listing can write lines of its own into a letter.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator, Sequence
from datetime import date, datetime
from functools import partial
from pathlib import Path
from typing import Any

import jinja2
from babel.dates import format_date

from takedowns import configuration, deadlines, law
from takedowns.ledger.tables import Lead, ListingSnapshot
from takedowns.settings import Settings

LANGS = ("zh", "en")
TITLE_AT_MOST = 120
WORD_AT_MOST = 40
WORDS_AT_MOST = 5
URL_AT_MOST = 2000


class LetterError(ValueError):
    """The letter cannot be made: one sentence says why, and names file and line of a template at fault."""

    code = "letter"


def render(
    number: str, addressee: str, leads: Sequence[Lead], *, lang: str, now: datetime, settings: Settings
) -> tuple[str, str]:
    """Subject and body of the notice ``number``. Raises LetterError or classifiers.yamlfile.ConfigError."""
    config = configuration.folder()
    fields = {
        "number": number,
        "addressee": clean(addressee, TITLE_AT_MOST),
        "office": settings.office.name_zh if lang == "zh" else settings.office.name_en,
        "contact": settings.office.contact,
        **_law(law.load(config / "law.yml"), leads, lang),
        **_dates(deadlines.load(config / "holidays.yml"), now, settings.notices.answer_working_days, lang),
    }
    subject, _, body = filled(config / "notices" / f"lead.{lang}.j2", fields).strip().partition("\n")
    return subject.strip(), body.strip() + "\n"


def without(body: str, number: str) -> str:
    """``body`` less the lines of one lead; every other line stays as it was approved."""
    return re.sub(rf"(?m)^{re.escape(number)} \| .*\n(?:[ \t]+.*\n)*", "", body)


def clean(text: str, at_most: int) -> str:
    """``text`` on one line of ``at_most`` characters, without control, bidirectional and invisible ones."""
    shown = "".join(" " if c.isspace() else c for c in text if c.isspace() or not _is_invisible(c))
    line = " ".join(shown.split())
    return line if len(line) <= at_most else line[: at_most - 1] + "…"


def address(url: str) -> str:
    """A listing's address as it stands in the line of a lead."""
    return clean(url, URL_AT_MOST).replace(" ", "%20").replace("|", "%7C")


def _is_invisible(character: str) -> bool:
    # control, format (bidi, zero width), surrogate, private use
    return unicodedata.category(character) in {"Cc", "Cf", "Cs", "Co"} or _is_noncharacter(ord(character))


def _is_noncharacter(code: int) -> bool:
    """Those that no text may hold, and no XML can."""
    return code & 0xFFFE == 0xFFFE or 0xFDD0 <= code <= 0xFDEF


def suspect_words(snapshot: ListingSnapshot) -> list[str]:
    """The seller's own words that speak most for the finding, by the newest verdict on what was reviewed."""
    if not snapshot.verdicts:
        return []
    signals = [signal for signal in snapshot.verdicts[-1].payload["signals"] if signal["contribution"] > 0]
    signals.sort(key=lambda signal: -signal["contribution"])
    words = dict.fromkeys(clean(signal["text"], WORD_AT_MOST) for signal in signals)
    return [word for word in words if word][:WORDS_AT_MOST]


def _law(rules: law.Law, leads: Sequence[Lead], lang: str) -> dict[str, Any]:
    say = partial(_say, lang=lang)
    cite = partial(_cite, rules, lang=lang)
    found = {lead.decision.category for lead in leads}
    categories = [category for category in rules.kinds if category in found]
    return {
        "kinds": [
            {"name": say(rules.kinds[category]), "clauses": cite(rules.kinds[category].violates)}
            for category in categories
        ],
        "platform_duty": cite(rules.platform_duty),
        "record_keeping": cite(rules.record_keeping),
        "cooperation": cite(rules.cooperation),
        "leads": list(_lead_fields(rules, leads, lang)),
    }


def _say(words: law.Clause | law.Kind, lang: str) -> str:
    return words.zh if lang == "zh" else words.en


def _cite(rules: law.Law, ids: Sequence[str], lang: str) -> list[str]:
    return [_say(rules.clauses[name], lang) for name in ids]


def _lead_fields(rules: law.Law, leads: Sequence[Lead], lang: str) -> Iterator[dict[str, Any]]:
    for lead in leads:
        category = lead.decision.category
        if category is None:
            raise ValueError(f"lead {lead.number} rests on a decision without category")
        yield {
            "number": lead.number,
            "item_id": clean(lead.listing.item_id, TITLE_AT_MOST),
            "url": address(lead.listing.url),
            "title": clean(lead.decision.snapshot.title, TITLE_AT_MOST),
            "shop": clean(lead.listing.seller.name, TITLE_AT_MOST) if lead.listing.seller else "",
            "kind": _say(rules.kinds[category], lang),
            "words": suspect_words(lead.decision.snapshot),
        }


def _dates(calendar: deadlines.Calendar, now: datetime, working_days: int, lang: str) -> dict[str, Any]:
    """``due_date`` is empty in a year whose holidays are not announced: it might be wrong."""
    today = now.astimezone(deadlines.SHANGHAI).date()
    due = calendar.after(today, working_days)
    known = calendar.is_announced(today) and calendar.is_announced(due)
    return {
        "date": in_words(today, lang),
        "working_days": working_days,
        "due_date": in_words(due, lang) if known else "",
    }


def in_words(day: date, lang: str) -> str:
    """2026年10月12日, 12 October 2026."""
    return format_date(day, "long", locale="zh_CN" if lang == "zh" else "en_GB")


def filled(template: Path, fields: dict[str, Any]) -> str:
    """The template's plain text. Raises LetterError, which names file and line."""
    environment = jinja2.Environment(
        loader=jinja2.FileSystemLoader(template.parent),
        undefined=jinja2.StrictUndefined,
        autoescape=False,  # noqa: S701  (plain text: escaping would change what sellers wrote)
        trim_blocks=True,
        lstrip_blocks=True,
    )
    try:
        return environment.get_template(template.name).render(fields)
    except jinja2.TemplateSyntaxError as error:
        raise LetterError(f"{template}:{error.lineno}: {error.message}") from error
    except jinja2.TemplateError as error:
        raise LetterError(f"{template}: {error.message}") from error
