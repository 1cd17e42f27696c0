"""A fixed time, people, and a factory of ledger rows."""

from __future__ import annotations

import hashlib
import itertools
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from email import message_from_bytes
from email.message import EmailMessage
from email.policy import default as default_policy
from pathlib import Path
from typing import Any, TypeVar

import pytest
from aiosmtpd.controller import Controller
from sqlalchemy.orm import Session

from classifiers.verdict import Label
from crawlers.listing import Presence, SellerKind
from crawlers.platforms import Platform
from takedowns import configuration
from takedowns.context import Context
from takedowns.ledger import tables
from takedowns.ledger.engine import Ledger
from takedowns.ledger.vocabulary import Base, Finding, Measure, Role, RunState
from takedowns.settings import Settings
from takedowns.states import LeadState, TaskState

Row = TypeVar("Row", bound=Base)


@pytest.fixture
def now() -> datetime:
    return datetime(2026, 10, 12, 1, 30, tzinfo=UTC)


@pytest.fixture
def make(now: datetime) -> Factory:
    return Factory(now)


@pytest.fixture
def used_ledger(request: pytest.FixtureRequest) -> Ledger:
    """The ledger that the test itself asks for."""
    name = "sqlite_ledger" if "sqlite_ledger" in request.fixturenames else "ledger"
    return request.getfixturevalue(name)


@pytest.fixture
def analyst(used_ledger: Ledger, make: Factory) -> tables.User:
    with used_ledger.write() as session:
        return make.user(session, login="analyst", role=Role.ANALYST)


@pytest.fixture
def supervisor(used_ledger: Ledger, make: Factory) -> tables.User:
    with used_ledger.write() as session:
        return make.user(session, login="supervisor", role=Role.SUPERVISOR)


@pytest.fixture
def settings() -> Settings:
    """A bureau whose mail server nothing listens on, unless a test gives another."""
    return Settings.model_validate(
        {
            "office": {
                "code": "0000",
                "name_zh": "示范市烟草专卖局",
                "name_en": "Sample City Tobacco Monopoly Bureau",
                "contact": "vapewatch@bureau.invalid",
            },
            "ledger": "sqlite://",
            "mail": {
                "host": "127.0.0.1",
                "port": 1,  # reserved: refused at once
                "sender": "leads@bureau.invalid",
                "starttls": False,
                "timeout_s": 5,
            },
            "notices": {"hold_minutes": 0, "office_hours": None},
        }
    )


@pytest.fixture
def platform() -> Platform:
    """The marketplace of the factory's listings; notices go to it by mail."""
    return Platform.model_validate(
        {
            "name": "sample",
            "title": "示例商城",
            "title_en": "Sample Market",
            "verified": False,
            "road": "import",
            "hosts": ["shop.invalid"],
            "listing_url": {
                "match": r"/item/(?P<id>\d+)",
                "canonical": "https://shop.invalid/item/{id}",
            },
            "lead": {"channel": "smtp", "recipient": "notices@shop.invalid"},
        }
    )


class MailServer(Controller):
    """A real SMTP server on a free port. ``mails`` are those it accepted; ``refusal`` is answered instead.

    One that ``drops_the_line`` takes the mail and hangs up before it says so.
    """

    def __init__(self, **options: Any) -> None:
        super().__init__(self, hostname="127.0.0.1", port=0, **options)
        self.mails: list[EmailMessage] = []
        self.refusal: str | None = None
        self.drops_the_line = False

    def _trigger_server(self) -> None:
        self.port = self.server.sockets[0].getsockname()[1]
        super()._trigger_server()

    async def handle_DATA(self, server: Any, _session: Any, envelope: Any) -> str:  # noqa: N802
        if self.refusal is None:
            self.mails.append(message_from_bytes(envelope.content, policy=default_policy))
        if self.drops_the_line:
            server.transport.abort()
        return self.refusal or "250 OK"


@pytest.fixture
def mail_server() -> Iterator[MailServer]:
    server = MailServer()
    server.start()
    yield server
    server.stop()


@pytest.fixture
def mailing(settings: Settings, mail_server: MailServer) -> Settings:
    """The bureau's settings with ``mail_server`` as its mail server."""
    mail = settings.mail.model_copy(update={"port": mail_server.port})
    return settings.model_copy(update={"mail": mail})


@dataclass
class SetClock:
    now: datetime

    def __call__(self) -> datetime:
        return self.now


@pytest.fixture
def bureau(
    used_ledger: Ledger, mailing: Settings, platform: Platform, tmp_path: Path, now: datetime
) -> Context:
    """What the units of work need, with a clock that stands until a test sets it and a mail server."""
    settings = mailing.model_copy(update={"var": tmp_path / "var"})
    return Context(configuration.SHIPPED, settings, {platform.name: platform}, used_ledger, SetClock(now))


class Factory:
    """Adds rows with sensible values to an open session; every column can be given by name.

    >>> task = make.task(session)  # with its listing, seller, snapshot and verdict
    >>> lead = make.lead(session, make.decision(session, task, analyst), state=LeadState.SENT, sent_at=now)
    """

    def __init__(self, now: datetime) -> None:
        self.now = now
        self._numbers = itertools.count(1)

    def user(self, session: Session, **given: Any) -> tables.User:
        number = next(self._numbers)
        fields = {"login": f"user{number}", "role": Role.ANALYST, "created_at": self.now, **given}
        return _added(session, tables.User(**{"display_name": fields["login"], **fields}))

    def seller(self, session: Session, **given: Any) -> tables.Seller:
        number = next(self._numbers)
        fields = {
            "platform": "sample",
            "kind": SellerKind.MERCHANT,
            "external_id": f"shop{number}",
            "name": f"康康{number}号店",
        }
        return _added(session, tables.Seller(**{**fields, **given}))

    def listing(self, session: Session, **given: Any) -> tables.Listing:
        number = next(self._numbers)
        fields = {
            "platform": "sample",
            "item_id": f"{number}",
            "road": "sweep",
            "first_seen_at": self.now,
            **given,
        }
        fields.setdefault("url", f"https://shop.invalid/item/{fields['item_id']}")
        if "seller" not in fields and "seller_id" not in fields:
            fields["seller"] = self.seller(session, platform=fields["platform"])
        return _added(session, tables.Listing(**fields))

    def snapshot(self, session: Session, listing: tables.Listing, **given: Any) -> tables.ListingSnapshot:
        fields = {
            "listing": listing,
            "title": "医用雾化器 便携 大容量",
            "description": "一次性 8000口",
            "attributes": {"产地": "深圳"},
            "images": [],
            "sources": {"title": "jsonld"},
            "observed_at": self.now,
            "recorded_at": self.now,
            "sha256": hashlib.sha256(str(next(self._numbers)).encode()).hexdigest(),
        }
        return _added(session, tables.ListingSnapshot(**{**fields, **given}))

    def verdict(self, session: Session, snapshot: tables.ListingSnapshot, **given: Any) -> tables.Verdict:
        fields = {
            "snapshot": snapshot,
            "label": Label.DISGUISED_MEDICAL,
            "score": 0.93,
            "flagged": True,
            "model_version": "model-1",
            "lexicon_version": "lexicon-1",
            "payload": {"scores": {}, "signals": [], "claims": []},
            "recorded_at": self.now,
        }
        return _added(session, tables.Verdict(**{**fields, **given}))

    def task(
        self, session: Session, snapshot: tables.ListingSnapshot | None = None, **given: Any
    ) -> tables.ReviewTask:
        """A queued task; without ``snapshot`` it gets a new listing with a snapshot and a flagged verdict."""
        if snapshot is None:
            snapshot = self.snapshot(session, self.listing(session))
            self.verdict(session, snapshot)
        fields = {
            "listing": snapshot.listing,
            "snapshot": snapshot,
            "queue": "disguise",
            "priority": 0.93,
            "state": TaskState.QUEUED,
            "created_at": self.now,
        }
        return _added(session, tables.ReviewTask(**{**fields, **given}))

    def decision(
        self, session: Session, task: tables.ReviewTask, reviewer: tables.User, **given: Any
    ) -> tables.Decision:
        """A decision (violation unless told otherwise); the task becomes decided."""
        fields = {
            "task_id": task.id,
            "listing": task.listing,
            "snapshot": task.snapshot,
            "reviewer_id": reviewer.id,
            "finding": Finding.VIOLATION,
            "decided_at": self.now,
            **given,
        }
        if fields["finding"] is Finding.VIOLATION:
            fields.setdefault("category", Label.DISGUISED_MEDICAL)
        task.state = TaskState.DECIDED
        return _added(session, tables.Decision(**fields))

    def lead(self, session: Session, decision: tables.Decision, **given: Any) -> tables.Lead:
        fields = {
            "number": f"TEST-2026-{next(self._numbers):06}",
            "listing": decision.listing,
            "decision": decision,
            "state": LeadState.READY,
            "created_at": self.now,
        }
        return _added(session, tables.Lead(**{**fields, **given}))

    def response(self, session: Session, lead: tables.Lead, **given: Any) -> tables.PlatformResponse:
        fields = {
            "lead_id": lead.id,
            "measure": Measure.DELETED,
            "received_at": self.now,
            "recorded_at": self.now,
            "source": "answers.csv:2",
        }
        return _added(session, tables.PlatformResponse(**{**fields, **given}))

    def run(self, session: Session, **given: Any) -> tables.CrawlRun:
        fields = {
            "run_id": f"run{next(self._numbers)}",
            "kind": "recheck",
            "platform": "sample",
            "state": RunState.OK,
            "started_at": self.now,
            "finished_at": self.now,
            "recorded_at": self.now,
            "stats": {},
        }
        return _added(session, tables.CrawlRun(**{**fields, **given}))

    def sighting(self, session: Session, listing: tables.Listing, **given: Any) -> tables.Sighting:
        """One look at ``listing`` (gone unless told otherwise), in a run of its own unless one is given."""
        if "run" not in given:
            given["run"] = self.run(session, platform=listing.platform)
        state = given.get("state", Presence.GONE)
        fields = {
            "listing_id": listing.id,
            "state": state,
            "reason": "http_404" if state is Presence.GONE else f"looked_{state.value}",
            "vantage": "anonymous-http",
            "observed_at": self.now,
            "recorded_at": self.now,
        }
        return _added(session, tables.Sighting(**{**fields, **given}))


def _added(session: Session, row: Row) -> Row:
    session.add(row)
    session.flush()
    return row
