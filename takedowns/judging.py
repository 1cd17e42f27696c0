"""Is it really gone? Looks and claims in, our own finding about a lead out.

Only looks of trusted runs, made after the notice was sent, are judged. ``blocked`` and ``error`` never speak
for either side; that all looks failed is a finding of its own. Pure: nothing here reads a clock or a table.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import groupby

from crawlers.listing import Presence
from takedowns.ledger.vocabulary import REMOVAL_CLAIMS, Measure, VerificationOutcome
from takedowns.settings import Removal

CONCLUSIVE = frozenset({Presence.UP, Presence.GONE, Presence.ALTERED})
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
    """What is known of a sent lead at ``as_of``; the order of ``looks`` and ``claims`` does not matter."""

    sent_at: datetime
    answer_due: datetime
    as_of: datetime
    looks: tuple[Look, ...] = ()
    claims: tuple[Claim, ...] = ()


@dataclass(frozen=True)
class Judgement:
    """``observed_at`` is the time of the event itself; the ids are of the looks and claims it rests on."""

    outcome: VerificationOutcome
    observed_at: datetime
    looks: tuple[int, ...]
    claims: tuple[int, ...] = ()


def judge(facts: LeadFacts, rule: Removal) -> Judgement | None:
    """Apply the rule of removal; None while nothing can be said.

    In this order: relisted, removed, altered, false_claim, not_removed, unverifiable. A removal is
    ``gone_checks`` looks from one vantage that found it gone, over ``over_hours`` at least, with no look
    between that found it up or altered. It counts from the first of them. An up look after it is a relisting,
    for good.
    """
    made = sorted(
        (look for look in facts.looks if facts.sent_at < look.observed_at <= facts.as_of),
        key=lambda look: (look.observed_at, look.id),
    )
    looks = [look for look in made if look.trusted and look.state in CONCLUSIVE]
    claims = sorted(
        (c for c in facts.claims if c.measure in REMOVAL_CLAIMS and c.received_at <= facts.as_of),
        key=lambda claim: (claim.received_at, claim.id),
    )
    if not looks:
        return _unverifiable(made)
    return (
        _removed_or_relisted(looks, claims, rule)
        or _altered(looks, rule)
        or _false_claim(looks, claims, rule)
        or _not_removed(looks, claims, facts.answer_due)
    )


def _unverifiable(failed: Sequence[Look]) -> Judgement | None:
    if not failed:
        return None
    return Judgement(VerificationOutcome.UNVERIFIABLE, failed[0].observed_at, _ids(failed))


def _removed_or_relisted(looks: Sequence[Look], claims: Sequence[Claim], rule: Removal) -> Judgement | None:
    proof = next((proof for run in _runs(looks, Presence.GONE) if (proof := _proof(run, rule))), None)
    if proof is None:
        return None
    back = next(
        (look for look in looks if look.state is Presence.UP and look.observed_at > proof[-1].observed_at),
        None,
    )
    if back is not None:
        return Judgement(VerificationOutcome.RELISTED, back.observed_at, _ids([*proof, back]), _ids(claims))
    outcome = VerificationOutcome.REMOVED_VERIFIED if claims else VerificationOutcome.REMOVED_UNCLAIMED
    return Judgement(outcome, proof[0].observed_at, _ids(proof), _ids(claims))


def _proof(run: Sequence[Look], rule: Removal) -> Sequence[Look] | None:
    """The looks of ``run`` from the vantage that is the first to complete the rule, up to where it does."""
    by_vantage = defaultdict(list)
    for look in run:
        by_vantage[look.vantage].append(look)
        seen = by_vantage[look.vantage]
        if len(seen) >= rule.gone_checks and _span(seen) >= timedelta(hours=rule.over_hours):
            return seen
    return None


def _altered(looks: Sequence[Look], rule: Removal) -> Judgement | None:
    """It shows something else, and did so for ``over_hours``, and was not up again since."""
    last_up = max((i for i, look in enumerate(looks) if look.state is Presence.UP), default=-1)
    altered = [look for look in looks[last_up + 1 :] if look.state is Presence.ALTERED]
    if len(altered) < 2 or _span(altered) < timedelta(hours=rule.over_hours):
        return None
    return Judgement(VerificationOutcome.ALTERED, altered[0].observed_at, _ids(altered))


def _false_claim(looks: Sequence[Look], claims: Sequence[Claim], rule: Removal) -> Judgement | None:
    if not claims:
        return None
    up = [look for look in looks if look.state is Presence.UP and look.observed_at > claims[0].received_at]
    if len(up) < rule.up_checks:
        return None
    proof = up[: rule.up_checks]
    return Judgement(VerificationOutcome.FALSE_CLAIM, proof[-1].observed_at, _ids(proof), _ids(claims))


def _not_removed(looks: Sequence[Look], claims: Sequence[Claim], answer_due: datetime) -> Judgement | None:
    """Seen up after the deadline, and last seen up: a look before the deadline says nothing about its end."""
    late = [look for look in looks if look.observed_at > answer_due and look.state is Presence.UP]
    if claims or not late or looks[-1].state is not Presence.UP:
        return None
    return Judgement(VerificationOutcome.NOT_REMOVED, late[0].observed_at, _ids(late[:1]))


def _runs(looks: Iterable[Look], state: Presence) -> Iterator[list[Look]]:
    return (list(run) for found, run in groupby(looks, key=lambda look: look.state) if found is state)


def _span(looks: Sequence[Look]) -> timedelta:
    return looks[-1].observed_at - looks[0].observed_at


def _ids(rows: Iterable[Look | Claim]) -> tuple[int, ...]:
    return tuple(row.id for row in rows)
