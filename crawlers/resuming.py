"""What is left of a search that broke off: its next page, and the listings found but not yet read. Pure."""

from __future__ import annotations

from collections.abc import Collection, Iterable

from pydantic import Field

from crawlers.listing import Frozen, NonEmpty

WHOLE_CATALOGUE = "*"  # stands for the term where everything is read and none is searched for


class SearchPage(Frozen):
    """One result page that was read. ``last``: no further page of ``term`` is asked for."""

    term: NonEmpty
    page: int = Field(ge=1)
    links: dict[str, str] = Field(description="item id → address, in page order")
    last: bool


class Rest(Frozen):
    """What is left of a term; a new one stands for a term that nobody has begun."""

    term: NonEmpty
    next_page: int | None = Field(default=1, ge=1, description="None: all of its result pages were read")
    pending: dict[str, str] = Field(default_factory=dict, description="listings still to be read, see links")

    @property
    def finished(self) -> bool:
        return self.next_page is None and not self.pending


def rest_of(before: Rest, pages: Iterable[SearchPage], handled: Collection[str]) -> Rest:
    """What is left of ``before`` after ``pages`` (of any terms) and the listings ``handled`` by any term."""
    read = sorted((page for page in pages if page.term == before.term), key=lambda page: page.page)
    found = {item_id: url for page in read for item_id, url in page.links.items()}
    pending = {i: url for i, url in (before.pending | found).items() if i not in handled}
    if not read:
        return before.model_copy(update={"pending": pending})
    return Rest(term=before.term, next_page=None if read[-1].last else read[-1].page + 1, pending=pending)
