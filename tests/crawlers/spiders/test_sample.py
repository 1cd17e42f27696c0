"""The random arm in a real crawl: what its run directory says is what the shop showed."""

from __future__ import annotations

import pytest
from pydantic import ValidationError

from crawlers.listing import Presence
from crawlers.rundir import CrawlJob, Outcome, RunKind, pages_file
from crawlers.sampling import Panel, draw, frame_of
from tests.crawlers.shop import Page, shop_profile

PANEL = Panel.model_validate(
    {
        "platform": "corner",
        "version": "1",
        "depth": 4,
        "strata": [
            {"name": "medical", "queries": ["mist", "inhaler"], "draws": 3},
            {"name": "drink", "queries": ["tea", "plant"], "draws": 2},
        ],
    }
)
RESULTS = {"mist": ("a1", "a2", "a3", "a4", "a5"), "inhaler": ("a1", "b1"), "tea": ("c1", "a1", "c2")}
EMPTY = Page('<p class="no-results">没有找到</p>')


def links(*item_ids: str) -> Page:
    return Page("".join(f'<a class="item-link" href="/item/{i}.html">x</a>' for i in item_ids))


@pytest.fixture
def profile(shop):
    """Two listings a result page."""
    for query, item_ids in RESULTS.items():
        pairs = [item_ids[start : start + 2] for start in range(0, len(item_ids), 2)]
        for number, pair in enumerate(pairs, start=1):
            shop.pages[f"/search/{query}/{number}"] = links(*pair)
            for item_id in pair:
                shop.item(item_id)
        shop.pages[f"/search/{query}/{len(pairs) + 1}"] = EMPTY
    shop.pages["/search/plant/1"] = EMPTY
    base = shop_profile(shop.home)
    search = base.search.model_copy(update={"url": "{home}/search/{term}/{page}"})
    return base.model_copy(update={"search": search})


@pytest.fixture
def sample(crawl, profile):
    def run(seed: str = "s"):
        return crawl(profile, RunKind.SAMPLE, panel=PANEL, seed=seed)

    return run


def expected(shop, seed: str = "s", **lost: None):
    results = {
        q: {i: f"{shop.home}/item/{i}.html" for i in ids} for q, ids in RESULTS.items() if q not in lost
    }
    frame = frame_of(PANEL, results)
    return frame, draw(PANEL, frame, seed)


def test_the_frame_is_read_whole_then_drawn_and_each_drawn_listing_is_looked_at_once(shop, sample):
    run = sample()
    frame, draws = expected(shop)
    assert run.frame == frame
    assert {one.position for one in run.frame if one.query == "mist"} == {1, 2, 3, 4}
    assert sorted(_bare(run.draws)) == sorted(_bare(draws))
    assert {look.state for look in run.draws} == {Presence.UP}
    assert {listing.item_id for listing in run.listings} == {one.item_id for one in draws}
    assert all(shop.hits[f"/item/{listing.item_id}.html"] == 1 for listing in run.listings)
    assert run.stats.outcome is Outcome.OK
    assert run.stats.kind is RunKind.SAMPLE
    assert not pages_file(run.path).exists(), "only the targeted arm is taken up again in the middle"


def _bare(draws):
    return [(one.query, one.position, one.item_id, one.probability, one.listing_probability) for one in draws]


def test_a_query_that_meets_a_wall_leaves_the_frame_and_the_run_says_so(shop, sample):
    shop.pages["/search/mist/2"] = Page("no", 403)
    run = sample()
    frame, draws = expected(shop, mist=None)
    assert run.frame == frame
    assert sorted(_bare(run.draws)) == sorted(_bare(draws))
    assert run.stats.counters["lost_queries"] == 1
    assert run.stats.outcome is Outcome.PARTIAL
    assert run.requests.refusals == 1


@pytest.mark.parametrize("end", [Page("missing", 404), Page("<p>稍后再试</p>")])
def test_results_that_end_without_a_sign_stay_in_the_frame_and_the_run_says_so(shop, sample, end):
    shop.pages["/search/mist/2"] = end
    run = sample()
    assert {one.item_id for one in run.frame if one.query == "mist"} == {"a1", "a2"}
    told = [issue for issue in run.issues if issue.code == "frame_cut_short"]
    assert [issue.url for issue in told] == [f"{shop.home}/search/mist/2"]
    assert run.stats.counters["frames_cut_short"] == 1
    assert "lost_queries" not in run.stats.counters
    assert run.stats.outcome is Outcome.PARTIAL


def test_a_drawn_listing_behind_a_wall_is_non_response_and_one_that_vanished_is_gone(shop, sample):
    _, draws = expected(shop)
    drawn = list(dict.fromkeys(one.item_id for one in draws))
    shop.pages[f"/item/{drawn[0]}.html"] = Page('<div id="captcha">滑动验证</div>')
    shop.pages[f"/item/{drawn[1]}.html"] = Page("", 404)
    states = {look.item_id: look.state for look in sample().draws}
    assert states[drawn[0]] is Presence.BLOCKED
    assert states[drawn[1]] is Presence.GONE


def test_draws_that_were_not_reached_are_told_of(shop, profile, crawl):
    for item_id in {i for ids in RESULTS.values() for i in ids}:
        shop.pages[f"/item/{item_id}.html"] = Page('<div id="captcha">滑动验证</div>')
    slow = profile.model_copy(update={"politeness": profile.politeness.model_copy(update={"delay_s": 0.05})})
    run = crawl(slow, RunKind.SAMPLE, panel=PANEL, seed="s")
    _, draws = expected(shop)
    assert run.stats.outcome is Outcome.BLOCKED
    assert sorted(_bare(run.draws)) == sorted(_bare(draws))
    assert {look.state for look in run.draws} == {Presence.BLOCKED}


@pytest.mark.parametrize(
    ("job", "complaint"),
    [
        ({"kind": RunKind.SAMPLE}, "a sample, and nothing else"),
        ({"kind": RunKind.SAMPLE, "panel": PANEL}, "a sample, and nothing else"),
        ({"kind": RunKind.SWEEP, "panel": PANEL, "seed": "s"}, "a sample, and nothing else"),
        ({"kind": RunKind.SWEEP, "seed": "s"}, "a sample, and nothing else"),
        ({"kind": RunKind.SAMPLE, "panel": PANEL, "seed": "s", "terms": ("x",)}, "its panel only"),
        (
            {"kind": RunKind.SAMPLE, "panel": PANEL.model_copy(update={"platform": "mall"}), "seed": "s"},
            "the panel is of mall",
        ),
    ],
)
def test_no_job_belongs_to_both_arms(job, complaint):
    with pytest.raises(ValidationError, match=complaint):
        CrawlJob(run_id="r", platform=shop_profile(), contact="a@b.example", **job)
