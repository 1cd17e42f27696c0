"""Which class speaks which interface, and what an answer is before anybody reads it."""

from __future__ import annotations

import re
from collections.abc import Mapping

from crawlers.answer import Answer
from crawlers.apis.ebay import EbayBrowse
from crawlers.apis.interface import Fault, FaultKind, Interface
from crawlers.apis.jd_union import JdUnion
from crawlers.apis.keys import KEYS, read_keys
from crawlers.apis.pdd_ddjb import PddDuoduoJinbao
from crawlers.apis.shopify import Shopify
from crawlers.apis.taobao_union import TaobaoUnion
from crawlers.apis.woocommerce import WooCommerce
from crawlers.blocks import block_at, detect_block
from crawlers.platforms import Platform

INTERFACES: dict[str, type[Interface]] = {
    "shopify": Shopify,
    "woocommerce": WooCommerce,
    "ebay": EbayBrowse,
    "taobao-union": TaobaoUnion,
    "jd-union": JdUnion,
    "pdd-ddjb": PddDuoduoJinbao,
}
RATE_LIMITED = frozenset({429, 430})  # 430 is Shopify's own
LOCKED_SHOP = re.compile(r"/password(?:[/?]|$)|/(?:wp-)?login", re.I)


def interface_for(platform: Platform, environment: Mapping[str, str]) -> Interface:
    """Raises MissingKeysError, and ValueError for a platform of another road."""
    if platform.api is None:
        raise ValueError(f"{platform.name} has no interface")
    name = platform.api.interface
    return INTERFACES[name](platform, read_keys(name, environment))


def fault_of(answer: Answer, platform: Platform) -> Fault | None:
    """The fault that ``answer`` is, by its status and its words; None for one that can be read.

    Signs of a wall are looked for only in what is no JSON: a seller's HTML inside it must not feign one.
    """
    if platform.api is None:
        raise ValueError(f"{platform.name} has no interface")
    if answer.data is None and (wall := detect_block(answer, platform.blocks)):
        return Fault(FaultKind.WALLED, wall)
    by_words = INTERFACES[platform.api.interface].fault(answer.status, answer.data)
    if kind := _kind_of(answer.status, bool(KEYS[platform.api.interface])):
        return Fault(kind, f"http_{answer.status}", by_words.message if by_words else "")
    if 300 <= answer.status < 400:
        return _redirect(answer, platform)
    if by_words is None and answer.data is None and answer.status not in {404, 410}:
        return Fault(FaultKind.UNREADABLE, "not_json")
    return by_words


def _kind_of(status: int, keyed: bool) -> FaultKind | None:
    """What the status alone tells."""
    if status in RATE_LIMITED:
        return FaultKind.RATE_LIMITED
    if status in {401, 403}:
        return FaultKind.REFUSED if keyed else FaultKind.WALLED
    return FaultKind.UNAVAILABLE if status >= 500 else None


def _redirect(answer: Answer, platform: Platform) -> Fault:
    """Not followed: what is signed for one address is not for another."""
    place = answer.absolute(answer.headers.get("location", ""))
    if wall := block_at(place, platform.blocks):
        return Fault(FaultKind.WALLED, wall)
    if LOCKED_SHOP.search(place):
        return Fault(FaultKind.WALLED, "login_wall")
    return Fault(FaultKind.REJECTED, "redirected", f"the interface points to {place[:200]}: is home right?")
