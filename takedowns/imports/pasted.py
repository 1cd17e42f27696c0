"""Pasted links and share texts: each becomes a known or new listing, or one sentence saying why not."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy.orm import Session

from crawlers import links
from crawlers import listing as seen
from crawlers.platforms import Platform
from crawlers.rundir import Target
from takedowns import intake, listings
from takedowns.content import storable
from takedowns.ledger import audit

LINK_PROBLEMS = {
    links.LinkProblem.NO_LINK: "holds no link",
    links.LinkProblem.UNKNOWN_HOST: "belongs to no platform that has a profile",
    links.LinkProblem.SHORT_LINK: "is a short link; open it and paste the address that it leads to",
    links.LinkProblem.NOT_A_LISTING: "is an address of this platform, but of no single listing",
    links.LinkProblem.MALFORMED: "is not an address that a shop uses",
}
QUOTED = re.compile("「([^「」]{2,500})」")  # how share texts give the title
PRIORITY = 0.5  # a person suspects it and no verdict says how likely: between the sure and the unlikely


@dataclass(frozen=True)
class PastedResult:
    """What became of one pasted text; without ``target`` it was not recognised, and ``message`` says why."""

    text: str
    platform: str | None
    target: Target | None
    is_new: bool
    message: str

    @property
    def recognised(self) -> bool:
        return self.target is not None

    def as_row(self) -> dict[str, Any]:
        return {
            "text": self.text,
            "platform": self.platform,
            "item_id": self.target.item_id if self.target else None,
            "url": self.target.url if self.target else None,
            "new": self.is_new,
            "message": self.message,
        }


def add_links(
    session: Session, texts: Iterable[str], platforms: Mapping[str, Platform], *, now: datetime
) -> list[PastedResult]:
    """Make every listing that ``texts`` lead to known; nothing is fetched.

    A title in the share text becomes the first snapshot. A person suspects these listings, so each that has
    a snapshot is queued for review whatever the classifier would say.
    """
    intake.take_turn(session)
    results = [_add(session, text, platforms, now) for text in texts]
    added = [f"{result.platform} {result.target.item_id}" for result in results if result.target]
    audit.record(
        session,
        at=now,
        actor=intake.ACTOR,
        action="links_pasted",
        subject="listing:pasted",
        payload={"recognised": added, "unrecognised": len(results) - len(added)},
    )
    return results


def targets_by_platform(results: Iterable[PastedResult]) -> dict[str, tuple[Target, ...]]:
    """What to look at next, each listing once."""
    targets: dict[str, dict[str, Target]] = {}
    for result in results:
        if result.platform and result.target:
            targets.setdefault(result.platform, {})[result.target.item_id] = result.target
    return {platform: tuple(wanted.values()) for platform, wanted in targets.items()}


def _add(session: Session, text: str, platforms: Mapping[str, Platform], now: datetime) -> PastedResult:
    link = links.recognise(text, platforms.values())
    if isinstance(link, links.Unrecognised):
        return PastedResult(text, link.platform, None, False, LINK_PROBLEMS[link.problem])
    row, is_new = listings.find_or_add(session, link.platform, link.item_id, link.url, road="pasted", now=now)
    title = QUOTED.search(text)
    if title and not row.snapshots:
        listings.find_or_add_snapshot(session, row, _stub(link, title[1], now), now=now)
    snapshot = listings.current_snapshot(row)
    if snapshot and intake.needs_review(session, snapshot):
        intake.add_task(session, snapshot, queue="tip", priority=PRIORITY, now=now)
    target = Target(item_id=link.item_id, url=link.url, title=snapshot.title if snapshot else None)
    return PastedResult(text, link.platform, target, is_new, "new" if is_new else "known already")


def _stub(link: links.Link, title: str, now: datetime) -> seen.Listing:
    return seen.Listing(
        platform=link.platform,
        item_id=link.item_id,
        url=link.url,
        title=storable(title),
        sources={"title": "pasted"},
        observed_at=now,
    )
