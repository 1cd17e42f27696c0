"""JD's affiliate search, ``jd.union.open.goods.query``: goods in promotion.

A signed POST to ``/routerjson``, at most 50 a page from 1, times in GMT+8. The answer's outer key is spelt
"responce", and what it holds is a JSON text inside the JSON. It knows only what sellers promote. Quotas stand
in the account's console; what is beyond them is told with HTTP 200.
"""

from __future__ import annotations

import json
from datetime import datetime

from crawlers.answer import load_json
from crawlers.apis.answers import addresses, at, entries_at, named, number_at, some_at, text_at
from crawlers.apis.interface import (
    LIMITED_WORDS,
    REFUSED_WORDS,
    Call,
    Fault,
    FaultKind,
    Interface,
    Offer,
    ResultPage,
    form,
)
from crawlers.apis.signing import china_time, signed

METHOD = "jd.union.open.goods.query"
DONE = "200"


class JdUnion(Interface):
    page_size = 50

    def search(self, term: str | None, page: int, now: datetime) -> Call:
        wanted = {"keyword": term or "", "pageIndex": page, "pageSize": self.page_size}
        parameters = {
            "method": METHOD,
            "app_key": self.keys["app_key"],
            "timestamp": china_time(now),
            "format": "json",
            "v": "1.0",
            "sign_method": "md5",
            "360buy_param_json": json.dumps(
                {"goodsReqDTO": wanted}, ensure_ascii=False, separators=(",", ":")
            ),
        }
        sent = signed(parameters, self.keys["app_secret"])
        return form(f"{self.home}/routerjson", sent, ("app_key", "sign"))

    def read(self, data: object) -> ResultPage:
        result = _result(data)
        total = number_at(result, "totalCount")
        if at(result, "data") is None and (total == 0 or text_at(result, "code") == DONE):
            return ResultPage((), 0, 0)
        entries = entries_at(result, "data")
        return ResultPage(tuple(map(_offer, entries)), len(entries), total)

    @classmethod
    def fault(cls, status: int, data: object) -> Fault | None:  # noqa: ARG003 - it always says 200
        error, result = at(data, "error_response"), _result(data)
        code = text_at(error, "code") or text_at(result, "code")
        if error is None and code in {"", DONE}:
            return None
        words = text_at(error, "zh_desc") or text_at(error, "en_desc") or text_at(result, "message")
        if LIMITED_WORDS.search(words):
            return Fault(FaultKind.RATE_LIMITED, code, words)
        return Fault(FaultKind.REFUSED if REFUSED_WORDS.search(words) else FaultKind.REJECTED, code, words)


def _result(data: object) -> object:
    """``queryResult`` unpacked; older gateways say "response" and ``result``."""
    outer = at(data, "jd_union_open_goods_query_responce") or at(data, "jd_union_open_goods_query_response")
    inner = at(outer, "queryResult") or at(outer, "result")
    return load_json(inner) if isinstance(inner, str) else inner


def _offer(goods: object) -> Offer:
    categories = [text_at(goods, "categoryInfo", f"cid{level}Name") for level in (1, 2, 3)]
    pictures = [text_at(picture, "url") for picture in some_at(goods, "imageInfo", "imageList")]
    facts = {
        "title": text_at(goods, "skuName"),
        "price": text_at(goods, "priceInfo", "price") or text_at(goods, "priceInfo", "lowestPrice"),
        "seller": text_at(goods, "shopInfo", "shopName"),
        "seller_id": text_at(goods, "shopInfo", "shopId"),
        "images": addresses(*pictures),
        "attributes": named(
            brand=text_at(goods, "brandName"),
            category=" > ".join(filter(None, categories)),
            orders_30_days=text_at(goods, "inOrderCount30Days"),
        ),
    }
    if number_at(goods, "skuId"):
        return Offer(text_at(goods, "skuId"), facts)
    # Accounts without that right get an opaque id, which stands in no link of the shop itself.
    return Offer(text_at(goods, "itemId"), facts, next(iter(addresses(_with_scheme(goods))), None))


def _with_scheme(goods: object) -> str:
    written = text_at(goods, "materialUrl")  # often without a scheme
    return written if "//" in written or not written else f"https://{written}"
