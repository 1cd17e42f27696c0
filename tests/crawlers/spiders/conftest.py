"""A local server that plays an interface, and the keys for it in the environment."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack

import pytest

from tests.crawlers.apis.server import SECRETS, Answering, ApiServer

Serve = Callable[[Answering], ApiServer]


@pytest.fixture
def serve() -> Iterator[Serve]:
    with ExitStack() as stack:

        def start(answering: Answering) -> ApiServer:
            server = ApiServer(answering)
            stack.callback(server.close)
            return server

        yield start


@pytest.fixture
def keys(monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in SECRETS.items():
        monkeypatch.setenv(name, value)
