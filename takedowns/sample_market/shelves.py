"""What a visitor can find: the offers on show, by theme, shop and search words (pure)."""

from __future__ import annotations

from dataclasses import dataclass, replace

from takedowns.sample_market.catalogue import Offer, Shop, Theme, canary
from takedowns.sample_market.draw import pick
from takedowns.sample_market.modes import GONE, Mode
from takedowns.sample_market.state import Entry, Market

PAGE_SIZE = 20
INNOCENT = (
    ("加厚玻璃饭盒 三格 可进微波炉", "耐热玻璃，盖子带硅胶圈，不漏汤。"),
    ("小学生练字本 田字格 十本装", "纸张厚实，不透墨。"),
    ("棉麻桌布 长方形 140×180", "可机洗，不易皱。"),
    ("不锈钢晾衣架 二十只装", "防滑，不生锈。"),
)
"""What an altered listing pretends to have always been."""


@dataclass(frozen=True)
class ResultPage:
    offers: tuple[Offer, ...]
    total: int
    page: int
    has_next: bool


def on_show(market: Market, theme: Theme) -> list[Offer]:
    """Offers that lists, search and sitemap name. A listing behind a wall is still offered."""
    entries = (entry for entry in market.entries.values() if entry.offer.theme is theme)
    return [as_shown(market, entry) for entry in entries if entry.mode not in GONE]


def as_shown(market: Market, entry: Entry) -> Offer:
    if entry.mode is not Mode.ALTERED:
        return entry.offer
    title, description = pick(INNOCENT, market.seed, "innocent", entry.offer.item_id)
    photo = f"altered {entry.offer.photo}"
    return replace(entry.offer, title=title, description=description, attributes={}, photo=photo)


def search(offers: list[Offer], term: str, page: int) -> ResultPage:
    """Plain substring search in title and description; ``page`` counts from 1."""
    hits = [offer for offer in offers if term in offer.title or term in offer.description]
    start = (page - 1) * PAGE_SIZE
    shown = tuple(hits[start : start + PAGE_SIZE])
    return ResultPage(shown, len(hits), page, len(hits) > start + PAGE_SIZE)


def shops(market: Market, theme: Theme) -> list[Shop]:
    found = {entry.offer.shop.shop_id: entry.offer.shop for entry in market.entries.values()}
    return [shop for shop in found.values() if shop.theme is theme]


def find_shop(market: Market, theme: Theme, shop_id: str) -> Shop | None:
    """The shop of that theme with that id, the canary, which is always up, included."""
    found = {shop.shop_id: shop for shop in shops(market, theme)}
    if shop_id == "canary":
        return replace(next(iter(found.values())), shop_id="canary")
    return found.get(shop_id)


def find(market: Market, theme: Theme, item_id: str) -> Entry | None:
    """The listing of that theme with that id, the canary included; None if there never was one."""
    if item_id == "canary":
        up = next(iter(market.entries.values())).history[:1]
        return Entry(canary(shops(market, theme)[0]), up)
    entry = market.entries.get(item_id)
    return entry if entry and entry.offer.theme is theme else None


def recommended(market: Market, theme: Theme, item_id: str) -> list[Offer]:
    """Goods shown beside a listing, which a careless reader takes for it."""
    others = [offer for offer in on_show(market, theme) if offer.item_id != item_id]
    return [pick(others, market.seed, "beside", item_id, n) for n in range(min(3, len(others)))]
