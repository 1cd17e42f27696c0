from __future__ import annotations

from datetime import datetime

import sqlalchemy as sa

from takedowns import reports
from takedowns.ledger import audit
from takedowns.ledger.engine import Ledger
from takedowns.ledger.tables import AuditEntry
from takedowns.reports.period import Period


def test_each_writing_of_a_period_is_its_next_version(ledger: Ledger, now: datetime) -> None:
    with ledger.write() as session:
        report = reports.compute(session, Period.parse("2026-10"), as_of=now)
        first = reports.store(session, report, {"a.csv": "00"}, now=now)
        second = reports.store(session, report, {"a.csv": "00"}, now=now)
    assert (first.version, second.version) == (1, 2)
    assert first.input_digest == report.input_digest == second.input_digest
    assert first.outputs == {"a.csv": "00"}


def test_a_stored_report_stands_in_the_audit_chain(ledger: Ledger, now: datetime) -> None:
    with ledger.write() as session:
        report = reports.compute(session, Period.parse("2026"), as_of=now)
        reports.store(session, report, {"a.csv": "00"}, now=now)
    with ledger.read() as session:
        entry = session.scalars(sa.select(AuditEntry)).one()
        assert entry.payload == {"period": "2026", "version": 1, "outputs": {"a.csv": "00"}}
        assert not list(audit.verify(session))
