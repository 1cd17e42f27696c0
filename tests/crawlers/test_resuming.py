"""A search that is killed anywhere, any number of times, reads every listing and almost none twice."""

from __future__ import annotations

from collections import Counter

from hypothesis import given
from hypothesis import strategies as st

from crawlers.resuming import Rest, SearchPage, rest_of

SITES = st.dictionaries(
    st.sampled_from(["a", "b", "c"]),
    st.lists(st.lists(st.sampled_from("stuvwxyz"), max_size=4, unique=True), min_size=1, max_size=3),
    min_size=1,
)


class KilledError(Exception):
    """In the middle of a page: it was fetched, and its line was not written."""


class Crawl:
    """One run over ``site`` (term → its result pages), which dies at fetch number ``dies_at``."""

    def __init__(self, site, rests, handled, dies_at):
        self.site, self.rests, self.dies_at = site, rests, dies_at
        self.asked = set(handled)
        self.pages: list[SearchPage] = []
        self.handled: set[str] = set()
        self.fetched: list[str] = []

    def run(self):
        for term in self.site:
            rest = self.rests[term]
            self._listings(rest.pending)
            page = rest.next_page
            while page:
                page = self._search(term, page)

    def _search(self, term, page):
        self._fetch(f"{term}/{page}")
        links = {item: f"/{item}" for item in self.site[term][page - 1]}
        last = page == len(self.site[term])
        self.pages.append(SearchPage(term=term, page=page, links=links, last=last))
        self._listings(links)
        return None if last else page + 1

    def _listings(self, links):
        for item in links:
            if item not in self.asked:
                self.asked.add(item)
                self._fetch(item)
                self.handled.add(item)

    def _fetch(self, what):
        self.fetched.append(what)
        if len(self.fetched) == self.dies_at:
            raise KilledError


@given(SITES, st.lists(st.integers(1, 12), max_size=6))
def test_kills_cost_one_page_each_and_lose_nothing(site, deaths):
    rests = {term: Rest(term=term) for term in site}
    handled: set[str] = set()
    fetched: Counter[str] = Counter()
    killed = 0
    for dies_at in [*deaths, None]:
        crawl = Crawl(site, rests, handled, dies_at)
        try:
            crawl.run()
        except KilledError:
            killed += 1
        fetched.update(crawl.fetched)
        handled |= crawl.handled
        rests = {term: rest_of(rest, crawl.pages, handled) for term, rest in rests.items()}
    assert handled == {item for pages in site.values() for page in pages for item in page}
    assert all(rest.finished for rest in rests.values())
    assert sum(times - 1 for times in fetched.values()) <= killed


def test_a_term_that_nobody_began_is_wholly_left():
    rest = rest_of(Rest(term="a"), [], set())
    assert (rest.next_page, rest.pending, rest.finished) == (1, {}, False)


def test_pages_of_another_term_do_not_count():
    other = SearchPage(term="b", page=3, links={"x": "/x"}, last=True)
    assert rest_of(Rest(term="a"), [other], set()) == Rest(term="a")
