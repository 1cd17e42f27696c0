"""How a listing answers when its goods cannot be seen."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from urllib.parse import urlencode

from starlette.requests import Request
from starlette.responses import PlainTextResponse, RedirectResponse, Response, StreamingResponse
from starlette.types import Receive, Scope, Send

from takedowns.sample_market.modes import Mode
from takedowns.sample_market.templating import render

RETRY_AFTER_S = 2
HALF_A_PAGE = "<!doctype html><html lang='zh-CN'><body><h1 class='title'>商品".encode()
PAGES = {
    Mode.HTTP_404: ("missing.html", 404),
    Mode.HTTP_410: ("missing.html", 410),
    Mode.SOFT_404: ("notice_gone.html", 200),
    Mode.CAPTCHA_200: ("captcha.html", 200),
    Mode.CAPTCHA_404: ("captcha.html", 404),
}
PADDING = b"<!-- " + b"." * 1000 + b" -->\n"


class CutResponse(Response):
    """Promises more than it sends; the server then closes the connection in the middle of the body."""

    async def __call__(self, _scope: Scope, _receive: Receive, send: Send) -> None:
        headers = [(b"content-type", b"text/html; charset=utf-8"), (b"content-length", b"50000")]
        await send({"type": "http.response.start", "status": 200, "headers": headers})
        await send({"type": "http.response.body", "body": HALF_A_PAGE, "more_body": True})


async def _endless() -> AsyncIterator[bytes]:
    yield HALF_A_PAGE
    while True:
        yield PADDING
        await asyncio.sleep(0.05)


def answer(request: Request, mode: Mode, home: str) -> Response:
    """The response for a listing in ``mode``, which is not one of those that show goods."""
    if mode in PAGES:
        template, status = PAGES[mode]
        return render(request, template, status=status, home=home)
    match mode:
        case Mode.REDIRECT_HOME:
            return RedirectResponse(home, 302)
        case Mode.LOGIN_WALL:
            return RedirectResponse(f"/login?{urlencode({'next': request.url.path})}", 302)
        case Mode.RATE_LIMITED:
            return PlainTextResponse("请求过于频繁，请稍后再试", 429, {"Retry-After": str(RETRY_AFTER_S)})
        case Mode.UNAVAILABLE:
            return PlainTextResponse("服务暂时不可用", 503)
        case Mode.CUT:
            return CutResponse()
        case Mode.ENDLESS:
            return StreamingResponse(_endless(), media_type="text/html")
    raise ValueError(f"{mode} shows goods")
