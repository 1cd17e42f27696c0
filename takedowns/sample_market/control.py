"""The control API, the market's truth, and the road back: notices in, the reply workbook out."""

from __future__ import annotations

import csv
import hmac
import io
from collections.abc import Awaitable, Callable
from dataclasses import asdict
from functools import wraps
from zoneinfo import ZoneInfo

from pydantic import AwareDatetime, BaseModel, ConfigDict, ValidationError
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import BaseRoute, Route

from takedowns.sample_market.figures import figures, outcome
from takedowns.sample_market.modes import Mode
from takedowns.sample_market.notices import Notice
from takedowns.sample_market.pages import runtime_of
from takedowns.sample_market.runtime import Runtime
from takedowns.sample_market.state import (
    ClockError,
    Entry,
    Market,
    UnknownItem,
    advance,
    relist,
    set_mode,
    set_shop,
)

Endpoint = Callable[[Request], Awaitable[Response]]
TOKEN_HEADER = "X-Market-Token"  # noqa: S105 - the name of a header, not a secret
REPLY_COLUMNS = ("线索编号", "商品ID", "处置措施", "处置时间", "备注")
SHANGHAI = ZoneInfo("Asia/Shanghai")
LARGEST_NOTICE = 1_000_000


class Command(BaseModel):
    model_config = ConfigDict(extra="forbid")


class SetMode(Command):
    item_id: str
    mode: Mode


class SetShop(Command):
    shop_id: str
    mode: Mode


class Relist(Command):
    item_id: str


class SetClock(Command):
    now: AwareDatetime


def guarded(endpoint: Endpoint) -> Endpoint:
    """Let in only who holds the token, and answer a bad command with a sentence."""

    @wraps(endpoint)
    async def wrapper(request: Request) -> Response:
        sent = request.headers.get(TOKEN_HEADER, "").encode()
        if not hmac.compare_digest(sent, runtime_of(request).token.encode()):
            return _refuse(401, f"the header {TOKEN_HEADER} is missing or wrong")
        try:
            return await endpoint(request)
        except UnknownItem as error:
            return _refuse(404, str(error))
        except (ClockError, ValidationError) as error:
            return _refuse(400, str(error))

    return wrapper


@guarded
async def set_listing_mode(request: Request) -> Response:
    command, runtime = SetMode.model_validate_json(await request.body()), runtime_of(request)
    runtime.market = set_mode(runtime.market, command.item_id, command.mode)
    return JSONResponse({"item_id": command.item_id, "mode": command.mode})


@guarded
async def set_shop_mode(request: Request) -> Response:
    command, runtime = SetShop.model_validate_json(await request.body()), runtime_of(request)
    runtime.market = set_shop(runtime.market, command.shop_id, command.mode)
    return JSONResponse({"shop_id": command.shop_id, "mode": command.mode})


@guarded
async def relist_listing(request: Request) -> Response:
    command, runtime = Relist.model_validate_json(await request.body()), runtime_of(request)
    runtime.market, new_id = relist(runtime.market, command.item_id)
    return JSONResponse({"item_id": new_id, "path": runtime.market.entries[new_id].offer.path})


@guarded
async def set_clock(request: Request) -> Response:
    command, runtime = SetClock.model_validate_json(await request.body()), runtime_of(request)
    runtime.market = advance(runtime.market, command.now)
    return JSONResponse({"now": runtime.market.now.isoformat()})


@guarded
async def log(request: Request) -> Response:
    runtime = runtime_of(request)
    events = [{**asdict(event), "at": event.at.isoformat()} for event in runtime.market.events]
    return JSONResponse({"events": events, "hits": dict(runtime.hits)})


@guarded
async def truth(request: Request) -> Response:
    return JSONResponse(_truth(runtime_of(request)))


@guarded
async def replies(request: Request) -> Response:
    """One row per answered lead, oldest first, as platforms hand it over."""
    text = _workbook(runtime_of(request).market)
    return Response(text.encode("utf-8-sig"), media_type="text/csv; charset=utf-8")


async def notice_hook(request: Request) -> Response:
    """``POST /hooks/notices`` with a :class:`Notice` as JSON; what cannot be read is kept raw and refused."""
    raw, runtime = await request.body(), runtime_of(request)
    if len(raw) > LARGEST_NOTICE:
        return _refuse(413, f"a notice holds at most {LARGEST_NOTICE} bytes")
    runtime.keep_raw(raw, ".json")
    try:
        notice = Notice.model_validate_json(raw)
    except ValidationError as error:
        return _refuse(400, str(error))
    runtime.take_in(notice)
    return JSONResponse({"message_id": notice.message_id, "leads": len(notice.leads)}, 202)


def routes() -> list[BaseRoute]:
    return [
        Route("/_control/mode", set_listing_mode, methods=["POST"]),
        Route("/_control/shop", set_shop_mode, methods=["POST"]),
        Route("/_control/relist", relist_listing, methods=["POST"]),
        Route("/_control/clock", set_clock, methods=["POST"]),
        Route("/_control/log", log),
        Route("/_control/truth", truth),
        Route("/replies.csv", replies),
        Route("/hooks/notices", notice_hook, methods=["POST"]),
    ]


def _refuse(status: int, reason: str) -> Response:
    return JSONResponse({"error": reason}, status)


def _truth(runtime: Runtime) -> dict[str, object]:
    market = runtime.market
    return {
        "now": market.now.isoformat(),
        "figures": asdict(figures(market)),
        "notices": {
            "received": len(market.message_ids),
            "duplicates": len(market.message_ids) - len(set(market.message_ids)),
            "message_ids": list(market.message_ids),
        },
        "listings": [_listing(market, entry) for entry in market.entries.values()],
        "hits": dict(runtime.hits),
    }


def _listing(market: Market, entry: Entry) -> dict[str, object]:
    offer = entry.offer
    leads = [lead for lead in market.leads if lead.item_id == offer.item_id]
    return {
        "item_id": offer.item_id,
        "theme": offer.theme,
        "path": offer.path,
        "shop_id": offer.shop.shop_id,
        "shop_name": offer.shop.name,
        "shop_kind": offer.shop.kind,
        "title": offer.title,
        "corpus_id": offer.corpus_id,
        "label": offer.label,
        "violating": offer.violating,
        "mode": entry.mode,
        "outcome": outcome(market, entry),
        "relisted_from": entry.relisted_from,
        "history": [{"at": c.at.isoformat(), "mode": c.mode, "cause": c.cause} for c in entry.history],
        "leads": [{"number": lead.number, "policy": lead.policy} for lead in leads],
    }


def _workbook(market: Market) -> str:
    out = io.StringIO(newline="")
    writer = csv.writer(out)
    writer.writerow(REPLY_COLUMNS)
    answered = ((lead.answered_at, lead) for lead in market.leads if lead.answered_at is not None)
    for at, lead in sorted(answered, key=lambda pair: pair[0]):
        stamp = at.astimezone(SHANGHAI).strftime("%Y-%m-%d %H:%M:%S")
        writer.writerow((lead.number, lead.item_id, "已下架", stamp, "经核实，该商品已按规定处理"))
    return out.getvalue()
