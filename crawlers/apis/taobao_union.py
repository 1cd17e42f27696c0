"""Taobao's affiliate search, ``taobao.tbk.dg.material.optional.upgrade``: goods in promotion, Tmall's too.

A signed POST to ``/router/rest``, 100 a page from 1, times in GMT+8. It knows only what sellers promote: that
something is not found proves nothing. Its ids may differ from those in links. Quotas stand in the account's
console; beyond them code 7 comes with HTTP 200.
"""

from __future__ import annotations

from datetime import datetime

from crawlers.apis.answers import addresses, at, entries_at, named, number_at, some_at, text_at
from crawlers.apis.interface import Call, Fault, FaultKind, Interface, Offer, ResultPage, form
from crawlers.apis.signing import china_time, signed

METHOD = "taobao.tbk.dg.material.optional.upgrade"
ANSWER = "tbk_dg_material_optional_upgrade_response"
CALL_LIMITED = "7"
REFUSED = frozenset({"11", "12", "13", "24", "25", "26", "27", "28", "29"})  # rights, signature, session, key
UNAVAILABLE = "10"
NOTHING_FOUND = "50001"  # a sub code: told as an error, and is none


class TaobaoUnion(Interface):
    page_size = 100

    def search(self, term: str | None, page: int, now: datetime) -> Call:
        parameters = {
            "method": METHOD,
            "app_key": self.keys["app_key"],
            "timestamp": china_time(now),
            "v": "2.0",
            "sign_method": "md5",
            "format": "json",
            "q": term or "",
            "adzone_id": self.keys["adzone_id"],
            "page_no": str(page),
            "page_size": str(self.page_size),
        }
        sent = signed(parameters, self.keys["app_secret"])
        return form(f"{self.home}/router/rest", sent, ("app_key", "adzone_id", "sign"))

    def read(self, data: object) -> ResultPage:
        if text_at(data, "error_response", "sub_code") == NOTHING_FOUND:
            return ResultPage((), 0)
        entries = entries_at(data, ANSWER, "result_list", "map_data")
        return ResultPage(tuple(map(_offer, entries)), len(entries), number_at(data, ANSWER, "total_results"))

    @classmethod
    def fault(cls, status: int, data: object) -> Fault | None:  # noqa: ARG003 - it always says 200
        error = at(data, "error_response")
        code, sub_code = text_at(error, "code"), text_at(error, "sub_code")
        words = " ".join(filter(None, (sub_code, text_at(error, "sub_msg") or text_at(error, "msg"))))
        if error is None or sub_code == NOTHING_FOUND:
            return None
        if code == CALL_LIMITED or sub_code.startswith(("accesscontrol.", "isp.call-limited")):
            return Fault(FaultKind.RATE_LIMITED, code, words)
        if code in REFUSED:
            return Fault(FaultKind.REFUSED, code, words)
        broken = code == UNAVAILABLE or sub_code.startswith("isp.")
        return Fault(FaultKind.UNAVAILABLE if broken else FaultKind.REJECTED, code, words)


def _offer(entry: object) -> Offer:
    goods = at(entry, "item_basic_info")
    pictures = [picture for picture in some_at(goods, "small_images", "string") if isinstance(picture, str)]
    prices = at(entry, "price_promotion_info")
    facts = {
        "title": text_at(goods, "title"),
        "description": text_at(goods, "sub_title"),
        "price": text_at(prices, "zk_final_price") or text_at(prices, "reserve_price"),
        "seller": text_at(goods, "shop_title"),
        "seller_id": text_at(goods, "seller_id"),
        "images": addresses(text_at(goods, "pict_url"), *pictures),
        "attributes": named(
            category=text_at(goods, "category_name") or text_at(goods, "level_one_category_name"),
            volume=text_at(goods, "volume"),
        ),
    }
    return Offer(text_at(entry, "item_id"), facts)
