"""Commands around licence numbers."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import typer

from takedowns import borrowed, configuration
from takedowns.borrowed import Borrowed
from takedowns.cli.output import Json, write_json, write_rows
from takedowns.context import open_context

app = typer.Typer()
licences = typer.Typer(help="Licence and product numbers that listings show.")
app.add_typer(licences, name="licences")

NAMED = 3  # shops of a number that the table names


@licences.command("borrowed")
def list_borrowed(as_json: Json = False) -> None:
    """Numbers that stand on several shops, and on which; whose they are is to be looked up."""
    with open_context(configuration.folder()).ledger.read() as session:
        found = borrowed.everywhere(session)
    if as_json:
        write_json([_whole(one) for one in found])
    else:
        write_rows((_line(one) for one in found), as_json=False)


def _whole(one: Borrowed) -> dict[str, Any]:
    return {"kind": one.kind, "number": one.number, "shops": list(_shops(one))}


def _shops(one: Borrowed) -> Iterator[dict[str, Any]]:
    for shop in one.shops:
        shown = [{"item_id": s.item_id, "url": s.url, "title": s.title} for s in shop]
        yield {"platform": shop[0].platform, "shop": shop[0].shop, "listings": shown}


def _line(one: Borrowed) -> dict[str, Any]:
    names = [shop[0].shop or "" for shop in one.shops[:NAMED]]
    return {
        "kind": one.kind,
        "number": one.number,
        "shops": len(one.shops),
        "listings": sum(map(len, one.shops)),
        "among them": ", ".join(names),
    }
