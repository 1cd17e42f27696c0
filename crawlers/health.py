"""What a run is worth: pure rules over what was counted → issues with a name, and the outcome."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

from crawlers.failures import UNREACHABLE
from crawlers.platforms import Platform
from crawlers.rundir import Issue, Outcome, RunKind

ROBOTS = frozenset({"robots_disallowed", "robots_unreachable", "crawl_delay_too_long"})
LOSSES = ("blocked", "not_judged", "sightings_error", "failed_", "unread_")  # how these counters begin
ENDINGS = {  # finish reason → code and sentence
    "blocked": ("blocked", "{0} walled us off twice in a row; a person has to look at it."),
    "dead_host": ("dead_host", "{0} did not answer ten requests in a row."),
    "shutdown": ("interrupted", "The run on {0} was told to stop before its end."),
    "site_changed": ("site_changed", "{0} sends pages, but no more listings in them."),
    "crashed": ("crashed", "The run on {0} broke off; see the log."),
    "closespider_pagecount": ("budget_spent", "The day's budget of requests to {0} is spent."),
    "closespider_errorcount": ("internal_error", "Our own code failed ten times on {0}; see the log."),
    "memusage_exceeded": ("internal_error", "The run on {0} took too much memory and was ended."),
}


@dataclass(frozen=True)
class RunFacts:
    """``counters``: see :class:`crawlers.recorder.Recorder`. ``fills``: field of Listing → times filled."""

    kind: RunKind
    platform: Platform
    finish_reason: str
    counters: Mapping[str, int] = field(default_factory=dict)
    fills: Mapping[str, int] = field(default_factory=dict)
    canary_ok: bool | None = None

    def count(self, name: str) -> int:
        return self.counters.get(name, 0)

    def failures(self) -> dict[str, int]:
        """Reason code → requests that brought no page."""
        return {
            name.removeprefix("failed_"): n for name, n in self.counters.items() if name.startswith("failed_")
        }


def diagnose(facts: RunFacts) -> tuple[Issue, ...]:
    """Every complaint about the run, the errors first."""
    rules = (_ending_issues, _canary_issues, _nothing_issues, _assertion_issues, _loss_issues)
    found = [issue for rule in rules for issue in rule(facts)]
    return tuple(sorted(found, key=lambda issue: issue.level))  # "error" < "warning"


def outcome_of(facts: RunFacts, issues: tuple[Issue, ...]) -> Outcome:
    """Never ``ok`` for a run that yielded nothing, missed something, ended early or whose canary failed."""
    codes = {issue.code for issue in issues if issue.level == "error"}
    if "blocked" in codes:
        return Outcome.BLOCKED
    if _yielded(facts) == 0 or facts.canary_ok is False or codes & {"crashed", "internal_error"}:
        return Outcome.FAILED
    lossy = any(count and name.startswith(LOSSES) for name, count in facts.counters.items())
    return Outcome.PARTIAL if codes or lossy or facts.finish_reason != "finished" else Outcome.OK


def _yielded(facts: RunFacts) -> int:
    """Listings of a sweep; of a recheck the looks that showed something."""
    if facts.kind is RunKind.SWEEP:
        return facts.count("items")
    return sum(facts.count(f"sightings_{state}") for state in ("up", "gone", "altered"))


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
    if _yielded(facts) == 0:
        if facts.finish_reason not in ENDINGS:  # else that explains it
            yield _why_nothing(facts)
        yield _error("zero_items", f"The {facts.kind} of {facts.platform.name} showed nothing.")


def _assertion_issues(facts: RunFacts) -> Iterator[Issue]:
    items, floor = facts.count("items"), facts.platform.assertions
    if facts.kind is not RunKind.SWEEP or items == 0:
        return
    if items < floor.min_listings:
        message = f"{facts.platform.name} gave {items} listings; at least {floor.min_listings} are expected."
        yield _error("below_min", message)
    for name, rate in sorted(floor.fill_rate.items()):
        share = facts.fills.get(name, 0) / items
        if share < rate:
            message = f"{name} stands in {share:.0%} of the listings; at least {rate:.0%} are expected."
            yield _error("low_fill_rate", message)


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
