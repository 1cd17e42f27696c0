"""Which offers may be a removed listing under another item id: by their text, by their pictures. Pure.

Linear in the number of offers: both sides are looked up in an index, never compared pair by pair.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import islice

import numpy as np

from takedowns.lookalikes import BITS, Lookalikes
from takedowns.neighbours import BATCH, MOST, Index, canonical, shingled, similarity

# Dice index from which two texts are one offer: of one seller, a word or two of a short title may differ;
# between sellers, who describe the same goods in the same words, hardly anything.
NEAR, NEAR_ELSEWHERE = 0.8, 0.9
SHORT = 12  # characters below which a text is nobody's own


@dataclass(frozen=True, slots=True)
class Removed:
    """A lead whose listing was removed after it was sent; ``text`` as its reviewer had it."""

    lead_id: int
    listing_id: int
    seller_id: int | None
    sent_at: datetime
    text: str


@dataclass(frozen=True, slots=True)
class Offer:
    """A listing that was found after some lead was sent."""

    listing_id: int
    seller_id: int | None
    first_seen_at: datetime
    text: str

    def is_of(self, lead: Removed) -> bool:
        return self.seller_id is not None and self.seller_id == lead.seller_id


@dataclass(frozen=True, slots=True)
class Comeback:
    lead: Removed
    offer: Offer
    likeness: float

    @property
    def is_of_its_seller(self) -> bool:
        return self.offer.is_of(self.lead)

    @property
    def rank(self) -> tuple[bool, float, int]:
        """Those of the same seller first, then the likest, then the newest lead."""
        return self.is_of_its_seller, self.likeness, self.lead.lead_id


_Leads = tuple[list[Removed], dict[int | None, list[Removed]]]
"""All of one text, and those of each seller; the newest last."""


def by_text(removed: Iterable[Removed], offers: Iterable[Offer]) -> Iterator[Comeback]:
    """Offers with the text of a removed listing, word for word or nearly.

    Of more than MOST leads with one text the last ones count, and the last ones of the offer's own seller.
    """
    leads: dict[str, _Leads] = defaultdict(lambda: ([], defaultdict(list)))
    known = list(removed)
    for lead, text in zip(known, canonical(lead.text for lead in known), strict=True):
        of_all, of_seller = leads[text]
        of_all.append(lead)
        of_seller[lead.seller_id].append(lead)
    texts = list(leads)
    index = Index(shingled(texts), NEAR)
    remaining = iter(offers)
    while batch := list(islice(remaining, BATCH)):
        words = list(canonical(offer.text for offer in batch))
        for pairs in index.query(shingled(words)):
            for one, other in zip(pairs.ones.tolist(), pairs.others.tolist(), strict=True):
                likeness = similarity(words[one], texts[other])  # of long texts the index has an estimate
                of_all, of_seller = leads[texts[other]]
                several = {*of_all[-MOST:], *of_seller[batch[one].seller_id][-MOST:]}
                found = (Comeback(lead, batch[one], likeness) for lead in several)
                yield from (one for one in found if _is_one_offer(one, texts[other]))


def by_picture(
    removed: Iterable[tuple[Removed, int]], offers: Iterable[tuple[Offer, int]]
) -> Iterator[Comeback]:
    """Offers with a picture (perceptual hash) of a removed listing of the same seller.

    Other sellers have the same stock photos.
    """
    shown: dict[int, dict[int | None, list[Removed]]] = defaultdict(lambda: defaultdict(list))
    for lead, picture in removed:
        shown[picture][lead.seller_id].append(lead)
    new: dict[int, list[Offer]] = defaultdict(list)
    for offer, picture in offers:
        if offer.seller_id is not None:
            new[picture].append(offer)
    for one, other in _alike(list(new), list(shown)):
        likeness = 1 - (one ^ other).bit_count() / BITS
        for offer in new[one]:
            for lead in shown[other].get(offer.seller_id, [])[-MOST:]:
                yield Comeback(lead, offer, likeness)


def likeliest(found: Iterable[Comeback], up_until: Callable[[Removed], datetime]) -> dict[int, Comeback]:
    """Listing → the one lead that it is the comeback of, if it was first seen after that was seen last."""
    of_offer: dict[int, list[Comeback]] = defaultdict(list)
    for one in found:
        of_offer[one.offer.listing_id].append(one)
    chosen: dict[int, Comeback] = {}
    for listing_id, several in sorted(of_offer.items()):
        ranked = sorted(several, key=lambda one: one.rank, reverse=True)
        fitting = (one for one in ranked if _came_after(one, up_until))
        if best := next(fitting, None):
            chosen[listing_id] = best
    return chosen


def _is_one_offer(found: Comeback, text: str) -> bool:
    if found.is_of_its_seller:
        return found.likeness >= NEAR
    return found.likeness >= NEAR_ELSEWHERE and len(text) >= SHORT


def _came_after(found: Comeback, up_until: Callable[[Removed], datetime]) -> bool:
    lead, offer = found.lead, found.offer
    if offer.listing_id == lead.listing_id or offer.first_seen_at <= lead.sent_at:
        return False
    return offer.first_seen_at > up_until(lead)


def _alike(hashes: Sequence[int], others: Sequence[int]) -> Iterator[tuple[int, int]]:
    index = Lookalikes(np.array(others, np.uint64))
    for ones, found in index.query(np.array(hashes, np.uint64)):
        yield from (
            (hashes[one], others[other]) for one, other in zip(ones.tolist(), found.tolist(), strict=True)
        )
