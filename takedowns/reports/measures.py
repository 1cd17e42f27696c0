"""Every figure's value out of the facts (pure). What each one means stands in ``definitions.yml``."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import cached_property, partial
from types import MappingProxyType

from crawlers.listing import Presence, SellerKind
from crawlers.rundir import RunKind
from takedowns import statistics
from takedowns.ledger.vocabulary import Finding, Measure, RunState, VerificationOutcome
from takedowns.reports import outcomes
from takedowns.reports.facts import Facts, LeadFacts, Review, Run
from takedowns.reports.period import Period
from takedowns.statistics import NOT_REACHED, Estimate, Interval

# Fewer double reviews, or one answer in nearly all of them, and kappa says nothing about the reviewers.
KAPPA_PAIRS = 50
KAPPA_LARGEST_CLASS = 0.95
FOR_LEADS = frozenset({RunKind.SWEEP, RunKind.RECHECK})  # what definitions.yml calls a crawl run
# Enough to print any of these figures, and the same digits on every machine.
DIGITS = 6


@dataclass(frozen=True, slots=True)
class Measured:
    """``rows`` names what was counted: numbers of leads or notices, ids of runs or review tasks.

    Shares are fractions of one. ``note`` is a code of ``wording.yml`` that says why there is no plain value.
    For times and removal rates ``numerator`` of ``denominator`` is removals seen of leads sent.
    """

    value: float | None
    rows: tuple[str, ...] = ()
    numerator: int | None = None
    denominator: int | None = None
    interval: Interval | None = None
    note: str | None = None


@dataclass(frozen=True)
class Scope:
    """What is counted over: facts (of all platforms or one), a period, and when the facts were known."""

    facts: Facts
    period: Period
    as_of: datetime

    @cached_property
    def sent(self) -> list[LeadFacts]:
        return [lead for lead in self.facts.leads if lead.sent_at in self.period]

    @cached_property
    def valid(self) -> list[LeadFacts]:
        """Leads not withdrawn: our own errors are no platform's debt and nobody's success."""
        return [lead for lead in self.facts.leads if lead.withdrawn_at is None]

    @cached_property
    def cohort(self) -> list[LeadFacts]:
        """The leads sent in the period that the platform had to answer for."""
        sent = (lead for lead in self.valid if lead.sent_at in self.period)
        return [lead for lead in sent if outcomes.outcome(lead) is not VerificationOutcome.GONE_BEFORE]

    @cached_property
    def removed(self) -> list[LeadFacts]:
        """Leads whose verified removal falls in the period, whenever they were sent."""
        return [lead for lead in self.valid if outcomes.removed_at(lead) in self.period]

    @property
    def cut_off(self) -> datetime:
        """The end of the period, or as far into it as was known."""
        return min(self.period.end, self.as_of)


def leads_sent(scope: Scope) -> Measured:
    return _count(scope.sent)


def batches_sent(scope: Scope) -> Measured:
    numbers = tuple(batch.number for batch in scope.facts.batches if batch.sent_at in scope.period)
    return Measured(len(numbers), numbers)


def leads_answered(scope: Scope) -> Measured:
    return _count(lead for lead in scope.sent if lead.claims)


def answered_rate(scope: Scope) -> Measured:
    return _share((lead for lead in scope.sent if lead.claims), scope.sent, empty="no_leads")


def removed_verified(scope: Scope) -> Measured:
    return _count(scope.removed)


def removed_reported(scope: Scope) -> Measured:
    return _count(lead for lead in scope.removed if outcomes.first_claim(lead))


def removed_unclaimed(scope: Scope) -> Measured:
    return _count(lead for lead in scope.removed if not outcomes.first_claim(lead))


def removed_claimed(scope: Scope) -> Measured:
    settled = (
        VerificationOutcome.FALSE_CLAIM,
        VerificationOutcome.ALTERED,
        VerificationOutcome.GONE_BEFORE,
        VerificationOutcome.RELISTED,
    )
    return _count(
        lead
        for lead in scope.valid
        if outcomes.first_claim(lead) in scope.period
        and outcomes.removed_at(lead) is None
        and outcomes.outcome(lead) not in settled
    )


def found(outcome: VerificationOutcome, scope: Scope) -> Measured:
    """Leads whose newest verification says ``outcome``, found in the period."""
    return _count(
        lead
        for lead in scope.valid
        if (finding := outcomes.finding(lead))
        and finding.outcome is outcome
        and finding.observed_at in scope.period
    )


def still_up(scope: Scope) -> Measured:
    looks = ((lead, outcomes.last_clear_look(lead)) for lead in scope.cohort)
    return _count(lead for lead, look in looks if look and look.state is Presence.UP)


def unverifiable(scope: Scope) -> Measured:
    return _count(lead for lead in scope.cohort if outcomes.outcome(lead) is VerificationOutcome.UNVERIFIABLE)


def withdrawn(scope: Scope) -> Measured:
    return _count(lead for lead in scope.facts.leads if lead.sent_at and lead.withdrawn_at in scope.period)


def handled(kind: SellerKind, measure: Measure, scope: Scope) -> Measured:
    """Distinct sellers of a kind whose first reported closing was received in the period."""
    closed: dict[tuple[str, str], list[tuple[datetime, str]]] = {}
    for lead in scope.valid:
        at = outcomes.first_claim(lead, (measure,))
        if at and lead.seller and lead.seller.kind is kind:
            closed.setdefault((lead.platform, lead.seller.external_id), []).append((at, lead.number))
    counted = [answers for answers in closed.values() if min(answers)[0] in scope.period]
    return Measured(len(counted), tuple(sorted(number for answers in counted for _, number in answers)))


def reappeared(scope: Scope) -> Measured:
    return _count(lead for lead in scope.valid if outcomes.returned_at(lead) in scope.period)


def reappeared_rate(scope: Scope) -> Measured:
    back = (lead for lead in scope.removed if outcomes.returned_at(lead))
    return _share(back, scope.removed, empty="no_removals")


def removed_within(hours: float, scope: Scope) -> Measured:
    estimate = statistics.kaplan_meier(*_durations(scope)).removed_within(hours)
    return _from_curve(scope, estimate, unknown="too_short", limit=hours)


def median_hours(scope: Scope) -> Measured:
    return _from_curve(scope, statistics.kaplan_meier(*_durations(scope)).median(), unknown="no_leads")


def backlog(scope: Scope, over_days: int = 0, to_days: int | None = None) -> Measured:
    """Leads open at the cut-off that were sent more than ``over_days`` and at most ``to_days`` before it."""
    longest = timedelta.max if to_days is None else timedelta(days=to_days)
    shortest = timedelta(days=over_days) if over_days else timedelta(days=-1)
    return _count(
        lead
        for lead in scope.facts.leads
        if lead.sent_at
        and lead.sent_at < scope.period.end
        and shortest < scope.cut_off - lead.sent_at <= longest
        and _is_open(lead, scope.cut_off)
    )


def agreement(scope: Scope) -> Measured:
    pairs = double_reviews(scope)
    if not pairs:
        return Measured(None, note="no_double_reviews")
    agreed = sum(first == second for first, second in pairs.values())
    return _estimated(statistics.proportion(agreed, len(pairs)), tuple(map(str, pairs)), agreed, len(pairs))


def kappa(scope: Scope) -> Measured:
    pairs = double_reviews(scope)
    if not pairs:
        return Measured(None, note="no_double_reviews")
    told = statistics.agreement(list(pairs.values()))
    rows = tuple(map(str, pairs))
    if told.pairs < KAPPA_PAIRS:
        return Measured(None, rows, told.agreed, told.pairs, note="few_pairs")
    if told.kappa is None or told.largest_class > KAPPA_LARGEST_CLASS:
        return Measured(None, rows, told.agreed, told.pairs, note="one_class")
    return Measured(round(told.kappa, DIGITS), rows, told.agreed, told.pairs)


def coverage(scope: Scope) -> Measured:
    planned = [run for run in _runs(scope) if run.kind == RunKind.SWEEP]
    return _run_share((run for run in planned if run.state is RunState.OK), planned)


def runs_blocked(scope: Scope) -> Measured:
    started = [run for run in _runs(scope) if run.kind in FOR_LEADS and run.state is not RunState.MISSED]
    return _run_share((run for run in started if run.state is RunState.BLOCKED), started)


def looks_blind(scope: Scope) -> Measured:
    looks = [
        (lead.number, look)
        for lead in scope.facts.leads
        for look in lead.looks
        if look.observed_at in scope.period
    ]
    blind = [number for number, look in looks if outcomes.is_blind(look) or not look.trusted]
    if not looks:
        return Measured(None, note="no_looks")
    rows = tuple(dict.fromkeys(blind))
    return _estimated(statistics.proportion(len(blind), len(looks)), rows, len(blind), len(looks))


MEASURES: Mapping[str, Callable[[Scope], Measured]] = MappingProxyType(
    {
        "leads_sent": leads_sent,
        "batches_sent": batches_sent,
        "leads_answered": leads_answered,
        "answered_rate": answered_rate,
        "removed_verified": removed_verified,
        "removed_reported": removed_reported,
        "removed_unclaimed": removed_unclaimed,
        "removed_claimed": removed_claimed,
        "false_claim": partial(found, VerificationOutcome.FALSE_CLAIM),
        "altered": partial(found, VerificationOutcome.ALTERED),
        "gone_before": partial(found, VerificationOutcome.GONE_BEFORE),
        "still_up": still_up,
        "unverifiable": unverifiable,
        "withdrawn": withdrawn,
        "merchants": partial(handled, SellerKind.MERCHANT, Measure.SHOP_CLOSED),
        "accounts": partial(handled, SellerKind.ACCOUNT, Measure.ACCOUNT_CLOSED),
        "miniprograms": partial(handled, SellerKind.MINI_PROGRAM, Measure.MINI_PROGRAM_CLOSED),
        "reappeared": reappeared,
        "reappeared_rate": reappeared_rate,
        "rate_72h": partial(removed_within, 72),
        "rate_7d": partial(removed_within, 7 * 24),
        "median_hours": median_hours,
        "backlog": backlog,
        "backlog_3d": partial(backlog, to_days=3),
        "backlog_7d": partial(backlog, over_days=3, to_days=7),
        "backlog_30d": partial(backlog, over_days=7, to_days=30),
        "backlog_older": partial(backlog, over_days=30),
        "agreement": agreement,
        "kappa": kappa,
        "coverage": coverage,
        "runs_blocked": runs_blocked,
        "looks_blind": looks_blind,
    }
)


def double_reviews(scope: Scope) -> dict[int, tuple[Finding, Finding]]:
    """The first two people's own answers by task, where the second came in the period.

    An answer that overrides another was given knowing it, and one taken back by its author is none.
    """
    undone = {(r.reviewer_id, r.overrides_id) for r in scope.facts.reviews}
    own: dict[int, dict[int, Review]] = {}
    for review in scope.facts.reviews:
        if review.overrides_id is None and (review.reviewer_id, review.decision_id) not in undone:
            own.setdefault(review.task_id, {}).setdefault(review.reviewer_id, review)
    firsts = {task: list(answers.values())[:2] for task, answers in own.items()}
    return {
        task: (answers[0].finding, answers[1].finding)
        for task, answers in firsts.items()
        if len(answers) == 2 and answers[1].decided_at in scope.period
    }


def _is_open(lead: LeadFacts, moment: datetime) -> bool:
    """Nothing by ``moment`` had settled it; a false claim or a lapsed deadline settles nothing."""
    final = (VerificationOutcome.ALTERED, VerificationOutcome.GONE_BEFORE, VerificationOutcome.RELISTED)
    ends = [lead.withdrawn_at, outcomes.removed_at(lead)]
    found = outcomes.finding(lead)
    if found and found.outcome in final:
        ends.append(found.observed_at)
    return not any(end and end <= moment for end in ends)


def _durations(scope: Scope) -> tuple[list[float], list[float]]:
    """(hours to removal, hours watched without one) of the leads sent in the period."""
    removed = [hours for lead in scope.cohort if (hours := outcomes.hours_to_removal(lead)) is not None]
    watched = [outcomes.hours_watched(lead) for lead in scope.cohort if outcomes.removed_at(lead) is None]
    return removed, watched


def _from_curve(scope: Scope, estimate: Estimate, *, unknown: str, limit: float = NOT_REACHED) -> Measured:
    cohort = scope.cohort
    rows = tuple(lead.number for lead in cohort)
    if not cohort:
        return Measured(None, note="no_leads")
    removed = sum(hours <= limit for hours in _durations(scope)[0])
    if estimate.value is None:
        return Measured(None, rows, removed, len(cohort), note=unknown)
    if estimate.value == NOT_REACHED:
        return Measured(None, rows, removed, len(cohort), estimate.interval, note="not_reached")
    return _estimated(estimate, rows, removed, len(cohort))


def _runs(scope: Scope) -> list[Run]:
    return [run for run in scope.facts.runs if run.started_at in scope.period]


def _run_share(counted: Iterable[Run], runs: list[Run]) -> Measured:
    rows = tuple(run.run_id for run in counted)
    if not runs:
        return Measured(None, note="no_runs")
    return _estimated(statistics.proportion(len(rows), len(runs)), rows, len(rows), len(runs))


def _count(leads: Iterable[LeadFacts]) -> Measured:
    rows = tuple(lead.number for lead in leads)
    return Measured(len(rows), rows)


def _share(counted: Iterable[LeadFacts], of: list[LeadFacts], *, empty: str) -> Measured:
    rows = tuple(lead.number for lead in counted)
    if not of:
        return Measured(None, note=empty)
    return _estimated(statistics.proportion(len(rows), len(of)), rows, len(rows), len(of))


def _estimated(estimate: Estimate, rows: tuple[str, ...], numerator: int, denominator: int) -> Measured:
    value = None if estimate.value is None else round(estimate.value, DIGITS)
    bounds = estimate.interval
    interval = bounds and Interval(round(bounds.low, DIGITS), round(bounds.high, DIGITS))
    return Measured(value, rows, numerator, denominator, interval)
