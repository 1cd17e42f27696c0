"""Commands for tips: take them in, see what waits, link or dismiss."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from pathlib import Path
from typing import Annotated, Literal

import sqlalchemy as sa
import typer

from crawlers.rundir import Target
from takedowns import configuration, tips
from takedowns.cli.collecting import look_at_once
from takedowns.cli.following import By, acting_user
from takedowns.cli.output import PARTIAL, Json, complain, write_json, write_rows, write_text
from takedowns.context import Context, open_context
from takedowns.deadlines import SHANGHAI
from takedowns.imports import tip_lists
from takedowns.ledger.tables import Tip

app = typer.Typer()
tips_app = typer.Typer(help="What the hotline, the public, another bureau or the police told us.")
app.add_typer(tips_app, name="tips")


@tips_app.command("import")
def import_tips(
    file: Path,
    by: By,
    origin: Annotated[
        Literal["hotline", "public", "bureau", "police"], typer.Option(help="Of rows that name none.")
    ] = "hotline",
    as_json: Json = False,
) -> None:
    """Take in a list of tips; listings that they lead to are looked at at once where that can be."""
    context = open_context(configuration.folder())
    house = tips.house(context)
    with context.ledger.read() as session:
        user = acting_user(session, by)
    result = tip_lists.import_file(context.ledger, file, user, house, origin=origin, now=context.clock())
    if result.dropped:
        complain(f"not kept, since they may say who told it: {', '.join(result.dropped)}")
    for problem in result.errors:
        complain(problem)
    seen = _looked_at(context, result.added)
    shown = {**result.numbers, "dropped": result.dropped}
    write_json(shown) if as_json else write_text(
        f"{shown['new']} tips taken in, {shown['minors']} about minors; {shown['linked']} lead to a listing"
    )
    if result.errors or not seen:
        raise typer.Exit(PARTIAL)


@tips_app.command("list")
def list_tips(
    every: Annotated[bool, typer.Option("--all", help="Also those that nobody waits for any more.")] = False,
    as_json: Json = False,
) -> None:
    """Show the tips that wait for a person, those about minors first."""
    context = open_context(configuration.folder())
    with context.ledger.read() as session:
        found = session.scalars(sa.select(Tip).order_by(Tip.id)) if every else tips.waiting(session)
        rows = [_row(tip, context.clock()) for tip in found]
    write_rows(rows, as_json)


@tips_app.command()
def show(number: str, as_json: Json = False) -> None:
    """One tip with all that it says."""
    context = open_context(configuration.folder())
    with context.ledger.read() as session:
        tip = tips.numbered(session, number)
    told = {**_row(tip, context.clock()), "received": tip.received_at, "note": tip.note, "text": tip.text}
    write_json(told) if as_json else write_rows(
        ({"field": name, "value": value} for name, value in told.items()), as_json=False
    )


@tips_app.command()
def link(
    number: str,
    address: str,
    by: By,
    title: Annotated[str, typer.Option(help="What the page is called, where no crawl can read it.")] = "",
    note: str = "",
    as_json: Json = False,
) -> None:
    """Say which listing a tip is about; it is put before a reviewer."""
    context = open_context(configuration.folder())
    house = tips.house(context)
    with context.ledger.write() as session:
        user, tip = acting_user(session, by), tips.numbered(session, number)
        tip = tips.link(session, tip.id, user, address, house, title=title, note=note, now=context.clock())
    seen = _looked_at(context, [tip])
    row = _row(tip, context.clock())
    write_json(row) if as_json else write_text(f"{number} is about {tip.platform} {tip.item_id}")
    if not seen:
        raise typer.Exit(PARTIAL)


@tips_app.command()
def dismiss(number: str, by: By, note: str, as_json: Json = False) -> None:
    """Say that nothing has to come of a tip, and why."""
    context = open_context(configuration.folder())
    with context.ledger.write() as session:
        user, tip = acting_user(session, by), tips.numbered(session, number)
        tip = tips.dismiss(session, tip.id, user, note, now=context.clock())
    write_json(_row(tip, context.clock())) if as_json else write_text(f"{number} dismissed")


def _looked_at(context: Context, added: Iterable[Tip]) -> bool:
    """Whether every listing on a platform that is crawled could be looked at now."""
    targets: dict[str, dict[str, Target]] = {}
    for tip in added:
        if tip.listing_id and tip.platform and tip.item_id and tip.url:
            target = Target(item_id=tip.item_id, url=tip.url, title=None)
            targets.setdefault(tip.platform, {})[tip.item_id] = target
    looks = [look_at_once(context, name, tuple(wanted.values())) for name, wanted in targets.items()]
    return all(looks)


def _row(tip: Tip, now: datetime) -> dict[str, object]:
    left = (tip.due_at - now).total_seconds() / 3600
    return {
        "number": tip.number,
        "minors": tip.minors,
        "origin": tip.origin,
        "state": tip.state.value,
        "due": f"{tip.due_at.astimezone(SHANGHAI):%Y-%m-%d %H:%M}",
        "hours left": round(left, 1),
        "category": tip.category.value if tip.category else None,
        "platform": tip.platform,
        "item": tip.item_id,
        "url": tip.url,
        "shop": tip.shop,
        "says": tip.text[:80],
    }
