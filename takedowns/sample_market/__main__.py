"""``python -m takedowns.sample_market``: serve until stopped; one JSON line on stdout says where."""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import json
import signal
import socket
import sys
import tempfile
import threading
from datetime import datetime
from pathlib import Path

import uvicorn

from takedowns.sample_market.app import build_app
from takedowns.sample_market.catalogue import CatalogueError, build_catalogue
from takedowns.sample_market.corpus import CorpusError, read_corpus, read_hostile
from takedowns.sample_market.mailbox import open_mailbox
from takedowns.sample_market.runtime import Runtime
from takedowns.sample_market.state import opening

HOST = "127.0.0.1"


class AnnouncingServer(uvicorn.Server):
    """Prints the ready line once requests are really accepted."""

    def __init__(self, config: uvicorn.Config, ready: dict[str, object]) -> None:
        super().__init__(config)
        self._ready = ready

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        sys.stdout.write(json.dumps(self._ready) + "\n")
        sys.stdout.flush()


def parse_arguments(argv: list[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m takedowns.sample_market", description=__doc__)
    parser.add_argument("--port", type=int, default=8600, help="0: a free one")
    parser.add_argument("--smtp-port", type=int, default=0, help="0: a free one (default)")
    parser.add_argument("--state", type=Path, help="folder for raw notices (default: a temporary one)")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--listings", type=int, default=320)
    parser.add_argument(
        "--clock",
        type=_instant,
        default=datetime.fromisoformat("2026-10-01T00:00:00+08:00"),
        help="what the market's clock shows at the start; only the control API moves it",
    )
    parser.add_argument(
        "--stop-on-eof", action="store_true", help="end when stdin closes, as it does if a parent dies"
    )
    return parser.parse_args(argv)


def _instant(text: str) -> datetime:
    instant = datetime.fromisoformat(text)
    if instant.tzinfo is None:
        raise argparse.ArgumentTypeError(f"{text} has no time zone, e.g. +08:00")
    return instant


async def serve(options: argparse.Namespace, state_dir: Path) -> None:
    offers = build_catalogue(read_corpus(), read_hostile(), options.seed, options.listings)
    runtime = Runtime(opening(offers, options.seed, options.clock), state_dir)
    listener = socket.create_server((HOST, options.port))
    mailbox = await open_mailbox(runtime, HOST, options.smtp_port)
    ready: dict[str, object] = {
        "base_url": f"http://{HOST}:{listener.getsockname()[1]}",
        "smtp_host": HOST,
        "smtp_port": mailbox.sockets[0].getsockname()[1],
        "token": runtime.token,
        "state": str(state_dir),
    }
    config = uvicorn.Config(
        build_app(runtime),
        log_config=None,  # the market keeps its own log; stderr is for errors
        log_level="error",
        access_log=False,
        timeout_graceful_shutdown=1,  # an endless body would hold the shutdown for ever
    )
    server = AnnouncingServer(config, ready)
    if options.stop_on_eof:
        threading.Thread(target=_stop_on_eof, args=(server,), daemon=True).start()
    # Not "async with": from Python 3.12 on that waits for clients that keep their connection open.
    with contextlib.closing(mailbox):
        await server.serve(sockets=[listener])


def _stop_on_eof(server: uvicorn.Server) -> None:
    sys.stdin.read()
    server.should_exit = True


def main(argv: list[str]) -> int:
    options = parse_arguments(argv)
    # uvicorn raises the signal again when it is done; as an exit it lets the temporary folder be removed.
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda received, _frame: sys.exit(128 + received))
    with contextlib.ExitStack() as stack:
        state_dir = options.state or Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="market-")))
        try:
            asyncio.run(serve(options, state_dir))
        except (CorpusError, CatalogueError, OSError) as error:
            sys.stderr.write(f"the sample market cannot start: {error}\n")
            return 1
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
