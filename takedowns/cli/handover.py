"""Commands for case files between offices: pack, send, receive, confirm, answer, close."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path
from typing import Annotated, Literal

import typer

from takedowns import configuration, tips
from takedowns.cli.following import By, acting_user
from takedowns.cli.output import PARTIAL, Json, complain, write_json, write_rows, write_text
from takedowns.context import Context, open_context
from takedowns.deadlines import SHANGHAI
from takedowns.dispatches import DispatchError
from takedowns.handing_over import answering, handovers, package, packing, receiving, sending
from takedowns.handing_over.casefile import RECEIPT
from takedowns.handing_over.packing import Order
from takedowns.ledger.tables import Dispatch, Handover, User
from takedowns.ledger.vocabulary import DispatchState

app = typer.Typer()
handover_app = typer.Typer(help="Case files handed to another bureau or the police, and back.")
app.add_typer(handover_app, name="handover")

Kind = Annotated[Literal["bureau", "police"], typer.Option(help="What the other office is.")]


@handover_app.command()
def pack(
    leads: Annotated[list[str], typer.Argument(help="Numbers of the leads.")],
    to: Annotated[str, typer.Option(help="The office that gets it.")],
    reason: Annotated[str, typer.Option(help="Why; it stands in the letter.")],
    by: By,
    kind: Kind = "bureau",
    lang: Annotated[Literal["zh", "en"], typer.Option(help="Of the letter.")] = "zh",
    as_json: Json = False,
) -> None:
    """Pack leads with all that is known of them; nothing is sent."""
    context = open_context(configuration.folder())
    order = Order(to=to, kind=kind, reason=reason, leads=leads, lang=lang)
    handover = packing.pack(context, order, _user(context, by))
    _tell(handover, context, as_json)


@handover_app.command()
def send(
    number: str,
    by: By,
    out: Annotated[Path | None, typer.Option(help="File to write; it counts as sent.")] = None,
    mail: Annotated[str | None, typer.Option(help="Mail address that it goes to.")] = None,
    folder: Annotated[Path | None, typer.Option(help="Folder that the other office reads.")] = None,
    receipt: Annotated[str | None, typer.Option(help="It went by hand: who took it, or how.")] = None,
    as_json: Json = False,
) -> None:
    """Send a packed case file: as a file, by mail, into a folder, or by hand."""
    ways = {"--out": out, "--mail": mail, "--folder": folder, "--receipt": receipt}
    if sum(way is not None for way in ways.values()) != 1:
        raise typer.BadParameter(f"name one of {', '.join(ways)}")
    context = open_context(configuration.folder())
    with context.ledger.write() as session:
        user, now = acting_user(session, by), context.clock()
        if out is not None:
            sending.save(context, session, number, user, out)
        elif receipt is not None:
            handovers.record_by_hand(session, number, user, receipt, at=now, now=now)
        elif mail is not None:
            waiting = sending.put(context, session, number, user, "smtp", mail)
        else:
            waiting = sending.put(context, session, number, user, "folder", str(folder))
    sent = out is not None or receipt is not None or _delivered(context, waiting)
    with context.ledger.read() as session:
        _tell(handovers.numbered(session, number), context, as_json)
    if not sent:
        raise typer.Exit(PARTIAL)


@handover_app.command()
def receive(
    file: Path,
    by: By,
    kind: Kind = "bureau",
    sha256: Annotated[
        str | None, typer.Option(help="The package's hash, as its sender told it by another way.")
    ] = None,
    as_json: Json = False,
) -> None:
    """Take in a package of another office; for a case file the receipt is written beside it."""
    context = open_context(configuration.folder())
    user = _user(context, by)
    taken = receiving.receive(context, tips.house(context), file, user, kind=kind, sha256=sha256)
    if not taken.is_new:
        complain(f"{file.name} was taken in before, as {taken.handover.number}")
    if taken.receipt:
        place = file.with_name(f"{taken.receipt.number}.{RECEIPT}")
        place.write_bytes(package.written(taken.receipt))
        complain(f"the receipt for its sender is {place}")
    _tell(taken.handover, context, as_json)


@handover_app.command()
def receipt(file: Path, by: By, as_json: Json = False) -> None:
    """Take in the receipt that the other office gave."""
    context = open_context(configuration.folder())
    with file.open("rb") as opened:
        text = opened.read(package.JSON_AT_MOST + 1)
    handover = receiving.take_receipt(context, text, _user(context, by), name=file.name)
    _tell(handover, context, as_json)


@handover_app.command()
def answer(
    number: str,
    by: By,
    result: Annotated[str, typer.Option(help="What came of it.")],
    out: Annotated[Path, typer.Option(help="The package to write for its sender.")],
    as_json: Json = False,
) -> None:
    """Answer a case file that another office handed to us: its sender takes the package in by `receive`."""
    context = open_context(configuration.folder())
    with context.ledger.write() as session:
        handover, data = answering.answer(context, session, number, acting_user(session, by), result)
        out.write_bytes(data)
    _tell(handover, context, as_json)


@handover_app.command("list")
def list_handovers(
    overdue: Annotated[bool, typer.Option("--overdue", help="Only those past their deadline.")] = False,
    every: Annotated[bool, typer.Option("--all", help="Also those closed last.")] = False,
    as_json: Json = False,
) -> None:
    """Show the case files that are open, by what is due first."""
    context = open_context(configuration.folder())
    with context.ledger.read() as session:
        found = [*handovers.open_ones(session), *(handovers.closed_ones(session) if every else ())]
        rows = [_row(one, context.clock()) for one in found]
    write_rows((row for row in rows if row["overdue"] or not overdue), as_json)


@handover_app.command()
def close(number: str, by: By, note: str = "", as_json: Json = False) -> None:
    """Say that nothing more is to come of a case file."""
    context = open_context(configuration.folder())
    with context.ledger.write() as session:
        handover = handovers.close(session, number, acting_user(session, by), note, now=context.clock())
    _tell(handover, context, as_json)


def _user(context: Context, by: str) -> User:
    with context.ledger.read() as session:
        return acting_user(session, by)


def _delivered(context: Context, dispatch: Dispatch) -> bool:
    """Whether it arrived; on stderr why it did not."""
    try:
        ended = sending.deliver(context, dispatch.id)
    except DispatchError as refusal:
        complain(str(refusal))
        return False
    if ended.failure:
        complain(f"it was not sent: {ended.failure}")
    return ended.state is DispatchState.SENT


def _tell(handover: Handover, context: Context, as_json: bool) -> None:
    row = _row(handover, context.clock())
    write_json(row) if as_json else write_text(f"{handover.number} {handover.state.value}")


def _row(handover: Handover, now: datetime) -> dict[str, object]:
    return {
        "number": handover.number,
        "direction": "in" if handover.incoming else "out",
        "office": handover.counterpart,
        "kind": handover.counterpart_kind,
        "their number": handover.their_number,
        "state": handover.state.value,
        "due": f"{handover.due_at.astimezone(SHANGHAI):%Y-%m-%d %H:%M}",
        "overdue": handovers.is_overdue(handover, now),
        "receipt": handover.receipt,
        "result": handover.result,
        "sha256": handover.package_sha256,
    }
