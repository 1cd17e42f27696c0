"""``vapewatch demo``: the whole loop on the sample market, over a simulated month.

Everything is the real part: the market is crawled over HTTP, notices go to it by SMTP, its replies come back
as a workbook. Only two things are simulated, and both are labelled: the clock, and the people. The demo users
decide by the market's own record of what it offers, in the place of somebody who looks at the goods.
"""

from __future__ import annotations

import secrets
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import sqlalchemy as sa

from classifiers.verdict import Label
from crawlers.rundir import Outcome, Target
from takedowns import configuration, contacts, jobs, leads, notices, outbox, removals, reports, review, users
from takedowns.cli.output import complain, progress
from takedowns.context import Context
from takedowns.ledger.engine import open_ledger
from takedowns.ledger.tables import Flag, Lead, Listing, PlatformResponse, ReviewTask, User, Verdict
from takedowns.ledger.vocabulary import REMOVAL_CLAIMS, Finding, Role
from takedowns.replies import importing
from takedowns.sample_market.client import RunningMarket, running_market
from takedowns.settings import Mail
from takedowns.states import TaskState

PERIOD = "2026-10"
OPENING = datetime(2026, 10, 1, 1, 0, tzinfo=UTC)  # 09:00 in Shanghai
CHECK_DAYS = (1, 2, 3, 4, 5, 7, 9, 12, 15, 18, 21, 25, 30)
SWEEP_DAYS = (9, 18)  # the market brings goods back under new ids within 16 days
LAST_DAY = 31
LEFT_FOR_YOU = 8
"""Flagged listings that the demo users leave undecided, for the person who tries the desk."""
PEOPLE = {
    "demo-analyst-1": ("审核员甲（演示）", Role.ANALYST),
    "demo-analyst-2": ("审核员乙（演示）", Role.ANALYST),
    "demo-supervisor": ("负责人（演示）", Role.SUPERVISOR),
}


class DemoClock:
    """Goes on at the pace of a real one, and can be moved forward."""

    def __init__(self, now: datetime) -> None:
        self._started = time.monotonic()
        self._offset = now

    def __call__(self) -> datetime:
        return self._offset + timedelta(seconds=time.monotonic() - self._started)

    def advance(self, **span: float) -> None:
        """Move forward by a :class:`~datetime.timedelta` given in its own words; never backwards."""
        if timedelta(**span) < timedelta(0):
            raise ValueError("a clock that goes backwards would put effects before their causes")
        self._offset += timedelta(**span)


@dataclass(frozen=True)
class Demo:
    context: Context
    clock: DemoClock
    market: RunningMarket
    password: str
    summary: dict[str, Any] = field(default_factory=dict)


@contextmanager
def played(folder: Path) -> Iterator[Demo]:
    """Play the whole month in ``folder``, which must not exist; the market stays up inside the ``with``."""
    folder.mkdir(parents=True)
    clock = DemoClock(OPENING)
    with running_market(state=folder / "market", clock=OPENING) as market:
        demo = Demo(_context(folder, market, clock), clock, market, secrets.token_urlsafe(9))
        try:
            _play(demo)
            yield demo
        finally:
            demo.context.ledger.close()


def _context(folder: Path, market: RunningMarket, clock: Callable[[], datetime]) -> Context:
    """The shipped configuration, turned towards the market, with a ledger of its own."""
    config = configuration.SHIPPED
    mail = Mail(host=market.smtp_host, port=market.smtp_port, sender="leads@bureau.invalid", starttls=False)
    shipped = configuration.settings(config)
    settings = shipped.model_copy(
        update={
            "var": folder,
            "ledger": f"sqlite:///{folder / 'ledger.db'}",
            "mail": mail,
            # the month is played in minutes, and it begins on a holiday
            "notices": shipped.notices.model_copy(update={"hold_minutes": 0, "office_hours": None}),
        }
    )
    platforms = {
        name: profile.model_copy(update={"home": market.base_url})
        for name, profile in configuration.platforms(config).items()
        if name.startswith("sample")
    }
    ledger = open_ledger(settings.ledger, **contacts.session_info(settings))
    return Context(config, settings, platforms, ledger, clock)


def _play(demo: Demo) -> None:
    _hire(demo)
    _sweep(demo, "sweep")
    demo.clock.advance(hours=1)
    _review(demo)
    demo.clock.advance(hours=1)
    _notify(demo)
    with progress("recheck, day by day", len(CHECK_DAYS)) as done:
        for index, day in enumerate(CHECK_DAYS, 1):
            _live_through(demo, day)
            done(index)
    _wait_until(demo, OPENING + timedelta(days=LAST_DAY))
    demo.summary.update(_summary(demo))


def _hire(demo: Demo) -> None:
    with demo.context.ledger.write() as session:
        for login, (name, role) in PEOPLE.items():
            users.create(session, login, name, role, demo.password, now=demo.clock(), is_demo=True)


def _sweep(demo: Demo, title: str) -> None:
    """A platform that cannot be read, for want of a browser say, is named; the others go on."""
    for platform in demo.context.platforms:
        with progress(f"{title} {platform}") as done:
            result = jobs.sweep(demo.context, platform, progress=done)
        if result.outcome is Outcome.FAILED:
            complain(f"{platform} could not be swept: {result.first_problem}")


def _review(demo: Demo) -> None:
    """The two demo analysts take turns until only ``LEFT_FOR_YOU`` are left."""
    truth = {row["item_id"]: Label(row["label"]) for row in demo.market.truth()["listings"]}
    with demo.context.ledger.read() as session:
        waiting = session.scalar(sa.select(sa.func.count()).where(ReviewTask.state == TaskState.QUEUED)) or 0
    analysts = ("demo-analyst-1", "demo-analyst-2")
    with progress("review", waiting - LEFT_FOR_YOU) as done:
        for turn in range(waiting - LEFT_FOR_YOU):
            _decide_next(demo, analysts[turn % 2], truth)
            done(turn + 1)


def _decide_next(demo: Demo, login: str, truth: dict[str, Label]) -> None:
    now = demo.clock()
    with demo.context.ledger.write() as session:
        user = _user(demo, login)
        task = review.next_task(session, user, now=now, settings=demo.context.settings)
        if task is None:
            raise LookupError(f"the queue was empty for {login} although tasks are waiting")
        label = truth[task.listing.item_id]
        lawful = label is Label.BENIGN
        review.decide(
            session,
            task.id,
            user,
            task.version,
            Finding.NOT_VIOLATION if lawful else Finding.VIOLATION,
            category=None if lawful else label,
            reason="lawful_other_goods" if lawful else None,
            note="演示：按示例商城自己的记录判断",
            now=now,
            settings=demo.context.settings,
        )


def _notify(demo: Demo) -> None:
    """One analyst drafts a notice for each platform, the supervisor approves it, and it goes out by mail."""
    context = demo.context
    for name, platform in context.platforms.items():
        with context.ledger.write() as session:
            waiting = leads.ready(session).get(name, [])
            if not waiting:
                continue
            author = _user(demo, "demo-analyst-1")
            notice = notices.draft(
                session,
                platform,
                waiting[: context.settings.notices.leads_at_most],
                author,
                now=demo.clock(),
                settings=context.settings,
            )
        with context.ledger.write() as session:
            supervisor = _user(demo, "demo-supervisor")
            notices.approve(
                session,
                notice.id,
                supervisor,
                notice.version,
                now=demo.clock(),
                settings=context.settings,
            )
        outbox.send(context, notice.id)


def _live_through(demo: Demo, day: int) -> None:
    """Come to ``day``: the market acts and answers, we look, take its replies in, and judge."""
    _wait_until(demo, OPENING + timedelta(days=day, hours=3))
    demo.market.set_clock(demo.clock())
    if day in SWEEP_DAYS:
        _sweep(demo, f"sweep, day {day},")
    for platform, targets in _followed(demo).items():
        jobs.recheck(demo.context, platform, targets)
    replies = demo.context.settings.var / f"replies-day-{day:02}.csv"
    replies.write_bytes(demo.market.replies_csv())
    with demo.context.ledger.write() as session:
        importing.import_file(session, replies, platforms=demo.context.platforms, now=demo.clock())
    jobs.settle(demo.context)


def _wait_until(demo: Demo, moment: datetime) -> None:
    demo.clock.advance(seconds=(moment - demo.clock()).total_seconds())


def _followed(demo: Demo) -> dict[str, list[Target]]:
    """Every lead that was sent. A bureau looks at settled ones less often, and learns later of a return."""
    with demo.context.ledger.read() as session:
        sent = session.scalars(sa.select(Lead).where(Lead.sent_at.is_not(None)).order_by(Lead.id))
        found: dict[str, list[Target]] = {}
        for lead in sent:
            found.setdefault(lead.listing.platform, []).append(removals.target(lead))
    return found


def _user(demo: Demo, login: str) -> User:
    with demo.context.ledger.read() as session:
        return session.scalars(sa.select(User).where(User.login == login)).one()


FIGURES = {
    "leads_sent": "leads_sent",
    "removed_verified": "removed_verified",
    "false_claims": "false_claim",
    "still_up": "still_up",
    "relisted": "reappeared",
    "unverifiable": "unverifiable",
}
"""Summary key → id of the report's figure."""


def _summary(demo: Demo) -> dict[str, Any]:
    """What ``--json`` prints. ``removed_claimed`` counts the platform's word, whatever we found."""
    files = jobs.report(demo.context, PERIOD)
    with demo.context.ledger.read() as session:
        report = reports.compute(session, reports.Period.parse(PERIOD), as_of=demo.clock())
        claimed = sa.select(sa.func.count(PlatformResponse.lead_id.distinct())).where(
            PlatformResponse.measure.in_(REMOVAL_CLAIMS)
        )
        by_disguise = session.execute(
            sa.select(Verdict.label, sa.func.count()).join(Flag).group_by(Verdict.label)
        )
        counted = {key: int(report.total[figure].value or 0) for key, figure in FIGURES.items()}
        return {
            "listings": session.scalar(sa.select(sa.func.count()).select_from(Listing)),
            "flagged": session.scalar(sa.select(sa.func.count(Flag.listing_id.distinct()))),
            "flagged_by_disguise": {label.value: count for label, count in by_disguise},
            "leads_sent": counted.pop("leads_sent"),
            "removed_claimed": session.scalar(claimed),
            **counted,
            "report_files": [str(path) for path in files.values()],
        }
