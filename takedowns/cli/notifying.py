"""Commands about leads and the notices that carry them: drafted, approved, taken back, sent, reminded of."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from pathlib import Path
from typing import Annotated

import sqlalchemy as sa
import typer
from sqlalchemy.orm import Session

from takedowns import configuration, enclosures, jobs, leads, notices, outbox, reminders
from takedowns.cli.following import By, UnknownRowError, acting_user
from takedowns.cli.output import ERROR, PARTIAL, Json, complain, write_json, write_rows, write_text
from takedowns.context import Context, open_context
from takedowns.deadlines import SHANGHAI
from takedowns.evidence import packs
from takedowns.ledger.tables import Dispatch, Lead, Notice
from takedowns.ledger.vocabulary import DispatchState, VerificationOutcome
from takedowns.roles import REVIEWERS, require
from takedowns.states import NoticeState

UNSENT = (DispatchState.WAITING, DispatchState.FAILED)

app = typer.Typer()
leads_app = typer.Typer(help="Leads, and the notices that carry them to the platforms.")
app.add_typer(leads_app, name="leads")

Reason = Annotated[str, typer.Option("--reason", help="For the audit chain.")]


@leads_app.command("list")
def list_leads(as_json: Json = False) -> None:
    """Show every lead with what was claimed and what was found."""
    context = open_context(configuration.folder())
    with context.ledger.read() as session:
        found = session.scalars(sa.select(Lead).order_by(Lead.number))
        rows = [
            {
                "number": lead.number,
                "platform": lead.listing.platform,
                "item": lead.listing.item_id,
                "state": lead.state.value,
                "claimed": lead.responses[-1].measure.value if lead.responses else None,
                "found": lead.outcome.value if lead.outcome else None,
                "sent": lead.sent_at,
            }
            for lead in found
        ]
    write_rows(rows, as_json)


@leads_app.command()
def draft(platform: str, by: By, lang: str = "zh", as_json: Json = False) -> None:
    """Draft one notice with the platform's confirmed leads."""
    context = open_context(configuration.folder())
    profile = configuration.platform_named(context.platforms, platform)
    with context.ledger.write() as session:
        ready = leads.ready(session).get(platform, [])
        if not ready:
            raise UnknownRowError(f"no lead of {platform} is waiting to be sent")
        notice = notices.draft(
            session,
            profile,
            ready[: context.settings.notices.leads_at_most],
            acting_user(session, by),
            lang=lang,
            now=context.clock(),
            settings=context.settings,
        )
        shown = {"number": notice.number, "leads": len(notice.leads), "body": notice.body}
    write_json(shown) if as_json else write_text(
        f"{shown['number']}: {shown['leads']} leads\n\n{shown['body']}"
    )


@leads_app.command()
def approve(number: str, by: By, as_json: Json = False) -> None:
    """Approve a drafted notice; it must be another person than its author. It leaves after the hold."""
    context = open_context(configuration.folder())
    with context.ledger.write() as session:
        notice = _notice(session, number)
        notices.approve(
            session,
            notice.id,
            acting_user(session, by),
            notice.version,
            now=context.clock(),
            settings=context.settings,
        )
    _tell(context, notice.id, as_json)


@leads_app.command()
def letter(
    number: str,
    by: By,
    out: Annotated[Path, typer.Option(help="Folder to write into.")],
    as_json: Json = False,
) -> None:
    """Write a notice's letter, its annex and evidence packs: once it is closed, the files that it carries."""
    context = open_context(configuration.folder())
    with context.ledger.read() as session:  # packing takes a while, and the desk must not wait for it
        user = acting_user(session, by)
        require(user, REVIEWERS)
        notice = _notice(session, number)
        files = enclosures.sealed(context.evidence, notice) or enclosures.of_notice(
            session, context.evidence, notice, settings=context.settings
        )
        lead_of = {f"{lead.number}.zip": lead for lead in notice.leads}
    out.mkdir(parents=True, exist_ok=True)
    for file in files:
        (out / file.name).write_bytes(file.data)
    with context.ledger.write() as session:
        for file in files:
            if lead := lead_of.get(file.name):
                packs.hand_out(session, lead, file.data, user, now=context.clock())
    write_rows(({"file": str(out / file.name), "bytes": len(file.data)} for file in files), as_json)


@leads_app.command()
def recall(
    number: str,
    by: By,
    reason: Reason = "",
    cancel: Annotated[bool, typer.Option("--cancel", help="Give it up instead of drafting it anew.")] = False,
    as_json: Json = False,
) -> None:
    """Take an approved notice back before it leaves, or a reminder that waits."""
    context = open_context(configuration.folder())
    now = context.clock()
    with context.ledger.write() as session:
        notice, user = _notice(session, number), acting_user(session, by)
        if notice.sent_at is not None:
            outbox.stop(session, notices.locked(session, notice.id), user, reason=reason, now=now)
        else:
            take_back = notices.cancel if cancel else notices.recall
            take_back(session, notice.id, user, notice.version, reason=reason, now=now)
    _tell(context, notice.id, as_json)


@leads_app.command()
def withdraw(lead: str, by: By, reason: Reason, as_json: Json = False) -> None:
    """Take a single lead back, out of the notice that it waits in too."""
    context = open_context(configuration.folder())
    with context.ledger.write() as session:
        found = session.scalar(sa.select(Lead).where(Lead.number == lead))
        if found is None:
            raise UnknownRowError(f"no lead has the number {lead!r}")
        leads.withdraw(session, found.id, acting_user(session, by), reason=reason, now=context.clock())
    shown = {"number": found.number, "state": found.state.value}
    write_json(shown) if as_json else write_text(f"{found.number} {found.state.value}")


@leads_app.command()
def acknowledge(
    number: str,
    by: By,
    receipt: Annotated[str, typer.Option("--receipt", help="A number, a form's answer, or who signed.")],
    at: Annotated[datetime | None, typer.Option("--at", help="When, in Shanghai; now if not given.")] = None,
    as_json: Json = False,
) -> None:
    """Record that the platform signed for a notice (签收)."""
    context = open_context(configuration.folder())
    now = context.clock()
    with context.ledger.write() as session:
        notice = _notice(session, number)
        notices.acknowledge(
            session,
            notice.id,
            acting_user(session, by),
            notice.version,
            receipt=receipt,
            at=at.replace(tzinfo=SHANGHAI) if at else now,
            now=now,
        )
    _tell(context, notice.id, as_json)


@leads_app.command()
def send(
    number: Annotated[str | None, typer.Argument(help="Of a notice; without it, all that is due.")] = None,
    by: Annotated[str | None, typer.Option("--by", help="Who tries again what was given up.")] = None,
    as_json: Json = False,
) -> None:
    """Send what is due. A notice's leads are looked at once more before, and those already gone drop out."""
    context = open_context(configuration.folder())
    if number is None:
        _tell_of(context, [dispatch.id for dispatch in outbox.send_due(context)], as_json)
        return
    with context.ledger.read() as session:
        notice = _notice(session, number)
    if by:
        with context.ledger.write() as session:
            outbox.release(session, context, notice.id, acting_user(session, by))
    sent = outbox.send(context, notice.id)
    _tell(context, notice.id, as_json)
    if sent.state in (NoticeState.APPROVED, NoticeState.SEND_FAILED):
        raise typer.Exit(ERROR)


@leads_app.command()
def remind(as_json: Json = False) -> None:
    """Put due reminders and escalations into the outbox, and let notices lapse that nobody answered."""
    done = reminders.climb(open_context(configuration.folder()))
    write_rows(({"done": kind, "notices": count} for kind, count in sorted(done.items())), as_json)


@leads_app.command()
def settle(as_json: Json = False) -> None:
    """Judge every open lead by what was seen so far."""
    changed = jobs.settle(open_context(configuration.folder()))
    write_rows(
        (
            {"found": outcome.value, "leads": changed[outcome]}
            for outcome in VerificationOutcome
            if changed[outcome]
        ),
        as_json,
    )


@leads_app.command("outbox")
def show_outbox(as_json: Json = False) -> None:
    """Show what waits to leave, since when and for what; and what was given up, for a person to look at."""
    context = open_context(configuration.folder())
    with context.ledger.read() as session:
        unsent = sa.select(Dispatch.id).where(Dispatch.state.in_(UNSENT)).order_by(Dispatch.not_before)
        write_rows(_rows(session, session.scalars(unsent).all()), as_json)


def _rows(session: Session, dispatch_ids: Iterable[int]) -> list[dict[str, object]]:
    found = [session.get_one(Dispatch, dispatch_id) for dispatch_id in dispatch_ids]
    of = {one.id: session.get_one(Notice, one.notice_id).number for one in found if one.notice_id}
    return [
        {
            "notice": of.get(one.id),
            "kind": one.kind.value,
            "channel": one.channel,
            "recipient": one.recipient,
            "state": one.state.value,
            "leaves": f"{one.not_before.astimezone(SHANGHAI):%Y-%m-%d %H:%M}",
            "attempts": one.attempts,
            "failure": one.failure,
        }
        for one in found
    ]


def _tell_of(context: Context, dispatch_ids: list[int], as_json: bool) -> None:
    with context.ledger.read() as session:
        rows = _rows(session, dispatch_ids)
    write_rows(rows, as_json)
    if any(row["state"] != DispatchState.SENT for row in rows):
        raise typer.Exit(PARTIAL)


def _notice(session: Session, number: str) -> Notice:
    notice = session.scalar(sa.select(Notice).where(Notice.number == number))
    if notice is None:
        raise UnknownRowError(f"no notice has the number {number!r}")
    return notice


def _tell(context: Context, notice_id: int, as_json: bool) -> None:
    """State on stdout; on stderr what hinders it, if anything does."""
    with context.ledger.read() as session:
        notice = session.get_one(Notice, notice_id)
        unsent = [one for one in notice.dispatches if one.state in UNSENT]
    leaves = [f"{one.not_before.astimezone(SHANGHAI):%Y-%m-%d %H:%M}" for one in unsent]
    for dispatch in unsent:
        if dispatch.failure:
            complain(f"{notice.number} was not sent and can be tried again: {dispatch.failure}")
    shown = {"number": notice.number, "state": notice.state.value, "leaves": leaves[-1] if leaves else None}
    write_json(shown) if as_json else write_text(f"{notice.number} {notice.state.value}")
