"""kill -9 at any moment between decision and verification; ``bench/kill.py`` does it three hundred times."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import psycopg
import pytest

ROOT = Path(__file__).parents[2]
KILLS = 7  # one in each stage, on average


def _outcome(*options: str) -> dict[str, Any]:
    program = [sys.executable, "-m", "bench.kill", "--json", f"--kills={KILLS}", *options]
    done = subprocess.run(program, cwd=ROOT, capture_output=True, text=True, timeout=240)
    assert done.stdout, done.stderr
    return dict(json.loads(done.stdout))


@pytest.mark.parametrize("kind", ["sqlite", "postgresql"])
def test_a_bureau_that_is_killed_again_and_again_loses_nothing_and_sends_nothing_twice(
    kind: str, request: pytest.FixtureRequest
) -> None:
    options = [] if kind == "sqlite" else [f"--ledger={request.getfixturevalue('empty_database')}"]
    outcome = _outcome(*options)
    assert outcome["wrong"] == []
    assert outcome["kills"] == KILLS
    assert outcome["leads"] == 3 * outcome["distinct_mails"] > 0


@pytest.fixture
def empty_database(postgresql_url: str) -> str:
    """A database of its own on the tests' server."""
    with psycopg.connect(postgresql_url.replace("+psycopg", ""), autocommit=True) as connection:
        connection.execute("DROP DATABASE IF EXISTS killed WITH (FORCE)")
        connection.execute("CREATE DATABASE killed")
    return postgresql_url.replace("/postgres?", "/killed?")
