"""What the market does about a lead: obey, ignore, lie … decided by seed and listing alone."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from functools import partial

from takedowns.sample_market.draw import between, pick
from takedowns.sample_market.modes import Mode
from takedowns.sample_market.notices import LeadLine


class Policy(StrEnum):
    OBEY = "obey"
    SILENT_OBEY = "silent_obey"
    """Removed, but nobody says so."""
    OBEY_THEN_RELIST = "obey_then_relist"
    IGNORE = "ignore"
    LIE = "lie"
    """The reply says removed; the listing stays up."""
    BLOCK = "block"
    """The reply says removed; the page hides behind a captcha, so nobody can tell."""


PERCENT = {
    Policy.OBEY: 42,
    Policy.SILENT_OBEY: 14,
    Policy.OBEY_THEN_RELIST: 14,
    Policy.IGNORE: 10,
    Policy.LIE: 12,
    Policy.BLOCK: 8,
}
LOTS = tuple(policy for policy, share in PERCENT.items() for _ in range(share))
REMOVAL_MODES = (
    *(Mode.HTTP_404, Mode.HTTP_404, Mode.HTTP_404),
    *(Mode.SOFT_404, Mode.SOFT_404, Mode.SOFT_404),
    *(Mode.HTTP_410, Mode.HTTP_410),
    *(Mode.REDIRECT_HOME, Mode.REDIRECT_HOME),
)
HIDING_MODES = (Mode.CAPTCHA_200, Mode.CAPTCHA_404)
HOUR, DAY = 60, 24 * 60  # in minutes


class Deed(StrEnum):
    SET_MODE = "set_mode"
    RELIST = "relist"
    ANSWER = "answer"


@dataclass(frozen=True)
class Action:
    due: datetime
    deed: Deed
    item_id: str
    lead: str
    mode: Mode = Mode.UP
    """Read for ``SET_MODE`` only."""


def policy_for(seed: int, item_id: str) -> Policy:
    return pick(LOTS, seed, "policy", item_id)


def plan(policy: Policy, seed: int, lead: LeadLine, now: datetime) -> tuple[Action, ...]:
    """What will become of one noticed listing: acted on after 4–40 h, answered 1–6 h later.

    One that hides does so within the hour, so that nobody sees it up after its notice. One that comes back
    does so 5–14 days after its removal: late enough for a removal to be verified.
    """
    action, key = partial(_action, lead, now), (seed, lead.item_id)
    acted = between(4 * HOUR, 40 * HOUR, *key, "delay")
    answer = action(acted + between(HOUR, 6 * HOUR, *key, "answer"), Deed.ANSWER)
    remove = action(acted, Deed.SET_MODE, pick(REMOVAL_MODES, *key, "mode"))
    hide = action(between(1, HOUR, *key, "hides"), Deed.SET_MODE, pick(HIDING_MODES, *key, "hiding"))
    back = pick((Deed.SET_MODE, Deed.RELIST), *key, "back")
    match policy:
        case Policy.OBEY:
            return remove, answer
        case Policy.SILENT_OBEY:
            return (remove,)
        case Policy.OBEY_THEN_RELIST:
            return remove, answer, action(acted + between(5 * DAY, 14 * DAY, *key, "return"), back)
        case Policy.IGNORE:
            return ()
        case Policy.LIE:
            return (answer,)
        case Policy.BLOCK:
            return hide, answer


def _action(lead: LeadLine, now: datetime, minute: int, deed: Deed, mode: Mode = Mode.UP) -> Action:
    return Action(now + timedelta(minutes=minute), deed, lead.item_id, lead.number, mode)
