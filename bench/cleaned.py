"""A published year of one bureau, taken in and counted; and a reply of 200,000 rows that fit nothing.

    python bench/cleaned.py [--ledger sqlite:///FILE | postgresql+psycopg://…] [--rows 200000]

The year: 597 leads on twelve platforms, 1,014,100 pieces of information, 9,481 merchants and 1,075 accounts,
each in a .csv by lead, a quarter of the lines twice. Memory is the highest resident set of the process.
"""

from __future__ import annotations

import argparse
import random
import resource
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import TypeVar

import xlsxwriter

from classifiers.verdict import Label
from takedowns import configuration
from takedowns.ledger.engine import Ledger, open_ledger
from takedowns.ledger.tables import Decision, Lead, Listing, ListingSnapshot, ReviewTask, User
from takedowns.ledger.vocabulary import Cleaned, Finding, Role
from takedowns.replies import cleaning, importing
from takedowns.states import LeadState, TaskState

T = TypeVar("T")
YEAR = {Cleaned.INFORMATION: 1_014_100, Cleaned.MERCHANT: 9_481, Cleaned.ACCOUNT: 1_075}
NAMES = {Cleaned.INFORMATION: "清理信息ID", Cleaned.MERCHANT: "处置商户ID", Cleaned.ACCOUNT: "处置账号ID"}
LEADS, PLATFORMS = 597, 12
NOW = datetime(2026, 10, 12, tzinfo=UTC)
PROFILES = dict(list(configuration.platforms(configuration.SHIPPED).items())[:PLATFORMS])


def main() -> None:
    options = argparse.ArgumentParser()
    options.add_argument("--ledger", help="an empty database; without it a new SQLite file")
    options.add_argument("--rows", type=int, default=200_000)
    given = options.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        ledger = open_ledger(given.ledger or f"sqlite:///{folder}/ledger.db")
        leads = add_leads(ledger)
        files, truth = write_year(Path(folder), leads)
        for path in files:
            told(path.name, lambda path=path: take(ledger, path))
        with ledger.read() as session:
            found = told("count", lambda: cleaning.totals(session))
        assert {(total.platform, total.cleaned): total.quantity for total in found} == truth
        for kind in YEAR:
            print(f"  {kind.value}: {sum(t.quantity for t in found if t.cleaned is kind):,}")
        workbook = write_workbook(Path(folder), given.rows)
        result = told(workbook.name, lambda: take(ledger, workbook))
        print(f"  {result.refused:,} rows refused, {result.strays} in the tray")
        ledger.close()


def told(name: str, work: Callable[[], T]) -> T:
    started, used = time.monotonic(), time.process_time()
    done = work()
    seconds, cpu = time.monotonic() - started, time.process_time() - used
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1000
    print(f"{name}: {seconds:.1f} s, {cpu:.1f} s of our CPU, at most {peak:,.0f} MB so far", flush=True)
    return done


def take(ledger: Ledger, path: Path) -> importing.Result:
    with ledger.write() as session:
        return importing.import_file(session, path, platforms=PROFILES, now=NOW)


def add_leads(ledger: Ledger) -> list[tuple[str, str]]:
    """Number and platform of each; all rest on one finding, which is not what is measured."""
    with ledger.write() as session:
        reviewer = User(login="bench", display_name="bench", role=Role.ANALYST, created_at=NOW)
        task = _task()
        session.add_all([reviewer, task])
        session.flush()
        leads = [_lead(number, task, reviewer) for number in range(LEADS)]
        session.add_all(leads)
        return [(lead.number, lead.listing.platform) for lead in leads]


def _task() -> ReviewTask:
    listing = Listing(platform="bench", item_id="0", url="u", road="sweep", first_seen_at=NOW)
    times = {"observed_at": NOW, "recorded_at": NOW}
    content = {"title": "t", "description": "", "attributes": {}, "images": [], "sources": {}}
    snapshot = ListingSnapshot(listing=listing, sha256="0", **times, **content)
    state = {"queue": "disguise", "priority": 1, "state": TaskState.DECIDED, "created_at": NOW}
    return ReviewTask(listing=listing, snapshot=snapshot, **state)


def _lead(number: int, task: ReviewTask, reviewer: User) -> Lead:
    platform = list(PROFILES)[number % PLATFORMS]
    listing = Listing(platform=platform, item_id=f"{number}", url="u", road="sweep", first_seen_at=NOW)
    decision = Decision(
        task_id=task.id,
        listing=listing,
        snapshot=task.snapshot,
        reviewer_id=reviewer.id,
        finding=Finding.VIOLATION,
        category=Label.DISGUISED_MEDICAL,
        decided_at=NOW,
    )
    times = {"created_at": NOW, "sent_at": NOW}
    number_of = f"2026-0000-{number:05}"
    return Lead(number=number_of, listing=listing, decision=decision, state=LeadState.SENT, **times)


def write_year(
    folder: Path, leads: list[tuple[str, str]]
) -> tuple[list[Path], dict[tuple[str, Cleaned], int]]:
    """A file for each kind, and what each platform has."""
    truth: Counter[tuple[str, Cleaned]] = Counter()
    files = []
    for kind, quantity in YEAR.items():
        files.append(folder / f"{kind.value}.csv")
        with files[-1].open("w", encoding="utf-8-sig") as file:
            file.write(f"线索编号,{NAMES[kind]}\n")
            file.writelines(lines(kind, quantity, leads, truth))
    return files, dict(truth)


def lines(
    kind: Cleaned, quantity: int, leads: list[tuple[str, str]], truth: Counter[tuple[str, Cleaned]]
) -> Iterator[str]:
    chance = random.Random(597)
    for number in range(quantity):
        lead, platform = leads[number % LEADS]
        truth[platform, kind] += 1
        yield f"{lead},{kind.value}{number}\n" * chance.choice((1, 1, 1, 2))


def write_workbook(folder: Path, rows: int) -> Path:
    path = folder / f"{rows}-rows.xlsx"
    with xlsxwriter.Workbook(path, {"constant_memory": True}) as book:
        sheet = book.add_worksheet()
        sheet.write_row(0, 0, ("线索编号", "商品ID", "处置措施", "处置时间", "备注"))
        for row in range(1, rows + 1):
            sheet.write_row(row, 0, (f"2026-9999-{row:06}", f"{row}", "已下架", "2026-10-11 09:30", "=1+1"))
    return path


if __name__ == "__main__":
    main()
