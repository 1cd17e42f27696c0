from __future__ import annotations

import asyncio
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import asyncssh
import pytest

from takedowns.channels import sftp
from takedowns.channels.folder import contents
from takedowns.channels.parcel import SendError


class Accounts(asyncssh.SSHServer):
    """One account with the password ``right``; its key is in the server's list."""

    def password_auth_supported(self) -> bool:
        return True

    def validate_password(self, username: str, password: str) -> bool:
        return (username, password) == ("leads", "right")


@dataclass
class Server:
    port: int
    host_key: str
    root: Path

    @property
    def recipient(self) -> str:
        return f"sftp://leads@127.0.0.1:{self.port}/drop"


@contextmanager
def _serving(root: Path, trusted: asyncssh.SSHKey | None = None) -> Iterator[Server]:
    """A real server in a thread of its own, which shows ``root`` as /."""
    (root / "drop").mkdir()
    key = asyncssh.generate_private_key("ssh-ed25519")
    loop = asyncio.new_event_loop()
    thread = threading.Thread(target=loop.run_forever, daemon=True)
    thread.start()

    async def awaited(work: Any) -> Any:
        return await work

    def run(work: Any) -> Any:
        return asyncio.run_coroutine_threadsafe(awaited(work), loop).result(10)

    clients = asyncssh.import_authorized_keys(trusted.export_public_key().decode()) if trusted else None
    listening = run(
        asyncssh.listen(
            "127.0.0.1",
            0,
            server_host_keys=[key],
            server_factory=Accounts,
            authorized_client_keys=clients,
            sftp_factory=lambda channel: asyncssh.SFTPServer(channel, chroot=str(root)),
        )
    )
    try:
        yield Server(listening.get_port(), key.export_public_key().decode().strip(), root)
    finally:
        listening.close()
        run(listening.wait_closed())
        loop.call_soon_threadsafe(loop.stop)
        thread.join()
        loop.close()


@pytest.fixture
def server(tmp_path):
    with _serving(tmp_path) as served:
        yield served


@pytest.fixture
def parcel(parcel, server):
    return replace(parcel, recipient=server.recipient)


def _deliver(parcel, server, password="right", **given):
    options = {"key": None, "password": password, "timeout_s": 10, **given}
    return sftp.deliver(parcel, server.host_key, **options)


def _dropped(server):
    return {path.name for path in (server.root / "drop").iterdir()}


def test_a_drop_is_one_subfolder_with_letter_and_files(parcel, server):
    assert _deliver(parcel, server) == f"sftp://127.0.0.1/drop/{parcel.key}"
    assert _dropped(server) == {parcel.key}
    found = {file.name: file.read_bytes() for file in (server.root / "drop" / parcel.key).iterdir()}
    assert found == contents(parcel)


def test_what_is_there_already_is_not_touched(parcel, server):
    _deliver(parcel, server)
    letter = server.root / "drop" / parcel.key / "letter.txt"
    letter.write_text("taken by the other side")
    _deliver(parcel, server)
    assert letter.read_text() == "taken by the other side"
    assert _dropped(server) == {parcel.key}


def test_what_a_dead_attempt_left_is_made_anew(parcel, server):
    left = server.root / "drop" / f".{parcel.key}.part"
    left.mkdir()
    (left / "letter.txt").write_text("half")
    _deliver(parcel, server)
    assert _dropped(server) == {parcel.key}
    letter = server.root / "drop" / parcel.key / "letter.txt"
    assert letter.read_bytes() == contents(parcel)["letter.txt"]


def test_a_server_with_another_key_gets_nothing(parcel, server):
    other = asyncssh.generate_private_key("ssh-ed25519").export_public_key().decode().strip()
    with pytest.raises(SendError, match="key") as refused:
        _deliver(parcel, replace(server, host_key=other))
    assert not refused.value.temporary
    assert _dropped(server) == set()


def test_a_wrong_password_is_no_matter_of_trying_again(parcel, server):
    with pytest.raises(SendError, match="Permission denied") as refused:
        _deliver(parcel, server, password="wrong")
    assert not refused.value.temporary


def test_a_folder_that_is_not_there_may_be_there_later(parcel, server):
    with pytest.raises(SendError) as failed:
        _deliver(replace(parcel, recipient=server.recipient + "/nowhere"), server)
    assert failed.value.temporary


def test_a_server_that_is_not_there_may_be_there_later(parcel, server):
    gone = replace(parcel, recipient="sftp://leads@127.0.0.1:1/drop")
    with pytest.raises(SendError) as failed:
        _deliver(gone, server)
    assert failed.value.temporary


def test_it_signs_in_with_the_bureaus_key(parcel, tmp_path_factory):
    key = asyncssh.generate_private_key("ssh-ed25519")
    file = tmp_path_factory.mktemp("keys") / "id"
    key.write_private_key(file)
    with _serving(tmp_path_factory.mktemp("sftp"), trusted=key) as served:
        _deliver(replace(parcel, recipient=served.recipient), served, password=None, key=file)
        assert _dropped(served) == {parcel.key}
