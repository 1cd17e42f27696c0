"""The platform's mail server, in a process of its own: what it accepted stands in a file before it says so.

    python bench/killing/server.py FILE

It prints its port, and serves until its standard input is closed.
"""

from __future__ import annotations

import asyncio
import hashlib
import json
import os
import random
import sys
from email import message_from_bytes
from email.policy import default
from pathlib import Path

from aiosmtpd.smtp import SMTP, Envelope, Session

SLOWEST_S = (
    0.1  # between having the mail and saying so: the moment at which a kill leaves the sender in doubt
)


class Mailbox:
    def __init__(self, file: Path) -> None:
        self._file = file

    async def handle_DATA(self, _server: SMTP, _session: Session, envelope: Envelope) -> str:  # noqa: N802
        with self._file.open("a", encoding="utf-8") as file:
            file.write(json.dumps(_noted(bytes(envelope.content or b""))) + "\n")
            file.flush()
            os.fsync(file.fileno())
        await asyncio.sleep(random.random() * SLOWEST_S)
        return "250 OK"


def _noted(raw: bytes) -> dict[str, object]:
    """The id by which a receiver tells mails apart, the text, and what the files hold."""
    mail = message_from_bytes(raw, policy=default)
    body = mail.get_body(("plain",))
    files = {
        part.get_filename(): hashlib.sha256(part.get_payload(decode=True)).hexdigest()
        for part in mail.iter_attachments()
    }
    return {"id": mail["Message-ID"], "text": body.get_content() if body else "", "files": files}


async def serve(file: Path) -> None:
    loop = asyncio.get_running_loop()
    server = await loop.create_server(lambda: SMTP(Mailbox(file), hostname="localhost"), "127.0.0.1", 0)
    print(server.sockets[0].getsockname()[1], flush=True)
    await loop.run_in_executor(None, sys.stdin.read)


if __name__ == "__main__":
    asyncio.run(serve(Path(sys.argv[1])))
