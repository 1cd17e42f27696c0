"""What the simulated market really does: each listing's page at any time, what its platform says. Pure.

Every kind of conduct comes with what the ledger has to make of it in the end (:data:`TRUTH`).
"""

from __future__ import annotations

import random
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum

from takedowns.ledger.vocabulary import Measure, RelistingKind, VerificationOutcome

HOUR, DAY = timedelta(hours=1), timedelta(days=1)
PLAIN, BROWSER = "anonymous-http", "browser"  # the vantages


class Shown(StrEnum):
    UP = "up"
    GONE = "gone"
    SWAPPED = "swapped"  # innocent goods under the same address
    WALL = "wall"


class Conduct(StrEnum):
    OBEY = "obey"
    SILENT = "silent"  # removed, and nobody says so
    SLOW = "slow"
    PREMATURE = "premature"  # claimed days before it is done
    LATE_WORD = "late_word"  # claimed weeks after it was done
    CONTRADICT = "contradict"  # refused first, then done and claimed
    IGNORE = "ignore"
    REFUSE = "refuse"
    LIE = "lie"
    LIE_TAKEN_BACK = "lie_taken_back"
    LIE_THEN_LIE = "lie_then_lie"
    BLOCK = "block"  # nobody sees it after its notice
    WALL_LATER = "wall_later"
    COME_BACK = "come_back"
    NEW_ID = "new_id"
    COME_BACK_TWICE = "come_back_twice"
    SWAP = "swap"
    SWAP_BACK = "swap_back"
    SWAP_THEN_GO = "swap_then_go"
    SWAP_AFTER_GOING = "swap_after_going"
    GONE_BEFORE = "gone_before"
    FLICKER = "flicker"  # gone for hours, never for a day
    FLICKER_CLAIMED = "flicker_claimed"
    NIGHT = "night"  # off at night, when inspectors look
    CLOAK = "cloak"  # gone for one vantage, up for the other
    WITHDRAWN = "withdrawn"  # by us, and answered all the same


O = VerificationOutcome  # noqa: E741  (a column of the table below)


@dataclass(frozen=True)
class Truth:
    """How many in a thousand behave so; the final finding, None: nothing can be said; how it comes back."""

    share: int
    outcome: VerificationOutcome | None
    lies: bool = False
    back: RelistingKind | None = None


TRUTH: dict[Conduct, Truth] = {
    Conduct.OBEY: Truth(200, O.REMOVED_VERIFIED),
    Conduct.SILENT: Truth(80, O.REMOVED_UNCLAIMED),
    Conduct.SLOW: Truth(70, O.REMOVED_VERIFIED),
    Conduct.PREMATURE: Truth(50, O.REMOVED_VERIFIED, lies=True),
    Conduct.LATE_WORD: Truth(30, O.REMOVED_VERIFIED),
    Conduct.CONTRADICT: Truth(30, O.REMOVED_VERIFIED),
    Conduct.IGNORE: Truth(50, O.NOT_REMOVED),
    Conduct.REFUSE: Truth(30, O.NOT_REMOVED),
    Conduct.LIE: Truth(70, O.FALSE_CLAIM, lies=True),
    Conduct.LIE_TAKEN_BACK: Truth(20, O.FALSE_CLAIM, lies=True),
    Conduct.LIE_THEN_LIE: Truth(10, O.FALSE_CLAIM, lies=True),
    Conduct.BLOCK: Truth(50, O.UNVERIFIABLE),
    Conduct.WALL_LATER: Truth(20, None),
    Conduct.COME_BACK: Truth(70, O.RELISTED, back=RelistingKind.SAME_URL),
    Conduct.NEW_ID: Truth(60, O.REMOVED_VERIFIED, back=RelistingKind.SAME_TEXT),
    Conduct.COME_BACK_TWICE: Truth(20, O.RELISTED, back=RelistingKind.SAME_URL),
    Conduct.SWAP: Truth(40, O.ALTERED),
    Conduct.SWAP_BACK: Truth(15, O.NOT_REMOVED),
    Conduct.SWAP_THEN_GO: Truth(15, O.REMOVED_VERIFIED),
    Conduct.SWAP_AFTER_GOING: Truth(10, O.REMOVED_VERIFIED),
    Conduct.GONE_BEFORE: Truth(20, O.GONE_BEFORE),
    Conduct.FLICKER: Truth(10, O.NOT_REMOVED),
    Conduct.FLICKER_CLAIMED: Truth(10, O.FALSE_CLAIM, lies=True),
    Conduct.NIGHT: Truth(10, O.NOT_REMOVED),
    Conduct.CLOAK: Truth(10, O.NOT_REMOVED),
    Conduct.WITHDRAWN: Truth(10, None),
}


@dataclass(frozen=True)
class Answer:
    at: datetime
    measure: Measure
    dated: bool = True  # whether it says when it was done


@dataclass
class Page:
    """``changes`` in the order of their times; before the first it is up."""

    changes: list[tuple[datetime, Shown]] = field(default_factory=list)
    cloaked_from: datetime | None = None

    def at(self, moment: datetime, vantage: str) -> Shown:
        state = Shown.UP
        for at, shown in self.changes:
            if at <= moment:
                state = shown
        cloaked = self.cloaked_from and vantage == PLAIN and self.cloaked_from <= moment
        return Shown.GONE if cloaked and state is Shown.UP else state

    def stays_gone(self, since: datetime, until: datetime) -> bool:
        """For everybody, and without a break: what a removal has to mean."""
        between = [shown for at, shown in self.changes if since < at <= until]
        return self.at(since, BROWSER) is Shown.GONE and all(shown is Shown.GONE for shown in between)


@dataclass(frozen=True)
class Plan:
    """What follows the dispatch of a lead. ``twin_at``: when the goods stand under a new id."""

    changes: tuple[tuple[datetime, Shown], ...] = ()
    answers: tuple[Answer, ...] = ()
    twin_at: datetime | None = None
    cloaked_from: datetime | None = None
    withdraw_at: datetime | None = None


def conducts(rng: random.Random, count: int) -> list[Conduct]:
    """Every kind at least once, shuffled."""
    shares = [TRUTH[conduct].share for conduct in Conduct]
    drawn = list(Conduct) + rng.choices(list(Conduct), shares, k=count - len(Conduct))
    return rng.sample(drawn, len(drawn))


def plan(conduct: Conduct, rng: random.Random, sent: datetime) -> Plan:  # noqa: C901  (a table of kinds)
    """What the seller and the platform do after the notice of ``sent``."""
    acted = sent + rng.uniform(4, 40) * HOUR
    removed = (acted, Shown.GONE)
    claim = Answer(acted + rng.uniform(1, 6) * HOUR, Measure.DELETED, dated=rng.random() < 0.7)
    early = Answer(sent + rng.uniform(5, 40) * HOUR, Measure.DELETED, dated=rng.random() < 0.7)
    match conduct:
        case Conduct.OBEY | Conduct.WITHDRAWN:
            withdrawn = sent + 20 * HOUR if conduct is Conduct.WITHDRAWN else None
            return Plan((removed,), (claim,), withdraw_at=withdrawn)
        case Conduct.SILENT:
            return Plan((removed,))
        case Conduct.SLOW:
            done = sent + rng.uniform(6, 25) * DAY
            return Plan(((done, Shown.GONE),), (Answer(done + 3 * HOUR, Measure.LINK_CUT),))
        case Conduct.PREMATURE:
            return Plan(((early.at + rng.uniform(5, 9) * DAY, Shown.GONE),), (early,))
        case Conduct.LATE_WORD:
            return Plan((removed,), (Answer(acted + rng.uniform(15, 30) * DAY, Measure.DELETED),))
        case Conduct.CONTRADICT:
            return Plan((removed,), (Answer(sent + 2 * HOUR, Measure.REFUSED), claim))
        case Conduct.IGNORE:
            return Plan()
        case Conduct.REFUSE:
            word = rng.choice((Measure.REFUSED, Measure.DISPUTED, Measure.NONE))
            return Plan((), (Answer(early.at, word),))
        case Conduct.LIE:
            return Plan((), (early,))
        case Conduct.LIE_TAKEN_BACK:
            return Plan((), (early, Answer(early.at + 3 * DAY, Measure.REFUSED)))
        case Conduct.LIE_THEN_LIE:
            return Plan((), (early, Answer(early.at + 9 * DAY, Measure.SHOP_CLOSED)))
        case Conduct.BLOCK:
            return Plan(((sent + timedelta(minutes=rng.uniform(1, 30)), Shown.WALL),), (early,))
        case Conduct.WALL_LATER:
            return Plan(((sent + 1.5 * DAY, Shown.WALL),))
        case Conduct.COME_BACK | Conduct.COME_BACK_TWICE:
            return Plan((removed, (acted + rng.uniform(4, 50) * DAY, Shown.UP)), (claim,))
        case Conduct.NEW_ID:
            return Plan((removed,), (claim,), twin_at=acted + rng.uniform(3, 25) * DAY)
        case Conduct.SWAP:
            return Plan(((acted, Shown.SWAPPED),), (claim,) if rng.random() < 0.5 else ())
        case Conduct.SWAP_BACK:
            back = sent + rng.uniform(8, 12) * DAY
            return Plan(((acted, Shown.SWAPPED), (back, Shown.UP)))
        case Conduct.SWAP_THEN_GO:
            done = acted + rng.uniform(4, 9) * DAY
            return Plan(((acted, Shown.SWAPPED), (done, Shown.GONE)), (Answer(done + HOUR, Measure.DELETED),))
        case Conduct.SWAP_AFTER_GOING:
            return Plan((removed, (acted + rng.uniform(9, 20) * DAY, Shown.SWAPPED)), (claim,))
        case Conduct.FLICKER | Conduct.FLICKER_CLAIMED:
            return Plan(tuple(_flicker(rng, sent)), (early,) if conduct is Conduct.FLICKER_CLAIMED else ())
        case Conduct.NIGHT:
            return Plan()  # its habit, notice or not
        case Conduct.CLOAK:
            return Plan(cloaked_from=sent + rng.uniform(2, 3) * DAY)
        case Conduct.GONE_BEFORE:
            return Plan()


def _flicker(rng: random.Random, sent: datetime) -> Sequence[tuple[datetime, Shown]]:
    """Gone for up to eleven hours every third day."""
    changes = []
    for number in range(8):
        start = sent + (3 * number + rng.uniform(0.5, 2)) * DAY
        changes += [(start, Shown.GONE), (start + rng.uniform(3, 11) * HOUR, Shown.UP)]
    return changes


def nights(opening: datetime, days: int) -> Sequence[tuple[datetime, Shown]]:
    """Off from 22 to 8 o'clock in Shanghai, each day."""
    dusk = opening.replace(hour=14, minute=0)
    return [
        change
        for night in range(days)
        for change in (
            (dusk + night * DAY, Shown.GONE),
            (dusk + night * DAY + 10 * HOUR, Shown.UP),
        )
    ]
