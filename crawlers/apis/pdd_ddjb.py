"""Pinduoduo's affiliate search (多多进宝), ``pdd.ddk.goods.search``: goods in promotion.

A signed POST to ``/api/router``, 100 a page from 1, UNIX times, prices in fen. The ``pid`` must be on record
with Pinduoduo. ``goods_sign`` is the identity where ``goods_id`` is left empty. It knows only what sellers
promote. Quotas stand in the account's console; what is beyond them is told with HTTP 200.
"""

from __future__ import annotations

from datetime import datetime

from crawlers.apis.answers import (
    addresses,
    at,
    entries_at,
    from_minor_units,
    named,
    number_at,
    some_at,
    text_at,
)
from crawlers.apis.interface import (
    LIMITED_WORDS,
    Call,
    Fault,
    FaultKind,
    Interface,
    Offer,
    ResultPage,
    form,
)
from crawlers.apis.signing import signed

TYPE = "pdd.ddk.goods.search"
ANSWER = "goods_search_response"
REFUSED = frozenset({"20004", "50001", "60001"})  # signature, rights of the account, rights of the pid


class PddDuoduoJinbao(Interface):
    page_size = 100

    def search(self, term: str | None, page: int, now: datetime) -> Call:
        parameters = {
            "type": TYPE,
            "client_id": self.keys["client_id"],
            "timestamp": str(int(now.timestamp())),
            "data_type": "JSON",
            "keyword": term or "",
            "page": str(page),
            "page_size": str(self.page_size),
            "pid": self.keys["pid"],
        }
        sent = signed(parameters, self.keys["client_secret"])
        return form(f"{self.home}/api/router", sent, ("client_id", "pid", "sign"))

    def read(self, data: object) -> ResultPage:
        entries = entries_at(data, ANSWER, "goods_list")
        return ResultPage(tuple(map(_offer, entries)), len(entries), number_at(data, ANSWER, "total_count"))

    @classmethod
    def fault(cls, status: int, data: object) -> Fault | None:  # noqa: ARG003 - it always says 200
        error = at(data, "error_response")
        if error is None:
            return None
        code = text_at(error, "sub_code") or text_at(error, "error_code")
        words = text_at(error, "sub_msg") or text_at(error, "error_msg")
        if LIMITED_WORDS.search(words):
            return Fault(FaultKind.RATE_LIMITED, code, words)
        refused = {code, text_at(error, "error_code")} & REFUSED
        return Fault(FaultKind.REFUSED if refused else FaultKind.REJECTED, code, words)


def _offer(goods: object) -> Offer:
    pictures = [url for url in some_at(goods, "goods_gallery_urls") if isinstance(url, str)]
    facts = {
        "title": text_at(goods, "goods_name"),
        "description": text_at(goods, "goods_desc"),
        "price": from_minor_units(text_at(goods, "min_group_price"), 2),
        "currency": "CNY",
        "seller": text_at(goods, "mall_name"),
        "seller_id": text_at(goods, "mall_id"),
        "images": addresses(text_at(goods, "goods_image_url"), *pictures),
        "attributes": named(category=text_at(goods, "category_name"), sales=text_at(goods, "sales_tip")),
    }
    number = text_at(goods, "goods_id") if number_at(goods, "goods_id") else ""
    return Offer(number or text_at(goods, "goods_sign"), facts)
