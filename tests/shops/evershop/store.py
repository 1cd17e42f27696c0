"""Starts EverShop on a free port and stocks it as a shopkeeper would: through its own interface.

``package.json`` asks for concat-stream too: this version of EverShop imports it without asking for it.
"""

from __future__ import annotations

import json
import os
import socket
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path

import httpx

INSTALLED = Path(__file__).parents[3] / "var/evershop"
PRODUCTS = Path(__file__).with_name("products.jsonl")
EVERSHOP = "node_modules/@evershop/evershop/dist/bin"
KEEPER = {"email": "keeper@evershop-store.example", "password": "correct horse battery"}
READY_S = 300  # longest wait for the first start: 60 migrations and a webpack build; 30 on an idle machine
ANSWER_S = 120  # longest wait for an answer: the server is one process, and so is its build


@dataclass(frozen=True)
class Product:
    """``uuid`` is what EverShop calls it behind the counter, ``key`` what stands in its address."""

    uuid: str
    key: str
    title: str
    price: Decimal
    seller: str


@dataclass(frozen=True)
class Store:
    """A running store and its keeper."""

    home: str
    products: tuple[Product, ...]
    counter: httpx.Client

    def delete(self, product: Product) -> None:
        self.counter.delete(f"/products/{product.uuid}").raise_for_status()

    def disable(self, product: Product) -> None:
        self.counter.patch(f"/products/{product.uuid}", json={"status": 0}).raise_for_status()

    def sell_out(self, product: Product) -> None:
        self.counter.patch(f"/products/{product.uuid}", json={"qty": 0}).raise_for_status()


@contextmanager
def running_store(database: dict[str, str], log: Path) -> Iterator[Store]:
    home = f"http://127.0.0.1:{_free_port()}"
    environment = _environment(home, database)
    # Its development server: the one whose pages are drawn in the browser. The other one draws them itself.
    command = ["node", f"{EVERSHOP}/dev/init.js"]
    with (
        log.open("wb") as output,
        subprocess.Popen(
            command, cwd=INSTALLED, env=environment, stdin=subprocess.DEVNULL, stdout=output, stderr=output
        ) as server,
    ):
        try:
            _wait_for(home, server, log)
            _appoint_keeper(environment)
            with httpx.Client(base_url=f"{home}/api", timeout=ANSWER_S, trust_env=False) as counter:
                token = _made(counter, "/user/tokens", KEEPER)["accessToken"]
                counter.headers["Authorization"] = f"Bearer {token}"
                yield Store(home, _stocked(counter), counter)
        finally:
            server.terminate()


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def _environment(home: str, database: dict[str, str]) -> dict[str, str]:
    # zh shows prices as ¥39.90, as shops in China do.
    shop = {"homeUrl": home, "currency": "CNY", "language": "zh", "timezone": "Asia/Shanghai"}
    secrets = {
        f"JWT_{who}_{what}": f"only for tests {who} {what}"
        for who in ("ADMIN", "CUSTOMER")
        for what in ("SECRET", "REFRESH_SECRET")
    }
    ours = {"PORT": home.rpartition(":")[2], "NODE_CONFIG": json.dumps({"shop": shop}), "DB_PORT": "5432"}
    return {**os.environ, **ours, **secrets, **database}


def _wait_for(home: str, server: subprocess.Popen[bytes], log: Path) -> None:
    """Until the script that draws the pages has been built."""
    deadline = time.monotonic() + READY_S
    with httpx.Client(base_url=home, timeout=READY_S, trust_env=False) as client:
        while time.monotonic() < deadline:
            assert server.poll() is None, log.read_text(encoding="utf-8", errors="replace")[-4000:]
            try:
                if client.get("/robots.txt").is_success and client.get("/main.js").is_success:
                    return
            except httpx.TransportError:  # not listening yet
                time.sleep(0.5)
    raise TimeoutError(log.read_text(encoding="utf-8", errors="replace")[-4000:])


def _appoint_keeper(environment: dict[str, str]) -> None:
    options = ["--name", "Keeper", "--email", KEEPER["email"], "--password", KEEPER["password"]]
    command = ["node", f"{EVERSHOP}/evershop.js", "user:create", *options]
    subprocess.run(command, cwd=INSTALLED, env=environment, check=True, timeout=ANSWER_S, capture_output=True)


def _stocked(counter: httpx.Client) -> tuple[Product, ...]:
    group = _made(counter, "/attributeGroups", {"group_name": "Vapes"})["attribute_group_id"]
    seller = {"attribute_code": "seller", "attribute_name": "卖家", "type": "text", "groups": [group]}
    _made(counter, "/attributes", {**seller, "is_required": 1, "display_on_frontend": 1, "is_filterable": 0})
    rows = map(json.loads, PRODUCTS.read_text(encoding="utf-8").splitlines())
    return tuple(_product(counter, group, row) for row in rows)


def _product(counter: httpx.Client, group: int, row: dict[str, str]) -> Product:
    key = f"{row['sku'].lower()}-vape"
    paragraph = {"type": "paragraph", "data": {"text": row["description"]}}
    column = {"id": "column", "size": 1, "data": {"blocks": [paragraph]}}
    on_sale = {"status": 1, "visibility": 1, "qty": 5, "manage_stock": 1, "stock_availability": 1}
    made = _made(
        counter,
        "/products",
        {
            **on_sale,
            "name": row["title"],
            "sku": row["sku"],
            "url_key": key,
            "price": row["price"],
            "group_id": group,
            "attributes": [{"attribute_code": "seller", "value": row["seller"]}],
            "description": [{"id": "row", "size": 1, "columns": [column]}],
            "no_shipping_required": True,  # else it wants to know the parcel
        },
    )
    return Product(made["uuid"], key, row["title"], Decimal(row["price"]), row["seller"])


def _made(counter: httpx.Client, path: str, wanted: dict[str, object]) -> dict[str, object]:
    answer = counter.post(path, json=wanted)
    assert answer.is_success, answer.text
    made: dict[str, object] = answer.json()["data"]
    return made
