"""Commands about sellers: what is on record of them, and which were closed."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Annotated, Any

import typer

from crawlers.listing import SellerKind
from takedowns import configuration, seller_record, sellers
from takedowns.cli.output import Json, write_json, write_rows
from takedowns.context import open_context
from takedowns.ledger.tables import Seller
from takedowns.reports.period import Period
from takedowns.seller_record import Record, Tier

app = typer.Typer()
sellers_app = typer.Typer(help="Shops, accounts and mini-programs.")
app.add_typer(sellers_app, name="sellers")


class UnknownSellerError(LookupError):
    """No seller has this number."""


@sellers_app.command("list")
def list_sellers(
    platform: Annotated[str | None, typer.Option(help="Of this platform only.")] = None,
    tier: Annotated[Tier | None, typer.Option(help="Of this credit tier only.")] = None,
    as_json: Json = False,
) -> None:
    """Sellers with a listing found violating, with their credit tier; `show` gives the reasons."""
    context = open_context(configuration.folder())
    with context.ledger.read() as session:
        found = seller_record.records(session, now=context.clock(), platform=platform)
    chosen = (one for one in found if tier is None or one.rating.tier is tier)
    write_rows((_line(one) for one in chosen), as_json)


@sellers_app.command()
def show(number: int, as_json: Json = False) -> None:
    """What is on record of the seller NUMBER of `list`, and the reasons for its tier."""
    context = open_context(configuration.folder())
    with context.ledger.read() as session:
        seller = session.get(Seller, number)
        if seller is None:
            raise UnknownSellerError(f"no seller has the number {number}")
        found = seller_record.record(session, seller, now=context.clock())
    if as_json:
        write_json(_whole(found))
    else:
        write_rows(({"": name, "value": value} for name, value in _told(found)), as_json=False)


@sellers_app.command()
def handled(period: str, as_json: Json = False) -> None:
    """How many sellers were claimed closed in a period such as 2026-10, and how many we found closed."""
    context = open_context(configuration.folder())
    with context.ledger.read() as session:
        found = sellers.sellers_handled(
            session, Period.parse(period), as_of=context.clock(), rule=context.settings.removal
        )
    write_rows((_counted(kind, one) for kind, one in found.items()), as_json)


def _line(found: Record) -> dict[str, Any]:
    return {
        "number": found.seller.id,
        "platform": found.seller.platform,
        "kind": found.seller.kind.value,
        "name": found.seller.name,
        "tier": found.rating.tier.value,
        "findings": found.history.findings,
        "came_back": found.history.relistings,
        "last_finding": found.history.last_finding_at,
    }


def _whole(found: Record) -> dict[str, Any]:
    reasons = [{"reason": reason.code, "count": reason.count} for reason in found.rating.reasons]
    history = found.history
    return {
        **_line(found),
        "id": found.seller.external_id,
        "url": found.seller.url,
        "false_claims": history.false_claims,
        "still_up": history.still_up,
        "hours_to_removal": [round(hours, 1) for hours in history.hours],
        "reasons": reasons,
    }


def _told(found: Record) -> Iterator[tuple[str, Any]]:
    whole = _whole(found)
    reasons = whole.pop("reasons")
    hours = whole.pop("hours_to_removal")
    yield from whole.items()
    yield "hours_to_removal", ", ".join(map(str, hours))
    for reason in reasons:
        yield "because", f"{reason['reason']} ({reason['count']})"


def _counted(kind: SellerKind, found: sellers.Handled) -> dict[str, Any]:
    counts = ("claimed", "verified", "false", "unverifiable")
    return {"kind": kind.value, **{name: len(getattr(found, name)) for name in counts}}
