"""Kill the bureau, again and again, at random moments, and look whether anything was lost or sent twice.

    python -m bench.kill [--kills 30] [--ledger URL] [--seed 1] [--json]

A process decides, approves, sends, takes answers in and verifies; another one is the platform's mail server.
The first is killed by SIGKILL and begun anew until it was killed ``--kills`` times, then left to finish.
Without ``--ledger`` the ledger is a SQLite file; a PostgreSQL database must be empty. Exit code 1 when a lead
is not there once, a mail was not received once (by its Message-ID), or the audit chain is broken.
"""

from __future__ import annotations

import argparse
import json
import mmap
import os
import random
import signal
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path

from bench.killing import bureau
from bench.killing.truth import Findings, findings
from takedowns.ledger.engine import Ledger, open_ledger
from takedowns.papers import docx, pdf  # noqa: F401  (once here, not in every process that is forked)

BATCH = 3  # listings
ARRIVAL = "arrival"
AIMS = (*bureau.STAGES, ARRIVAL)
"""A life ends at random in one of the stages, or when a mail has just arrived: where most could go wrong."""
LONGEST_S = {"send": 2.0, ARRIVAL: 0.15}
"""After the stage began; elsewhere :data:`SHORT_S`."""
SHORT_S = 0.08
FINISH_WITHIN_S = 300
POLL_S = 0.001


@dataclass(frozen=True)
class Place:
    folder: Path
    url: str
    mail_port: int
    started: float


def main() -> int:
    options = argparse.ArgumentParser()
    options.add_argument("--kills", type=int, default=30)
    options.add_argument("--ledger", help="URL of an empty database")
    options.add_argument("--seed", type=int, default=1)
    options.add_argument("--json", action="store_true")
    given = options.parse_args()
    began = time.monotonic()
    with tempfile.TemporaryDirectory() as name, _mail_server(Path(name) / "mails.jsonl") as port:
        url = given.ledger or f"sqlite:///{name}/ledger.db"
        place = Place(Path(name), url, port, time.time())
        killed, listings = killed_often(place, given.kills, random.Random(given.seed))
        found = _found(place, listings)
    took = time.monotonic() - began
    _tell(found, killed, took, given.json)
    return 1 if found.wrong else 0


def killed_often(place: Place, kills: int, chance: random.Random) -> tuple[Counter[str], int]:
    """How often in each stage; and the number of listings that it went through."""
    ledger = open_ledger(place.url)
    bureau.hire(ledger)
    ledger.close()
    killed: Counter[str] = Counter()
    listings = 0
    while killed.total() < kills:
        listings = _flag(place, listings)
        while killed.total() < kills and (stage := _one_life(place, chance.choice(AIMS), chance)):
            killed[stage] += 1
    _one_life(place, None, chance)
    return killed, listings


def _flag(place: Place, listings: int) -> int:
    ledger = Ledger(place.url)
    numbers = range(listings + 1, listings + BATCH + 1)
    bureau.flag(ledger, numbers, bureau.Clock(place.started)())
    ledger.close()
    return listings + BATCH


def _one_life(place: Place, aim: str | None, chance: random.Random) -> str | None:
    """The stage in which it was killed, which is seldom another than ``aim``; None when it had finished."""
    stage = mmap.mmap(-1, 1)
    stage[0] = bureau.IDLE
    child = os.fork()
    if child == 0:
        _live(place, stage)
    mails, gave_up = _mails(place), time.monotonic() + FINISH_WITHIN_S
    end = None
    while (now := time.monotonic()) < (end or gave_up):
        done, status = os.waitpid(child, os.WNOHANG)
        if done:
            if status:
                raise ChildProcessError(f"the bureau died by itself: {os.waitstatus_to_exitcode(status)}")
            return None
        if aim and end is None and _is_there(place, aim, stage[0], mails):
            end = now + chance.random() * LONGEST_S.get(aim, SHORT_S)
        time.sleep(POLL_S)
    os.kill(child, signal.SIGKILL)
    os.waitpid(child, 0)
    if end is None:
        raise TimeoutError(f"left alone, it did not finish within {FINISH_WITHIN_S} s")
    if aim == ARRIVAL:
        return ARRIVAL
    return (*bureau.STAGES, "between")[stage[0]]


def _is_there(place: Place, aim: str, stage: int, mails: int) -> bool:
    if aim == ARRIVAL:
        return _mails(place) > mails
    return stage == bureau.STAGES.index(aim)


def _mails(place: Place) -> int:
    """Bytes."""
    return (place.folder / "mails.jsonl").stat().st_size


def _live(place: Place, stage: mmap.mmap) -> None:
    """In the forked process; never returns."""
    try:
        ledger = Ledger(place.url)
        bureau.Work(bureau.context(place.folder, ledger, place.mail_port, place.started), stage).finish()
        ledger.close()
    except BaseException:  # noqa: BLE001  (told, and the process ends)
        sys.excepthook(*sys.exc_info())
        os._exit(1)
    os._exit(0)


@contextmanager
def _mail_server(file: Path) -> Iterator[int]:
    file.touch()
    program = [sys.executable, str(Path(bureau.__file__).with_name("server.py")), str(file)]
    with subprocess.Popen(program, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as server:
        assert server.stdout
        yield int(server.stdout.readline())
        server.communicate("")


def _found(place: Place, listings: int) -> Findings:
    mails = [json.loads(line) for line in (place.folder / "mails.jsonl").read_text("utf-8").splitlines()]
    ledger = Ledger(place.url)
    with ledger.read() as session:
        found = findings(session, mails, listings)
    ledger.close()
    return found


def _tell(found: Findings, killed: Counter[str], took: float, as_json: bool) -> None:
    if as_json:
        told = asdict(found) | {"kills": killed.total(), "killed_while": killed, "seconds": round(took, 1)}
        print(json.dumps(told))
        return
    print(
        f"{killed.total()} kills in {took:.0f} s:", ", ".join(f"{n} {stage}" for stage, n in killed.items())
    )
    print(f"{found.leads} leads, {found.audit_entries} audit entries")
    again = found.mails - found.distinct_mails
    print(
        f"{found.distinct_mails} distinct mails received, {again} of them once more under the same Message-ID"
    )
    print("\n".join(found.wrong) or "every lead there once, every mail received once, the audit chain whole")


if __name__ == "__main__":
    sys.exit(main())
