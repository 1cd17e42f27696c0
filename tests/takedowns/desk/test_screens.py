"""Writes the pictures in docs/screens: ``VAPEWATCH_SCREENS=docs/screens python -m pytest <this file>``."""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from fastapi import FastAPI
from sqlalchemy import select
from sqlalchemy.orm import Session

import classifiers
from classifiers.verdict import Label
from crawlers.listing import Listing, Presence, Seller
from crawlers.platforms import Platform
from takedowns import intake, leads, linking, notices, outbox, review, tips
from takedowns.context import Context
from takedowns.crawling import errands
from takedowns.desk.app import create_app
from takedowns.handing_over import packing
from takedowns.handing_over.packing import Order
from takedowns.ledger.engine import Ledger
from takedowns.ledger.tables import ContactHash, Flag, Handover, Lead, ListingSnapshot, ReviewTask, User
from takedowns.ledger.vocabulary import Errand, Finding, Measure, Role, VerificationOutcome
from takedowns.replies import tray
from takedowns.replies.claims import Received
from takedowns.settings import Settings
from takedowns.tips import House, Told

CORPUS = Path(classifiers.__file__).with_name("corpus") / "violating_zh.jsonl"
NOW = datetime(2026, 10, 12, 1, 30, tzinfo=UTC)
FOLDER = os.environ.get("VAPEWATCH_SCREENS")
LISTINGS = 60
ITEM = "便携雾化给药器 家庭常备"
LEADS = 9
SHOWN = {
    "start": "/",
    "queue": "/queue",
    "outbox": "/leads/outbox",
    "notice": "/notices/2",
    "tracker": "/leads",
    "networks": "/networks",
    "tray": "/tray",
    "tips": "/tips",
    "handovers": "/handovers",
}
STRAYS = [
    (
        Received("反馈.xlsx#0c1f:Sheet1:7", NOW, NOW),
        {"线索编号": "2026-0000-91002", "处置措施": "已下架", "处置时间": "2026-10-11 09:30"},
        "lead_number: no lead has the number '2026-0000-91002'",
        "sample",
    ),
    (
        Received("mail#77ab:whole", NOW, NOW),
        {"from": "service@mall.invalid", "text": "您好，涉事商品均已处理完毕，请查收。"},
        "no platform says that service@mall.invalid may answer for it",
    ),
]
TIPS = [
    Told("hotline", "孩子放学后在网店买到水果味的一次性烟，店里不问年龄。", number="12313-88021"),
    Told("public", "朋友圈有人卖，说是雾化养生棒", shop="云朵养生"),
]
ENDS = [
    (Measure.DELETED, Presence.GONE, VerificationOutcome.REMOVED_VERIFIED),
    (Measure.DELETED, Presence.UP, VerificationOutcome.FALSE_CLAIM),
    (None, Presence.GONE, VerificationOutcome.REMOVED_UNCLAIMED),
    (Measure.BLOCKED, Presence.BLOCKED, VerificationOutcome.UNVERIFIABLE),
    (None, Presence.UP, None),
]

pytestmark = pytest.mark.skipif(not FOLDER, reason="VAPEWATCH_SCREENS names the folder for the pictures")


def test_the_pictures_in_the_documentation(
    sqlite_ledger: Ledger,
    mailing: Settings,
    platforms: dict[str, Platform],
    people: dict[Role, User],
    clock: Any,
    make: Any,
    serve: Callable[[FastAPI], str],
    tabs: Any,
) -> None:
    app = create_app(sqlite_ledger, mailing, platforms, clock=clock)
    _fill(app.state.desk.context, platforms["sample"], people, make)
    _come_in(app.state.desk.context, people[Role.SUPERVISOR])
    url = serve(app)
    page = tabs.sign_in(url, Role.SUPERVISOR)
    for name, path in _addresses(sqlite_ledger).items():
        page.goto(url + path)
        page.screenshot(path=Path(str(FOLDER)) / f"{name}.png")
    page.emulate_media(color_scheme="dark")
    page.screenshot(path=Path(str(FOLDER)) / "item-dark.png")


def _addresses(ledger: Ledger) -> dict[str, str]:
    with ledger.read() as session:
        lead = session.scalars(select(Lead.number).order_by(Lead.id).limit(1)).one()
        telling = select(ReviewTask.id).join(ReviewTask.snapshot)
        task = session.scalars(telling.where(ListingSnapshot.title == ITEM)).one()
        network = linking.known(session)[0].id
        case = session.scalars(select(Handover.number)).one()
    of_rows = {"network": f"/networks/{network}", "handover": f"/handovers/{case}"}
    return {**SHOWN, **of_rows, "lead": f"/leads/{lead}", "item": f"/item/{task}"}


def _fill(context: Context, platform: Platform, people: dict[Role, User], make: Any) -> None:
    analyst, supervisor = people[Role.ANALYST], people[Role.SUPERVISOR]
    ledger, settings, now = context.ledger, context.settings, context.clock()
    with ledger.write() as session:
        swept = make.run(session, run_id="sweep-sample-20261012-0230", kind="sweep")
        wall = "Two walls in a row: captcha."
        errands.raise_errand(session, platform.name, Errand.BLOCKED, swept.run_id, wall, now=now)
        intake.store_listings(
            session,
            _listings(now - timedelta(hours=5)),
            classifiers.load(),
            road="sweep",
            now=now - timedelta(hours=5),
        )
        for _ in range(LEADS):
            _confirm_next(session, analyst, now - timedelta(hours=4), settings)
        waiting = leads.ready(session)[platform.name]
        when = now - timedelta(hours=3)
        first = notices.draft(session, platform, waiting[:5], analyst, now=when, settings=settings)
        notices.draft(session, platform, waiting[5:7], analyst, now=when, settings=settings)
        notices.approve(session, first.id, supervisor, first.version, now=when, settings=settings)
    outbox.send(replace(context, clock=lambda: now - timedelta(hours=2)), first.id)
    with ledger.write() as session:
        _check(session, session.scalars(select(Lead).order_by(Lead.id).limit(5)).all(), now, make)


def _come_in(context: Context, supervisor: User) -> None:
    """Answers that fit no lead, tips, shops that hang together, and a case file for another office."""
    now = context.clock()
    house = House(context.settings, context.platforms, concerns=lambda text: "孩子" in text)
    with context.ledger.write() as session:
        for stray in STRAYS:
            tray.put(session, *stray)
        for told in TIPS:
            tips.add(session, told, supervisor, house, now=now - timedelta(hours=2))
        _share_contacts(session, now)
        lead = session.scalars(select(Lead.number).order_by(Lead.id).limit(1)).one()
    linking.refresh(context.ledger, now=now)
    packing.pack(context, Order("乙市烟草专卖局", "bureau", "发货地在贵辖区，请协查。", [lead]), supervisor)


def _share_contacts(session: Session, now: datetime) -> None:
    """Of flagged listings, in pairs: their shops hang together."""
    flagged = session.scalars(select(Flag.listing_id).order_by(Flag.id).limit(12)).all()
    for number, pair in enumerate(zip(flagged, flagged[3:], strict=False)):
        for listing in pair:
            hashed = {"listing_id": listing, "kind": "name", "observed_at": now}
            session.add(ContactHash(digest=f"{number:04}" * 16, **hashed))


def _confirm_next(session: Session, analyst: User, now: datetime, settings: Settings) -> None:
    task = review.next_task(session, analyst, now=now, settings=settings)
    assert task is not None
    review.decide(
        session,
        task.id,
        analyst,
        task.version,
        Finding.VIOLATION,
        category=Label.DISGUISED_MEDICAL,
        now=now,
        settings=settings,
    )


def _check(session: Session, sent: Sequence[Lead], now: datetime, make: Any) -> None:
    run = make.run(session, run_id="recheck-sample-20261012-0400")
    for lead, (claim, seen, outcome) in zip(sent, ENDS, strict=True):
        make.sighting(session, lead.listing, state=seen, run=run, observed_at=now - timedelta(minutes=40))
        if claim:
            make.response(session, lead, measure=claim, received_at=now - timedelta(minutes=90))
        lead.outcome = outcome


def _listings(now: datetime) -> list[Listing]:
    rows = [json.loads(line) for line in CORPUS.read_text(encoding="utf-8").splitlines()]
    long = [row for row in rows if row["description"] and row["attributes"]][:LISTINGS]
    return [_listing(number, row, now) for number, row in enumerate(long, 10_001)]


def _listing(number: int, row: dict[str, Any], now: datetime) -> Listing:
    return Listing(
        platform="sample",
        item_id=str(number),
        url=f"https://shop.invalid/item/{number}",
        title=row["title"],
        description=row["description"],
        attributes=row["attributes"],
        price_raw=f"¥{row['price']}",
        seller=Seller(external_id=row["shop"], name=row["shop"]),
        observed_at=now,
    )
