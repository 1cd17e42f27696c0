"""Two platforms, leads that were sent to them, and a way to hand in a reply."""

from __future__ import annotations

import imaplib
import itertools
import ssl
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa

from crawlers.platforms import Platform
from takedowns.context import Context
from takedowns.ledger import audit
from takedowns.ledger.engine import Ledger
from takedowns.ledger.tables import Lead, PlatformResponse, StrayResponse, User
from takedowns.replies import importing
from takedowns.replies.importing import Result
from takedowns.settings import Inbox, Settings
from takedowns.states import LeadState
from tests.takedowns.replies import imap_server
from tests.takedowns.replies.certificates import write_certificate

HEADER = "线索编号,商品ID,处置措施,处置时间,备注"
PASSWORD = imap_server.PASSWORD.decode()
_numbers = itertools.count()


@pytest.fixture
def platforms(platform: Platform) -> dict[str, Platform]:
    """``sample`` answers from @shop.invalid, ``other`` from one address of its own."""
    sample = platform.model_dump() | {"lead": _lead("@shop.invalid", "SAMPLE_ANSWERS")}
    other = platform.model_dump() | {
        "name": "other",
        "title": "另一商城",
        "title_en": "Other Market",
        "hosts": ["other.invalid"],
        "listing_url": {"match": r"/item/(?P<id>\d+)", "canonical": "https://other.invalid/item/{id}"},
        "lead": _lead("desk@other.invalid", "OTHER_ANSWERS"),
    }
    return {
        name: Platform.model_validate({**fields}) for name, fields in (("sample", sample), ("other", other))
    }


def _lead(sender: str, secret: str) -> dict[str, Any]:
    recipient = {"channel": "smtp", "recipient": "notices@shop.invalid"}
    return {**recipient, "answers_from": [sender], "answers_secret": secret}


@pytest.fixture
def sent(used_ledger: Ledger, make: Any, analyst: User, now: datetime) -> list[Lead]:
    """Two sent leads, about items 1001 and 1002."""
    with used_ledger.write() as session:
        found = []
        for item_id in ("1001", "1002"):
            shown = make.snapshot(session, make.listing(session, item_id=item_id))
            decision = make.decision(session, make.task(session, shown), analyst)
            number, sent_at = f"2026-0000-0{item_id}", now - timedelta(days=2)
            found.append(make.lead(session, decision, number=number, state=LeadState.SENT, sent_at=sent_at))
        return found


@pytest.fixture
def hand_in(
    used_ledger: Ledger, platforms: dict[str, Platform], tmp_path: Path, now: datetime
) -> Callable[..., Result]:
    """Imports a file of the lines given; without ``header`` it is the usual one."""

    def imported(
        *lines: str, header: str = HEADER, name: str = "reply.csv", encoding: str = "utf-8", at: Any = now
    ) -> Result:
        path = tmp_path / name
        if lines:
            path.write_bytes("\n".join([header, *lines, ""]).encode(encoding))
        with used_ledger.write() as session:
            return importing.import_file(session, path, platforms=platforms, now=at)

    return imported


@pytest.fixture
def claims(used_ledger: Ledger) -> Callable[[], list[PlatformResponse]]:
    """All claims in the order in which they came; the audit chain is checked by the way."""

    def found() -> list[PlatformResponse]:
        with used_ledger.read() as session:
            assert list(audit.verify(session)) == []
            return list(session.scalars(sa.select(PlatformResponse).order_by(PlatformResponse.id)))

    return found


@pytest.fixture
def strays(used_ledger: Ledger) -> Callable[[], list[StrayResponse]]:
    def found() -> list[StrayResponse]:
        with used_ledger.read() as session:
            return list(session.scalars(sa.select(StrayResponse).order_by(StrayResponse.id)))

    return found


@dataclass
class MailFolder:
    """A folder of its own on a real IMAP server, to be read by ``bureau``."""

    inbox: Inbox

    def put(self, data: bytes, date: str = "12-Oct-2026 01:00:00 +0000") -> None:
        with self.opened() as server:
            assert server.append(self.inbox.folder, "()", f'"{date}"', data)[0] == "OK"

    @contextmanager
    def opened(self) -> Iterator[imaplib.IMAP4]:
        trusted = ssl.create_default_context(cafile=self.inbox.ca_file)
        with imaplib.IMAP4_SSL(self.inbox.host, self.inbox.port, ssl_context=trusted) as server:
            server.login(self.inbox.username, PASSWORD)
            yield server


@pytest.fixture(scope="session")
def imap_ports(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[int, int, Path]]:
    """Ports with implicit TLS and with STARTTLS, and the certificate to trust."""
    folder = tmp_path_factory.mktemp("imap")
    write_certificate(folder / "server.pem", folder / "trusted.pem")
    command = [sys.executable, imap_server.__file__, str(folder / "server.pem")]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as server:
        assert server.stdout
        assert server.stdin
        implicit, plain = map(int, server.stdout.readline().split())
        yield implicit, plain, folder / "trusted.pem"
        server.stdin.close()
        assert server.wait(timeout=30) == 0


@pytest.fixture
def mail_folder(imap_ports: tuple[int, int, Path], monkeypatch: pytest.MonkeyPatch) -> MailFolder:
    monkeypatch.setenv("INBOX_PASSWORD", PASSWORD)
    found = MailFolder(
        Inbox(
            host="localhost",
            port=imap_ports[0],
            ca_file=imap_ports[2],
            username="answers",
            password="INBOX_PASSWORD",
            folder=f"box{next(_numbers)}",
            authserv_id="mx.bureau.invalid",
            mail_at_most=100_000,
            timeout_s=20,
        )
    )
    with found.opened() as server:
        assert server.create(found.inbox.folder)[0] == "OK"
    return found


@pytest.fixture
def bureau(
    used_ledger: Ledger,
    settings: Settings,
    platforms: dict[str, Platform],
    mail_folder: MailFolder,
    now: datetime,
) -> Context:
    settings = settings.model_copy(update={"inbox": mail_folder.inbox})
    return Context(Path("config"), settings, platforms, used_ledger, clock=lambda: now)
