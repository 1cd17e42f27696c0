"""Scrapy's responses as our values."""

from __future__ import annotations

from scrapy import Request
from scrapy.http import Response

from crawlers.answer import Answer


def answer_of(response: Response, request: Request) -> Answer:
    """Made once for a request and kept with it: parsing the page is most of the work."""
    kept = request.meta.get("answer")
    if isinstance(kept, Answer) and kept.url == response.url and kept.body is response.body:
        return kept
    redirects = tuple(request.meta.get("redirect_urls", ()))
    answer = Answer(
        requested_url=redirects[0] if redirects else request.url,
        url=response.url,
        status=response.status,
        body=response.body,
        headers=_headers(response),
        redirects=redirects,
        rendered="playwright" in response.flags,
        asked=request.meta.get("asked", ""),
    )
    request.meta["answer"] = answer
    return answer


def _headers(response: Response) -> dict[str, str]:
    """Lower-case names; bytes as latin-1, which no byte can break."""
    pairs = response.headers.items()
    return {name.decode("latin-1").lower(): b", ".join(lines).decode("latin-1") for name, lines in pairs}
