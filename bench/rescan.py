"""Rescan of an archive: listings per second, and memory of the parent and its workers together.

    python bench/rescan.py [--listings 1000000] [--processes 2] [--preview] [--keep FOLDER]

The archive is made of the corpus: mostly ordinary listings, one in a hundred violating, each with a number of
its own, and judged before by an older model. Memory is the sum of the resident sets, read ten times a second;
pages that processes share count in each of them, so that the sum is an upper bound.
"""

from __future__ import annotations

import argparse
import os
import tempfile
import threading
import time
from collections.abc import Iterator
from datetime import UTC, datetime
from functools import partial
from itertools import cycle, islice
from pathlib import Path
from typing import Any

import sqlalchemy as sa

import classifiers
from classifiers import labelled
from takedowns.learning import rescan, workers
from takedowns.ledger.engine import Ledger, open_ledger
from takedowns.ledger.tables import Listing, ListingSnapshot, Seller, Verdict

SEEN = datetime(2026, 1, 1, tzinfo=UTC)
CHUNK = 5_000
SELLERS = 1_000
EVERY = 100  # listings, of which one is violating


def main() -> None:
    options = argparse.ArgumentParser()
    options.add_argument("--listings", type=int, default=1_000_000)
    options.add_argument("--processes", type=int, default=2)
    options.add_argument("--preview", action="store_true")
    options.add_argument(
        "--keep", type=Path, help="folder for the archive, which is used again when it is there"
    )
    given = options.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        path = (given.keep or Path(folder)) / f"archive-{given.listings}.db"
        is_new = not path.exists()
        ledger = open_ledger(f"sqlite:///{path}")
        if is_new:
            fill(ledger, given.listings)
        size = sum(file.stat().st_size for file in path.parent.glob(f"{path.name}*"))
        print(f"{given.listings:,} listings, {size / 1e6:,.0f} MB of archive")
        measure(ledger, given.listings, given.processes, given.preview)
        ledger.close()


def fill(ledger: Ledger, listings: int) -> None:
    rows = numbered()
    with ledger.write() as session:
        sellers = [
            {"id": n, "platform": "bench", "kind": "merchant", "external_id": str(n), "name": f"{n}号店"}
            for n in range(1, SELLERS + 1)
        ]
        session.execute(sa.insert(Seller), sellers)
    for first in range(1, listings + 1, CHUNK):
        chunk = list(islice(rows, min(CHUNK, listings + 1 - first)))
        with ledger.write() as session:
            for table in (Listing, ListingSnapshot, Verdict):
                session.execute(sa.insert(table), [row[table] for row in chunk])


def numbered() -> Iterator[dict[type[Any], dict[str, Any]]]:
    corpus = labelled.rows()
    ordinary = cycle(row for row in corpus if not row.violating)
    violating = cycle(row for row in corpus if row.violating)
    number = 0
    while True:
        number += 1
        row = next(violating if number % EVERY == 0 else ordinary)
        yield {
            Listing: {
                "id": number,
                "platform": "bench",
                "item_id": str(number),
                "url": f"https://shop.invalid/item/{number}",
                "seller_id": number % SELLERS + 1,
                "first_seen_at": SEEN,
                "road": "sweep",
            },
            ListingSnapshot: {
                "id": number,
                "listing_id": number,
                "sha256": f"{number:064}",
                "title": f"{row.title} {number}",
                "description": row.description,
                "attributes": row.attributes,
                "price_raw": row.price,
                "images": [],
                "sources": {},
                "observed_at": SEEN,
                "recorded_at": SEEN,
            },
            Verdict: {
                "id": number,
                "snapshot_id": number,
                "label": "benign",
                "score": 0.01,
                "flagged": False,
                "model_version": "before",
                "lexicon_version": "before",
                "payload": {},
                "recorded_at": SEEN,
            },
        }


def measure(ledger: Ledger, listings: int, processes: int, preview: bool) -> None:
    memory = Memory()
    start = time.perf_counter()
    tenths = iter(range(1, 11))
    due = next(tenths)

    def progress(judged: int) -> None:
        nonlocal due
        while due and judged >= listings * due // 10:
            seconds = time.perf_counter() - start
            print(f"{judged:>12,} judged{judged / seconds:>10,.0f}/s{memory.now:>9,.0f} MB", flush=True)
            due = next(tenths, 0)

    current = classifiers.load()
    with memory, workers.judging(partial(classifiers.load), processes) as judge:
        result = rescan.rescan(
            ledger,
            judge,
            model_version=current.model_version,
            lexicon_version=current.lexicon_version,
            now=datetime.now(UTC),
            preview=preview,
            progress=progress,
        )
    seconds = time.perf_counter() - start
    rate = result.judged / seconds
    print(f"{result.judged:,} judged in {seconds:,.0f} s: {rate:,.0f} listings/s, peak {memory.peak:,.0f} MB")
    changes = {change.value: count for change, count in result.changes.items()}
    print(f"{result.passed:,} passed at the first look; {changes}; {result.tasks:,} tasks")


class Memory:
    """Resident memory of this process and its children, in MB; watched while entered."""

    def __init__(self) -> None:
        self.now = self.peak = 0.0
        self._done = threading.Event()
        self._thread = threading.Thread(target=self._watch, daemon=True)

    def __enter__(self) -> None:
        self._thread.start()

    def __exit__(self, *_: object) -> None:
        self._done.set()
        self._thread.join()

    def _watch(self) -> None:
        while not self._done.wait(0.1):
            self.now = sum(map(resident, family(os.getpid())))
            self.peak = max(self.peak, self.now)


def family(process: int) -> Iterator[int]:
    yield process
    for children in Path(f"/proc/{process}/task").glob("*/children"):
        for child in children.read_text().split():
            yield from family(int(child))


def resident(process: int) -> float:
    try:
        pages = int(Path(f"/proc/{process}/statm").read_text().split()[1])
    except FileNotFoundError:  # it has just ended
        return 0.0
    return pages * os.sysconf("SC_PAGE_SIZE") / 1e6


if __name__ == "__main__":
    main()
