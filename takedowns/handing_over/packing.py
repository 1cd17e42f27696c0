"""A case file of our leads, packed for another office."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

import sqlalchemy as sa
from sqlalchemy.orm import Session

from takedowns import configuration, deadlines
from takedowns.content import storable
from takedowns.context import Context
from takedowns.evidence import packs
from takedowns.handing_over import covering, facts, package
from takedowns.handing_over.casefile import CASE, LEADS_AT_MOST, Case
from takedowns.handing_over.covering import Covering
from takedowns.handing_over.handovers import KINDS, HandoverError, TwoPersonError, record
from takedowns.ledger.tables import Handover, HandoverLead, Lead, User
from takedowns.letters import LANGS
from takedowns.numbers import next_handover_number
from takedowns.papers import docx, pdf
from takedowns.papers.letter import Evidence
from takedowns.roles import SENIORS, require
from takedowns.states import HandoverState, LeadState

NAME_AT_MOST = 200
REASON_AT_MOST = 2000


@dataclass(frozen=True)
class Order:
    """Which leads (by number) go to whom, and why; ``kind`` is bureau or police."""

    to: str
    kind: str
    reason: str
    leads: Sequence[str]
    lang: str = "zh"


def pack(context: Context, order: Order, user: User) -> Handover:
    """Pack a case file and keep it; nothing is sent.

    Raises HandoverError, letters.LetterError, classifiers.yamlfile.ConfigError, roles.NotAllowedError.
    """
    require(user, SENIORS)
    _check(order)
    with context.ledger.read() as session:  # packing evidence takes a while, and others must not wait for it
        evidence = _evidence(session, context, _leads(session, order))
    with context.ledger.write() as session:
        return _packed(session, context, order, evidence, user)


def _packed(
    session: Session, context: Context, order: Order, evidence: Mapping[str, bytes | None], user: User
) -> Handover:
    now, leads = context.clock(), _leads(session, order)
    number = next_handover_number(session, context.settings.office.code, now=now)
    _check_second_person(leads, user, context)
    _check_not_there(session, order, leads)  # after the number, for which whoever packs as well has to wait
    cover = Covering(
        number=number,
        counterpart=order.to,
        reason=order.reason,
        lang=order.lang,
        created_at=now,
        leads=leads,
        evidence={name: Evidence.ENCLOSED if data else Evidence.NONE for name, data in evidence.items()},
    )
    calendar = deadlines.load(configuration.folder() / "holidays.yml")
    due_at = deadlines.due(now, context.settings.handover.working_days, calendar)
    data = _package(context, cover, due_at, evidence)
    handover = Handover(
        number=number,
        incoming=False,
        counterpart=storable(order.to.strip()),
        counterpart_kind=order.kind,
        reason=storable(order.reason.strip()),
        state=HandoverState.PACKED,
        package_sha256=context.evidence.put(data),
        created_at=now,
        created_by_id=user.id,
        due_at=due_at,
        leads=[HandoverLead(number=lead.number, lead_id=lead.id, facts={}) for lead in leads],
    )
    session.add(handover)
    told = {"to": handover.counterpart, "leads": list(order.leads), "sha256": handover.package_sha256}
    session.flush()
    record(session, handover, user.login, "handover.pack", now, **told)
    return handover


def _package(
    context: Context, cover: Covering, due_at: datetime, evidence: Mapping[str, bytes | None]
) -> bytes:
    names = {number: f"evidence/{number}.zip" for number, data in evidence.items() if data}
    case = Case(
        number=cover.number,
        office=facts.office(context.settings.office),
        to=storable(cover.counterpart.strip()),
        reason=storable(cover.reason.strip()),
        created_at=cover.created_at,
        due_at=due_at,
        leads=tuple(facts.of_lead(lead, names.get(lead.number)) for lead in cover.leads),
    )
    letter = covering.letter(cover, context.settings)
    subject, body = covering.subject_and_body(cover, context.settings)
    files = {
        CASE: package.written(case),
        f"{cover.number}.txt": f"{subject}\n\n{body}".encode(),
        f"{cover.number}.docx": docx.render(letter),
        f"{cover.number}.pdf": pdf.render(letter),
        **{names[number]: data for number, data in evidence.items() if data},
    }
    data = package.write("case", cover.number, files)
    if len(data) > context.settings.handover.package_at_most_mb * 1_000_000:
        raise HandoverError("the package is larger than handover.package_at_most_mb: hand over fewer leads")
    return data


def _check(order: Order) -> None:
    if not 0 < len(order.to.strip()) <= NAME_AT_MOST:
        raise HandoverError(f"name the office that it goes to, in up to {NAME_AT_MOST} characters")
    if not 0 < len(order.reason.strip()) <= REASON_AT_MOST:
        raise HandoverError(f"give the reason, in up to {REASON_AT_MOST:,} characters")
    if order.kind not in KINDS or order.lang not in LANGS:
        raise HandoverError(f"it goes to {' or '.join(KINDS)}, in {' or '.join(LANGS)}")
    if not 0 < len(set(order.leads)) == len(order.leads) <= LEADS_AT_MOST:
        raise HandoverError(f"a case file holds from 1 to {LEADS_AT_MOST} leads, each once")


def _leads(session: Session, order: Order) -> list[Lead]:
    """In their order of numbers. Raises HandoverError for one that cannot be handed over."""
    found = session.scalars(sa.select(Lead).where(Lead.number.in_(order.leads)).order_by(Lead.number)).all()
    if missing := sorted(set(order.leads) - {lead.number for lead in found}):
        raise HandoverError(f"there is no lead {missing[0][:60]!r}")
    for lead in found:
        if lead.state is LeadState.WITHDRAWN:
            raise HandoverError(f"lead {lead.number} was withdrawn")
    return list(found)


def _check_second_person(leads: Sequence[Lead], user: User, context: Context) -> None:
    """As with notices: nothing leaves the house that one person alone held to be so."""
    found = next((lead.number for lead in leads if lead.decision.reviewer_id == user.id), None)
    if found and context.settings.notices.two_person:
        raise TwoPersonError(f"a second person has to hand it over: you found lead {found}")


def _check_not_there(session: Session, order: Order, leads: Sequence[Lead]) -> None:
    """The same office gets a lead once, unless the first case file was closed."""
    there = session.scalars(
        sa.select(HandoverLead.number)
        .join(Handover)
        .where(~Handover.incoming, Handover.state != HandoverState.CLOSED)
        .where(Handover.counterpart == storable(order.to.strip()))
        .where(HandoverLead.lead_id.in_([lead.id for lead in leads]))
    ).first()
    if there:
        raise HandoverError(f"lead {there} was handed over to {order.to} already, and that is open")


def _evidence(session: Session, context: Context, leads: Sequence[Lead]) -> dict[str, bytes | None]:
    """Each lead's pack by its number; None where no page was kept."""
    return {lead.number: _pack(session, context, lead) for lead in leads}


def _pack(session: Session, context: Context, lead: Lead) -> bytes | None:
    if not packs.holds_evidence(session, context.evidence, lead):
        return None
    try:
        return packs.pack(session, context.evidence, lead, office=context.settings.office, outward=True)
    except ValueError as error:
        raise HandoverError(f"the evidence of lead {lead.number} cannot go out: {error}") from error
