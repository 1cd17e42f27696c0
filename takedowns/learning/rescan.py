"""Retro-hunt: every archived listing judged by the classifier of today, compared with what stood before.

Each page of the archive is a transaction of its own, and what this model and lexicon have judged already is
passed over, so that a rescan which was killed goes on where it was. What had no flag and gets none at a first
look keeps the verdict it has: nothing changes for it, and the look costs microseconds.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from itertools import compress
from typing import TYPE_CHECKING, Any

import sqlalchemy as sa
from sqlalchemy.orm import Session

from classifiers.verdict import Label
from takedowns import contacts, intake, licences
from takedowns.learning import archive
from takedowns.learning.archive import Archived, Standing
from takedowns.ledger import audit
from takedowns.ledger.engine import Ledger
from takedowns.ledger.tables import ListingSnapshot, Verdict

if TYPE_CHECKING:  # importing it loads spaCy, which only the caller that has a classifier needs
    from classifiers.classifier import Classifier

ACTOR = "system:rescan"
EXAMPLES = 5  # kept of each change: those whose score moved most
REASONS = 3  # of each example

Payload = dict[str, Any]  # a classifiers.verdict.Verdict as JSON
Looks = list[Payload | None]  # None: let pass at the first look
Judge = Callable[[Iterable[list[Archived]]], Iterator[tuple[list[Archived], Looks]]]
"""Judges page after page, in order: :func:`here`, or in processes (:mod:`takedowns.learning.workers`)."""


class Change(StrEnum):
    NEW_FLAG = "new_flag"
    LOST_FLAG = "lost_flag"
    CHANGED_LABEL = "changed_label"


@dataclass(frozen=True, slots=True)
class Example:
    """``reasons``: the words that speak most for the new verdict."""

    platform: str
    item_id: str
    title: str
    before: Standing | None
    after: Standing
    reasons: tuple[str, ...]

    @property
    def shift(self) -> float:
        return abs(self.after.score - (self.before.score if self.before else 0.0))


@dataclass
class Rescan:
    """What a rescan found among ``archived`` listings.

    Of the ``judged``, ``passed`` needed a first look only. ``tasks`` went to reviewers: none in a preview.
    """

    model_version: str
    lexicon_version: str
    preview: bool
    archived: int
    judged: int = 0
    passed: int = 0
    tasks: int = 0
    changes: dict[Change, int] = field(default_factory=lambda: dict.fromkeys(Change, 0))
    examples: dict[Change, list[Example]] = field(default_factory=lambda: {change: [] for change in Change})


def compare(before: Standing | None, after: Standing) -> Change | None:
    """What ``after`` changes; a listing that was never judged had no flag."""
    flagged = before is not None and before.flagged
    if after.flagged != flagged:
        return Change.NEW_FLAG if after.flagged else Change.LOST_FLAG
    if before is not None and after.label is not before.label:
        return Change.CHANGED_LABEL
    return None


def look(classifier: Classifier, page: Sequence[Archived]) -> Looks:
    """The verdicts on ``page``, in order; None where there was no flag and the first look sees none."""
    suspicious = classifier.screen(item.text for item in page)
    full = [
        needed or item.standing is None or item.standing.flagged
        for item, needed in zip(page, suspicious, strict=True)
    ]
    verdicts = classifier.classify_many(item.text for item in compress(page, full))
    return [next(verdicts).model_dump(mode="json") if needed else None for needed in full]


def here(classifier: Classifier) -> Judge:
    """Judges in this process."""
    return lambda pages: ((page, look(classifier, page)) for page in pages)


def rescan(
    ledger: Ledger,
    judge: Judge,
    *,
    model_version: str,
    lexicon_version: str,
    now: datetime,
    preview: bool = False,
    progress: Callable[[int], None] = lambda _judged: None,
) -> Rescan:
    """Judge what these versions have not judged yet. A preview compares, and writes nothing.

    Otherwise every verdict made is stored, and a listing that had no flag before and has one now goes to
    review as if it had just come in. A lost flag takes nothing back: what a person decided or has before them
    stays.
    """
    with ledger.read() as session:
        result = Rescan(model_version, lexicon_version, preview, archive.size(session))
    unjudged = archive.pages(ledger, archive.judged_otherwise(model_version, lexicon_version))
    for page, looks in judge(unjudged):
        found = [(item, payload) for item, payload in zip(page, looks, strict=True) if payload is not None]
        if found and not preview:
            result.tasks += _store(ledger, found, now)
        result.judged += len(page)
        result.passed += len(page) - len(found)
        _count(result, found)
        progress(result.judged)
    if result.judged > result.passed and not preview:
        with ledger.write() as session:
            _record(session, result, now)
    return result


def _store(ledger: Ledger, found: Sequence[tuple[Archived, Payload]], now: datetime) -> int:
    """Write verdicts, and the flags that are new; returns the number of new tasks."""
    with ledger.write() as session:
        intake.take_turn(session)
        newest = archive.newest_verdict_ids(session, [item.snapshot_id for item, _ in found])
        # Where another rescan was faster, its verdict stands.
        ours = [(item, payload) for item, payload in found if newest.get(item.snapshot_id) == item.verdict_id]
        if not ours:
            return 0
        rows = [
            {
                "snapshot_id": i.snapshot_id,
                "replaces_id": i.verdict_id,
                **intake.verdict_columns(payload, now),
            }
            for i, payload in ours
        ]
        written = session.execute(sa.insert(Verdict).returning(Verdict.snapshot_id, Verdict.id), rows)
        verdict_of = dict(iter(written))
        licences.store(session, ((verdict_of[i.snapshot_id], payload) for i, payload in ours))
        contacts.store(session, [(i.listing_id, i.text, payload) for i, payload in ours], now=now)
        new = [i for i, payload in ours if compare(i.standing, standing(payload)) is Change.NEW_FLAG]
        return _flag(session, {i.snapshot_id: verdict_of[i.snapshot_id] for i in new}, now)


def _flag(session: Session, verdict_of: dict[int, int], now: datetime) -> int:
    """Raise the flag of each snapshot in ``verdict_of``; returns how many went to review."""
    tasks = 0
    for snapshot_id, verdict_id in verdict_of.items():
        snapshot = session.get_one(ListingSnapshot, snapshot_id)
        tasks += intake.raise_flag(session, snapshot, session.get_one(Verdict, verdict_id), now=now)
    if verdict_of:
        subject, payload = f"verdict:{max(verdict_of.values())}", {"verdicts": sorted(verdict_of.values())}
        audit.record(session, at=now, actor=ACTOR, action="rescan.flag", subject=subject, payload=payload)
    return tasks


def standing(payload: Payload) -> Standing:
    return Standing(Label(payload["label"]), payload["score"], payload["flagged"])


def _count(result: Rescan, found: Iterable[tuple[Archived, Payload]]) -> None:
    for item, payload in found:
        change = compare(item.standing, standing(payload))
        if change is not None:
            result.changes[change] += 1
            kept = [*result.examples[change], _example(item, payload)]
            kept.sort(key=lambda example: -example.shift)
            result.examples[change] = kept[:EXAMPLES]


def _example(item: Archived, payload: Payload) -> Example:
    telling = sorted(payload["signals"], key=lambda signal: -signal["contribution"])
    words = dict.fromkeys(signal["text"] for signal in telling if signal["contribution"] > 0)
    return Example(
        platform=item.text.platform or "",
        item_id=item.item_id,
        title=item.text.title,
        before=item.standing,
        after=standing(payload),
        reasons=tuple(words)[:REASONS],
    )


def _record(session: Session, result: Rescan, now: datetime) -> None:
    payload = {
        "model_version": result.model_version,
        "lexicon_version": result.lexicon_version,
        "judged": result.judged,
        "passed": result.passed,
        "tasks": result.tasks,
        **{change.value: count for change, count in result.changes.items()},
    }
    subject = f"verdict:{result.model_version}/{result.lexicon_version}"
    audit.record(session, at=now, actor=ACTOR, action="rescan", subject=subject, payload=payload)
