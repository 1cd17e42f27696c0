"""A month in the ledger whose every figure was worked out by hand, October 2026 as known on 5 November."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from sqlalchemy.orm import Session

from crawlers.listing import Presence, SellerKind
from takedowns import reports
from takedowns.ledger import tables
from takedowns.ledger.engine import Ledger
from takedowns.ledger.vocabulary import Measure, RelistingKind, RunState, VerificationOutcome
from takedowns.reports.period import Period
from takedowns.states import LeadState, NoticeState

SHANGHAI = ZoneInfo("Asia/Shanghai")
OCTOBER = Period.parse("2026-10")
# the shop's own name for itself, in the ways that have run in spreadsheets and pages before
HOSTILE = '=HYPERLINK("http://evil.invalid","点") <script>alert(1)</script>\u202egnp.exe\x07'


def at(text: str) -> datetime:
    """``10-03 09:00`` or ``10-03 09:00:01`` of 2026 in Beijing."""
    return datetime.fromisoformat(f"2026-{text}").replace(tzinfo=SHANGHAI)


AS_OF = at("11-05 00:00")


class Month:
    """Writes a lead's life in a few words."""

    def __init__(self, session: Session, make: Any) -> None:
        self.session = session
        self.make = make
        self.reviewer = make.user(session)

    def lead(
        self, number: str, sent: str | None, *, seller: tables.Seller | None = None, **given: Any
    ) -> tables.Lead:
        platform = "sample" if number.startswith("A") else "other"
        seller = seller or self.make.seller(self.session, platform=platform)
        listing = self.make.listing(self.session, platform=platform, item_id=f"item-{number}", seller=seller)
        snapshot = self.make.snapshot(self.session, listing)
        decision = self.make.decision(self.session, self.make.task(self.session, snapshot), self.reviewer)
        fields = {"state": LeadState.SENT if sent else LeadState.READY, "sent_at": sent and at(sent)}
        created = {"created_at": at("08-01 00:00")}
        return self.make.lead(self.session, decision, number=number, **{**fields, **created, **given})

    def looks(self, lead: tables.Lead, state: Presence, *times: str, **given: Any) -> None:
        for time in times:
            fields = {"state": state, "observed_at": at(time), "recorded_at": at(time), **given}
            self.make.sighting(self.session, lead.listing, **fields)

    def claim(self, lead: tables.Lead, received: str, measure: Measure = Measure.DELETED) -> None:
        times = {"received_at": at(received), "recorded_at": at(received)}
        self.make.response(self.session, lead, measure=measure, **times)

    def verified(
        self, lead: tables.Lead, outcome: VerificationOutcome, event: str, recorded: str | None = None
    ) -> None:
        recorded_at = at(recorded) if recorded else at(event) + timedelta(hours=26)
        row = {"outcome": outcome, "observed_at": at(event), "recorded_at": recorded_at, "basis": {}}
        self.session.add(tables.Verification(lead_id=lead.id, **row))
        self.session.flush()

    def removed(self, lead: tables.Lead, event: str, recorded: str | None = None) -> None:
        self.verified(lead, VerificationOutcome.REMOVED_VERIFIED, event, recorded)

    def relisted(self, lead: tables.Lead, listing: tables.Listing, kind: RelistingKind, time: str) -> None:
        row = {"kind": kind, "similarity": 1.0, "observed_at": at(time), "recorded_at": at(time)}
        self.session.add(tables.Relisting(lead_id=lead.id, listing_id=listing.id, **row))

    def notice(self, number: str, sent: str) -> None:
        fields: dict[str, Any] = dict.fromkeys(("channel", "recipient", "lang", "subject", "body"), "x")
        times = {"created_at": at(sent), "sent_at": at(sent)}
        self.session.add(
            tables.Notice(
                number=number,
                platform="sample",
                state=NoticeState.SENT,
                author_id=self.reviewer.id,
                **fields,
                **times,
            )
        )


def write_october(session: Session, make: Any) -> None:
    month = Month(session, make)
    _sample(month)
    _other(month)
    for number, sent in (("N1", "10-01 00:00"), ("N2", "10-31 23:59:59"), ("N3", "11-01 00:00")):
        month.notice(number, sent)
    for state in (RunState.OK, RunState.OK, RunState.BLOCKED, RunState.PARTIAL):
        make.run(session, kind="sweep", state=state)
    session.add(
        tables.JobFiring(
            job="sweep-sample", slot=at("10-20 02:30"), state=RunState.MISSED, started_at=at("10-20 04:00")
        )
    )


def _sample(month: Month) -> None:
    hostile = month.make.seller(month.session, name=HOSTILE)
    on_the_first_second = month.lead("A1", "10-01 00:00", seller=hostile)
    month.claim(on_the_first_second, "10-01 20:00")
    month.looks(on_the_first_second, Presence.GONE, "10-02 00:00", "10-03 02:00")
    month.removed(on_the_first_second, "10-02 00:00")

    sent_last_month = month.lead("A2", "09-30 23:59:59")
    month.looks(sent_last_month, Presence.GONE, "10-05 00:00", "10-06 02:00")
    month.verified(sent_last_month, VerificationOutcome.REMOVED_UNCLAIMED, "10-05 00:00")

    lied_about = month.lead("A3", "10-10 10:00")
    month.claim(lied_about, "10-11 00:00")
    month.looks(lied_about, Presence.UP, "10-12 10:00", "10-13 10:00")
    untrusted = month.make.run(month.session, trusted=False, started_at=at("10-14 10:00"))
    month.looks(lied_about, Presence.GONE, "10-14 10:00", run=untrusted)
    month.verified(lied_about, VerificationOutcome.FALSE_CLAIM, "10-13 10:00")

    behind_a_wall = month.lead("A4", "10-10 10:00")
    month.looks(behind_a_wall, Presence.BLOCKED, "10-12 10:00", "10-13 10:00", "10-20 10:00")
    month.looks(behind_a_wall, Presence.ERROR, "10-21 10:00")
    month.verified(behind_a_wall, VerificationOutcome.UNVERIFIABLE, "10-21 10:00")

    came_back = month.lead("A5", "10-15 00:00")
    month.claim(came_back, "10-16 00:00", Measure.SHOP_CLOSED)
    month.looks(came_back, Presence.GONE, "10-16 12:00", "10-17 14:00")
    month.removed(came_back, "10-16 12:00")
    month.looks(came_back, Presence.UP, "10-25 00:00")
    month.verified(came_back, VerificationOutcome.RELISTED, "10-25 00:00")
    month.relisted(came_back, came_back.listing, RelistingKind.SAME_URL, "10-25 00:00")

    on_the_last_second = month.lead("A6", "10-31 23:59:59")
    month.claim(on_the_last_second, "11-01 00:00")
    month.looks(on_the_last_second, Presence.UP, "11-02 23:59:59")

    month.lead("A7", "11-01 00:00")

    settled_late = month.lead("A8", "10-18 10:00")
    month.claim(settled_late, "10-20 00:00")
    month.looks(settled_late, Presence.UP, "10-19 10:00")
    month.looks(settled_late, Presence.GONE, "10-21 10:00")
    month.looks(settled_late, Presence.GONE, "10-23 10:00", recorded_at=at("11-06 00:00"))
    month.removed(settled_late, "10-21 10:00", recorded="11-06 00:00")

    withdrawal = {"state": LeadState.WITHDRAWN, "closed_at": at("10-08 00:00")}
    taken_back = month.lead("A9", "10-05 00:00", **withdrawal)
    month.claim(taken_back, "10-05 12:00")
    month.removed(taken_back, "10-06 00:00")

    never_sent = month.lead("A10", None, state=LeadState.CLOSED)
    month.verified(never_sent, VerificationOutcome.GONE_BEFORE, "10-09 00:00")

    long_open = month.lead("A11", "08-20 00:00")
    month.looks(long_open, Presence.UP, "10-01 00:00")
    month.verified(long_open, VerificationOutcome.NOT_REMOVED, "10-01 00:00")


def _other(month: Month) -> None:
    swapped = month.lead("B1", "10-02 10:00")
    month.looks(swapped, Presence.ALTERED, "10-03 09:00", "10-04 10:00")
    month.verified(swapped, VerificationOutcome.ALTERED, "10-04 10:00")

    account = month.make.seller(month.session, platform="other", kind=SellerKind.ACCOUNT)
    for number, gone in (("B2", "10-14 08:00"), ("B3", "10-20 08:00")):
        lead = month.lead(number, "10-12 08:00", seller=account)
        month.claim(lead, "10-13 00:00", Measure.ACCOUNT_CLOSED)
        month.looks(lead, Presence.GONE, gone)
        month.removed(lead, gone)

    mini = month.make.seller(month.session, platform="other", kind=SellerKind.MINI_PROGRAM)
    unchecked = month.lead("B4", "10-28 08:00", seller=mini)
    month.looks(unchecked, Presence.UP, "10-28 20:00")
    month.claim(unchecked, "10-29 00:00", Measure.MINI_PROGRAM_CLOSED)


@pytest.fixture
def october(sqlite_ledger: Ledger, make: Any) -> Callable[..., reports.Report]:
    """Computes October 2026 from the hand-built month."""
    with sqlite_ledger.write() as session:
        write_october(session, make)

    def compute(as_of: datetime = AS_OF, period: Period = OCTOBER) -> reports.Report:
        with sqlite_ledger.read() as session:
            return reports.compute(session, period, as_of=as_of)

    return compute
