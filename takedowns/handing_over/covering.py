"""The covering letter (协查函) of a case file, from ``config/notices/handover.<lang>.j2``."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from takedowns import configuration, deadlines, law
from takedowns.ledger.tables import Lead
from takedowns.letters import TITLE_AT_MOST, LetterError, address, clean, filled, in_words
from takedowns.papers.letter import LINE_AT_MOST, WORDS, Entry, Evidence, Letter, Paragraph, Style
from takedowns.settings import Settings

LEADS = "\n* * *\n"
LABELS = {
    "zh": ("标题：{}", "店铺：{}", "涉嫌情形：{}"),
    "en": ("Title: {}", "Shop: {}", "Suspected kind: {}"),
}
FACTS = {"zh": "线索事实（case.json）", "en": "Facts of the leads (case.json)"}


@dataclass(frozen=True)
class Covering:
    """What the letter says; ``evidence`` is by lead number."""

    number: str
    counterpart: str
    reason: str
    lang: str
    created_at: datetime
    leads: Sequence[Lead]
    evidence: Mapping[str, Evidence]


def subject_and_body(cover: Covering, settings: Settings) -> tuple[str, str]:
    """As a mail says it. Raises LetterError, classifiers.yamlfile.ConfigError."""
    subject, opening, closing = _text(cover, settings)
    lines = [f"{e.number} | {e.item_id} | {e.url}\n    " + "\n    ".join(e.lines) for e in _entries(cover)]
    return subject, "\n".join([opening, "", *lines, "", closing]) + "\n"


def letter(cover: Covering, settings: Settings) -> Letter:
    """Raises LetterError, classifiers.yamlfile.ConfigError."""
    subject, opening, closing = _text(cover, settings)
    addressee, *before = _lines(opening)
    closing, _, signature = closing.strip().rpartition("\n\n")
    entries = _entries(cover)
    present = {entry.evidence for entry in entries}
    words = WORDS[cover.lang]
    packs = sum(entry.evidence is Evidence.ENCLOSED for entry in entries)
    return Letter(
        lang=cover.lang,
        office=settings.office.name_zh if cover.lang == "zh" else settings.office.name_en,
        number=cover.number,
        title=clean(
            subject.replace(f"（{cover.number}）", "").replace(f"({cover.number})", ""), LINE_AT_MOST
        ),
        addressee=addressee,
        opening=tuple(Paragraph(Style.TEXT, line) for line in before),
        entries=entries,
        notes=tuple(note for kind, note in words.notes.items() if kind in present),
        closing=tuple(Paragraph(Style.TEXT, line) for line in _lines(closing)),
        attachments=(FACTS[cover.lang], *([words.packs.format(count=packs)] if packs else [])),
        signature=tuple(_lines(signature)),
        created_at=cover.created_at,
    )


def _text(cover: Covering, settings: Settings) -> tuple[str, str, str]:
    """Subject, what stands before the leads, and what after them."""
    config = configuration.folder()
    calendar = deadlines.load(config / "holidays.yml")
    today = cover.created_at.astimezone(deadlines.SHANGHAI).date()
    due = calendar.after(today, settings.handover.working_days)
    known = calendar.is_announced(today) and calendar.is_announced(due)
    template = config / "notices" / f"handover.{cover.lang}.j2"
    fields = {
        "number": cover.number,
        "counterpart": clean(cover.counterpart, TITLE_AT_MOST),
        "reason": clean(cover.reason, LINE_AT_MOST),
        "leads": cover.leads,
        "working_days": settings.handover.working_days,
        "date": in_words(today, cover.lang),
        "due_date": in_words(due, cover.lang) if known else "",
        "office": settings.office.name_zh if cover.lang == "zh" else settings.office.name_en,
        "contact": settings.office.contact,
    }
    subject, _, body = filled(template, fields).strip().partition("\n")
    opening, mark, closing = body.partition(LEADS)
    if not mark or not opening.strip() or "\n\n" not in closing.strip():
        raise LetterError(f"{template}: needs an addressee, a line '* * *' for the leads, and a signature")
    return subject.strip(), opening.strip(), closing.strip()


def _entries(cover: Covering) -> tuple[Entry, ...]:
    rules = law.load(configuration.folder() / "law.yml")
    return tuple(_entry(lead, rules, cover) for lead in cover.leads)


def _entry(lead: Lead, rules: law.Law, cover: Covering) -> Entry:
    listing, category = lead.listing, lead.decision.category
    if category is None:
        raise ValueError(f"lead {lead.number} rests on a decision without category")
    kind = rules.kinds[category].zh if cover.lang == "zh" else rules.kinds[category].en
    told = (lead.decision.snapshot.title, listing.seller.name if listing.seller else "", kind)
    lines = (
        label.format(clean(text, TITLE_AT_MOST))
        for label, text in zip(LABELS[cover.lang], told, strict=True)
        if text
    )
    return Entry(
        number=lead.number,
        item_id=clean(listing.item_id, TITLE_AT_MOST),
        url=address(listing.url),
        lines=tuple(lines),
        evidence=cover.evidence[lead.number],
    )


def _lines(text: str) -> list[str]:
    return [line for line in (clean(line, LINE_AT_MOST) for line in text.split("\n")) if line]
