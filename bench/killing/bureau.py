"""A bureau that does whatever there is to do, from decision to verification, until nothing is left."""

from __future__ import annotations

import csv
import mmap
import time
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

import sqlalchemy as sa
from sqlalchemy.orm import Session

from classifiers.verdict import Label
from crawlers.listing import Presence, SellerKind
from crawlers.platforms import Platform
from takedowns import configuration, leads, notices, outbox, removals, review, users
from takedowns.context import Context
from takedowns.ledger import tables
from takedowns.ledger.engine import Ledger
from takedowns.ledger.vocabulary import DispatchState, Finding, Role, RunState
from takedowns.replies import importing
from takedowns.settings import Settings
from takedowns.states import LeadState, NoticeState, TaskState

OPENING = datetime(2026, 10, 12, 1, 30, tzinfo=UTC)
PACE = 3600  # seconds that pass for the bureau in one of ours: an attempt that died is given up in a quarter
LEADS_IN_A_NOTICE = 3
BETWEEN_LOOKS = timedelta(hours=1)
STAGES = ("decide", "draft", "approve", "send", "respond", "verify")
IDLE = len(STAGES)
PLATFORM = Platform.model_validate(
    {
        "name": "sample",
        "title": "示例商城",
        "title_en": "Sample Market",
        "verified": False,
        "road": "import",
        "hosts": ["shop.invalid"],
        "listing_url": {"match": r"/item/(?P<id>\d+)", "canonical": "https://shop.invalid/item/{id}"},
        "lead": {"channel": "smtp", "recipient": "notices@shop.invalid"},
    }
)


@dataclass(frozen=True)
class Clock:
    started: float

    def __call__(self) -> datetime:
        return OPENING + timedelta(seconds=(time.time() - self.started) * PACE)


def context(folder: Path, ledger: Ledger, mail_port: int, started: float) -> Context:
    settings = Settings.model_validate(
        {
            "office": {
                "code": "0000",
                "name_zh": "示范局",
                "name_en": "Sample Bureau",
                "contact": "a@bureau.invalid",
            },
            "ledger": "sqlite://",
            "var": folder / "var",
            "mail": {
                "host": "127.0.0.1",
                "port": mail_port,
                "sender": "leads@bureau.invalid",
                "starttls": False,
            },
            "notices": {"hold_minutes": 0, "office_hours": None},
            "removal": {"over_hours": BETWEEN_LOOKS / timedelta(hours=1)},
        }
    )
    return Context(configuration.SHIPPED, settings, {PLATFORM.name: PLATFORM}, ledger, Clock(started))


def hire(ledger: Ledger) -> None:
    with ledger.write() as session:
        for login, role in (("analyst", Role.ANALYST), ("supervisor", Role.SUPERVISOR)):
            users.create(session, login, login, role, "correct horse battery", now=OPENING)


def flag(ledger: Ledger, numbers: Sequence[int], now: datetime) -> None:
    """Listings that wait for a decision."""
    with ledger.write() as session:
        for number in numbers:
            _flagged(session, number, now)


def _flagged(session: Session, number: int, now: datetime) -> None:
    shop = tables.Seller(
        platform="sample", kind=SellerKind.MERCHANT, external_id=f"s{number}", name=f"{number}号店"
    )
    listing = tables.Listing(
        platform="sample",
        item_id=str(number),
        url=f"https://shop.invalid/item/{number}",
        road="sweep",
        first_seen_at=now,
        seller=shop,
    )
    snapshot = tables.ListingSnapshot(
        listing=listing,
        title="医用雾化器 便携",
        description="8000口",
        attributes={},
        images=[],
        sources={},
        observed_at=now,
        recorded_at=now,
        sha256=f"{number:064}",
    )
    task = tables.ReviewTask(
        listing=listing,
        snapshot=snapshot,
        queue="disguise",
        priority=0.9,
        state=TaskState.QUEUED,
        created_at=now,
    )
    session.add_all([shop, listing, snapshot, task])


class Work:
    """Every stage in turn, until every lead is closed. ``stage`` holds the number of the one that works."""

    def __init__(self, bureau: Context, stage: mmap.mmap) -> None:
        self.bureau = bureau
        self._stage = stage

    def finish(self) -> None:
        steps = (_decide, _draft, _approve, _send, _respond, _verify)
        while _is_unfinished(self.bureau):
            for step in steps:
                step(self)
            self._stage[0] = IDLE
            time.sleep(0.01)

    def begins(self, stage: str) -> None:
        self._stage[0] = STAGES.index(stage)


def _is_unfinished(bureau: Context) -> bool:
    with bureau.ledger.read() as session:
        undecided = session.scalar(
            sa.select(sa.func.count()).where(tables.ReviewTask.state != TaskState.DECIDED)
        )
        unclosed = session.scalar(sa.select(sa.func.count()).where(tables.Lead.state != LeadState.CLOSED))
    return bool(undecided or unclosed)


def _user(session: Session, login: str) -> tables.User:
    return session.scalars(sa.select(tables.User).where(tables.User.login == login)).one()


def _decide(work: Work) -> None:
    bureau = work.bureau
    while True:
        with bureau.ledger.write() as session:
            analyst = _user(session, "analyst")
            task = review.next_task(session, analyst, now=bureau.clock(), settings=bureau.settings)
        if task is None:
            return
        work.begins("decide")
        with bureau.ledger.write() as session:
            review.decide(
                session,
                task.id,
                analyst,
                task.version,
                Finding.VIOLATION,
                category=Label.DISGUISED_MEDICAL,
                now=bureau.clock(),
                settings=bureau.settings,
            )


def _draft(work: Work) -> None:
    bureau = work.bureau
    while True:
        with bureau.ledger.write() as session:
            waiting = leads.ready(session).get("sample", [])[:LEADS_IN_A_NOTICE]
            if not waiting:
                return
            work.begins("draft")
            analyst, now = _user(session, "analyst"), bureau.clock()
            notices.draft(session, PLATFORM, waiting, analyst, now=now, settings=bureau.settings)


def _approve(work: Work) -> None:
    bureau = work.bureau
    with bureau.ledger.read() as session:
        drafts = session.scalars(
            sa.select(tables.Notice).where(tables.Notice.state == NoticeState.DRAFT)
        ).all()
    for notice in drafts:
        work.begins("approve")
        with bureau.ledger.write() as session:
            boss, now = _user(session, "supervisor"), bureau.clock()
            notices.approve(session, notice.id, boss, notice.version, now=now, settings=bureau.settings)


def _send(work: Work) -> None:
    with work.bureau.ledger.read() as session:
        waiting = sa.select(tables.Dispatch.id).where(tables.Dispatch.state == DispatchState.WAITING)
        if session.scalars(waiting.limit(1)).first() is None:
            return
    work.begins("send")
    outbox.send_due(work.bureau)


def _respond(work: Work) -> None:
    """The platform says of every lead that reached it that it deleted the listing."""
    bureau = work.bureau
    with bureau.ledger.read() as session:
        sent = session.scalars(sa.select(tables.Lead).where(tables.Lead.state == LeadState.SENT)).all()
    if not sent:
        return
    work.begins("respond")
    bureau.settings.var.mkdir(parents=True, exist_ok=True)
    path = bureau.settings.var / "reply.csv"
    with path.open("w", encoding="utf-8", newline="") as file:
        csv.writer(file).writerows([("线索编号", "处置措施"), *((lead.number, "删除商品") for lead in sent)])
    with bureau.ledger.write() as session:
        importing.import_file(session, path, platforms=bureau.platforms, now=bureau.clock())


def _verify(work: Work) -> None:
    """A look at every listing that was answered for, and what follows from all looks."""
    bureau, now = work.bureau, work.bureau.clock()
    with bureau.ledger.write() as session:
        answered = sa.select(tables.Lead).where(tables.Lead.state == LeadState.RESPONDED)
        for lead in session.scalars(answered).all():
            work.begins("verify")
            _look(session, lead, now)
    with bureau.ledger.write() as session:
        removals.settle_all(session, now=now, settings=bureau.settings)


def _look(session: Session, lead: tables.Lead, now: datetime) -> None:
    looks = sa.select(sa.func.count(), sa.func.max(tables.Sighting.observed_at))
    number, last = session.execute(looks.where(tables.Sighting.listing_id == lead.listing_id)).one()
    if last is not None and now - last < BETWEEN_LOOKS:
        return
    run = tables.CrawlRun(
        run_id=f"look-{lead.id}-{number}",
        kind="recheck",
        platform="sample",
        state=RunState.OK,
        started_at=now,
        finished_at=now,
        recorded_at=now,
        stats={},
    )
    session.add(run)
    session.add(
        tables.Sighting(
            listing_id=lead.listing_id,
            run=run,
            state=Presence.GONE,
            reason="http_404",
            vantage="anonymous-http",
            observed_at=now,
            recorded_at=now,
        )
    )
