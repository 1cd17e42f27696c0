from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone
from decimal import Decimal
from typing import Any

import pytest
import sqlalchemy as sa
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from sqlalchemy.exc import IntegrityError, StatementError
from sqlalchemy.orm.exc import StaleDataError

from crawlers.listing import Presence
from crawlers.rundir import Arm
from takedowns.ledger import tables
from takedowns.ledger.audit import record
from takedowns.ledger.engine import Ledger, migrate
from takedowns.ledger.vocabulary import (
    Base,
    Cleaned,
    DispatchKind,
    DispatchState,
    Errand,
    LinkReason,
    RelistingKind,
    Role,
    RunState,
    TrayState,
    UtcDateTime,
    VerificationOutcome,
    WorkState,
)
from takedowns.states import HandoverState, NoticeState, TaskState, TipState


def test_the_migrations_give_exactly_the_tables(ledger: Ledger) -> None:
    with ledger.engine.connect() as connection:
        context = MigrationContext.configure(connection, opts={"compare_type": _differs})
        assert compare_metadata(context, Base.metadata) == []


def _differs(_context: Any, _column: Any, _meta: Any, found: Any, wanted: Any) -> bool | None:
    """Our own types by what they are in the database; None leaves the rest to Alembic."""
    if isinstance(wanted, UtcDateTime):
        return not isinstance(found, sa.DateTime)
    if isinstance(wanted, sa.Enum):
        return not (isinstance(found, sa.String) and found.length == wanted.length)
    return None


def test_a_second_migration_changes_nothing(ledger: Ledger) -> None:
    before = sa.inspect(ledger.engine).get_table_names()
    migrate(ledger.engine)
    assert sa.inspect(ledger.engine).get_table_names() == before


def test_every_table_is_written_and_read_back_as_it_was(ledger: Ledger, make: Any, now: datetime) -> None:
    with ledger.write() as session:
        _a_row_in_every_table(session, make, now)
    for mapper in Base.registry.mappers:
        with ledger.read() as first, ledger.read() as second:
            rows = first.scalars(sa.select(mapper.class_)).all()
            again = second.scalars(sa.select(mapper.class_)).all()
            assert rows, f"no row in {mapper.class_.__name__}"
            assert [_values(row) for row in rows] == [_values(row) for row in again]


def _values(row: Any) -> dict[str, Any]:
    values = {column.key: getattr(row, column.key) for column in sa.inspect(row).mapper.column_attrs}
    for name, value in values.items():
        assert not isinstance(value, datetime) or value.utcoffset() == timedelta(0), name
    return values


def _a_row_in_every_table(session: Any, make: Any, now: datetime) -> None:
    analyst = make.user(session)
    task = make.task(session)
    verdict = task.snapshot.verdicts[0]
    lead = make.lead(session, make.decision(session, task, analyst))
    make.response(session, lead)
    make.sighting(session, task.listing, state=Presence.UP)
    run = make.run(session, kind="sample", arm=Arm.RANDOM, requests=7, refusals=1, silent_until=now)
    notice = tables.Notice(
        number="N-1",
        platform="sample",
        channel="smtp",
        recipient="a@shop.invalid",
        state=NoticeState.DRAFT,
        lang="zh",
        subject="线索",
        body="涉嫌",
        author_id=analyst.id,
        created_at=now,
    )
    session.add(notice)
    notice.leads.append(lead)
    session.add_all(
        [
            tables.Flag(listing_id=task.listing_id, verdict_id=verdict.id, created_at=now),
            tables.LicenceClaim(
                verdict_id=verdict.id, kind="food_licence", number="11351090100010", status="format_ok"
            ),
            tables.Verification(
                lead_id=lead.id,
                outcome=VerificationOutcome.NOT_REMOVED,
                observed_at=now,
                recorded_at=now,
                basis={"sightings": [1]},
            ),
            tables.Relisting(
                lead=lead,
                listing=make.listing(session),
                kind=RelistingKind.SAME_TEXT,
                similarity=0.97,
                observed_at=now,
                recorded_at=now,
            ),
            tables.NumberSeries(kind="lead", year=2026, last=1),
            tables.WorkItem(
                arm=Arm.TARGETED,
                kind="sweep",
                platform="sample",
                subject="雾化",
                state=WorkState.OPEN,
                detail={"next_page": 2, "pending": {"1": "u"}},
                created_at=now,
            ),
            tables.ListingDraw(
                run_id=run.run_id,
                stratum="medical",
                query="雾化",
                position=3,
                item_id="9",
                probability=0.25,
                multiplicity=2,
                listing_probability=0.4375,
                state=Presence.BLOCKED,
                reason="captcha",
                observed_at=now,
                recorded_at=now,
            ),
            tables.PersonTask(
                platform="sample",
                kind=Errand.BLOCKED,
                run_id=run.run_id,
                message="walled off",
                created_at=now,
            ),
            tables.JobFiring(job="sweep", slot=now, state=RunState.OK, started_at=now),
            tables.UserSession(
                token_hash="0" * 64, user_id=analyst.id, created_at=now, last_used_at=now, expires_at=now
            ),
            tables.ReportRun(
                period="2026-10", version=1, as_of=now, created_at=now, input_digest="0" * 64, outputs={}
            ),
        ]
    )
    _incoming(session, lead, now)
    _outgoing(session, notice, lead, analyst, now)
    _connections(session, make, run, now)
    record(session, at=now, actor="system:test", action="made", subject="lead:1", payload={"数": [1, None]})


def _incoming(session: Any, lead: tables.Lead, now: datetime) -> None:
    received = {"received_at": now, "recorded_at": now}
    report = tables.CleaningReport(
        platform="sample",
        lead_id=lead.id,
        cleaned=Cleaned.INFORMATION,
        quantity=3,
        listed=True,
        source="reply.xlsx:2",
        **received,
    )
    session.add(report)
    session.flush()
    session.add_all(
        [
            tables.CleanedItem(
                report_id=report.id, platform="sample", cleaned=report.cleaned, identifier="u"
            ),
            tables.InboxMessage(
                inbox="imap", key="0" * 64, sender="a@b", subject="回复", trusted=True, outcome={}, **received
            ),
            tables.StrayResponse(
                source="reply.xlsx:9", cells={"备注": "无"}, reason="r", state=TrayState.OPEN, **received
            ),
            tables.Tip(
                number="2026-0000-J00001",
                origin="hotline",
                source="12313-7",
                text="学校门口",
                minors=True,
                due_at=now,
                state=TipState.NEW,
                **received,
            ),
        ]
    )


def _outgoing(
    session: Any, notice: tables.Notice, lead: tables.Lead, user: tables.User, now: datetime
) -> None:
    dispatch = tables.Dispatch(
        kind=DispatchKind.REMINDER,
        notice_id=notice.id,
        channel="smtp",
        recipient="a@b",
        subject="催办",
        body="涉嫌",
        idempotency_key="<2@b>",
        state=DispatchState.WAITING,
        created_at=now,
        not_before=now,
    )
    handover = tables.Handover(
        number="2026-0000-Y00001",
        incoming=False,
        counterpart="某市局",
        counterpart_kind="bureau",
        reason="协查",
        state=HandoverState.PACKED,
        package_sha256="0" * 64,
        created_at=now,
        created_by_id=user.id,
        due_at=now,
        leads=[tables.HandoverLead(number=lead.number, lead_id=lead.id, facts={})],
    )
    session.add_all([dispatch, handover])
    session.flush()
    file = {"name": "a.pdf", "sha256": "0" * 64, "media_type": "application/pdf", "size": 1}
    session.add_all(
        [
            tables.DispatchFile(dispatch_id=dispatch.id, **file),
            tables.NoticeStep(notice_id=notice.id, rung=0, dispatch_id=dispatch.id, created_at=now),
        ]
    )


def _connections(session: Any, make: Any, run: tables.CrawlRun, now: datetime) -> None:
    listing, other = make.listing(session), make.listing(session)
    session.add(tables.Picture(sha256="0" * 64, media_type="image/png", size=1, recorded_at=now))
    sellers = [tables.Seller(platform="p", kind="merchant", external_id=i, name=i) for i in "ab"]
    verdict = make.verdict(session, make.snapshot(session, listing))
    flag = tables.Flag(listing_id=listing.id, verdict_id=verdict.id, created_at=now)
    session.add_all([*sellers, flag])
    session.flush()
    session.add_all(
        [
            tables.ListingPicture(listing_id=listing.id, sha256="0" * 64, observed_at=now),
            tables.PictureAddress(digest="1" * 64, url="u", sha256="0" * 64, fetched_at=now, run_id="r"),
            tables.ContactHash(listing_id=listing.id, kind="name", digest="0" * 64, observed_at=now),
            tables.SellerLink(
                seller_id=sellers[0].id,
                other_id=sellers[1].id,
                reason=LinkReason.LICENCE,
                value="SC1",
                strength=0.9,
                basis={"listings": [listing.id, other.id]},
                recorded_at=now,
            ),
            tables.SellerSighting(
                seller_id=sellers[0].id,
                run_id=run.run_id,
                state=Presence.UP,
                reason="r",
                vantage="v",
                observed_at=now,
                recorded_at=now,
            ),
            tables.Control(listing_id=listing.id, flag_id=flag.id, drawn_at=now, probability=0.1),
        ]
    )


def test_a_time_of_any_zone_comes_back_as_the_same_moment_in_utc(ledger: Ledger, make: Any) -> None:
    china = datetime(2026, 10, 1, 0, 30, 15, 250, tzinfo=timezone(timedelta(hours=8)))
    with ledger.write() as session:
        user_id = make.user(session, created_at=china).id
    with ledger.read() as session:
        read = session.get_one(tables.User, user_id).created_at
    assert (read, read.tzinfo) == (china, UTC)


def test_a_time_without_zone_is_refused(ledger: Ledger, make: Any) -> None:
    with ledger.write() as session, pytest.raises(StatementError, match="without zone"):
        make.user(session, created_at=datetime(2026, 10, 1))  # noqa: DTZ001


def test_a_price_keeps_its_cents(ledger: Ledger, make: Any) -> None:
    with ledger.write() as session:
        snapshot = make.snapshot(session, make.listing(session), price=Decimal("999999999999.99"))
    with ledger.read() as session:
        read = session.get_one(tables.ListingSnapshot, snapshot.id)
        assert read.price == Decimal("999999999999.99")


def test_a_row_that_refers_to_nothing_is_refused(ledger: Ledger, make: Any) -> None:
    with ledger.write() as session, pytest.raises(IntegrityError):
        make.listing(session, seller_id=4711)


@pytest.mark.parametrize("state", [state for state in TaskState if state is not TaskState.DECIDED])
def test_a_listing_has_at_most_one_open_task(ledger: Ledger, make: Any, state: TaskState) -> None:
    with ledger.write() as session:
        task = make.task(session, state=state)
    with pytest.raises(IntegrityError), ledger.write() as session:
        make.task(session, session.get_one(tables.ListingSnapshot, task.snapshot_id))


def test_a_decided_task_makes_room_for_another(ledger: Ledger, make: Any) -> None:
    with ledger.write() as session:
        task = make.task(session, state=TaskState.DECIDED)
        make.task(session, task.snapshot)


def test_of_two_people_who_change_the_same_version_the_second_is_told(ledger: Ledger, make: Any) -> None:
    with ledger.write() as session:
        task_id = make.task(session).id
    with ledger.read() as session:
        stale = session.get_one(tables.ReviewTask, task_id)
    with ledger.write() as session:
        session.get_one(tables.ReviewTask, task_id).state = TaskState.ON_HOLD
    stale.state = TaskState.DECIDED
    with pytest.raises(StaleDataError), ledger.write() as session:
        session.add(stale)
    with ledger.read() as session:
        assert session.get_one(tables.ReviewTask, task_id).state is TaskState.ON_HOLD


def test_a_failed_piece_of_work_leaves_nothing_behind(ledger: Ledger, make: Any) -> None:
    def work() -> None:
        with ledger.write() as session:
            make.user(session, role=Role.ADMIN)
            raise RuntimeError("the power went")

    with pytest.raises(RuntimeError):
        work()
    with ledger.read() as session:
        assert session.scalars(sa.select(tables.User)).all() == []
