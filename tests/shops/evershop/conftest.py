"""An EverShop store in processes of its own, with a ledger of its own in the tests' PostgreSQL."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import psycopg
import pytest

from tests.shops.evershop.store import INSTALLED, Store, running_store


@pytest.fixture(scope="session")
def store(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Store]:
    if not (INSTALLED / "node_modules/@evershop/evershop").is_dir() or not shutil.which("node"):
        pytest.skip("EverShop is not installed: `make test-shops` does it (460 MB of npm packages)")
    url: str = request.getfixturevalue("postgresql_url")
    with psycopg.connect(url.replace("+psycopg", ""), autocommit=True) as connection:
        connection.execute("CREATE DATABASE evershop")
    socket = parse_qs(urlsplit(url).query)["host"][0]
    log: Path = tmp_path_factory.mktemp("evershop") / "server.log"
    with running_store({"DB_HOST": socket, "DB_USER": "postgres", "DB_NAME": "evershop"}, log) as running:
        yield running
