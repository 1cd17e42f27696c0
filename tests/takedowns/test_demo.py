"""The demo plays a whole month, and what it reports is what the market really did."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa

from takedowns import demo
from takedowns.demo import Demo
from takedowns.ledger import audit
from takedowns.ledger.tables import Decision, Lead, Listing, Notice, ReviewTask, Sighting, User, Verification
from takedowns.ledger.vocabulary import VerificationOutcome
from takedowns.sample_market.modes import GONE, Mode
from takedowns.sample_market.policy import Policy
from takedowns.states import TaskState

CAPTCHAS = {Mode.CAPTCHA_200, Mode.CAPTCHA_404}

pytestmark = pytest.mark.timeout(900)  # a month of a market; a busy machine takes four minutes for it


@pytest.fixture(scope="module")
def played(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Demo]:
    with demo.played(tmp_path_factory.mktemp("demo") / "month") as finished:
        yield finished


@pytest.fixture(scope="module")
def truth(played: Demo) -> dict[str, Any]:
    return played.market.truth()


@pytest.fixture(scope="module")
def noticed(truth: dict[str, Any]) -> list[dict[str, Any]]:
    """The market's record of every listing that a notice reached."""
    return [listing for listing in truth["listings"] if listing["leads"]]


def policy(listing: dict[str, Any]) -> Policy:
    return Policy(listing["leads"][0]["policy"])


def was_gone(listing: dict[str, Any]) -> bool:
    return any(Mode(change["mode"]) in GONE for change in listing["history"])


def test_every_lead_that_we_count_reached_the_market_once(
    played: Demo, truth: dict[str, Any], noticed: list[dict[str, Any]]
) -> None:
    assert played.summary["leads_sent"] == len(noticed) > 0
    assert truth["notices"]["duplicates"] == 0


def test_only_violating_listings_were_reported(noticed: list[dict[str, Any]]) -> None:
    assert all(listing["violating"] for listing in noticed)


def test_the_removals_that_we_verified_are_those_that_happened(
    played: Demo, noticed: list[dict[str, Any]]
) -> None:
    assert played.summary["removed_verified"] == sum(map(was_gone, noticed)) > 0


def test_the_claims_are_the_replies_that_the_market_wrote(
    played: Demo, noticed: list[dict[str, Any]]
) -> None:
    answering = set(Policy) - {Policy.IGNORE, Policy.SILENT_OBEY}
    assert played.summary["removed_claimed"] == sum(policy(listing) in answering for listing in noticed) > 0


def test_the_false_claims_are_its_lies(played: Demo, noticed: list[dict[str, Any]]) -> None:
    assert played.summary["false_claims"] == sum(policy(one) is Policy.LIE for one in noticed) > 0


def test_what_is_still_up_for_us_is_still_up_there(played: Demo, noticed: list[dict[str, Any]]) -> None:
    assert played.summary["still_up"] == sum(listing["mode"] == Mode.UP for listing in noticed) > 0


def test_every_relisting_is_found(played: Demo, noticed: list[dict[str, Any]]) -> None:
    back = [listing for listing in noticed if policy(listing) is Policy.OBEY_THEN_RELIST]
    assert played.summary["relisted"] == len(back) > 0


def test_what_hides_behind_a_captcha_is_unverifiable_and_never_removed(
    played: Demo, noticed: list[dict[str, Any]]
) -> None:
    hidden = {one["item_id"] for one in noticed if Mode(one["mode"]) in CAPTCHAS}
    assert played.summary["unverifiable"] == len(hidden) > 0


def test_no_listing_that_stayed_up_was_ever_called_removed(
    played: Demo, noticed: list[dict[str, Any]]
) -> None:
    never_gone = {listing["item_id"] for listing in noticed if not was_gone(listing)}
    removed = (VerificationOutcome.REMOVED_VERIFIED, VerificationOutcome.REMOVED_UNCLAIMED)
    with played.context.ledger.read() as session:
        found = sa.select(Listing.item_id).join(Lead).join(Verification)
        called = set(session.scalars(found.where(Verification.outcome.in_(removed))))
    assert called
    assert not called & never_gone


def test_a_named_reviewer_and_another_approver_stand_behind_each_notice(played: Demo) -> None:
    with played.context.ledger.read() as session:
        for notice in session.scalars(sa.select(Notice)):
            reviewers = {lead.decision.reviewer_id for lead in notice.leads}
            assert notice.approver_id
            assert notice.approver_id not in reviewers | {notice.author_id}


def test_the_people_are_plainly_labelled_as_demo_users(played: Demo) -> None:
    with played.context.ledger.read() as session:
        deciders = session.scalars(sa.select(User).join(Decision, Decision.reviewer_id == User.id).distinct())
        assert {user.login for user in deciders} == {"demo-analyst-1", "demo-analyst-2"}
        assert all(user.is_demo and "演示" in user.display_name for user in session.scalars(sa.select(User)))


def test_every_look_leads_to_its_evidence(played: Demo) -> None:
    with played.context.ledger.read() as session:
        seen = session.scalars(sa.select(Sighting).where(Sighting.evidence.is_not(None))).all()
    assert seen
    files = {sighting.evidence.partition("#")[0] for sighting in seen if sighting.evidence}
    assert all((played.context.runs / file).exists() for file in files)


def test_pages_that_robots_txt_forbids_were_never_asked_for(truth: dict[str, Any]) -> None:
    assert {path: n for path, n in truth["hits"].items() if path.startswith("/private") and n} == {}


def test_the_audit_chain_is_whole(played: Demo) -> None:
    with played.context.ledger.read() as session:
        assert list(audit.verify(session)) == []


def test_the_report_files_are_there_and_hold_the_same_numbers(played: Demo) -> None:
    files = [Path(name) for name in played.summary["report_files"]]
    assert {file.suffix for file in files} == {".html", ".xlsx", ".csv", ".json"}
    [data] = [json.loads(file.read_text(encoding="utf-8")) for file in files if file.suffix == ".json"]
    assert all(data["total"][figure]["value"] == played.summary[key] for key, figure in demo.FIGURES.items())


def test_some_flagged_listings_are_left_for_the_visitor(played: Demo) -> None:
    with played.context.ledger.read() as session:
        waiting = sa.select(sa.func.count()).where(ReviewTask.state == TaskState.QUEUED)
        assert (session.scalar(waiting) or 0) >= demo.LEFT_FOR_YOU


def test_an_existing_folder_is_refused_and_left_as_it_is(tmp_path: Path) -> None:
    (tmp_path / "mine.txt").write_text("keep")
    ended = subprocess.run(
        [sys.executable, "-m", "takedowns", "demo", "--once", "--folder", str(tmp_path)],
        capture_output=True,
        text=True,
        check=False,
    )
    assert ended.returncode == 1
    assert "exists" in ended.stderr
    assert [path.name for path in tmp_path.iterdir()] == ["mine.txt"]
