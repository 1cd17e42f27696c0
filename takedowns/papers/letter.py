"""The letter (线索移送函), read from the text that was approved: each form of it says what a person released.

The template of that text, ``config/notices/lead.<lang>.j2``, tells in its first lines what is a heading, an
item, a lead and the signature.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from itertools import pairwise

from takedowns.ledger.tables import Notice
from takedowns.letters import LetterError, clean
from takedowns.settings import Office

LINE_AT_MOST = 5000
LEAD = re.compile(
    r"^(?P<number>\S+) \| (?P<item_id>.*) \| (?P<url>\S+)\n(?P<lines>(?:[ \t]+.*\n)*)", re.MULTILINE
)
HEADING: Mapping[str, re.Pattern[str]] = {
    "zh": re.compile(r"[一二三四五六七八九十]+、"),
    "en": re.compile(r"\d+\. "),
}
ITEM = "- "


class Style(StrEnum):
    TEXT = "text"
    HEADING = "heading"
    ITEM = "item"


class Evidence(StrEnum):
    """What goes along of what we kept of a lead's pages."""

    ENCLOSED = "enclosed"
    ON_REQUEST = "on_request"
    NONE = "none"


@dataclass(frozen=True)
class Paragraph:
    style: Style
    text: str


@dataclass(frozen=True)
class Entry:
    """A lead: ``lines`` are what the page says and what it is suspected of, each with its name."""

    number: str
    item_id: str
    url: str
    lines: tuple[str, ...]
    evidence: Evidence


@dataclass(frozen=True)
class Letter:
    """``opening`` and ``closing`` stand before and after the table of leads; ``notes`` belong to it."""

    lang: str
    office: str
    number: str
    title: str
    addressee: str
    opening: tuple[Paragraph, ...]
    entries: tuple[Entry, ...]
    notes: tuple[str, ...]
    closing: tuple[Paragraph, ...]
    attachments: tuple[str, ...]
    signature: tuple[str, ...]
    created_at: datetime


@dataclass(frozen=True)
class Words:
    """What the letter says beside the approved text."""

    columns: tuple[str, str, str, str]
    evidence: Mapping[Evidence, str]
    notes: Mapping[Evidence, str]
    attachments: str
    table: str
    packs: str


WORDS: Mapping[str, Words] = {
    "zh": Words(
        columns=("序号", "线索编号及商品ID", "商品页面及涉嫌情形", "证据包"),
        evidence={Evidence.ENCLOSED: "随附", Evidence.ON_REQUEST: "备索", Evidence.NONE: "无"},
        notes={
            Evidence.ON_REQUEST: "证据包一栏为“备索”的，因附件总量所限未随附，可凭线索编号向本单位索取。",
            Evidence.NONE: "证据包一栏为“无”的，线索来自转来的清单或者链接，本单位未留存页面。",
        },
        attachments="附件：",
        table="线索清单及处置反馈表",
        packs="线索证据包{count}个（以线索编号为文件名）",
    ),
    "en": Words(
        columns=("No.", "Lead and item ID", "Page and what it is suspected of", "Evidence"),
        evidence={Evidence.ENCLOSED: "attached", Evidence.ON_REQUEST: "on request", Evidence.NONE: "none"},
        notes={
            Evidence.ON_REQUEST: 'Evidence "on request" would make the attachments too large: this office '
            "hands it out by the lead number.",
            Evidence.NONE: 'Evidence "none": the lead came by a list or link passed on to us; no page kept.',
        },
        attachments="Attachments: ",
        table="Leads and measures taken, to be filled in",
        packs="Evidence packs: {count}, named by lead number",
    ),
}


def of_notice(notice: Notice, evidence: Mapping[str, Evidence], *, office: Office) -> Letter:
    """``evidence`` is by lead number. Raises LetterError for a text that lost its form."""
    opening, entries, closing = _parts(notice, evidence)
    addressee, *before = _lines(opening)
    closing, _, signature = closing.strip().rpartition("\n\n")
    return Letter(
        lang=notice.lang,
        office=office.name_zh if notice.lang == "zh" else office.name_en,
        number=notice.number,
        title=_title(notice),
        addressee=addressee,
        opening=tuple(_paragraphs(before, notice.lang)),
        entries=tuple(entries),
        notes=tuple(_notes(entries, notice.lang)),
        closing=tuple(_paragraphs(_lines(closing), notice.lang)),
        attachments=tuple(_attachments(entries, notice.lang)),
        signature=tuple(_lines(signature)),
        created_at=notice.created_at,
    )


def _parts(notice: Notice, evidence: Mapping[str, Evidence]) -> tuple[str, list[Entry], str]:
    """What stands before the leads, they themselves, and what stands after them."""
    numbers = [lead.number for lead in notice.leads]
    if not numbers:
        raise LetterError(f"notice {notice.number} carries no lead any more")
    found = [match for match in LEAD.finditer(notice.body) if match["number"] in numbers]
    if [match["number"] for match in found] != numbers:
        raise LetterError(
            f"the text of notice {notice.number} does not name each of its leads once, in order"
        )
    opening, closing = notice.body[: found[0].start()], notice.body[found[-1].end() :]
    between = "".join(notice.body[one.end() : other.start()] for one, other in pairwise(found))
    if between.strip() or not opening.strip() or "\n\n" not in closing.strip():
        raise LetterError(
            f"the text of notice {notice.number} needs an addressee before its leads, nothing between them, "
            "and a signature of its own after them"
        )
    return opening, [_entry(match, evidence) for match in found], closing


def _entry(match: re.Match[str], evidence: Mapping[str, Evidence]) -> Entry:
    number = match["number"]
    return Entry(
        number=number,
        item_id=clean(match["item_id"], LINE_AT_MOST),
        url=clean(match["url"], LINE_AT_MOST),
        lines=tuple(_lines(match["lines"])),
        evidence=evidence[number],
    )


def _lines(text: str) -> list[str]:
    """The lines that hold something; the leading spaces of items are all that is lost."""
    return [line for line in (clean(line, LINE_AT_MOST) for line in text.split("\n")) if line]


def _paragraphs(lines: Sequence[str], lang: str) -> Iterator[Paragraph]:
    for line in lines:
        if line.startswith(ITEM):
            yield Paragraph(Style.ITEM, line.removeprefix(ITEM))
        else:
            yield Paragraph(Style.HEADING if HEADING[lang].match(line) else Style.TEXT, line)


def _title(notice: Notice) -> str:
    """The subject less the number, which stands in a line of its own."""
    title = notice.subject.replace(f"（{notice.number}）", "").replace(f"({notice.number})", "")
    return clean(title, LINE_AT_MOST)


def _notes(entries: Sequence[Entry], lang: str) -> Iterator[str]:
    present = {entry.evidence for entry in entries}
    yield from (note for evidence, note in WORDS[lang].notes.items() if evidence in present)


def _attachments(entries: Sequence[Entry], lang: str) -> Iterator[str]:
    words = WORDS[lang]
    yield words.table
    if count := sum(entry.evidence is Evidence.ENCLOSED for entry in entries):
        yield words.packs.format(count=count)
