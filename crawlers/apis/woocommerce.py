"""WooCommerce's Store API, public by design: ``/wp-json/wc/store/v1/products`` (100 a page, from 1).

A shop may limit it, by default to 25 requests in 10 seconds, and says so with HTTP 429. A product that is not
there is told by an error of its own, which a shop without the interface does not give.
"""

from __future__ import annotations

from datetime import datetime
from urllib.parse import quote, urlsplit

from crawlers.apis.answers import (
    addresses,
    at,
    entries_at,
    from_minor_units,
    named,
    number_at,
    plain,
    some_at,
    text_at,
)
from crawlers.apis.interface import Call, Fault, FaultKind, Interface, Offer, ResultPage, query
from crawlers.listing import Presence
from crawlers.presence import Judgement

PATH = "/wp-json/wc/store/v1/products"
NOT_FOUND = frozenset({"woocommerce_rest_product_invalid_slug", "woocommerce_rest_product_invalid_id"})


class WooCommerce(Interface):
    page_size = 100
    renames = True

    def search(self, term: str | None, page: int, now: datetime) -> Call:  # noqa: ARG002 - nothing is signed
        wanted = {"per_page": str(self.page_size), "page": str(page)}
        return query(self.home + PATH, wanted | ({"search": term} if term else {}))

    def read(self, data: object) -> ResultPage:
        entries = entries_at(data)
        return ResultPage(tuple(map(self._offer, entries)), len(entries))

    @classmethod
    def fault(cls, status: int, data: object) -> Fault | None:
        code = text_at(data, "code")
        if not code or status == 404:
            return None
        return Fault(FaultKind.REJECTED, code, text_at(data, "message"))

    def item(self, item_id: str) -> Call:
        return Call(f"{self.home}{PATH}/{quote(item_id, safe='%')}")

    def judge(self, status: int, data: object, item_id: str, now: datetime) -> tuple[Judgement, Offer | None]:  # noqa: ARG002
        if status == 404 and text_at(data, "code") in NOT_FOUND:
            return Judgement(Presence.GONE, "not_found"), None
        if status >= 400:  # the interface is not there: that says nothing of the listing
            return Judgement(Presence.ERROR, f"http_{status}"), None
        offer = self._offer(data)
        if offer.item_id != item_id:
            return Judgement(Presence.ERROR, "other_item" if offer.item_id else "unrecognised"), None
        return Judgement(Presence.UP, "sold_out" if at(data, "is_in_stock") is False else "listed"), offer

    def _offer(self, product: object) -> Offer:
        decimals = number_at(product, "prices", "currency_minor_unit")
        written = text_at(product, "prices", "price")
        description = text_at(product, "description") or text_at(product, "short_description")
        names = [text_at(category, "name") for category in some_at(product, "categories")]
        facts = {
            "title": plain(text_at(product, "name")),
            "description": plain(description),
            "price": "" if decimals is None else from_minor_units(written, decimals),
            "currency": text_at(product, "prices", "currency_code"),
            "seller": self.platform.title,  # the shop is one merchant
            "seller_id": urlsplit(self.home).netloc,
            "images": addresses(*(text_at(image, "src") for image in some_at(product, "images"))),
            "attributes": named(
                sku=text_at(product, "sku"),
                category=", ".join(filter(None, names)),
                tags=", ".join(filter(None, (text_at(tag, "name") for tag in some_at(product, "tags")))),
            ),
        }
        link = text_at(product, "permalink")
        own = self.platform.listing_url.item_id(link) if self.platform.owns_host(link) else None
        return Offer(own or "", facts)
