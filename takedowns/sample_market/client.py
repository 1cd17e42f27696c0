"""Starts a market as a child process and speaks to it: for the demo and the tests."""

from __future__ import annotations

import contextlib
import json
import subprocess
import sys
import threading
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

import httpx

from takedowns.sample_market.modes import Mode

START_S = 30
STOP_S = 10


class MarketError(RuntimeError):
    """The market did not start, or refused a command; the message says which and why."""


@dataclass(frozen=True)
class RunningMarket:
    """Where a running market listens, and its control API as methods."""

    base_url: str
    smtp_host: str
    smtp_port: int
    token: str
    state: Path

    def truth(self) -> dict[str, Any]:
        """``now``, ``figures``, ``notices``, ``listings`` and ``hits``, see ``control._truth``."""
        return self._ask("GET", "/_control/truth")

    def log(self) -> dict[str, Any]:
        """``events`` in order, and ``hits`` by path."""
        return self._ask("GET", "/_control/log")

    def set_mode(self, item_id: str, mode: Mode) -> None:
        self._ask("POST", "/_control/mode", {"item_id": item_id, "mode": mode})

    def set_shop(self, shop_id: str, mode: Mode) -> None:
        """Let a shop's page answer so; where that is gone, its listings are, too."""
        self._ask("POST", "/_control/shop", {"shop_id": shop_id, "mode": mode})

    def relist(self, item_id: str) -> str:
        """Offer the same goods under a new id, which is returned."""
        return str(self._ask("POST", "/_control/relist", {"item_id": item_id})["item_id"])

    def set_clock(self, now: datetime) -> None:
        """Move the market's clock forward; what falls due on the way happens."""
        self._ask("POST", "/_control/clock", {"now": now.isoformat()})

    def replies_csv(self) -> bytes:
        """The platform's reply workbook so far: UTF-8 with a byte order mark."""
        return self._request("GET", "/replies.csv", None).content

    def _ask(self, method: str, path: str, body: object = None) -> dict[str, Any]:
        answer: dict[str, Any] = self._request(method, path, body).json()
        return answer

    def _request(self, method: str, path: str, body: object) -> httpx.Response:
        headers = {"X-Market-Token": self.token}
        # trust_env: a proxy set in the environment must not see a call to this machine.
        response = httpx.request(
            method, self.base_url + path, json=body, headers=headers, timeout=30, trust_env=False
        )
        if response.is_error:
            raise MarketError(f"{method} {path}: {response.status_code} {response.text}")
        return response


@contextlib.contextmanager
def running_market(
    *,
    port: int = 0,
    smtp_port: int = 0,
    state: Path | None = None,
    seed: int = 1,
    listings: int = 320,
    clock: datetime | None = None,
) -> Iterator[RunningMarket]:
    """A market in a child process, stopped on leaving; ports 0 are free ones.

    Raises :class:`MarketError` if it is not ready within ``START_S`` seconds.
    """
    command = [sys.executable, "-m", "takedowns.sample_market", "--stop-on-eof"]
    command += [f"--port={port}", f"--smtp-port={smtp_port}", f"--seed={seed}", f"--listings={listings}"]
    command += [f"--state={state}"] if state else []
    command += [f"--clock={clock.isoformat()}"] if clock else []
    # A session of its own: Ctrl-C in the terminal is the parent's to handle. Should the parent be killed, the
    # child sees its stdin close and ends.
    child = subprocess.Popen(  # noqa: S603 - our own module, no shell
        command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, start_new_session=True
    )
    try:
        yield _await_ready(child)
    finally:
        _stop(child)


def _await_ready(child: subprocess.Popen[bytes]) -> RunningMarket:
    assert child.stdout is not None  # noqa: S101 - opened as a pipe above
    watchdog = threading.Timer(START_S, child.kill)
    watchdog.start()
    line = child.stdout.readline()
    watchdog.cancel()
    if not line:
        raise MarketError(f"the sample market did not start (exit code {child.wait()})")
    ready = json.loads(line)
    return RunningMarket(**{**ready, "state": Path(ready["state"])})


def _stop(child: subprocess.Popen[bytes]) -> None:
    child.terminate()
    try:
        child.communicate(timeout=STOP_S)
    except subprocess.TimeoutExpired:
        child.kill()
        child.communicate()
