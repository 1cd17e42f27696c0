"""Is this page a wall (captcha, login, refusal) instead of an answer? Pure; a wall says nothing on a listing.

Walls are detected, recorded and left to a person. Nothing here or elsewhere gets around one.
"""

from __future__ import annotations

import re
from collections.abc import Iterable

from crawlers.answer import Answer
from crawlers.platforms import Block, Marker
from crawlers.selectors import elements, text_of

REFUSALS = {401: "login_wall", 403: "access_denied", 407: "access_denied"}
RATE_LIMITED = 429

# Signs of the walls in front of many shops. Words are looked for inside an element that only a wall has:
# the same words stand in scripts, in recommendations and in what sellers write. Many shops let sellers write
# elements as well: such a sign tells of a wall only where nothing can be bought. A platform's own signs need
# no such doubt: who wrote them knows its pages.
COMMON_BLOCKS = (
    Block(
        reason="captcha",
        css="form#challenge-form, div#cf-challenge-running, iframe[src*='captcha-delivery.com'], "
        "form[action*='validateCaptcha'], div#px-captcha, div#nocaptcha, div.J_MIDDLEWARE_FRAME_WIDGET, "
        "iframe[src*='_Incapsula_Resource'], div#challenge-container, div.nc-container",
    ),
    Block(reason="access_denied", css="h1[data-translate=block_headline]"),
    Block(
        reason="captcha", url=r"(?i)^https?://[^/]+/(?:[\w.-]+/)*(?:captcha|punish|risk_handler)(?:[/?.]|$)"
    ),
    Block(reason="login_wall", url=r"(?i)^https?://(?:login|passport|sso)\.[^/]+/"),
)
# A page's title is also the seller's: it tells of a wall only where nothing can be bought.
TITLES = {
    "captcha": re.compile(
        r"(?i)just a moment|attention required|security check|are you (?:a )?human|robot check|captcha"
        r"|验证码|安全验证|滑动验证|人机验证|访问验证"
    ),
    "access_denied": re.compile(
        r"(?i)access (?:to this page has been )?denied|request (?:blocked|rejected)|pardon our interruption"
        r"|403 forbidden|forbidden$|访问被拒绝|访问受限|访问被拦截"
    ),
    "login_wall": re.compile(
        r"(?i)(?:sign|log) ?in(?:$|\W)|(?:customer|account|member) login|请登录|用户登录|登录(?:$|\W)"
        r"|.{0,20}\W欢迎登录"
    ),
}


def detect_block(answer: Answer, blocks: Iterable[Block], alive: Iterable[Marker] = ()) -> str | None:
    """The reason code of the wall that ``answer`` is, or None. The platform's own signs come first.

    ``alive``: the platform's signs of a listing (buy control, "sold out"), which no wall shows.
    """
    sought = (tuple(blocks), tuple(alive))
    if sought not in answer.walls:
        answer.walls[sought] = _wall(answer, *sought)
    return answer.walls[sought]


def _wall(answer: Answer, blocks: tuple[Block, ...], alive: tuple[Marker, ...]) -> str | None:
    for block in blocks:
        if _holds(block, answer):
            return block.reason
    for block in COMMON_BLOCKS:
        if _holds(block, answer) and (block.url or not _sells(answer, alive)):
            return block.reason
    if answer.headers.get("cf-mitigated") == "challenge":  # Cloudflare says so itself
        return "captcha"
    return _told_by_title(answer, alive) or REFUSALS.get(answer.status)


def block_at(url: str, blocks: Iterable[Block]) -> str | None:
    """The same for an address alone: where a redirect led that was not followed."""
    by_address = (
        block for block in (*blocks, *COMMON_BLOCKS) if block.url and not block.css and not block.text
    )
    return next((block.reason for block in by_address if re.search(block.url or "", url)), None)


def counts_as_block(answer: Answer, blocks: Iterable[Block], alive: Iterable[Marker] = ()) -> bool:
    """Whether the platform asks us to go away: two of these in a row end a crawl."""
    return answer.status == RATE_LIMITED or detect_block(answer, blocks, alive) is not None


def shows(answer: Answer, css: str, text: str | None) -> bool:
    """Whether something in sight matches ``css``, with ``text`` (a pattern) inside it where one is given."""
    if not answer.may_hold(css):
        return False
    found = elements(answer.tree, css)
    return any(text is None or re.search(text, text_of(element)) for element in found)


def _holds(block: Block, answer: Answer) -> bool:
    if block.url and not re.search(block.url, answer.url):
        return False
    if block.css is None:
        return not block.text or bool(re.search(block.text, answer.text))
    return shows(answer, block.css, block.text)


def _told_by_title(answer: Answer, alive: Iterable[Marker]) -> str | None:
    title = answer.page_title
    named = (reason for reason, sign in TITLES.items() if sign.match(title))
    reason = next(named, None)
    return None if reason is None or _sells(answer, alive) else reason


def _sells(answer: Answer, alive: Iterable[Marker]) -> bool:
    return any(shows(answer, marker.css, marker.text) for marker in alive)
