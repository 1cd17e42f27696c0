"""What a run is worth: pure rules over what was counted, and over what earlier runs counted.

Every complaint is an issue with a name. Those in :data:`FAILING` void the run: it is kept, and nothing is
inferred from it.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from statistics import median

from crawlers.failures import UNREACHABLE
from crawlers.listing import Presence
from crawlers.platforms import Platform
from crawlers.rundir import Issue, Outcome, RunKind, RunStats

FAILING = frozenset(
    {
        "canary_failed",
        "crashed",
        "dropped",
        "internal_error",
        "nothing_up",
        "one_title",
        "redirect_only",
        "site_changed",
        "zero_items",
    }
)
ENOUGH = 10  # listings below which shares of them say nothing
ONE_TITLE = 0.2  # largest share of listings under one title: more, and it is a page's heading, not theirs
DUPLICATES = 0.3  # largest share of listings that say just what another one says
REDIRECTED_AT_LEAST = 3  # pages: one or two that lead away are ordinary
DROP = 0.5  # of the median of the last healthy runs
HISTORY, HISTORY_AT_LEAST = 5, 3  # healthy runs that the median is of

ROBOTS = frozenset({"robots_disallowed", "robots_unreachable", "crawl_delay_too_long"})
LOSSES = (
    "captured_error",
    "no_view",
    "blocked",
    "not_judged",
    "sightings_error",
    "drawn_error",
    "lost_queries",
    "frames_cut_short",
    "failed_",
    "unread_",
)  # how these counters begin
CONCLUSIVE = ("up", "gone", "altered")  # states of a look that could tell
ENDINGS = {  # finish reason → code and sentence
    "blocked": ("blocked", "{0} walled us off twice in a row; a person has to look at it."),
    "dead_host": ("dead_host", "{0} did not answer ten requests in a row."),
    "shutdown": ("interrupted", "The run on {0} was told to stop before its end."),
    "site_changed": ("site_changed", "{0} sends pages, but no more listings in them."),
    "keys_missing": ("keys_missing", "The keys of the interface of {0} are not in the environment."),
    "interface_refused": ("interface_refused", "The interface of {0} refused our key, signature or right."),
    "crashed": ("crashed", "The run on {0} broke off; see the log."),
    "budget_spent": ("budget_spent", "The day's budget of requests to {0} is spent."),
    "window_closed": ("window_closed", "The time window of {0} closed before the run was done."),
    "closespider_errorcount": ("internal_error", "Our own code failed ten times on {0}; see the log."),
    "memusage_exceeded": ("internal_error", "The run on {0} took too much memory and was ended."),
}


@dataclass(frozen=True)
class RunFacts:
    """``counters``: see :class:`crawlers.recorder.Recorder`. ``fills``: field of Listing → times filled.

    ``same_title``: listings under the commonest title; ``same_content``: those that repeat another's words;
    ``before``: those that the run which this one takes up had dealt with.
    """

    kind: RunKind
    platform: Platform
    finish_reason: str
    counters: Mapping[str, int] = field(default_factory=dict)
    fills: Mapping[str, int] = field(default_factory=dict)
    canary_ok: bool | None = None
    same_title: int = 0
    same_content: int = 0
    before: int = 0

    def count(self, name: str) -> int:
        return self.counters.get(name, 0)

    def failures(self) -> dict[str, int]:
        """Reason code → requests that brought no page."""
        return {
            name.removeprefix("failed_"): n for name, n in self.counters.items() if name.startswith("failed_")
        }


def diagnose(facts: RunFacts) -> tuple[Issue, ...]:
    """Every complaint about the run, the errors first."""
    rules = (
        _ending_issues,
        _canary_issues,
        _nothing_issues,
        _nothing_up_issues,
        _assertion_issues,
        _sameness_issues,
        _redirect_issues,
        _loss_issues,
    )
    found = [issue for rule in rules for issue in rule(facts)]
    return tuple(sorted(found, key=lambda issue: issue.level))  # "error" < "warning"


def outcome_of(facts: RunFacts, issues: tuple[Issue, ...]) -> Outcome:
    """Never ``ok`` for a run that yielded nothing, missed something, ended early or whose canary failed."""
    codes = {issue.code for issue in issues if issue.level == "error"}
    if "blocked" in codes:
        return Outcome.BLOCKED
    if codes & FAILING:
        return Outcome.FAILED
    lossy = any(count and name.startswith(LOSSES) for name, count in facts.counters.items())
    return Outcome.PARTIAL if codes or lossy or facts.finish_reason != "finished" else Outcome.OK


def _yielded(facts: RunFacts) -> int:
    """Listings of a search; of a recheck the looks that showed something."""
    if not facts.kind.looks:
        return facts.count("items") + facts.before
    looks = "sightings" if facts.kind.judges else "captured"
    return sum(facts.count(f"{looks}_{state}") for state in CONCLUSIVE)


def _ending_issues(facts: RunFacts) -> Iterator[Issue]:
    if facts.finish_reason == "finished":
        return
    code, message = ENDINGS.get(facts.finish_reason, ENDINGS["crashed"])
    yield _error(code, message.format(facts.platform.name))


def _canary_issues(facts: RunFacts) -> Iterator[Issue]:
    if facts.canary_ok is False:
        message = f"A page of {facts.platform.name} that must be up or gone was not: this run proves nothing."
        yield _error("canary_failed", message)


def _nothing_issues(facts: RunFacts) -> Iterator[Issue]:
    if _yielded(facts) == 0 and facts.kind is not RunKind.LOOK:  # a look may be at any page
        if facts.finish_reason not in ENDINGS:  # else that explains it
            yield _why_nothing(facts)
        yield _error("zero_items", f"The {facts.kind} of {facts.platform.name} showed nothing.")


def _nothing_up_issues(facts: RunFacts) -> Iterator[Issue]:
    """Without a canary only a listing that is up shows that the shop did not change all its addresses."""
    looks = {state: facts.count(f"sightings_{state}") for state in Presence}
    told_up = looks[Presence.UP] + looks[Presence.ALTERED]
    if not facts.kind.judges or facts.canary_ok is not None or told_up:
        return
    if looks[Presence.GONE] and sum(looks.values()) > 1:
        message = (
            f"Not one of {sum(looks.values())} listings of {facts.platform.name} was up, and its profile has "
            "no canary to tell removals from a changed site: this run proves nothing."
        )
        yield _error("nothing_up", message)


def _assertion_issues(facts: RunFacts) -> Iterator[Issue]:
    items, floor = facts.count("items"), facts.platform.assertions
    if facts.kind.looks or items == 0:
        return
    if facts.kind is RunKind.SWEEP and items + facts.before < floor.min_listings:
        message = f"{facts.platform.name} gave {items} listings; at least {floor.min_listings} are expected."
        yield _error("below_min", message)
    for name, rate in sorted(floor.fill_rate.items()):
        share = facts.fills.get(name, 0) / items
        if share < rate:
            message = f"{name} stands in {share:.0%} of the listings; at least {rate:.0%} are expected."
            yield _error("low_fill_rate", message)


def _sameness_issues(facts: RunFacts) -> Iterator[Issue]:
    items = facts.count("items")
    if facts.kind.looks or items < ENOUGH:
        return
    if facts.same_title > ONE_TITLE * items:
        message = f"{facts.same_title} of {items} listings have one and the same title: it is hardly theirs."
        yield _error("one_title", message)
    if facts.same_content > DUPLICATES * items:
        yield _error("duplicates", f"{facts.same_content} of {items} listings repeat what another one says.")


def _redirect_issues(facts: RunFacts) -> Iterator[Issue]:
    """A shop sends strangers home as it sends them from a removed listing; the canary tells the two apart."""
    pages, away = facts.count("pages"), facts.count("pages_led_away")
    if away >= REDIRECTED_AT_LEAST and away == pages:
        message = (
            f"Every one of {pages} pages of {facts.platform.name} led elsewhere: this run proves nothing."
        )
        yield _error("redirect_only", message)


def against_history(stats: RunStats, past: Sequence[RunStats]) -> tuple[Issue, ...]:
    """Complaints that only earlier runs of the platform can raise; ``past`` in any order.

    Only runs that came to their end are compared, and only with healthy ones of the same kind and scope.
    """
    rate = _rate(stats)
    healthy = sorted((run for run in past if _is_like(run, stats)), key=lambda run: run.started_at)[-HISTORY:]
    rates = [earlier for run in healthy if (earlier := _rate(run)) is not None]
    if rate is None or len(rates) < HISTORY_AT_LEAST or rate >= DROP * median(rates):
        return ()
    usual = f"the last {len(rates)} healthy runs brought {median(rates):.4g}"
    return (_error("dropped", f"The {stats.kind} of {stats.platform} brought {rate:.4g}; {usual}."),)


def _is_like(run: RunStats, stats: RunStats) -> bool:
    alike = (run.kind, run.platform, run.scope) == (stats.kind, stats.platform, stats.scope)
    return alike and run.run_id != stats.run_id and run.outcome in (Outcome.OK, Outcome.PARTIAL)


def _rate(stats: RunStats) -> float | None:
    """Listings of a sweep, positions of a sample, the share of looks that could tell of a recheck."""
    if stats.finish_reason != "finished" or stats.resumed:
        return None
    if stats.kind is RunKind.SWEEP:
        return stats.items
    if stats.kind is RunKind.SAMPLE:
        return stats.counters.get("positions", 0)
    told = sum(stats.counters.get(f"sightings_{state}", 0) for state in CONCLUSIVE)
    return told / stats.sightings if stats.sightings >= ENOUGH else None


def _why_nothing(facts: RunFacts) -> Issue:
    """The most likely of the causes, by what was seen; pages without listings: the site has changed."""
    name, failures = facts.platform.name, facts.failures()
    if facts.count("blocked"):
        return _error("blocked", f"{name} showed a wall instead of listings.")
    if failures and set(failures) <= ROBOTS:
        return _error("robots_disallowed", f"robots.txt of {name} lets us read nothing.")
    if failures and set(failures) <= UNREACHABLE:
        return _error("dead_host", f"{name} cannot be reached: {', '.join(failures)}.")
    if facts.count("empty_searches") and not facts.count("search_links"):
        return _error("empty_search", f"No search term found anything on {name}.")
    return _error("site_changed", f"{name} answers, but no listing is recognised.")


def _error(code: str, message: str) -> Issue:
    return Issue(level="error", code=code, message=message)


def _loss_issues(facts: RunFacts) -> Iterator[Issue]:
    for reason, count in sorted(facts.failures().items()):
        code = reason if reason in ROBOTS else "requests_failed"
        yield Issue(level="warning", code=code, message=f"{count} requests brought no page: {reason}.")
    for name, count in sorted(facts.counters.items()):
        if name.startswith("unread_"):
            message = f"{count} pages behind search results were no listings: {name.removeprefix('unread_')}."
            yield Issue(level="warning", code="not_a_listing", message=message)
        if name.startswith("missing_"):
            message = f"{count} listings lack a required field: {name.removeprefix('missing_')}."
            yield Issue(level="warning", code="missing_field", message=message)
    if faults := facts.count("spider_exceptions"):
        yield _error("internal_error", f"Our own code failed on {faults} pages.")
