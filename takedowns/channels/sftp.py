"""Drops on an SFTP server, whose key the platform's profile holds; laid down as in :mod:`.folder`."""

from __future__ import annotations

import asyncio
import posixpath
from pathlib import Path
from urllib.parse import SplitResult, unquote, urlsplit

import asyncssh

from takedowns.channels.folder import REASON_AT_MOST, contents
from takedowns.channels.parcel import Parcel, SendError
from takedowns.letters import clean

PORT = 22


def deliver(
    parcel: Parcel, host_key: str, *, key: Path | None, password: str | None, timeout_s: float
) -> str:
    """Returns where it is. Signs in with the private key in the file ``key``, or with the password.

    Raises SendError, not a temporary one where server or sign-in are not what was agreed.
    """
    where = urlsplit(parcel.recipient)
    try:
        return asyncio.run(_delivered(parcel, where, host_key, key, password, timeout_s))
    except (asyncssh.HostKeyNotVerifiable, asyncssh.PermissionDenied, asyncssh.KeyImportError) as error:
        raise SendError(_reason(where, error), temporary=False) from error
    except (asyncssh.Error, OSError, TimeoutError) as error:
        # Before the last rename nothing is there, and what is there is left as it is.
        raise SendError(_reason(where, error), temporary=True, may_have_arrived=True) from error


async def _delivered(
    parcel: Parcel,
    where: SplitResult,
    host_key: str,
    key: Path | None,
    password: str | None,
    timeout_s: float,
) -> str:
    port = where.port or PORT
    async with (
        asyncio.timeout(timeout_s),
        asyncssh.connect(
            where.hostname or "",
            port,
            username=unquote(where.username or ""),
            password=password,
            client_keys=[str(key)] if key else None,
            known_hosts=asyncssh.import_known_hosts(f"[{where.hostname}]:{port} {host_key}\n"),
            config=None,  # neither the settings nor the agent of whoever runs us
            agent_path=None,
        ) as connection,
        connection.start_sftp_client() as server,
    ):
        place = posixpath.join(unquote(where.path), parcel.key)
        if not await server.isdir(place):
            await _moved_in(server, parcel, place)
        return f"sftp://{where.hostname}{place}"


async def _moved_in(server: asyncssh.SFTPClient, parcel: Parcel, place: str) -> None:
    folder, name = posixpath.split(place)
    unfinished = posixpath.join(folder, f".{name}.part")
    if await server.isdir(unfinished):  # of an attempt that died
        await server.rmtree(unfinished)
    await server.mkdir(unfinished)
    for file, data in contents(parcel).items():
        async with server.open(posixpath.join(unfinished, file), "xb") as target:
            await target.write(data)
    await server.rename(unfinished, place)


def _reason(where: SplitResult, error: Exception) -> str:
    said = clean(str(error), REASON_AT_MOST) or type(error).__name__
    return f"SFTP server {where.hostname} did not take the drop: {said}"
