"""Private handles in listings, kept as keyed hashes: they link the shops that show the same one.

A handle itself goes into no table, log or report. Without the key, a hash tells nothing: eleven digits are
quickly tried through. So the key lies outside the database, in a file of the ledger's machine.
"""

from __future__ import annotations

import hashlib
import hmac
import os
import re
import secrets
import stat
from collections.abc import Iterable, Iterator, Mapping
from datetime import datetime
from functools import cached_property
from pathlib import Path
from typing import Any, NamedTuple
from urllib.parse import urlsplit

import sqlalchemy as sa
from sqlalchemy.orm import Session

from classifiers.normalize import normalize
from classifiers.verdict import ListingText
from classifiers.yamlfile import ConfigError
from takedowns.ledger.tables import ContactHash
from takedowns.settings import Settings

KEY_BYTES = 32
SESSION_INFO = "contact_key"
AT_MOST = 20  # handles of a listing; one that shows more is a list of customers, or means to fill our tables
BEHIND = 40  # characters behind a mark in which its handle begins and ends

_DIGITS = str.maketrans("〇零一二三四五六七八九幺", "001234567891")
# In one, digit by digit, or in the groups that people write: other rows of numbers are sizes and amounts.
_PHONE = re.compile(
    r"(?<![0-9])1(?:[3-9][0-9]{9}| [3-9](?: [0-9]){9}"
    r"|[3-9][0-9](?:[ -][0-9]{4}[ -]?[0-9]{4}|[0-9]{4}[ -][0-9]{4}|[ -][0-9]{3}[ -]?[0-9]{5}))(?![0-9])"
)
_ALONE = r"(?:(?<![一-龥])|(?<=[加我找联系]))"  # no part of a longer word: 细微, 折扣
_ID = r"[a-z][a-z0-9_-]{5,19}"  # of WeChat; those of other services look alike
# A bare v is a volt or a model more often than WeChat: it needs a colon or plus; an aeroplane and a satellite
# are toys without one.
_NAMED = re.compile(
    rf"(?:(?:微信|薇信|威信|绿泡泡|电报|{_ALONE}[微薇威])号?[^\w\n]{{0,4}}"
    r"|(?:卫星|飞机)(?:号[^\w\n]{0,4}|[^\w\s]{1,4} ?)"
    r"|(?<![a-z0-9])(?:(?:vx|wx|tg|telegram|wechat)(?:号[^\w\n]{0,4}|[^\w\n]{1,4})"
    r"|v信[^\w\n]{0,4}|v ?[:+❤] ?))"
    rf"@?({_ID})(?![a-z0-9])"
)
_NUMBER = r"[1-9][0-9]{4,10}(?![0-9]| ?[口次元块分积毫人件支个套])"  # what is counted is no QQ number
_QQ = re.compile(rf"(?:(?<![a-z])qq|扣扣|企鹅|{_ALONE}扣)(?:号|群)?[^\w\n]{{0,4}}({_NUMBER})")
_MARKED = re.compile(rf"[^0-9a-z\n]{{0,4}}({_ID}|{_NUMBER})(?![0-9a-z])")
# Where QR codes of people lead; one of a shop or a register is no private contact.
_QR_HOSTS = {"u.wechat.com", "weixin.qq.com", "wx.qq.com", "qm.qq.com", "t.me", "qr.alipay.com"}


class Handle(NamedTuple):
    """``kind`` by its form, which is the same wherever it is used: phone, number (QQ), name, qr."""

    kind: str
    text: str


class Key:
    """The key of a file that its owner alone can read; the file is made at the first use."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def digest(self, handle: Handle) -> str:
        """HMAC-SHA-256 in hex. Raises ConfigError for a file that holds no key or that others may read."""
        return hmac.new(self._secret, f"{handle.kind}:{handle.text}".encode(), hashlib.sha256).hexdigest()

    @cached_property
    def _secret(self) -> bytes:
        if not self.path.exists():
            _make(self.path)
        if others := stat.S_IMODE(self.path.stat().st_mode) & 0o077:
            raise ConfigError([f"{self.path}:1:1: (file): others may read it (mode {others:o}); chmod 600"])
        try:
            secret = bytes.fromhex(self.path.read_text(encoding="ascii"))
        except ValueError:
            secret = b""
        if len(secret) != KEY_BYTES:
            raise ConfigError([f"{self.path}:1:1: (file): is no key of {2 * KEY_BYTES} hexadecimal digits"])
        return secret


def session_info(settings: Settings) -> dict[str, Key]:
    """What a ledger has to be opened with so that its sessions have the key."""
    return {SESSION_INFO: Key(settings.contacts.key or settings.var / "contacts.key")}


def handles(text: str) -> set[Handle]:
    """The private handles that ``text`` names as such, however they are spelt."""
    plain = normalize(text).text
    phones = (re.sub("[ -]", "", found) for found in _PHONE.findall(plain.translate(_DIGITS)))
    return {
        *(Handle("phone", phone) for phone in phones),
        *(Handle("name", name) for name in _NAMED.findall(plain)),
        *(_digits(number) for number in _QQ.findall(plain)),
    }


def behind(text: str) -> set[Handle]:
    """The handle with which ``text`` begins, when a word of contact stood right before it."""
    found = _MARKED.match(normalize(text[:BEHIND]).text)
    if found is None:
        return set()
    return {_digits(found[1]) if found[1].isdecimal() else Handle("name", found[1])}


def of_listing(text: ListingText, payload: Mapping[str, Any]) -> list[Handle]:
    """The handles in a listing's words and in those of its pictures, as its verdict (JSON) has them."""
    fields = {"title": text.title, "description": text.description}
    fields |= {f"attributes.{name}": value for name, value in text.attributes.items()}
    fields |= {f"images.{n}": image["text"] for n, image in enumerate(payload.get("images", ()))}
    found = set().union(*map(handles, fields.values()), *map(set, _signalled(fields, payload)))
    return sorted(found)[:AT_MOST]


def store(
    session: Session, judged: Iterable[tuple[int, ListingText, Mapping[str, Any]]], *, now: datetime
) -> int:
    """Keep the hashes of what listings (id, words, verdict as JSON) show; returns how many are new.

    The key is the session's own (:class:`takedowns.ledger.engine.Ledger`); a ledger without one keeps none.
    """
    key: Key | None = session.info.get(SESSION_INFO)
    if key is None:
        return 0
    found = {
        (listing_id, handle.kind, key.digest(handle))
        for listing_id, text, payload in judged
        for handle in of_listing(text, payload)
    }
    new = sorted(found - _known(session, {listing_id for listing_id, _, _ in found}))
    rows = [{"listing_id": i, "kind": kind, "digest": digest, "observed_at": now} for i, kind, digest in new]
    if rows:
        session.execute(sa.insert(ContactHash), rows)
    return len(rows)


def _known(session: Session, listings: set[int]) -> set[tuple[int, str, str]]:
    row = ContactHash
    known = sa.select(row.listing_id, row.kind, row.digest).where(row.listing_id.in_(listings))
    return {(listing_id, kind, digest) for listing_id, kind, digest in session.execute(known)}


def _signalled(fields: Mapping[str, str], payload: Mapping[str, Any]) -> Iterator[Iterable[Handle]]:
    for signal in payload["signals"]:
        if signal["concept"] == "contact.handle":
            yield behind(fields.get(signal["field"], "")[signal["end"] :])
        elif signal["concept"] == "contact.qr_code":
            yield _of_code(signal["text"])


def _of_code(code: str) -> Iterator[Handle]:
    try:
        address = urlsplit(code.strip())
    except ValueError:  # [ in the place of a host: nothing that leads to a person
        return
    if address.hostname in _QR_HOSTS and len(address.path) > 1:
        query = f"?{address.query}" if address.query else ""
        yield Handle("qr", f"{address.hostname}{address.path}{query}")


def _digits(number: str) -> Handle:
    return Handle("phone" if _PHONE.fullmatch(number) else "number", number)


def _make(path: Path) -> None:
    """A new key; of two who make it at the same time, the first one's stays."""
    path.parent.mkdir(parents=True, exist_ok=True)
    unfinished = path.with_name(f".{path.name}.{secrets.token_hex(4)}")
    descriptor = os.open(unfinished, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "w", encoding="ascii") as file:
        file.write(secrets.token_hex(KEY_BYTES))
        file.flush()
        os.fsync(file.fileno())
    try:
        os.link(unfinished, path)
    except FileExistsError:
        pass  # somebody was faster
    finally:
        unfinished.unlink()
