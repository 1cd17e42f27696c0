"""Shopify's public catalogue: ``/products.json`` (250 a page, from 1) and ``/products/<handle>.json``.

No key and no search; a shop may switch it off. Nothing is published on how often it may be asked: the floor
of politeness holds. Prices come without a currency: the profile names it. A handle is what stands in links.
"""

from __future__ import annotations

from datetime import datetime
from urllib.parse import quote, urlsplit

from crawlers.apis.answers import addresses, at, entries_at, named, plain, some_at, text_at
from crawlers.apis.interface import Call, Fault, FaultKind, Interface, Offer, ResultPage, query
from crawlers.listing import Presence
from crawlers.presence import Judgement


class Shopify(Interface):
    page_size = 250
    searches = False
    renames = True

    def search(self, term: str | None, page: int, now: datetime) -> Call:  # noqa: ARG002 - no search, no clock
        return query(f"{self.home}/products.json", {"limit": str(self.page_size), "page": str(page)})

    def read(self, data: object) -> ResultPage:
        entries = entries_at(data, "products")
        return ResultPage(tuple(self._offer(entry) for entry in entries), len(entries))

    @classmethod
    def fault(cls, status: int, data: object) -> Fault | None:
        if at(data, "errors") is None or status == 404:
            return None
        return Fault(FaultKind.REJECTED, f"http_{status}", text_at(data, "errors"))

    def item(self, item_id: str) -> Call:
        return Call(f"{self.home}/products/{quote(item_id, safe='%')}.json")

    def judge(self, status: int, data: object, item_id: str, now: datetime) -> tuple[Judgement, Offer | None]:  # noqa: ARG002
        if status in {404, 410}:
            return Judgement(Presence.GONE, f"http_{status}"), None
        offer = self._offer(at(data, "product"))
        if offer.item_id != item_id:
            return Judgement(Presence.ERROR, "other_item" if offer.item_id else "unrecognised"), None
        return Judgement(Presence.UP, "listed"), offer

    def _offer(self, product: object) -> Offer:
        variants = some_at(product, "variants")
        buyable = [variant for variant in variants if at(variant, "available") is not False]
        tags = [tag for tag in some_at(product, "tags") if isinstance(tag, str)]
        facts = {
            "title": text_at(product, "title"),
            "description": plain(text_at(product, "body_html")),
            "price": text_at(next(iter(buyable or variants), None), "price"),
            "seller": self.platform.title,  # the shop is one merchant
            "seller_id": urlsplit(self.home).netloc,
            "images": addresses(*(text_at(image, "src") for image in some_at(product, "images"))),
            "attributes": named(
                vendor=text_at(product, "vendor"),
                type=text_at(product, "product_type"),
                tags=", ".join(tags) or text_at(product, "tags"),  # a list here, one text there
            ),
        }
        return Offer(text_at(product, "handle"), facts)
