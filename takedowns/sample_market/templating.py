"""Jinja2 templates of the market, escaping everything that sellers wrote."""

from __future__ import annotations

from jinja2 import Environment, PackageLoader, StrictUndefined
from starlette.requests import Request
from starlette.responses import HTMLResponse

# A misspelt name in a template must fail a test, not render as nothing.
TEMPLATES = Environment(
    loader=PackageLoader("takedowns.sample_market"),
    autoescape=True,
    undefined=StrictUndefined,
    trim_blocks=True,
)


def render(request: Request, template: str, *, status: int = 200, **context: object) -> HTMLResponse:
    page = TEMPLATES.get_template(template).render(base=str(request.base_url).rstrip("/"), **context)
    return HTMLResponse(page, status)
