"""Signs of life and absence: the control to buy with, and what stands in place of a listing that is gone."""

from __future__ import annotations

import re
from dataclasses import dataclass
from urllib.parse import urlsplit

from lxml import etree

from crawlers.answer import Answer
from crawlers.drafting.elements import selector_of, selectors_of, words_of
from crawlers.drafting.fields import elements_in_sight, is_beside
from crawlers.presence import GONE_STATUSES
from crawlers.selectors import elements, text_of

BUY_WORDS = re.compile(
    r"(?i)加入购物车|加入購物車|加购|立即购买|立即購買|立即下单|马上抢|我要买|购买"
    r"|add to (?:cart|basket|bag)|buy (?:it )?now|purchase"
)
BUY_NAMES = re.compile(
    r"(?i)add[_-]?(?:to[_-]?)?(?:cart|basket|bag)|buy[_-]?now|btn[_-]?(?:buy|cart)|purchase"
)
GONE_WORDS = re.compile(
    r"(?i)不存在|已下架|已下柜|已删除|已失效|找不到|已关闭"
    r"|not (?:be )?found|no longer (?:available|exists?)|does ?n[o']t exist|discontinued|been removed"
)
CONTROLS = "button, input[type=submit], input[type=button], a, [role=button]"
SHORT = 120  # code points of a notice


@dataclass(frozen=True)
class Absence:
    """How the platform answers for an id that it never gave.

    ``understood`` without ``gone`` and ``elsewhere``: by its status alone.
    """

    understood: bool
    gone: dict[str, str] | None = None
    elsewhere: str | None = None


def buy_control(listing: Answer, search: Answer) -> str | None:
    """A selector for the control to buy with, if possible one that the result page does not have as well."""
    found = [
        element for element in elements(listing.tree, CONTROLS) if _sells(element) and not is_beside(element)
    ]
    selectors = [css for element in found for css in selectors_of(element, listing.tree)]
    own = [css for css in selectors if not elements(search.tree, css)]
    return next(iter([*own, *selectors]), None)


def absence_on(answer: Answer, listing: Answer) -> Absence:
    """``answer``: of an id that does not exist; ``listing``: of one that does."""
    if answer.status in GONE_STATUSES:
        return Absence(True)
    if answer.status >= 300:
        return Absence(False)
    for element in reversed(list(elements_in_sight(answer.tree))):  # the innermost come last
        notice = GONE_WORDS.search(text_of(element)) if len(text_of(element)) <= SHORT else None
        css = selector_of(element, answer.tree) if notice and not is_beside(element) else None
        if notice and css and not _shows(listing, css, notice[0]):
            return Absence(True, gone={"css": css, "text": notice[0]})
    if answer.url != answer.requested_url:
        place = urlsplit(answer.url)._replace(scheme="", netloc="").geturl() or "/"
        return Absence(True, elsewhere=f"^{re.escape(place)}$")
    return Absence(False)


def _sells(element: etree._Element) -> bool:
    text = text_of(element) or element.get("value", "")
    form = next(element.iterancestors("form"), None)
    to_basket = form is not None and re.search(r"(?i)cart|basket", form.get("action", ""))
    submits = element.get("type", "submit" if element.tag == "button" else "") == "submit"
    worded = len(text) <= 30 and BUY_WORDS.search(text)
    return bool(worded or BUY_NAMES.search(words_of(element)) or (to_basket and submits))


def _shows(answer: Answer, css: str, words: str) -> bool:
    return any(words in text_of(element) for element in elements(answer.tree, css))
