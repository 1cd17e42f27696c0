"""All that a crawl leaves behind goes through here: lines, evidence, counts, the account at the end."""

from __future__ import annotations

from collections import Counter
from datetime import datetime
from pathlib import Path

from crawlers.answer import Answer
from crawlers.captures import Capture, Picture
from crawlers.clock import Clock
from crawlers.evidence import EvidenceWriter
from crawlers.health import RunFacts, diagnose, outcome_of
from crawlers.listing import Listing, Presence, Sighting
from crawlers.politeness import user_agent
from crawlers.presence import Judgement
from crawlers.rendering import Rendering
from crawlers.resuming import SearchPage
from crawlers.rundir import Asked, CrawlJob, Issue, RunKind, RunStats, Target
from crawlers.runwriter import RunWriter
from crawlers.sampling import Draw, DrawnLook, Position

ADDRESS_LIMIT = 500  # characters of an address in requests.jsonl
COUNTED_FIELDS = ("title", "description", "attributes", "price", "currency", "seller", "images", "lang")


class Recorder:
    """One per run. Owes one sighting, or capture, for each target, and pays what is left at the end.

    Counters: items, search_pages, search_links, off_platform_links, empty_searches, unknown_searches,
    duplicates, vanished, blocked, not_judged, spider_exceptions, and per reason, field or state: failed_*,
    unread_*, missing_*, sightings_*, drawn_*; of a sample: positions, draws, lost_queries, frames_cut_short;
    of all pages that were kept: pages, pages_led_away; of discovery: directories, directories_left,
    other_addresses.
    """

    def __init__(self, run: Path, job: CrawlJob) -> None:
        """Raises FileExistsError when the run was started before."""
        self._job = job
        self._lines = RunWriter(run)
        self._evidence = EvidenceWriter(run, job, user_agent(job.contact))
        self._clock = Clock(job.clock)
        self._started_at = self._clock.now()
        self._owed = {target.item_id: target for target in job.targets}
        self._canaries: dict[Presence, bool] = {}
        self._fills: Counter[str] = Counter()
        self._titles: Counter[int] = Counter()  # by hash: the words of 20,000 listings need not be kept
        self._contents: Counter[int] = Counter()
        self._sightings = 0
        self.counters: Counter[str] = Counter()

    def page(self, answer: Answer, rendering: Rendering | None = None) -> tuple[datetime, str]:
        """Keeps the page; returns when it was seen and the reference to it."""
        now = self._clock.now()
        self.counters["pages"] += 1
        self.counters["pages_led_away"] += self._led_away(answer)
        return now, self._evidence.write(answer, now, rendering)

    def asked(
        self, url: str, status: int | None = None, pause_s: float = 0, *, limited: bool = False
    ) -> None:
        """One request of any kind, and the answer's status where there was one."""
        now, shown = self._clock.now(), url[:ADDRESS_LIMIT]
        self._lines.asked(Asked(at=now, url=shown, status=status, pause_s=pause_s, limited=limited))

    def searched(self, page: SearchPage) -> None:
        """Before the listings on it are asked for: a run that is killed then can be taken up there."""
        self._lines.searched(page)

    def handled(self, item_id: str) -> None:
        """Nothing is left to do about a listing that a search found."""
        self._lines.handled(item_id)

    def position(self, position: Position) -> None:
        self._lines.position(position)

    def drawn(self, draw: Draw, judgement: Judgement, evidence: str | None = None) -> None:
        """What the look at a drawn position showed."""
        self.counters[f"drawn_{judgement.state}"] += 1
        self._lines.drawn(
            DrawnLook(
                **draw.model_dump(),
                state=judgement.state,
                reason=judgement.reason,
                observed_at=self._clock.now(),
                evidence=evidence,
            )
        )

    def item(self, listing: Listing) -> None:
        self._lines.item(listing)
        self.counters["items"] += 1
        self._titles[hash(listing.title)] += 1
        self._contents[hash((listing.title, listing.description, listing.price_raw, listing.seller))] += 1
        self._fills.update(
            name for name in COUNTED_FIELDS if getattr(listing, name) not in (None, "", (), {})
        )

    def issue(self, code: str, message: str, url: str | None = None) -> None:
        self._lines.issue(Issue(level="warning", code=code, message=message, url=url))

    def canary(self, must_be: Presence, judgement: Judgement) -> None:
        self._canaries[must_be] = judgement.state is must_be

    def sighting(
        self,
        target: Target,
        judgement: Judgement,
        answer: Answer | None = None,
        evidence: str | None = None,
        listing: Listing | None = None,
    ) -> None:
        """Writes the one sighting of ``target``; a second one for it is dropped."""
        if self._owed.pop(target.item_id, None) is None:
            return
        self.counters[f"sightings_{judgement.state}"] += 1
        self._sightings += 1
        sighting = Sighting(
            platform=self._job.platform.name,
            item_id=target.item_id,
            url=target.url,
            state=judgement.state,
            reason=judgement.reason,
            vantage=self._job.vantage,
            observed_at=listing.observed_at if listing else self._clock.now(),
            http_status=answer.status if answer else None,
            final_url=answer.url if answer else None,
            evidence=evidence,
            listing=listing,
        )
        self._lines.sighting(sighting)

    def captured(
        self,
        target: Target,
        judgement: Judgement,
        answer: Answer | None = None,
        evidence: str | None = None,
        rendering: Rendering | None = None,
    ) -> None:
        """Writes the one capture of ``target``; a second one for it is dropped."""
        if self._owed.pop(target.item_id, None) is None:
            return
        is_seen = rendering is not None and rendering.view is not None
        self.counters[f"captured_{judgement.state}"] += 1
        wanted = self._job.kind is RunKind.CAPTURE and answer is not None
        self.counters["no_view"] += wanted and not is_seen
        capture = Capture(
            item_id=target.item_id,
            url=target.url,
            cause=target.cause,
            state=judgement.state,
            reason=judgement.reason,
            observed_at=self._clock.now(),
            http_status=answer.status if answer else None,
            final_url=answer.url if answer else None,
            evidence=evidence,
            view=is_seen,
        )
        self._lines.captured(capture)

    def picture(self, target: Target, answer: Answer) -> None:
        """A picture of ``target`` that came."""
        self.counters["pictures"] += 1
        picture = Picture(
            item_id=target.item_id,
            url=answer.requested_url,
            fetched_at=self._clock.now(),
            sha256=self._evidence.picture(answer.body),
            media_type=answer.headers.get("content-type", "")[:100],
            size=len(answer.body),
        )
        self._lines.picture(picture)

    def no_picture(self, target: Target, url: str, problem: str) -> None:
        self.counters["pictures_lost"] += 1
        lost = Picture(item_id=target.item_id, url=url, fetched_at=self._clock.now(), problem=problem)
        self._lines.picture(lost)

    def finish(self, finish_reason: str) -> RunStats:
        """Pays the owed sightings or captures, judges the run and writes ``stats.json``, last."""
        for target in list(self._owed.values()):
            pay = self.sighting if self._job.kind.judges else self.captured
            pay(target, _unreached(finish_reason))
            self.counters["not_judged"] += 1
        facts = RunFacts(
            kind=self._job.kind,
            platform=self._job.platform,
            finish_reason=finish_reason,
            counters=self.counters,
            fills=self._fills,
            canary_ok=self._canary_ok(),
            same_title=max(self._titles.values(), default=0),
            same_content=self._contents.total() - len(self._contents),
            before=len(self._job.handled),
        )
        issues = diagnose(facts)
        for issue in issues:
            self._lines.issue(issue)
        stats = RunStats(
            run_id=self._job.run_id,
            kind=self._job.kind,
            platform=self._job.platform.name,
            outcome=outcome_of(facts, issues),
            finish_reason=finish_reason,
            started_at=self._started_at,
            finished_at=self._clock.now(),
            simulated=self._job.clock is not None,
            canary_ok=facts.canary_ok,
            scope=self._job.scope,
            resumed=bool(self._job.rests),
            items=self.counters["items"],
            sightings=self._sightings,
            counters=dict(sorted(self.counters.items())),
        )
        self._evidence.close()
        self._lines.finish(stats)
        return stats

    def _led_away(self, answer: Answer) -> bool:
        item_id = self._job.platform.listing_url.item_id
        return answer.url != answer.requested_url and item_id(answer.url) != item_id(answer.requested_url)

    def _canary_ok(self) -> bool | None:
        """Both looks were made and showed what they must."""
        if self._job.platform.canary is None and not self._canaries:
            return None
        return self._canaries == {Presence.UP: True, Presence.GONE: True}


def _unreached(finish_reason: str) -> Judgement:
    if finish_reason == "blocked":
        return Judgement(Presence.BLOCKED, "crawl_blocked")
    return Judgement(Presence.ERROR, "not_reached")
