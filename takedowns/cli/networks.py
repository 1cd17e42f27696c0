"""Commands around networks: shops behind which one operator may stand."""

from __future__ import annotations

from dataclasses import asdict
from typing import Annotated, Any

import typer

from takedowns import configuration, earlier_contacts, jobs, linking, members
from takedowns.cli.output import Json, complain, write_json, write_rows, write_text
from takedowns.context import open_context
from takedowns.desk.marks import shortened
from takedowns.evidence import picture_files
from takedowns.members import Members
from takedowns.networks import Network, Tie

app = typer.Typer()
networks = typer.Typer(
    help="Shops behind which one operator may stand, and why.", invoke_without_command=True
)
app.add_typer(networks, name="networks")

NAMED = 4  # shops of a network that the table names
NAME_AT_MOST = 40  # characters


@networks.callback()
def list_networks(command: typer.Context, as_json: Json = False) -> None:
    """Every network, the largest first; `show` gives one with its reasons, `refresh` finds them anew."""
    if command.invoked_subcommand:
        return
    with open_context(configuration.folder()).ledger.read() as session:
        found = linking.known(session)
        known = members.members(session, [seller for network in found for seller in network.sellers])
    if as_json:
        write_json([_whole(network, known) for network in found])
    else:
        write_rows((_line(network, known) for network in found), as_json=False)


@networks.command("show")
def show(number: Annotated[int, typer.Argument(metavar="N")], as_json: Json = False) -> None:
    """One network: its shops, and each tie with its reasons."""
    with open_context(configuration.folder()).ledger.read() as session:
        network = members.network_numbered(session, number)
        known = members.members(session, network.sellers)
    if as_json:
        write_json(_whole(network, known))
        return
    write_rows((_shop(seller, known) for seller in network.sellers), as_json=False)
    write_text("")
    write_rows((row for tie in network.ties for row in _reasons(tie, known)), as_json=False)


@networks.command("refresh")
def refresh(
    all_contacts: Annotated[
        bool, typer.Option("--archive", help="First take in contacts and pictures of earlier releases.")
    ] = False,
    as_json: Json = False,
) -> None:
    """Find anew what shops share; the schedule does it once a day."""
    context = open_context(configuration.folder())
    if all_contacts:
        hashed = earlier_contacts.hash_archive(context.ledger, now=context.clock())
        files, broken = picture_files.take_in(context.ledger, context.evidence, now=context.clock())
        complain(f"{hashed} contacts and {files} files on pictures were taken in")
        for path in broken:
            complain(f"{path}: cannot be read, and stays")
    result = asdict(jobs.networks(context))
    write_json(result) if as_json else write_rows([result], as_json=False)


def _whole(network: Network, known: Members) -> dict[str, Any]:
    return {
        "id": network.id,
        "sellers": [{"id": seller, **_shop(seller, known)} for seller in network.sellers],
        "ties": [
            {
                "sellers": [tie.seller_id, tie.other_id],
                "strength": round(tie.strength, 3),
                "reasons": [
                    {
                        "reason": link.reason,
                        "value": link.value,
                        "strength": round(link.strength, 3),
                        "listings": list(link.listings),
                    }
                    for link in tie.links
                ],
            }
            for tie in network.ties
        ],
    }


def _shop(seller: int, known: Members) -> dict[str, Any]:
    one = known[seller]
    return {
        "platform": one.platform,
        "kind": one.kind,
        "shop": _name(seller, known),
        "listings": one.listings,
        "flagged": one.flagged,
        "leads": one.leads,
    }


def _name(seller: int, known: Members) -> str:
    """Shops put private handles into their names as well."""
    return shortened(known[seller].name, NAME_AT_MOST)


def _line(network: Network, known: Members) -> dict[str, Any]:
    reasons = {link.reason for tie in network.ties for link in tie.links}
    return {
        "id": network.id,
        "shops": len(network.sellers),
        "platforms": len({known[seller].platform for seller in network.sellers}),
        "leads": sum(known[seller].leads for seller in network.sellers),
        "reasons": ", ".join(sorted(reasons)),
        "among them": ", ".join(_name(seller, known) for seller in network.sellers[:NAMED]),
    }


def _reasons(tie: Tie, known: Members) -> list[dict[str, Any]]:
    return [
        {
            "shop": _name(tie.seller_id, known),
            "and": _name(tie.other_id, known),
            "tie": f"{tie.strength:.2f}",
            "reason": link.reason,
            "strength": f"{link.strength:.2f}",
            "what": link.value,
        }
        for link in tie.links
    ]
