"""Commands that follow leads: leads, responses, report, audit."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import sqlalchemy as sa
import typer
from sqlalchemy.orm import Session

from takedowns import configuration, jobs, leads, notices, responses
from takedowns.cli.output import ERROR, PARTIAL, Json, complain, write_json, write_rows, write_text
from takedowns.context import open_context
from takedowns.ledger import audit as chain
from takedowns.ledger.tables import Lead, Notice, User
from takedowns.ledger.vocabulary import VerificationOutcome
from takedowns.states import NoticeState

app = typer.Typer()

By = Annotated[str, typer.Option("--by", help="Login of the person who does it.")]

leads_app = typer.Typer(help="Leads, and the notices that carry them to the platforms.")
app.add_typer(leads_app, name="leads")
responses_app = typer.Typer(help="What the platforms say they did.")
app.add_typer(responses_app, name="responses")
audit_app = typer.Typer(help="The audit chain.")
app.add_typer(audit_app, name="audit")


class UnknownRowError(LookupError):
    """Nothing in the ledger has this name or number."""


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
    """Approve a drafted notice; it must be another person than its author."""
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
    _tell(notice, as_json)


@leads_app.command()
def send(number: str, as_json: Json = False) -> None:
    """Send an approved notice; its leads are looked at once more before, and those already gone drop out."""
    context = open_context(configuration.folder())
    with context.ledger.read() as session:
        notice = _notice(session, number)
    sent = jobs.send(context, notice.id)
    _tell(sent, as_json)
    if sent.state is NoticeState.SEND_FAILED:
        complain(f"{number} was not sent and can be tried again: {sent.failure}")
        raise typer.Exit(ERROR)


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


@responses_app.command("import")
def import_responses(file: Path, as_json: Json = False) -> None:
    """Take in a platform's reply workbook as claims, never as findings."""
    context = open_context(configuration.folder())
    with context.ledger.write() as session:
        result = responses.import_file(session, file, now=context.clock())
    for problem in result.errors:
        complain(problem)
    shown = {"accepted": result.accepted, "errors": len(result.errors)}
    write_json(shown) if as_json else write_text(f"{shown['accepted']} replies taken in")
    if result.errors:
        raise typer.Exit(PARTIAL)


@app.command()
def report(period: str, as_json: Json = False) -> None:
    """Write the report of a month such as 2026-10 as html, xlsx, csv and json."""
    context = open_context(configuration.folder())
    files = jobs.report(context, period)
    write_json({name: str(path) for name, path in files.items()}) if as_json else write_text(
        "\n".join(str(path) for path in files.values())
    )


@audit_app.command()
def verify(as_json: Json = False) -> None:
    """Read the audit chain from its first entry and name every break."""
    context = open_context(configuration.folder())
    with context.ledger.read() as session:
        breaks = list(chain.verify(session))
    for sentence in breaks:
        complain(sentence)
    if as_json:
        write_json({"breaks": breaks})
    elif not breaks:
        write_text("the chain is whole")
    if breaks:
        raise typer.Exit(ERROR)


def acting_user(session: Session, login: str) -> User:
    """The active user of this login. Raises UnknownRowError when there is none."""
    user = session.scalar(sa.select(User).where(User.login == login, User.active))
    if user is None:
        raise UnknownRowError(f"no active user has the login {login!r}")
    return user


def _notice(session: Session, number: str) -> Notice:
    notice = session.scalar(sa.select(Notice).where(Notice.number == number))
    if notice is None:
        raise UnknownRowError(f"no notice has the number {number!r}")
    return notice


def _tell(notice: Notice, as_json: bool) -> None:
    shown = {"number": notice.number, "state": notice.state.value}
    write_json(shown) if as_json else write_text(f"{notice.number} {notice.state.value}")
