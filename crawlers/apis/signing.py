"""The signature that Taobao, JD and Pinduoduo share (platforms' documentation; vectors in the tests)."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from datetime import datetime, timedelta, timezone

CHINA = timezone(timedelta(hours=8))  # has had no summer time since 1991


def md5_signature(parameters: Mapping[str, str], secret: str) -> str:
    """MD5, upper-case hex, of the secret, every name and value by ascending name, and the secret again."""
    pairs = "".join(name + parameters[name] for name in sorted(parameters))
    # MD5 is what these interfaces accept; it authenticates us to them and protects nothing of ours.
    return hashlib.md5(f"{secret}{pairs}{secret}".encode(), usedforsecurity=False).hexdigest().upper()


def china_time(moment: datetime) -> str:
    """As Taobao and JD want it."""
    return f"{moment.astimezone(CHINA):%Y-%m-%d %H:%M:%S}"


def signed(parameters: Mapping[str, str], secret: str) -> dict[str, str]:
    return {**parameters, "sign": md5_signature(parameters, secret)}
