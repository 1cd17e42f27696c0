from __future__ import annotations

from collections.abc import Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from decimal import Decimal
from pathlib import Path
from threading import Barrier
from typing import Any

import pytest
import sqlalchemy as sa
from hypothesis import given
from hypothesis import strategies as st

import classifiers
from classifiers.verdict import Label, ListingText, Verdict
from crawlers import rundir
from crawlers.listing import Listing, Presence, Seller, SellerKind, Sighting
from crawlers.platforms import Platform
from crawlers.runwriter import RunWriter
from takedowns import intake, removals
from takedowns.content import content_of, digest, storable
from takedowns.ledger import audit, tables
from takedowns.ledger.engine import Ledger
from takedowns.ledger.vocabulary import Errand, Finding, RunState, VerificationOutcome
from takedowns.listings import current_snapshot
from takedowns.settings import Settings
from takedowns.states import LeadState, TaskState


@dataclass
class OneWord:
    """Flags text that names the goods outright; so tests decide themselves what is flagged."""

    word: str = "电子烟"
    version: str = "1"
    read: list[ListingText] = field(default_factory=list)

    def classify_many(self, listings: Iterable[ListingText]) -> Iterator[Verdict]:
        for listing in listings:
            self.read.append(listing)
            flagged = self.word in listing.title + listing.description
            yield Verdict(
                id=listing.id,
                label=Label.ECIG_OVERT if flagged else Label.BENIGN,
                score=0.9 if flagged else 0.1,
                flagged=flagged,
                scores=dict.fromkeys(Label, 0.0),
                signals=(),
                claims=(),
                lexicon_version="words",
                model_version=self.version,
            )


@pytest.fixture
def classifier() -> OneWord:
    return OneWord()


@pytest.fixture
def offer(now: datetime) -> Any:
    def make(item_id: str = "1", **given: Any) -> Listing:
        fields = {
            "platform": "sample",
            "item_id": item_id,
            "url": f"https://shop.invalid/item/{item_id}",
            "title": "医用雾化器",
            "price": Decimal("9.90"),
            "seller": Seller(external_id="s1", name="康康"),
            "sources": {"title": "jsonld"},
            "observed_at": now,
        }
        return Listing(**{**fields, **given})

    return make


@pytest.fixture
def look(now: datetime) -> Any:
    def make(item_id: str = "1", state: Presence = Presence.GONE, **given: Any) -> Sighting:
        fields = {
            "platform": "sample",
            "item_id": item_id,
            "url": f"https://shop.invalid/item/{item_id}",
            "state": state,
            "reason": "http_404",
            "vantage": "anonymous-http",
            "observed_at": now,
        }
        return Sighting(**{**fields, **given})

    return make


@pytest.fixture
def run(tmp_path: Path, now: datetime) -> Any:
    """Writes a run directory as a crawl does, and reads it back."""

    def make(
        listings: Iterable[Listing] = (),
        sightings: Iterable[Sighting] = (),
        *,
        run_id: str = "run1",
        clean_end: bool = True,
        **stats: Any,
    ) -> rundir.Run:
        folder = tmp_path / run_id
        folder.mkdir()
        rundir.job_file(folder).write_text(_job(run_id).model_dump_json())
        writer = RunWriter(folder)
        listings, sightings = list(listings), list(sightings)
        for listing in listings:
            writer.item(listing)
        for sighting in sightings:
            writer.sighting(sighting)
        fields = {
            "run_id": run_id,
            "kind": rundir.RunKind.SWEEP,
            "platform": "sample",
            "outcome": rundir.Outcome.OK,
            "finish_reason": "finished",
            "started_at": now,
            "finished_at": now,
            "items": len(listings),
            "sightings": len(sightings),
        }
        writer.finish(rundir.RunStats(**{**fields, **stats}))
        if not clean_end:
            rundir.stats_file(folder).unlink()
        return rundir.read_run(folder)

    return make


def _job(run_id: str) -> rundir.CrawlJob:
    platform = Platform.model_validate(
        {
            "name": "sample",
            "title": "样例市场",
            "title_en": "Sample market",
            "verified": True,
            "road": "page",
            "home": "http://shop.invalid",
            "listing_url": {"match": r"/item/(?P<id>\w+)", "canonical": "{home}/item/{id}"},
            "search": {
                "url": "{home}/search?q={term}&p={page}",
                "pages": 1,
                "item_links": "a",
                "terms": ["雾化器"],
            },
            "presence": {"alive": [{"css": "button"}]},
            "lead": {"channel": "smtp", "recipient": "leads@shop.invalid"},
        }
    )
    return rundir.CrawlJob(
        run_id=run_id, kind=rundir.RunKind.SWEEP, platform=platform, contact="us@bureau.invalid"
    )


def _count(ledger: Ledger, table: type[Any]) -> int:
    with ledger.read() as session:
        return session.scalar(sa.select(sa.func.count()).select_from(table)) or 0


def _contents(ledger: Ledger) -> dict[str, int]:
    return {mapper.class_.__name__: _count(ledger, mapper.class_) for mapper in tables.Base.registry.mappers}


def _store(
    ledger: Ledger, offers: Iterable[Listing], classifier: OneWord, now: datetime
) -> intake.IntakeResult:
    with ledger.write() as session:
        return intake.store_listings(session, offers, classifier, road="import", now=now)


def test_a_flagged_listing_gets_verdict_flag_and_task_and_a_benign_one_only_a_verdict(
    ledger: Ledger, offer: Any, classifier: OneWord, now: datetime
) -> None:
    result = _store(ledger, [offer("1", title="电子烟"), offer("2", title="茶杯")], classifier, now)
    assert result == intake.IntakeResult(listings=2, new_listings=2, new_snapshots=2, flagged=1)
    with ledger.read() as session:
        task = session.scalars(sa.select(tables.ReviewTask)).one()
        assert (task.queue, task.priority, task.state) == ("disguise", 0.9, TaskState.QUEUED)
        assert task.listing.item_id == "1"
        assert task.listing.road == "import"
        assert task.snapshot.verdicts[0].flagged
        assert session.scalars(sa.select(tables.Flag.listing_id)).all() == [task.listing_id]
    assert _count(ledger, tables.Verdict) == 2


def test_every_field_of_a_listing_arrives(
    ledger: Ledger, offer: Any, classifier: OneWord, now: datetime
) -> None:
    seller = Seller(external_id="acc9", name="小雾", kind=SellerKind.ACCOUNT, url="https://shop.invalid/u/9")
    listing = offer(
        description="一次性",
        attributes={"产地": "深圳"},
        price_raw="¥9.90",
        currency="CNY",
        images=("https://shop.invalid/1.jpg",),
        lang="zh",
        seller=seller,
        evidence="evidence/1.warc.gz#r1",
        found_by="雾化器",
        observed_at=now - timedelta(hours=1),
    )
    _store(ledger, [listing], classifier, now)
    with ledger.read() as session:
        row = session.scalars(sa.select(tables.Listing)).one()
        (snapshot,) = row.snapshots
        columns = ("title", "description", "attributes", "price", "price_raw", "currency", "lang")
        assert {name: getattr(snapshot, name) for name in columns} == listing.model_dump(include=set(columns))
        assert snapshot.images == ["https://shop.invalid/1.jpg"]
        assert snapshot.sources == {"title": "jsonld", "found_by": "雾化器"}
        assert (snapshot.observed_at, snapshot.recorded_at) == (listing.observed_at, now)
        assert snapshot.evidence == "evidence/1.warc.gz#r1"
        assert row.first_seen_at == listing.observed_at
        assert row.seller is not None
        assert (row.seller.kind, row.seller.external_id, row.seller.name, row.seller.url) == (
            SellerKind.ACCOUNT,
            "acc9",
            "小雾",
            "https://shop.invalid/u/9",
        )
    assert classifier.read[0].shop == "小雾"
    assert classifier.read[0].price == "¥9.90"


def test_a_page_cannot_make_us_open_a_file_of_this_machine(
    ledger: Ledger, offer: Any, classifier: OneWord, now: datetime
) -> None:
    given = ("/etc/passwd", "https://shop.invalid/1.jpg", "../secret.png", "data:image/png;base64,AA==")
    _store(ledger, [offer(images=given)], classifier, now)
    assert classifier.read[0].images == ("https://shop.invalid/1.jpg", "data:image/png;base64,AA==")
    with ledger.read() as session:
        assert session.scalars(sa.select(tables.ListingSnapshot)).one().images == list(given)


def test_the_same_content_seen_again_makes_nothing_new(
    ledger: Ledger, offer: Any, classifier: OneWord, now: datetime
) -> None:
    _store(ledger, [offer(title="电子烟")], classifier, now)
    before = _contents(ledger)
    later = now + timedelta(days=1)
    again = offer(title="电子烟", observed_at=later, sources={"title": "microdata"}, price=Decimal("9.9"))
    result = _store(ledger, [again, again], classifier, later)
    assert result == intake.IntakeResult(listings=2)
    assert _contents(ledger) == {**before, "AuditEntry": 2}
    assert len(classifier.read) == 1


def test_new_content_of_a_known_listing_is_a_snapshot_of_its_own(
    ledger: Ledger, offer: Any, classifier: OneWord, now: datetime
) -> None:
    later = now + timedelta(days=1)
    _store(ledger, [offer(title="茶杯")], classifier, now)
    result = _store(ledger, [offer(title="电子烟", observed_at=later)], classifier, later)
    assert result == intake.IntakeResult(listings=1, new_snapshots=1, flagged=1)
    with ledger.read() as session:
        listing = session.scalars(sa.select(tables.Listing)).one()
        assert [snapshot.title for snapshot in listing.snapshots] == ["茶杯", "电子烟"]
        newest = current_snapshot(listing)
        assert newest is not None
        assert newest.title == "电子烟"


def test_the_current_snapshot_is_the_one_observed_last_not_the_one_recorded_last(
    sqlite_ledger: Ledger, offer: Any, classifier: OneWord, now: datetime
) -> None:
    _store(sqlite_ledger, [offer(title="新")], classifier, now)
    _store(sqlite_ledger, [offer(title="旧", observed_at=now - timedelta(days=3))], classifier, now)
    with sqlite_ledger.read() as session:
        newest = current_snapshot(session.scalars(sa.select(tables.Listing)).one())
        assert newest is not None
        assert newest.title == "新"


def test_a_listing_with_an_open_task_gets_a_flag_but_no_second_task(
    ledger: Ledger, offer: Any, classifier: OneWord, now: datetime
) -> None:
    _store(ledger, [offer(title="电子烟"), offer(title="电子烟 大容量")], classifier, now)
    assert _count(ledger, tables.Flag) == 2
    assert _count(ledger, tables.ReviewTask) == 1


def test_a_decided_listing_is_asked_about_again_only_when_it_says_something_else(
    ledger: Ledger, offer: Any, classifier: OneWord, make: Any, analyst: tables.User, now: datetime
) -> None:
    _store(ledger, [offer(title="电子烟")], classifier, now)
    with ledger.write() as session:
        task = session.scalars(sa.select(tables.ReviewTask)).one()
        make.decision(session, task, analyst, finding=Finding.NOT_VIOLATION, reason="not_for_sale")
    _store(ledger, [offer(title="电子烟")], classifier, now)
    assert _count(ledger, tables.ReviewTask) == 1
    _store(ledger, [offer(title="电子烟", price=Decimal("8.80"))], classifier, now)
    assert _count(ledger, tables.ReviewTask) == 1, "a new price says nothing that was not read"
    _store(ledger, [offer(title="电子烟 大容量")], classifier, now)
    assert _count(ledger, tables.ReviewTask) == 2


def test_content_that_was_decided_on_before_any_verdict_is_judged_but_not_asked_about_again(
    ledger: Ledger, offer: Any, classifier: OneWord, make: Any, analyst: tables.User, now: datetime
) -> None:
    with ledger.write() as session:
        row = make.listing(session, platform="sample", item_id="1")
        content = content_of(offer(title="电子烟"))
        snapshot = make.snapshot(session, row, sha256=digest(content), **content)
        make.decision(session, make.task(session, snapshot, queue="tip"), analyst)
    result = _store(ledger, [offer(title="电子烟")], classifier, now)
    assert result.flagged == 1
    assert _count(ledger, tables.ReviewTask) == 1


def test_a_seller_is_one_row_however_many_listings_it_has(
    ledger: Ledger, offer: Any, classifier: OneWord, now: datetime
) -> None:
    _store(ledger, [offer(str(number)) for number in range(5)], classifier, now)
    assert _count(ledger, tables.Seller) == 1


def test_a_listing_known_by_its_link_alone_learns_its_seller_later(
    ledger: Ledger, offer: Any, classifier: OneWord, make: Any, now: datetime
) -> None:
    with ledger.write() as session:
        make.listing(session, platform="sample", item_id="1", seller=None, road="pasted")
    _store(ledger, [offer()], classifier, now)
    with ledger.read() as session:
        row = session.scalars(sa.select(tables.Listing)).one()
        assert row.seller is not None
        assert (row.seller.name, row.road) == ("康康", "pasted")


def test_more_listings_than_a_batch_are_all_judged(
    sqlite_ledger: Ledger, offer: Any, classifier: OneWord, now: datetime
) -> None:
    total = intake.BATCH * 2 + 1
    result = _store(sqlite_ledger, (offer(str(number)) for number in range(total)), classifier, now)
    assert result.new_snapshots == len(classifier.read) == _count(sqlite_ledger, tables.Verdict) == total


def test_hostile_text_is_stored_and_what_cannot_be_stored_stays_visible(
    ledger: Ledger, offer: Any, classifier: OneWord, now: datetime
) -> None:
    title = "雾\x00化\u202e器\u200b =1+1 <script>\x1b[31m" + "长" * 1_000_000
    hostile = offer(
        title=title,
        attributes={"a\x00": "b\x00"},
        images=("x\x00",),
        price=Decimal("1e40"),
        seller=Seller(external_id="n" * 5_000, name="\x00店" * 2_500),
    )
    _store(ledger, [hostile], classifier, now)
    with ledger.read() as session:
        row = session.scalars(sa.select(tables.Listing)).one()
        (snapshot,) = row.snapshots
        assert snapshot.title == title.replace("\x00", "\\u0000")
        assert snapshot.attributes == {"a\\u0000": "b\\u0000"}
        assert snapshot.price is None
        assert row.seller is not None
        assert row.seller.name.count("\\u0000") == 2_500
        assert row.seller.external_id.startswith("sha256:")


def test_an_endless_item_id_is_reported_and_the_rest_is_stored(
    ledger: Ledger, offer: Any, classifier: OneWord, now: datetime
) -> None:
    result = _store(ledger, [offer("x" * 5_000), offer("2")], classifier, now)
    assert result.errors == ("sample: an item id of 5000 characters was refused",)
    assert result.new_listings == 1


@given(st.text(st.characters(exclude_categories=[])))
def test_any_text_becomes_storable_and_text_that_was_storable_stays(text: str) -> None:
    stored = storable(text)
    assert "\x00" not in stored
    stored.encode("utf-8")
    assert storable(stored) == stored
    if "\x00" not in text and not any("\ud800" <= letter <= "\udfff" for letter in text):
        assert stored == text


def test_the_hash_is_of_the_content_and_of_nothing_else(offer: Any, now: datetime) -> None:
    def sha(**given: Any) -> str:
        return digest(content_of(offer(**given)))

    assert sha() == sha(observed_at=now + timedelta(days=9), found_by="x", evidence="e", sources={})
    changes: list[dict[str, Any]] = [
        {"title": "别的"},
        {"description": "别的"},
        {"attributes": {"a": "b"}},
        {"price": Decimal(10)},
        {"price_raw": "¥9.90"},
        {"currency": "CNY"},
        {"images": ("a",)},
        {"lang": "en"},
    ]
    assert len({sha(**change) for change in [{}, *changes]}) == len(changes) + 1


def test_a_run_brings_listings_sightings_and_one_audit_entry(
    ledger: Ledger, offer: Any, look: Any, run: Any, classifier: OneWord, make: Any, now: datetime
) -> None:
    with ledger.write() as session:
        make.listing(session, platform="sample", item_id="7")
    taken = run(
        [offer("1", title="电子烟", evidence="evidence/1.warc.gz#r1")],
        [
            look(
                "7",
                http_status=404,
                final_url="https://shop.invalid/item/7",
                evidence="evidence/1.warc.gz#r2",
            )
        ],
    )
    with ledger.write() as session:
        result = intake.ingest_run(session, taken, classifier, now=now)
    assert result == intake.IntakeResult(listings=1, new_listings=1, new_snapshots=1, flagged=1, sightings=1)
    with ledger.read() as session:
        sighting = session.scalars(sa.select(tables.Sighting)).one()
        assert (sighting.state, sighting.reason, sighting.http_status) == (Presence.GONE, "http_404", 404)
        assert sighting.evidence == "run1/evidence/1.warc.gz#r2"
        assert (sighting.run.state, sighting.run.trusted) == (RunState.OK, True)
        snapshot = session.scalars(sa.select(tables.ListingSnapshot)).one()
        assert (snapshot.run_id, snapshot.evidence) == ("run1", "run1/evidence/1.warc.gz#r1")
        entry = session.scalars(sa.select(tables.AuditEntry)).one()
        assert (entry.actor, entry.subject, entry.payload["flagged"]) == (
            "system:intake",
            "crawl_run:run1",
            1,
        )
        assert list(audit.verify(session)) == []


def test_a_run_ingested_twice_changes_nothing(
    ledger: Ledger, offer: Any, look: Any, run: Any, classifier: OneWord, now: datetime
) -> None:
    taken = run([offer("1", title="电子烟")], [look("1")])
    with ledger.write() as session:
        intake.ingest_run(session, taken, classifier, now=now)
    before = _contents(ledger)
    with ledger.write() as session:
        assert intake.ingest_run(session, taken, classifier, now=now) == intake.IntakeResult()
    assert _contents(ledger) == before


@pytest.mark.parametrize(
    ("stats", "state", "trusted"),
    [
        ({"canary_ok": True}, RunState.OK, True),
        ({"canary_ok": None}, RunState.OK, True),
        ({"canary_ok": False, "outcome": rundir.Outcome.PARTIAL}, RunState.PARTIAL, False),
        ({"outcome": rundir.Outcome.BLOCKED}, RunState.BLOCKED, True),
        ({"outcome": rundir.Outcome.FAILED}, RunState.FAILED, False),
        ({"clean_end": False}, RunState.FAILED, False),
    ],
)
def test_nothing_is_inferred_from_a_run_whose_canary_or_end_failed(
    sqlite_ledger: Ledger,
    offer: Any,
    look: Any,
    run: Any,
    classifier: OneWord,
    now: datetime,
    stats: dict[str, Any],
    state: RunState,
    trusted: bool,
) -> None:
    taken = run([offer("1")], [look("1")], **stats)
    with sqlite_ledger.write() as session:
        result = intake.ingest_run(session, taken, classifier, now=now)
    assert (result.new_listings, result.sightings) == (1, 1), "its items are kept in any case"
    with sqlite_ledger.read() as session:
        row = session.scalars(sa.select(tables.CrawlRun)).one()
        assert (row.state, row.trusted, row.platform, row.kind) == (state, trusted, "sample", "sweep")


def test_a_run_that_broke_off_keeps_what_was_found_and_says_what_is_wrong(
    ledger: Ledger, offer: Any, run: Any, classifier: OneWord, now: datetime
) -> None:
    broken = run([offer("1")], clean_end=False)
    with rundir.items_file(broken.path).open("a") as items:
        items.write('{"platform": "sample", "item_')
    rundir.job_file(broken.path).write_text("{")
    with ledger.write() as session:
        intake.ingest_run(session, rundir.read_run(broken.path), classifier, now=now)
    with ledger.read() as session:
        row = session.scalars(sa.select(tables.CrawlRun)).one()
        assert (row.kind, row.platform, row.finished_at) == ("unknown", "sample", None)
        assert len(row.stats["issues"]) == 2
        assert session.scalars(sa.select(tables.Listing.item_id)).all() == ["1"]


def test_a_sighting_of_an_unknown_listing_is_reported(
    ledger: Ledger, look: Any, run: Any, classifier: OneWord, now: datetime
) -> None:
    with ledger.write() as session:
        result = intake.ingest_run(session, run((), [look("404")]), classifier, now=now)
    assert result.errors == ("sample 404 was seen gone, but no such listing is known",)
    with ledger.read() as session:
        entry = session.scalars(sa.select(tables.AuditEntry)).one()
        assert entry.payload["errors"] == list(result.errors)


def test_a_second_look_in_the_same_run_is_reported_and_the_first_one_holds(
    ledger: Ledger, offer: Any, look: Any, run: Any, classifier: OneWord, now: datetime
) -> None:
    taken = run([offer("1")], [look("1", Presence.UP, reason="alive"), look("1", Presence.GONE)])
    with ledger.write() as session:
        result = intake.ingest_run(session, taken, classifier, now=now)
    assert result.errors == ("sample 1 was seen gone, but the run run1 had looked at it before",)
    with ledger.read() as session:
        assert session.scalars(sa.select(tables.Sighting.state)).all() == [Presence.UP]


def test_what_a_look_shows_is_kept_and_judged_too(
    ledger: Ledger, offer: Any, look: Any, run: Any, classifier: OneWord, now: datetime
) -> None:
    _store(ledger, [offer("1", title="电子烟")], classifier, now)
    swapped = offer("1", title="茶杯", observed_at=now + timedelta(hours=1))
    taken = run((), [look("1", Presence.ALTERED, reason="title_swapped", listing=swapped)])
    with ledger.write() as session:
        result = intake.ingest_run(session, taken, classifier, now=now)
    assert (result.new_snapshots, result.sightings) == (1, 1)
    with ledger.read() as session:
        newest = current_snapshot(session.scalars(sa.select(tables.Listing)).one())
        assert newest is not None
        assert newest.title == "茶杯"


def test_a_failing_classifier_leaves_nothing_half_done(
    ledger: Ledger, offer: Any, run: Any, now: datetime
) -> None:
    class Broken:
        def classify_many(self, listings: Iterable[ListingText]) -> Iterator[Verdict]:
            raise RuntimeError("the model is gone")

    before = _contents(ledger)
    with pytest.raises(RuntimeError), ledger.write() as session:
        intake.ingest_run(session, run([offer("1")]), Broken(), now=now)
    assert _contents(ledger) == before


def test_the_shipped_classifier_puts_a_disguised_listing_before_a_reviewer(
    sqlite_ledger: Ledger, offer: Any, now: datetime
) -> None:
    disguised = offer("1", title="医用雾化器 一次性 8000口 尼古丁 西瓜味 电子烟")
    lawful = offer("2", title="欧姆龙 压缩式雾化器 家用 儿童 医用雾化机", description="械字号 附面罩")
    with sqlite_ledger.write() as session:
        intake.store_listings(session, [disguised, lawful], classifiers.load(), road="import", now=now)
    with sqlite_ledger.read() as session:
        task = session.scalars(sa.select(tables.ReviewTask)).one()
        assert task.listing.item_id == "1"
        (verdict,) = task.snapshot.verdicts
        title = task.snapshot.title
        signals = verdict.payload["signals"]
        assert signals
        assert all(
            title[signal["start"] : signal["end"]] == signal["text"]
            for signal in signals
            if signal["field"] == "title"
        )


def test_two_intakes_of_the_same_new_listings_at_once_both_succeed(
    ledger: Ledger, offer: Any, now: datetime
) -> None:
    start = Barrier(2)
    offers = [offer(str(number), title="电子烟") for number in range(30)]

    def store(order: int) -> intake.IntakeResult:
        start.wait(timeout=10)
        return _store(ledger, offers[::order], OneWord(), now)

    with ThreadPoolExecutor(2) as pool:
        results = list(pool.map(store, (1, -1)))
    assert sum(result.new_listings for result in results) == 30
    assert _count(ledger, tables.ReviewTask) == 30


def _leads_look(ledger: Ledger, make: Any, analyst: tables.User, now: datetime) -> int:
    """A lead on listing 7 that was sent two days ago; returns its id."""
    with ledger.write() as session:
        listing = make.listing(session, platform="sample", item_id="7")
        task = make.task(session, make.snapshot(session, listing))
        sent = now - timedelta(days=2)
        decision = make.decision(session, task, analyst)
        return int(make.lead(session, decision, state=LeadState.SENT, sent_at=sent).id)


FAILED_RUNS = [
    {"outcome": rundir.Outcome.FAILED},
    {"canary_ok": False},
    {"canary_ok": None},
    {"clean_end": False},
    {"counters": {"sightings_gone": 1, "sightings_error": 19}},
]


@pytest.mark.parametrize(
    "failing", FAILED_RUNS, ids=["failed", "canary failed", "no canary", "broke off", "dropped"]
)
def test_a_failing_run_never_feeds_removals(
    sqlite_ledger: Ledger,
    look: Any,
    run: Any,
    classifier: OneWord,
    make: Any,
    analyst: tables.User,
    now: datetime,
    settings: Settings,
    failing: dict[str, Any],
) -> None:
    lead_id = _leads_look(sqlite_ledger, make, analyst, now)
    counters = {"sightings_up": 1, "sightings_gone": 19}
    usual = {"kind": rundir.RunKind.RECHECK, "canary_ok": True, "counters": counters}
    others = [look(str(number), Presence.ERROR) for number in range(100, 119)]
    for number in range(3):
        _ingest(
            sqlite_ledger, run([], [*others, look("x")], run_id=f"usual{number}", **usual), classifier, now
        )
    for number, hours in enumerate((30, 1)):
        gone = look("7", observed_at=now - timedelta(hours=hours))
        bad = run([], [*others, gone], run_id=f"bad{number}", **{**usual, **failing})
        _ingest(sqlite_ledger, bad, classifier, now)
    with sqlite_ledger.write() as session:
        removals.settle_all(session, now=now, settings=settings)
    with sqlite_ledger.read() as session:
        runs = session.scalars(
            sa.select(tables.CrawlRun).where(tables.CrawlRun.run_id.startswith("bad"))
        ).all()
        assert [row.trusted for row in runs] == [False, False]
        assert session.get_one(tables.Lead, lead_id).outcome is VerificationOutcome.UNVERIFIABLE
        seen = session.scalars(sa.select(tables.Sighting).join(tables.Listing).filter_by(item_id="7")).all()
        assert len(seen) == 2, "what was seen is kept all the same"


@pytest.mark.parametrize("file", [rundir.sightings_file, rundir.items_file, rundir.requests_file])
def test_a_run_with_broken_lines_is_partial_and_never_trusted(
    sqlite_ledger: Ledger, offer: Any, look: Any, run: Any, classifier: OneWord, now: datetime, file: Any
) -> None:
    whole = run([offer("1")], [look("1")])
    with file(whole.path).open("ab") as lines:
        lines.write(b'{"state": "up\x00\n')
    _ingest(sqlite_ledger, rundir.read_run(whole.path), classifier, now)
    with sqlite_ledger.read() as session:
        row = session.get_one(tables.CrawlRun, "run1")
        assert (row.state, row.trusted) == (RunState.PARTIAL, False)
        assert [issue["code"] for issue in row.stats["issues"]] == ["broken_line"]


def test_a_run_that_holds_less_than_it_tells_of_is_not_trusted(
    sqlite_ledger: Ledger, offer: Any, look: Any, run: Any, classifier: OneWord, now: datetime
) -> None:
    whole = run([offer("1")], [look("1")])
    rundir.sightings_file(whole.path).write_bytes(b"")
    _ingest(sqlite_ledger, rundir.read_run(whole.path), classifier, now)
    with sqlite_ledger.read() as session:
        row = session.get_one(tables.CrawlRun, "run1")
        assert (row.state, row.trusted) == (RunState.PARTIAL, False)


def test_the_same_looks_of_healthy_runs_do_feed_removals(
    sqlite_ledger: Ledger,
    look: Any,
    run: Any,
    classifier: OneWord,
    make: Any,
    analyst: tables.User,
    now: datetime,
    settings: Settings,
) -> None:
    lead_id = _leads_look(sqlite_ledger, make, analyst, now)
    for number, hours in enumerate((30, 1)):
        gone = look("7", observed_at=now - timedelta(hours=hours))
        recheck = {"kind": rundir.RunKind.RECHECK, "canary_ok": True}
        healthy = run([], [gone], run_id=f"good{number}", **recheck)
        _ingest(sqlite_ledger, healthy, classifier, now)
    with sqlite_ledger.write() as session:
        removals.settle_all(session, now=now, settings=settings)
    with sqlite_ledger.read() as session:
        assert session.get_one(tables.Lead, lead_id).outcome is VerificationOutcome.REMOVED_UNCLAIMED


def _ingest(ledger: Ledger, taken: rundir.Run, classifier: OneWord, now: datetime) -> None:
    with ledger.write() as session:
        intake.ingest_run(session, taken, classifier, now=now)


def test_a_wall_stays_one_although_nothing_was_brought(
    sqlite_ledger: Ledger, offer: Any, run: Any, classifier: OneWord, now: datetime
) -> None:
    for number in range(3):
        offers = [offer(str(item)) for item in range(10)]
        _ingest(sqlite_ledger, run(offers, run_id=f"day{number}"), classifier, now)
    _ingest(sqlite_ledger, run(run_id="walled", outcome=rundir.Outcome.BLOCKED), classifier, now)
    with sqlite_ledger.read() as session:
        row = session.get_one(tables.CrawlRun, "walled")
        assert (row.state, row.trusted) == (RunState.BLOCKED, False)
        assert [task.kind for task in session.scalars(sa.select(tables.PersonTask))] == [Errand.BLOCKED]


def test_a_sudden_drop_fails_a_sweep_and_asks_a_person_once(
    sqlite_ledger: Ledger, offer: Any, run: Any, classifier: OneWord, now: datetime
) -> None:
    for number, items in enumerate((10, 10, 10, 4, 4)):
        offers = [offer(str(item)) for item in range(items)]
        _ingest(sqlite_ledger, run(offers, run_id=f"day{number}"), classifier, now)
    with sqlite_ledger.read() as session:
        states = session.scalars(sa.select(tables.CrawlRun.state).order_by(tables.CrawlRun.run_id)).all()
        assert states == [RunState.OK] * 3 + [RunState.FAILED] * 2, "a failed run is no measure for the next"
        [task] = session.scalars(sa.select(tables.PersonTask)).all()
        assert task.kind is Errand.UNHEALTHY
        assert "the last 3 healthy runs brought 10" in task.message


@pytest.mark.parametrize(
    ("codes", "errand"),
    [
        (("canary_failed", "dead_host"), Errand.UNREACHABLE),
        (("dead_host", "canary_failed"), Errand.UNREACHABLE),
        (("canary_failed",), Errand.UNHEALTHY),
    ],
)
def test_a_canary_that_failed_on_a_dead_host_is_not_the_profiles_fault(
    sqlite_ledger: Ledger, run: Any, classifier: OneWord, now: datetime, codes: Any, errand: Errand
) -> None:
    taken = run(outcome=rundir.Outcome.FAILED, canary_ok=False)
    for code in codes:
        rundir.add_issue(taken.path, rundir.Issue(level="error", code=code, message=f"{code} it is"))
    _ingest(sqlite_ledger, rundir.read_run(taken.path), classifier, now)
    with sqlite_ledger.read() as session:
        [task] = session.scalars(sa.select(tables.PersonTask)).all()
    assert task.kind is errand
    assert task.message == ("dead_host it is" if errand is Errand.UNREACHABLE else "canary_failed it is")
