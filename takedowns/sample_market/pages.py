"""The market's public pages: three themes with the same goods behind the same kind of addresses."""

from __future__ import annotations

from xml.sax.saxutils import escape

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import JSONResponse, PlainTextResponse, RedirectResponse, Response
from starlette.routing import BaseRoute, Mount, Route
from starlette.staticfiles import StaticFiles

from takedowns.sample_market import faults
from takedowns.sample_market.catalogue import Offer, Theme
from takedowns.sample_market.modes import SHOWN, Mode
from takedowns.sample_market.pictures import photo
from takedowns.sample_market.runtime import Runtime
from takedowns.sample_market.shelves import as_shown, find, find_shop, on_show, recommended, search, shops
from takedowns.sample_market.templating import render

HOME_OFFERS = 12
LARGEST_PAGE = 10_000


def runtime_of(request: Request) -> Runtime:
    runtime: Runtime = request.app.state.runtime
    return runtime


def theme_of(request: Request) -> Theme:
    return Theme(request.path_params["theme"])


async def home(request: Request) -> Response:
    market, theme = runtime_of(request).market, theme_of(request)
    offers = on_show(market, theme)[:HOME_OFFERS]
    return render(request, "home.html", theme=theme, shops=shops(market, theme), offers=offers)


async def search_page(request: Request) -> Response:
    market, theme = runtime_of(request).market, theme_of(request)
    term, page = _query(request)
    if theme is Theme.LIVE:
        return render(request, "live_shell.html", theme=theme, view="search")
    found = search(on_show(market, theme), term, page)
    return render(request, "search.html", theme=theme, term=term, found=found)


async def shop_page(request: Request) -> Response:
    market, theme = runtime_of(request).market, theme_of(request)
    shop = find_shop(market, theme, request.path_params["shop_id"])
    mode = market.shops.get(shop.shop_id, Mode.UP) if shop else Mode.HTTP_404
    if shop is None or mode not in SHOWN:
        return faults.answer(request, mode, f"/{theme}/")
    offers = [offer for offer in on_show(market, theme) if offer.shop == shop]
    return render(request, "shop.html", theme=theme, shop=shop, offers=offers)


async def item_page(request: Request) -> Response:
    market, theme = runtime_of(request).market, theme_of(request)
    item_id = request.path_params["item_id"]
    entry = find(market, theme, item_id)
    mode = entry.mode if entry else Mode.HTTP_404
    if theme is Theme.LIVE and mode in SHOWN | {Mode.SOFT_404}:
        return render(request, "live_shell.html", theme=theme, view="item")
    if entry is None or mode not in SHOWN:
        return faults.answer(request, mode, f"/{theme}/")
    return render(
        request,
        f"{theme}_item.html",
        theme=theme,
        offer=as_shown(market, entry),
        sold_out=mode is Mode.SOLD_OUT,
        beside=recommended(market, theme, item_id),
    )


async def live_search(request: Request) -> Response:
    term, page = _query(request)
    found = search(on_show(runtime_of(request).market, Theme.LIVE), term, page)
    items = [_as_json(offer) for offer in found.offers]
    return JSONResponse({"total": found.total, "page": page, "has_next": found.has_next, "items": items})


async def live_item(request: Request) -> Response:
    """What the script of the live theme fetches: ``item`` is null under a soft 404."""
    market = runtime_of(request).market
    entry = find(market, Theme.LIVE, request.path_params["item_id"])
    mode = entry.mode if entry else Mode.HTTP_404
    if entry is None or mode in {Mode.HTTP_404, Mode.HTTP_410, Mode.REDIRECT_HOME}:
        return JSONResponse({"item": None}, 404)
    if mode is Mode.SOFT_404:
        return JSONResponse({"item": None, "sold_out": False})
    if mode not in SHOWN:
        return faults.answer(request, mode, "/live/")
    return JSONResponse({"item": _as_json(as_shown(market, entry)), "sold_out": mode is Mode.SOLD_OUT})


async def picture(request: Request) -> Response:
    market, item_id = runtime_of(request).market, request.path_params["item_id"]
    entries = (find(market, theme, item_id) for theme in Theme)
    entry = next((entry for entry in entries if entry), None)
    if entry is None or entry.mode not in SHOWN:
        return PlainTextResponse("no such picture", 404)
    return Response(photo(as_shown(market, entry).photo), media_type="image/png")


async def robots(request: Request) -> Response:
    rules = "User-agent: *\nDisallow: /private/\nDisallow: /_control/\n"
    return PlainTextResponse(f"{rules}\nSitemap: {request.base_url}sitemap.xml\n")


async def sitemap(request: Request) -> Response:
    market, base = runtime_of(request).market, str(request.base_url).rstrip("/")
    paths = [offer.path for theme in Theme for offer in on_show(market, theme)]
    urls = "".join(f"<url><loc>{escape(base + path)}</loc></url>" for path in paths)
    xml = f'<?xml version="1.0"?><urlset xmlns="http://www.sitemaps.org/schemas/sitemap/0.9">{urls}</urlset>'
    return Response(xml, media_type="application/xml")


async def login(request: Request) -> Response:
    return render(request, "login.html")


async def private(_request: Request) -> Response:
    """Robots must never come here; the hit count shows whether one did."""
    return PlainTextResponse("买家订单，仅限本人查看", 403)


async def front(_request: Request) -> Response:
    return RedirectResponse(f"/{Theme.MALL}/", 302)


def routes() -> list[BaseRoute]:
    theme = "/{theme:theme}"
    return [
        Route("/", front),
        Route("/robots.txt", robots),
        Route("/sitemap.xml", sitemap),
        Route("/login", login),
        Route("/private/{rest:path}", private),
        Route("/photo/{item_id}.png", picture),
        Route("/live/api/search", live_search),
        Route("/live/api/item/{item_id}", live_item),
        Mount("/static", StaticFiles(packages=[(__package__, "static")])),
        Route(f"{theme}/", home),
        Route(f"{theme}/search", search_page),
        Route(f"{theme}/item/{{item_id}}.html", item_page),
        Route(f"{theme}/shop/{{shop_id}}", shop_page),
    ]


def _query(request: Request) -> tuple[str, int]:
    page = request.query_params.get("page", "1")
    if not (page.isascii() and page.isdigit() and 1 <= int(page[:6]) <= LARGEST_PAGE):
        raise HTTPException(400, f"page must be a number from 1 to {LARGEST_PAGE}")
    return request.query_params.get("q", ""), int(page)


def _as_json(offer: Offer) -> dict[str, object]:
    shop = offer.shop
    return {
        "id": offer.item_id,
        "path": offer.path,
        "title": offer.title,
        "description": offer.description,
        "attributes": dict(offer.attributes),
        "price": offer.price,
        "photo": f"/photo/{offer.item_id}.png",
        "shop": {
            "id": shop.shop_id,
            "name": shop.name,
            "kind": shop.kind,
            "path": f"/live/shop/{shop.shop_id}",
        },
    }
