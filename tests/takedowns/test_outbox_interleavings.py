"""Any order of what people and workers do to notices, each step a transaction of its own."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import sqlalchemy as sa
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from takedowns import dispatches, leads, notices, outbox
from takedowns.channels.parcel import SendError
from takedowns.context import Context
from takedowns.ledger import audit
from takedowns.ledger.engine import Ledger
from takedowns.ledger.tables import Dispatch, Lead, Listing, Notice
from takedowns.ledger.vocabulary import DispatchKind, DispatchState, Role
from takedowns.states import LeadState, NoticeState

REFUSED = (notices.NoticeError, leads.LeadError, dispatches.DispatchError)
LEADS, WITHDRAWN, VANISHING = 4, 0, 1  # the others stay, so that something can always be sent
OF_DISPATCH = {
    NoticeState.DRAFT: None,
    NoticeState.CANCELLED: None,
    NoticeState.APPROVED: DispatchState.WAITING,
    NoticeState.SEND_FAILED: DispatchState.FAILED,
    NoticeState.SENT: DispatchState.SENT,
}
"""What the newest dispatch of a notice is, unless it was taken back."""


@dataclass
class Attempt:
    """Under way in some process: the parcel has reached the receiver, or will, or never does."""

    dispatch: Dispatch
    key: str
    body: str


@dataclass
class Receiver:
    """What arrived, by key."""

    got: dict[str, set[str]] = field(default_factory=dict)

    def take(self, attempt: Attempt) -> None:
        self.got.setdefault(attempt.key, set()).add(attempt.body)


class House:
    def __init__(self, start: Path, folder: Path, make: Any, bureau: Context, now: datetime) -> None:
        self.make, self.bureau = make, bureau
        path = folder / "ledger.db"
        for file in folder.glob("ledger.db*"):
            file.unlink()
        shutil.copyfile(start, path)
        self.ledger = Ledger(f"sqlite:///{path}")
        self.bureau.ledger, self.bureau.clock.now = self.ledger, now
        self.receiver = Receiver()
        self.attempts: list[Attempt] = []
        with self.ledger.write() as session:
            self.analyst = self.make.user(session, role=Role.ANALYST)
            self.bosses = [self.make.user(session, role=Role.SUPERVISOR) for _ in range(2)]
            self.leads = [
                self.make.lead(session, self.make.decision(session, self.make.task(session), self.analyst)).id
                for _ in range(LEADS)
            ]
        self.seen: list[tuple[int, int]] = []  # notices with the version that somebody has on the screen
        self.draft(LEADS)
        self.approve(0, old=False, boss=0)

    def close(self) -> None:
        self.ledger.close()

    def draft(self, size: int) -> None:
        with self.ledger.write() as session:
            waiting = leads.ready(session).get("sample", [])[:size]
            if waiting:
                platform = self.bureau.platforms["sample"]
                now, given = self.bureau.clock(), self.bureau.settings
                notices.draft(session, platform, waiting, self.analyst, now=now, settings=given)

    def keep_the_screen_open(self) -> None:
        self.seen = self._shown()

    def _shown(self) -> list[tuple[int, int]]:
        with self.ledger.read() as session:
            return [(one.id, one.version) for one in session.scalars(sa.select(Notice).order_by(Notice.id))]

    def _person(self, which: int, old: bool, act: Callable[..., object]) -> None:
        """Does something to one of the newest notices, as it is or as they saw it long ago."""
        shown = (self.seen if old else self._shown())[::-1]
        if which < len(shown):
            with suppress(*REFUSED), self.ledger.write() as session:
                act(session, *shown[which])

    def approve(self, which: int, old: bool, boss: int) -> None:
        now, given = self.bureau.clock(), self.bureau.settings
        self._person(
            which, old, lambda s, n, v: notices.approve(s, n, self.bosses[boss], v, now=now, settings=given)
        )

    def recall(self, which: int, old: bool) -> None:
        self._person(
            which, old, lambda s, n, v: notices.recall(s, n, self.analyst, v, now=self.bureau.clock())
        )

    def cancel(self, which: int, old: bool) -> None:
        self._person(
            which, old, lambda s, n, v: notices.cancel(s, n, self.analyst, v, now=self.bureau.clock())
        )

    def try_again(self, which: int, old: bool) -> None:
        self._person(which, old, lambda s, n, _: outbox.release(s, self.bureau, n, self.analyst))

    def withdraw(self) -> None:
        with suppress(*REFUSED), self.ledger.write() as session:
            lead = session.get_one(Lead, self.leads[WITHDRAWN])
            if lead.sent_at is None:
                now = self.bureau.clock()
                leads.withdraw(session, lead.id, self.analyst, reason="wrong item", now=now)

    def vanish(self) -> None:
        with self.ledger.write() as session:
            lead = session.get_one(Lead, self.leads[VANISHING])
            self.make.sighting(
                session, session.get_one(Listing, lead.listing_id), observed_at=self.bureau.clock()
            )

    def begin(self, which: int) -> None:
        """A worker takes a dispatch; reaching the receiver comes later, if at all."""
        with self.ledger.read() as session:
            waiting = session.scalars(
                sa.select(Dispatch.id).where(Dispatch.state == DispatchState.WAITING)
            ).all()
        if waiting:
            with suppress(*REFUSED), self.ledger.write() as session:
                dispatch = outbox._begun(session, waiting[which % len(waiting)], self.bureau)
                if dispatch.state is DispatchState.WAITING:
                    self.attempts.append(Attempt(dispatch, dispatch.idempotency_key, dispatch.body))

    def arrive_and_commit(self, which: int) -> None:
        if self.attempts:
            attempt = self.attempts.pop(which % len(self.attempts))
            self.receiver.take(attempt)
            outbox._succeeded(self.bureau, attempt.dispatch.id, "250 OK")

    def arrive_and_die(self, which: int) -> None:
        if self.attempts:
            self.receiver.take(self.attempts.pop(which % len(self.attempts)))

    def die(self, which: int) -> None:
        if self.attempts:
            self.attempts.pop(which % len(self.attempts))

    def fail(self, which: int, temporary: bool, arrived: bool) -> None:
        if self.attempts:
            attempt = self.attempts.pop(which % len(self.attempts))
            if arrived:
                self.receiver.take(attempt)
            error = SendError("no answer", temporary=temporary, may_have_arrived=arrived)
            outbox._failed(self.bureau, attempt.dispatch, error)

    def wait(self, minutes: int) -> None:
        self.bureau.clock.now += timedelta(minutes=minutes)

    def no_lead_is_received_twice_and_no_mail_changes(self) -> None:
        assert all(len(bodies) == 1 for bodies in self.receiver.got.values())
        with self.ledger.read() as session:
            for lead in session.scalars(sa.select(Lead)):
                keys = [key for key, (body,) in self.receiver.got.items() if f"{lead.number} |" in body]
                assert len(keys) <= 1
                assert not keys or lead.state in (LeadState.READY, LeadState.SENT)

    def what_arrived_is_never_called_taken_back(self) -> None:
        arrived = sa.select(Dispatch.state).where(Dispatch.idempotency_key.in_(self.receiver.got))
        with self.ledger.read() as session:
            assert DispatchState.CANCELLED not in session.scalars(arrived).all()

    def notice_and_dispatch_say_the_same(self) -> None:
        with self.ledger.read() as session:
            for notice in session.scalars(sa.select(Notice)):
                itself = [one for one in notice.dispatches if one.kind is DispatchKind.NOTICE]
                standing = [one.state for one in itself if one.state is not DispatchState.CANCELLED]
                expected = OF_DISPATCH[notice.state]
                assert standing == ([expected] if expected else [])

    def every_lead_has_its_place(self) -> None:
        with self.ledger.read() as session:
            free = {lead.id for lead in leads.ready(session).get("sample", [])}
            for lead in session.scalars(sa.select(Lead)):
                in_open = [one for one in lead.notices if one.state in leads.OPEN]
                sent = [one for one in lead.notices if one.state is NoticeState.SENT]
                assert len(in_open) + len(sent) == (lead.state in (LeadState.READY, LeadState.SENT)) - (
                    lead.id in free
                )
                assert bool(sent) == (lead.state is LeadState.SENT)

    def the_chain_is_whole(self) -> None:
        with self.ledger.read() as session:
            assert list(audit.verify(session)) == []


which, seldom, often = st.integers(0, 1), st.sampled_from([False] * 4 + [True]), st.booleans()
steps = st.one_of(
    *[st.tuples(st.just(House.draft), st.integers(1, LEADS))] * 3,
    st.tuples(st.just(House.keep_the_screen_open)),
    *[st.tuples(st.just(House.approve), which, seldom, which)] * 4,
    *(st.tuples(st.just(act), which, seldom) for act in (House.recall, House.cancel, House.try_again)),
    *(st.tuples(st.just(act)) for act in (House.withdraw, House.vanish)),
    *[st.tuples(st.just(House.begin), which)] * 4,
    st.tuples(st.just(House.arrive_and_commit), which),
    *[st.tuples(st.just(House.arrive_and_die), which)] * 2,
    st.tuples(st.just(House.die), which),
    st.tuples(st.just(House.fail), which, often, often),
    *[st.tuples(st.just(House.wait), st.sampled_from([5, 20, 60 * 24]))] * 2,
)


@settings(
    max_examples=40,
    deadline=None,  # a machine that does something else meanwhile is no defect
    suppress_health_check=list(HealthCheck),
)
@given(done=st.lists(steps, min_size=35, max_size=35))
def test_in_any_order_no_lead_is_lost_and_none_is_sent_twice(
    done: list[tuple[Any, ...]],
    migrated_sqlite: Path,
    tmp_path: Path,
    make: Any,
    bureau: Context,
    sqlite_ledger: Ledger,
    now: datetime,
) -> None:
    folder = tmp_path / "house"
    folder.mkdir(exist_ok=True)
    house = House(migrated_sqlite, folder, make, bureau, now)
    try:
        for step, *arguments in done:
            step(house, *arguments)
            house.no_lead_is_received_twice_and_no_mail_changes()
            house.what_arrived_is_never_called_taken_back()
            house.notice_and_dispatch_say_the_same()
            house.every_lead_has_its_place()
        house.the_chain_is_whole()
    finally:
        house.close()
