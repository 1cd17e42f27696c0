"""A failed canary voids what its run saw, from the crawl to the lead: crawled for real, taken in, settled."""

from __future__ import annotations

from datetime import timedelta

import pytest
import sqlalchemy as sa

from crawlers.listing import Presence
from crawlers.rundir import CrawlJob, Outcome, RunKind, job_file, read_run
from takedowns import intake, removals
from takedowns.ledger.tables import CrawlRun, Lead, Sighting
from takedowns.ledger.vocabulary import VerificationOutcome
from takedowns.states import LeadState
from tests.crawlers.shop import Page, Shop, item_html, said, shop_profile, start, targets

HOUR, DAY = timedelta(hours=1), timedelta(days=1)
CANARY = {"alive": "{home}/item/canary.html", "absent": "{home}/item/0.html"}


class NothingNew:
    """No listing is taken in here, so nothing is to be judged."""


@pytest.fixture
def shop():
    running = Shop()
    yield running
    running.close()


@pytest.fixture
def lead(sqlite_ledger, make, analyst, now):
    with sqlite_ledger.write() as session:
        listing = make.listing(session, platform="corner", item_id="1")
        decision = make.decision(session, make.task(session, make.snapshot(session, listing)), analyst)
        return make.lead(session, decision, state=LeadState.SENT, sent_at=now)


@pytest.fixture
def looked_at(shop, sqlite_ledger, tmp_path, settings):
    """Looks at the lead's listing at ``moment``, takes the run in and settles."""

    def look(lead: Lead, moment, canary=CANARY):
        run = tmp_path / f"run{moment:%d}"
        run.mkdir()
        job = CrawlJob(
            run_id=run.name,
            kind=RunKind.RECHECK,
            platform=shop_profile(shop.home, canary=canary),
            targets=targets(shop.home, "1"),
            contact="ops@bureau.example",
            clock=moment,
        )
        job_file(run).write_text(job.model_dump_json())
        assert start(run).wait(60) == 0, said(run).read_text()
        with sqlite_ledger.write() as session:
            intake.ingest_run(session, read_run(run), NothingNew(), now=moment + HOUR)
            return removals.settle(session, session.get(Lead, lead.id), now=moment + HOUR, settings=settings)

    return look


@pytest.mark.parametrize(
    "pages",
    [
        pytest.param({}, id="the whole shop answers 404"),
        pytest.param(
            {f"/item/{n}.html": Page(item_html()) for n in ("canary", "0")}, id="every id is up but this"
        ),
    ],
)
def test_a_run_whose_canary_failed_removes_nothing(shop, sqlite_ledger, lead, looked_at, now, pages):
    shop.pages |= pages
    for day in (1, 3):
        verification = looked_at(lead, now + day * DAY)
        assert verification is None or verification.outcome is VerificationOutcome.UNVERIFIABLE
    with sqlite_ledger.read() as session:
        looks = session.execute(
            sa.select(Sighting.state, CrawlRun.trusted, CrawlRun.state).join(CrawlRun)
        ).all()
        assert looks == [(Presence.GONE, False, Outcome.FAILED)] * 2, "kept, and believed by nobody"
        assert session.get(Lead, lead.id).state is LeadState.SENT


def test_the_same_looks_remove_it_when_the_canary_sings(shop, sqlite_ledger, lead, looked_at, now):
    shop.item("canary")
    looked_at(lead, now + DAY)
    assert looked_at(lead, now + 3 * DAY).outcome is VerificationOutcome.REMOVED_UNCLAIMED
    with sqlite_ledger.read() as session:
        assert session.scalars(sa.select(CrawlRun.trusted)).all() == [True, True]
        assert session.get(Lead, lead.id).state is LeadState.CLOSED


def test_a_look_without_a_canary_is_believed_by_nobody(shop, sqlite_ledger, lead, looked_at, now):
    for day in (1, 3):
        verification = looked_at(lead, now + day * DAY, canary=None)
        assert verification is None or verification.outcome is VerificationOutcome.UNVERIFIABLE
    with sqlite_ledger.read() as session:
        runs = session.scalars(sa.select(CrawlRun)).all()
        assert [(run.trusted, run.state) for run in runs] == [(False, Outcome.OK)] * 2
        assert [issue["code"] for run in runs for issue in run.stats["issues"]] == ["no_canary"] * 2
        assert [look.state for look in session.scalars(sa.select(Sighting))] == [Presence.GONE] * 2
