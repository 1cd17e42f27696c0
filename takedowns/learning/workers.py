"""Judging in processes of their own, each with one classifier, fed with a bounded number of pages."""

from __future__ import annotations

import multiprocessing
import os
import signal
import threading
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ProcessPoolExecutor
from contextlib import contextmanager
from functools import partial
from typing import TYPE_CHECKING

from takedowns.learning import rescan
from takedowns.learning.archive import Archived
from takedowns.learning.rescan import Judge, Looks

if TYPE_CHECKING:
    from classifiers.classifier import Classifier

AHEAD = 2  # pages a worker that wait while one is judged, so that none idles during a write

_of_this_process: list[Classifier] = []


@contextmanager
def judging(load: Callable[[], Classifier], processes: int) -> Iterator[Judge]:
    """``processes`` workers that have each called ``load``; what they say comes back in order.

    They start anew instead of being forked: a fork would copy whatever thread or connection is at work here.
    """
    fresh = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(processes, mp_context=fresh, initializer=_begin, initargs=(load,)) as pool:
        try:
            yield partial(_in_order, pool, processes * (1 + AHEAD))
        finally:
            pool.shutdown(wait=True, cancel_futures=True)


def _in_order(
    pool: ProcessPoolExecutor, at_most: int, pages: Iterable[list[Archived]]
) -> Iterator[tuple[list[Archived], Looks]]:
    waiting: deque[tuple[list[Archived], Future[Looks]]] = deque()
    for page in pages:
        waiting.append((page, pool.submit(_look, page)))
        if len(waiting) == at_most:
            yield _first(waiting)
    while waiting:
        yield _first(waiting)


def _first(
    waiting: deque[tuple[list[Archived], Future[Looks]]],
) -> tuple[list[Archived], Looks]:
    page, judged = waiting.popleft()
    return page, judged.result()


def _look(page: list[Archived]) -> Looks:
    return rescan.look(_of_this_process[0], page)


def _begin(load: Callable[[], Classifier]) -> None:
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is for the parent, which ends us
    threading.Thread(target=_end_with_parent, daemon=True).start()
    _of_this_process.append(load())


def _end_with_parent() -> None:
    """Nobody else tells a worker that its parent was killed: it would wait for work for ever."""
    parent = multiprocessing.parent_process()
    if parent is not None:
        parent.join()
        os._exit(1)
