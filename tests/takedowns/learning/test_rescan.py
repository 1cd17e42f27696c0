from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
from hypothesis import given
from hypothesis import strategies as st

from classifiers.verdict import Label, ListingText, Signal, Verdict
from takedowns import configuration, intake
from takedowns.learning import archive, rescan
from takedowns.learning.archive import Standing
from takedowns.learning.rescan import Change, Rescan
from takedowns.ledger import audit, tables
from takedowns.ledger.engine import Ledger, open_ledger
from takedowns.ledger.vocabulary import Finding
from takedowns.states import TaskState

OLD, NEW = ("old", "words"), ("new", "words")


@dataclass
class Words:
    """Flags titles that hold one of the words; so tests decide themselves what each version says."""

    flagged: dict[str, Label]
    model_version: str = "new"
    ordinary: str = "茶壶"  # is let pass at the first look

    def screen(self, listings: Iterable[ListingText]) -> Iterator[bool]:
        return (self.ordinary not in listing.title for listing in listings)

    def classify_many(self, listings: Iterable[ListingText]) -> Iterator[Verdict]:
        for listing in listings:
            word = next((word for word in self.flagged if word in listing.title), None)
            yield Verdict(
                id=listing.id,
                label=self.flagged[word] if word else Label.BENIGN,
                score=0.9 if word else 0.1,
                flagged=word is not None,
                scores=dict.fromkeys(Label, 0.0),
                signals=(_signal(word),) if word else (),
                claims=(),
                lexicon_version="words",
                model_version=self.model_version,
            )


def _signal(word: str) -> Signal:
    return Signal(
        kind="lexicon",
        concept="product.ecig",
        text=word,
        field="title",
        start=0,
        end=1,
        contribution=2.0,
        why="x",
    )


@pytest.fixture
def archived(ledger: Ledger, make: Any) -> Any:
    """Puts a listing into the ledger that the old model judged; returns its snapshot's id."""

    def add(title: str, *, flagged: bool = False, label: Label = Label.BENIGN, **given: Any) -> int:
        with ledger.write() as session:
            snapshot = make.snapshot(session, make.listing(session), title=title, **given)
            score = 0.8 if flagged else 0.2
            make.verdict(session, snapshot, label=label, flagged=flagged, score=score, model_version="old",
                         lexicon_version="words")  # fmt: skip
            return int(snapshot.id)

    return add


def run(ledger: Ledger, now: datetime, *, preview: bool = False, classifier: Any = None) -> Rescan:
    classifier = classifier or Words({"棒": Label.DISGUISED_OTHER})
    return rescan.rescan(
        ledger,
        rescan.here(classifier),
        model_version=classifier.model_version,
        lexicon_version="words",
        now=now,
        preview=preview,
    )


def verdicts(ledger: Ledger, snapshot: int) -> list[tuple[str, bool]]:
    with ledger.read() as session:
        rows = session.scalars(
            sa.select(tables.Verdict).filter_by(snapshot_id=snapshot).order_by(tables.Verdict.id)
        )
        return [(row.model_version, row.flagged) for row in rows]


def count(ledger: Ledger, table: Any) -> int:
    with ledger.read() as session:
        return session.scalar(sa.select(sa.func.count()).select_from(table)) or 0


def test_what_is_newly_flagged_goes_to_review(ledger: Ledger, archived: Any, now: datetime) -> None:
    bad, good = archived("果萃棒 8000"), archived("茶杯")
    result = run(ledger, now)
    assert (result.judged, result.changes[Change.NEW_FLAG], result.tasks) == (2, 1, 1)
    assert verdicts(ledger, bad) == [("old", False), ("new", True)]
    assert verdicts(ledger, good) == [("old", False), ("new", False)]
    with ledger.read() as session:
        task = session.scalars(sa.select(tables.ReviewTask)).one()
        assert (task.snapshot_id, task.queue, task.priority, task.state) == (
            bad,
            "disguise",
            0.9,
            TaskState.QUEUED,
        )
        assert session.scalars(sa.select(tables.Flag)).one().listing_id == task.listing_id
        assert list(audit.verify(session)) == []


def test_a_preview_counts_and_writes_nothing(ledger: Ledger, archived: Any, now: datetime) -> None:
    bad = archived("果萃棒 8000")
    archived("已不像了", flagged=True, label=Label.DISGUISED_DRINK)
    archived("换了名目的棒", flagged=True, label=Label.DISGUISED_DRINK)
    before = [count(ledger, table) for table in (tables.Verdict, tables.Flag, tables.AuditEntry)]
    result = run(ledger, now, preview=True)
    assert result.changes == {Change.NEW_FLAG: 1, Change.LOST_FLAG: 1, Change.CHANGED_LABEL: 1}
    assert [count(ledger, table) for table in (tables.Verdict, tables.Flag, tables.AuditEntry)] == before
    [example] = result.examples[Change.NEW_FLAG]
    assert (example.title, example.reasons) == ("果萃棒 8000", ("棒",))
    assert example.before == Standing(Label.BENIGN, 0.2, flagged=False)
    assert verdicts(ledger, bad) == [("old", False)]


def test_the_preview_tells_what_the_rescan_does(ledger: Ledger, archived: Any, now: datetime) -> None:
    for number in range(5):
        archived(f"果萃棒 {number}", flagged=number % 2 == 0, label=Label.DISGUISED_DRINK)
    promised = run(ledger, now, preview=True)
    done = run(ledger, now)
    assert (promised.judged, promised.changes) == (done.judged, done.changes)


def test_a_second_rescan_finds_nothing_to_do(ledger: Ledger, archived: Any, now: datetime) -> None:
    archived("果萃棒")
    run(ledger, now)
    before = [
        count(ledger, table) for table in (tables.Verdict, tables.Flag, tables.ReviewTask, tables.AuditEntry)
    ]
    assert run(ledger, now).judged == 0
    after = [
        count(ledger, table) for table in (tables.Verdict, tables.Flag, tables.ReviewTask, tables.AuditEntry)
    ]
    assert after == before


def test_what_passes_the_first_look_keeps_its_verdict(ledger: Ledger, archived: Any, now: datetime) -> None:
    snapshot = archived("紫砂茶壶")
    archived("果萃棒")
    result = run(ledger, now)
    assert (result.judged, result.passed) == (2, 1)
    assert verdicts(ledger, snapshot) == [("old", False)]
    again = run(ledger, now)
    assert (again.judged, again.passed) == (1, 1)
    assert count(ledger, tables.Verdict) == 3


def test_a_flag_is_never_lost_at_a_first_look(ledger: Ledger, archived: Any, now: datetime) -> None:
    snapshot = archived("紫砂茶壶", flagged=True, label=Label.DISGUISED_DRINK)
    assert run(ledger, now).changes[Change.LOST_FLAG] == 1
    assert verdicts(ledger, snapshot) == [("old", True), ("new", False)]


def test_what_was_never_judged_gets_a_verdict_at_once(ledger: Ledger, make: Any, now: datetime) -> None:
    with ledger.write() as session:
        snapshot = make.snapshot(session, make.listing(session), title="紫砂茶壶").id
    run(ledger, now)
    assert verdicts(ledger, snapshot) == [("new", False)]


def test_a_rescan_that_died_goes_on_where_it_was(
    ledger: Ledger, archived: Any, now: datetime, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(archive, "PAGE", 2)
    snapshots = [archived(f"果萃棒 {number}") for number in range(5)]

    def dies(judged: int) -> None:
        if judged == 4:
            raise KeyboardInterrupt

    classifier: Any = Words({"棒": Label.DISGUISED_OTHER})
    with pytest.raises(KeyboardInterrupt):
        rescan.rescan(
            ledger,
            rescan.here(classifier),
            model_version="new",
            lexicon_version="words",
            now=now,
            progress=dies,
        )
    assert run(ledger, now).judged == 1
    assert [verdicts(ledger, snapshot) for snapshot in snapshots] == [[("old", False), ("new", True)]] * 5
    assert count(ledger, tables.ReviewTask) == 5


def test_only_what_a_listing_says_now_is_judged(
    ledger: Ledger, archived: Any, make: Any, now: datetime
) -> None:
    old = archived("果萃棒")
    with ledger.write() as session:
        listing = session.get_one(tables.ListingSnapshot, old).listing
        current = make.snapshot(session, listing, title="茶杯", observed_at=now + timedelta(days=1)).id
    assert run(ledger, now).changes[Change.NEW_FLAG] == 0
    assert verdicts(ledger, current) == [("new", False)]
    assert verdicts(ledger, old) == [("old", False)]


def test_a_listing_that_stays_flagged_gets_no_second_flag(
    ledger: Ledger, archived: Any, now: datetime
) -> None:
    archived("果萃棒", flagged=True, label=Label.DISGUISED_OTHER)
    assert run(ledger, now).tasks == 0
    assert count(ledger, tables.Flag) == count(ledger, tables.ReviewTask) == 0


def test_what_a_person_found_lawful_is_not_asked_again(
    ledger: Ledger, archived: Any, make: Any, analyst: tables.User, now: datetime
) -> None:
    snapshot = archived("助眠棒")
    with ledger.write() as session:
        task = make.task(session, session.get_one(tables.ListingSnapshot, snapshot))
        make.decision(session, task, analyst, finding=Finding.NOT_VIOLATION, reason="lawful_other_goods")
    result = run(ledger, now)
    assert (result.changes[Change.NEW_FLAG], result.tasks) == (1, 0)
    assert count(ledger, tables.Flag) == 1


def test_a_lost_flag_takes_no_task_away(ledger: Ledger, archived: Any, make: Any, now: datetime) -> None:
    snapshot = archived("茶杯", flagged=True, label=Label.DISGUISED_DRINK)
    with ledger.write() as session:
        make.task(session, session.get_one(tables.ListingSnapshot, snapshot))
    assert run(ledger, now).changes[Change.LOST_FLAG] == 1
    with ledger.read() as session:
        assert session.scalars(sa.select(tables.ReviewTask)).one().state is TaskState.QUEUED


def test_going_back_to_an_earlier_model_counts_again(ledger: Ledger, archived: Any, now: datetime) -> None:
    snapshot = archived("果萃棒")
    run(ledger, now)
    back = run(ledger, now, classifier=Words({}, model_version="old"))
    assert (back.judged, back.changes[Change.LOST_FLAG]) == (1, 1)
    assert verdicts(ledger, snapshot) == [("old", False), ("new", True), ("old", False)]
    assert run(ledger, now, classifier=Words({}, model_version="old")).judged == 0


def test_of_two_rescans_at_once_one_writes_each_verdict(ledger: Ledger, archived: Any, now: datetime) -> None:
    snapshot = archived("果萃棒")
    classifier: Any = Words({"棒": Label.DISGUISED_OTHER})

    def late(pages: Any) -> Any:
        for page in pages:
            run(ledger, now)  # the other one, which is faster
            yield page, rescan.look(classifier, page)

    rescan.rescan(ledger, late, model_version="new", lexicon_version="words", now=now)
    assert verdicts(ledger, snapshot) == [("old", False), ("new", True)]
    assert count(ledger, tables.Flag) == count(ledger, tables.ReviewTask) == 1


def test_the_classifier_reads_all_that_intake_gave_it(ledger: Ledger, make: Any) -> None:
    with ledger.write() as session:
        listing = make.listing(session, seller=make.seller(session, name="小雾"))
        snapshot = make.snapshot(session, listing, price_raw="¥59", lang="zh", images=["a.jpg"])
        at_intake = intake._text(snapshot)
    [[item]] = archive.pages(ledger)
    assert item.text == at_intake
    assert (item.text.shop, item.verdict_id, item.standing) == ("小雾", None, None)


def test_pages_hold_every_listing_once_in_order(
    ledger: Ledger, archived: Any, make: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(archive, "PAGE", 3)
    for number in range(7):
        archived(str(number))
    with ledger.write() as session:
        make.listing(session)  # a pasted link: nothing is known of what it says
        assert archive.size(session) == 7
    pages = list(archive.pages(ledger))
    assert [len(page) for page in pages] == [3, 3, 1]
    assert [item.text.title for page in pages for item in page] == [str(number) for number in range(7)]
    newest = [item.text.title for page in archive.pages(ledger, newest_first=True) for item in page]
    assert newest == [str(number) for number in reversed(range(7))]


def test_examples_are_those_that_moved_most_and_few(ledger: Ledger, make: Any, now: datetime) -> None:
    with ledger.write() as session:
        for number in range(9):
            snapshot = make.snapshot(session, make.listing(session), title=f"棒 {number}")
            make.verdict(session, snapshot, flagged=False, label=Label.BENIGN, score=number / 10)
    kept = run(ledger, now, preview=True).examples[Change.NEW_FLAG]
    assert [example.title for example in kept] == [f"棒 {number}" for number in range(rescan.EXAMPLES)]


standings = st.builds(Standing, st.sampled_from(list(Label)), st.floats(0, 1), st.booleans())


@given(standings, standings)
def test_a_change_and_its_reverse_belong_together(one: Standing, other: Standing) -> None:
    reverse = {
        None: None,
        Change.NEW_FLAG: Change.LOST_FLAG,
        Change.LOST_FLAG: Change.NEW_FLAG,
        Change.CHANGED_LABEL: Change.CHANGED_LABEL,
    }
    assert rescan.compare(other, one) == reverse[rescan.compare(one, other)]
    assert rescan.compare(one, one) is None


def test_a_listing_never_judged_had_no_flag() -> None:
    assert rescan.compare(None, Standing(Label.ECIG_OVERT, 0.9, flagged=True)) is Change.NEW_FLAG
    assert rescan.compare(None, Standing(Label.BENIGN, 0.1, flagged=False)) is None


# The command, with the real classifier in its processes.

LISTINGS = 600


@pytest.fixture
def home(tmp_path: Path, make: Any) -> Path:
    """A working folder whose ledger holds many listings that an older model judged."""
    (tmp_path / "config").symlink_to(configuration.SHIPPED)
    (tmp_path / "var").mkdir()
    ledger = open_ledger(f"sqlite:///{tmp_path}/var/ledger.db")
    with ledger.write() as session:
        seller = make.seller(session)
        for number in range(LISTINGS):
            listing = make.listing(session, seller=seller)
            missed = number % 500 == 7
            title = "电子烟 一次性 8000口 西瓜味" if missed else f"家用加湿器 静音 {number}L"
            snapshot = make.snapshot(session, listing, title=title, description="")
            make.verdict(session, snapshot, flagged=not missed)  # so that all get the full look
    ledger.close()
    return tmp_path


def start(home: Path, *arguments: str) -> subprocess.Popen[str]:
    environment = {name: value for name, value in os.environ.items() if name != "VAPEWATCH_CONFIG"}
    return subprocess.Popen(
        [sys.executable, "-m", "takedowns", "rescan", "--processes", "1", *arguments],
        cwd=home,
        env={**environment, "PYTHONPATH": str(configuration.SHIPPED.parent)},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        encoding="utf-8",
    )


def children(process: int) -> list[int]:
    return [
        int(child)
        for file in Path(f"/proc/{process}/task").glob("*/children")
        for child in file.read_text().split()
    ]


def is_running(process: int) -> bool:
    try:
        return Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except FileNotFoundError:
        return False


def wait_until(done: Any, seconds: float) -> None:
    end = time.monotonic() + seconds
    while not done():
        assert time.monotonic() < end, "it did not come to pass in time"
        time.sleep(0.05)


def test_a_killed_rescan_leaves_no_process_and_its_work_is_taken_up(home: Path) -> None:
    ledger = open_ledger(f"sqlite:///{home}/var/ledger.db")
    killed = start(home)
    wait_until(lambda: count(ledger, tables.Verdict) > LISTINGS, 120)
    workers = children(killed.pid)
    killed.send_signal(signal.SIGKILL)
    killed.communicate()
    assert workers
    wait_until(lambda: not any(map(is_running, workers)), 30)

    output, errors = start(home, "--json").communicate(timeout=200)
    assert count(ledger, tables.Verdict) == 2 * LISTINGS, errors
    assert count(ledger, tables.Flag) == count(ledger, tables.ReviewTask) == 2
    assert 0 < json.loads(output)["judged"] < LISTINGS
    with ledger.read() as session:
        assert list(audit.verify(session)) == []
    ledger.close()
