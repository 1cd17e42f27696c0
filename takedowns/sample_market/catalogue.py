"""What the market sells: offers in shops, drawn from the corpus by seed alone."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Container, Iterable, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum

from classifiers.verdict import Label
from crawlers.listing import SellerKind
from takedowns.sample_market.corpus import CorpusRow
from takedowns.sample_market.draw import draw

VIOLATING_SHARE = 0.3
ENGLISH_SHARE = 0.1
LISTINGS_PER_SHOP = 10
HOSTILE_SHARE = 0.05
FEWEST_LISTINGS = 30
"""Fewer could leave a theme without a shop."""
KINDS = (
    SellerKind.MERCHANT,
    SellerKind.ACCOUNT,
    SellerKind.MERCHANT,
    SellerKind.MINI_PROGRAM,
    SellerKind.MERCHANT,
    SellerKind.ACCOUNT,
)
CURRENCIES = {"¥": "CNY", "$": "USD", "£": "GBP", "€": "EUR"}


class Theme(StrEnum):
    """How a part of the market renders its pages; the value is the first part of its paths."""

    MALL = "mall"
    BAZAAR = "bazaar"
    LIVE = "live"


# A browser needs twenty times as long for a page, so fewer shops are rendered by script.
THEME_LOTS = (
    *(Theme.MALL, Theme.BAZAAR, Theme.LIVE),
    *(Theme.MALL, Theme.BAZAAR),
    *(Theme.MALL, Theme.BAZAAR),
)


@dataclass(frozen=True)
class Shop:
    shop_id: str
    theme: Theme
    name: str
    kind: SellerKind


@dataclass(frozen=True)
class Offer:
    """One listing as its seller wrote it. ``label`` is the truth, which no page shows."""

    item_id: str
    shop: Shop
    title: str
    description: str
    attributes: Mapping[str, str]
    price: str
    label: Label
    corpus_id: str
    photo: str
    """Seed of the picture; a relisted offer keeps it."""

    @property
    def theme(self) -> Theme:
        return self.shop.theme

    @property
    def violating(self) -> bool:
        return self.label is not Label.BENIGN

    @property
    def path(self) -> str:
        return f"/{self.theme}/item/{self.item_id}.html"

    @property
    def amount(self) -> str | None:
        """The price as a bare number, where it is one."""
        found = re.search(r"\d+(\.\d+)?", self.price)
        return found[0] if found else None

    @property
    def currency(self) -> str:
        return CURRENCIES.get(self.price[:1], "CNY")


class CatalogueError(ValueError):
    """The corpus cannot fill a market of the size asked for."""


def build_catalogue(
    corpus: Sequence[CorpusRow], hostile: Sequence[CorpusRow], seed: int, size: int
) -> tuple[Offer, ...]:
    """``size`` offers, the hostile ones among them; equal arguments give equal offers.

    Raises :class:`CatalogueError` when a stratum of the corpus holds too few rows, or ``size`` is too small.
    """
    if size < FEWEST_LISTINGS:
        raise CatalogueError(f"a market has at least {FEWEST_LISTINGS} listings, not {size}")
    odd = list(hostile[: int(size * HOSTILE_SHARE)])
    rows = [*odd, *_sample(corpus, seed, size - len(odd))]
    offers: list[Offer] = []
    taken: set[str] = set()
    for shop, members in _stock_shops(rows, seed, size):
        for row in members:
            offers.append(_offer(row, shop, new_item_id(taken, seed, row.id)))
            taken.add(offers[-1].item_id)
    return tuple(sorted(offers, key=lambda offer: offer.item_id))


def canary(shop: Shop) -> Offer:
    """A page that is always up, for a crawler to prove that it can tell."""
    return Offer(
        item_id="canary",
        shop=shop,
        title="纯棉毛巾 素色 两条装",
        description="吸水，不掉色，可机洗。",
        attributes={"材质": "棉"},
        price="¥19.90",
        label=Label.BENIGN,
        corpus_id="canary",
        photo="canary",
    )


def new_item_id(taken: Container[str], *question: object) -> str:
    """A market id of ten digits that is not taken; it looks like a platform's and says nothing."""
    attempt = 0
    while (item_id := str(10**9 + draw("item", *question, attempt) % (9 * 10**9))) in taken:
        attempt += 1
    return item_id


def _sample(corpus: Sequence[CorpusRow], seed: int, size: int) -> list[CorpusRow]:
    violating = round(size * VIOLATING_SHARE)
    rows: list[CorpusRow] = []
    for guilty, wanted in ((True, violating), (False, size - violating)):
        english = round(wanted * ENGLISH_SHARE)
        for lang, count in (("en", english), ("zh", wanted - english)):
            stratum = [row for row in corpus if row.violating is guilty and row.lang == lang]
            if len(stratum) < count:
                raise CatalogueError(
                    f"{count} {lang} rows with violating={guilty} wanted, the corpus has {len(stratum)}"
                )
            rows += sorted(stratum, key=lambda row: draw(seed, "row", row.id))[:count]
    return rows


def _stock_shops(rows: Iterable[CorpusRow], seed: int, size: int) -> list[tuple[Shop, list[CorpusRow]]]:
    """Lawful goods go to every shop, violating ones to every second, so that half of the shops are clean."""
    count = max(2 * len(Theme), size // LISTINGS_PER_SHOP)
    shelves: dict[int, list[CorpusRow]] = defaultdict(list)
    for row in rows:
        pair, side = divmod(draw(seed, "shop", row.id) % count, 2)
        shelves[2 * pair if row.violating else 2 * pair + side].append(row)
    return [(_shop(index, shelves[index], seed), shelves[index]) for index in sorted(shelves)]


def _shop(index: int, members: Sequence[CorpusRow], seed: int) -> Shop:
    # Two neighbours, one of them clean, share a theme, so that every theme has both sorts.
    theme = THEME_LOTS[index // 2 % len(THEME_LOTS)]
    namesake = min(members, key=lambda row: draw(seed, "name", row.id))
    shop_id = str(100_000 + draw(seed, "shop id") % 500_000 + 37 * index)
    return Shop(shop_id, theme, namesake.shop, KINDS[index % len(KINDS)])


def _offer(row: CorpusRow, shop: Shop, item_id: str) -> Offer:
    return Offer(
        item_id=item_id,
        shop=shop,
        title=row.title,
        description=row.description,
        attributes=row.attributes,
        price=_displayed(row.price),
        label=row.label,
        corpus_id=row.id,
        photo=item_id,
    )


def _displayed(price: str) -> str:
    if not price:
        return "面议"
    return f"¥{price}" if price[0].isdigit() else price
