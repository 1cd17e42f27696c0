"""pywb over the evidence of a crawl: index and replay as archives do them.

It reads records with warcio, which writes ours; readers that share nothing with it are in test_replay.py.
"""

from __future__ import annotations

import re
import subprocess
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

import httpx
import pytest

from tests.crawlers.strictwarc import Strict

PROGRAMS = Path(__file__).parents[3] / "var/replay/bin"
COLLECTION = "crawl"


@dataclass(frozen=True)
class Archive:
    """A file that pywb took in and replays."""

    home: str
    index: list[str]
    """One line a record that can be replayed."""

    def get(self, record: Strict) -> httpx.Response:
        """The page of ``record`` as it was archived: ``id_`` asks for no rewriting."""
        return httpx.get(self.address(record, "id_"), trust_env=False, timeout=30)

    def address(self, record: Strict, manner: str = "") -> str:
        moment = re.sub(r"\D", "", record.fields["warc-date"])[:14]
        return f"{self.home}/{COLLECTION}/{moment}{manner}/{record.uri}"


@pytest.fixture
def archived(tmp_path: Path) -> Iterator[Callable[[Path], Archive]]:
    """Gives a WARC file to pywb and serves it on loopback."""
    if not (PROGRAMS / "wb-manager").exists():
        pytest.fail("pywb is not installed in var/replay; `make test` installs it")
    with ExitStack() as stack:

        def take_in(warc: Path) -> Archive:
            folder = tmp_path / "pywb"
            folder.mkdir()
            (folder / "config.yaml").write_text("debug: false\n")
            for arguments in (["init", COLLECTION], ["add", COLLECTION, str(warc)]):
                _run(folder, *arguments)
            index = (folder / "collections" / COLLECTION / "indexes/index.cdxj").read_text()
            return Archive(stack.enter_context(_served(folder)), index.splitlines())

        yield take_in


def _run(folder: Path, *arguments: str) -> None:
    done = subprocess.run(
        [PROGRAMS / "wb-manager", *arguments], cwd=folder, capture_output=True, text=True, timeout=60
    )
    assert done.returncode == 0, done.stderr


@contextmanager
def _served(folder: Path) -> Iterator[str]:
    log = folder / "server.log"
    with log.open("wb") as said:
        server = subprocess.Popen(
            [PROGRAMS / "python", Path(__file__).with_name("serve.py")],
            cwd=folder,
            stdout=subprocess.PIPE,
            stderr=said,
            text=True,
        )
    with server:  # closes its pipe, and waits
        try:
            assert server.stdout is not None
            port = server.stdout.readline().strip()
            assert port.isdigit(), port + log.read_text()
            yield f"http://127.0.0.1:{port}"
        finally:
            server.terminate()
