"""What one lead's facts come to: removed when, back when, watched for how long (pure)."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime, timedelta

from crawlers.listing import Presence
from takedowns.judging import REMOVED
from takedowns.ledger.vocabulary import REMOVAL_CLAIMS, Measure, VerificationOutcome
from takedowns.reports.facts import LeadFacts, Look, Verified

# A return later than this is a new offer, not the failure of a removal.
RETURN_WITHIN = timedelta(days=30)


def finding(lead: LeadFacts) -> Verified | None:
    """The newest verification; None while nothing can be said, or when a later look speaks against it.

    Such a look alone makes no new verification, but what nobody could see is no longer so once someone did.
    """
    newest = lead.verifications[-1] if lead.verifications else None
    look = last_clear_look(lead)
    if newest is None or look is None:
        return newest
    seen_again = newest.outcome is VerificationOutcome.ALTERED and look.state is Presence.UP
    return None if seen_again or newest.outcome is VerificationOutcome.UNVERIFIABLE else newest


def outcome(lead: LeadFacts) -> VerificationOutcome | None:
    """What :func:`finding` found."""
    found = finding(lead)
    return found.outcome if found else None


def removed_at(lead: LeadFacts) -> datetime | None:
    """When the removal that holds was first seen: the first one where it went, came back and went again.

    A return does not undo a removal; any other later finding does, for then it was no removal.
    """
    held: datetime | None = None
    returned = False
    for verified in lead.verifications:
        if verified.outcome is VerificationOutcome.RELISTED:
            held, returned = held or verified.gone_at, True
        elif verified.outcome not in REMOVED:
            held, returned = None, False
        elif not (held and returned):
            held = verified.observed_at
    return held


def returned_at(lead: LeadFacts) -> datetime | None:
    """When it was first seen back within 30 days of its removal, at its old address or as another listing."""
    gone = removed_at(lead)
    if gone is None:
        return None
    back = [v.observed_at for v in lead.verifications if v.outcome is VerificationOutcome.RELISTED]
    seen = (*back, *(seen.observed_at for seen in lead.returns))
    return min((at for at in seen if timedelta(0) <= at - gone <= RETURN_WITHIN), default=None)


def first_claim(lead: LeadFacts, measures: Iterable[Measure] = REMOVAL_CLAIMS) -> datetime | None:
    """When the first answer that claims one of ``measures`` was received."""
    wanted = frozenset(measures)
    return next((claim.received_at for claim in lead.claims if claim.measure in wanted), None)


def last_clear_look(lead: LeadFacts) -> Look | None:
    """The newest look after dispatch that could tell: neither blocked nor failed, in a run to be trusted."""
    clear = (look for look in reversed(lead.looks) if look.trusted and not is_blind(look))
    return next(clear, None)


def is_blind(look: Look) -> bool:
    return look.state in (Presence.BLOCKED, Presence.ERROR)


def hours_to_removal(lead: LeadFacts) -> float | None:
    """Hours from dispatch to the first look that found it gone; None without a verified removal."""
    gone = removed_at(lead)
    return None if gone is None else _hours_since_dispatch(lead, gone)


def hours_watched(lead: LeadFacts) -> float:
    """Hours from dispatch to the last look that still found something there; 0 where none could tell."""
    there = (Presence.UP, Presence.ALTERED)
    seen = [look.observed_at for look in lead.looks if look.trusted and look.state in there]
    return _hours_since_dispatch(lead, seen[-1]) if seen else 0.0


def _hours_since_dispatch(lead: LeadFacts, moment: datetime) -> float:
    if lead.sent_at is None or moment < lead.sent_at:
        raise ValueError(f"lead {lead.number} has an event at {moment.isoformat()}, before it was sent")
    return (moment - lead.sent_at) / timedelta(hours=1)
