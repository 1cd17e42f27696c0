"""The web application: pages and control API over one runtime, every hit counted."""

from __future__ import annotations

from starlette.applications import Starlette
from starlette.convertors import Convertor, register_url_convertor
from starlette.middleware import Middleware
from starlette.types import ASGIApp, Receive, Scope, Send

from takedowns.sample_market import control, pages
from takedowns.sample_market.catalogue import Theme
from takedowns.sample_market.runtime import Runtime


class ThemeConvertor(Convertor[Theme]):
    """Lets a route match the three themes and nothing else."""

    regex = "|".join(Theme)

    def convert(self, value: str) -> Theme:
        return Theme(value)

    def to_string(self, value: Theme) -> str:
        return value.value


class CountHits:
    """Counts requests by path, the control API's own aside."""

    def __init__(self, app: ASGIApp, runtime: Runtime) -> None:
        self._app, self._runtime = app, runtime

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http" and not scope["path"].startswith("/_control/"):
            self._runtime.hits[scope["path"]] += 1
        await self._app(scope, receive, send)


def build_app(runtime: Runtime) -> Starlette:
    register_url_convertor("theme", ThemeConvertor())
    count = Middleware(CountHits, runtime=runtime)
    app = Starlette(routes=[*control.routes(), *pages.routes()], middleware=[count])
    app.state.runtime = runtime
    return app
