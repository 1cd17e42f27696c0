from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
import sqlalchemy as sa

from crawlers.listing import Presence, SellerKind
from crawlers.platforms import Platform
from crawlers.rundir import Outcome, RunKind
from takedowns import configuration, jobs, sellers
from takedowns.context import Context
from takedowns.judging import Claim, Look
from takedowns.ledger import tables
from takedowns.ledger.vocabulary import Measure
from takedowns.reports.period import Period
from takedowns.sample_market.client import running_market
from takedowns.sample_market.modes import Mode
from takedowns.sellers import SellerFacts, handled
from takedowns.settings import Removal
from takedowns.states import LeadState

SENT = datetime(2026, 10, 12, 1, 30, tzinfo=UTC)
HOUR, DAY = timedelta(hours=1), timedelta(days=1)
OCTOBER = Period.parse("2026-10")
RULE = Removal()
UP, GONE, BLOCKED = Presence.UP, Presence.GONE, Presence.BLOCKED


def _seller(*looks: tuple[float, Presence], claimed_on: float | None = None) -> SellerFacts:
    """Looks as (day, state)."""
    claims = ()
    if claimed_on is not None:
        claims = (Claim(1, Measure.SHOP_CLOSED, None, SENT + claimed_on * DAY),)
    seen = tuple(Look(i, state, SENT + day * DAY, "http") for i, (day, state) in enumerate(looks, 1))
    return SellerFacts(1, SellerKind.MERCHANT, "12", None, SENT, claims, seen)


@pytest.mark.parametrize(
    ("seller", "counts"),
    [
        (_seller((1, GONE), (3, GONE), claimed_on=0.5), "claimed verified"),
        (_seller((1, GONE), (3, GONE)), "verified"),
        (_seller((1, GONE), (3, GONE), (9, UP)), "verified"),
        (_seller((1, GONE), claimed_on=0.5), "claimed"),
        (_seller((1, UP), (2, UP), claimed_on=0.5), "claimed false"),
        (_seller((1, UP), claimed_on=0.5), "claimed"),
        (_seller((0.2, UP), (1, BLOCKED), claimed_on=0.5), "claimed unverifiable"),
        (_seller(claimed_on=0.5), "claimed unverifiable"),
        (_seller((-3, GONE), (-1, GONE)), ""),
        (_seller((1, UP), (2, UP)), ""),
    ],
)
def test_what_a_seller_counts_as(seller: SellerFacts, counts: str) -> None:
    found = handled([seller], OCTOBER, as_of=SENT + 15 * DAY, rule=RULE)
    named = [name for name in ("claimed", "verified", "false", "unverifiable") if getattr(found, name)]
    assert " ".join(named) == counts


def test_each_counts_in_the_period_of_its_event() -> None:
    late = _seller((18, GONE), (25, GONE), claimed_on=10)
    october = handled([late], OCTOBER, as_of=SENT + 60 * DAY, rule=RULE)
    assert (october.claimed, october.verified) == ((1,), (1,))
    november = handled([late], Period.parse("2026-11"), as_of=SENT + 60 * DAY, rule=RULE)
    assert (november.claimed, november.verified) == ((), ())
    assert handled([late], OCTOBER, as_of=SENT + 20 * DAY, rule=RULE).verified == ()


@pytest.fixture
def profile() -> Platform:
    shipped = configuration.platforms(configuration.SHIPPED)["sample"]
    return shipped.model_copy(update={"home": "https://shop.invalid"})


@pytest.mark.parametrize(
    ("url", "is_due"),
    [
        ("https://shop.invalid/mall/shop/12", True),
        ("https://shop.invalid/mall/shop/13", False),
        ("https://elsewhere.invalid/mall/shop/12", False),
        ("javascript:alert(1)//mall/shop/12", False),
        ("http://[", False),
        (None, False),
    ],
)
def test_only_the_platforms_own_page_of_that_seller_is_visited(
    sqlite_ledger, make, analyst, profile, now, url, is_due
) -> None:
    with sqlite_ledger.write() as session:
        _sent_lead(session, make, analyst, make.seller(session, external_id="12", url=url), now)
        due = sellers.due(session, profile, rule=RULE, now=now + DAY)
        assert [target.url for target in due] == (["https://shop.invalid/mall/shop/12"] if is_due else [])
        without = profile.model_copy(update={"sellers": None})
        assert sellers.due(session, without, rule=RULE, now=now + DAY) == []


@pytest.mark.parametrize(
    ("looks", "claimed", "day", "is_due"),
    [
        ([], False, 1, True),
        ([(1, UP)], False, 10, False),
        ([(1, UP)], False, 16, True),
        ([(1, UP), (2, GONE)], False, 3, True),
        ([(1, UP)], True, 2, True),
        ([(1, GONE), (3, GONE)], True, 4, False),
        ([(1, GONE), (3, GONE)], True, 8.5, True),
    ],
)
def test_how_often_a_sellers_page_is_looked_at(
    ledger, make, analyst, profile, now, looks, claimed, day, is_due
) -> None:
    """One with a single finding has tier B: every fourteen days."""
    with ledger.write() as session:
        seller = make.seller(session, external_id="12", url="https://shop.invalid/mall/shop/12")
        lead = _sent_lead(session, make, analyst, seller, now)
        for on, state in looks:
            _look(session, make, seller, now + on * DAY, state)
        if claimed:
            make.response(session, lead, measure=Measure.SHOP_CLOSED, received_at=now + HOUR)
        assert bool(sellers.due(session, profile, rule=RULE, now=now + day * DAY)) is is_due


def test_the_claims_of_leads_withdrawn_and_of_another_kind_do_not_count(ledger, make, analyst, now) -> None:
    with ledger.write() as session:
        merchant, account = make.seller(session), make.seller(session, kind=SellerKind.ACCOUNT)
        kept = _sent_lead(session, make, analyst, merchant, now)
        taken_back = _sent_lead(session, make, analyst, account, now, state=LeadState.WITHDRAWN)
        make.response(session, kept, measure=Measure.ACCOUNT_CLOSED)
        make.response(session, taken_back, measure=Measure.ACCOUNT_CLOSED)
        found = sellers.sellers_handled(session, OCTOBER, as_of=now + DAY, rule=RULE)
        assert [one.claimed for one in found.values()] == [(), (), ()]
        make.response(session, kept, measure=Measure.SHOP_CLOSED, recorded_at=now + 2 * DAY)
        later = sellers.sellers_handled(session, OCTOBER, as_of=now + 3 * DAY, rule=RULE)
        assert later[SellerKind.MERCHANT].claimed == (merchant.id,)
        assert sellers.sellers_handled(session, OCTOBER, as_of=now + DAY, rule=RULE) == found


def _sent_lead(session, make, analyst, seller, now, state=LeadState.SENT):
    listing = make.listing(session, seller=seller)
    decision = make.decision(session, make.task(session, make.snapshot(session, listing)), analyst)
    return make.lead(session, decision, state=state, sent_at=now)


def _look(session, make, seller, at, state):
    run = make.run(session, kind="sellers")
    session.add(
        tables.SellerSighting(
            seller_id=seller.id,
            run_id=run.run_id,
            state=state,
            reason="seen",
            vantage="anonymous-http",
            observed_at=at,
            recorded_at=at,
        )
    )


def test_a_shop_that_closes_is_seen_to_close(sqlite_ledger, make, analyst, tmp_path, now) -> None:
    """Three shops of a real market: one is closed, one is claimed closed and stays, one is walled off."""
    with running_market(seed=11, listings=120, clock=now) as market:
        moment = now
        shipped = configuration.platforms(configuration.SHIPPED)["sample"]
        profile = shipped.model_copy(update={"home": market.base_url})
        settings = configuration.settings(configuration.SHIPPED).model_copy(update={"var": tmp_path})
        house = Context(configuration.SHIPPED, settings, {"sample": profile}, sqlite_ledger, lambda: moment)
        house.__dict__["panels"] = {}
        offers = {one["shop_id"]: one for one in market.truth()["listings"] if one["theme"] == "mall"}
        closed, lied, walled = list(offers.values())[:3]
        rows = {}
        with sqlite_ledger.write() as session:
            for offer in (closed, lied, walled):
                shop = offer["shop_id"]
                url = f"{market.base_url}/mall/shop/{shop}"
                seller = make.seller(session, external_id=shop, url=url)
                rows[shop] = seller.id
                lead = _sent_lead(session, make, analyst, seller, now)
                if offer is not closed:
                    make.response(session, lead, measure=Measure.SHOP_CLOSED, received_at=now + HOUR)

        def look(day: float) -> Outcome:
            nonlocal moment
            moment = now + day * DAY
            result = jobs.recheck_sellers(house, "sample")
            assert result is not None
            assert result.row.kind == RunKind.SELLERS
            return result.outcome

        market.set_shop(walled["shop_id"], Mode.CAPTCHA_200)
        look(0.2)
        market.set_shop(closed["shop_id"], Mode.HTTP_404)
        for day in (15, 17):
            look(day)
        with sqlite_ledger.read() as session:
            found = sellers.sellers_handled(session, OCTOBER, as_of=moment + HOUR, rule=RULE)
            merchants = found[SellerKind.MERCHANT]
            assert merchants == sellers.Handled(
                claimed=(rows[lied["shop_id"]], rows[walled["shop_id"]]),
                verified=(rows[closed["shop_id"]],),
                false=(rows[lied["shop_id"]],),
                unverifiable=(rows[walled["shop_id"]],),
            )
            assert session.scalars(sa.select(tables.CrawlRun.trusted)).all() == [True] * 3
            assert not session.scalars(sa.select(tables.Sighting)).all(), "of listings nothing is said"
            assert session.scalar(sa.select(sa.func.count(tables.Listing.id))) == 3
        assert {work.kind for work in _work(sqlite_ledger)} == {"sellers"}


def _work(ledger):
    with ledger.read() as session:
        return session.scalars(sa.select(tables.WorkItem)).all()


def test_without_a_canary_of_its_own_nothing_is_believed(sqlite_ledger, make, analyst, tmp_path, now) -> None:
    with running_market(seed=11, listings=60, clock=now) as market:
        shipped = configuration.platforms(configuration.SHIPPED)["sample"]
        pages = shipped.sellers.model_copy(update={"canary": None})
        profile = shipped.model_copy(update={"home": market.base_url, "sellers": pages})
        settings = configuration.settings(configuration.SHIPPED).model_copy(update={"var": tmp_path})
        house = Context(configuration.SHIPPED, settings, {"sample": profile}, sqlite_ledger, lambda: now)
        house.__dict__["panels"] = {}
        with sqlite_ledger.write() as session:
            url = f"{market.base_url}/mall/shop/1"
            _sent_lead(session, make, analyst, make.seller(session, external_id="1", url=url), now)
        assert jobs.recheck_sellers(house, "sample") is not None
    with sqlite_ledger.read() as session:
        assert session.scalars(sa.select(tables.SellerSighting.state)).all() == [GONE]
        assert session.scalars(sa.select(tables.CrawlRun.trusted)).all() == [False]
