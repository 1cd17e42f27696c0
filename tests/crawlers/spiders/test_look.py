"""A look keeps pages and judges them, and leaves nothing that an intake would take in."""

from __future__ import annotations

from crawlers.evidence import read_evidence
from crawlers.rundir import RunKind
from tests.crawlers.shop import Page, targets


def test_a_look_keeps_the_pages_and_neither_listings_nor_sightings(shop, profile, crawl):
    shop.item("1")
    shop.pages["/item/2.html"] = Page("", 302, {"Location": "/item/1.html"})
    run = crawl(profile, RunKind.LOOK, targets=targets(shop.home, "1", "2", "3"))
    seen = {capture.item_id: capture for capture in run.captures}
    assert {item_id: capture.http_status for item_id, capture in seen.items()} == {
        "1": 200,
        "2": 200,
        "3": 404,
    }
    assert seen["2"].final_url == f"{shop.home}/item/1.html"
    assert "add-cart" in read_evidence(run.path, seen["1"].evidence).html
    assert (run.listings, run.sightings) == ((), ())


def test_a_look_that_is_not_to_follow_keeps_the_redirect_itself(shop, profile, crawl):
    shop.pages["/item/2.html"] = Page("", 302, {"Location": "/item/1.html"})
    run = crawl(profile, RunKind.LOOK, targets=targets(shop.home, "2"), follow=False)
    (capture,) = run.captures
    answer = read_evidence(run.path, capture.evidence)
    assert (answer.status, answer.headers["location"]) == (302, "/item/1.html")
    assert "/item/1.html" not in shop.hits


def test_a_look_that_meets_walls_goes_away(shop, profile, crawl):
    shop.pages |= {f"/item/{n}.html": Page("", 403) for n in range(5)}
    run = crawl(profile, RunKind.LOOK, targets=targets(shop.home, *map(str, range(5))))
    assert run.stats.finish_reason == "blocked"
    assert len(run.captures) == 5
    assert {capture.state for capture in run.captures} == {"blocked"}
