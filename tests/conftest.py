"""Ledgers for tests: a copied SQLite file, and the database of a PostgreSQL server that the tests start."""

from __future__ import annotations

import os
import pwd
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest

from takedowns.ledger.engine import Ledger, open_ledger
from takedowns.ledger.tables import Base


@pytest.fixture(params=["sqlite", "postgresql"])
def ledger(request: pytest.FixtureRequest) -> Ledger:
    """An empty, migrated ledger; the test runs once on each kind of database."""
    return request.getfixturevalue(f"{request.param}_ledger")


@pytest.fixture
def sqlite_ledger(tmp_path: Path, migrated_sqlite: Path) -> Iterator[Ledger]:
    path = tmp_path / "ledger.db"
    shutil.copyfile(migrated_sqlite, path)
    ledger = Ledger(f"sqlite:///{path}")
    yield ledger
    ledger.close()


@pytest.fixture
def postgresql_ledger(migrated_postgresql: str) -> Iterator[Ledger]:
    # Emptied, not created anew: a database of its own costs a test 60 ms, on a busy machine five times that.
    _empty(migrated_postgresql)
    ledger = Ledger(migrated_postgresql)
    yield ledger
    ledger.close()


@pytest.fixture(scope="session")
def migrated_sqlite(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("sqlite") / "migrated.db"
    open_ledger(f"sqlite:///{path}").close()
    return path


@pytest.fixture(scope="session")
def migrated_postgresql(postgresql_url: str) -> str:
    open_ledger(postgresql_url).close()
    return postgresql_url


@pytest.fixture(scope="session")
def postgresql_url() -> Iterator[str]:
    """The empty database of a server of our own, which is reached through a Unix socket only."""
    programs = _postgresql_programs()
    # Not pytest's folder: only its owner may enter that one, and a socket's path must be short.
    home = Path(tempfile.mkdtemp(prefix="pg-"))
    user = _server_user()
    shutil.chown(home, user)

    def run(program: str, *arguments: str) -> None:
        command = [str(programs / program), f"--pgdata={home}/data", *arguments]
        with (home / f"{program}.out").open("ab") as output:  # a pipe would stay open in the server
            done = subprocess.run(command, user=user, cwd=home, stdout=output, stderr=output)
        assert done.returncode == 0, (home / f"{program}.out").read_text()

    run("initdb", "--username=postgres", "--auth=trust", "--encoding=UTF8", "--no-locale", "--no-sync")
    options = (
        f"-k {home} -c listen_addresses='' -c fsync=off -c synchronous_commit=off -c full_page_writes=off"
    )
    run("pg_ctl", f"--options={options}", f"--log={home}/server.log", "--wait", "start")
    yield f"postgresql+psycopg://postgres@/postgres?host={home}"
    run("pg_ctl", "--mode=immediate", "stop")
    shutil.rmtree(home)


def _postgresql_programs() -> Path:
    found = [path.parent for path in Path("/usr/lib/postgresql").glob("*/bin/initdb")]
    if on_path := shutil.which("initdb"):
        found.append(Path(on_path).parent)
    if not found:
        pytest.fail("PostgreSQL is not installed (no initdb found); `make test` installs it")
    return max(found)


def _server_user() -> str | None:
    """The server refuses to run as root; None leaves it with the user who runs the tests."""
    if os.getuid() != 0:
        return None
    names = {entry.pw_name for entry in pwd.getpwall()}
    return "postgres" if "postgres" in names else "nobody"


def _empty(url: str) -> None:
    """Delete every row and start every sequence at 1."""
    deletes = "; ".join(f"DELETE FROM {table}" for table in Base.metadata.tables)
    with psycopg.connect(url.replace("+psycopg", "")) as connection:
        # A test that failed half-way may have left a transaction, which would hold us up.
        connection.execute(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
            " WHERE datname = current_database() AND pid <> pg_backend_pid()"
        )
        connection.execute("SET session_replication_role = replica")  # in any order of the foreign keys
        connection.execute(deletes)
        connection.execute("SELECT setval(sequencename::regclass, 1, false) FROM pg_sequences")
