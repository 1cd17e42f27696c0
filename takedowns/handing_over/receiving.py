"""Packages of other offices: a case file becomes an incoming one with its tips, an answer our result."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from pathlib import Path

import sqlalchemy as sa
from sqlalchemy.orm import Session

from crawlers import links
from takedowns import intake, tips
from takedowns.context import Context
from takedowns.handing_over import facts, package
from takedowns.handing_over.casefile import ANSWER, CASE, RECEIPT, Answer, Case, CaseLead, Receipt
from takedowns.handing_over.handovers import KINDS, HandoverError, confirm, learn, record
from takedowns.handing_over.package import Package, PackageError
from takedowns.ledger.tables import Handover, HandoverLead, Tip, User
from takedowns.numbers import next_handover_number
from takedowns.roles import SENIORS, require
from takedowns.states import HandoverState

DESCRIPTION_AT_MOST = 2000  # of a listing, in a tip: the rest stands in the case file


@dataclass(frozen=True)
class Taken:
    """``receipt`` is for the sender; None for an answer, which ends the matter."""

    handover: Handover
    receipt: Receipt | None
    is_new: bool


def receive(
    context: Context, house: tips.House, path: Path, user: User, *, kind: str = "bureau",
    sha256: str | None = None,
) -> Taken:  # fmt: skip
    """Take in a package; the same one again changes nothing.

    ``kind`` is the sender's: bureau or police. ``sha256`` is what the sender says, by another way, that the
    package's hash is. Raises package.PackageError, HandoverError, roles.NotAllowedError, OSError.
    """
    require(user, SENIORS)
    if kind not in KINDS:
        raise HandoverError(f"{kind!r} is neither {' nor '.join(KINDS)}")
    at_most = int(context.settings.handover.package_at_most_mb * 1_000_000)
    data = _bytes(path, at_most)
    try:
        found = package.read(data, at_most=at_most)
        if sha256 and sha256.strip().lower() != found.sha256:
            raise PackageError(f"the package is not the one that was announced: its hash is {found.sha256}")
        return _taken(context, house, found, data, user, kind)
    except PackageError as error:
        raise PackageError(f"{path.name}: {error}") from error


def take_receipt(context: Context, text: bytes, user: User, *, name: str = RECEIPT) -> Handover:
    """Take in a receipt.json. Raises package.PackageError, HandoverError, roles.NotAllowedError."""
    receipt = package.parsed(text, name, Receipt)
    with context.ledger.write() as session:
        return confirm(session, receipt, user, now=context.clock())


def receipt_of(context: Context, handover: Handover) -> Receipt:
    """The receipt for what another office handed to us."""
    if handover.their_number is None:
        raise HandoverError(f"{handover.number} is ours: the other office gives the receipt")
    return Receipt(
        format="vapewatch-receipt",
        version=1,
        number=handover.their_number,
        their_number=handover.number,
        office=facts.office(context.settings.office),
        received_at=handover.created_at,
        leads=len(handover.leads),
        tips=sum(lead.tip_id is not None for lead in handover.leads),
    ).sealed(handover.package_sha256)


def _bytes(path: Path, at_most: int) -> bytes:
    with path.open("rb") as file:
        return file.read(at_most + 1)  # one more tells that it is too large


def _taken(context: Context, house: tips.House, found: Package, data: bytes, user: User, kind: str) -> Taken:
    name = CASE if found.kind == "case" else ANSWER
    if name not in found.files:
        raise PackageError(f"{name}: is missing")
    if found.kind == "answer":
        return _answered(context, found, data, user)
    case = package.parsed(found.files[CASE], CASE, Case)
    _check(case, found)
    with context.ledger.write() as session:
        intake.take_turn(session)  # so that nobody else takes in the same meanwhile
        known = _known(session, case, found)
        handover = known or _kept(session, context, house, case, found, data, user, kind)
        return Taken(handover, receipt_of(context, handover), known is None)


def _check(case: Case, found: Package) -> None:
    if case.number != found.number:
        raise PackageError(f"{CASE}: is of {case.number}, but the manifest of {found.number}")
    for lead in case.leads:
        if lead.evidence is not None and lead.evidence not in found.files:
            raise PackageError(f"{CASE}: lead {lead.number} names evidence that is missing: {lead.evidence}")


def _known(session: Session, case: Case, found: Package) -> Handover | None:
    """What came before under the same number. Raises PackageError when that had another content."""
    wanted = sa.select(Handover).filter_by(counterpart=case.office.name_zh, their_number=case.number)
    known = session.scalars(wanted).one_or_none()
    if known and known.package_sha256 != found.sha256:
        raise PackageError(f"{case.number} of {known.counterpart} came before with another content")
    return known


def _kept(
    session: Session, context: Context, house: tips.House, case: Case, found: Package, data: bytes,
    user: User, kind: str,
) -> Handover:  # fmt: skip
    now = context.clock()
    handover = Handover(
        number=next_handover_number(session, context.settings.office.code, now=now),
        incoming=True,
        counterpart=case.office.name_zh,
        counterpart_kind=kind,
        their_number=case.number,
        reason=case.reason,
        state=HandoverState.RECEIVED,
        package_sha256=context.evidence.put(data),
        created_at=now,
        created_by_id=user.id,
        due_at=case.due_at,
        sent_at=case.created_at,
    )
    session.add(handover)
    for lead in case.leads:
        tip = _tip(session, house, handover, lead, user, context)
        told = lead.model_dump(mode="json")
        handover.leads.append(HandoverLead(number=lead.number, tip_id=tip.id if tip else None, facts=told))
    session.flush()
    payload = {"from": handover.counterpart, "their_number": case.number, "sha256": found.sha256}
    record(session, handover, user.login, "handover.receive", now, **payload, leads=len(case.leads))
    return handover


def _tip(
    session: Session, house: tips.House, handover: Handover, lead: CaseLead, user: User, context: Context
) -> Tip | None:
    """The tip that the lead makes here; None when its link belongs to no platform that has a profile."""
    if isinstance(links.recognise(lead.url, house.platforms.values()), links.Unrecognised):
        return None
    told = tips.Told(
        origin=handover.counterpart_kind,
        number=f"{handover.number}/{lead.number}"[: tips.AT_MOST["number"]],
        text=f"{handover.reason}\n{lead.title}\n{lead.description[:DESCRIPTION_AT_MOST]}"[
            : tips.TEXT_AT_MOST
        ],
        url=lead.url,
        title=lead.title[: tips.AT_MOST["title"]],
        shop=lead.seller.name[: tips.AT_MOST["shop"]] if lead.seller else None,
        category=lead.decision.category,
    )
    tip, _ = tips.add(session, told, user, house, now=context.clock())
    return tip


def _answered(context: Context, found: Package, data: bytes, user: User) -> Taken:
    answer = package.parsed(found.files[ANSWER], ANSWER, Answer)
    sha256 = hashlib.sha256(data).hexdigest()
    with context.ledger.write() as session:
        handover = learn(session, answer, sha256, user, now=context.clock())
        context.evidence.put(data)
    return Taken(handover, None, True)
