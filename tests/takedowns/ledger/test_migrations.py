from __future__ import annotations

import json
from collections.abc import Iterator
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
from takedowns.ledger.vocabulary import Base

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


def test_runs_of_earlier_releases_are_of_the_targeted_arm(first_release: sa.Engine) -> None:
    with first_release.begin() as connection:
        connection.execute(sa.text(OLD_RUN))
    migrate(first_release)
    with first_release.connect() as connection:
        run = connection.execute(sa.select(tables.CrawlRun.__table__)).one()
    assert (run.run_id, run.arm, run.requests, run.silent_until) == ("r", Arm.TARGETED, 0, None)
