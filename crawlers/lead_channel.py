"""How leads reach a platform: the channel, the recipient in that channel's form, and the ladder."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from itertools import pairwise
from pathlib import PurePosixPath
from typing import Annotated, Literal, Self
from urllib.parse import urlsplit

from pydantic import Field, model_validator

from crawlers.listing import Frozen, NonEmpty

MAIL_ADDRESS = re.compile(r"[^\s\x00-\x1f@<>(),;:\"\[\]\\]+@[^\s\x00-\x1f@<>(),;:\"\[\]\\]+")
_SENDER = r"^[^\s@<>(),;:\"]*@[a-z0-9.-]+$"
LOOPBACK = ("127.0.0.1", "localhost")


class Rung(Frozen):
    """What is done about a notice that nobody answered."""

    after_working_days: int = Field(ge=1, le=250, description="since the notice was sent")
    kind: Literal["reminder", "escalation"] = "reminder"
    to: NonEmpty | None = Field(
        default=None, description="recipient in the platform's channel; without it that of the notices"
    )


def ascending(ladder: tuple[Rung, ...]) -> tuple[Rung, ...]:
    """Raises ValueError unless each rung comes later than the one before."""
    if any(low.after_working_days >= high.after_working_days for low, high in pairwise(ladder)):
        raise ValueError("each rung of a ladder comes later than the one before")
    return ladder


class LeadChannel(Frozen):
    channel: Literal["smtp", "webhook", "sftp", "folder", "manual"]
    recipient: NonEmpty = Field(
        description="mail address | https://… | sftp://user@host/folder | /folder | where a person files it"
    )
    secret: str | None = Field(
        default=None,
        pattern="^[A-Z][A-Z0-9_]*$",
        description="name of what signs the calls of a web hook (required), or of the SFTP password",
    )
    host_key: str | None = Field(
        default=None,
        pattern=r"^(ssh-|ecdsa-|rsa-)[a-z0-9-]+ [A-Za-z0-9+/]+=*$",
        description="of the SFTP server, as its operator gave it: type and base64; required there",
    )
    answers_from: tuple[Annotated[str, Field(pattern=_SENDER)], ...] = Field(
        default=(),
        description="who may answer by mail: name@host, or @host for everybody there; nobody without it",
    )
    answers_secret: str | None = Field(
        default=None,
        pattern="^[A-Z][A-Z0-9_]*$",
        description="name of what signs the platform's calls of our web hook; without it none are taken",
    )
    ladder: tuple[Rung, ...] | None = Field(
        default=None, description="reminders and escalations; without it that of vapewatch.yml"
    )

    @model_validator(mode="after")
    def _fits_together(self) -> Self:
        if (self.channel == "sftp") != (self.host_key is not None):
            raise ValueError("host_key is for sftp, which needs it: no server is trusted at first sight")
        if self.channel == "webhook" and self.secret is None:
            raise ValueError("a webhook needs the name of the secret that signs its calls")
        if self.secret and self.channel not in ("webhook", "sftp"):
            raise ValueError(f"{self.channel} has no secret")
        rungs = ascending(self.ladder or ())
        for recipient in (self.recipient, *(rung.to for rung in rungs if rung.to)):
            if not (recipient.isprintable() and _FORMS[self.channel](recipient)):
                raise ValueError(f"{recipient!r} is no recipient of {self.channel}")
        return self


def _is_mail_address(text: str) -> bool:
    return MAIL_ADDRESS.fullmatch(text) is not None


def _is_web_address(text: str) -> bool:
    """Https, or a host of this very machine; nothing that a log would give away, as a password."""
    parts = urlsplit(text)
    secure = parts.scheme == "https" or (parts.scheme == "http" and parts.hostname in LOOPBACK)
    return secure and bool(parts.hostname) and "@" not in parts.netloc and not parts.fragment


def _is_sftp_folder(text: str) -> bool:
    parts = urlsplit(text)
    named = parts.scheme == "sftp" and parts.username and parts.hostname and not parts.password
    return bool(named) and _is_folder(parts.path) and not (parts.query or parts.fragment)


def _is_folder(text: str) -> bool:
    path = PurePosixPath(text)
    return path.is_absolute() and ".." not in path.parts


_FORMS: Mapping[str, Callable[[str], bool]] = {
    "smtp": _is_mail_address,
    "webhook": _is_web_address,
    "sftp": _is_sftp_folder,
    "folder": _is_folder,
    "manual": bool,
}
