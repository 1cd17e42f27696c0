"""All that a crawl leaves behind goes through here: lines, evidence, counts, the account at the end."""

from __future__ import annotations

from collections import Counter
from datetime import datetime
from pathlib import Path

from crawlers.answer import Answer
from crawlers.clock import Clock
from crawlers.evidence import EvidenceWriter
from crawlers.health import RunFacts, diagnose, outcome_of
from crawlers.listing import Listing, Presence, Sighting
from crawlers.politeness import user_agent
from crawlers.presence import Judgement
from crawlers.rundir import CrawlJob, Issue, RunStats, RunWriter, Target

COUNTED_FIELDS = ("title", "description", "attributes", "price", "currency", "seller", "images", "lang")


class Recorder:
    """One per run. Owes one sighting for each target, and pays what is left at the end.

    Counters: items, search_pages, search_links, off_platform_links, empty_searches, unknown_searches,
    duplicates, vanished, blocked, not_judged, spider_exceptions, and per reason, field or state: failed_*,
    unread_*, missing_*, sightings_*.
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
        self._sightings = 0
        self.counters: Counter[str] = Counter()

    def page(self, answer: Answer) -> tuple[datetime, str]:
        """Keeps the page; returns when it was seen and the reference to it."""
        now = self._clock.now()
        return now, self._evidence.write(answer, now)

    def item(self, listing: Listing) -> None:
        self._lines.item(listing)
        self.counters["items"] += 1
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

    def finish(self, finish_reason: str) -> RunStats:
        """Pays the owed sightings, judges the run and writes ``stats.json``, last."""
        for target in list(self._owed.values()):
            self.sighting(target, _unreached(finish_reason))
            self.counters["not_judged"] += 1
        facts = RunFacts(
            kind=self._job.kind,
            platform=self._job.platform,
            finish_reason=finish_reason,
            counters=self.counters,
            fills=self._fills,
            canary_ok=self._canary_ok(),
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
            items=self.counters["items"],
            sightings=self._sightings,
            counters=dict(sorted(self.counters.items())),
        )
        self._evidence.close()
        self._lines.finish(stats)
        return stats

    def _canary_ok(self) -> bool | None:
        """Both looks were made and showed what they must."""
        if self._job.platform.canary is None:
            return None
        return self._canaries == {Presence.UP: True, Presence.GONE: True}


def _unreached(finish_reason: str) -> Judgement:
    if finish_reason == "blocked":
        return Judgement(Presence.BLOCKED, "crawl_blocked")
    return Judgement(Presence.ERROR, "not_reached")
