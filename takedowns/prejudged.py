"""Verdicts on what is about to be taken in, found before the ledger is locked for it.

Judging a run takes the classifier many times what writing it takes; on SQLite nobody else could write then.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator, Mapping

import sqlalchemy as sa
from sqlalchemy.orm import Session

from classifiers.verdict import ListingText, Verdict
from crawlers.listing import Listing
from takedowns import intake, listings
from takedowns.content import content_of, digest
from takedowns.intake import Classifying
from takedowns.ledger.engine import Ledger
from takedowns.ledger.tables import ListingSnapshot


class Prejudged:
    """A classifier that has its verdicts on some texts already; the others it asks for when they come.

    So an intake is right also when another one brought the same listing or seller in the meantime.
    """

    def __init__(self, classifier: Classifying, verdicts: Mapping[bytes, str]) -> None:
        self._classifier = classifier
        self._verdicts = verdicts  # as JSON: as objects, those of a large run would take some 100 MB

    def classify_many(self, listings: Iterable[ListingText]) -> Iterator[Verdict]:
        texts = list(listings)
        known = [self._verdicts.get(_key(text)) for text in texts]
        others = (text for text, verdict in zip(texts, known, strict=True) if verdict is None)
        judged = self._classifier.classify_many(others)
        for text, verdict in zip(texts, known, strict=True):
            yield next(judged) if verdict is None else _said_of(text, verdict)


def prejudged(ledger: Ledger, offers: Iterable[Listing], classifier: Classifying) -> Prejudged:
    """Judge what ``offers`` say and the ledger does not know, with no transaction open meanwhile."""
    with ledger.read() as session:
        texts = {_key(text): text for offer in offers if (text := _new_text(session, offer))}
    verdicts = classifier.classify_many(texts.values())
    return Prejudged(
        classifier, {key: one.model_dump_json() for key, one in zip(texts, verdicts, strict=True)}
    )


def _new_text(session: Session, offer: Listing) -> ListingText | None:
    """What the classifier will be asked about ``offer``; None when its content is known."""
    content = content_of(offer)
    row = listings.find(session, offer.platform, offer.item_id)
    same = sa.select(ListingSnapshot.id).filter_by(listing_id=row.id if row else None, sha256=digest(content))
    if session.scalars(same).first() is not None:
        return None
    seller = row.seller if row else None
    if seller is None and offer.seller:
        seller = listings.seller_row(session, offer.platform, offer.seller)
    return intake.listing_text(
        ListingSnapshot(**content), platform=offer.platform, shop=seller.name if seller else None
    )


def _said_of(text: ListingText, verdict: str) -> Verdict:
    return Verdict.model_validate_json(verdict).model_copy(update={"id": text.id})


def _key(text: ListingText) -> bytes:
    return hashlib.sha256(text.model_dump_json(exclude={"id"}).encode()).digest()
