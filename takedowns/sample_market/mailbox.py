"""The market's mail server: real SMTP, into which notices are sent."""

from __future__ import annotations

import asyncio

from aiosmtpd.smtp import SMTP, Envelope, Session

from takedowns.sample_market.notices import UnreadableNotice, parse_mail
from takedowns.sample_market.runtime import Runtime


class Mailbox:
    """Accepts mail for any recipient; a mail that cannot be read is kept raw and refused with a 554."""

    def __init__(self, runtime: Runtime) -> None:
        self._runtime = runtime

    async def handle_DATA(self, _server: SMTP, _session: Session, envelope: Envelope) -> str:  # noqa: N802
        raw = envelope.content if isinstance(envelope.content, bytes) else b""
        self._runtime.keep_raw(raw, ".eml")
        try:
            self._runtime.take_in(parse_mail(raw))
        except UnreadableNotice as error:
            return f"554 {' '.join(str(error).split())[:400]}"
        return "250 OK"


async def open_mailbox(runtime: Runtime, host: str, port: int) -> asyncio.Server:
    """Listen on ``host:port``; port 0 takes a free one."""
    loop = asyncio.get_running_loop()
    handler = Mailbox(runtime)
    return await loop.create_server(lambda: SMTP(handler, hostname="localhost", loop=loop), host, port)
