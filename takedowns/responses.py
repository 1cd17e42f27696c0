"""What platforms answer, read from the workbooks they send: claims, kept beside our findings."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from types import MappingProxyType

import sqlalchemy as sa
from sqlalchemy.orm import Session

from takedowns.content import storable
from takedowns.deadlines import SHANGHAI
from takedowns.imports.tabular import Record, RowError, plain_name, read_records
from takedowns.ledger import audit
from takedowns.ledger.tables import Lead, Listing, PlatformResponse
from takedowns.ledger.vocabulary import Measure
from takedowns.states import LEAD, NOTICE, LeadEvent, LeadState, NoticeEvent, step

ACTOR = "system:responses"
CLOCK_SKEW = timedelta(hours=12)  # a platform's clock, or its idea of the zone, may be off by that much
TEXT_AT_MOST = 2000
EARLIEST_YEAR = 2000

COLUMNS: Mapping[str, tuple[str, ...]] = MappingProxyType(
    {
        "lead_number": ("线索编号", "线索号", "编号", "lead_number", "lead number", "lead"),
        "item_id": ("商品ID", "商品编号", "宝贝ID", "item_id", "product_id"),
        "platform": ("平台", "平台名称", "platform"),
        "measure": ("处置措施", "处置结果", "处理结果", "处理措施", "measure", "action", "result"),
        "claimed_at": ("处置时间", "处理时间", "claimed_at", "handled_at", "time"),
        "text": ("备注", "说明", "处置说明", "note", "remarks", "comment"),
    }
)
FIELD_OF = {plain_name(name): field for field, names in COLUMNS.items() for name in names}

# The words for a measure. Only these whole words count: 未删除 must not be read as 删除.
WORDS: Mapping[Measure, tuple[str, ...]] = MappingProxyType(
    {
        Measure.DELETED: (
            *("删除", "删除商品", "删除链接", "下架", "下架商品", "商品下架", "下架处理", "删除处理"),
            *("清理", "deleted", "removed", "delisted", "taken down"),
        ),
        Measure.BLOCKED: ("屏蔽", "屏蔽商品", "屏蔽链接", "屏蔽处理", "隐藏", "blocked", "hidden"),
        Measure.LINK_CUT: ("断开链接", "断链", "断开", "link_cut", "link cut", "unlinked"),
        Measure.SHOP_CLOSED: (
            *("关闭店铺", "关店", "店铺关闭", "清退店铺", "封店", "查封店铺", "终止服务"),
            *("shop_closed", "shop closed"),
        ),
        Measure.ACCOUNT_CLOSED: (
            *("封禁账号", "封号", "关闭账号", "注销账号", "账号封禁", "account_closed", "account closed"),
            *("account banned",),
        ),
        Measure.MINI_PROGRAM_CLOSED: (
            *("关闭小程序", "下架小程序", "封禁小程序", "小程序下架", "小程序关闭"),
            *("mini_program_closed", "mini program closed"),
        ),
        Measure.NONE: (
            "未处置",
            "未处理",
            "无",
            "未采取措施",
            "处理中",
            "核查中",
            "none",
            "no action",
            "pending",
        ),
        Measure.REFUSED: ("不予处置", "不予处理", "拒绝处置", "拒绝", "refused", "rejected"),
        Measure.DISPUTED: ("有异议", "异议", "提出异议", "不违规", "未违规", "disputed", "objection"),
    }
)
MEASURE_OF = {plain_name(word): measure for measure, words in WORDS.items() for word in words}
_DONE = re.compile(r"已经?|全部|均|了$")  # says when, not what
_SEVERAL = re.compile(r"[,，、;；/+\n]|并且?|以?及|[和与]|\band\b")
_DATE = re.compile(
    r"(\d{4})[-/.年](\d{1,2})[-/.月](\d{1,2})日?[T\s]*(?:(\d{1,2})[:时点](?:(\d{1,2})(?:[:分](\d{1,2})秒?|分)?)?)?"
)


@dataclass(frozen=True)
class ResponsesResult:
    """``errors`` has one sentence with file, line and column for each row that was not taken in."""

    accepted: int
    known: int
    errors: tuple[str, ...]


@dataclass(frozen=True)
class _Claim:
    lead: Lead
    measure: Measure
    claimed_at: datetime | None
    text: str


class _CellError(ValueError):
    def __init__(self, field: str, message: str) -> None:
        super().__init__(message)
        self.field = field


def import_file(session: Session, path: Path, *, now: datetime) -> ResponsesResult:
    """Take in the claims of a .csv, .xlsx or .jsonl file; one that is known already adds nothing.

    Rows are matched by lead number, or by item id where there is none. Raises tabular.FileError when nothing
    can be read.
    """
    accepted = known = 0
    errors: list[str] = []
    for row in read_records(path, FIELD_OF):
        try:
            for claim in _claims(session, row, now):
                new = _stored(session, claim, f"{path.name}:{row.line}", now)
                accepted, known = accepted + new, known + (not new)
        except _CellError as error:
            errors.append(f"{path.name}:{row.line}: {error.field}: {error}")
    return ResponsesResult(accepted, known, tuple(errors))


def measures(text: str) -> list[Measure]:
    """The measures that a cell names; raises ValueError for words that are not in the table.

    >>> measures("已下架商品、关闭店铺")
    [<Measure.DELETED: 'deleted'>, <Measure.SHOP_CLOSED: 'shop_closed'>]
    """
    named = (part for part in _SEVERAL.split(unicodedata.normalize("NFKC", text)) if part.strip())
    found = list(dict.fromkeys(_measure(part) for part in named))
    if not found:
        raise ValueError("is empty")
    return found


def claimed_time(text: str) -> datetime | None:
    """The time in a cell, Shanghai's unless it names a zone; None when empty, ValueError when unreadable."""
    text = unicodedata.normalize("NFKC", text).strip()
    if not text:
        return None
    if parts := _DATE.fullmatch(text):
        year, month, day, hour, minute, second = (int(part or 0) for part in parts.groups())
        found = datetime(year, month, day, hour, minute, second, tzinfo=SHANGHAI)
    else:
        found = datetime.fromisoformat(text)
    if found.year < EARLIEST_YEAR:
        raise ValueError(f"the year {found.year} is a slip of the pen")
    return found if found.tzinfo else found.replace(tzinfo=SHANGHAI)


def _measure(part: str) -> Measure:
    for word in (plain_name(part), plain_name(_DONE.sub("", part.strip()))):
        if word in MEASURE_OF:
            return MEASURE_OF[word]
    raise ValueError(
        f"{part.strip()!r} is no known measure; known are {', '.join(w[0] for w in WORDS.values())}"
    )


def _claims(session: Session, row: Record | RowError, now: datetime) -> Iterator[_Claim]:
    if isinstance(row, RowError):
        raise _CellError(row.field, row.message)
    cells = {
        FIELD_OF[name]: storable(cell).strip()
        for header, cell in row.fields.items()
        if (name := plain_name(header)) in FIELD_OF
    }
    lead = _lead(session, cells)
    claimed_at = _time(cells.get("claimed_at", ""), now)
    try:
        named = measures(cells.get("measure", ""))
    except ValueError as error:
        raise _CellError("measure", str(error)) from error
    for measure in named:
        yield _Claim(lead, measure, claimed_at, cells.get("text", "")[:TEXT_AT_MOST])


def _time(text: str, now: datetime) -> datetime | None:
    try:
        claimed_at = claimed_time(text)
    except ValueError as error:
        raise _CellError("claimed_at", f"{text!r} is no time such as 2026-10-12 09:30") from error
    if claimed_at is not None and claimed_at > now + CLOCK_SKEW:
        raise _CellError("claimed_at", f"{text!r} lies in the future")
    return claimed_at


def _lead(session: Session, cells: Mapping[str, str]) -> Lead:
    number, item_id = cells.get("lead_number", ""), cells.get("item_id", "").removeprefix("'")
    if not number and not item_id:
        raise _CellError("lead_number", "neither a lead number nor an item id is given")
    platform = cells.get("platform", "")
    lead = _by_number(session, number) if number else _by_item(session, item_id, platform)
    if number and item_id and lead.listing.item_id != item_id:
        raise _CellError("item_id", f"lead {number} is about item {lead.listing.item_id}, not {item_id}")
    if lead.sent_at is None:
        raise _CellError("lead_number", f"lead {lead.number} was never sent to a platform")
    if lead.state is LeadState.WITHDRAWN:
        raise _CellError("lead_number", f"lead {lead.number} was withdrawn by us")
    return lead


def _by_number(session: Session, number: str) -> Lead:
    lead = session.scalars(sa.select(Lead).where(Lead.number == number)).one_or_none()
    if lead is None:
        raise _CellError("lead_number", f"no lead has the number {number!r}")
    return lead


def _by_item(session: Session, item_id: str, platform: str) -> Lead:
    """The lead sent last for that item; the item ids of two platforms may coincide."""
    found = session.scalars(
        sa.select(Lead)
        .join(Lead.listing)
        .where(Listing.item_id == item_id, Lead.sent_at.is_not(None))
        .order_by(Lead.sent_at.desc(), Lead.id.desc())
    ).all()
    found = [lead for lead in found if platform in ("", lead.listing.platform)]
    if not found:
        raise _CellError("item_id", f"no lead was sent about item {item_id!r}")
    if len({lead.listing.platform for lead in found}) > 1:
        raise _CellError("item_id", f"item {item_id!r} has leads on several platforms: give the lead number")
    return found[0]


def _stored(session: Session, claim: _Claim, source: str, now: datetime) -> bool:
    """Whether the claim is new."""
    lead = claim.lead
    same_time = (
        PlatformResponse.claimed_at.is_(None)
        if claim.claimed_at is None
        else PlatformResponse.claimed_at == claim.claimed_at
    )
    stored = sa.select(PlatformResponse.id).where(
        PlatformResponse.lead_id == lead.id, PlatformResponse.measure == claim.measure, same_time
    )
    if session.scalars(stored).first() is not None:
        return False
    response = PlatformResponse(
        lead_id=lead.id,
        measure=claim.measure,
        claimed_at=claim.claimed_at,
        received_at=now,
        recorded_at=now,
        text=claim.text,
        source=source,
    )
    session.add(response)
    lead.state = step(LEAD, lead.state, LeadEvent.RESPOND)
    session.flush()
    _answer_notices(session, lead)
    payload = {"measure": claim.measure, "claimed_at": str(claim.claimed_at or ""), "source": source}
    audit.record(
        session, at=now, actor=ACTOR, action="lead.respond", subject=f"lead:{lead.id}", payload=payload
    )
    return True


def _answer_notices(session: Session, lead: Lead) -> None:
    """A notice is answered when every lead in it is."""
    for notice in lead.notices:
        open_leads = [other for other in notice.leads if other.state is not LeadState.WITHDRAWN]
        answered = sa.select(sa.func.count(PlatformResponse.lead_id.distinct())).where(
            PlatformResponse.lead_id.in_([other.id for other in open_leads])
        )
        if notice.sent_at is not None and session.scalars(answered).one() == len(open_leads):
            notice.state = step(NOTICE, notice.state, NoticeEvent.ANSWER)
