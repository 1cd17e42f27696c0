"""Short links, opened on request: one polite request a hop, and the listing itself is never asked for."""

from __future__ import annotations

from collections.abc import Iterable

from crawlers import links
from crawlers.answer import Answer
from crawlers.drafting.draft import for_a_look
from crawlers.links import Link, LinkProblem, Unrecognised
from crawlers.platforms import Platform
from crawlers.politeness import is_loopback
from crawlers.rundir import Target
from takedowns.context import Context
from takedowns.crawling.looking import NothingSeenError, look

HOPS_AT_MOST = 5
PAGE_LIMIT = 200_000  # code points of a page that are looked through for the listing's address


class UnopenedError(ValueError):
    """The short link leads to no listing that we recognise; the message says how far it led."""


def opened(context: Context, text: str) -> str:
    """``text`` with its short link replaced by the listing's address; any other text as it is.

    Only hosts are asked that are some platform's short links. Raises UnopenedError.
    """
    found = links.recognise(text, context.platforms.values())
    if not isinstance(found, Unrecognised) or found.problem is not LinkProblem.SHORT_LINK:
        return text
    link = _follow(context, found)
    return links.URL.sub(lambda _: link.url, text, count=1)


def _follow(context: Context, found: Unrecognised) -> Link:
    """Raises UnopenedError after too many hops, and where a hop leads to nothing that we know."""
    start = found.url or ""
    for _ in range(HOPS_AT_MOST):
        answer = _ask(context, found)
        there = leads_to(answer, context.platforms.values())
        if isinstance(there, Link) and is_loopback(there.url) and not is_loopback(start):
            raise UnopenedError(f"{start} leads to this very machine")
        if isinstance(there, Link):
            return there
        if there.problem is not LinkProblem.SHORT_LINK or there.url == found.url:
            raise UnopenedError(f"{start} leads to {there.url or 'no address'}, which is no known listing")
        found = there
    raise UnopenedError(f"{start} leads on and on: {HOPS_AT_MOST} addresses were asked")


def _ask(context: Context, found: Unrecognised) -> Answer:
    """The answer of one host, redirects not followed."""
    url, name = found.url or "", found.platform or ""
    try:
        (seen,) = look(context, for_a_look(name, [url]), [Target(item_id=url, url=url)], follow=False)
    except NothingSeenError as error:
        raise UnopenedError(str(error)) from error
    if seen.answer is None:
        raise UnopenedError(f"{url} was not opened: {seen.capture.reason}")
    return seen.answer


def leads_to(answer: Answer, platforms: Iterable[Platform]) -> Link | Unrecognised:
    """By a redirect or, as some do it, by the only listing's address in the page."""
    known = tuple(platforms)
    if location := answer.headers.get("location"):
        return links.recognise(answer.absolute(location), known)
    written = {found[0].replace("&amp;", "&") for found in links.URL.finditer(answer.html[:PAGE_LIMIT])}
    recognised = {link for url in written if isinstance(link := links.recognise(url, known), Link)}
    return recognised.pop() if len(recognised) == 1 else Unrecognised(LinkProblem.NOT_A_LISTING, answer.url)
