"""The contacts of listings that were taken in by releases which kept none."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from types import MappingProxyType
from typing import Any

import sqlalchemy as sa

from takedowns import contacts, intake
from takedowns.learning import archive
from takedowns.ledger.engine import Ledger
from takedowns.ledger.tables import Verdict

UNJUDGED: Mapping[str, Any] = MappingProxyType({"signals": ()})


def hash_archive(ledger: Ledger, *, now: datetime) -> int:
    """Keep the hashes of what all listings show, as judged last; doing it again changes nothing.

    Returns how many are new.
    """
    new = 0
    for page in archive.pages(ledger):
        with ledger.write() as session:
            intake.take_turn(session)
            ids = [one.verdict_id for one in page]
            rows = session.execute(sa.select(Verdict.id, Verdict.payload).where(Verdict.id.in_(ids)))
            payloads: dict[int | None, Mapping[str, Any]] = {row.id: row.payload for row in rows}
            judged = [(one.listing_id, one.text, payloads.get(one.verdict_id, UNJUDGED)) for one in page]
            new += contacts.store(session, judged, now=now)
    return new
