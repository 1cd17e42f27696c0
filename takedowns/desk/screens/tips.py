"""Tips: those that wait, about minors first, and the form for one that came by telephone or letter."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, Literal

from fastapi import APIRouter, Form
from fastapi.responses import Response

from classifiers.verdict import Label
from takedowns import tips
from takedowns.desk.refusals import REFUSALS, Refusal
from takedowns.desk.visit import Here, Visit
from takedowns.ledger.tables import Tip
from takedowns.tips import Told

router = APIRouter()
SHOWN = 200  # nobody handles more by hand in a day


@dataclass(frozen=True)
class Typed:
    """What the form holds."""

    origin: str = "hotline"
    number: str = ""
    text: str = ""
    url: str = ""
    title: str = ""
    shop: str = ""
    minors: bool = False
    other_tobacco: bool = False


@router.get("/tips", name="tips")
def show_tips(visit: Here) -> Response:
    return _tips(visit)


@router.post("/tips", name="add_tip")
def add_tip(
    visit: Here,
    origin: Annotated[Literal["hotline", "public", "bureau", "police"], Form()],
    text: Annotated[str, Form(max_length=20_000)],
    number: Annotated[str, Form(max_length=200)] = "",
    url: Annotated[str, Form(max_length=4000)] = "",
    title: Annotated[str, Form(max_length=1000)] = "",
    shop: Annotated[str, Form(max_length=400)] = "",
    minors: Annotated[bool, Form()] = False,
    other_tobacco: Annotated[bool, Form()] = False,
) -> Response:
    typed = Typed(origin, number, text, url, title, shop, minors, other_tobacco)
    told = Told(
        origin=origin,
        text=text,
        number=number or None,
        url=url or None,
        title=title or None,
        shop=shop or None,
        minors=minors,
        category=Label.OTHER_TOBACCO if other_tobacco else None,
    )
    house = tips.house(visit.desk.context)
    try:
        with visit.desk.ledger.write() as session:
            tip, _ = tips.add(session, told, visit.user, house, now=visit.now)
    except REFUSALS as refusal:
        return _tips(visit, refusal, typed)
    return _tips(visit, said=tip)


@router.post("/tips/{tip_id}/link", name="link_tip")
def link_tip(
    visit: Here,
    tip_id: int,
    version: Annotated[int, Form()],
    address: Annotated[str, Form(max_length=4000)],
    title: Annotated[str, Form(max_length=1000)] = "",
) -> Response:
    house = tips.house(visit.desk.context)
    try:
        with visit.desk.ledger.write() as session:
            tips.link(
                session, tip_id, visit.user, address, house, title=title, now=visit.now, version=version
            )
    except REFUSALS as refusal:
        return _tips(visit, refusal)
    return visit.go("/tips")


@router.post("/tips/{tip_id}/dismissal", name="dismiss_tip")
def dismiss_tip(
    visit: Here,
    tip_id: int,
    version: Annotated[int, Form()],
    note: Annotated[str, Form(max_length=2000)] = "",
) -> Response:
    try:
        with visit.desk.ledger.write() as session:
            tips.dismiss(session, tip_id, visit.user, note, now=visit.now, version=version)
    except REFUSALS as refusal:
        return _tips(visit, refusal)
    return visit.go("/tips")


def _tips(
    visit: Visit, refusal: Refusal | None = None, typed: Typed | None = None, said: Tip | None = None
) -> Response:
    with visit.desk.ledger.read() as session:
        waiting = tips.waiting(session, SHOWN + 1)
    return visit.page(
        "tips.html",
        status=409 if refusal else 200,
        waiting=waiting[:SHOWN],
        more=len(waiting) > SHOWN,
        origins=tips.ORIGINS,
        typed=typed or Typed(),
        said=said,
        refusal=refusal,
    )
