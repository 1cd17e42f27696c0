"""Is this page a wall (captcha, login, refusal) instead of an answer? Pure; a wall says nothing on a listing.

Walls are detected, recorded and left to a person. Nothing here or elsewhere gets around one.
"""

from __future__ import annotations

import re
from collections.abc import Iterable

from crawlers.answer import Answer
from crawlers.platforms import Block
from crawlers.selectors import elements, text_of

REFUSALS = {401: "login_wall", 403: "access_denied", 407: "access_denied"}
RATE_LIMITED = 429

# Signs of the walls in front of many shops. Words are looked for inside an element that only a wall has:
# the same words stand in scripts, in recommendations and in what sellers write.
COMMON_BLOCKS = (
    Block(
        reason="captcha",
        css="title",
        text=r"(?i)^\s*(?:just a moment|attention required|验证码|安全验证|captcha)",
    ),
    Block(
        reason="access_denied",
        css="title",
        text=r"(?i)^\s*(?:access denied|访问被拒绝|访问受限|403 forbidden)",
    ),
    Block(
        reason="captcha",
        css="form#challenge-form, div#cf-challenge-running, iframe[src*='captcha-delivery.com']",
    ),
    Block(
        reason="captcha",
        css="form[action*='validateCaptcha'], div#px-captcha, div#nocaptcha, div.J_MIDDLEWARE_FRAME_WIDGET",
    ),
    Block(
        reason="captcha", url=r"(?i)^https?://[^/]+/(?:[\w.-]+/)*(?:captcha|punish|risk_handler)(?:[/?.]|$)"
    ),
    Block(reason="login_wall", url=r"(?i)^https?://(?:login|passport|sso)\.[^/]+/"),
)


def detect_block(answer: Answer, blocks: Iterable[Block]) -> str | None:
    """The reason code of the wall that ``answer`` is, or None. The platform's own signs come first."""
    for block in (*blocks, *COMMON_BLOCKS):
        if _holds(block, answer):
            return block.reason
    return REFUSALS.get(answer.status)


def block_at(url: str, blocks: Iterable[Block]) -> str | None:
    """The same for an address alone: where a redirect led that was not followed."""
    by_address = (
        block for block in (*blocks, *COMMON_BLOCKS) if block.url and not block.css and not block.text
    )
    return next((block.reason for block in by_address if re.search(block.url or "", url)), None)


def counts_as_block(answer: Answer, blocks: Iterable[Block]) -> bool:
    """Whether the platform asks us to go away: two of these in a row end a crawl."""
    return answer.status == RATE_LIMITED or detect_block(answer, blocks) is not None


def _holds(block: Block, answer: Answer) -> bool:
    if block.url and not re.search(block.url, answer.url):
        return False
    if block.css is None:
        return not block.text or bool(re.search(block.text, answer.text))
    texts = (text_of(element) for element in elements(answer.tree, block.css))
    return any(not block.text or re.search(block.text, text) for text in texts)
