from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import psycopg
import pytest
import sqlalchemy as sa
from alembic import command
from alembic.config import Config
from sqlalchemy.exc import IntegrityError

from crawlers.rundir import Arm
from takedowns.ledger import tables
from takedowns.ledger.engine import MIGRATIONS, Ledger, create_engine, migrate
from takedowns.ledger.vocabulary import Base, DispatchState, UtcDateTime

OLD_ROWS = """\
INSERT INTO listing (id, platform, item_id, url, first_seen_at, road)
VALUES (1, 'sample', '1', 'u', '2026-10-12', 'sweep');

INSERT INTO listing_snapshot
(id, listing_id, sha256, title, description, attributes, images, sources, observed_at, recorded_at)
VALUES (1, 1, 'x', 't', 'd', '{}', '[]', '{}', '2026-10-12', '2026-10-12');

INSERT INTO verdict
(id, snapshot_id, label, score, flagged, model_version, lexicon_version, payload, recorded_at)
VALUES (7, 1, 'benign', 0.5, true, 'm', 'l', '{}', '2026-10-12'),
  (8, 1, 'benign', 0.5, true, 'n', 'l', :payload, '2026-10-12');

INSERT INTO flag (id, listing_id, verdict_id, created_at) VALUES (1, 1, 7, '2026-10-12')"""
NUMBER = {"kind": "food_licence", "text": "ＳＣ：113 5109 0100 010", "status": "format_ok"}
OLD_RUN = """\
INSERT INTO crawl_run (run_id, kind, platform, state, started_at, recorded_at, simulated, trusted, stats)
VALUES ('r', 'sweep', 'sample', 'ok', '2026-10-12', '2026-10-12', false, true, '{}')"""
OLD_USER = """\
INSERT INTO app_user (id, login, display_name, role, is_demo, active, created_at)
VALUES (1, 'a', 'a', 'analyst', false, true, '2026-10-01')"""
OLD_NOTICE = sa.text(
    """\
INSERT INTO notice (id, number, platform, channel, recipient, state, lang, subject, body, author_id,
created_at, approved_at, sent_at, message_id, failure, attempted_at, version)
VALUES (:id, :key, 'sample', 'smtp', 'a@x', :state, 'zh', 's', '涉嫌', 1,
'2026-10-11', '2026-10-12', :sent, :key, :failure, :attempted, 3)"""
).bindparams(sa.bindparam("attempted", type_=UtcDateTime), sa.bindparam("sent", type_=UtcDateTime))
OLD_NOTICES = (
    ("draft", None, None),
    ("approved", None, None),
    ("approved", datetime(2026, 10, 13, tzinfo=UTC), None),
    ("send_failed", None, None),
    ("sent", None, datetime(2026, 10, 14, tzinfo=UTC)),
    ("lapsed", None, datetime(2026, 10, 14, tzinfo=UTC)),
    ("cancelled", None, None),
)
ORPHAN = "INSERT INTO flag (id, listing_id, verdict_id, created_at) VALUES (1, 5, 6, '2026-10-12')"


@pytest.fixture(params=["sqlite", "postgresql"])
def first_release(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[sa.Engine]:
    """An empty database with the tables of the first revision."""
    if request.param == "sqlite":
        engine = create_engine(f"sqlite:///{tmp_path}/old.db")
        _upgrade(engine, "0001")
        yield engine
        engine.dispose()
        return
    url = request.getfixturevalue("postgresql_url")
    with psycopg.connect(url.replace("+psycopg", ""), autocommit=True) as connection:
        connection.execute("DROP DATABASE IF EXISTS old")
        connection.execute("CREATE DATABASE old")
    engine = create_engine(url.replace("/postgres?", "/old?"))
    _upgrade(engine, "0001")
    yield engine
    engine.dispose()


def _upgrade(engine: sa.Engine, revision: str) -> None:
    config = Config()
    config.set_main_option("script_location", str(MIGRATIONS))
    with engine.begin() as connection:
        config.attributes["connection"] = connection
        command.upgrade(config, revision)


def _old_rows(engine: sa.Engine) -> None:
    """A listing with a verdict that a flag refers to, as the first release wrote them."""
    with engine.begin() as connection:
        for statement in OLD_ROWS.split(";"):
            given = {"payload": json.dumps({"claims": [NUMBER, NUMBER]})} if ":payload" in statement else {}
            connection.execute(sa.text(statement), given)


def test_a_ledger_of_the_first_release_keeps_its_rows(first_release: sa.Engine) -> None:
    _old_rows(first_release)
    migrate(first_release)
    with first_release.connect() as connection:
        verdict = connection.execute(sa.select(tables.Verdict.__table__).filter_by(id=7)).one()
        assert (verdict.id, verdict.score, verdict.replaces_id) == (7, 0.5, None)
        assert connection.execute(sa.select(tables.Flag.verdict_id)).scalar_one() == 7
        if first_release.dialect.name == "sqlite":
            assert connection.exec_driver_sql("PRAGMA foreign_key_check").all() == []


def test_numbers_of_earlier_verdicts_can_be_looked_for(first_release: sa.Engine) -> None:
    _old_rows(first_release)
    migrate(first_release)
    with first_release.connect() as connection:
        row = connection.execute(sa.select(tables.LicenceClaim.__table__)).one()
    assert (row.verdict_id, row.kind, row.number) == (8, "food_licence", "11351090100010")


def test_references_are_enforced_after_a_migration(first_release: sa.Engine) -> None:
    migrate(first_release)
    with pytest.raises(IntegrityError), first_release.begin() as connection:
        connection.execute(sa.text(ORPHAN))


def test_a_migrated_ledger_takes_every_table(first_release: sa.Engine) -> None:
    _old_rows(first_release)
    migrate(first_release)
    assert set(sa.inspect(first_release).get_table_names()) == {*Base.metadata.tables, "alembic_version"}


def test_a_version_judges_a_snapshot_once_unless_it_replaces_another(ledger: Ledger, make: Any) -> None:
    with ledger.write() as session:
        snapshot = make.snapshot(session, make.listing(session))
        first = make.verdict(session, snapshot)
        second = make.verdict(session, snapshot, model_version="model-2", replaces_id=first.id)
        make.verdict(session, snapshot, replaces_id=second.id)
    with pytest.raises(IntegrityError), ledger.write() as session:
        make.verdict(session, session.get_one(tables.ListingSnapshot, snapshot.id))
    with pytest.raises(IntegrityError), ledger.write() as session:
        make.verdict(session, session.get_one(tables.ListingSnapshot, snapshot.id), model_version="model-3",
                     replaces_id=second.id)  # fmt: skip


def test_notices_of_earlier_releases_go_into_the_outbox_as_they_stood(first_release: sa.Engine) -> None:
    with first_release.begin() as connection:
        connection.execute(sa.text(OLD_USER))
        for number, (state, attempted, sent) in enumerate(OLD_NOTICES, 1):
            failure = "refused" if state == "send_failed" else None
            row = {"id": number, "state": state, "failure": failure, "attempted": attempted, "sent": sent}
            connection.execute(OLD_NOTICE, {**row, "key": f"<{number}@x>"})
    migrate(first_release)
    dispatch = tables.Dispatch.__table__
    with first_release.connect() as connection:
        rows = connection.execute(sa.select(dispatch).order_by(dispatch.c.notice_id)).all()
    assert [(row.notice_id, row.state, row.may_have_arrived, row.idempotency_key) for row in rows] == [
        (2, DispatchState.WAITING, False, "<2@x>"),
        (3, DispatchState.WAITING, True, "<3@x>"),  # nobody knows whether it went
        (4, DispatchState.FAILED, False, "<4@x>"),
        (5, DispatchState.SENT, False, "<5@x>"),
        (6, DispatchState.SENT, False, "<6@x>"),
    ]
    approved, dying, failed, sent, _ = rows
    assert [row.body for row in rows] == ["涉嫌"] * 5
    assert approved.not_before == approved.created_at == datetime(2026, 10, 12, tzinfo=UTC)
    assert (dying.attempted_at, failed.failure, failed.attempted_at) == (
        datetime(2026, 10, 13, tzinfo=UTC),
        "refused",
        None,
    )
    assert (sent.sent_at, sent.failure) == (datetime(2026, 10, 14, tzinfo=UTC), None)


def test_runs_of_earlier_releases_are_of_the_targeted_arm(first_release: sa.Engine) -> None:
    with first_release.begin() as connection:
        connection.execute(sa.text(OLD_RUN))
    migrate(first_release)
    with first_release.connect() as connection:
        run = connection.execute(sa.select(tables.CrawlRun.__table__)).one()
    assert (run.run_id, run.arm, run.requests, run.silent_until) == ("r", Arm.TARGETED, 0, None)
