"""Networks: shops behind which one operator may stand, as a list, and each with its graph and reasons."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, HTTPException, Query
from fastapi.responses import Response

from takedowns.desk.reads.networks import network_view, networks_page
from takedowns.desk.visit import Here
from takedowns.members import UnknownNetworkError

router = APIRouter()


@router.get("/networks", name="networks")
def networks(visit: Here, page: Annotated[int, Query(ge=1, le=100_000)] = 1) -> Response:
    with visit.desk.ledger.read() as session:
        found = networks_page(session, page)
    return visit.page("networks.html", found=found)


@router.get("/networks/{network_id}", name="network")
def network(visit: Here, network_id: int) -> Response:
    try:
        with visit.desk.ledger.read() as session:
            view = network_view(session, network_id)
    except UnknownNetworkError as error:
        raise HTTPException(404) from error
    return visit.page("network.html", view=view)
