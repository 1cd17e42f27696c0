from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from datetime import datetime, timedelta, timezone
from threading import Barrier
from typing import Any

import pytest
import sqlalchemy as sa

from takedowns.ledger import audit
from takedowns.ledger.engine import Ledger
from takedowns.ledger.tables import AuditEntry


@pytest.fixture
def chain(ledger: Ledger, now: datetime) -> Ledger:
    """A ledger with five entries."""
    with ledger.write() as session:
        for number in range(1, 6):
            _record(session, now + timedelta(minutes=number), {"number": number})
    return ledger


def _record(session: Any, at: datetime, payload: dict[str, Any]) -> AuditEntry:
    return audit.record(
        session, at=at, actor="system:test", action="tested", subject="lead:1", payload=payload
    )


def _complaints(ledger: Ledger) -> list[str]:
    with ledger.read() as session:
        return list(audit.verify(session))


def _tamper(ledger: Ledger, statement: sa.Executable) -> None:
    with ledger.write() as session:
        session.execute(statement)


def test_an_empty_chain_and_an_untouched_one_are_whole(sqlite_ledger: Ledger, now: datetime) -> None:
    assert _complaints(sqlite_ledger) == []
    with sqlite_ledger.write() as session:
        _record(session, now, {})
    assert _complaints(sqlite_ledger) == []


@pytest.mark.parametrize(
    "change",
    [
        {"actor": "somebody-else"},
        {"action": "nothing"},
        {"subject": "lead:2"},
        {"payload": {"number": 33}},
        {"at": datetime(2026, 1, 1, tzinfo=timezone(timedelta(hours=8)))},
        {"hash": "f" * 64},
        {"previous_hash": "f" * 64},
    ],
    ids=lambda change: next(iter(change)),
)
def test_a_changed_entry_is_found(chain: Ledger, change: dict[str, Any]) -> None:
    assert _complaints(chain) == []
    _tamper(chain, sa.update(AuditEntry).where(AuditEntry.seq == 3).values(**change))
    assert any("entry 3" in complaint for complaint in _complaints(chain))


def test_a_removed_entry_is_found(chain: Ledger) -> None:
    _tamper(chain, sa.delete(AuditEntry).where(AuditEntry.seq == 3))
    assert "entry 3 is missing: the next one found is 4" in _complaints(chain)


def test_a_removed_entry_is_found_although_the_rest_was_numbered_anew(chain: Ledger) -> None:
    _tamper(chain, sa.delete(AuditEntry).where(AuditEntry.seq == 3))
    for seq in (4, 5):
        _tamper(chain, sa.update(AuditEntry).where(AuditEntry.seq == seq).values(seq=seq - 1))
    complaints = _complaints(chain)
    assert "entry 3 does not follow the entry before it" in complaints
    assert "entry 3 was changed after it was written" in complaints


def test_reordered_entries_are_found(chain: Ledger) -> None:
    for old, new in ((2, 99), (3, 2), (99, 3)):
        _tamper(chain, sa.update(AuditEntry).where(AuditEntry.seq == old).values(seq=new))
    assert any("entry 2" in complaint for complaint in _complaints(chain))
    assert any("entry 3" in complaint for complaint in _complaints(chain))


def test_an_entry_written_in_another_zone_is_whole_when_read_back(ledger: Ledger, now: datetime) -> None:
    china = now.astimezone(timezone(timedelta(hours=8)))
    with ledger.write() as session:
        _record(session, china, {"价": "9.90", "空": None, "列": [1, 2.5, True]})
    assert _complaints(ledger) == []


def test_two_writers_at_once_make_one_unbroken_chain(ledger: Ledger, now: datetime) -> None:
    start = Barrier(2)

    def write(writer: int) -> None:
        start.wait(timeout=10)
        for number in range(20):
            with ledger.write() as session:
                _record(session, now, {"writer": writer, "number": number})

    with ThreadPoolExecutor(2) as pool:
        list(pool.map(write, range(2)))
    assert _complaints(ledger) == []
    with ledger.read() as session:
        entries = session.scalars(sa.select(AuditEntry)).all()
    assert len(entries) == 40
    assert len({entry.payload["writer"] for entry in entries}) == 2
