from __future__ import annotations

import json
from datetime import UTC, datetime
from http import HTTPStatus

import pytest
from hypothesis import given
from hypothesis import strategies as st

from takedowns.channels.webhook import signed
from takedowns.ledger.vocabulary import Measure
from takedowns.replies import hook
from takedowns.replies.hook import HookError
from takedowns.replies.matching import Directory

NOW = datetime(2026, 10, 12, tzinfo=UTC)
SECRET = "a secret that is long enough"
BODY = json.dumps(
    {"key": "k1", "replies": [{"lead_number": "2026-0000-01001", "measure": "deleted", "information": 12}]}
).encode()


def checked(body=BODY, *, now, secret=SECRET, at=None, **headers):
    given = signed(secret, body, int(now.timestamp()) if at is None else at)
    lowered = {name.lower(): value for name, value in {**given, **headers}.items()}
    return hook.check(SECRET, body, lowered, now=now)


def take(ledger, platforms, body, now, platform="sample"):
    call = checked(body, now=now)
    with ledger.write() as session:
        return hook.take(session, platforms[platform], call, body, Directory(platforms), now=now)


def test_a_signed_call_becomes_claims_and_its_repetition_nothing(ledger, platforms, sent, claims, now):
    first = take(ledger, platforms, BODY, now)
    assert (first["accepted"], first["reports"]) == (1, 1)
    assert take(ledger, platforms, BODY, now) == first
    assert [claim.measure for claim in claims()] == [Measure.DELETED]


def test_a_key_that_was_used_for_another_call_is_refused(sqlite_ledger, platforms, sent, claims, now):
    take(sqlite_ledger, platforms, BODY, now)
    with pytest.raises(HookError) as refused:
        take(sqlite_ledger, platforms, BODY.replace(b"deleted", b"none"), now)
    assert refused.value.status is HTTPStatus.CONFLICT
    assert len(claims()) == 1


def test_a_platform_speaks_for_its_own_leads_only(sqlite_ledger, platforms, sent, claims, strays, now):
    assert take(sqlite_ledger, platforms, BODY, now, "other")["strays"] == 1
    assert claims() == []
    assert strays()[0].platform == "other"


def test_what_is_wrong_in_a_call_lies_in_the_tray_and_the_rest_is_taken(
    sqlite_ledger, platforms, sent, strays, now
):
    replies = [
        {"lead_number": "x"},
        {"measure": {"a": [1]}},
        {"item_id": 1001, "measure": "已下架", "n": None},
        {},
    ]
    numbers = take(sqlite_ledger, platforms, json.dumps({"key": "k", "replies": replies}).encode(), now)
    assert (numbers["accepted"], numbers["strays"]) == (1, 3)
    assert len(strays()) == 3


@pytest.mark.parametrize("seconds", [-301, 301, -(10**6)])
def test_a_call_signed_at_another_time_is_refused(now, seconds):
    with pytest.raises(HookError, match="set your clock"):
        checked(now=now, at=int(now.timestamp()) + seconds)


@pytest.mark.parametrize(
    "change",
    [
        {"secret": "another"},
        {"X-Vapewatch-Signature": ""},
        {"X-Vapewatch-Signature": "sha256=é"},
        {"X-Vapewatch-Timestamp": ""},
        {"X-Vapewatch-Timestamp": "-1"},
        {"X-Vapewatch-Timestamp": "1" * 5000},
        {"X-Vapewatch-Timestamp": "１２３"},
    ],
)
def test_a_call_that_is_not_signed_is_refused_before_anything_is_read(now, change):
    with pytest.raises(HookError) as refused:
        checked(b"not even json", now=now, **change)
    assert refused.value.status is HTTPStatus.UNAUTHORIZED


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"[]",
        b"null",
        b"\xff",
        b"[" * 100_000,
        b'{"key": "", "replies": [{}]}',
        b'{"key": "k", "replies": []}',
        b'{"key": "k", "replies": [1]}',
        b'{"key": "k", "replies": [{}], "more": 1}',
        json.dumps({"key": "k", "replies": [{}] * (hook.REPLIES_AT_MOST + 1)}).encode(),
    ],
)
def test_a_signed_body_of_another_form_is_refused(now, body):
    with pytest.raises(HookError) as refused:
        checked(body, now=now)
    assert refused.value.status is HTTPStatus.BAD_REQUEST


@given(st.binary(max_size=100))
def test_any_bytes_are_a_call_or_refused(data):
    try:
        hook.check("s", data, {"x-vapewatch-timestamp": data.decode("latin-1")}, now=NOW)
    except HookError:
        return
    raise AssertionError("nobody signed it")
