"""A page kept as a test case: a folder with ``page.html``, ``response.json`` and ``expected.json``.

``page.html``      the body's very bytes, whatever their charset
``response.json``  how it came (:class:`Response`)
``expected.json``  what must be made of it (:class:`Expected`)
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from pydantic import Field, JsonValue

from crawlers.answer import Answer
from crawlers.listing import Frozen, NonEmpty, Presence

PAGE, RESPONSE, EXPECTED = "page.html", "response.json", "expected.json"


class Response(Frozen):
    url: NonEmpty = Field(description="where the answer came from, redirects followed")
    requested_url: str | None = Field(default=None, description="what was asked for; None: url itself")
    status: int = Field(default=200, ge=100, le=599)
    headers: dict[str, str] = Field(default_factory=dict, description="lower-case names")
    redirects: tuple[str, ...] = Field(default=(), description="the addresses passed on the way, in order")
    rendered: bool = Field(default=False, description="the body is the document that a browser made")


class Expected(Frozen):
    item_id: NonEmpty = Field(description="the listing that was looked for")
    state: Presence
    reason: NonEmpty
    title_before: str | None = Field(default=None, description="as last seen, for pages that were altered")
    listing: dict[str, JsonValue] = Field(
        default_factory=dict, description="fields of Listing as JSON; those not named are not compared"
    )
    note: str | None = Field(default=None, description="what makes the case worth keeping")


@dataclass(frozen=True)
class SavedPage:
    folder: Path
    answer: Answer
    expected: Expected


def load(folder: Path) -> SavedPage:
    """Raises FileNotFoundError or pydantic's ValidationError for a folder that is no test case."""
    described = Response.model_validate_json((folder / RESPONSE).read_bytes())
    answer = Answer(
        requested_url=described.requested_url or described.url,
        url=described.url,
        status=described.status,
        body=(folder / PAGE).read_bytes(),
        headers=described.headers,
        redirects=described.redirects,
        rendered=described.rendered,
    )
    return SavedPage(folder, answer, Expected.model_validate_json((folder / EXPECTED).read_bytes()))


def save(folder: Path, answer: Answer, expected: Expected) -> None:
    """Writes the three files. Raises FileExistsError for a folder that exists: what is kept stays."""
    folder.mkdir(parents=True)
    described = Response(
        url=answer.url,
        requested_url=answer.requested_url if answer.requested_url != answer.url else None,
        status=answer.status,
        headers=dict(answer.headers),
        redirects=answer.redirects,
        rendered=answer.rendered,
    )
    (folder / PAGE).write_bytes(answer.body)
    for name, shape in ((RESPONSE, described), (EXPECTED, expected)):
        text = shape.model_dump_json(indent=1, exclude_defaults=True) + "\n"
        (folder / name).write_text(text, encoding="utf-8")
