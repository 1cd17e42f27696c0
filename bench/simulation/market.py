"""Six months of a market, day by day, on the ledger's own functions: only pages and mails are make-believe.

Twice a day a crawl looks at what :func:`takedowns.removals.due_for_recheck` asks for. Looks are blocked or
fail, whole runs fail their canary and see nonsense, some are taken in days later because their parent died,
and they come from two vantages. What was looked at and what was really there is kept, to be compared with the
ledger.
"""

from __future__ import annotations

import random
from collections import defaultdict
from datetime import UTC, datetime, timedelta
from pathlib import Path

import sqlalchemy as sa
from sqlalchemy.orm import Session

from bench.simulation.cases import Case, Crawl, Seen, Suspicious
from bench.simulation.pages import (
    BROWSER,
    DAY,
    HOUR,
    PLAIN,
    Conduct,
    Page,
    Plan,
    Shown,
    conducts,
    nights,
    plan,
)
from classifiers.verdict import Label
from crawlers import rundir
from crawlers.listing import Listing, Presence, Seller, Sighting
from crawlers.platforms import Platform
from crawlers.presence import is_altered
from crawlers.rundir import Outcome, RunKind, RunStats, Target
from takedowns import control, intake, leads, notices, relistings, removals
from takedowns.judging import REMOVED
from takedowns.ledger import tables
from takedowns.ledger.engine import Ledger
from takedowns.ledger.vocabulary import Finding, Role, RunState
from takedowns.replies import claims
from takedowns.replies.columns import Reply
from takedowns.settings import Settings
from takedowns.states import NOTICE, LeadState, NoticeEvent, TaskState, step

OPENING = datetime(2026, 1, 5, tzinfo=UTC)
WATCHED = 105  # days after the last dispatch: a return is found 90 days after a removal at the latest
HOURS = (20, 7)  # UTC: four in the morning and three in the afternoon in Shanghai
SEND_HOUR, FIND_HOUR = 2, 9
BUSY, RARELY = 45, 3  # so many days after the last dispatch, crawls come every third day only
BLOCKED, FAILED, UNTRUSTED, LATE = 0.05, 0.04, 0.04, 0.03
BROWSER_EVERY = 3  # runs
LISTINGS_PER_SELLER = 6
BYSTANDERS = 0.1  # listings of the control group's frame, for each lead
VANISHING = 0.3  # of them
INNOCENT = "加厚玻璃饭盒 三格 可进微波炉"


class Simulation:
    """``run`` lives through it; then ``cases``, ``seen`` (item → looks) and ``settled`` tell what was so."""

    def __init__(
        self,
        ledger: Ledger,
        settings: Settings,
        platform: Platform,
        *,
        count: int,
        seed: int,
        found_within: int = 90,
    ) -> None:
        self.ledger, self.platform, self.rng = ledger, platform, random.Random(seed)
        self.settings, self.found_within = settings, found_within
        self.days = found_within + WATCHED
        self.cases = self._cases(count)
        self.bystanders = {f"5{n:05}": Page() for n in range(int(count * BYSTANDERS))}
        self.pages = {case.item_id: case.page for case in self.cases.values()} | self.bystanders
        self.pages |= {case.twin_id: Page() for case in self.cases.values()}
        self.seen: defaultdict[str, list[Seen]] = defaultdict(list)
        self.settled: list[datetime] = []
        self.under_way: list[Crawl] = []
        self.runs = 0
        self.wrong: list[str] = []

    @property
    def end(self) -> datetime:
        return OPENING + self.days * DAY

    def run(self) -> None:
        self._people()
        for day in range(self.days):
            morning = OPENING + day * DAY
            crawls = [morning + (hour + self.rng.random()) * HOUR for hour in HOURS]
            if day > self.found_within + BUSY and day % RARELY:
                crawls = []
            happenings = [
                (morning + SEND_HOUR * HOUR, self._send),
                (morning + FIND_HOUR * HOUR, self._find),
                *((at, self._crawl) for at in crawls),
            ]
            for at, happens in sorted(happenings, key=lambda event: event[0]):
                self._answers_until(at)
                happens(at)

    def _cases(self, count: int) -> dict[str, Case]:
        found = {}
        for number, conduct in enumerate(conducts(self.rng, count)):
            item = f"1{number:05}"
            words = "".join(chr(self.rng.randrange(0x4E00, 0x9FA0)) for _ in range(60))
            found[item] = Case(
                item_id=item,
                seller=f"shop{self.rng.randrange(1 + count // LISTINGS_PER_SELLER)}",
                title=f"医用雾化器 {words[:6]}",
                description=words,
                conduct=conduct,
                found_on=self.rng.randrange(self.found_within),
                page=Page(list(nights(OPENING, self.days)) if conduct is Conduct.NIGHT else []),
            )
        return found

    def _people(self) -> None:
        with self.ledger.write() as session:
            common = {"created_at": OPENING, "password_hash": None}
            self.analyst = tables.User(login="li", display_name="Li", role=Role.ANALYST, **common)
            self.supervisor = tables.User(login="wu", display_name="Wu", role=Role.SUPERVISOR, **common)
            session.add_all([self.analyst, self.supervisor])

    # what we do

    def _find(self, now: datetime) -> None:
        """A sweep finds new listings and twins of old ones; a person decides on what was flagged of them."""
        day = (now - OPENING).days
        new = [case for case in self.cases.values() if case.found_on == day]
        offers = [self._offer(case, case.item_id, now) for case in new]
        offers += [self._offer(case, case.twin_id, now) for case in self.cases.values() if _is_due(case, now)]
        if day == 1:
            offers += [self._bystander(item, now) for item in self.bystanders]
        with self.ledger.write() as session:
            intake.store_listings(session, offers, Suspicious(), road="sweep", now=now)
            for case in new:
                self._decide(session, case, now)
            for case in self.cases.values():
                if case.conduct is Conduct.COME_BACK_TWICE and len(case.lead_ids) == 1:
                    self._decide(session, case, now, queue="relisted")

    def _decide(self, session: Session, case: Case, now: datetime, queue: str = "disguise") -> None:
        task = session.scalars(
            sa.select(tables.ReviewTask)
            .join(tables.Listing)
            .where(
                tables.Listing.item_id == case.item_id,
                tables.ReviewTask.queue == queue,
                tables.ReviewTask.state != TaskState.DECIDED,
            )
        ).one_or_none()
        if task is None:
            return
        decision = tables.Decision(
            task_id=task.id,
            listing_id=task.listing_id,
            snapshot_id=task.snapshot_id,
            reviewer_id=self.analyst.id,
            finding=Finding.VIOLATION,
            category=Label.DISGUISED_MEDICAL,
            decided_at=now,
        )
        task.state = TaskState.DECIDED
        session.add(decision)
        session.flush()
        case.lead_ids.append(
            leads.create(session, decision, office_code=self.settings.office.code, now=now).id
        )
        if case.conduct is Conduct.GONE_BEFORE:
            case.page.changes.append((now + HOUR, Shown.GONE))

    def _send(self, now: datetime) -> None:
        """One notice a day: looked at once more, those gone dropped, the rest sent."""
        with self.ledger.read() as session:
            ready = leads.ready(session).get(self.platform.name, [])[: self.settings.notices.leads_at_most]
            targets = [removals.target(lead) for lead in ready]
        if not ready:
            return
        look = self._begun(now - HOUR, PLAIN, targets)
        look.taken_in = now
        self._take_in(look)
        with self.ledger.write() as session:
            locked = [session.get_one(tables.Lead, lead.id) for lead in ready]
            notice = notices.draft(
                session, self.platform, locked, self.analyst, now=now, settings=self.settings
            )
            notices.drop_gone(session, notice, now=now)
            if notice.leads:
                notice.state = step(NOTICE, notice.state, NoticeEvent.APPROVE)
                notices.mark_sent(session, notice, "wu", sent_at=now, now=now)
            for lead in notice.leads:
                self._noticed(self.cases[lead.listing.item_id], now)

    def _noticed(self, case: Case, now: datetime) -> None:
        again = case.sent_at is not None
        case.plan = plan(Conduct.OBEY if again else case.conduct, self.rng, now)
        case.sent_at = case.sent_at or now
        case.page.changes += case.plan.changes
        case.page.cloaked_from = case.plan.cloaked_from
        case.answered = 0

    def _answers_until(self, now: datetime) -> None:
        for case in self.cases.values():
            if case.plan is None:
                continue
            for answer in case.plan.answers[case.answered :]:
                if answer.at > now:
                    break
                case.answered += 1
                with self.ledger.write() as session:
                    lead = session.get_one(tables.Lead, case.lead_ids[-1])
                    if lead.state is LeadState.WITHDRAWN:
                        continue  # for the tray
                    done = answer.at if answer.dated else None
                    reply = Reply((answer.measure,), done, "", {})
                    claims.store(session, lead, reply, claims.Received("mail", answer.at, now))
            if case.plan.withdraw_at and case.plan.withdraw_at <= now:
                case.plan = Plan(case.plan.changes, case.plan.answers)
                with self.ledger.write() as session:
                    leads.withdraw(session, case.lead_ids[-1], self.supervisor, reason="slip", now=now)

    def _crawl(self, now: datetime) -> None:
        with self.ledger.read() as session:
            targets = removals.due_for_recheck(session, platform=self.platform.name, now=now)
        vantage = BROWSER if self.runs % BROWSER_EVERY == 0 else PLAIN
        crawl = self._begun(now, vantage, targets)
        crawl.trusted = self.rng.random() >= UNTRUSTED
        late = self.rng.random() < LATE
        crawl.taken_in = now + (self.rng.uniform(1, 5) * DAY if late else 0.5 * HOUR)
        self.under_way.append(crawl)
        settling = now + 0.6 * HOUR
        for done in [crawl for crawl in self.under_way if crawl.taken_in <= settling]:
            self.under_way.remove(done)
            self._take_in(done)
        self._settle(settling)

    def _settle(self, now: datetime) -> None:
        with self.ledger.write() as session:
            removals.settle_all(session, now=now, settings=self.settings)
            relistings.find_relistings(session, now=now)
            control.leave(session, now=now)
            control.draw(session, now=now, settings=self.settings)
            self._check_removals(session, now)
        self.settled.append(now)
        for page in self.bystanders.values():
            if not page.changes and self.rng.random() < VANISHING / (2 * 40):
                page.changes.append((now, Shown.GONE))

    def _check_removals(self, session: Session, now: datetime) -> None:
        """No removal may be written down that was none, not even for a day."""
        written = session.scalars(
            sa.select(tables.Verification).where(
                tables.Verification.recorded_at == now, tables.Verification.outcome.in_(REMOVED)
            )
        )
        for row in written:
            last = session.get_one(tables.Sighting, row.basis["sightings"][-1])
            case = self._case_of(session, row.lead_id)
            if not case.page.stays_gone(row.observed_at, last.observed_at):
                self.wrong.append(f"{case.item_id} {case.conduct}: removed at {row.observed_at}, by {now}")

    def _case_of(self, session: Session, lead_id: int) -> Case:
        return self.cases[session.get_one(tables.Lead, lead_id).listing.item_id]

    # crawls

    def _begun(self, now: datetime, vantage: str, targets: list[Target]) -> Crawl:
        self.runs += 1
        run_id = f"run{self.runs:05}"
        with self.ledger.write() as session:
            session.add(
                tables.CrawlRun(
                    run_id=run_id,
                    kind=RunKind.RECHECK,
                    platform=self.platform.name,
                    state=RunState.RUNNING,
                    started_at=now,
                    recorded_at=now,
                    trusted=False,
                    stats={},
                )
            )
        return Crawl(run_id, now, vantage, True, targets, now)

    def _take_in(self, crawl: Crawl) -> None:
        nonsense = self.rng.choice((Shown.GONE, Shown.UP))  # what a run that failed its canary makes of it
        gap = timedelta(minutes=25) / max(1, len(crawl.targets))
        sightings = [
            self._look(crawl, target, crawl.begun + number * gap, None if crawl.trusted else nonsense)
            for number, target in enumerate(crawl.targets)
        ]
        stats = RunStats(
            run_id=crawl.run_id,
            kind=RunKind.RECHECK,
            platform=self.platform.name,
            outcome=Outcome.OK if crawl.trusted else Outcome.FAILED,
            finish_reason="finished",
            started_at=crawl.begun,
            finished_at=crawl.begun + HOUR / 2,
            canary_ok=crawl.trusted,
            sightings=len(sightings),
        )
        run = rundir.Run(Path(crawl.run_id), stats, (), tuple(sightings), ())
        with self.ledger.write() as session:
            intake.ingest_run(session, run, Suspicious(), now=crawl.taken_in)

    def _look(self, crawl: Crawl, target: Target, at: datetime, nonsense: Shown | None) -> Sighting:
        shown: Shown | None = nonsense or self.pages[target.item_id].at(at, crawl.vantage)
        luck = self.rng.random()
        if luck < BLOCKED + FAILED or shown is Shown.WALL:
            shown = None
        self.seen[target.item_id].append(Seen(at, crawl.vantage, shown, crawl.trusted, crawl.taken_in))
        listing = None
        if shown is None:
            blind = Presence.ERROR if BLOCKED <= luck < BLOCKED + FAILED else Presence.BLOCKED
            state = blind
        elif shown is Shown.GONE:
            state = Presence.GONE
        else:
            swapped = shown is Shown.SWAPPED
            title = INNOCENT if swapped else self._title(target.item_id)
            altered = target.title is not None and is_altered(target.title, title)
            state = Presence.ALTERED if altered else Presence.UP
            if swapped:  # what is known already need not be told again
                listing = self._listing(target.item_id, title, "", None, at)
        return Sighting(
            platform=self.platform.name,
            item_id=target.item_id,
            url=target.url,
            state=state,
            reason="simulated",
            vantage=crawl.vantage,
            observed_at=at,
            listing=listing,
        )

    def _title(self, item_id: str) -> str:
        case = self.cases.get(item_id) or self.cases.get(item_id[1:])  # a twin has its title
        return case.title if case else f"医用雾化器 {item_id}"

    def _offer(self, case: Case, item_id: str, now: datetime) -> Listing:
        return self._listing(item_id, case.title, case.description, case.seller, now)

    def _bystander(self, item_id: str, now: datetime) -> Listing:
        return self._listing(item_id, self._title(item_id), item_id, f"beside{item_id}", now)

    def _listing(
        self, item_id: str, title: str, description: str, seller: str | None, now: datetime
    ) -> Listing:
        return Listing(
            platform=self.platform.name,
            item_id=item_id,
            url=self.platform.canonical_url(item_id),
            title=title,
            description=description,
            seller=Seller(external_id=seller, name=seller) if seller else None,
            observed_at=now,
        )


def _is_due(case: Case, now: datetime) -> bool:
    """Whether its twin appeared since the sweep of yesterday."""
    return bool(case.plan and case.plan.twin_at and now - DAY < case.plan.twin_at <= now)
