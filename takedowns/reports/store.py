"""What was reported: one row for each writing of a period."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime

import sqlalchemy as sa
from sqlalchemy.orm import Session

from takedowns.ledger import audit
from takedowns.ledger.tables import ReportRun
from takedowns.reports.figures import Report


def store(session: Session, report: Report, hashes: Mapping[str, str], *, now: datetime) -> ReportRun:
    """Record the next version of the period's report, with its audit entry.

    Two writers cannot make the same version: the unique row lets the later one fail.
    """
    period = str(report.period)
    last = session.scalar(sa.select(sa.func.max(ReportRun.version)).where(ReportRun.period == period))
    run = ReportRun(
        period=period,
        version=(last or 0) + 1,
        as_of=report.as_of,
        created_at=now,
        input_digest=report.input_digest,
        outputs=dict(hashes),
    )
    session.add(run)
    session.flush()
    audit.record(
        session,
        at=now,
        actor="system:reports",
        action="report.write",
        subject=f"report_run:{run.id}",
        payload={"period": period, "version": run.version, "outputs": run.outputs},
    )
    return run
