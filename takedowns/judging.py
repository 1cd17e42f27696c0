"""Is it really gone? Looks and claims in, our own finding about a lead out.

Only looks of trusted runs, made after the notice was sent, are judged. ``blocked`` and ``error`` never speak
for either side; that all looks failed is a finding of its own. The page of a shop or account is judged by the
same rule (:mod:`takedowns.sellers`), and so is what vanished without us (:mod:`takedowns.control`). Pure:
nothing here reads a clock or a table.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import groupby, pairwise

from crawlers.listing import Presence
from takedowns.ledger.vocabulary import REMOVAL_CLAIMS, Measure, VerificationOutcome
from takedowns.settings import Removal

CONCLUSIVE = frozenset({Presence.UP, Presence.GONE, Presence.ALTERED})
# Shops take their goods off for the night, when inspectors look. One that came back LATELY, or TWICE_IN that
# time, is believed to be gone for good only when it was so at other hours of the day, or at MANY looks over
# LONG: of a few, those by day may all have failed.
LATELY, TWICE_IN = timedelta(days=3), timedelta(days=14)
LONG, MANY = timedelta(days=7), 7
OTHER_HOURS = timedelta(hours=6)
REMOVED = frozenset({VerificationOutcome.REMOVED_VERIFIED, VerificationOutcome.REMOVED_UNCLAIMED})


@dataclass(frozen=True)
class Look:
    """A sighting. ``trusted`` is False when the canaries of its run failed."""

    id: int
    state: Presence
    observed_at: datetime
    vantage: str
    trusted: bool = True


@dataclass(frozen=True)
class Claim:
    id: int
    measure: Measure
    claimed_at: datetime | None
    received_at: datetime


@dataclass(frozen=True)
class LeadFacts:
    """What is known of a sent lead at ``as_of``; the order of ``looks`` and ``claims`` does not matter.

    ``unread_since``: when a run began whose looks are not known yet.
    """

    sent_at: datetime
    answer_due: datetime
    as_of: datetime
    looks: tuple[Look, ...] = ()
    claims: tuple[Claim, ...] = ()
    unread_since: datetime | None = None


@dataclass(frozen=True)
class Judgement:
    """``observed_at`` is the time of the event itself; the ids are of the looks and claims it rests on."""

    outcome: VerificationOutcome
    observed_at: datetime
    looks: tuple[int, ...]
    claims: tuple[int, ...] = ()


def judge(facts: LeadFacts, rule: Removal) -> Judgement | None:
    """Apply the rule of removal; None while nothing can be said.

    In this order: relisted, removed, altered, false_claim, not_removed, unverifiable. A removal counts from
    the first look of its :func:`proof_of_removal`, for which looks that are not known yet are waited for. An
    up look after it is a relisting, for good.
    """
    made = _in_order(look for look in facts.looks if facts.sent_at < look.observed_at <= facts.as_of)
    looks = [look for look in made if tells(look)]
    claims = sorted(
        (c for c in facts.claims if c.measure in REMOVAL_CLAIMS and c.received_at <= facts.as_of),
        key=lambda claim: (claim.received_at, claim.id),
    )
    if not looks:
        return _unverifiable(made)
    until = min(filter(None, (facts.as_of, facts.unread_since)))
    proof = proof_of_removal(facts.looks, rule, since=facts.sent_at, until=until)
    return (
        _removed_or_relisted(proof, looks, claims)
        or _altered(looks, rule)
        or _false_claim(looks, claims, rule)
        or _not_removed(looks, claims, facts.answer_due)
    )


def tells(look: Look) -> bool:
    """Whether anything may be concluded from the look."""
    return look.trusted and look.state in CONCLUSIVE


def proof_of_removal(
    looks: Iterable[Look], rule: Removal, *, since: datetime, until: datetime
) -> Sequence[Look]:
    """The looks that prove a removal first; empty while none does. The order of ``looks`` does not matter.

    They are ``gone_checks`` at least, from one vantage, all found it gone, over ``over_hours`` at least, and
    no look between found it up or altered. Nor may another vantage hold that it is there: one that found it
    so within ``vantage_days`` must have found it gone as well. One that came and went lately has to be gone
    at other hours, too, or for long. All looks were made after ``since`` and not after ``until``; earlier
    ones can only speak against it.
    """
    told = _in_order(look for look in looks if tells(look) and look.observed_at <= until)
    later = [look for look in told if look.observed_at > since]
    start = len(told) - len(later)
    for state, group in groupby(later, key=lambda look: look.state):
        run = list(group)
        before, start = told[:start], start + len(run)
        if state is Presence.GONE and (proof := _proof(before, run, rule)):
            return proof
    return ()


def _unverifiable(failed: Sequence[Look]) -> Judgement | None:
    if not failed:
        return None
    return Judgement(VerificationOutcome.UNVERIFIABLE, failed[0].observed_at, _ids(failed))


def _removed_or_relisted(
    proof: Sequence[Look], looks: Sequence[Look], claims: Sequence[Claim]
) -> Judgement | None:
    if not proof:
        return None
    back = next(
        (look for look in looks if look.state is Presence.UP and look.observed_at > proof[-1].observed_at),
        None,
    )
    if back is not None:
        return Judgement(VerificationOutcome.RELISTED, back.observed_at, _ids([*proof, back]), _ids(claims))
    outcome = VerificationOutcome.REMOVED_VERIFIED if claims else VerificationOutcome.REMOVED_UNCLAIMED
    return Judgement(outcome, proof[0].observed_at, _ids(proof), _ids(claims))


def _proof(before: Sequence[Look], run: Sequence[Look], rule: Removal) -> Sequence[Look]:
    """The looks of ``run`` from the vantage that is the first to complete the rule, up to where it does."""
    last = {look.vantage: look for look in before}
    there = {at: look.observed_at for at, look in last.items() if look.state is not Presence.GONE}
    wavers = _wavers(before, run[0].observed_at)
    by_vantage = defaultdict(list)
    for look in run:
        by_vantage[look.vantage].append(look)
        there.pop(look.vantage, None)
        seen = by_vantage[look.vantage]
        doubted = any(look.observed_at - up <= timedelta(days=rule.vantage_days) for up in there.values())
        enough = len(seen) >= rule.gone_checks and _span(seen) >= timedelta(hours=rule.over_hours)
        if enough and not doubted and (not wavers or _persists(seen)):
            return seen
    return ()


def _wavers(before: Sequence[Look], moment: datetime) -> bool:
    """Whether it was gone and there again too lately or too often before ``moment``."""
    ago = [
        moment - gone.observed_at
        for gone, next_look in pairwise(before)
        if gone.state is Presence.GONE and next_look.state is not Presence.GONE
    ]
    return any(age <= LATELY for age in ago) or sum(age <= TWICE_IN for age in ago) > 1


def _altered(looks: Sequence[Look], rule: Removal) -> Judgement | None:
    """It shows something else, and did so for ``over_hours``, and was not up again since."""
    last_up = max((i for i, look in enumerate(looks) if look.state is Presence.UP), default=-1)
    altered = [look for look in looks[last_up + 1 :] if look.state is Presence.ALTERED]
    if len(altered) < 2 or _span(altered) < timedelta(hours=rule.over_hours):
        return None
    return Judgement(VerificationOutcome.ALTERED, altered[0].observed_at, _ids(altered))


def _false_claim(looks: Sequence[Look], claims: Sequence[Claim], rule: Removal) -> Judgement | None:
    """Claimed removed, and found up since by ``up_checks`` looks over ``up_over_hours`` at least.

    That the platform took its word back later does not make it true.
    """
    if not claims:
        return None
    up = [look for look in looks if look.state is Presence.UP and look.observed_at > claims[0].received_at]
    for count in range(rule.up_checks, len(up) + 1):
        proof = up[:count]
        if _span(proof) >= timedelta(hours=rule.up_over_hours):
            return Judgement(
                VerificationOutcome.FALSE_CLAIM, proof[-1].observed_at, _ids(proof), _ids(claims)
            )
    return None


def _not_removed(looks: Sequence[Look], claims: Sequence[Claim], answer_due: datetime) -> Judgement | None:
    """Seen up after the deadline, when nothing was claimed yet.

    A look before the deadline says nothing about its end. Neither a later claim nor a single look that finds
    it gone takes the finding back: a removal does, once it is proved.
    """
    claimed_at = claims[0].received_at if claims else None
    late = [
        look
        for look in looks
        if look.state is Presence.UP
        and look.observed_at > answer_due
        and (claimed_at is None or look.observed_at <= claimed_at)
    ]
    if not late:
        return None
    return Judgement(VerificationOutcome.NOT_REMOVED, late[0].observed_at, _ids(late[:1]))


def _in_order(looks: Iterable[Look]) -> list[Look]:
    return sorted(looks, key=lambda look: (look.observed_at, look.id))


def _persists(looks: Sequence[Look]) -> bool:
    """Whether they were made at hours of the day that lie apart, or are many."""
    day = timedelta(days=1)
    apart = ((one.observed_at - looks[0].observed_at) % day for one in looks)
    at_other_hours = any(min(gap, day - gap) >= OTHER_HOURS for gap in apart)
    return at_other_hours or (len(looks) >= MANY and _span(looks) >= LONG)


def _span(looks: Sequence[Look]) -> timedelta:
    return looks[-1].observed_at - looks[0].observed_at


def _ids(rows: Iterable[Look | Claim]) -> tuple[int, ...]:
    return tuple(row.id for row in rows)
