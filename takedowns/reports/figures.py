"""Facts in, a Report out: every figure of a period with its change, for all platforms and for each."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy.orm import Session

from classifiers.verdict import Label
from crawlers.listing import Presence, SellerKind
from takedowns.ledger.vocabulary import Measure, VerificationOutcome
from takedowns.reports import facts as ledger_facts
from takedowns.reports import outcomes
from takedowns.reports.definitions import Definition, Kind, definitions
from takedowns.reports.facts import Facts, LeadFacts, Run
from takedowns.reports.measures import MEASURES, Measured, Scope
from takedowns.reports.period import Period
from takedowns.statistics import Change, Interval, count_change, share_change


@dataclass(frozen=True, slots=True)
class Figure:
    """A measured value (:class:`~takedowns.reports.measures.Measured`) with its meaning and its changes."""

    definition: Definition
    value: float | None
    numerator: int | None
    denominator: int | None
    interval: Interval | None
    note: str | None
    rows: tuple[str, ...]
    mom: Change | None
    yoy: Change | None

    @property
    def id(self) -> str:
        return self.definition.id


@dataclass(frozen=True, slots=True)
class Section:
    """All figures of one platform, or of all (``platform`` is None)."""

    platform: str | None
    figures: tuple[Figure, ...]

    def __getitem__(self, figure_id: str) -> Figure:
        return next(figure for figure in self.figures if figure.id == figure_id)


@dataclass(frozen=True, slots=True)
class LeadRow:
    """A lead that some figure counts, and which ones (``counted_in``). ``claim`` is the newest answer."""

    number: str
    platform: str
    item_id: str
    url: str
    category: Label | None
    seller_kind: SellerKind | None
    seller: str | None
    sent_at: datetime | None
    claim: Measure | None
    claim_received_at: datetime | None
    outcome: VerificationOutcome | None
    outcome_at: datetime | None
    last_look: Presence | None
    last_look_at: datetime | None
    counted_in: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Reason:
    """A sentence of ``wording.yml`` about what is missing; ``run`` where it names one."""

    code: str
    count: int | None = None
    run: Run | None = None


@dataclass(frozen=True, slots=True)
class Report:
    """One period as known at ``as_of``; every format is rendered from this and from nothing else."""

    period: Period
    as_of: datetime
    input_digest: str
    total: Section
    platforms: tuple[Section, ...]
    leads: tuple[LeadRow, ...]
    reasons: tuple[Reason, ...]

    @property
    def sections(self) -> tuple[Section, ...]:
        return (self.total, *self.platforms)


def compute(session: Session, period: Period, *, as_of: datetime) -> Report:
    """The report of ``period`` from what the ledger knew at ``as_of`` (aware)."""
    return from_facts(ledger_facts.read(session, as_of), period, as_of)


def from_facts(facts: Facts, period: Period, as_of: datetime) -> Report:
    total = _section(None, facts, period, as_of)
    return Report(
        period=period,
        as_of=as_of,
        input_digest=facts.digest(),
        total=total,
        platforms=tuple(_section(name, facts.of(name), period, as_of) for name in facts.platforms()),
        leads=_lead_rows(facts, total),
        reasons=tuple(_reasons(facts, period, as_of, total)),
    )


def _section(platform: str | None, facts: Facts, period: Period, as_of: datetime) -> Section:
    now, before, last_year = (
        _measured(Scope(facts, p, as_of)) for p in (period, period.previous, period.year_before)
    )
    return Section(
        platform,
        tuple(_figure(d, now[d.id], before[d.id], last_year[d.id]) for d in definitions().values()),
    )


def _measured(scope: Scope) -> Mapping[str, Measured]:
    return {figure_id: measure(scope) for figure_id, measure in MEASURES.items()}


def _figure(definition: Definition, now: Measured, before: Measured, last_year: Measured) -> Figure:
    return Figure(
        definition=definition,
        value=now.value,
        numerator=now.numerator,
        denominator=now.denominator,
        interval=now.interval,
        note=now.note,
        rows=now.rows,
        mom=_change(definition, now, before),
        yoy=_change(definition, now, last_year),
    )


def _change(definition: Definition, now: Measured, base: Measured) -> Change | None:
    if not definition.compared:
        return None
    if definition.kind is Kind.COUNT:
        return count_change(int(now.value or 0), int(base.value or 0))
    return share_change(now.value, base.value)


def _lead_rows(facts: Facts, total: Section) -> tuple[LeadRow, ...]:
    counted: dict[str, list[str]] = defaultdict(list)
    for figure in total.figures:
        for row in figure.rows:
            counted[row].append(figure.id)
    return tuple(
        _lead_row(lead, tuple(counted[lead.number])) for lead in facts.leads if lead.number in counted
    )


def _lead_row(lead: LeadFacts, counted_in: tuple[str, ...]) -> LeadRow:
    claim = lead.claims[-1] if lead.claims else None
    found = outcomes.finding(lead)
    look = outcomes.last_clear_look(lead) or (lead.looks[-1] if lead.looks else None)
    return LeadRow(
        number=lead.number,
        platform=lead.platform,
        item_id=lead.item_id,
        url=lead.url,
        category=lead.category,
        seller_kind=lead.seller.kind if lead.seller else None,
        seller=lead.seller.name if lead.seller else None,
        sent_at=lead.sent_at,
        claim=claim.measure if claim else None,
        claim_received_at=claim.received_at if claim else None,
        outcome=found.outcome if found else None,
        outcome_at=found.observed_at if found else None,
        last_look=look.state if look else None,
        last_look_at=look.observed_at if look else None,
        counted_in=counted_in,
    )


def _reasons(facts: Facts, period: Period, as_of: datetime, total: Section) -> Iterator[Reason]:
    """What a reader must know before the figures, above all why there are none."""
    if as_of < period.start:
        yield Reason("not_begun")
    elif as_of < period.end:
        yield Reason("not_over")
    if total["leads_sent"].value == 0:
        yield Reason("no_leads")
        yield from _why_no_leads(facts)
    if total["looks_blind"].value is None and total["backlog"].value:
        yield Reason("no_looks")


def _why_no_leads(facts: Facts) -> Iterator[Reason]:
    waiting = sum(
        lead.sent_at is None and lead.withdrawn_at is None and not lead.verifications for lead in facts.leads
    )
    yield Reason("waiting", count=waiting) if waiting else Reason("nothing_ready")
    runs = [run for run in facts.runs if run.platform is not None]
    yield Reason("last_run", run=runs[-1]) if runs else Reason("no_run")
