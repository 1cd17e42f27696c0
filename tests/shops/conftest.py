"""Real shop software to crawl: each fixture is a shop that runs in a process of its own."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

HOME = Path(__file__).parent / "oscar"


@dataclass(frozen=True)
class OscarProduct:
    id: int
    title: str
    url: str
    violating: bool


@dataclass(frozen=True)
class OscarShop:
    """A running django-oscar shop. It is shared: a test puts back what it takes out."""

    base_url: str
    products: tuple[OscarProduct, ...]
    data: Path
    process: subprocess.Popen[str]

    def unpublish(self, product_id: int) -> None:
        """As the shopkeeper does it: not public, saved; page, lists, search and sitemap follow at once."""
        self._command("unpublish", product_id)

    def publish(self, product_id: int) -> None:
        self._command("publish", product_id)

    def sell_out(self, product_id: int) -> None:
        self._command("sell_out", product_id)

    def restock(self, product_id: int) -> None:
        self._command("restock", product_id)

    def hits(self, prefix: str) -> int:
        """How many requests there were for paths that start with ``prefix``."""
        log = self.data / "access.log"
        return sum(line.startswith(prefix) for line in log.read_text(encoding="utf-8").split("\n"))

    def _command(self, deed: str, product_id: int) -> None:
        self.process.stdin.write(f"{deed} {product_id}\n")
        self.process.stdin.flush()
        assert json.loads(self.process.stdout.readline()) == {"done": f"{deed} {product_id}"}


@pytest.fixture(scope="session")
def oscar(tmp_path_factory: pytest.TempPathFactory) -> Iterator[OscarShop]:
    data = tmp_path_factory.mktemp("oscar")
    environment = {**os.environ, "PYTHONPATH": str(HOME)}
    command = [sys.executable, "-m", "oscarshop"]
    subprocess.run([*command, "build", str(data)], env=environment, check=True, timeout=120)
    with subprocess.Popen(
        [*command, "serve", str(data)],
        env=environment,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    ) as process:
        ready = json.loads(process.stdout.readline())
        yield OscarShop(ready["base_url"], _products(ready), data, process)
        process.terminate()


def _products(ready: dict) -> tuple[OscarProduct, ...]:
    return tuple(
        OscarProduct(row["id"], row["title"], ready["base_url"] + row["path"], row["violating"])
        for row in ready["products"]
    )
