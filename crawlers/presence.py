"""Is the listing there? One final answer of a server in, a judgement out. Pure.

The order of the questions is the point: a wall is recognised before anything else, life is proved before its
absence is considered, and what is not understood is an error, never a removal.
"""

from __future__ import annotations

import re
import unicodedata
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from itertools import pairwise
from urllib.parse import urlsplit

from crawlers.answer import MAX_BODY, Answer
from crawlers.blocks import RATE_LIMITED, block_at, detect_block, shows
from crawlers.listing import Presence
from crawlers.platforms import Marker, Platform, PresenceRules
from crawlers.structured import Facts, read_structured

GONE_STATUSES = frozenset({404, 410})
# The last part of schema.org's addresses, lower case; "" where a shop does not say.
FOR_SALE = frozenset({"", "instock", "limitedavailability", "onlineonly", "instoreonly"})
STILL_LISTED = frozenset({"outofstock", "soldout", "backorder", "preorder", "presale"})
SAME_GOODS = 0.2  # least share of letter pairs that a retouched title keeps; unrelated titles share fewer


@dataclass(frozen=True)
class Judgement:
    """``reason`` is a snake_case code. ``facts``: what the page's structured data said, when it was read."""

    state: Presence
    reason: str
    facts: Facts | None = None


def judge(answer: Answer, platform: Platform, item_id: str) -> Judgement:
    """What ``answer`` shows of the listing ``item_id``. Raises ValueError for a platform without rules."""
    if platform.presence is None:
        raise ValueError(f"{platform.name} has no presence rules")
    if wall := detect_block(answer, platform.blocks, (*platform.presence.alive, *platform.presence.sold_out)):
        return Judgement(Presence.BLOCKED, wall)
    if trouble := _trouble(answer):
        return Judgement(Presence.ERROR, trouble)
    facts = read_structured(answer, platform.listing_url, item_id)
    if life := _sign_of_life(answer, platform, platform.presence, item_id, facts):
        return life
    if wall := detect_block(answer, platform.blocks):  # a buy control beside it proves life, never absence
        return Judgement(Presence.BLOCKED, wall)
    return _sign_of_absence(answer, platform, platform.presence, item_id, facts)


def judge_unfollowed(url: str, platform: Platform, reason: str) -> Judgement:
    """The same for a redirect to ``url`` that was not followed, for ``reason``: only a wall can be told."""
    if wall := block_at(url, platform.blocks):
        return Judgement(Presence.BLOCKED, wall)
    return Judgement(Presence.ERROR, reason)


def is_altered(title_before: str, title_now: str) -> bool:
    """Whether the titles cannot be of the same goods; additions, cuts and punctuation do not count."""
    if title_before == title_now:
        return False
    before, now = _letters(title_before), _letters(title_now)
    if not before or not now:
        return bool(before) != bool(now)
    if before in now or now in before:
        return False
    pairs_before, pairs_now = _pairs(before), _pairs(now)
    kept = (pairs_before & pairs_now).total()
    return kept < SAME_GOODS * min(pairs_before.total(), pairs_now.total())


def _trouble(answer: Answer) -> str | None:
    if answer.status >= 500 or answer.status == RATE_LIMITED:
        return f"http_{answer.status}"
    if len(answer.body) > MAX_BODY:
        return "too_large"
    return "too_complex" if answer.is_html and answer.is_bomb else None


def _sign_of_life(
    answer: Answer, platform: Platform, rules: PresenceRules, item_id: str, facts: Facts
) -> Judgement | None:
    """Positive proof: an answer of success that is about this id, and is for sale or says "sold out"."""
    named = item_id in facts.ids
    here = named or (not facts.ids and platform.listing_url.item_id(answer.url) == item_id)
    if not (_succeeded(answer) and here):
        return None
    gone = _any(rules.gone, answer)
    reason = _listed_as(answer, rules, facts if named and not gone else Facts())
    if reason and gone and not (named and facts.values):  # the buy control may belong to a recommendation
        return Judgement(Presence.ERROR, "contradictory", facts)
    return Judgement(Presence.UP, reason, facts) if reason else None


def _listed_as(answer: Answer, rules: PresenceRules, facts: Facts) -> str | None:
    """``alive`` or ``sold_out`` by what is in sight or, with ``facts`` about this very item, by those."""
    availability = str(facts.values.get("availability", "")).lower()
    offered = bool(facts.values.get("price")) and availability in FOR_SALE
    if _any(rules.sold_out, answer):
        return "sold_out"
    # The words of a buy control in the source and an offer with a price: enough, and no tree is needed.
    if offered and any(answer.may_hold(marker.css) for marker in rules.alive):
        return "alive"
    if _any(rules.alive, answer):
        return "alive"
    return "sold_out" if availability in STILL_LISTED else None


def _sign_of_absence(
    answer: Answer, platform: Platform, rules: PresenceRules, item_id: str, facts: Facts
) -> Judgement:
    is_other = platform.listing_url.item_id(answer.url) not in (None, item_id)
    if not is_other and _any(rules.gone, answer):  # another listing's notice is about that one
        return Judgement(Presence.GONE, "gone_marker")
    if answer.status in GONE_STATUSES:
        return Judgement(Presence.GONE, f"http_{answer.status}")
    if not answer.is_html:
        return Judgement(Presence.ERROR, "not_html")
    if _succeeded(answer) and _led_elsewhere(answer, platform, rules, item_id):
        return Judgement(Presence.GONE, "redirect_elsewhere")
    if is_other:
        return Judgement(Presence.ERROR, "other_item")
    if item_id in facts.ids and str(facts.values.get("availability", "")).lower() == "discontinued":
        return Judgement(Presence.ERROR, "discontinued")  # shops say so of drafts as well: a hint, no proof
    return Judgement(Presence.ERROR, "unrecognised")


def _led_elsewhere(answer: Answer, platform: Platform, rules: PresenceRules, item_id: str) -> bool:
    """Whether a redirect, by the server or by a script, ended where the profile says: not here."""
    if answer.url == answer.requested_url or platform.listing_url.item_id(answer.url) == item_id:
        return False
    place = urlsplit(answer.url)._replace(scheme="", netloc="").geturl()
    return platform.owns_host(answer.url) and any(re.search(pattern, place) for pattern in rules.elsewhere)


def _succeeded(answer: Answer) -> bool:
    return 200 <= answer.status < 300


def _any(markers: Iterable[Marker], answer: Answer) -> bool:
    return any(marks(marker, answer) for marker in markers)


def marks(marker: Marker, answer: Answer) -> bool:
    """Whether ``marker`` is on the page, in sight, with its text inside its selector."""
    return shows(answer, marker.css, marker.text)


def _letters(title: str) -> str:
    return "".join(filter(str.isalnum, unicodedata.normalize("NFKC", title).casefold()))


def _pairs(letters: str) -> Counter[str]:
    return Counter(map("".join, pairwise(letters))) or Counter([letters])
