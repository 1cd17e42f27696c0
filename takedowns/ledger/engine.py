"""Opening the ledger: SQLite (one machine) or PostgreSQL (several), always at the newest schema."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from sqlite3 import Connection
from typing import Any

import sqlalchemy as sa
from alembic import command
from alembic.config import Config
from sqlalchemy.orm import Session, sessionmaker

READ_ONLY = "vapewatch_read_only"
MIGRATIONS = Path(__file__).with_name("migrations")


class Ledger:
    """One ledger database. Every piece of work is one ``read()`` or one ``write()``.

    >>> with ledger.write() as session:  # commits at the end, rolls back on an exception
    ...     session.add(row)

    ``info`` is what every writing session has in its ``info``: the key of contact hashes.
    """

    def __init__(self, url: str, **info: Any) -> None:
        self.engine = create_engine(url)
        # Rows stay readable after the end of a session: pages and reports are rendered from them.
        self._writer = sessionmaker(self.engine, expire_on_commit=False, info=info)
        self._reader = sessionmaker(
            self.engine.execution_options(**{READ_ONLY: True, "postgresql_readonly": True}),
            expire_on_commit=False,
            autoflush=False,
        )

    @contextmanager
    def write(self) -> Iterator[Session]:
        """A transaction that may write; on SQLite it holds the one write lock from its start."""
        with self._writer.begin() as session:
            yield session

    @contextmanager
    def read(self) -> Iterator[Session]:
        """A consistent view that waits for no writer."""
        with self._reader() as session:
            yield session

    def close(self) -> None:
        self.engine.dispose()


def open_ledger(url: str, **info: Any) -> Ledger:
    """Open the database at ``url``, bringing it to the newest schema first."""
    ledger = Ledger(url, **info)
    migrate(ledger.engine)
    return ledger


def create_engine(url: str) -> sa.Engine:
    engine = sa.create_engine(url)
    if engine.dialect.name == "sqlite":
        sa.event.listen(engine, "connect", _prepare_sqlite)
        sa.event.listen(engine, "begin", _begin_sqlite)
    return engine


def migrate(engine: sa.Engine) -> None:
    config = Config()
    config.set_main_option("script_location", str(MIGRATIONS))
    with engine.connect() as connection, _tables_may_be_replaced(connection), connection.begin():
        config.attributes["connection"] = connection
        command.upgrade(config, "head")


@contextmanager
def _tables_may_be_replaced(connection: sa.Connection) -> Iterator[None]:
    """SQLite alters a table by making it anew, and refuses to drop the old one while rows refer to it."""
    if connection.dialect.name != "sqlite":
        yield
        return
    # Without effect inside a transaction, so it is said to the driver, which begins none.
    driver: Any = connection.connection.dbapi_connection
    driver.execute("PRAGMA foreign_keys = OFF")
    try:
        yield
    finally:
        driver.execute("PRAGMA foreign_keys = ON")


def _prepare_sqlite(connection: Connection, _record: Any) -> None:
    # The driver must not begin transactions by itself: _begin_sqlite does.
    connection.isolation_level = None
    connection.execute("PRAGMA journal_mode = WAL")  # readers go on while one writes
    connection.execute("PRAGMA foreign_keys = ON")
    connection.execute("PRAGMA busy_timeout = 30000")  # the desk waits for an intake instead of failing


def _begin_sqlite(connection: sa.Connection) -> None:
    if connection.get_execution_options().get(READ_ONLY):
        connection.exec_driver_sql("BEGIN")
        return
    # A deferred transaction that first reads and then writes fails at once when another wrote in between.
    connection.exec_driver_sql("BEGIN IMMEDIATE")
