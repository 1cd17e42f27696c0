"""Listings and sightings into the ledger: new content gets a snapshot, a verdict and, if flagged, a task."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import asdict, astuple, dataclass
from datetime import datetime
from decimal import Decimal
from itertools import islice
from typing import Any, Protocol

import sqlalchemy as sa
from sqlalchemy.orm import Session

from classifiers import verdict as judging
from classifiers.image_file import is_local
from crawlers import listing as seen
from crawlers import rundir
from takedowns import accounts, contacts, licences, listings, sellers
from takedowns.content import storable_or_none
from takedowns.crawling import draws, work
from takedowns.ledger import audit
from takedowns.ledger.tables import (
    CrawlRun,
    Decision,
    Flag,
    ListingSnapshot,
    ReviewTask,
    Sighting,
    Verdict,
)
from takedowns.ledger.vocabulary import RunState
from takedowns.states import TaskState

ACTOR = "system:intake"
BATCH = 256  # listings judged together: enough for the classifier's speed, little enough to hold in memory


class Classifying(Protocol):
    """What an intake needs of :class:`classifiers.classifier.Classifier`."""

    def classify_many(self, listings: Iterable[judging.ListingText]) -> Iterator[judging.Verdict]: ...


class Content(Protocol):
    """A snapshot, or a database row of its columns."""

    id: int
    title: str
    description: str
    attributes: dict[str, Any]
    price: Decimal | None
    price_raw: str | None
    lang: str | None
    images: list[Any]


@dataclass
class IntakeResult:
    """Counts of what was taken in; ``errors`` has one sentence for each thing that could not be."""

    listings: int = 0
    new_listings: int = 0
    new_snapshots: int = 0
    flagged: int = 0
    sightings: int = 0
    errors: tuple[str, ...] = ()

    def plus(self, other: IntakeResult) -> IntakeResult:
        return IntakeResult(
            *(mine + theirs for mine, theirs in zip(astuple(self), astuple(other), strict=True))
        )


def ingest_run(session: Session, run: rundir.Run, classifier: Classifying, *, now: datetime) -> IntakeResult:
    """Store everything of a run directory, whose name is the run's id. A known run changes nothing.

    A run that did not end cleanly is kept as failed: its items stay, but nothing may be inferred from it.
    What it has done of its work items is closed, the rest is open again.
    """
    take_turn(session)
    run_id = run.path.name
    known = session.get(CrawlRun, run_id)
    if known and known.state is not RunState.RUNNING:
        return IntakeResult()
    row = session.merge(accounts.account(session, run, now))
    session.flush()
    road = "sample" if row.arm is rundir.Arm.RANDOM else "sweep"
    result = _store(session, shown(run), classifier, road=road, now=now, run_id=run_id)
    keep = sellers.store_sightings if row.kind == rundir.RunKind.SELLERS else _store_sightings
    problems = keep(session, run.sightings, run_id, now)
    result.sightings += len(run.sightings) - len(problems)
    result.errors += tuple(problems)
    draws.store(session, run, row.platform, now=now)
    work.end(session, run, now=now)
    accounts.raise_errands(session, row, now=now)
    _record(session, result, f"crawl_run:{run_id}", now)
    return result


def shown(run: rundir.Run) -> Iterator[seen.Listing]:
    """The listings that the run read, by a search or by a look at one that was known."""
    yield from run.listings
    yield from (sighting.listing for sighting in run.sightings if sighting.listing)


def store_listings(
    session: Session,
    offers: Iterable[seen.Listing],
    classifier: Classifying,
    *,
    road: str,
    now: datetime,
    run_id: str | None = None,
) -> IntakeResult:
    """Store listings that came by ``road`` (``import``, ``tip`` …) and judge what they say, if it is new."""
    take_turn(session)
    result = _store(session, offers, classifier, road=road, now=now, run_id=run_id)
    _record(session, result, f"listing:{road}", now)
    return result


def take_turn(session: Session) -> None:
    """Two intakes that meet the same new listing would fail each other; SQLite has one writer anyway."""
    if session.get_bind().dialect.name == "postgresql":
        session.execute(sa.text("LOCK TABLE listing IN SHARE ROW EXCLUSIVE MODE"))


def _record(session: Session, result: IntakeResult, subject: str, now: datetime) -> None:
    payload = {**asdict(result), "errors": list(result.errors)}
    audit.record(session, at=now, actor=ACTOR, action="intake", subject=subject, payload=payload)


def _store_sightings(
    session: Session, sightings: Sequence[seen.Sighting], run_id: str, now: datetime
) -> list[str]:
    """One sentence for each that could not be stored, saying why."""
    known = listings.ids(session, ((sighting.platform, sighting.item_id) for sighting in sightings))
    looked_at = set(session.scalars(sa.select(Sighting.listing_id).where(Sighting.run_id == run_id)))
    problems = []
    for sighting in sightings:
        what = f"{sighting.platform} {sighting.item_id} was seen {sighting.state.value}, but"
        listing_id = known.get((sighting.platform, sighting.item_id))
        if listing_id is None:
            problems.append(f"{what} no such listing is known")
        elif listing_id in looked_at:
            problems.append(f"{what} the run {run_id} had looked at it before")
        else:
            looked_at.add(listing_id)
            session.add(_sighting(sighting, listing_id, run_id, now))
    session.flush()
    return problems


def _sighting(sighting: seen.Sighting, listing_id: int, run_id: str, now: datetime) -> Sighting:
    return Sighting(
        listing_id=listing_id,
        run_id=run_id,
        state=sighting.state,
        reason=sighting.reason,
        vantage=sighting.vantage,
        observed_at=sighting.observed_at,
        recorded_at=now,
        http_status=sighting.http_status,
        final_url=storable_or_none(sighting.final_url),
        evidence=listings.evidence_place(run_id, sighting.evidence),
    )


def _store(
    session: Session,
    offers: Iterable[seen.Listing],
    classifier: Classifying,
    *,
    road: str,
    now: datetime,
    run_id: str | None,
) -> IntakeResult:
    result = IntakeResult()
    remaining = iter(offers)
    while batch := list(islice(remaining, BATCH)):
        kept = [_keep(session, listing, road, now, run_id, result) for listing in batch]
        unjudged = dict.fromkeys(snapshot for snapshot in kept if snapshot and not snapshot.verdicts)
        _judge(session, list(unjudged), classifier, now, result)
    return result


def _keep(
    session: Session,
    listing: seen.Listing,
    road: str,
    now: datetime,
    run_id: str | None,
    result: IntakeResult,
) -> ListingSnapshot | None:
    """The snapshot that holds what ``listing`` says; None when the listing cannot be stored."""
    result.listings += 1
    if len(listing.item_id) > listings.LONGEST_ID:
        result.errors += (f"{listing.platform}: an item id of {len(listing.item_id)} characters was refused",)
        return None
    row, is_new = listings.find_or_add(
        session, listing.platform, listing.item_id, listing.url, road=road, now=listing.observed_at
    )
    result.new_listings += is_new
    if row.seller_id is None and listing.seller:  # also when only its link was known so far
        row.seller = listings.seller_row(session, listing.platform, listing.seller)
    snapshot, is_new = listings.find_or_add_snapshot(session, row, listing, now=now, run_id=run_id)
    result.new_snapshots += is_new
    return snapshot


def _judge(
    session: Session,
    snapshots: Sequence[ListingSnapshot],
    classifier: Classifying,
    now: datetime,
    result: IntakeResult,
) -> None:
    session.flush()
    texts = [_text(snapshot) for snapshot in snapshots]
    verdicts = classifier.classify_many(texts)
    rows = [
        Verdict(snapshot=snapshot, **verdict_columns(verdict.model_dump(mode="json"), now))
        for snapshot, verdict in zip(snapshots, verdicts, strict=True)
    ]
    session.add_all(rows)
    session.flush()
    for row in rows:
        if row.flagged:
            raise_flag(session, row.snapshot, row, now=now)
            result.flagged += 1
    session.flush()
    licences.store(session, ((row.id, row.payload) for row in rows))
    contacts.store(
        session,
        [(row.snapshot.listing_id, text, row.payload) for text, row in zip(texts, rows, strict=True)],
        now=now,
    )


def _text(snapshot: ListingSnapshot) -> judging.ListingText:
    seller = snapshot.listing.seller
    return listing_text(snapshot, platform=snapshot.listing.platform, shop=seller.name if seller else None)


def listing_text(content: Content, *, platform: str, shop: str | None) -> judging.ListingText:
    """What the classifier reads of a snapshot."""
    return judging.ListingText(
        id=str(content.id),
        title=content.title,
        description=content.description,
        attributes=content.attributes,
        price=content.price_raw or (None if content.price is None else str(content.price)),
        shop=shop,
        platform=platform,
        lang=content.lang,
        # What a page says must not make us open a file of this machine.
        images=tuple(address for address in content.images if not is_local(address)),
    )


def verdict_columns(payload: dict[str, Any], now: datetime) -> dict[str, Any]:
    """The columns of a verdict's row, but for whose it is, from the verdict as JSON."""
    return {
        "label": judging.Label(payload["label"]),
        "score": payload["score"],
        "flagged": payload["flagged"],
        "model_version": payload["model_version"],
        "lexicon_version": payload["lexicon_version"],
        "payload": payload,
        "recorded_at": now,
    }


def raise_flag(session: Session, snapshot: ListingSnapshot, verdict: Verdict, *, now: datetime) -> bool:
    """Record that a listing crossed the threshold; True when that put it before a reviewer."""
    session.add(Flag(listing_id=snapshot.listing_id, verdict_id=verdict.id, created_at=now))
    if not needs_review(session, snapshot):
        return False
    add_task(session, snapshot, queue="disguise", priority=verdict.score, now=now)
    return True


def needs_review(session: Session, snapshot: ListingSnapshot) -> bool:
    """No task is open for the listing, and its newest decision was made on other wording than this.

    A new price or picture address alone says nothing that the reviewer has not read.
    """
    tasks = sa.select(ReviewTask.id).where(
        ReviewTask.listing_id == snapshot.listing_id, ReviewTask.state != TaskState.DECIDED
    )
    decided = session.scalars(
        sa.select(ListingSnapshot)
        .join(Decision, Decision.snapshot_id == ListingSnapshot.id)
        .where(Decision.listing_id == snapshot.listing_id)
        .order_by(Decision.id.desc())
        .limit(1)
    ).first()
    return session.scalars(tasks).first() is None and (
        decided is None or _wording(decided) != _wording(snapshot)
    )


def _wording(snapshot: ListingSnapshot) -> tuple[str, str, dict[str, Any]]:
    return snapshot.title, snapshot.description, snapshot.attributes


def add_task(
    session: Session, snapshot: ListingSnapshot, *, queue: str, priority: float, now: datetime
) -> None:
    session.add(
        ReviewTask(
            listing_id=snapshot.listing_id,
            snapshot_id=snapshot.id,
            queue=queue,
            priority=priority,
            state=TaskState.QUEUED,
            created_at=now,
        )
    )
    session.flush()
