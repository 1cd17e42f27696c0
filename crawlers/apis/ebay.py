"""eBay's Browse API: ``item_summary/search`` (200 a page, by offset) and ``item/<id>``.

The application token comes from the client-credentials grant of OAuth 2 (RFC 6749 §4.4) and lives two hours,
longer than a run. eBay allows 5,000 calls a day at first and answers HTTP 429 beyond; results end at 10,000.
"""

from __future__ import annotations

from base64 import b64encode
from datetime import datetime
from urllib.parse import quote, urlencode

from crawlers.apis.answers import addresses, entries_at, named, number_at, plain, some_at, text_at
from crawlers.apis.interface import Call, Fault, FaultKind, Interface, Offer, ResultPage, ShapeError, query
from crawlers.listing import Presence
from crawlers.presence import Judgement

BROWSE = "/buy/browse/v1"
TOKEN = "/identity/v1/oauth2/token"  # noqa: S105 - a path
SCOPE = "https://api.ebay.com/oauth/api_scope"
LAST_RESULT = 10_000
ITEM_NOT_FOUND = "11001"
REFUSED = frozenset({"1001", "1002", "1003", "1100"})  # token missing, wrong, expired, without right
RATE_LIMITED = "2001"


class EbayBrowse(Interface):
    page_size = 200

    def login(self) -> Call:
        known = f"{self.keys['client_id']}:{self.keys['client_secret']}".encode()
        headers = {
            "Authorization": f"Basic {b64encode(known).decode()}",
            "Content-Type": "application/x-www-form-urlencoded",
        }
        body = urlencode({"grant_type": "client_credentials", "scope": SCOPE}).encode()
        return Call(self.home + TOKEN, {}, "POST", headers, body)

    def admit(self, data: object) -> None:
        token = text_at(data, "access_token")
        if not token or not token.isascii() or not token.isprintable():
            raise ShapeError("no access_token")
        self.keys = {**self.keys, "access_token": token}

    def search(self, term: str | None, page: int, now: datetime) -> Call:  # noqa: ARG002 - nothing is signed
        offset = (page - 1) * self.page_size
        wanted = {"q": term or "", "limit": str(self.page_size), "offset": str(offset)}
        return self._authorised(query(f"{self.home}{BROWSE}/item_summary/search", wanted))

    def read(self, data: object) -> ResultPage:
        total = number_at(data, "total")
        if total is None:
            raise ShapeError("no number at total")
        entries = entries_at(data, "itemSummaries") if total else []
        return ResultPage(tuple(map(_offer, entries)), len(entries), min(total, LAST_RESULT))

    @classmethod
    def fault(cls, status: int, data: object) -> Fault | None:
        error = next(iter(some_at(data, "errors")), None)
        code, words = text_at(error, "errorId"), text_at(error, "message")
        if error is None or (status == 404 and code == ITEM_NOT_FOUND):
            return None
        if code == RATE_LIMITED:
            return Fault(FaultKind.RATE_LIMITED, code, words)
        return Fault(FaultKind.REFUSED if code in REFUSED else FaultKind.REJECTED, code, words)

    def item(self, item_id: str) -> Call:
        wanted = quote(f"v1|{item_id}|0", safe="")
        return self._authorised(Call(f"{self.home}{BROWSE}/item/{wanted}"))

    def judge(self, status: int, data: object, item_id: str, now: datetime) -> tuple[Judgement, Offer | None]:
        if status == 404 and self.fault(status, data) is None and some_at(data, "errors"):
            return Judgement(Presence.GONE, "not_found"), None
        offer = _offer(data)
        if status >= 400 or offer.item_id != item_id:
            return Judgement(Presence.ERROR, "other_item" if offer.item_id else "unrecognised"), None
        if _ended(text_at(data, "itemEndDate"), now):
            return Judgement(Presence.GONE, "listing_ended"), None
        stock = {text_at(a, "estimatedAvailabilityStatus") for a in some_at(data, "estimatedAvailabilities")}
        return Judgement(Presence.UP, "sold_out" if stock == {"OUT_OF_STOCK"} else "listed"), offer

    def _authorised(self, call: Call) -> Call:
        market = self.api.market or ""
        token = self.keys.get("access_token", "")
        headers = {"Authorization": f"Bearer {token}", "X-EBAY-C-MARKETPLACE-ID": market}
        return Call(call.url, {"market": market}, headers=headers)


def _ended(written: str, now: datetime) -> bool:
    """A date without zone, or none, ends nothing."""
    try:
        ends = datetime.fromisoformat(written)
    except ValueError:
        return False
    return ends.tzinfo is not None and ends < now


def _offer(item: object) -> Offer:
    _, _, rest = text_at(item, "itemId").partition("|")  # v1|<number in links>|<variation>
    description = text_at(item, "description") or text_at(item, "shortDescription")
    categories = [text_at(category, "categoryName") for category in some_at(item, "categories")]
    pictures = [text_at(picture, "imageUrl") for picture in some_at(item, "additionalImages")]
    facts = {
        "title": text_at(item, "title"),
        "description": plain(description),
        "price": text_at(item, "price", "value"),
        "currency": text_at(item, "price", "currency"),
        "seller": text_at(item, "seller", "username"),
        "images": addresses(text_at(item, "image", "imageUrl"), *pictures),
        "attributes": named(
            condition=text_at(item, "condition"),
            category=text_at(item, "categoryPath") or ", ".join(filter(None, categories)),
            location=text_at(item, "itemLocation", "country"),
            feedback=text_at(item, "seller", "feedbackPercentage"),
        ),
    }
    item_id = rest.partition("|")[0]
    return Offer(item_id if item_id.isdigit() else "", facts)
