from __future__ import annotations

import re
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from starlette.testclient import TestClient

from crawlers.listing import Presence
from takedowns.ledger.engine import Ledger
from takedowns.ledger.tables import Lead, Listing, Relisting, User, Verification
from takedowns.ledger.vocabulary import Measure, RelistingKind, Role, VerificationOutcome
from takedowns.states import LeadState

Client = Callable[[Role], TestClient]


@pytest.fixture
def lead(sqlite_ledger: Ledger, people: dict[Role, User], suspicious: Any, make: Any) -> Lead:
    """Sent, claimed to be deleted, and found up again at the last look."""
    sent = make.now - timedelta(hours=9)
    with sqlite_ledger.write() as session:
        decision = make.decision(session, suspicious(session), people[Role.ANALYST])
        lead = make.lead(session, decision, state=LeadState.RESPONDED, sent_at=sent)
        lead.outcome = VerificationOutcome.FALSE_CLAIM
        make.response(session, lead, measure=Measure.DELETED, received_at=sent + timedelta(hours=1))
        for hours, state in ((2, Presence.GONE), (8, Presence.UP)):
            make.sighting(session, lead.listing, state=state, observed_at=sent + timedelta(hours=hours))
        session.add(
            Verification(
                lead_id=lead.id,
                outcome=lead.outcome,
                observed_at=sent + timedelta(hours=8),
                recorded_at=make.now,
                basis={},
            )
        )
        return lead


def cells(page: str) -> list[str]:
    row = re.search(r"<tbody>\s*<tr>(.*?)</tr>", page, re.S)
    assert row
    return [
        " ".join(re.sub(r"<[^>]+>", " ", cell).split()) for cell in re.findall(r"<td.*?</td>", row[1], re.S)
    ]


def test_the_claim_and_what_we_saw_stand_side_by_side(client: Client, lead: Lead) -> None:
    assert cells(client(Role.OPERATOR).get("/leads").text)[2:] == [
        "Sample Market",
        "2026-10-12 00:30",
        "Answered",
        "Deleted",
        "Online 2026-10-12 08:30",
        "False claim",
    ]


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ("outcome=false_claim&state=&platform=", True),
        ("outcome=removed_verified", False),
        ("state=responded", True),
        ("state=closed", False),
        ("platform=sample", True),
        ("platform=other", False),
    ],
)
def test_filters_narrow_the_tracker(client: Client, lead: Lead, query: str, found: bool) -> None:
    page = client(Role.ANALYST).get(f"/leads?{query}").text
    assert (lead.number in page) is found
    assert ("Nothing fits this filter" in page) is not found


def test_a_leads_story_is_told_in_order(client: Client, lead: Lead) -> None:
    page = client(Role.SUPERVISOR).get(f"/leads/{lead.number}").text
    told = re.findall(r'<span class="what">(.*?)</span>', page)
    assert [event for event in told if event not in ("first seen", "violation confirmed")] == [
        "sent",
        "the platform answered",
        "we looked",
        "we looked",
        "our finding",
    ]


def test_the_sellers_credit_tier_is_shown_with_its_reasons(client: Client, lead: Lead) -> None:
    page = client(Role.SUPERVISOR).get(f"/leads/{lead.number}").text
    shown = re.search(r"<dt>Credit tier</dt><dd[^>]*>(.*?)</dd>", page, re.DOTALL)
    assert shown is not None
    assert "".join(re.sub(r"<.*?>", "", shown[1]).split())[0] in "BCD"
    assert "one listing found violating" in shown[1]


def test_a_relisting_shows_in_tracker_story_and_item(
    client: Client, lead: Lead, sqlite_ledger: Ledger, suspicious: Any, make: Any
) -> None:
    with sqlite_ledger.write() as session:
        again = suspicious(session)
        relisting = Relisting(
            lead_id=lead.id,
            listing_id=again.listing_id,
            kind=RelistingKind.SAME_TEXT,
            similarity=0.97,
            observed_at=make.now,
            recorded_at=make.now,
        )
        session.add(relisting)
    browser = client(Role.ANALYST)
    assert "Relisted" not in cells(browser.get("/leads").text)[-1]  # another seller's is a new listing
    with sqlite_ledger.write() as session:
        session.get_one(Listing, again.listing_id).seller_id = session.get_one(
            Lead, lead.id
        ).listing.seller_id
    assert "Relisted" in cells(browser.get("/leads").text)[-1]
    assert "Same text, new listing" in browser.get(f"/leads/{lead.number}").text
    assert f'href="/leads/{lead.number}"' in browser.get(f"/item/{again.id}").text


def test_an_empty_tracker_says_how_leads_begin(client: Client) -> None:
    assert "one begins with a confirmed violation" in client(Role.ANALYST).get("/leads").text


def test_an_unknown_lead_is_told_so(client: Client) -> None:
    assert client(Role.ANALYST).get("/leads/NONE").status_code == 404
